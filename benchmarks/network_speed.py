"""A NetPyNE network with its PV cells as they are and on surrogates: seconds to make and to run.

    python benchmarks/network_speed.py [MS]

Cells of `pvalb` (model 2) under excitatory trains, on their dendrites or at their somata, that
inhibit one another; MS (250) of their life at a step of 0.025 ms. Each network is made and run in
a process of its own, on one rank and on two (mpiexec), full and swapped in turn. The drive is the
same whatever the number of synapses it comes by. *Shared* synapses are those of connections of one
kind at one place (cfg.oneSynPerNetcon = False), in the full network as well.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
OWN, SHARED = "own", "shared"  # synapse of each connection, or of all of one kind at one place
NETWORKS = (
    (10, 40, "dendrites", OWN),
    (100, 10, "dendrites", OWN),
    (100, 40, "dendrites", OWN),
    (100, 40, "dendrites", SHARED),
    (100, 40, "soma", OWN),
    (100, 40, "soma", SHARED),
)
KINDS, RANKS = ("full", "swapped"), (1, 2)
DURATION = 250.0  # ms
DRIVES, RATE = 200, 20.0  # trains that the cells share, and their rate [Hz]
EXCITATION, INHIBITION = 0.12, 2e-3  # uS, of all a cell's excitatory synapses together; of one
PARTNERS = 10  # PV cells that inhibit each


def parameters(cells: int, synapses: int, place: str):
    """The network as it is."""
    from netpyne import specs

    params = specs.NetParams()
    model = HERE.parent / "examples" / "models" / "pv_network" / "pv_cell.py"
    rule = params.importCellParams(
        "PV", str(model), "PVCell", conds={"cellType": "PV"}, cellArgs={"model": 2}
    ).todict()
    rule["secs"]["soma_0"]["threshold"] = -35
    rule["secLists"] = {
        "dendrites": [name for name in rule["secs"] if name.startswith("dend")],
        "soma": ["soma_0"],
    }
    params.cellParams["PV"] = rule
    params.popParams["PV"] = {"cellType": "PV", "numCells": cells}
    params.popParams["drive"] = {
        "cellModel": "NetStim",
        "numCells": DRIVES,
        "rate": RATE,
        "noise": 1.0,
    }
    params.synMechParams["AMPA"] = {"mod": "Exp2Syn", "tau1": 0.3, "tau2": 2.0, "e": 0}
    params.synMechParams["GABA"] = {"mod": "Exp2Syn", "tau1": 0.3, "tau2": 6.0, "e": -80}
    if synapses:
        params.connParams["drive->PV"] = {
            "preConds": {"pop": "drive"},
            "postConds": {"pop": "PV"},
            "convergence": synapses,
            "sec": place,
            "synMech": "AMPA",
            "weight": EXCITATION / synapses,
            "delay": "uniform(1, 3)",
        }
        params.connParams["PV->PV"] = {
            "preConds": {"pop": "PV"},
            "postConds": {"pop": "PV"},
            "convergence": min(PARTNERS, cells - 1),
            "sec": "soma_0",
            "synMech": "GABA",
            "weight": INHIBITION,
            "delay": 1.0,
        }
    return params


def configuration(duration: float, kept: str = OWN):
    from netpyne import specs

    cfg = specs.SimConfig()
    cfg.duration, cfg.dt, cfg.verbose = duration, 0.025, False
    cfg.hParams = {"celsius": 34, "v_init": -74}
    cfg.recordTraces = {}
    cfg.oneSynPerNetcon = kept != SHARED
    return cfg


def one(
    kind: str, cells: int, synapses: int, place: str, duration: float, kept: str = OWN
) -> dict:
    """Make and run, as one of the ranks; what it took [s, MB]."""
    from neuron import h

    h.nrnmpi_init()
    sys.argv = sys.argv[:1]
    from netpyne import sim

    import noble_neuron.hosts.netpyne_rules as noble
    from noble_neuron.nrn import mechanisms

    mechanisms.load()
    params, cfg = parameters(cells, synapses, place), configuration(duration, kept)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    if kind == "swapped":
        noble.replace(params, "PV", surrogate="pvalb", latent="pvalb/2")
    sim.initialize(params, cfg)
    sim.net.createPops()
    sim.net.createCells()
    sim.net.connectCells()
    sim.net.addStims()
    sim.setupRecording()
    h.celsius, h.dt = 34, cfg.dt
    h.finitialize(-74)  # some things are made at the first one
    made = time.perf_counter() - began
    sim.pc.barrier()
    began = time.perf_counter()
    sim.runSim()
    sim.pc.barrier()
    ran = time.perf_counter() - began
    pv = sim.net.pops["PV"].cellGids
    spikes = sum(1 for gid in sim.simData["spkid"] if int(gid) in set(pv))
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    said = {
        "make": sim.pc.allreduce(made, 2),
        "run": sim.pc.allreduce(ran, 2),
        "waiting": sim.pc.allreduce(sim.pc.wait_time(), 2),
        "memory": sim.pc.allreduce(memory, 2),
        "spikes": sim.pc.allreduce(spikes, 1),
    }
    if sim.rank == 0:
        print("\nmeasured " + json.dumps(said), flush=True)
    sim.pc.barrier()
    h.quit()


def measured(script: str, ranks: int, *arguments: object) -> dict:
    """A script's own `--one ...`, in processes of its own."""
    environment = {
        "MPI_LIB_NRN_PATH": ctypes.util.find_library("mpi") or "",
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]),
        "PYTHONWARNINGS": "ignore",
        "NEURON_MODULE_OPTIONS": "-nogui",
        "OMP_NUM_THREADS": "1",
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
    }
    command = ["mpiexec", "-n", str(ranks), sys.executable, script, "--one"]
    done = subprocess.run(
        [*command, *map(str, arguments)], env=environment, capture_output=True, text=True
    )
    found = [x for x in done.stdout.splitlines() if x.startswith("measured ")]
    if not found:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-4000:])
    return json.loads(found[-1].removeprefix("measured "))


def main(duration: float) -> None:
    from record import record

    rows = []
    for cells, synapses, place, kept in NETWORKS:
        what = "shared synapses" if kept == SHARED else "synapses"
        split = f"{cells} cells, {synapses} {what} each on {place}"
        for ranks in RANKS:
            found = {
                kind: measured(__file__, ranks, kind, cells, synapses, place, duration, kept)
                for kind in KINDS
            }
            print(split, ranks, found, flush=True)
            on = f"{ranks} rank{'s' * (ranks > 1)}"
            for kind, values in found.items():
                rows += [
                    row(split, f"{on}: {kind}, run of {duration:g} ms", values["run"], "s"),
                    row(split, f"{on}: {kind}, made in", values["make"], "s"),
                    row(split, f"{on}: {kind}, spikes", values["spikes"], ""),
                ]
            full, swapped = (found[kind] for kind in KINDS)
            rows.append(row(split, f"{on}: full / swapped", full["run"] / swapped["run"], "x"))
    record("network_speed", rows)


def row(split: str, figure: str, value: float, unit: str) -> dict:
    return {"split": split, "figure": figure, "value": value, "unit": unit, "n": 1}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        kind, cells, synapses, place, duration, kept = sys.argv[2:]
        one(kind, int(cells), int(synapses), place, float(duration), kept)
    else:
        main(float(sys.argv[1]) if sys.argv[1:] else DURATION)
