"""How good a streaming surrogate is by itself, class by class, beside the full cell's own floor.

Every answer runs freely from the initial voltage to the end. All are compared at the surrogate's
grid; the truth is sampled there, its input taken as means.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from ..cells.spec import HofCell
from ..features import agreement, efel
from ..protocols.protocol import Protocol
from ..protocols.stimuli import Stimulus
from ..protocols.suites import class_of
from ..protocols.synapses import Synapses
from ..simulate.run import simulate
from ..store.hdf5 import Dataset
from ..surrogates.stream import StreamSurrogate
from ..types import Trace
from .tables import Table, number

SURROGATE = "surrogate"
HALVED, MORE = "floor (full cell at dt/2)", "full cell, 0.5 % more input"
SCALED = {"amplitude", "start", "stop", "mean", "sd", "weight"}  # of stimuli and synapses
FIGURES = {
    "gamma": "",
    "gamma_4ms": "",
    "spike_synchrony": "",
    "count_ratio": "",
    "count_error": "",
    "interval_error": "",
    "below_mV": "mV",
    "peak_mV": "mV",
    "half_width_ms": "ms",
    "false_spikes": "per trace",
}

Rival = Callable[[np.ndarray], np.ndarray]  # rows of the data set -> voltage [mV], (n, steps)


@dataclass(frozen=True)
class StreamResult:
    """Figures of a streaming surrogate and of what stands beside it.

    Attributes:
        rows: One per trace and answer: split, class, answer, cell, row of the data set, rate
            [Hz], and the figures of `features.agreement.row` with `half_width` [ms].
    """

    rows: list[dict]

    def figures(self, split: str, kind: str, answer: str) -> tuple[dict[str, float], int]:
        """Figures over the traces of one class, or "all", and how many they are.

        Those of `features.agreement.summary`, and half_width_ms: the median over traces of how
        far the mean half-width of the spikes is off [ms].
        """
        chosen = [
            r
            for r in self.rows
            if r["split"] == split and r["answer"] == answer and kind in ("all", r["class"])
        ]
        if not chosen:
            return {}, 0
        widths = [r["half_width"] for r in chosen if math.isfinite(r["half_width"])]
        # Of shunted spikes a width is hardly defined: a few would rule a mean.
        middle = float(np.median(np.abs(widths))) if widths else math.nan
        return {**agreement.summary(chosen), "half_width_ms": middle}, len(chosen)

    def places(self) -> list[tuple[str, str, str]]:
        """Every split, class and answer there is, "all" classes first."""
        found = dict.fromkeys((r["split"], r["class"], r["answer"]) for r in self.rows)
        alls = dict.fromkeys((split, "all", answer) for split, _, answer in found)
        return sorted([*alls, *found], key=lambda place: (place[0], place[1] != "all", place[1]))

    def records(self) -> list[dict]:
        """One plain dict per figure, as kept in benchmarks/results."""
        return [
            {
                "figure": f"{answer}/{kind}/{name}",
                "value": values[name],
                "unit": unit,
                "n": n,
                "split": split,
            }
            for split, kind, answer in self.places()
            for values, n in [self.figures(split, kind, answer)]
            for name, unit in FIGURES.items()
            if math.isfinite(values[name])
        ]

    def table(self) -> str:
        """The figures as text for a terminal."""
        head = ["", "n", *(f"{name} [{u}]" if u else name for name, u in FIGURES.items())]
        groups: dict[str, list[list[str]]] = {}
        for split, kind, answer in self.places():
            values, n = self.figures(split, kind, answer)
            cells = [answer, str(n), *(number(values[name]) for name in FIGURES)]
            groups.setdefault(f"{split}, {kind}", []).append(cells)
        return "\n\n".join(Table(title, head, rows).text() for title, rows in groups.items())


def evaluate_streaming(
    surrogate: StreamSurrogate,
    dataset: str | Path,
    latents: Mapping[str, Sequence[float]],
    splits: Mapping[str, Sequence[int]],
    *,
    cells: Sequence[HofCell] = (),
    rivals: Mapping[str, Rival] | None = None,
    floor_samples: int = 100,
    seed: int = 0,
) -> StreamResult:
    """Judge a streaming surrogate on traces that it has not seen.

    Args:
        surrogate: The surrogate.
        dataset: Samples of `simulate.suite.streaming_samples`.
        latents: Latent point of each cell in physical units, by the cell's name.
        splits: Name -> rows to judge on.
        cells: Cells to simulate again, for the two floors; none, no floors.
        rivals: Other answers to the same rows, by name.
        floor_samples: How many rows per split the floors are measured on, drawn by `seed`.
        seed: Of that draw.
    """
    found: list[dict] = []
    with Dataset.open(dataset) as data:
        judge = _Judge(surrogate, data)
        for split, rows in splits.items():
            rows = np.asarray(rows)
            answers = {SURROGATE: lambda some: judge.own(some, latents), **(rivals or {})}
            for name, answer in answers.items():
                found += judge.rows(split, name, rows, answer(rows))
            if cells:
                rng = np.random.default_rng(seed)
                some = np.sort(rng.choice(rows, min(floor_samples, len(rows)), replace=False))
                again = _Again(judge, {cell.name: cell for cell in cells})
                found += judge.rows(split, HALVED, some, again.halved(some))
                found += judge.rows(split, MORE, some, again.more(some))
    return StreamResult(found)


class _Judge:
    """One data set on one surrogate's grid."""

    def __init__(self, surrogate: StreamSurrogate, data: Dataset) -> None:
        self.surrogate, self.data = surrogate, data
        self.grid = surrogate.model.config.grid_ms

    def ratio(self, row: int) -> int:
        """Raw steps in a step of the grid."""
        return round(self.grid / self.data.dt(row))

    def truth(self, row: int) -> np.ndarray:
        """Voltage at the end of each step of the grid [mV]."""
        ratio = self.ratio(row)
        return np.asarray(self.data.voltage(row))[ratio::ratio].astype(float)

    def own(self, rows: np.ndarray, latents: Mapping[str, Sequence[float]]) -> np.ndarray:
        """The surrogate's voltages."""
        b, g = (np.stack(x) for x in zip(*(self._input(int(i)) for i in rows), strict=True))
        names = [str(name) for name in self.data.table["cell"][rows]]
        points = np.array([latents[name] for name in names], dtype=float)
        return self.surrogate.run(b, g, points, self.data.table["v_init"][rows], self.grid)

    def _input(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """b [nA] and G [uS], means over steps of the grid."""
        own_b, g = self.data.conductance(row)
        ratio = self.ratio(row)
        whole = (len(g) - 1) // ratio * ratio
        b = self.data.current(row) + own_b
        return tuple(x[:whole].reshape(-1, ratio).mean(1, dtype=float) for x in (b, g))

    def rows(self, split: str, name: str, rows: np.ndarray, voltages: np.ndarray) -> list[dict]:
        """One dict per trace."""
        return [
            {
                "split": split,
                "class": class_of(self.protocol(int(i)).name),
                "answer": name,
                "cell": str(self.data.table["cell"][i]),
                "row": int(i),
                **self._figures(v, self.truth(int(i))),
            }
            for i, v in zip(rows, voltages, strict=True)
        ]

    def _figures(self, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
        x, threshold = np.asarray(x, dtype=float)[: len(y)], self.surrogate.threshold
        values = agreement.row(x, y, self.grid, threshold)
        widths = [self._half_width(v) for v in (x, y)]
        rate = 1e3 * values["true"] / (len(y) * self.grid)
        return {"rate": rate, **values, "half_width": widths[0] - widths[1]}

    def _half_width(self, v: np.ndarray) -> float:
        """Mean half-width of the spikes [ms]; NaN without any."""
        t = np.arange(len(v)) * self.grid
        name = "AP_duration_half_width"
        threshold = self.surrogate.threshold
        return efel.extract(Trace(t, v), 0.0, float(t[-1]), threshold, [name])[name]

    def protocol(self, row: int) -> Protocol:
        """What was done to the cell."""
        return Protocol.from_dict(json.loads(self.data.table["protocol"][row]))


class _Again:
    """The full cells, simulated again a little differently."""

    def __init__(self, judge: _Judge, cells: Mapping[str, HofCell]) -> None:
        self.judge, self.cells = judge, cells

    def halved(self, rows: np.ndarray) -> np.ndarray:
        """Solved at half the time step."""
        table = self.judge.data.table
        return self._all(rows, lambda p: p, [float(table["dt"][i]) / 2 for i in rows])

    def more(self, rows: np.ndarray) -> np.ndarray:
        """With 0.5 % more current and conductance."""
        table = self.judge.data.table
        return self._all(rows, lambda p: scaled(p, 1.005), [float(table["dt"][i]) for i in rows])

    def _all(self, rows, change: Callable[[Protocol], Protocol], steps) -> np.ndarray:
        voltages = []
        for i, dt in zip(map(int, rows), steps, strict=True):
            cell = self.cells[str(self.judge.data.table["cell"][i])]
            protocol = change(self.judge.protocol(i))
            trace = simulate(cell, protocol, dt=dt, record_dt=self.judge.grid)
            voltages.append(trace.v[1 : 1 + len(self.judge.truth(i))])
        return np.stack(voltages)


def scaled(protocol: Protocol, factor: float) -> Protocol:
    """The same protocol with all its currents and conductances `factor` times as large."""
    return replace(protocol, stimuli=tuple(_scaled(s, factor) for s in protocol.stimuli))


def _scaled(part: Stimulus | Synapses, factor: float):
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    changed = {
        name: _scaled(value, factor) if isinstance(value, Synapses) else value * factor
        for name, value in values.items()
        if name in SCALED or isinstance(value, Synapses)
    }
    return replace(part, **changed)
