"""What synapses on dendrites do at the soma: full cells, and trees whose load is taken off.

    python benchmarks/dendritic_psp.py [--cost]

To tell the trees from any surrogate, the full cell's own soma stands behind them: a second set of
its dendrites hangs on the full cell and carries the synapses, and its load is taken off as under a
surrogate, reduced to the default tolerance; in the barrage by full twins too. Beside it the full
cell with the synapses on its own dendrites. `pvalb`, and HL23PV where ../shared/data is.

Cost, in dendritic_cost.json (alone with --cost): cells with 40 dendritic synapses, by
processor time of one thread; under HL23PV's dendrites the surrogate of `pvalb` stands as well.
"""

from __future__ import annotations

import sys
import time
import warnings
from contextlib import ExitStack

import numpy as np
from neuron import h
from record import ROOT, record

from noble_neuron.cells.builtin import ensemble
from noble_neuron.cells.hl23 import load_hl23
from noble_neuron.cells.spec import HofCell
from noble_neuron.features.spiketrain import gamma
from noble_neuron.runtime import NobleCell
from noble_neuron.runtime.cell import TREE_ERROR
from noble_neuron.simulate.dendrites import (
    APART,
    DT,
    EXCITING,
    HOLDS,
    INHIBITING,
    SETTLE,
    STRONG,
    UNITARY,
    Bench,
    peaks,
)

HL23 = ROOT.parent / "shared" / "data" / "hl23" / "HL23PV_params.json"
PLACES = 20
BARRAGE, SEEDS, LONG = 60, (1, 2, 3), 2000.0  # synapses; ms
WEIGHTS = {"pvalb": 1.8e-3, "HL23PV": 0.9e-3}  # uS, so that the cell fires at 10 to 60 Hz
TREES = {"full twins": 0.0, "reduced": TREE_ERROR}
COARSE = 0.1  # another tree_error, for the cost
SYNAPSES, CELLS, SPAN, REPEATS = 40, 10, 100.0, 4


class Own(Bench):
    """All dendrites, in the order of their numbers."""

    def __init__(self, cell: HofCell, tolerance: float | None) -> None:
        super().__init__(cell, tolerance, is_dendrite)
        self.dendrites.sort(key=lambda s: int(s.name().split("[")[-1][:-1]))


def is_dendrite(section) -> bool:
    return ".dend" in section.name() or ".apic" in section.name()


def places(cell: HofCell, n: int, seed: int) -> list[tuple[int, float]]:
    """Drawn over the length of the dendrites."""
    bench = Own(cell, None)
    length = np.array([section.L for section in bench.dendrites])
    rng = np.random.default_rng(seed)
    some = rng.choice(len(length), n, p=length / length.sum())
    bench.close()
    return [(int(k), float(x)) for k, x in zip(some, rng.random(n), strict=True)]


def holding(cell: HofCell, v: float) -> float:
    """The current that keeps a full cell there [nA]."""
    bench = Own(cell, None)
    current = bench.holding(v)
    bench.close()
    return current


def psps(cell: HofCell, tolerance: float | None, v: float, current: float, where: list) -> dict:
    """Amplitude [mV] and time [ms] of each response's peak, by what was activated."""
    bench = Own(cell, tolerance)
    partner = [(k + 1) % PLACES for k in range(PLACES)]
    plan = [("EPSP", k) for k in range(PLACES)] + [("IPSP", k) for k in range(PLACES)]
    plan += [("strong EPSP", k) for k in range(PLACES)] + [("pair", k) for k in range(PLACES)]
    plan += [("mixed pair", k) for k in range(PLACES)]
    start = {event: SETTLE + APART * n for n, event in enumerate(plan)}
    for k, place in enumerate(where):
        before = partner.index(k)
        weak = [start["EPSP", k], start["pair", k], start["pair", before], start["mixed pair", k]]
        bench.synapse(place, EXCITING, UNITARY, weak)
        bench.synapse(place, EXCITING, STRONG, [start["strong EPSP", k]])
        bench.synapse(place, INHIBITING, UNITARY, [start["IPSP", k], start["mixed pair", before]])
    trace = bench.run(v, SETTLE + APART * len(plan), current)
    found = {"error": bench.error, "segments": bench.segments, "rest": trace[int(SETTLE / DT) - 2]}
    heights, times = peaks(trace, list(start.values()))
    found |= {each: (heights[n], times[n]) for n, each in enumerate(start)}
    bench.close()
    return found


