"""Spikes that a rule detects on an axon: their delay is measured, and kept."""

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
from noble_neuron.surrogates import load_stream

from .nets import CELSIUS, config, dendrite, network, run, soma, spikes

pytestmark = pytest.mark.usefixtures("as_found")
mechanisms.load_folder(Path(__file__).parent / "mod")
LENGTH = 400  # um


def with_axon(**more):
    """Three segments of a thin active axon, at whose end spikes are detected at 0 mV."""
    params = network(cells=2, others=1)
    geometry = {"L": LENGTH, "diam": 1, "nseg": 11, "Ra": 120}
    axon = dendrite(end=0.0, geom=geometry, mechs=soma()["mechs"], spikeGenLoc=1.0, threshold=0.0)
    params.cellParams["basket"]["secs"]["axon"] = axon | more
    return params


def delay_of(params):
    return params.cellParams["basket_PV"]["secs"]["soma"]["pointps"]["noble"]["_swap"]["delay"]


def swapped(params):
    noble.replace(params, "PV", surrogate="pvalb", seed=3)
    return params


def test_the_delay_is_that_of_the_cell_as_it_was():
    """NetPyNE's own network of the full cell has it between soma and recorded spikes."""
    params = swapped(with_axon())
    measured = delay_of(params)
    secs = params.cellParams["basket_PV"]["secs"]
    assert "spikeGenLoc" not in secs["axon"] and secs["soma"]["spikeGenLoc"] == 0.5
    traces = {"V": {"sec": "soma", "loc": 0.5, "var": "v"}}
    run(with_axon(), recordTraces=traces, recordCells=["all"], recordStep=0.025)
    v = np.array(sim.simData["V"]["cell_0"])
    threshold = load_stream("pvalb").threshold
    k = np.flatnonzero((v[:-1] <= threshold) & (v[1:] > threshold))
    at_soma = (k + (threshold - v[k]) / (v[k + 1] - v[k])) * 0.025
    in_axon = np.array(spikes()[0])
    n = min(len(at_soma), len(in_axon))
    assert n > 3 and measured > 0.2
    assert measured == pytest.approx(np.median(in_axon[:n] - at_soma[:n]), abs=0.04)


def test_it_is_added_to_all_connections_from_the_cell_once(tmp_path):
    params = swapped(with_axon())
    late = delay_of(params)
    sim.createSimulate(params, config(filename=str(tmp_path / "net"), saveJson=True))
    sim.saveData()

    def told():
        return {
            (conn["preGid"], cell.gid): (conn["delay"], conn["hObj"].delay)
            for cell in sim.net.cells
            for conn in cell.conns
        }

    expected = {
        **{("NetStim", gid): (1, 1) for gid in range(3)},
        **{pair: (1.5, pytest.approx(1.5 + late)) for pair in ((0, 1), (1, 0))},
    }
    assert told() == expected
    first = spikes()
    sim.simulate()
    assert told() == expected and spikes() == first
    sim.net.modifyConns({"conds": {"synMech": "inh"}, "delay": 3.0})
    sim.simulate()
    assert told()[0, 1] == (3.0, pytest.approx(3.0 + late))
    sim.clearAll()
    sim.load(str(tmp_path / "net_data.json"), simConfig=config())
    sim.simulate()
    assert told() == expected and spikes() == first


def test_plasticity_sees_the_same_delays():
    params = with_axon()
    params.connParams["PV->PV"]["plast"] = {"mech": "STDP", "params": {}}
    late = delay_of(swapped(params))
    sim.create(params, config())
    sim.simulate()
    (learning,) = (conn for conn in sim.net.cells[0].conns if conn["preGid"] == 1)
    for key, before in (("hObj", 1.5), ("hSTDPprecon", 1.0), ("hSTDPpstcon", 1.0)):
        assert learning[key].delay == pytest.approx(before + late), key


def test_spikes_that_begin_in_the_axon_leave_the_soma_earlier_than_they_cross_it():
    """Not earlier than the next step."""
    params = swapped(with_axon())
    entry = params.cellParams["basket_PV"]["secs"]["soma"]["pointps"]["noble"]["_swap"]
    for delay, expected in ((-0.4, 1.1), (-4.0, 0.025)):
        entry["delay"] = delay
        sim.create(params, config())
        sim.simulate()
        (found,) = {c["hObj"].delay for c in sim.net.cells[0].conns if c["preGid"] == 1}
        assert found == pytest.approx(expected)


def no_spikes(params):
    for name in ("soma", "axon"):
        params.cellParams["basket"]["secs"][name]["mechs"]["hh"]["gnabar"] = 0


def two_rules(params):
    secs = params.cellParams["basket"]["secs"]
    params.cellParams["axons"] = {
        "conds": {"cellType": "basket"},
        "secs": {"axon": secs.pop("axon")},
    }
    params.cellParams["basket"]["conds"] = {"cellType": "basket"}


def functions(params):
    params.cellParams["basket"]["secs"]["dend_0"]["geom"]["L"] = "uniform(100, 200)"


@pytest.mark.parametrize(
    ("form", "why"),
    [
        (no_spikes, f"no current up to 6.4 nA makes its cell fire at {CELSIUS} degC"),
        (two_rules, "its soma is in another rule"),
        (functions, "secs.dend_0.geom.L"),
    ],
)
def test_where_it_cannot_be_measured_that_is_said(form, why):
    params = with_axon()
    form(params)
    with pytest.warns(SomaWarning, match=f"at axon.1., and its surrogates.*not kept: .*{why}"):
        swapped(params)


def test_detection_at_the_soma_has_none():
    params = network()
    params.cellParams["basket"]["secs"]["soma"]["spikeGenLoc"] = 0.2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert delay_of(swapped(params)) == 0
