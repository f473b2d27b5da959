"""A population of a NetPyNE network on surrogates, by one line."""

from copy import deepcopy

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")
pytest.importorskip("netpyne")

from netpyne import sim

import noble_neuron.hosts.netpyne_rules as noble
from noble_neuron.errors import InputError
from noble_neuron.surrogates import load_stream

from .nets import config, network, run

pytestmark = pytest.mark.usefixtures("as_found")
TRACES = {
    "V": {"sec": "soma", "loc": 0.5, "var": "v"},
    "Vd": {"sec": "dend_0", "loc": 0.5, "var": "v"},
}


def test_a_population_runs_on_surrogates_and_the_others_do_not():
    params = network()
    assert noble.replace(params, "PV", surrogate="pvalb", seed=3) == ["basket_PV"]
    found = run(params, recordTraces=TRACES, recordCells=["all"])
    tags = [cell.tags for cell in sim.net.cells]
    surrogate = load_stream("pvalb")
    names = surrogate.card.latent_space.names
    points = surrogate.card.latent_space.points
    for cell, tag in zip(sim.net.cells, tags, strict=True):
        mechanisms = [m.name() for m in cell.secs["soma"]["hObj"](0.5)]
        assert set(cell.secs) == {"soma", "dend_0", "dend_1"}
        if tag["pop"] == "other":
            assert "hh" in mechanisms and "I_thr" not in tag
            with pytest.raises(InputError, match="no surrogate"):
                noble.cell_of(cell)
            continue
        assert "hh" not in mechanisms and tag["surrogate"] == "pvalb"
        drawn = [tag[name] for name in names]
        assert (points == drawn).all(1).any()
        assert (noble.cell_of(cell).latent == drawn).all()
        v = np.array(sim.simData["V"][f"cell_{cell.gid}"])
        upward = np.sum((v[1:] > surrogate.threshold) & (v[:-1] <= surrogate.threshold))
        assert upward >= 1 and len(found[cell.gid]) == upward  # at the surrogate's threshold
        dendrite = np.array(sim.simData["Vd"][f"cell_{cell.gid}"])
        assert dendrite.max() > -60 and np.abs(dendrite - v).max() > 5
    assert len({tag["I_thr"] for tag in tags if tag["pop"] == "PV"}) > 1


def test_two_populations_on_two_families():
    params = network(cells=3, others=3)
    params.stimTargetParams["in->"]["weight"] = 3e-3
    for pop, name in (("PV", "pvalb"), ("other", "vip")):
        noble.replace(params, pop, surrogate=name, seed=3)
    found = run(params, duration=200, recordTraces=TRACES, recordCells=["all"])
    for cell in sim.net.cells:
        name = {"PV": "pvalb", "other": "vip"}[cell.tags["pop"]]
        assert cell.tags["surrogate"] == name and noble.cell_of(cell).outside == {}
        surrogate = load_stream(name)
        space = surrogate.card.latent_space
        assert (space.points == [cell.tags[key] for key in space.names]).all(1).any()
        v = np.array(sim.simData["V"][f"cell_{cell.gid}"])
        upward = np.sum((v[1:] > surrogate.threshold) & (v[:-1] <= surrogate.threshold))
        assert len(found[cell.gid]) == upward > 0  # each at its own threshold


def test_dendrites_are_cut_but_where_they_are_recorded():
    grids = {}
    for error, recorded in ((0.05, "soma"), (0.05, "dend_0"), (0.0, "soma")):
        params = network()
        for section in params.cellParams["basket"]["secs"].values():
            section["geom"]["nseg"] = 5
        params.cellParams["basket"]["secs"]["dend_1"]["mechs"]["nn_Ih"] = {"gbar": 1e-6}
        noble.replace(params, "PV", surrogate="pvalb", tree_error=error)
        traces = {"V": {"sec": recorded, "loc": 0.5, "var": "v"}}
        settings = config(duration=1, recordTraces=traces, recordCells=["all"])
        sim.createSimulateAnalyze(params, settings)
        cell = next(c for c in sim.net.cells if c.tags["pop"] == "PV")
        dendrites = [cell.secs[name]["hObj"] for name in ("dend_0", "dend_1")]
        grids[error, recorded] = [section.nseg for section in dendrites]
        assert dendrites[1].has_membrane("nn_Ih") == (error == 0)
        assert noble.cell_of(cell).twin.error <= error
        assert len(sim.simData["V"][f"cell_{cell.gid}"]) > 1
    assert grids[0.0, "soma"] == [5, 5]
    assert grids[0.05, "dend_0"] == [5, 1]
    assert grids[0.05, "soma"] == [1, 1]
    with pytest.raises(InputError, match="tree_error"):
        noble.replace(network(), "PV", surrogate="pvalb", tree_error=2)


