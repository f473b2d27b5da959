"""What the built-in ensembles promise, read from their files, and one model run."""

import json
from itertools import combinations

import numpy as np
import pytest

from noble_neuron.assets import library_dir
from noble_neuron.cells.builtin import ensemble
from noble_neuron.evolution.select import MEAN_Z, RANGE, WORST_Z, Choice, distances
from noble_neuron.evolution.spec import SearchSpec
from noble_neuron.features.efel import spikes_within
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.run import simulate

BISECTION = 2e-4  # nA


def stored(name):
    folder = library_dir() / name
    data = json.loads((folder / "hof.json").read_text())
    return SearchSpec.read(folder / "search.json"), data


def rows(spec, data):
    """Models as rows of an archive: parameter values by name, z by target."""
    for model in data["models"]:
        values = {}
        for parameter in spec.parameters:
            group, *rest = parameter.paths[0].split(".")
            at = model["groups"][group]
            for key in ["mechanisms"] * (len(rest) == 2) + rest:
                at = at[key]
            values[parameter.name] = at
        yield {"values": values, "z": [model["z"][t.feature] for t in spec.targets]}


@pytest.mark.parametrize("name", ["pvalb", "vip"])
def test_models_are_good_and_no_clones(name):
    spec, data = stored(name)
    models = list(rows(spec, data))
    z = np.abs([m["z"] for m in models])
    assert z.mean(axis=1).max() <= MEAN_Z and z.max() <= WORST_Z
    choice = Choice(**data["choice"])
    assert len(models) == choice.models
    for one, other in combinations(models, 2):
        apart_in_parameters, apart_in_features = distances(spec, one, other)
        assert apart_in_parameters >= choice.parameter_distance
        assert apart_in_features >= choice.feature_distance


@pytest.mark.parametrize("name", ["pvalb", "vip"])
def test_thresholds_spread_and_none_is_blocked_in_range(name):
    _, data = stored(name)
    features = [m["features"] for m in data["models"]]
    i_thr = np.array([f["I_thr"] for f in features])
    assert i_thr.std() > 10 * BISECTION
    assert all((f["I_block"] or np.inf) > RANGE * f["I_thr"] for f in features)
    family = ensemble(name)
    assert len(family.test) == data["choice"]["held_out"]
    assert not set(family.test) & set(family.train)


def test_a_vip_model_fires_from_its_threshold_on():
    family = ensemble("vip")
    cell, features = family.cells[0], family.features[0]
    with cell.build() as live:
        counts = [
            spikes_within(
                simulate(live, noble_step(factor * features["I_thr"])), 15, 415, cell.threshold
            ).size
            for factor in (0.99, 1.01, RANGE)
        ]
    assert counts[0] == 0 and counts[1] > 0 and counts[2] >= 4
