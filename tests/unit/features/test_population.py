"""Figures of populations, on trains whose answer is known."""

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.features import population

DURATION = 4000.0  # ms


def poisson(rate, seed, n=1):
    """Trains of `rate` [Hz]."""
    rng = np.random.default_rng(seed)
    numbers = rng.poisson(rate * DURATION / 1e3, n)
    return [np.sort(rng.uniform(0, DURATION, number)) for number in numbers]


def test_rates_and_irregularity():
    clockwork = np.arange(50.0, DURATION, 100.0)
    trains = [clockwork, poisson(40, 1)[0], np.array([5.0, 9.0])]
    assert population.rates(trains, DURATION)[0] == 10.0
    regular, irregular = population.interval_cvs(trains)  # two intervals are too few
    assert regular == pytest.approx(0, abs=1e-12) and 0.85 < irregular < 1.15


def test_cells_with_common_spikes_are_correlated():
    common, *own = poisson(20, 3, 5)
    shared = [np.sort(np.concatenate([common, train])) for train in own]
    share = len(common) / np.mean([len(train) for train in shared])
    assert population.correlations(shared, DURATION).mean() == pytest.approx(share, abs=0.06)
    assert abs(population.correlations(own, DURATION).mean()) < 0.05
    assert population.correlations([own[0], np.zeros(0)], DURATION).size == 0


def test_a_rhythm_is_found_in_spectrum_and_counts():
    rng = np.random.default_rng(4)
    beats = np.arange(0, DURATION, 25.0)  # 40 Hz
    trains = [np.sort(beats[rng.random(len(beats)) < 0.5] + 2) for _ in range(20)]
    assert population.rhythm(trains, DURATION) == pytest.approx(40, abs=1)
    frequencies, power = population.spectrum(trains, DURATION)
    low = frequencies < 70
    assert frequencies[low][power[low].argmax()] == pytest.approx(40, abs=4)
    assert np.isnan(population.rhythm([np.zeros(0)], DURATION))


def test_power_is_that_of_the_rate():
    """Parseval: the integral of the density is the variance of the binned rate."""
    trains = poisson(30, 5, 10)
    frequencies, power = population.spectrum(trains, DURATION)
    rate = population.counts(trains, DURATION, 1.0).mean(0) * 1e3
    assert power.sum() * frequencies[1] == pytest.approx(rate.var(), rel=0.1)


def test_distances():
    one = np.array([1.0, 2.0, 3.0])
    assert population.distance(one, one + 0.5) == pytest.approx(0.5)
    assert population.distance(one, one[::-1]) == 0.0
    assert np.isnan(population.distance(one, np.zeros(0)))
    spectrum = population.spectrum(poisson(30, 6, 10), DURATION)
    louder = spectrum[0], 10 * spectrum[1]
    assert population.spectral_distance(spectrum, spectrum) == 0.0
    assert population.spectral_distance(spectrum, louder) == pytest.approx(10.0)
    silent = spectrum[0], 0 * spectrum[1]
    assert np.isnan(population.spectral_distance(spectrum, silent))


def test_of_many_cells_some_are_correlated(monkeypatch):
    monkeypatch.setattr(population, "MOST", 4)
    assert len(population.correlations(poisson(30, 7, 9), DURATION)) == 6


def test_no_duration():
    with pytest.raises(InputError, match="duration"):
        population.counts([np.zeros(0)], 0.0)
