"""A network of small cells and the least effort that makes a surrogate of them: in seconds.

    python toy_network.py OUT

makes it, for whoever wants to kill that.
"""

from __future__ import annotations

import sys

from noble_neuron.operators import OdeConfig
from noble_neuron.training.fit_stream import StreamFitConfig
from noble_neuron.workflows.surrogate_for import Effort, surrogate_for

EFFORT = Effort(
    minutes=0.02,
    traces=20,
    judged=6,
    duration=100.0,
    pilot_epochs=3,
    fit=StreamFitConfig(operator=OdeConfig(memory=4, width=8)),
)


def network():
    """Three cells under excitation on a dendrite, inhibition and a current at the soma."""
    from netpyne import specs

    params = specs.NetParams()
    params.cellParams["basket"] = {
        "secs": {
            "body": {
                "geom": {"L": 20, "diam": 20},
                "mechs": {"hh": {"gnabar": 0.6, "gkbar": 0.1, "el": -70}},
            },
            "dend": {
                "geom": {"L": 150, "diam": 2, "nseg": 3, "Ra": 120},
                "topol": {"parentSec": "body", "parentX": 1.0, "childX": 0.0},
                "mechs": {"pas": {"g": 1e-4, "e": -74}},
            },
        }
    }
    params.popParams["PV"] = {"cellType": "basket", "numCells": 3}
    params.synMechParams["exc"] = {"mod": "Exp2Syn", "tau1": 0.3, "tau2": 2.0, "e": 0}
    params.synMechParams["inh"] = {"mod": "Exp2Syn", "tau1": 0.5, "tau2": 6.0, "e": -80}
    for name, rate, weight, sec, synapse in (
        ("drive", 800, 8e-3, "dend", "exc"),
        ("calm", 200, 2e-3, "body", "inh"),
    ):
        params.stimSourceParams[name] = {"type": "NetStim", "rate": rate, "noise": 1.0}
        params.stimTargetParams[name] = {
            "source": name,
            "conds": {"pop": "PV"},
            "weight": weight,
            "delay": 1,
            "synMech": synapse,
            "sec": sec,
        }
    params.stimSourceParams["clamp"] = {"type": "IClamp", "amp": 0.05, "delay": 0, "dur": 1e9}
    params.stimTargetParams["clamp"] = {
        "source": "clamp",
        "conds": {"pop": "PV"},
        "sec": "body",
        "loc": 0.5,
    }
    return params


def config():
    from netpyne import specs

    made = specs.SimConfig()
    made.duration, made.dt = 400, 0.025
    made.hParams = {"celsius": 34, "v_init": -74}
    return made


def make(out, **more):
    return surrogate_for(network(), "PV", config(), out, effort=EFFORT, workers=1, **more)


if __name__ == "__main__":
    folder, sys.argv = sys.argv[1], sys.argv[:1]  # NetPyNE reads them
    make(folder)
