"""Excitatory cells and PV cells that are connected in both directions; PV cells also by gaps."""

from netpyne import specs

try:
    from __main__ import cfg
except ImportError:
    from cfg import cfg

from noble_neuron.nrn import mechanisms

mechanisms.load()  # before NetPyNE looks which mechanisms there are

netParams = specs.NetParams()
netParams.defaultThreshold = -20

# Cells
netParams.cellParams["E"] = {
    "secs": {
        "soma": {
            "geom": {"L": 20, "diam": 20},
            "ions": {"na": {"e": 50}, "k": {"e": -90}},
            "mechs": {
                "pas": {"g": 8e-4, "e": -78},
                "nn_NaTg": {"gbar": 0.5, "vshifth": 10, "slopem": 9},
                "nn_Kv3_1": {"gbar": 0.4},
                "nn_Im": {"gbar": 8e-3},
            },
        }
    }
}
pv = netParams.importCellParams(
    "PV", "src/cells/pv_cell.py", "PVCell", conds={"cellType": "PV"}, cellArgs={"model": 8}
).todict()
pv["secs"]["soma_0"]["threshold"] = -35  # mV; its spikes are lower than the others'
pv["secLists"] = {"dendrites": [name for name in pv["secs"] if name.startswith("dend")]}
netParams.cellParams["PV"] = pv

netParams.popParams["E"] = {"cellType": "E", "numCells": 40}
netParams.popParams["PV"] = {"cellType": "PV", "numCells": 10}

# Synapses
netParams.synMechParams["AMPA"] = {"mod": "Exp2Syn", "tau1": 0.3, "tau2": 2.0, "e": 0}
netParams.synMechParams["GABA"] = {"mod": "Exp2Syn", "tau1": 0.3, "tau2": 6.0, "e": -80}
netParams.synMechParams["gap"] = {"mod": "nnx_Junction"}

# Connections
netParams.connParams["E->PV"] = {
    "preConds": {"pop": "E"},
    "postConds": {"pop": "PV"},
    "convergence": 16,
    "sec": "dendrites",
    "synMech": "AMPA",
    "weight": 2.5e-3,
    "delay": "uniform(0.8, 2)",
}
netParams.connParams["E->E"] = {
    "preConds": {"pop": "E"},
    "postConds": {"pop": "E"},
    "convergence": 6,
    "synMech": "AMPA",
    "weight": 1.5e-4,
    "delay": "uniform(0.8, 2)",
}
netParams.connParams["PV->E"] = {
    "preConds": {"pop": "PV"},
    "postConds": {"pop": "E"},
    "convergence": 5,
    "synMech": "GABA",
    "weight": 8e-4,
    "delay": 1.0,
}
netParams.connParams["PV->PV"] = {
    "preConds": {"pop": "PV"},
    "postConds": {"pop": "PV"},
    "convergence": 4,
    "sec": "soma_0",
    "synMech": "GABA",
    "weight": 1.5e-3,
    "delay": 0.8,
}
ring = [[k, (k + 1) % 10] for k in range(10)]
netParams.connParams["PV-PV"] = {
    "preConds": {"pop": "PV"},
    "postConds": {"pop": "PV"},
    "connList": ring,
    "gapJunction": True,
    "sec": "soma_0",
    "synMech": "gap",
    "weight": cfg.gapWeight,
}

# Background
for pop, sec, weight in (("E", "soma", 1.9e-4), ("PV", "soma_0", 1.5e-3)):
    netParams.stimSourceParams[f"background {pop}"] = {"type": "NetStim", "rate": 900, "noise": 1}
    netParams.stimTargetParams[f"background {pop}"] = {
        "source": f"background {pop}",
        "conds": {"pop": pop},
        "sec": sec,
        "synMech": "AMPA",
        "weight": weight * cfg.excitation,
        "delay": 1,
    }
