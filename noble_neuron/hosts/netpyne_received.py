"""What the somata of some cells of a NetPyNE network receive, and what these cells are.

Each point process that sits on a cell is recorded while the network runs: its current, its
conductance where it has one (a variable g), and the voltage where it sits. Far from the soma less
arrives: a small current at x reaches the soma as k(x) of itself, where k is the part of a somatic
voltage that reaches x, in the passive cell at 50 Hz. So a synapse with conductance g and reversal
potential E acts at the soma as

    G = k^2 g,    b = k g (E - (1 - k) V0),        the current into the soma being b - G V,

V0 being the usual voltage at x. Synapses stay apart by whether E is above V0 or below it; what has
no conductance of its own, or one that never changes (electrodes, gap junctions), is a current.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from neuron import h

from ..errors import InputError
from ..nrn import mechanisms

RECORD = 0.2  # ms between two samples
FREQUENCY = 50.0  # Hz, of k
MOST = 4000  # point processes recorded in all: some tens of MB
TONIC = 1e-6  # of a conductance's mean; what varies less is no synapse
UNITS = {"uS": 1.0, "umho": 1.0, "nS": 1e-3, "S": 1e6, "mho": 1e6, "siemens": 1e6}  # in uS
KEPT = ("geom", "topol", "mechs", "ions", "vinit", "threshold")  # of a section: the cell itself


@dataclass
class _Point:
    """One point process that is being recorded."""

    point: Any
    segment: Any
    sign: float  # of its variable i, so that positive depolarises
    unit: float  # of its variable g [uS]
    i: Any
    g: Any


class Received:
    """Records some cells of a network while it runs.

    Args:
        cells: Cells of `sim.net`, with all that is attached to them.
    """

    def __init__(self, cells: list[Any]) -> None:
        self.cells, self._points, self._local = [], [], []
        recorded = 0
        for cell in cells:
            points = list(_attached(cell))
            recorded += len(points)
            if self.cells and recorded > MOST:
                break
            places = {p.segment: h.Vector().record(p.segment._ref_v, RECORD) for p in points}
            self.cells.append(cell)
            self._points.append(points)
            self._local.append(places)

    def arrays(self, v_init: float) -> dict[str, np.ndarray]:
        """What came in, after the run: [uS] and [nA], each of shape (cells, steps).

        Initialises NEURON anew, for the voltage that k is measured at.

        Args:
            v_init: Initial voltage [mV].

        Returns:
            excitation_g, excitation_b, inhibition_g, inhibition_b and current.
        """
        recorded = [
            [(p, _array(p.i), _array(p.g), _array(places[p.segment])) for p in points]
            for points, places in zip(self._points, self._local, strict=True)
        ]
        h.finitialize(v_init)
        steps = max((len(i) for rows in recorded for _, i, _, _ in rows), default=0)
        names = ("excitation_g", "excitation_b", "inhibition_g", "inhibition_b", "current")
        sums = {name: np.zeros((len(self.cells), steps)) for name in names}
        for row, (cell, points) in enumerate(zip(self.cells, recorded, strict=True)):
            reach = _Reach(cell)
            for point, i, g, v in points:
                for name, values in _arriving(point, reach.of(point.segment), i, g, v).items():
                    sums[name][row] += values
        return {name: values.astype(np.float32) for name, values in sums.items()}


def _attached(cell: Any) -> Iterator[_Point]:
    for point in _points(cell):
        if not hasattr(point, "_ref_i"):
            continue
        kind = point.hname().partition("[")[0]
        g = getattr(point, "_ref_g", None)
        yield _Point(
            point,
            point.get_segment(),
            1.0 if mechanisms.is_electrode(kind) else -1.0,
            UNITS.get(_unit(kind), 1.0),
            h.Vector().record(point._ref_i, RECORD),
            None if g is None else h.Vector().record(g, RECORD),
        )


def _points(cell: Any) -> list[Any]:
    """The point processes of a cell, those at the ends of its sections once."""
    segments = (x for section in cell.secs.values() for x in section["hObj"].allseg())
    return list({p.hname(): p for segment in segments for p in segment.point_processes()}.values())


def _unit(kind: str) -> str:
    """Of a mechanism's variable g; "" where its code does not say."""
    try:
        return h.units(f"{kind}.g")
    except RuntimeError:
        return ""


