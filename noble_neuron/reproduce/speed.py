"""Time per prediction, and which ratio is which (appendix E).

The paper's 4200x compares 1000 predictions at a time on a GPU with one serial NEURON process at
3.62 s a run. Here every ratio says both of its sides: NEURON in one process, one trace after the
other; on all cores; and as fast as it goes with the very same voltages, which is many copies of a
cell in one run, on all cores. The answers are of the paper's step, 515 ms; a few are timed and
scaled to 10,000. Cells are built and weights loaded beforehand.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..cells.spec import HofCell
from ..compare.tables import Table, number
from ..protocols.protocol import noble_step
from ..simulate.run import simulate
from ..simulate.together import Copies
from ..simulate.workers import Job, Workers, cores
from .bench import Bench
from .outcome import Outcome, finite

PREDICTIONS = 10_000
PAPER = {  # s per prediction: RTX 4090, Ryzen 9 7900X
    "NEURON, one process": 3.62,
    "surrogate, one at a time": 157.0 / PREDICTIONS,
    "surrogate, many at once": 8.59 / PREDICTIONS,
}
SERIAL, CORES, COPIES, COPIES_CORES = (
    "NEURON, one process",
    "NEURON, all cores",
    "NEURON, copies in one run, one process",
    "NEURON, copies in one run, all cores",
)
ONE, MANY = "surrogate, one at a time", "surrogate, many at once"


@dataclass(frozen=True)
class Sizes:
    """How much is timed.

    Attributes:
        traces: Full simulations per process.
        single: Predictions one at a time.
        many: Predictions in one call.
    """

    traces: int
    single: int
    many: int


SIZES = {"quick": Sizes(16, 32, 256), "full": Sizes(64, PREDICTIONS, PREDICTIONS)}


def run(bench: Bench) -> Outcome:
    """Times at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(bench: Bench, sizes: Sizes) -> Outcome:
    """Seconds per prediction of every way, and the ratios between them."""
    cell = bench.study.cells[bench.study.training[0]]
    top = 0.9 * bench.surrogate.card.current_range[1]
    if bench.surrogate.card.reach is not None:
        top = 0.95 * bench.surrogate.card.reach * bench.study.latents(["I_thr"])[cell.name][0]
    amplitudes = np.linspace(0.0, top, sizes.traces).tolist()
    count = bench.workers or cores()
    bench.say(f"speed: NEURON, {sizes.traces} traces in one process, then in {count}")
    took = {
        SERIAL: _in_workers(one_by_one, cell, amplitudes, 1),
        CORES: _in_workers(one_by_one, cell, amplitudes, count),
        COPIES: _in_workers(side_by_side, cell, amplitudes, 1),
        COPIES_CORES: _in_workers(side_by_side, cell, amplitudes, count),
    }
    bench.say(f"speed: surrogate on {bench.device}")
    took |= {
        ONE: _predicting(bench, cell, amplitudes, sizes.single, 1),
        MANY: _predicting(bench, cell, amplitudes, sizes.many, sizes.many),
    }
    fastest = min((SERIAL, CORES, COPIES, COPIES_CORES), key=took.__getitem__)
    ratios = {
        f"{full} / {fast}": took[full] / took[fast]
        for full in (SERIAL, CORES, fastest)
        for fast in (ONE, MANY)
    }
    counts = {ONE: sizes.single, MANY: sizes.many}
    return Outcome(
        f"Time per prediction: {bench.surrogate.card.ensemble}",
        _said(bench, sizes, fastest, count),
        finite(_records(took, ratios, counts, sizes)),
        (_table(took, fastest),),
    )


def one_by_one(cell: HofCell, amplitudes: list[float], beat: Callable) -> float:
    """Seconds per trace, one after the other on a cell that stays built; after one to warm up."""
    with cell.build() as live:
        simulate(live, noble_step(amplitudes[0]))
        began = time.perf_counter()
        for amplitude in amplitudes:
            beat(amplitude)
            simulate(live, noble_step(amplitude))
        return (time.perf_counter() - began) / len(amplitudes)


