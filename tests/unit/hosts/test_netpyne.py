"""A population of a NetPyNE network on surrogates, by one line."""

import json
from copy import deepcopy

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")
pytest.importorskip("netpyne")

from netpyne import sim, specs
from neuron import h

import noble_neuron.hosts.netpyne_rules as noble
from noble_neuron.errors import InputError, NobleError
from noble_neuron.surrogates import load_stream


@pytest.fixture(autouse=True)
def as_found():
    """NetPyNE leaves its network, the variable step and its hParams behind."""
    h.load_file("stdrun.hoc")
    before = h.celsius, h.dt, h.steps_per_ms, h.v_init
    yield
    if hasattr(sim, "net"):
        sim.clearAll()
    h.CVode().active(False)
    h.celsius, h.dt, h.steps_per_ms, h.v_init = before


def dendrite(end):
    return {
        "geom": {"L": 150, "diam": 2, "nseg": 3, "Ra": 120},
        "topol": {"parentSec": "soma", "parentX": end, "childX": 0},
        "mechs": {"pas": {"g": 1e-4, "e": -74}},
    }


def network():
    """Two populations of one rule, driven on their dendrites."""
    params = specs.NetParams()
    soma = {"geom": {"L": 20, "diam": 20, "nseg": 3}, "mechs": {"hh": {}}, "threshold": 0.0}
    params.cellParams["basket"] = {
        "secs": {"soma": soma, "dend_0": {**dendrite(1.0), "spikeGenLoc": 0.5}}
        | {"dend_1": dendrite(0.0)},
        "secLists": {"dends": ["dend_0", "dend_1"]},
    }
    params.popParams["PV"] = {"cellType": "basket", "numCells": 4}
    params.popParams["other"] = {"cellType": "basket", "numCells": 2}
    params.synMechParams["exc"] = {"mod": "Exp2Syn", "tau1": 0.3, "tau2": 2.0, "e": 0}
    params.synMechParams["inh"] = {"mod": "Exp2Syn", "tau1": 0.5, "tau2": 6.0, "e": -80}
    params.stimSourceParams["in"] = {"type": "NetStim", "rate": 800, "noise": 1.0}
    params.stimTargetParams["in->"] = {
        "source": "in",
        "conds": {"pop": ["PV", "other"]},
        "weight": 1e-2,
        "delay": 1,
        "synMech": "exc",
        "sec": "dends",
    }
    params.connParams["PV->PV"] = {
        "preConds": {"pop": "PV"},
        "postConds": {"pop": "PV"},
        "weight": 1e-3,
        "delay": 1.5,
        "synMech": "inh",
        "sec": "soma",
    }
    return params


def config(**settings):
    made = specs.SimConfig()
    made.duration, made.dt, made.hParams = 120, 0.025, {"celsius": 34, "v_init": -74}
    made.recordTraces = {
        "V": {"sec": "soma", "loc": 0.5, "var": "v"},
        "Vd": {"sec": "dend_0", "loc": 0.5, "var": "v"},
    }
    made.recordCells, made.verbose = ["all"], False
    for key, value in settings.items():
        setattr(made, key, value)
    return made


def run(params, **settings):
    """Spikes as {gid: times}, and the tags of all cells."""
    sim.createSimulateAnalyze(params, config(**settings))
    return spikes(), [dict(cell.tags) for cell in sim.net.cells]


def spikes():
    times, ids = np.array(sim.simData["spkt"]), np.array(sim.simData["spkid"])
    return {int(gid): times[ids == gid].tolist() for gid in np.unique(ids)}


def test_a_population_runs_on_surrogates_and_the_others_do_not():
    params = network()
    assert noble.replace(params, "PV", surrogate="pvalb", seed=3) == ["basket_PV"]
    found, tags = run(params)
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


