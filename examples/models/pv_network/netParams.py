"""PV cells that share an excitatory drive on their dendrites and inhibit one another."""

from netpyne import specs

from noble_neuron.nrn import mechanisms

mechanisms.load()  # before NetPyNE looks which mechanisms there are

netParams = specs.NetParams()

rule = netParams.importCellParams(
    "PV", "pv_cell.py", "PVCell", conds={"cellType": "PV"}, cellArgs={"model": 2}
).todict()
rule["secs"]["soma_0"]["threshold"] = -35  # mV; its spikes are lower than NetPyNE's default
rule["secLists"] = {
    "dendrites": [name for name in rule["secs"] if name.startswith("dend")],
    "first": ["dend_0", "dend_5", "dend_14", "dend_21", "dend_26"],  # those on the soma
}
netParams.cellParams["PV"] = rule

netParams.popParams["excitation"] = {
    "cellModel": "NetStim",
    "numCells": 60,
    "rate": 20,
    "noise": 1.0,
}
netParams.popParams["PV"] = {"cellType": "PV", "numCells": 12}

netParams.synMechParams["AMPA"] = {"mod": "Exp2Syn", "tau1": 0.3, "tau2": 2.0, "e": 0}
netParams.synMechParams["GABA"] = {"mod": "Exp2Syn", "tau1": 0.3, "tau2": 6.0, "e": -80}

netParams.connParams["excitation->PV"] = {
    "preConds": {"pop": "excitation"},
    "postConds": {"pop": "PV"},
    "convergence": 24,
    "sec": "dendrites",
    "synMech": "AMPA",
    "weight": 3.2e-3,
    "delay": "uniform(1, 3)",
}
netParams.connParams["PV->PV"] = {
    "preConds": {"pop": "PV"},
    "postConds": {"pop": "PV"},
    "probability": 0.4,
    "sec": "first",
    "synMech": "GABA",
    "weight": 2e-3,
    "delay": 1.0,
}
netParams.stimSourceParams["background"] = {"type": "NetStim", "rate": 700, "noise": 1.0}
netParams.stimTargetParams["background->PV"] = {
    "source": "background",
    "conds": {"pop": "PV"},
    "sec": "soma_0",
    "synMech": "AMPA",
    "weight": 1.7e-3,
    "delay": 1,
}
