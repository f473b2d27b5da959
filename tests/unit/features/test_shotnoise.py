"""Poisson trains of known events, and what is read off their sum."""

import numpy as np
import pytest
from scipy.signal import lfilter

from noble_neuron.features.shotnoise import correlation_time, shot_noise
from noble_neuron.protocols.synapses import Synapses

DT = 0.1  # ms


def conductance(synapses, duration, seed):
    """Of one Poisson train [uS]."""
    rng = np.random.default_rng(seed)
    events = np.sort(rng.uniform(0, duration, rng.poisson(1e-3 * synapses.rate * duration)))
    return synapses.conductance(np.arange(0, duration, DT), events)


@pytest.mark.parametrize(
    ("rate", "weight", "rise", "decay"),
    [(200.0, 1e-3, 0.5, 2.0), (2000.0, 2e-4, 1.5, 6.0), (20.0, 5e-3, 0.3, 1.2)],
)
def test_the_events_of_a_poisson_train_are_found(rate, weight, rise, decay):
    true = Synapses(rate, weight, rise, decay, 0.0)
    found = shot_noise(conductance(true, 30_000.0, 1), DT)
    assert found.rate == pytest.approx(rate, rel=0.15)
    assert found.weight == pytest.approx(weight, rel=0.15)
    assert found.rise + found.decay == pytest.approx(rise + decay, rel=0.15)


def test_its_mean_is_kept_whatever_the_shape_of_an_event():
    true = Synapses(500.0, 1e-3, 0.1, 8.0, 0.0)  # rises sooner than what is assumed
    x = conductance(true, 5_000.0, 2)
    found = shot_noise(x, DT)
    again = Synapses(found.rate, found.weight, found.rise, found.decay, 0.0)
    assert 1e-3 * again.rate * again.area == pytest.approx(x.mean(), rel=1e-6)


def test_a_steady_conductance_is_no_endless_train():
    x = 1e-2 + 1e-5 * np.random.default_rng(4).standard_normal(5000).cumsum() / 50
    found = shot_noise(x, DT)
    assert found.rate == pytest.approx(5e4)
    again = Synapses(found.rate, found.weight, found.rise, found.decay, 0.0)
    assert 1e-3 * again.rate * again.area == pytest.approx(x.mean(), rel=1e-6)


def test_where_nothing_happens_nothing_is_found():
    assert shot_noise(np.zeros(100), DT) is None
    assert shot_noise(np.full(100, 2e-3), DT) is None
    assert shot_noise(np.zeros(1), DT) is None


def test_the_correlation_time_of_an_exponential_process():
    tau = 5.0  # ms
    kicks = np.random.default_rng(3).standard_normal(100_000)
    x = lfilter([1.0], [1.0, -np.exp(-DT / tau)], kicks)
    assert correlation_time(x - x.mean(), DT) == pytest.approx(tau, rel=0.2)
