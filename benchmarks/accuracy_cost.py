"""Accuracy against cost, the rivals on one plot; from figures that other benchmarks recorded.

    python benchmarks/accuracy_cost.py

Draws docs/accuracy_cost.svg from benchmarks/results/{stream_pvalb,stream_reduced,
closed_loop_speed}.json, measures nothing but AdEx's arithmetic (NumPy, one core, beside a full
cell in the same process), and says so.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from record import RESULTS, ROOT, record

SPLIT = "held-out cells"
FULL = "full cell and itself at dt/2"
SIZES = (1, 100)
SPAN = 1000.0  # ms of AdEx that are timed
REPEATS = 3
ADEX = dict(
    C=0.05, gL=0.01, EL=-78.0, DT=2.0, VT=-50.0, Vr=-70.0, a=0.001, bw=0.01, tau_w=50.0, t_ref=1.0,
    V_cut=-30.0, peak=0.0,
)  # any numbers take the same time


def main() -> None:
    gamma = {
        FULL: known("stream_pvalb", "floor (full cell at dt/2)/all/gamma"),
        "NOBLE": known("stream_pvalb", "surrogate/all/gamma"),
        "AdEx": known("stream_pvalb", "AdEx/all/gamma"),
        "neuron_reduce": known("stream_reduced", "neuron_reduce (76 to 26 segments)/all/gamma"),
    }
    full = speeds("full cells")
    ratio = known("stream_reduced", "full cell / reduced cell, NEURON 8.2.7", None)
    cost = {
        FULL: full,
        "NOBLE": speeds("surrogate pvalb"),
        "AdEx": {n: full[n] * share for n, share in adex_shares().items()},
        "neuron_reduce": {n: full[n] / ratio for n in SIZES},
    }
    rows = [
        {"figure": f"{name}, {n} cells: {what}", "value": value, "unit": unit, "split": SPLIT}
        for name in gamma
        for n in SIZES
        for what, value, unit in (
            ("Gamma", gamma[name], ""),
            ("full cells over it", full[n] / cost[name][n], "x"),
        )
    ]
    draw(gamma, {name: {n: full[n] / c[n] for n in SIZES} for name, c in cost.items()})
    print("written:", record("accuracy_cost", rows))


def known(name: str, figure: str, split: str | None = SPLIT) -> float:
    """A figure that another benchmark recorded."""
    rows = json.loads((RESULTS / f"{name}.json").read_text())
    (value,) = (r["value"] for r in rows if (r["figure"], r["split"]) == (figure, split))
    return value


def speeds(kind: str) -> dict[int, float]:
    """Seconds per cell second of one kind, by number of cells."""
    figure = f"{kind}, {{}} cells: per cell second"
    return {n: known("closed_loop_speed", figure.format(n), None) for n in SIZES}


def adex_shares() -> dict[int, float]:
    """Seconds of an AdEx over those of a full cell in this process, by number of cells."""
    from noble_neuron.cells.builtin import ensemble
    from noble_neuron.compare import adex
    from noble_neuron.protocols.protocol import Protocol
    from noble_neuron.protocols.stimuli import Step
    from noble_neuron.simulate.run import simulate

    with ensemble("pvalb").cells[0].build() as live:
        protocol = Protocol("step", SPAN, (Step(0.5, 0.0, SPAN),))
        full = least(lambda: simulate(live, protocol, record_dt=0.1))
    model = adex.AdEx(**ADEX)
    shares = {}
    for n in SIZES:
        b, start = np.full((n, round(SPAN / 0.1)), 0.5), np.full(n, -78.0)
        spent = least(lambda b=b, start=start: adex.run(model, b, np.zeros_like(b), 0.1, start))
        shares[n] = spent / n / full
    return shares


def least(work) -> float:
    """Processor seconds of the fastest of some repeats."""
    spent = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def draw(gamma: dict[str, float], speedup: dict[str, dict[int, float]]) -> Path:
    """Accuracy over speed; a line joins one cell alone and a hundred together."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "accuracy_cost"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.2), layout="constrained")
    for name, value in gamma.items():
        x = [speedup[name][n] for n in SIZES]
        (line,) = axes.plot(x, [value] * len(SIZES), alpha=0.5)
        for place, marker in zip(x, ("o", "s"), strict=True):
            axes.plot(place, value, marker, color=line.get_color())
        axes.annotate(name, (max(x), value), (7, 5), textcoords="offset points", fontsize=9)
    axes.set_xscale("log")
    axes.margins(x=0.25, y=0.15)
    axes.set_xlabel("full cells' time over its time (circle: 1 cell, square: 100 cells)")
    axes.set_ylabel("Gamma (2 ms), held-out cells")
    path = ROOT / "docs" / "accuracy_cost.svg"
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return path


if __name__ == "__main__":
    sys.exit(main())
