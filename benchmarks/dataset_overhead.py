"""What building a training set costs beside the bare NEURON runs in it, and its peak memory.

The same runs are done twice, by as many processes each: by `build_dataset`, from nothing to the
finished file (starting workers, building cells, writing, hashing into one HDF5 file), and bare:
the cell built beforehand, then `finitialize` and `psolve` alone, on the clock. The figure is the
ratio of the wall times; on a machine that does other work as well, the ratio of the processor
times is the steadier one. `python benchmarks/dataset_overhead.py [samples]`
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from neuron import h
from record import record

from noble_neuron.assets import library_dir
from noble_neuron.cells.spec import HofCell
from noble_neuron.evolution.spec import SearchSpec
from noble_neuron.nrn import mechanisms
from noble_neuron.nrn.session import session
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.workers import cores

SAMPLES = 600
CELLS = 4
AMPLITUDES = (-0.1, 0.5)  # nA
GOAL = 1.1


def cells() -> list[HofCell]:
    """The built-in ensemble's cell, as its search begins, under several names."""
    cell = SearchSpec.read(library_dir() / "pvalb" / "search.json").cell
    return [replace(cell, name=f"{cell.name}/{k}", hof=k) for k in range(CELLS)]


def amplitudes(n: int) -> list[float]:
    """Evenly spread [nA]."""
    low, high = AMPLITUDES
    return [low + (high - low) * k / (n - 1) for k in range(n)]


def bare(n: int, share: int, of: int) -> dict[str, float]:
    """Every `of`-th run, NEURON alone: seconds by the wall and by the processor."""
    cell = cells()[0]
    with cell.build() as live, session(cell.celsius, cell.dt, cell.v_init):
        clamp = h.IClamp(live.soma(0.5))
        clamp.delay, clamp.dur = 15, 400
        voltage = h.Vector().record(live.soma(0.5)._ref_v)
        context = h.ParallelContext()
        context.set_maxstep(10)
        wall, cpu = time.perf_counter(), time.process_time()
        for amplitude in amplitudes(n)[share::of]:
            clamp.amp = amplitude
            h.finitialize(cell.v_init)
            context.psolve(515)
        spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        del clamp, voltage
    return spent


def built(n: int, workers: int) -> dict[str, float]:
    """The whole build; children are the workers."""
    samples = [(k * CELLS // n, noble_step(a)) for k, a in enumerate(amplitudes(n))]
    with tempfile.TemporaryDirectory() as folder:
        wall = time.perf_counter()
        build_dataset(cells(), samples, Path(folder) / "set.h5", workers=workers)
        wall = time.perf_counter() - wall
    own, theirs = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    cpu = own.ru_utime + own.ru_stime + theirs.ru_utime + theirs.ru_stime
    return {
        "wall": wall,
        "cpu": cpu,
        "owner_mib": own.ru_maxrss / 1024,
        "worker_mib": theirs.ru_maxrss / 1024,
    }


def together(*calls: tuple) -> list[dict[str, float]]:
    """Run calls of this file, each in a process of its own, at once."""
    started = [
        subprocess.Popen(
            [sys.executable, __file__, "--call", json.dumps(call)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for call in calls
    ]
    answers = [process.communicate()[0] for process in started]
    return [json.loads(answer.splitlines()[-1]) for answer in answers]


def main(n: int) -> None:
    """Measure with one worker and with all cores; the bare runs before and after."""
    mechanisms.load()
    rows = []
    for workers in sorted({1, cores()}):
        ours = [("bare", n, share, workers) for share in range(workers)]
        before = together(*ours)
        (build,) = together(("built", n, workers))
        after = together(*ours)
        wall = sum(max(s["wall"] for s in side) for side in (before, after)) / 2
        cpu = sum(s["cpu"] for s in before + after) / 2
        named = f"{workers} worker{'s' * (workers > 1)}"
        rows += [
            {
                "figure": f"wall time of the build / bare NEURON, {named}",
                "value": build["wall"] / wall,
                "goal": GOAL,
                "n": n,
            },
            {
                "figure": f"processor time of the build / bare NEURON, {named}",
                "value": build["cpu"] / cpu,
                "goal": GOAL,
                "n": n,
            },
            {
                "figure": f"wall time of the build, {named}",
                "value": build["wall"],
                "unit": "s",
                "n": n,
            },
            {
                "figure": f"peak memory of the owner, {named}",
                "value": build["owner_mib"],
                "unit": "MiB",
                "n": n,
            },
            {
                "figure": f"peak memory of the largest worker, {named}",
                "value": build["worker_mib"],
                "unit": "MiB",
                "n": n,
            },
        ]
    for row in rows:
        print(f"{row['figure']}: {row['value']:.3f} {row.get('unit', '')}")
    record("dataset_overhead", [{**row, "value": round(row["value"], 4)} for row in rows])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--call"]:
        name, *arguments = json.loads(sys.argv[2])
        print(json.dumps({"bare": bare, "built": built}[name](*arguments)))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
