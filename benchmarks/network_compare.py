"""The example networks as they are and swapped: distances, floors, replayed input, PSPs.

    python benchmarks/network_compare.py [FOLDER]

What `noble-neuron compare-network` says of the models in examples/models, each with its PV cells
on the surrogate of the very model that they are. The reports lie in FOLDER too (runs/networks by
default), where finished runs are kept. Times are in the reports, not here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from record import ROOT, record

from noble_neuron.compare import activity
from noble_neuron.compare.network import NetworkComparison, compare_network

MODELS = {"pv_network": "pvalb/2", "ei_network": "pvalb/8"}  # folder -> what its PV cells are


def main(out: Path) -> None:
    rows = []
    for name, latent in MODELS.items():
        swap = {"PV": {"surrogate": "pvalb", "latent": latent}}
        folder = out / name
        result = compare_network(ROOT / "examples" / "models" / name, swap, folder, print)
        print(result.table(), flush=True)
        print("written:", result.save_html(folder / "report.html"), flush=True)
        rows += [row for row in figures(name, result) if np.isfinite(row["value"])]
    record("network_compare", rows)


def figures(name: str, result: NetworkComparison) -> list[dict]:
    """One record per network, population, run and figure."""
    full = next(iter(result.runs.values()))
    cells = {pop: len(full.pops[pop]) for pop in result.distances}
    events = {pop: sum(psp.pop == pop for psp in result.psps) for pop in result.swaps}
    rows = []
    for pop, number in cells.items():
        rows += _rows(f"{name}, {pop}", activity.FIGURES, result.figures[pop], number)
        distances = result.distances[pop]
        rows += _rows(f"{name}, {pop}, distance", activity.DISTANCES, distances, number)
    for pop in result.swaps:
        replay = result.replay[pop]
        rows += _rows(f"{name}, {pop}, same input", activity.REPLAY, replay, cells[pop])
        errors = result.psp_errors(pop)
        rows += _rows(f"{name}, {pop}, single events", activity.EVENTS, errors, events[pop])
    return rows


def _rows(split: str, names: dict, by_run: dict[str, dict[str, float]], n: int) -> list[dict]:
    return [
        {
            "split": split,
            "figure": f"{run}/all/{label}",
            "value": values[key],
            "unit": unit,
            "n": n,
        }
        for key, (label, unit) in names.items()
        for run, values in by_run.items()
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1] if sys.argv[1:] else ROOT / "runs" / "networks"))
