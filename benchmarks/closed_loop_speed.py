"""Seconds of computing per second of a cell's life: full cells, surrogates, bare sections.

    python benchmarks/closed_loop_speed.py [BUNDLE ...]

N cells of `pvalb`, each under its own Poisson synapses at the soma (AMPA and GABA-A), solved at
0.025 ms by as many threads as there are cores, each measurement in a process of its own, full
cells and surrogates in turn. BUNDLE is a built-in name or a folder (pvalb). Bare sections with the
same synapses are NEURON's share of a surrogate's time; the rest is the operator's.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time

from record import record

from noble_neuron.simulate.workers import cores

SIZES = (1, 10, 100, 1000)
WORK = {"full": 6.0, "bare": 200.0}  # cell seconds that a measurement should cover, about
SURROGATE_WORK = 40.0
SHORTEST, LONGEST = 50.0, 4000.0  # ms of a run
REPEATS = 3
RATE, WEIGHTS = 300.0, (6e-4, 1.2e-3)  # Hz; uS of AMPA and GABA-A
GOALS = {1: 5, 100: 30}


def drive(soma, k: int) -> list:
    """Synapses of cell k; what has to be held."""
    from neuron import h

    held = []
    for kind, (tau, reversal, weight) in enumerate(
        ((2.0, 0.0, WEIGHTS[0]), (6.0, -80.0, WEIGHTS[1]))
    ):
        synapse, source = h.Exp2Syn(soma(0.5)), h.NetStim()
        synapse.tau1, synapse.tau2, synapse.e = 0.3, tau, reversal
        source.interval, source.number, source.noise, source.start = 1e3 / RATE, 1e9, 1, 0
        source.noiseFromRandom123(k, kind, 7)
        netcon = h.NetCon(source, synapse)
        netcon.weight[0], netcon.delay = weight, 1
        held += [synapse, source, netcon]
    return held


def population(kind: str, n: int) -> tuple[list, list]:
    """N cells of one kind; somata, and what has to be held."""
    from neuron import h

    from noble_neuron.cells.builtin import ensemble
    from noble_neuron.runtime import NobleCell

    if kind == "full":
        models = ensemble("pvalb").cells
        live = [models[k % len(models)].build() for k in range(n)]
        return [cell.soma for cell in (each.__enter__() for each in live)], live
    if kind == "bare":
        somata = [h.Section(name=f"soma{k}") for k in range(n)]
        for soma in somata:
            soma.insert("pas")
        return somata, somata
    first = NobleCell(kind)
    names = first.stepper.card.cells
    cells = [NobleCell(kind, names[k % len(names)]) for k in range(n)]
    return [cell.soma for cell in cells], cells


def one(kind: str, n: int) -> None:
    """Build, run, and print what it took."""
    from neuron import h

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    somata, held = population(kind, n)
    inputs = [drive(soma, k) for k, soma in enumerate(somata)]
    context = h.ParallelContext()
    context.nthread(min(cores(), n))
    context.set_maxstep(10)
    h.celsius, h.dt = 34, 0.025
    built = time.perf_counter() - began
    work = WORK.get(kind, SURROGATE_WORK)
    span = min(LONGEST, max(SHORTEST, 1e3 * work / n))
    walls = []
    for _ in range(REPEATS):
        h.finitialize(-70)
        context.psolve(20)  # past the start
        began = time.perf_counter()
        context.psolve(20 + span)
        walls.append(time.perf_counter() - began)
    said = {
        "seconds": min(walls) / (n * span / 1e3),
        "build": built,
        "memory": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }
    assert len(held) == n and len(inputs) == n
    print(json.dumps(said))


def measured(kind: str, n: int) -> dict[str, float]:
    """`one` in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(cores()), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, __file__, "--one", kind, str(n)],
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    bundles = sys.argv[1:] or ["pvalb"]
    rows = []
    for n in SIZES:
        found = {kind: measured(kind, n) for kind in ("full", *bundles, "bare")}
        for kind, values in found.items():
            name = f"{label(kind)}, {n} cells"
            rows += [
                {"figure": f"{name}: per cell second", "value": values["seconds"], "unit": "s"},
                {
                    "figure": f"{name}: memory beside the start",
                    "value": values["memory"],
                    "unit": "MB",
                },
            ]
            print(name, values, flush=True)
        for kind in bundles:
            whole = found[kind]["seconds"]
            rows += [
                {
                    "figure": f"full cells / {label(kind)}, {n} cells",
                    "value": found["full"]["seconds"] / whole,
                    "unit": "x",
                    "goal": GOALS.get(n),
                },
                {
                    "figure": f"{label(kind)}, {n} cells: share of NEURON",
                    "value": 100 * found["bare"]["seconds"] / whole,
                    "unit": "%",
                },
            ]
    record("closed_loop_speed", [{"n": 1, **row} for row in rows])


def label(kind: str) -> str:
    """As the figures name it."""
    return {"full": "full cells", "bare": "bare sections"}.get(
        kind, f"surrogate {os.path.basename(kind)}"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], int(sys.argv[3]))
    else:
        main()
