"""Small NetPyNE networks, as they are and with a population on surrogates."""

from __future__ import annotations

import numpy as np
from netpyne import sim, specs
from netpyne.specs import Dict

import noble_neuron.hosts.netpyne_rules as noble

CELSIUS, V_INIT = 34, -74


def dendrite(parent="soma", end=1.0, **more):
    return {
        "geom": {"L": 150, "diam": 2, "nseg": 3, "Ra": 120},
        "topol": {"parentSec": parent, "parentX": end, "childX": 0},
        "mechs": {"pas": {"g": 1e-4, "e": -74}},
    } | more


def soma(**more):
    """It fires at 34 degC, as NEURON's own hh does not."""
    return {
        "geom": {"L": 20, "diam": 20, "nseg": 3},
        "mechs": {"hh": {"gnabar": 0.6, "gkbar": 0.1, "el": -70}},
        "threshold": 0.0,
    } | more


def network(cells=4, others=2):
    """Populations PV and other, of one rule, driven on their dendrites."""
    params = specs.NetParams()
    params.cellParams["basket"] = {
        "secs": {"soma": soma(), "dend_0": dendrite(), "dend_1": dendrite(end=0.0)},
        "secLists": {"dends": ["dend_0", "dend_1"], "all": ["soma", "dend_0", "dend_1"]},
    }
    params.popParams["PV"] = {"cellType": "basket", "numCells": cells}
    if others:
        params.popParams["other"] = {"cellType": "basket", "numCells": others}
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
    made.duration, made.dt = 60, 0.025
    made.hParams = {"celsius": CELSIUS, "v_init": V_INIT}
    made.verbose = False
    for key, value in settings.items():
        setattr(made, key, value)
    return made


def made(params, swapped=True, **settings):
    """The network alone in memory: its cells and connections as `shape` tells them."""
    if hasattr(getattr(sim, "net", None), "params"):
        sim.clearAll()
    if swapped:
        noble.replace(params, "PV", surrogate="pvalb", seed=3)
    sim.create(params, config(**settings))
    return shape()


def run(params, **settings):
    """Spikes of a whole run, {gid: times}."""
    sim.createSimulateAnalyze(params, config(**settings))
    return spikes()


def spikes():
    times, ids = np.array(sim.simData["spkt"]), np.array(sim.simData["spkid"])
    return {int(gid): times[ids == gid].tolist() for gid in np.unique(ids)}


def shape():
    """All that NetPyNE made but the somata's channels, which a swap may change; plain values."""
    return {cell.gid: _cell(cell) for cell in sim.net.cells}


def _cell(cell):
    plain = Dict(cell.__getstate__()).todict()
    tags = {k: v for k, v in plain["tags"].items() if k != "surrogate"}
    latents = noble.load_stream("pvalb").card.latent_space.names
    plain["tags"] = {k: v for k, v in tags.items() if k not in latents and k != "label"}
    for name, section in plain.get("secs", {}).items():
        if "soma" in name:
            for key in ("mechs", "ions", "pointps", "threshold", "spikeGenLoc", "weightNorm"):
                section.pop(key, None)
            geometry = section.get("geom", {})
            if geometry.pop("nseg", 1) > 1 and "pt3d" in geometry:
                geometry["pt3d"] = [geometry["pt3d"][k] for k in (0, 2, -1)]  # not borders
        for key in ("mechs", "ions", "synMechs", "pointps", "topol"):
            if not section.get(key):  # NetPyNE's dicts make entries when asked for them
                section.pop(key, None)
    return plain
