"""A swapped network, its spikes and files; under mpiexec this file is run as a script."""

import json
import sys
from pathlib import Path

from neuron import h

if __name__ == "__main__":
    h.nrnmpi_init()
    import nets
else:
    from . import nets

from netpyne import sim

import noble_neuron.hosts.netpyne_rules as noble
from noble_neuron.nrn import mechanisms

mechanisms.load_folder(Path(__file__).parent / "mod")

RECORDED = {
    "recordTraces": {"V": {"sec": "soma", "loc": 0.5, "var": "v"}},
    "recordCells": ["all"],
}


def model():
    """Six cells on any ranks, coupled by synapses and gap junctions, with delays of axons."""
    params = nets.network(cells=6)
    axon = nets.dendrite(end=0.0, spikeGenLoc=1.0, mechs=nets.soma()["mechs"])
    params.cellParams["basket"]["secs"]["axon"] = axon
    params.synMechParams["gap"] = {"mod": "nnt_Gap", "pointerParams": {"target_var": "vpeer"}}
    pv = {"preConds": {"pop": "PV"}, "postConds": {"pop": "PV"}, "probability": 0.5}
    params.connParams["gap"] = {**pv, "synMech": "gap", "weight": 2e-4, "sec": "dend_0"}
    noble.replace(params, "PV", surrogate="pvalb", seed=3, latent="hull")
    return params


def gathered():
    latents = {str(cell["gid"]): cell["tags"].get("I_thr") for cell in sim.net.allCells}
    times = sorted(map(list, zip(sim.allSimData["spkid"], sim.allSimData["spkt"], strict=True)))
    rule = sim.net.params.cellParams["basket_PV"]
    delay = rule["secs"]["soma"]["pointps"]["noble"]["_swap"]["delay"]
    traces = sorted(sim.allSimData["V"])
    return {"spikes": times, "latents": latents, "delay": delay, "traces": traces}


def cleared():
    """NetPyNE forgets the gids of an earlier network on rank 0 alone."""
    sim.clearAll()
    sim.pc.gid_clear()


def main():
    told, here = {}, {**RECORDED, "saveFolder": "files", "simLabel": "net"}
    sim.createSimulateAnalyze(model(), nets.config(saveJson=True, **here))
    if sim.rank == 0:
        told["gathered"] = gathered()
    cleared()
    sim.createSimulateAnalyzeInterval(model(), nets.config(savePickle=True, **here), interval=20)
    if sim.rank == 0:
        told["by interval"] = gathered()
    cleared()
    sim.createSimulateAnalyzeDistributed(model(), nets.config(savePickle=True, **here))
    if sim.rank == 0:
        told["by rank"] = gathered()
        told["merged"] = Path("files/net_data.pkl").is_file()
        Path(sys.argv[1]).write_text(json.dumps(told))
        sim.pc.barrier()  # the others are in one that NetPyNE has for them alone
    h.quit()


if __name__ == "__main__":
    main()
