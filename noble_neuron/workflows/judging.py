"""A streaming surrogate judged in a process of its own, whatever cells are in memory here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..compare.streaming import StreamResult, evaluate_streaming
from ..errors import SimulationError
from ..files import read_json, write_json
from ..simulate.study import Study
from ..simulate.workers import Job, Workers
from ..store.hdf5 import Dataset
from ..surrogates import bundle

FLOOR = 60  # traces of each split on which the full cells run again
PATIENCE = 86400.0  # s


def judged(
    study: Study, traces: Path, made: Path, rows: Mapping[str, Sequence[int]], kept: Path
) -> StreamResult:
    """Figures of a bundle on some traces, the full cells' own floors beside; kept in a file.

    Args:
        study: The cells.
        traces: Training set, or one like it.
        made: The bundle.
        rows: Name of a split -> rows of `traces`.
        kept: JSON file; if it is there, it is the answer.
    """
    if not kept.exists():
        with Workers(1, PATIENCE, fresh=True) as workers:
            workers.submit(Job(kept.name, _judge, (study, traces, made, dict(rows), kept)))
            (outcome,) = workers.outcomes()
        if outcome.kind != "done":
            raise outcome.value or SimulationError(f"{made} was not judged: {outcome.text}.")
    return StreamResult([{k: _number(v) for k, v in row.items()} for row in read_json(kept)])


def all_rows(traces: Path) -> list[int]:
    """Rows of a training set whose simulation has succeeded."""
    with Dataset.open(traces) as data:
        return [int(i) for i in data.ok]


def _judge(
    study: Study, traces: Path, made: Path, rows: dict, kept: Path, beat: Callable[[Any], None]
) -> None:
    surrogate = bundle.load_stream(made)
    latents = study.latents(surrogate.card.latent_space.names)
    result = evaluate_streaming(
        surrogate, traces, latents, rows, cells=study.cells, floor_samples=FLOOR
    )
    write_json(kept, [{k: _storable(v) for k, v in row.items()} for row in result.rows])


def _storable(x: Any) -> Any:
    """As JSON, which has no NaN and none of NumPy's numbers, takes it."""
    if isinstance(x, str | int):
        return x
    return float(x) if np.isfinite(x) else None


def _number(x: Any) -> Any:
    return float("nan") if x is None else x
