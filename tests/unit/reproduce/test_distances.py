"""Distances between populations, on made ones whose distance is known."""

import numpy as np
import pytest

from noble_neuron.reproduce._distances import around, distances, energy, floor, part
from noble_neuron.reproduce._populations import FIRING, SILENT, Population


def population(n: int, seed: int, shift: float = 0.0) -> Population:
    draw = np.random.default_rng(seed)
    features = {name: draw.standard_normal(n) + shift for name in (*FIRING, *SILENT)}
    rates = np.abs(draw.normal(50.0, 10.0, (n, 4))) + shift
    return Population(f"made {seed}", rates, features, np.zeros((2, 1, 5)))


def test_a_population_is_at_no_distance_from_itself():
    one = population(40, 1)
    found = distances(one, one)
    assert found["all features"] == found["F-I curve"] == 0
    assert all(found[name] == 0 for name in FIRING)
    assert found["spread"] == 1


def test_a_shift_is_its_own_distance():
    one = population(40, 1)
    spread = {n: np.std(one.features[n]) for n in FIRING}
    other = population(40, 1, shift=0.5)
    found = distances(other, one)
    for name in FIRING:
        assert found[name] == pytest.approx(0.5 / spread[name])
    assert found["F-I curve"] == pytest.approx(0.5)
    assert found["all features"] > 0.3


def test_energy_sees_what_single_features_do_not():
    x = np.random.default_rng(0).standard_normal(400)
    together, opposed = np.column_stack([x, x]), np.column_stack([x, -x])
    assert energy(together, opposed) > 4 * energy(together[:200], together[200:])


def test_the_floor_falls_as_populations_grow():
    small, large = floor(population(20, 2)), floor(population(200, 2))
    assert large["AP1_width"] < 0.6 * small["AP1_width"]


def test_energy_is_no_larger_for_few_cells_of_one_kind():
    same = [
        energy(population(10, k).table(FIRING), population(80, k + 100).table(FIRING))
        for k in range(30)
    ]
    apart = energy(population(10, 0).table(FIRING), population(80, 1, shift=1.0).table(FIRING))
    assert np.mean(same) < 0.3 < 1.0 < apart


def test_cells_without_a_feature_are_left_out():
    one = population(30, 3)
    one.features["AP1_width"][:28] = np.nan
    assert np.isnan(distances(one, population(30, 4))["AP1_width"])
    one.features["sag_amplitude"][:5] = np.nan
    assert np.isfinite(distances(one, population(30, 4))["sag_amplitude"])


def test_a_cloud_about_a_cell():
    cloud, truth = population(200, 5), part(population(10, 6, shift=3.0), [0])
    truth.features.update({name: np.array([2.0]) for name in truth.features})
    found = around(cloud, truth, lambda name: 2.0)
    assert found["off"] == pytest.approx(1.0, abs=0.1)
    assert found["wide"] == pytest.approx(0.5, abs=0.05)
