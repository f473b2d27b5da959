"""What a training set holds, by name.

    /v, /current, /b, /g   float32 (points of all samples,)   one sample after another
    /table/COLUMN          (samples,)                          one entry per sample
    /cells                 (cells,)                            JSON description of each cell

`v` is the raw somatic voltage [mV] on the recording grid. The input is what the solver saw:
entry k of `current` [nA], `b` [nA] and `g` [uS] is the mean over the recording interval that
begins at point k, so it drives v[k] to v[k+1]; the cell receives current + b - g v. It could
be computed again from the protocol, but compressed it costs little, and whoever trains needs
no protocol code to read it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..errors import InputError

FORMAT = "noble_neuron training set"
VERSION = 1

OK, FAILED = "ok", "failed"

SIGNALS = {"v": "mV", "current": "nA", "b": "nA", "g": "uS"}


@dataclass(frozen=True)
class Row:
    """One sample: a cell, what was injected, how it was solved, and what became of it.

    Attributes:
        cell: Name of the cell.
        hof: Its index in the hall of fame; -1 for a cell outside any.
        protocol: The protocol as JSON text.
        seed: Seed that drew this sample.
        dt: Solver step [ms].
        record_dt: Step of the recording grid [ms].
        celsius: Temperature [degC].
        v_init: Initial voltage [mV].
        neuron: Version of NEURON.
        status: "ok", or "failed" for a missing row.
        reason: Why it failed; empty if it did not.
        points: Length of the trace; 0 for a missing row.
    """

    cell: str
    hof: int
    protocol: str
    seed: int
    dt: float
    record_dt: float
    celsius: float
    v_init: float
    neuron: str
    status: str
    reason: str
    points: int

    def __post_init__(self) -> None:
        if self.status not in (OK, FAILED):
            raise InputError(f"A sample's status is {OK!r} or {FAILED!r}, not {self.status!r}.")


TYPES = {"str": str, "int": np.int64, "float": np.float64}
COLUMNS = {f.name: TYPES[f.type] for f in fields(Row)}


def table_of(rows: list[Row]) -> dict[str, np.ndarray]:
    """Columns as arrays, text as objects; `offset` says where each sample's points begin."""
    table: dict[str, Any] = {
        name: np.array([getattr(row, name) for row in rows], dtype=object if kind is str else kind)
        for name, kind in COLUMNS.items()
    }
    table["offset"] = np.cumsum(table["points"]) - table["points"]
    return table