def side_by_side(cell: HofCell, amplitudes: list[float], beat: Callable) -> float:
    """Seconds per trace, a copy of the cell for each in one run; after one to warm up."""
    protocols = [noble_step(a) for a in amplitudes]
    with Copies(cell, len(amplitudes)) as copies:
        copies.run([noble_step(0.0)] * len(amplitudes))
        beat(None)
        began = time.perf_counter()
        copies.run(protocols)
        return (time.perf_counter() - began) / len(amplitudes)


def _in_workers(how: Callable, cell: HofCell, amplitudes: list[float], count: int) -> float:
    """Seconds per trace with `count` processes at work at once."""
    with Workers(count) as pool:
        for k in range(count):
            pool.submit(Job(k, how, (cell, amplitudes)))
        done = list(pool.outcomes())
    for outcome in done:
        if outcome.kind != "done":
            raise outcome.value or RuntimeError(outcome.text)
    return float(np.mean([outcome.value for outcome in done])) / count


def _predicting(bench: Bench, cell: HofCell, amplitudes, total: int, at_once: int) -> float:
    """Seconds per prediction, in calls of `at_once`; after one to warm up."""
    protocols = [noble_step(a) for a in np.resize(amplitudes, at_once)]
    current = bench.currents(protocols)
    points = np.tile(bench.latents[cell.name], (at_once, 1))
    dt = bench.surrogate.card.dt
    bench.predicted(current[:8], points[:8], dt)
    began = time.perf_counter()
    for _ in range(total // at_once):
        bench.predicted(current, points, dt)
    return (time.perf_counter() - began) / (total // at_once * at_once)


def _records(took: dict, ratios: dict, counts: dict, sizes: Sizes) -> list[dict]:
    rows = [
        {
            "figure": f"{name}: {PREDICTIONS} predictions",
            "value": PREDICTIONS * seconds,
            "unit": "s",
            "n": counts.get(name, sizes.traces),
        }
        for name, seconds in took.items()
    ]
    rows += [{"figure": name, "value": value, "unit": "x"} for name, value in ratios.items()]
    paper = [
        {
            "figure": f"{name}: {PREDICTIONS} predictions",
            "value": PREDICTIONS * seconds,
            "unit": "s",
            "split": "paper",
        }
        for name, seconds in PAPER.items()
    ]
    paper += [
        {
            "figure": f"{SERIAL} / {fast}",
            "value": PAPER[SERIAL] / PAPER[fast],
            "unit": "x",
            "split": "paper",
        }
        for fast in (ONE, MANY)
    ]
    return [*rows, *paper]


def _table(took: dict, fastest: str) -> Table:
    head = [
        "",
        "ms per prediction",
        f"{SERIAL} over it",
        f"{CORES} over it",
        "fastest NEURON over it",
        "the paper's ms",
    ]
    rows = [
        [
            name,
            number(1e3 * seconds),
            *(number(took[full] / seconds) for full in (SERIAL, CORES, fastest)),
            number(1e3 * PAPER[name]) if name in PAPER else "–",
        ]
        for name, seconds in took.items()
    ]
    return Table("Wall time of a trace of 515 ms", head, rows)


def _said(bench: Bench, sizes: Sizes, fastest: str, count: int) -> tuple[str, ...]:
    return (
        f"Surrogate on {bench.device}; NEURON in 1 and in {count} processes. Timed: "
        f"{sizes.traces} full traces per process, {sizes.single} predictions one at a time and "
        f"{sizes.many} in one call, scaled to {PREDICTIONS}.",
        f"With the same voltages NEURON is fastest as: {fastest}. That is what a surrogate has to "
        f"beat. The paper's 4200x is 3.62 s of one serial NEURON process over a GPU's 0.86 ms.",
    )
