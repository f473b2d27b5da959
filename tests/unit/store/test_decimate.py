"""The paper's subsampling: slow parts stay, what the grid cannot hold goes."""

import numpy as np
import pytest

from noble_neuron.store.decimate import averaged, low_passed

DT = 0.02  # ms
T = np.arange(25_750) * DT  # the paper's trace


def test_length_is_the_papers():
    assert low_passed(T).shape == (8584,)  # ceil; the paper drops the last, incomplete interval


def test_slow_parts_stay_in_place():
    slow = np.sin(2 * np.pi * 0.5 * T)  # 500 Hz
    assert np.abs(low_passed(slow) - slow[::3]).max() < 0.01


def test_fast_parts_do_not_alias():
    fast = np.sin(2 * np.pi * 15.0 * T)  # 15 kHz, above the new 8.3 kHz
    assert np.abs(fast[::3]).max() > 0.9
    assert np.abs(low_passed(fast)[50:-50]).max() < 0.01


@pytest.mark.parametrize("points", [30, 31, 32])
def test_averaging_loses_no_charge(points):
    current = np.random.default_rng(1).standard_normal((2, points)).astype("f4")
    coarse = averaged(current)
    whole = points // 3
    assert coarse.shape == (2, -(-points // 3))
    assert coarse[:, :whole] == pytest.approx(current[:, : 3 * whole].reshape(2, -1, 3).mean(-1))


def test_rest_stays_at_rest():
    flat = np.full(6001, -86.0)
    assert np.abs(low_passed(flat) + 86.0).max() < 1e-3
