"""Ensembles of the shipped surrogate around a latent point."""

import warnings

import numpy as np
import pytest

from noble_neuron import load_surrogate
from noble_neuron.errors import InputError, OutsideTraining
from noble_neuron.features.efel import spikes_within
from noble_neuron.population.around import answers, around
from noble_neuron.types import Trace


@pytest.fixture(scope="module")
def surrogate():
    return load_surrogate("pvalb")


def test_an_ensemble_has_what_was_given_and_spreads_in_the_rest(surrogate):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = around(surrogate, {"I_thr": 0.4, "s_thr": 400.0}, [0.3, 0.6], n=12, seed=3)
    assert found.voltage.shape[:2] == (12, 2)
    np.testing.assert_allclose(found.points[:, :2], [[0.4, 400.0]] * 12)
    silent, firing = found.counts.T
    assert not silent.any() and firing.min() > 10 and np.ptp(firing) > 0
    np.testing.assert_allclose(found.rates, found.counts / 0.4)
    width = found.features(["AP1_width"])["AP1_width"]
    assert np.isnan(width[:, 0]).all() and np.std(width[:, 1]) > 0.01


def test_training_cells_answer_as_they_do_by_themselves(surrogate):
    cells = surrogate.latent_space.points[:3]
    found = answers(surrogate, cells, [0.6])
    assert (found.outside < 1e-6).all()
    t = np.arange(4120) * 0.125
    current = np.where((t >= 15) & (t < 415), 0.6, 0.0)
    direct = surrogate.predict(np.tile(current, (3, 1)), cells, 0.125)
    for ours, theirs, count in zip(found.voltage[:, 0], direct, found.counts[:, 0], strict=True):
        onto = np.interp(t, np.arange(len(ours)) * found.dt, ours)
        assert np.median(np.abs(onto - theirs)) < 0.1  # mV
        assert len(spikes_within(Trace(t, theirs), 15, 415, found.threshold)) == count


def test_a_point_beyond_the_family_warns(surrogate):
    with pytest.warns(OutsideTraining, match="extrapolated"):
        around(surrogate, {"I_thr": 0.7, "s_thr": 1500.0}, [0.6], n=1)


@pytest.mark.parametrize("amplitudes", [[], [np.nan]])
def test_amplitudes_are_numbers(surrogate, amplitudes):
    with pytest.raises(InputError, match="one amplitude or more"):
        around(surrogate, {"I_thr": 0.4}, amplitudes)
