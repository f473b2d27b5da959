"""A study: cells, their measured character, and which of them a surrogate never sees.

Everything after the F-I curves starts from it: the training set, the latent space, the split.
It is one JSON file, written by `noble-neuron fi`, so that the held-out cells are fixed before
any training; the built-in ensembles are studies that ship with the package.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..assets import library_dir
from ..cells.allen import load_allen
from ..cells.builtin import ensemble
from ..cells.spec import HofCell
from ..errors import InputError
from ..files import read_json, write_json
from .characterise import characterise
from .kept import Kept
from .progress import Progress
from .workers import Job, Workers

FORMAT = "noble_neuron study 1"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Study:
    """Cells with their measured features.

    Attributes:
        name: Of the ensemble.
        cells: The cells.
        features: One dict per cell, feature -> value, units as in `noble_neuron.units`; NaN
            where a cell has no such feature.
        held_out: Indices of the cells that no surrogate is trained on.
    """

    name: str
    cells: tuple[HofCell, ...]
    features: tuple[dict[str, float], ...]
    held_out: tuple[int, ...]

    @property
    def training(self) -> tuple[int, ...]:
        """Indices of the cells that surrogates are trained on."""
        return tuple(k for k in range(len(self.cells)) if k not in self.held_out)

    @property
    def roles(self) -> dict[str, str]:
        """Cell name -> "training" or "held out"."""
        return {
            cell.name: "held out" if k in self.held_out else "training"
            for k, cell in enumerate(self.cells)
        }

    def latents(self, names: Sequence[str]) -> dict[str, tuple[float, ...]]:
        """Cell name -> values of the features `names`.

        Raises:
            InputError: A cell lacks one of them.
        """
        for cell, features in zip(self.cells, self.features, strict=True):
            for name in names:
                if name not in features or not np.isfinite(features[name]):
                    known = ", ".join(k for k, v in features.items() if np.isfinite(v))
                    raise InputError(f"{cell.name} has no {name}; it has {known}.")
        return {
            cell.name: tuple(features[name] for name in names)
            for cell, features in zip(self.cells, self.features, strict=True)
        }

    def save(self, path: str | os.PathLike) -> None:
        """Write as JSON."""
        plain = [
            {k: v if np.isfinite(v) else None for k, v in row.items()} for row in self.features
        ]
        cells = json.loads(json.dumps([asdict(cell) for cell in self.cells], default=str))
        write_json(
            path,
            {
                "format": FORMAT,
                "name": self.name,
                "cells": cells,
                "features": plain,
                "held_out": list(self.held_out),
            },
        )

    @classmethod
    def load(cls, name_or_path: str | os.PathLike) -> Study:
        """A built-in ensemble by name, a folder that `evolve` wrote, or a file of `save`'s."""
        if _is_evolved(str(name_or_path)):
            return _evolved(str(name_or_path))
        stored = read_json(name_or_path, "study (or built-in ensemble)")
        if not isinstance(stored, dict) or stored.get("format") != FORMAT:
            raise InputError(
                f"{name_or_path} is no study of noble_neuron. Make one with `noble-neuron fi`; "
                f"built-in ensembles: {', '.join(builtin_names()) or 'none'}."
            )
        try:
            cells = tuple(HofCell(**cell) for cell in stored["cells"])
            return cls(
                stored["name"],
                cells,
                tuple(_numbers(f) for f in stored["features"]),
                tuple(int(k) for k in stored["held_out"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"The study {name_or_path} is damaged: {error}") from None


def builtin_names() -> tuple[str, ...]:
    """Ensembles that ship with the package."""
    return tuple(sorted(path.parent.name for path in library_dir().glob("*/hof.json")))


def _evolved(name_or_folder: str) -> Study:
    """An ensemble that `noble-neuron evolve` made, built in or in a folder."""
    found = ensemble(name_or_folder)
    return Study(found.name, found.cells, tuple(_numbers(f) for f in found.features), found.test)


def _is_evolved(name_or_folder: str) -> bool:
    return name_or_folder in builtin_names() or (Path(name_or_folder) / "hof.json").is_file()


def _numbers(features: Mapping[str, float | None]) -> dict[str, float]:
    return {k: float("nan") if v is None else float(v) for k, v in features.items()}


def find_cells(what: str) -> tuple[str, tuple[HofCell, ...]]:
    """Name and cells of an ensemble, said in one word.

    Args:
        what: A built-in ensemble; a folder of `noble-neuron evolve`, or of an Allen all-active
            hall of fame; a study's file; or "module:function", a function that returns a list
            of `HofCell`, which is how all others (BluePyOpt, hoc, NetPyNE, Python) come in.
    """
    if _is_evolved(what) or what.endswith(".json"):
        study = Study.load(what)
        return study.name, study.cells
    if Path(what).is_dir():
        return Path(what).resolve().name, tuple(load_allen(what))
    module, colon, function = what.partition(":")
    if colon:
        return function, _called(module, function, what)
    raise InputError(
        f"No cells {what!r}: it is no built-in ensemble ({', '.join(builtin_names()) or 'none'}), "
        f"no folder of an Allen hall of fame, no study's .json and no module:function."
    )


def _called(module: str, function: str, what: str) -> tuple[HofCell, ...]:
    try:
        made: Any = getattr(importlib.import_module(module), function)()
    except (ImportError, AttributeError, TypeError) as error:
        raise InputError(f"{what!r} cannot be imported and called: {error}.") from error
    cells = (made,) if isinstance(made, HofCell) else tuple(made)
    if not cells or not all(isinstance(cell, HofCell) for cell in cells):
        raise InputError(f"{what!r} must return a list of HofCell, got {made!r}.")
    return cells


def measure(
    name: str,
    cells: Sequence[HofCell],
    *,
    held_out: int = 0,
    seed: int = 0,
    low: float = 0.0,
    high: float = 1.0,
    step: float = 0.02,
    workers: int | None = None,
    told: Callable[[str], None] = log.warning,
    keep: str | os.PathLike | None = None,
) -> Study:
    """Characterise every cell, in parallel, and hold some out by seed.

    A cell that cannot be characterised, because it fires at `low`, say, is left out and told.
    Killed, the same call goes on with the cells that `keep` lacks.

    Args:
        name: Of the ensemble.
        cells: The cells; their names must differ.
        held_out: How many to hold out.
        seed: Of that draw.
        low: Silent current that the search for I_thr starts from [nA].
        high: End of the F-I curves [nA].
        step: Spacing of the F-I curves [nA].
        workers: Processes; one per core by default.
        told: Hears of every cell that is left out.
        keep: JSON-lines file for each cell's features as they come.
    """
    if len({cell.name for cell in cells}) < len(cells):
        raise InputError("Two of the cells have the same name: give each its own.")
    span = {"low": low, "high": high, "step": step}
    kept = _characterised(name, cells, span, workers, told, keep)
    if not 0 <= held_out < len(kept):
        raise InputError(
            f"{len(kept)} of {len(cells)} cells could be characterised: {held_out} of them "
            f"cannot be held out."
        )
    chosen = sorted(kept)
    drawn = np.random.default_rng(seed).choice(len(chosen), held_out, replace=False)
    return Study(
        name,
        tuple(cells[k] for k in chosen),
        tuple(kept[k] for k in chosen),
        tuple(sorted(int(k) for k in drawn)),
    )


def _characterised(
    name: str,
    cells: Sequence[HofCell],
    span: dict[str, float],
    workers: int | None,
    told: Callable[[str], None],
    keep: str | os.PathLike | None,
) -> dict[int, dict[str, float]]:
    """Index of each cell that could be characterised -> its features."""
    notes = Kept(keep, span)
    known = {k: notes.get(cell) for k, cell in enumerate(cells)}
    kept = {k: features for k, features in known.items() if features is not None}
    progress = Progress(f"F-I curves of {name}", len(cells), done=len(kept))
    with Workers(workers) as pool:
        for k in sorted(known.keys() - kept.keys()):
            pool.submit(Job(k, _measured, (cells[k], *span.values())))
        for outcome in pool.outcomes():
            progress.step()
            cell = cells[outcome.job.key]
            if outcome.kind == "done":
                kept[outcome.job.key] = outcome.value
                notes.add(cell, outcome.value)
            else:
                told(f"{cell.name} left out: {outcome.text}")
    return kept


def _measured(
    cell: HofCell, low: float, high: float, step: float, beat: Callable[[Any], None]
) -> dict[str, float]:
    """Features of one cell, in a worker; those of a trace are read at 1.3 I_thr."""
    beat(cell.name)
    found = characterise(cell, low=low, high=high, step=step)
    at = max(found.features, default=None)
    shape = {} if at is None else found.features[at]
    return {**shape, **found.values, "measured_to": high}
