"""Peak memory of building a training set and of training, beside a bare NEURON process.

    python benchmarks/peak_memory.py DATASET

Each command runs as a user would start it; its whole tree of processes is watched (shared pages
are counted once, PSS), so a short peak between two looks is missed. The training is the shipped
recipe on DATASET, stopped after a few minutes: its memory does not grow with the epochs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import record

from noble_neuron.simulate.workers import cores

EVERY = 0.1  # s
NEURON_ALONE = """
from noble_neuron.cells.builtin import ensemble
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.run import simulate
with ensemble("pvalb").cells[0].build() as cell:
    for _ in range(20):
        simulate(cell, noble_step(0.6))
"""


def tree(root: int) -> list[int]:
    """The process and all that descend from it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue  # it has ended
        parents[int(stat.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = [root]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def pss(process: int) -> float:
    """Its share of memory [MB]."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(x.split()[1]) for x in lines if x.startswith("Pss:")), 0) / 1e3


def peak(*arguments: str) -> float:
    """Largest memory that `python ARGUMENTS` and its children have held together [MB]."""
    command = subprocess.Popen([sys.executable, *arguments], stderr=subprocess.DEVNULL)
    most = 0.0
    while command.poll() is None:
        most = max(most, sum(pss(process) for process in tree(command.pid)))
        time.sleep(EVERY)
    if command.returncode:
        raise SystemExit(f"{arguments} failed ({command.returncode}).")
    return most


def main(dataset: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        noble = ("-m", "noble_neuron")
        alone = peak("-c", NEURON_ALONE)
        build = ("dataset", "pvalb", "--samples", "10")
        made = {
            n: peak(*noble, *build, "--out", f"{folder}/{n}.h5", "--workers", str(n))
            for n in (1, cores())
        }
        shape = ("train", dataset, "pvalb", "--out", f"{folder}/training", "--minutes", "2")
        trained = peak(*noble, *shape, "--clock-epochs", "1")
    rows = [
        {"figure": "NEURON alone, one cell of pvalb", "value": alone},
        *(
            {"figure": f"building a training set, {count} workers", "value": value, "n": 600}
            for count, value in made.items()
        ),
        {"figure": "training on a CPU", "value": trained},
    ]
    rows = [{**row, "unit": "MB"} for row in rows]
    for row in rows:
        print(f"{row['figure']:48s} {row['value']:8.0f} MB")
    rows += [
        {"figure": f"{row['figure']} / NEURON alone", "value": row["value"] / alone, "unit": "x"}
        for row in rows[1:]
    ]
    record("peak_memory", rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