def _array(vector: Any) -> np.ndarray | None:
    return None if vector is None else np.array(vector)


class _Reach:
    """Which part of a small current arrives at a cell's soma."""

    def __init__(self, cell: Any) -> None:
        self._soma = next(s for s in cell.secs.values() if not s.get("topol"))["hObj"]
        self._impedance = h.Impedance()
        self._impedance.loc(0.5, sec=self._soma)
        self._impedance.compute(FREQUENCY)
        self._own = self._impedance.input(0.5, sec=self._soma)

    def of(self, segment: Any) -> float:
        if segment.sec == self._soma:
            return 1.0
        return self._impedance.transfer(segment.x, sec=segment.sec) / self._own


def _arriving(
    point: _Point, k: float, i: np.ndarray, g: np.ndarray | None, v: np.ndarray
) -> dict[str, np.ndarray]:
    """What one point process adds to each of the sums."""
    inward = point.sign * i  # nA
    if g is None or not np.ptp(g) > TONIC * max(np.abs(g).mean(), 1e-12):
        return {"current": k * inward}
    g = g * point.unit
    reversal = float((g @ v + inward.sum()) / g.sum())  # from inward = g (E - v)
    usual = float(np.median(v))
    name = "excitation" if reversal > usual else "inhibition"
    return {
        f"{name}_g": k**2 * g,
        f"{name}_b": k * g * (reversal - (1 - k) * usual),
    }


def described(cells: list[Any], rules: list[Mapping], cfg: Any, threshold: float) -> dict:
    """The different cells among some, as the network made them; plain values.

    Args:
        cells: Of `sim.net`.
        rules: That made them, for the hoc globals that they set.
        cfg: NetPyNE's simConfig.
        threshold: Where a section says none [mV].

    Returns:
        cells: One NetPyNE rule each; soma: the name of theirs; celsius [degC], v_init [mV],
        dt [ms] and threshold [mV] of the run.

    Raises:
        InputError: A cell has point processes of its own, or other somata than the rest.
    """
    different: dict[str, dict] = {}
    for cell in cells:
        secs = {name: _plain(section) for name, section in cell.secs.items()}
        for name, section in cell.secs.items():
            if section.get("pointps"):
                raise InputError(
                    f"Section {name!r} of cell {cell.gid} has point processes of its own "
                    f"({', '.join(section['pointps'])}): a surrogate stands for membranes alone."
                )
        different.setdefault(json.dumps(secs, default=_number), secs)
    somata = {next(n for n, s in cell.secs.items() if not s.get("topol")) for cell in cells}
    if len(somata) > 1:
        raise InputError(
            f"The cells' somata have different names ({', '.join(sorted(somata))}): train a "
            f"surrogate for each kind."
        )
    (soma,) = somata
    own = {key for rule in rules for key in rule.get("globals", {})} - {"celsius", "v_init"}
    first = cells[0].secs[soma]
    return {
        "cells": [json.loads(text) for text in different],
        "globals": {key: float(getattr(h, key)) for key in own if hasattr(h, key)},
        "soma": soma,
        "celsius": float(cfg.hParams["celsius"]),
        "v_init": float(first["vinit"] if "vinit" in first else cfg.hParams["v_init"]),
        "dt": float(cfg.dt),
        "threshold": float(first["threshold"] if "threshold" in first else threshold),
    }


def _plain(section: Mapping) -> dict:
    return {key: section[key] for key in KEPT if key in section and section[key] not in ({}, None)}


def _number(value: Any) -> Any:
    """What JSON does not know: NetPyNE's dicts, and NumPy's numbers."""
    return dict(value) if isinstance(value, Mapping) else value.tolist()
