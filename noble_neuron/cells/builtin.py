"""The ensembles that ship with the package, and any other that `noble-neuron evolve` wrote.

A folder holds morphology.swc, hof.json (what each model is, and what was measured of it) and
split.json (which models no surrogate may be trained on, fixed before any training).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..assets import library_dir
from ..errors import InputError
from ..files import read_json
from .spec import HofCell

FORMAT = 1


@dataclass(frozen=True)
class Ensemble:
    """A family of hall-of-fame models of one neuron.

    Attributes:
        name: Of the ensemble.
        cells: The models, best first.
        features: What was measured of each: feature -> value, None where it has none.
        train: Indices of the models that surrogates are trained on.
        test: Indices of those held out.
    """

    name: str
    cells: tuple[HofCell, ...]
    features: tuple[dict[str, float | None], ...]
    train: tuple[int, ...]
    test: tuple[int, ...]


def ensemble(name_or_folder: str | os.PathLike) -> Ensemble:
    """A built-in ensemble by name, or the folder of one.

    Raises:
        InputError: There is none, or a file of it is damaged.
    """
    folder = library_dir() / str(name_or_folder)
    if not (folder / "hof.json").is_file():
        folder = Path(name_or_folder)
    if not (folder / "hof.json").is_file():
        known = ", ".join(sorted(p.parent.name for p in library_dir().glob("*/hof.json")))
        raise InputError(
            f"No ensemble {name_or_folder!s}: it is no folder with a hof.json, and "
            f"no built-in one ({known})."
        )
    stored, split = (read_json(folder / file) for file in ("hof.json", "split.json"))
    try:
        if stored["format"] != FORMAT:
            raise InputError(
                f"{folder / 'hof.json'} is of format {stored['format']}; this "
                f"version of noble_neuron reads format {FORMAT}."
            )
        cells = tuple(_cell(stored, k, model, folder) for k, model in enumerate(stored["models"]))
        return Ensemble(
            stored["name"],
            cells,
            tuple(m["features"] for m in stored["models"]),
            tuple(split["train"]),
            tuple(split["test"]),
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / 'hof.json'} or its split.json lacks {error}.") from None


def _cell(stored: Mapping[str, Any], k: int, model: Mapping[str, Any], folder: Path) -> HofCell:
    shared = dict(stored["cell"])
    source = {
        **shared.pop("source"),
        "groups": model["groups"],
        "origin": f"{folder / 'hof.json'}, model {k}",
    }
    source["morphology"] = str(folder / source["morphology"])
    return HofCell(
        name=f"{stored['name']}/{k}",
        loader="swc",
        source=source,
        ensemble=stored["name"],
        hof=k,
        **shared,
    )
