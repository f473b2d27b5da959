"""Networks of swapped cells on one rank and on two, and what many cells would cost by their parts.

    python benchmarks/scaling.py [MS]

Weak scaling: 50 cells of `pvalb` a rank, with 40 synapses each on their dendrites, as in
network_speed.py, for MS (250) of their life. The parts of the cost are measured on one rank: a
cell by itself, a synapse with the dendrite that it sits on, making and memory of a cell; and on
two: a spike that a rank hears of, and an exchange without spikes. The last figures are no
measurements: the parts added up for 10^5 and 10^6 cells that fire at 10 Hz.
"""

from __future__ import annotations

import json
import math
import sys
import time

from network_speed import DURATION, measured, one, row

PER_RANK, SYNAPSES, PLACE = 50, 40, "dendrites"
SENDERS, SENDER_RATE, DELAY = 2000, 100.0, 1.0  # a rank; Hz; ms
LIFE = 1000.0  # ms of the runs that only exchange spikes
FIRING = 10.0  # Hz, in the model
MANY, ON = (100_000, 1_000_000), (16, 128, 1024)  # cells and ranks in the model


def exchange(senders: int, heard: bool) -> None:
    """Artificial cells on each rank; their spikes go to all ranks where `heard`."""
    from neuron import h

    h.nrnmpi_init()
    context = h.ParallelContext()
    rank, ranks = int(context.id()), int(context.nhost())
    stims = []
    for k in range(senders + 1):
        stim = h.NetStim()
        stim.interval, stim.number, stim.noise, stim.start = 1e3 / SENDER_RATE, 1e9, 1, 0
        if k == 0:
            stim.number = 0  # it is there for a connection between the ranks, which sets the step
        stim.noiseFromRandom123(k, rank, 1)
        stims.append(stim)
        if heard or k == 0:
            gid = k * ranks + rank
            context.set_gid2node(gid, rank)
            context.cell(gid, h.NetCon(stim, None))
    connection = context.gid_connect((rank + 1) % ranks, h.IntFire1())
    connection.delay = DELAY
    context.set_maxstep(10)
    h.dt = 0.025
    h.finitialize(-70)
    context.barrier()
    began = time.perf_counter()
    context.psolve(LIFE)
    context.barrier()
    ran = context.allreduce(time.perf_counter() - began, 2)
    if rank == 0:
        print("\nmeasured " + json.dumps({"run": ran}), flush=True)
    context.barrier()
    h.quit()


def parts(duration: float) -> dict[str, dict[str, float]]:
    """All runs, by name."""
    runs = {
        "alone": (1, "swapped", PER_RANK, 0, PLACE),
        "swapped, 1": (1, "swapped", PER_RANK, SYNAPSES, PLACE),
        "swapped, 2": (2, "swapped", 2 * PER_RANK, SYNAPSES, PLACE),
        "twice": (1, "swapped", 2 * PER_RANK, SYNAPSES, PLACE),
        "full, 1": (1, "full", PER_RANK, SYNAPSES, PLACE),
        "full, 2": (2, "full", 2 * PER_RANK, SYNAPSES, PLACE),
    }
    found = {name: measured(__file__, *run, duration) for name, run in runs.items()}
    for name, senders, heard in (
        ("heard", SENDERS, 1),
        ("unheard", SENDERS, 0),
        ("no spikes", 0, 0),
    ):
        found[name] = measured(__file__, 2, "exchange", senders, heard)
    for name, values in found.items():
        print(name, values, flush=True)
    return found


def costs(found: dict[str, dict[str, float]], duration: float) -> dict[str, float]:
    """What a cell, a synapse, a spike and an exchange cost, per second of the network's life."""
    seconds = duration / 1e3
    whole = found["swapped, 1"]["run"] / (PER_RANK * seconds)
    alone = found["alone"]["run"] / (PER_RANK * seconds)
    spikes = 2 * SENDERS * SENDER_RATE * LIFE / 1e3
    grown = {
        key: (found["twice"][key] - found["swapped, 1"][key]) / PER_RANK
        for key in ("make", "memory")
    }
    return {
        "cell": alone,
        "synapse": (whole - alone) / SYNAPSES,
        "full cell": found["full, 1"]["run"] / (PER_RANK * seconds),
        "spike": max(0.0, found["heard"]["run"] - found["unheard"]["run"]) / spikes,
        "exchange": found["no spikes"]["run"] / (LIFE / DELAY),
        "make": grown["make"],
        "memory": grown["memory"],
    }


def model(cost: dict[str, float], cells: int, ranks: int, each: float) -> float:
    """Seconds for a second of the life of so many cells, each of which costs `each`."""
    exchanges = 1e3 / DELAY * cost["exchange"] * math.log2(ranks)
    return cells / ranks * each + cells * FIRING * cost["spike"] + exchanges


def main(duration: float) -> None:
    from record import record

    found = parts(duration)
    cost = costs(found, duration)
    rows = []
    for kind in ("swapped", "full"):
        one_rank, two = (found[f"{kind}, {ranks}"]["run"] for ranks in (1, 2))
        split = f"{kind} cells, {PER_RANK} a rank"
        rows += [
            row(split, f"{duration:g} ms on 1 rank", one_rank, "s"),
            row(split, f"{duration:g} ms on 2 ranks", two, "s"),
            row(split, "weak scaling, 1 rank / 2 ranks", 100 * one_rank / two, "%"),
            row(split, "waiting for the other rank", found[f"{kind}, 2"]["waiting"], "s"),
        ]
    units = {"spike": (1e9, "ns"), "exchange": (1e6, "us"), "memory": (1, "MB")}
    names = {
        "cell": "a swapped cell alone, per second",
        "synapse": "a synapse and its part of the dendrites, per second",
        "full cell": f"a full cell with {SYNAPSES} synapses, per second",
        "spike": "a spike, on each rank",
        "exchange": "an exchange without spikes, 2 ranks",
        "make": "making a swapped cell",
        "memory": "memory of a swapped cell",
    }
    for key, name in names.items():
        factor, unit = units.get(key, (1e3, "ms"))
        rows.append(row("parts", name, factor * cost[key], unit))
    swapped = cost["cell"] + SYNAPSES * cost["synapse"]
    for cells in MANY:
        for ranks in ON:
            split = f"model, not measured: {cells:.0e} cells on {ranks} ranks".replace("+0", "")
            for kind, each in (("swapped", swapped), ("full", cost["full cell"])):
                said = f"{kind}: a second of life"
                rows.append(row(split, said, model(cost, cells, ranks, each) / 60, "min"))
            share = cells / ranks
            rows.append(
                row(split, "swapped: memory of a rank", share * cost["memory"] / 1e3, "GB")
            )
            rows.append(row(split, "swapped: making the cells", share * cost["make"] / 60, "min"))
    record("scaling", rows)


if __name__ == "__main__":
    if sys.argv[1:3] == ["--one", "exchange"]:
        exchange(int(sys.argv[3]), bool(int(sys.argv[4])))
    elif sys.argv[1:2] == ["--one"]:
        kind, number, synapses, place, span = sys.argv[2:]
        one(kind, int(number), int(synapses), place, float(span))
    else:
        main(float(sys.argv[1]) if sys.argv[1:] else DURATION)
