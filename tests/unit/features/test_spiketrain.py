"""Spike-train measures against trains whose answer is known."""

from math import isnan

import numpy as np
import pytest

from noble_neuron.features.spiketrain import (
    away_from,
    coincidences,
    gamma,
    interval_error,
    spike_synchrony,
    spike_times,
)

DURATION = 1000.0  # ms
REGULAR = np.arange(20.0, 1000.0, 25.0)  # 40 spikes, 40 Hz


def test_equal_trains_are_one():
    assert gamma(REGULAR, REGULAR, DURATION) == pytest.approx(1)
    assert spike_synchrony(REGULAR, REGULAR, DURATION) == 1
    assert interval_error(REGULAR, REGULAR) == 0


@pytest.mark.parametrize(("shift", "all_coincide"), [(1.9, True), (2.1, False), (-1.9, True)])
def test_a_shift_counts_only_beyond_the_window(shift, all_coincide):
    # Chance: 2 * 0.04/ms * 2 ms = 0.16 per spike; nothing found gives -0.16 / 0.84.
    expected = 1.0 if all_coincide else -0.16 / 0.84
    assert gamma(REGULAR + shift, REGULAR, DURATION) == pytest.approx(expected)
    assert interval_error(REGULAR + shift, REGULAR) == pytest.approx(0)


@pytest.mark.parametrize(("shift", "value"), [(12.4, 1.0), (12.6, 1 - 1 / 40)])
def test_synchrony_adapts_its_window_to_the_intervals(shift, value):
    # Half an interval is 12.5 ms; beyond it each spike meets its neighbour's neighbour.
    assert spike_synchrony(REGULAR + shift, REGULAR, DURATION) == pytest.approx(value)


def test_independent_poisson_trains_are_zero_on_average():
    rng = np.random.default_rng(0)

    def poisson(rate):  # Hz, 10 s
        return np.sort(rng.uniform(0, 1e4, rng.poisson(10 * rate)))

    found = [gamma(poisson(10), poisson(10), 1e4) for _ in range(400)]
    assert np.mean(found) == pytest.approx(0, abs=0.01)
    assert np.std(found) > 0.01
    # Against a regular train of another rate too: chance is of the answer's rate.
    regular = np.arange(5.0, 1e4, 50.0)
    found = [gamma(poisson(40), regular, 1e4) for _ in range(200)]
    assert np.mean(found) == pytest.approx(0, abs=0.03)


def test_a_spike_is_paired_once():
    assert coincidences(np.array([10.0, 11.0]), np.array([10.5]), 2.0) == 1
    assert coincidences(np.array([10.0, 11.0]), np.array([9.0, 12.5]), 2.0) == 2
    assert coincidences(np.array([10.0, 30.0]), np.array([13.0, 31.0]), 2.0) == 1


def test_half_of_the_spikes_missing_by_hand():
    # 20 of 40 found; nu = 0.02/ms, chance 0.08 per spike.
    half = REGULAR[::2]
    assert gamma(half, REGULAR, DURATION) == pytest.approx(2 * (20 - 0.08 * 40) / (60 * 0.92))
    assert spike_synchrony(half, REGULAR, DURATION) == pytest.approx(2 * 20 / 60)


def test_empty_and_fast_trains():
    none = np.zeros(0)
    assert isnan(gamma(none, none, DURATION)) and isnan(spike_synchrony(none, none, DURATION))
    assert gamma(none, REGULAR, DURATION) == 0
    assert spike_synchrony(none, REGULAR, DURATION) == 0
    assert gamma(REGULAR, none, DURATION) == 0
    assert isnan(gamma(np.arange(0, 1000, 4.0), REGULAR, DURATION))  # 250 Hz
    assert spike_synchrony(np.array([500.0]), np.array([510.0]), DURATION) == 1
    with pytest.raises(ValueError, match="above 0 ms"):
        gamma(REGULAR, REGULAR, 0.0)


def test_intervals_by_hand():
    error = interval_error(np.array([5.0, 16.0, 25.0, 90.0]), np.array([0.0, 10.0, 20.0]))
    assert error == pytest.approx((0.1 + 0.1) / 2)
    assert isnan(interval_error(np.array([5.0]), REGULAR))


def test_crossings_are_found_between_grid_points():
    t = np.arange(0, 50, 0.1)
    v = -70 + 100 * np.exp(-(((t - 20.03) / 0.5) ** 2))
    crossing = 20.03 - 0.5 * np.sqrt(np.log(2))  # where half of the height is reached
    np.testing.assert_allclose(spike_times(v, 0.1, -20.0), [crossing], atol=5e-3)
    assert spike_times(v, 0.1, 40.0).size == 0


def test_points_away_from_spikes():
    far = away_from(np.array([1.0, 9.5]), 100, 0.1, 0.5, 1.0)
    assert np.flatnonzero(~far).tolist() == [*range(5, 21), *range(90, 100)]
