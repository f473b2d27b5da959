"""What is attached to swapped cells is attached as before, and acts."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")
pytest.importorskip("netpyne")

from netpyne import sim

from noble_neuron.nrn import mechanisms

from .nets import made, network, spikes

pytestmark = pytest.mark.usefixtures("as_found")
mechanisms.load_folder(Path(__file__).parent / "mod")


def everything():
    """Each way of attaching something that NetPyNE has, on populations PV and other."""
    params = network()
    params.popParams["drive"] = {"cellModel": "NetStim", "numCells": 3, "rate": 100, "noise": 0.5}
    params.popParams["clock"] = {"cellModel": "VecStim", "numCells": 1, "spkTimes": [10, 25, 40]}
    params.synMechParams["gap"] = {"mod": "nnt_Gap"}
    params.synMechParams["release"] = {"mod": "nnt_Release", "p": 0.4, "seed": "uniform(1, 1e6)"}
    stimulate(params)
    connect(params)
    return params


def stimulate(params):
    params.stimSourceParams["step"] = {"type": "IClamp", "del": 5, "dur": 40, "amp": 0.5}
    params.stimSourceParams["hold"] = {"type": "SEClamp", "dur1": 1e9, "amp1": -70, "rs": 0.1}
    params.stimSourceParams["alpha"] = {"type": "AlphaSynapse", "onset": 5, "tau": 1, "gmax": 1e-3}
    for source, cells, sec in (
        ("step", [0], "soma"),
        ("step", [1], "dend_1"),
        ("hold", [2], "dend_0"),  # at a dendrite a voltage may be clamped
        ("alpha", [3], "dend_0"),
    ):
        conds = {"pop": "PV", "cellList": cells}
        target = {"source": source, "conds": conds, "sec": sec, "loc": 0.5}
        params.stimTargetParams[f"{source}->{sec}"] = target


def connect(params):
    pv = {"preConds": {"pop": "PV"}, "postConds": {"pop": "PV"}}
    params.connParams["gap"] = {**pv, "synMech": "gap", "weight": 2e-4, "sec": "dend_0"}
    params.connParams["gap"] |= {"preSec": "dend_0", "probability": 0.5, "gapJunction": True}
    params.connParams["drive"] = {
        "preConds": {"pop": "drive"},
        "postConds": {"pop": ["PV", "other"]},
        "sec": ["dend_0", "dend_1"],
        "synMech": ["exc", "inh"],
        "weight": [2e-3, 1e-3],
        "delay": "1 + 0.01*dist_3D",
        "synsPerConn": 2,
        "convergence": 2,
    }
    params.connParams["clock"] = {
        "preConds": {"pop": "clock"},
        "postConds": {"pop": "PV"},
        "sec": "dends",
        "synMech": "release",
        "weight": 2e-3,
        "synsPerConn": 4,
    }
    params.connParams["learns"] = {
        "preConds": {"pop": "clock"},
        "postConds": {"pop": "PV"},
        "sec": "dend_1",
        "synMech": "exc",
        "weight": 2e-2,
        "plast": {"mech": "STDP", "params": {"up": 1e-3, "down": 1e-3}},
    }


TRACES = {
    "V": {"sec": "soma", "loc": 0.5, "var": "v"},
    "Vd": {"sec": "dend_0", "loc": 0.5, "var": "v"},
    "g": {"sec": "soma", "loc": 0.5, "synMech": "inh", "var": "g"},
    "all_g": {"synMech": "exc", "var": "g"},
    "leak": {"sec": "dend_1", "loc": 0.5, "mech": "pas", "var": "i"},
    "I": {"sec": "soma", "loc": 0.5, "stim": "step->soma", "var": "i"},
}


def test_everything_is_attached_as_before_and_acts():
    native = made(everything(), False)
    params = everything()
    assert made(params) == native
    sim.cfg.recordTraces, sim.cfg.recordCells, sim.cfg.recordStim = TRACES, ["all"], True
    sim.setupRecording()
    sim.simulate()
    cells = sim.net.cells
    for key, trace in TRACES.items():
        of = {cell.gid for cell in cells[:4]} if key != "I" else {0}
        assert of <= {int(name.removeprefix("cell_")) for name in sim.simData[key]}, trace
    assert len(spikes()[0]) > 1
    assert max(sim.simData["I"]["cell_0"]) == pytest.approx(0.5)
    assert np.abs(np.array(sim.simData["Vd"]["cell_2"])[100:] + 70).max() < 3  # held
    assert set(sim.simData["stims"]) >= {f"cell_{cell.gid}" for cell in cells[:6]}
    for cell in cells[:4]:
        plastic = [c["hObj"].weight[0] for c in cell.conns if c.get("plast")]
        assert plastic and all((w != 2e-2) == (cell.gid in spikes()) for w in plastic)
        synapses = [s for sec in cell.secs.values() for s in sec.get("synMechs", [])]
        released = [s["hObj"].released for s in synapses if s["label"] == "release"]
        assert 0 < sum(released) < 3 * len(released) == 12


def redistributed():
    """NetPyNE moves the synapses of one rule over the dendrites; it cannot with gap junctions."""
    params = network()
    params.popParams["drive"] = {"cellModel": "NetStim", "numCells": 3, "rate": 100, "noise": 0.5}
    params.connParams["drive"] = {
        "preConds": {"pop": "drive"},
        "postConds": {"pop": ["PV", "other"]},
        "sec": "dends",
        "synMech": "exc",
        "weight": 5e-3,
        "synsPerConn": 3,
    }
    params.subConnParams["drive"] = {
        "preConds": {"pop": "drive"},
        "postConds": {"pop": ["PV", "other"]},
        "sec": "dends",
        "density": "uniform",
    }
    return params


def test_connections_redistributed_below_the_cell():
    native = made(redistributed(), False)
    assert made(redistributed()) == native
    places = {(c["sec"], c["loc"]) for c in native[0]["conns"] if c["preGid"] != "NetStim"}
    assert len(places) > 3
    sim.setupRecording()
    sim.simulate()
    assert len(spikes()[0]) > 1
