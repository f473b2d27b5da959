"""A network that NetPyNE's own importer made of a NeuroML file."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")
pytest.importorskip("netpyne")
pytest.importorskip("pyneuroml", reason="NetPyNE's importer needs pyneuroml and libneuroml")

from netpyne import sim

import noble_neuron.hosts.netpyne_rules as noble
from noble_neuron.nrn import mechanisms
from noble_neuron.surrogates import load_stream

from .nets import config, shape, spikes

pytestmark = pytest.mark.usefixtures("as_found")
mechanisms.load_folder(Path(__file__).parent / "mod")
FILE = str(Path(__file__).parent / "neuroml.nml")
TRACES = {"V": {"sec": "soma", "loc": 0.5, "var": "v"}}


def imported():
    made = config(recordTraces=TRACES, recordCells=["all"])
    sim.importNeuroML2(FILE, made, analyze=False)
    return shape()


def test_a_swap_between_the_file_and_the_cells(monkeypatch):
    """The importer makes rules and cells in one call; between the two it calls sim.initialize."""
    plain = imported()
    initialize = sim.initialize

    def swapped(net_params, cfg):
        noble.replace(net_params, "PV", surrogate="pvalb", seed=3)
        initialize(net_params, cfg)

    monkeypatch.setattr(sim, "initialize", swapped)
    own = imported()
    assert own.keys() == plain.keys()
    for gid, cell in own.items():
        assert cell["conns"] == plain[gid]["conns"] and cell["stims"] == plain[gid]["stims"]
        assert cell["secs"].keys() == plain[gid]["secs"].keys() == {"soma", "dend_0", "dend_1"}
    threshold = load_stream("pvalb").threshold
    for gid in (0, 1):
        assert noble.cell_of(sim.net.cells[gid]).gid == gid
        v = np.array(sim.simData["V"][f"cell_{gid}"])
        assert np.sum((v[1:] > threshold) & (v[:-1] <= threshold)) == len(spikes()[gid]) >= 1
    by_pulse, by_synapse = spikes()[0][0], spikes()[1][0]
    assert 10 < by_pulse < by_synapse - 1
    other = np.array(sim.simData["V"]["cell_2"])
    assert np.abs(other[: int(by_synapse / 0.1)] + 74).max() < 0.01 < other.max() + 73