def test_dendrites_are_cut_but_where_they_are_recorded():
    grids = {}
    for error, traces in (
        (0.05, {"V": {"sec": "soma"}}),
        (0.05, None),
        (0.0, {"V": {"sec": "soma"}}),
    ):
        params = network()
        for section in params.cellParams["basket"]["secs"].values():
            section["geom"]["nseg"] = 5
        params.cellParams["basket"]["secs"]["dend_1"]["mechs"]["nn_Ih"] = {"gbar": 1e-6}
        noble.replace(params, "PV", surrogate="pvalb", tree_error=error)
        given = (
            {}
            if traces is None
            else {"recordTraces": {"V": {**traces["V"], "loc": 0.5, "var": "v"}}}
        )
        sim.createSimulateAnalyze(params, config(duration=1, **given))
        cell = next(c for c in sim.net.cells if c.tags["pop"] == "PV")
        dendrites = [cell.secs[name]["hObj"] for name in ("dend_0", "dend_1")]
        grids[error, traces is None] = [section.nseg for section in dendrites]
        assert dendrites[1].has_membrane("nn_Ih") == (error == 0)
        assert noble.cell_of(cell).twin.error <= error
        if traces is None:
            assert len(sim.simData["Vd"][f"cell_{cell.gid}"]) > 1
    assert grids[0.0, False] == [5, 5]
    assert grids[0.05, True] == [5, 1]
    assert grids[0.05, False] == [1, 1]
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


def test_a_saved_network_runs_again(tmp_path):
    params = network()
    noble.replace(params, "PV", surrogate="pvalb", seed=3)
    first, tags = run(params, filename=str(tmp_path / "net"), saveJson=True)
    assert sum(map(len, first.values())) > 5
    saved = json.loads((tmp_path / "net_data.json").read_text())
    kept = [cell["tags"] for cell in saved["net"]["cells"]]
    assert [t.get("I_thr") for t in kept] == [t.get("I_thr") for t in tags]
    sim.load(str(tmp_path / "net_data.json"), simConfig=config())
    sim.simulate()
    assert spikes() == first


def test_a_population_alone_on_its_rule_keeps_the_rules_name():
    params = network()
    del params.popParams["other"]
    before = deepcopy(params.cellParams["basket"])
    assert noble.replace(params, "PV", surrogate="pvalb") == ["basket"]
    after = params.cellParams["basket"]
    assert after["secs"]["dend_1"]["geom"] == before["secs"]["dend_1"]["geom"]
    assert after["secLists"] == before["secLists"]
    assert after["secs"]["soma"]["spikeGenLoc"] == 0.5
    assert "spikeGenLoc" not in after["secs"]["dend_0"]


def test_a_named_cell_and_tags():
    card = load_stream("pvalb").card
    params = network()
    noble.replace(params, "PV", surrogate="pvalb", latent=card.cells[5])
    sim.create(params, config())
    tags = [cell.tags for cell in sim.net.cells if cell.tags["pop"] == "PV"]
    assert {t["I_thr"] for t in tags} == {card.latent_space.points[5][0]}


def soma_lost(params):
    params.cellParams["basket"]["secs"] = {
        name: {"geom": {"L": 10, "diam": 1}} for name in ("left", "right")
    }


@pytest.mark.parametrize(
    ("spoil", "pop", "given", "message"),
    [
        (None, "Pv", {}, "No population 'Pv'; did you mean PV"),
        (None, "PV", {"surrogate": "pvlab"}, "pvlab"),
        (None, "PV", {"latent": "pvalb/700"}, "neither 'cells', 'hull', 'tags' nor a training"),
        (None, "PV", {"latent": {"I_thr": 0.3}}, "missing"),
        (soma_lost, "PV", {}, "Rule 'basket' has no soma"),
        (lambda p: p.cellParams.pop("basket"), "PV", {}, "No rule of netParams.cellParams"),
    ],
)
def test_what_cannot_be_swapped_is_refused_before_anything_changes(spoil, pop, given, message):
    params = network()
    if spoil:
        spoil(params)
    before = deepcopy(dict(params.cellParams))
    with pytest.raises(NobleError, match=message):
        noble.replace(params, pop, **{"surrogate": "pvalb", **given})
    assert dict(params.cellParams) == before


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"cvode_active": True}, "cvode_active is on"),
        ({"recordLFP": [[10, 10, 10]]}, "recordLFP is on"),
    ],
)
def test_settings_that_no_surrogate_serves_are_refused(setting, message, capfd):
    params = network()
    noble.replace(params, "PV", surrogate="pvalb")
    with pytest.raises(RuntimeError):
        sim.create(params, config(**setting))
    assert message in capfd.readouterr().err