def psp_rows(name: str, cell: HofCell) -> list[dict]:
    """Errors of amplitudes, times and summation."""
    where, rows = sorted(places(cell, PLACES, 1)), []
    for v in HOLDS:
        current = holding(cell, v)
        truth, own = (psps(cell, each, v, current, where) for each in (None, TREE_ERROR))
        rows += compared(f"{name} from {v:g} mV", truth, own)
        print(name, v, [(r["figure"], f"{r['value']:.4g}") for r in rows[-20:]], flush=True)
    return rows


def compared(split: str, truth: dict, own: dict) -> list[dict]:
    """Largest errors over the places."""

    def row(figure: str, value: float, unit: str, goal: float | None = None, n: int = PLACES):
        said = {"split": split, "figure": figure, "value": float(value), "unit": unit, "n": n}
        return {**said, "goal": goal} if goal is not None else said

    def column(of: dict, what: str, which: int) -> np.ndarray:
        return np.array([of[what, k][which] for k in range(PLACES)])

    rows = [row("segments", own["segments"], "", n=1)]
    rows.append(row("error that the reduction expects", 100 * own["error"], "%", n=1))
    for what in ("EPSP", "IPSP", "strong EPSP", "pair"):
        error = np.abs(column(own, what, 0) / column(truth, what, 0) - 1)
        late = np.abs(column(own, what, 1) - column(truth, what, 1))
        rows.append(row(f"{what}: amplitude, largest error", 100 * error.max(), "%", 5))
        rows.append(row(f"{what}: amplitude, median error", 100 * np.median(error), "%"))
        rows.append(row(f"{what}: amplitude, places within 5 %", (error <= 0.05).sum(), ""))
        rows.append(row(f"{what}: time of peak, largest error", late.max(), "ms", 0.3))
    alone = [column(of, "EPSP", 0) + np.roll(column(of, "EPSP", 0), -1) for of in (truth, own)]
    pair, mixed = ([column(of, what, 0) for of in (truth, own)] for what in ("pair", "mixed pair"))
    error = np.abs(pair[1] / alone[1] / (pair[0] / alone[0]) - 1)
    rows.append(row("pair: summation, largest error", 100 * error.max(), "%", 5))
    # An EPSP and an IPSP may cancel: what the pair errs by, of the EPSP alone.
    error = np.abs(mixed[1] - mixed[0]) / column(truth, "EPSP", 0)
    rows.append(row("EPSP with IPSP: largest error", 100 * error.max(), "% of the EPSP", 5))
    return rows


def spikes(cell: HofCell, tolerance: float | None, name: str, seed: int) -> np.ndarray:
    """Spike times [ms] under a barrage; the same one for the same seed."""
    where = places(cell, BARRAGE, 10 + seed)
    rng = np.random.default_rng(seed)
    bench = Own(cell, tolerance)
    for k, place in enumerate(where):
        kind = INHIBITING if k % 4 == 0 else EXCITING
        times = np.cumsum(rng.exponential(25.0, 200))
        bench.synapse(place, kind, WEIGHTS[name], times[times < LONG])
    trace = bench.run(cell.v_init, LONG)
    bench.close()
    up = np.flatnonzero((trace[:-1] < -20) & (trace[1:] >= -20))
    return up * DT


def barrage_rows(name: str, cell: HofCell) -> list[dict]:
    """Gamma of the spikes under a barrage, mean of the seeds."""
    found: dict[str, list[float]] = {label: [] for label in TREES}
    rates = []
    for seed in SEEDS:
        truth = spikes(cell, None, name, seed)
        rates.append(1e3 * len(truth) / LONG)
        for label, tolerance in TREES.items():
            found[label].append(gamma(spikes(cell, tolerance, name, seed), truth, LONG))
        print(name, seed, rates[-1], {k: v[-1] for k, v in found.items()}, flush=True)
    common = {"split": f"{name}, barrage on {BARRAGE} synapses", "n": len(SEEDS)}
    rows = [{"figure": "full cell: rate", "value": float(np.mean(rates)), "unit": "Hz", **common}]
    for label, values in found.items():
        rows.append(
            {
                "figure": f"{label}: Gamma(2 ms), mean",
                "value": float(np.mean(values)),
                "unit": "",
                "goal": 0.95,
                **common,
            }
        )
        rows.append(
            {
                "figure": f"{label}: Gamma(2 ms), lowest",
                "value": float(np.min(values)),
                "unit": "",
                **common,
            }
        )
    return rows


