"""A population swapped for a stepper that knows the exact answer: the network as it was.

What differs is then the host and the runtime alone: whatever NetPyNE attaches to a swapped soma
has to act on it as it did on the full one.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="the host of NetPyNE needs torch and neuraloperator")
pytest.importorskip("netpyne")

from netpyne import sim, specs
from neuron import h

import noble_neuron.hosts.netpyne_rules as noble
from noble_neuron.hosts import netpyne_adopt
from noble_neuron.nrn import mechanisms
from noble_neuron.runtime.standins import HodgkinHuxley

from .nets import config, run

pytestmark = pytest.mark.usefixtures("as_found")
mechanisms.load_folder(Path(__file__).parent / "mod")
SQUID = {"gnabar": 0.12, "gkbar": 0.036, "gl": 0.0003}  # S/cm2
SIZE = 20.0  # um
DT = 0.025  # ms
THERE = {"hParams": {"celsius": 6.3, "v_init": -65}, "duration": 150}


class Squid(HodgkinHuxley):
    """With what the host asks of a surrogate's card: its one training cell."""

    card = SimpleNamespace(
        cells=("squid",),
        latent_space=SimpleNamespace(
            names=tuple(SQUID), points=np.array([list(SQUID.values())]), row=lambda tags: None
        ),
    )


@pytest.fixture
def exact(monkeypatch):
    stepper = Squid(area=np.pi * SIZE**2)
    for module in (noble, netpyne_adopt):
        monkeypatch.setattr(module, "loaded", lambda name: stepper)
    monkeypatch.setattr(noble, "weights_of", lambda name: "")
    table = getattr(h, "usetable_hh", None)
    if table is not None:
        h.usetable_hh = 0  # or NEURON interpolates the rates
    yield
    if table is not None:
        h.usetable_hh = table


def network():
    params = specs.NetParams()
    membrane = {"hh": {**SQUID, "el": -54.3}}
    secs = {"soma": {"geom": {"L": SIZE, "diam": SIZE}, "mechs": membrane, "threshold": 0.0}}
    params.cellParams["squid"] = {"secs": secs}
    params.popParams["PV"] = {"cellType": "squid", "numCells": 4}
    params.popParams["other"] = {"cellType": "squid", "numCells": 2}
    params.popParams["clock"] = {"cellModel": "VecStim", "numCells": 1, "spkTimes": [20, 70, 95]}
    params.synMechParams["exc"] = {"mod": "Exp2Syn", "tau1": 0.3, "tau2": 3.0, "e": 0}
    params.synMechParams["inh"] = {"mod": "Exp2Syn", "tau1": 0.5, "tau2": 6.0, "e": -80}
    return params


def everybody(**given):
    return {"preConds": {"pop": ["PV", "other"]}, "postConds": {"pop": ["PV", "other"]}, **given}


def background(params):
    params.stimSourceParams["in"] = {"type": "NetStim", "rate": 150, "noise": 1.0}
    target = {"source": "in", "conds": {"cellType": "squid"}, "synMech": "exc", "sec": "soma"}
    params.stimTargetParams["in->"] = {**target, "weight": 4e-3, "delay": 1}
    params.connParams["all"] = everybody(synMech="inh", weight=2e-3, delay=1.5, probability=0.5)


def clamped(params):
    for k, amp in enumerate((0.05, 0.1, 0.2)):
        params.stimSourceParams[f"step{k}"] = {"type": "IClamp", "del": 5, "dur": 100, "amp": amp}
        conds = {"pop": "PV", "cellList": [k]}
        target = {"source": f"step{k}", "conds": conds, "sec": "soma", "loc": 0.3}
        params.stimTargetParams[f"step{k}"] = target
    params.connParams["all"] = everybody(synMech=["exc", "inh"], weight=[3e-3, 1e-3], delay=2)


def junctions(params):
    clamped(params)
    params.synMechParams["gap"] = {"mod": "nnt_Gap", "pointerParams": {"target_var": "vpeer"}}
    params.connParams["gap"] = everybody(synMech="gap", weight=2e-4, sec="soma", probability=0.6)


def learning(params):
    background(params)
    plast = {"mech": "STDP", "params": {"up": 2e-3, "down": 2e-3}}
    given = {"synMech": "exc", "weight": 3e-3, "delay": 2, "plast": plast}
    params.connParams["learns"] = everybody(**given)


def chance(params):
    background(params)
    params.synMechParams["release"] = {"mod": "nnt_Release", "p": 0.5, "seed": "uniform(1, 1e6)"}
    params.connParams["clock"] = {
        "preConds": {"pop": "clock"},
        "postConds": {"pop": ["PV", "other"]},
        "synMech": "release",
        "weight": 3e-3,
        "synsPerConn": 5,
    }


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(
    "form", [background, clamped, junctions, learning, chance], ids=lambda f: f.__name__
)
def test_spikes_and_voltages_are_those_of_the_network_as_it_was(form):
    traces = {"V": {"sec": "soma", "loc": 0.5, "var": "v"}}
    told = []
    for swapped in (False, True):
        params = network()
        form(params)
        if swapped:
            noble.replace(params, "PV", surrogate="the squid's axon")
        given = config(**THERE, recordTraces=traces, recordCells=["all"], recordStep=DT)
        spikes = run(params, **vars(given))
        told.append((spikes, {k: np.array(v) for k, v in sim.simData["V"].items()}))
    (spikes, voltages), (found, answers) = told
    assert [cell.tags.get("surrogate") for cell in sim.net.cells].count(None) == 3
    assert sum(map(len, spikes.values())) >= 10 and found.keys() == spikes.keys()
    for gid, times in spikes.items():
        assert len(found[gid]) == len(times), gid
        assert np.abs(np.subtract(found[gid], times)).max() < 1.01 * DT, gid
    for name, v in voltages.items():
        # Not on a spike's flank, where the voltage shown within a chunk is a forecast.
        assert np.median(np.abs(answers[name] - v)) < 0.05, name