def test_the_draw_depends_on_gid_and_seed_alone():
    drawn = []
    for seed, kind in ((3, "cells"), (3, "cells"), (4, "cells"), (3, "hull")):
        params = network()
        noble.replace(params, "PV", surrogate="pvalb", seed=seed, latent=kind)
        sim.create(params, config())
        drawn.append([cell.tags["I_thr"] for cell in sim.net.cells if cell.tags["pop"] == "PV"])
    assert drawn[0] == drawn[1] != drawn[2] and drawn[3] != drawn[0]
    space = load_stream("pvalb").card.latent_space
    cell = noble.cell_of(sim.net.cells[0])
    assert space.contains(cell.latent).all()


def test_latents_serve_as_conditions():
    params = network()
    noble.replace(params, "PV", surrogate="pvalb", seed=3)
    sim.create(params, config())
    values = {c.gid: c.tags["I_thr"] for c in sim.net.cells if c.tags["pop"] == "PV"}
    middle = float(np.median(list(values.values())))
    params = network()
    noble.replace(params, "PV", surrogate="pvalb", seed=3)
    params.connParams["PV->PV"]["postConds"]["I_thr"] = noble.Between(middle, 10.0)
    sim.create(params, config())
    for cell in sim.net.cells:
        inputs = [conn for conn in cell.conns if conn["preGid"] != "NetStim"]
        assert bool(inputs) == (cell.tags["pop"] == "PV" and values[cell.gid] >= middle)


def test_a_population_alone_on_its_rule_keeps_the_rules_name():
    params = network()
    del params.popParams["other"]
    before = deepcopy(params.cellParams["basket"])
    assert noble.replace(params, "PV", surrogate="pvalb") == ["basket"]
    after = params.cellParams["basket"]
    assert after["secs"]["dend_1"]["geom"] == before["secs"]["dend_1"]["geom"]
    assert after["secLists"] == before["secLists"]
    assert after["secs"]["soma"]["spikeGenLoc"] == 0.5


def test_one_cell_for_all_by_name_by_features_or_a_typical_one():
    surrogate = load_stream("pvalb")
    names, card = surrogate.card.latent_space.names, surrogate.card
    features = dict(zip(names, map(float, card.latent_space.points[7]), strict=True))
    for latent, expected in (
        (card.cells[5], card.latent_space.points[5]),
        (features, card.latent_space.points[7]),
        (None, surrogate.point(None)),
    ):
        params = network()
        noble.replace(params, "PV", surrogate="pvalb", latent=latent)
        sim.create(params, config())
        for cell in sim.net.cells[:4]:
            assert noble.cell_of(cell).latent == pytest.approx(expected)
            assert [cell.tags[name] for name in names] == pytest.approx(list(expected))


def test_reversal_potentials_keep_their_meaning_under_a_shift():
    """All of a model in other millivolts, the surrogate with it: the same, in those."""
    found = []
    for shift in (0.0, -10.0):
        params = network(others=0)
        for synapse in params.synMechParams.values():
            synapse["e"] += shift
        for name in ("dend_0", "dend_1"):
            params.cellParams["basket"]["secs"][name]["mechs"]["pas"]["e"] += shift
        noble.replace(params, "PV", surrogate="pvalb", seed=3, shift=shift)
        there = {"celsius": 34, "v_init": -74 + shift}
        spikes = run(params, recordTraces=TRACES, recordCells=["all"], hParams=there)
        found.append((spikes, np.array(sim.simData["V"]["cell_0"]) - shift))
    (spikes, v), (shifted, moved) = found
    assert sum(map(len, spikes.values())) > 20
    assert shifted.keys() == spikes.keys()
    for gid, times in spikes.items():
        assert shifted[gid] == pytest.approx(times, abs=0.03)
    assert np.abs(moved - v).max() < 0.1