def loaded(soma, dendrites: list, seed: int) -> list:
    """Poisson synapses; on the soma where there are no dendrites."""
    rng, held = np.random.default_rng(seed), []
    for k in range(SYNAPSES):
        section = dendrites[rng.integers(len(dendrites))] if dendrites else soma
        point = h.Exp2Syn(section(rng.random() if dendrites else 0.5))
        point.tau1, point.tau2, point.e = INHIBITING if k % 4 == 0 else EXCITING
        source = h.NetStim()
        source.interval, source.number, source.start, source.noise = 50, 1e9, 0, 1
        source.noiseFromRandom123(seed, k, 5)
        netcon = h.NetCon(source, point)
        netcon.weight[0] = UNITARY
        held += [point, source, netcon]
    return held


def cost(cell: HofCell, kind: str) -> tuple[float, float]:
    """Processor time per second of a cell's life [s], and of its first initialisation [s]."""
    with ExitStack() as stack:
        held: list = []
        for k in range(CELLS):
            if kind == "surrogate, synapses on the soma":
                own = NobleCell("pvalb")
                held += [own, loaded(own.soma, [], k)]
                continue
            soma = stack.enter_context(cell.build()).soma
            if kind != "full cell":
                for mechanism in list(soma.psection()["density_mechs"]):
                    soma.uninsert(mechanism)
                error = TREES.get(kind, COARSE)
                held.append(NobleCell("pvalb", soma=soma, own_tree=True, tree_error=error))
            dendrites = [s for s in soma.wholetree() if is_dendrite(s)]
            held += [loaded(soma, dendrites, k)]
        context, spent = h.ParallelContext(), []
        context.set_maxstep(10)
        h.dt = DT
        began = time.process_time()
        h.finitialize(-74)
        first = (time.process_time() - began) / CELLS
        for _ in range(REPEATS):
            h.finitialize(-74)
            context.psolve(20)
            began = time.process_time()
            context.psolve(20 + SPAN)
            spent.append(time.process_time() - began)
        held.clear()
    return min(spent) / (CELLS * SPAN / 1e3), first


def cost_rows(name: str, cell: HofCell) -> list[dict]:
    """Of each kind, and the full cell's over it."""
    trees = (*TREES, f"reduced, tree_error={COARSE:g}")
    kinds = ("full cell", *trees, "surrogate, synapses on the soma")
    found = {kind: cost(cell, kind) for kind in kinds}
    print(name, found, flush=True)
    common = {"split": f"{name}, cost with {SYNAPSES} synapses", "n": CELLS}
    rows = [
        {"figure": f"{kind}: per cell second", "value": seconds, "unit": "s", **common}
        for kind, (seconds, _) in found.items()
    ]
    rows += [
        {
            "figure": f"{kind}: first finitialize, per cell",
            "value": 1e3 * found[kind][1],
            "unit": "ms",
            **common,
        }
        for kind in trees
    ]
    full = found["full cell"][0]
    return rows + [
        {
            "figure": f"full cell / {kind}",
            "value": full / found[kind][0],
            "unit": "x",
            "goal": 10,
            **common,
        }
        for kind in kinds[1:]
    ]


def cells() -> dict[str, HofCell]:
    family = ensemble("pvalb")
    found = {"pvalb": family.cells[family.train[2]]}
    if HL23.is_file():
        found["HL23PV"] = load_hl23(HL23)
    return found


def main(cost_only: bool) -> None:
    """Measure and record."""
    warnings.simplefilter("ignore")
    h.celsius, h.dt = 34, DT
    if not cost_only:
        rows = [psp_rows(*each) + barrage_rows(*each) for each in cells().items()]
        record("dendritic_psp", sum(rows, []))
    record("dendritic_cost", sum((cost_rows(*each) for each in cells().items()), []))


if __name__ == "__main__":
    main("--cost" in sys.argv)
