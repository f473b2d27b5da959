"""A NetPyNE network, and the same with one of its populations on surrogates.

    python examples/howto/netpyne_population.py [FOLDER]

Twelve basket cells with dendrites inhibit one another, driven on the dendrites. The second run
changes the first by one line. (The basket cell here is a sketch of three sections, and pvalb
stands for other cells than it: their rates differ.) Needs NetPyNE (`pip install netpyne`).
"""

import sys

from netpyne import sim, specs

import noble_neuron.hosts.netpyne_rules as noble


def dendrite(end):
    return {
        "geom": {"L": 150, "diam": 2, "nseg": 3, "Ra": 120},
        "topol": {"parentSec": "soma", "parentX": end, "childX": 0},
        "mechs": {"pas": {"g": 1e-4, "e": -74}},
    }


def network():
    """The model as it was: cells, synapses, connections, background."""
    params = specs.NetParams()
    params.cellParams["basket"] = {
        "secs": {
            "soma": {
                "geom": {"L": 20, "diam": 20},
                "mechs": {"hh": {"gnabar": 0.6, "gkbar": 0.1, "el": -70}},
            },
            "dend_0": dendrite(1.0),
            "dend_1": dendrite(0.0),
        },
        "secLists": {"dendrites": ["dend_0", "dend_1"]},
    }
    params.popParams["PV"] = {"cellType": "basket", "numCells": 12}
    params.synMechParams["AMPA"] = {"mod": "Exp2Syn", "tau1": 0.3, "tau2": 2.0, "e": 0}
    params.synMechParams["GABA"] = {"mod": "Exp2Syn", "tau1": 0.5, "tau2": 6.0, "e": -80}
    params.stimSourceParams["background"] = {"type": "NetStim", "rate": 700, "noise": 1.0}
    params.stimTargetParams["background->PV"] = {
        "source": "background",
        "conds": {"pop": "PV"},
        "sec": "dendrites",
        "synMech": "AMPA",
        "weight": 0.006,
        "delay": 1,
    }
    params.connParams["PV->PV"] = {
        "preConds": {"pop": "PV"},
        "postConds": {"pop": "PV"},
        "sec": "soma",
        "synMech": "GABA",
        "probability": 0.4,
        "weight": 0.001,
        "delay": 1.5,
    }
    return params


def config(folder):
    settings = specs.SimConfig()
    settings.duration, settings.dt = 500, 0.025
    settings.hParams = {"celsius": 34, "v_init": -74}  # the surrogate's temperature
    settings.recordTraces = {"V": {"sec": "soma", "loc": 0.5, "var": "v"}}
    settings.recordCells = [0]
    if folder:
        settings.analysis["plotRaster"] = {"saveFig": f"{folder}/raster.png", "showFig": False}
    return settings


def main():
    folder = sys.argv[1] if sys.argv[1:] else None
    for swapped in (False, True):
        params = network()
        if swapped:
            noble.replace(params, "PV", surrogate="pvalb", seed=1)  # the line
        sim.createSimulateAnalyze(params, config(folder if swapped else None))
        cells = [cell.tags.get("surrogate", "detailed") for cell in sim.net.cells]
        spikes = len(sim.simData["spkt"])
        print(f"{len(cells)} cells ({cells[0]}), spikes: {spikes} in {sim.cfg.duration} ms")
    for cell in sim.net.cells[:3]:
        outside = noble.cell_of(cell).outside or "nothing"
        print(
            f"cell {cell.gid}: I_thr {cell.tags['I_thr']:.3f} nA; beyond the training: {outside}"
        )


if __name__ == "__main__":
    main()
