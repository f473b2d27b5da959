"""Surrogates trained anew, one per row of a table of the paper.

At full scale each row is the built-in recipe on 60 currents a cell, an hour of one core or so, and
goes on where it was stopped. At quick scale it is a smoke run: a few traces and an epoch each, so
that the whole path is gone through. Its figures say nothing.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from ..compare.evaluation import SURROGATE, evaluate
from ..compare.metrics import FIGURES, Group
from ..compare.tables import PAPER, Table, number
from ..errors import OutsideTraining
from ..operators import ClockedConfig
from ..simulate.suite import noble_samples
from ..surrogates.bundle import load
from ..training.config import TrainConfig
from ..training.fit import RECIPES, FitConfig, fit
from .bench import Bench
from .outcome import Outcome, finite, group_records

SHOWN = tuple(PAPER["training cells"])
SMOKE = "smoke run, to be quoted nowhere: "
SEED = 1  # of the training set


@dataclass(frozen=True)
class Sizes:
    """How much is trained.

    Attributes:
        cells: Training cells, at most.
        currents: Per cell, where all cells train; fewer cells get more.
        held_out: Held-out cells, at most.
        smoke: Whether this is only to go through the path.
    """

    cells: int
    currents: int
    held_out: int
    smoke: bool


SIZES = {"quick": Sizes(4, 10, 1, True), "full": Sizes(1000, 60, 1000, False)}


@dataclass(frozen=True)
class Row:
    """One surrogate to train.

    Attributes:
        name: In the table.
        latent: Its coordinates.
        cells: Training cells, as a share of those there are.
        paper: The paper's errors, in the order of `SHOWN`.
    """

    name: str
    latent: tuple[str, ...]
    cells: float = 1.0
    paper: tuple[float, ...] = ()


def recipe(sizes: Sizes, latent: tuple[str, ...], device: str) -> FitConfig:
    """The built-in recipe with these coordinates; for a smoke run, as little of it as runs."""
    config = replace(RECIPES["noble_clocked"], latent=latent)
    settings = {f.name: getattr(config, f.name) for f in fields(config)}
    parts = {
        k: replace(v, device=device) for k, v in settings.items() if isinstance(v, TrainConfig)
    }
    if sizes.smoke:
        parts = {k: replace(v, epochs=1, validate_every=1) for k, v in parts.items()}
        config = replace(config, operator=ClockedConfig(layers=1, hidden=8, modes=16))
    return replace(config, **parts)


def trained(
    bench: Bench, name: str, rows: Sequence[Row], sizes: Sizes, said: tuple[str, ...]
) -> Outcome:
    """Train every row, judge it on held-out currents and cells, and lay the paper's beside.

    Args:
        bench: Cells and where things are kept: each row in FOLDER/trained/NAME-ROW.
        name: Of the item.
        rows: What to train.
        sizes: How much.
        said: What the page says.
    """
    mark, found = SMOKE * sizes.smoke, {}
    for row in rows:
        bench.say(f"{name}: {mark}{row.name}")
        found[row.name] = _row(bench, name, row, sizes)
    records = [
        {**record, "figure": f"{row}: {record['figure']}"}
        for row, splits in found.items()
        for split, groups in splits.items()
        for record in group_records(SURROGATE, groups, mark + split)
    ]
    splits = dict.fromkeys(split for each in found.values() for split in each)
    tables = [
        _table(mark + split, rows, {r: each.get(split) for r, each in found.items()})
        for split in splits
    ]
    warned = (
        "A smoke run: it shows that the path works. Its figures say nothing and are to be "
        "quoted nowhere; --scale full is the training.",
    ) * sizes.smoke
    return Outcome(
        f"{SMOKE.rstrip(': ').capitalize()}: {name}" if sizes.smoke else name.capitalize(),
        (*warned, *said),
        finite(records),
        tuple(tables),
    )


def _row(bench: Bench, name: str, row: Row, sizes: Sizes) -> dict[str, dict[str, Group]]:
    """Split -> group -> figures of one trained surrogate."""
    study = bench.study
    most = study.training[: sizes.cells]
    used = most[: max(2, round(row.cells * len(most)))]
    judged = study.held_out[: sizes.held_out]
    per_cell = round(sizes.currents * len(most) / len(used))
    wanted = {k: per_cell for k in used} | {k: sizes.currents for k in judged}
    samples = [
        sample
        for k, count in wanted.items()
        for sample in noble_samples(study, count, SEED)
        if sample.cell == k
    ]
    path = bench.simulated(f"trained-{len(used)}", study.cells, samples)
    latents = study.latents(row.latent)
    slug = f"{name}-{row.name}".replace(", ", "-").replace(" ", "-")
    folder = bench.folder / "trained" / bench.scale / slug
    held_out = [study.cells[k].name for k in judged]
    done = fit(path, latents, held_out, folder, recipe(sizes, row.latent, bench.device))
    parts = {
        "held-out currents": np.array(done.split.test),
        "held-out cells": np.array(done.split.unseen),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideTraining)
        result = evaluate(
            load(done.bundle, bench.device),
            path,
            latents,
            {split: which for split, which in parts.items() if len(which)},
            np.array(done.split.train),
        )
    return {split: answers[SURROGATE] for split, answers in result.scores.items()}


def _table(title: str, rows: Sequence[Row], found: dict) -> Table:
    head = ["", "n", *(f"{FIGURES[f][0]} [%]" for f in SHOWN)]
    body = []
    for row in rows:
        group = found[row.name]["all"]
        body.append([row.name, str(group.n), *(number(group.values[f]) for f in SHOWN)])
        if row.paper:
            body.append([f"(paper: {row.name})", "", *(number(x) for x in row.paper)])
    return Table(title, head, body)
