"""What a soma receives, against what was attached; and that it does there what it did."""

import numpy as np
import pytest

pytest.importorskip("netpyne")
pytest.importorskip("neuralop", reason="what swaps these networks needs it")

from netpyne import sim
from neuron import h

from noble_neuron.errors import InputError
from noble_neuron.hosts.netpyne_received import RECORD, Received, described
from noble_neuron.nrn import mechanisms

from . import nets


def built(params, **settings):
    sim.create(params, nets.config(**settings))
    return [cell for cell in sim.net.cells if cell.tags["pop"] == "PV"]


def one_synapse(sec, synapse="exc", weight=5e-4, loc=0.5):
    """One cell without a threshold to reach, and one event at 20 ms."""
    params = nets.network(cells=1, others=0)
    params.cellParams["basket"]["secs"]["soma"]["mechs"] = {"pas": {"g": 1e-4, "e": -74}}
    params.connParams.clear()
    params.stimSourceParams["in"] = {"type": "NetStim", "start": 20, "number": 1, "interval": 1}
    target = params.stimTargetParams["in->"]
    target.update({"sec": sec, "synMech": synapse, "weight": weight, "loc": loc, "delay": 0})
    return params


def test_a_synapse_on_the_soma_is_what_it_is(as_found):
    (cell,) = built(one_synapse("soma"))
    received = Received([cell])
    sim.runSim()
    arrays = received.arrays(nets.V_INIT)
    g = arrays["excitation_g"][0]
    assert g.max() == pytest.approx(5e-4, rel=0.01)
    assert np.abs(arrays["excitation_b"][0]).max() < 0.1 * g.max()  # it reverses at 0 mV
    assert not arrays["inhibition_g"].any() and not arrays["current"].any()


@pytest.mark.parametrize(("synapse", "weight"), [("exc", 5e-4), ("inh", 3e-3)])
def test_at_the_soma_a_dendritic_synapse_does_what_it_did(as_found, synapse, weight):
    """Its G and b, played to the same cell's soma in its place."""
    (cell,) = built(one_synapse("dend_0", synapse, weight, loc=0.9), duration=80)
    soma = cell.secs["soma"]["hObj"]
    v = h.Vector().record(soma(0.5)._ref_v, RECORD)
    received = Received([cell])
    sim.runSim()
    true = np.array(v)
    arrays = received.arrays(nets.V_INIT)
    name = {"exc": "excitation", "inh": "inhibition"}[synapse]
    g, b = (arrays[f"{name}_{x}"][0].astype(float) for x in "gb")
    assert 0 < g.max() < weight  # less arrives
    mechanisms.load()
    point = h.nn_Conductance(soma(0.5))
    times = h.Vector(RECORD * np.arange(len(g)))
    played = [h.Vector(g), h.Vector(b)]
    played[0].play(point._ref_g, times, True)
    played[1].play(point._ref_b, times, True)
    for conn in cell.conns:
        conn["hObj"].active(False)
    h.finitialize(nets.V_INIT)
    sim.pc.psolve(80)
    again = np.array(v)
    rest = true[round(19 / RECORD)]
    peaks = [x[np.argmax(np.abs(x - rest))] - rest for x in (true, again)]
    assert abs(peaks[0]) > 0.3  # mV
    assert peaks[1] == pytest.approx(peaks[0], rel=0.15)  # the cable's own delay is not in it


def test_an_electrode_depolarises_where_its_current_is_positive(as_found):
    params = one_synapse("soma", weight=0.0)
    params.stimSourceParams["step"] = {"type": "IClamp", "amp": 0.07, "delay": 0, "dur": 1e9}
    params.stimTargetParams["step"] = {
        "source": "step",
        "conds": {"pop": "PV"},
        "sec": "dend_0",
        "loc": 0.0,
    }
    (cell,) = built(params)
    received = Received([cell])
    sim.runSim()
    current = received.arrays(nets.V_INIT)["current"][0]
    assert 0.06 < np.median(current) < 0.07  # a little is lost on the way


def test_the_cells_are_told_apart_by_what_they_are(as_found):
    cells = built(nets.network(cells=3, others=0))
    rules = list(sim.net.params.cellParams.values())
    about = described(cells, rules, sim.cfg, 10.0)
    assert len(about["cells"]) == 1 and about["soma"] == "soma"
    assert (about["celsius"], about["v_init"], about["threshold"]) == (34.0, -74.0, 0.0)
    assert set(about["cells"][0]) == {"soma", "dend_0", "dend_1"}
    assert "synMechs" not in about["cells"][0]["dend_0"]
    cells[1].secs["dend_0"]["geom"]["diam"] = 3.0
    assert len(described(cells, rules, sim.cfg, 10.0)["cells"]) == 2
    cells[0].secs["soma"]["pointps"] = {"own": {"mod": "IntFire1"}}
    with pytest.raises(InputError, match="point processes of its own"):
        described(cells, rules, sim.cfg, 10.0)
