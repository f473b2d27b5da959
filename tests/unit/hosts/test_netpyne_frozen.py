"""Dendrites with an h current of another model: held as it is, where that changes little."""

import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")
pytest.importorskip("netpyne")

from netpyne import sim

import noble_neuron.hosts.netpyne_rules as noble
from noble_neuron.errors import SomaWarning
from noble_neuron.nrn import mechanisms

from .nets import config, network, run, spikes

pytestmark = pytest.mark.usefixtures("as_found")
mechanisms.load_folder(Path(__file__).parent / "mod")


def with_hd(**hd):
    """And synapses on both dendrites; one list of them is reached at one place."""
    params = network()
    into = params.stimTargetParams
    into["in->"]["sec"] = "dend_0"
    into["also"] = {**into["in->"], "sec": "dend_1"}
    for name in ("dend_0", "dend_1"):
        section = params.cellParams["basket"]["secs"][name]
        section["geom"]["nseg"] = 5
        section["mechs"]["nnt_hd"] = {"ghdbar": [1e-5 * k for k in range(5)]} | hd
    return params


def swapped(params, **given):
    noble.replace(params, "PV", surrogate="pvalb", seed=3, **given)
    return params


def dendrites():
    """Of a swapped cell: name -> segments, whether its channel is there, whether it has a copy."""
    cell = next(c for c in sim.net.cells if c.tags["pop"] == "PV")
    copied = noble.cell_of(cell).twin.copies
    sections = {name: cell.secs[name]["hObj"] for name in ("dend_0", "dend_1")}
    return {n: (s.nseg, s.has_membrane("nnt_hd"), s in copied) for n, s in sections.items()}


WHOLE = (5, True, True)


def test_one_that_hardly_gates_is_held():
    """And the network fires as with its dendrites as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SomaWarning)
        params = swapped(with_hd())
    traces = {"V": {"sec": "soma", "loc": 0.5, "var": "v"}}
    settings = {"recordTraces": traces, "recordCells": ["PV"]}
    held = run(params, **settings)
    assert set(dendrites().values()) == {(3, False, False)}
    whole = run(swapped(with_hd(), tree_error=0), **settings)
    assert set(dendrites().values()) == {WHOLE}
    assert held.keys() == whole.keys()
    for gid, times in held.items():
        assert np.array(times) == pytest.approx(np.array(whole[gid]), abs=0.3)


def test_one_that_gates_keeps_its_dendrites_and_its_error_is_told():
    params = with_hd(faster=1000, ghdbar=2e-4)
    said = r"Rule 'basket': .*\(nnt_hd\) gate too much .* up to \d+\.\d % and \d\.\d\d ms \(5 %"
    with pytest.warns(SomaWarning, match=said):
        swapped(params)
    sim.createSimulate(params, config(duration=5))
    assert set(dendrites().values()) == {WHOLE}


def test_one_without_a_conductance_is_not_asked_further():
    params = network()
    for name in ("dend_0", "dend_1"):
        params.cellParams["basket"]["secs"][name]["mechs"] = {"hh": {"gnabar": 1e-6}}
    with pytest.warns(SomaWarning, match=r"\(hh\) cannot be held .* none of its parameters"):
        swapped(params)
    assert len(params.cellParams["basket_PV"]["secs"]["dend_0"]["mechs"]) == 1


def test_nobody_asks_where_no_synapse_is():
    params = with_hd(faster=1000, ghdbar=2e-4)
    for stim in params.stimTargetParams.values():
        stim["sec"] = "soma"
    with warnings.catch_warnings():
        warnings.simplefilter("error", SomaWarning)
        swapped(params)
    params = with_hd(faster=1000, ghdbar=2e-4)
    params.stimTargetParams.clear()
    params.popParams["PV"]["originalFormat"] = "NeuroML2"  # whose synapses nobody knows yet
    with pytest.warns(SomaWarning, match="gate too much"):
        swapped(params)


def test_other_parameters_than_those_measured_are_not_held():
    params = swapped(with_hd())
    rule = params.cellParams["basket_PV"]["secs"]
    rule["dend_0"]["mechs"]["nnt_hd"]["vhalfl"] = -70
    sim.createSimulate(params, config(duration=1))
    assert dendrites() == {"dend_0": WHOLE, "dend_1": (3, False, False)}


def test_a_saved_network_knows_what_was_measured(tmp_path):
    params = swapped(with_hd())
    sim.createSimulate(params, config(filename=str(tmp_path / "net"), saveJson=True))
    sim.saveData()
    first = spikes()
    sim.clearAll()
    sim.load(str(tmp_path / "net_data.json"), simConfig=config())
    sim.simulate()
    assert spikes() == first and WHOLE not in dendrites().values()
