"""Surrogates trained anew, one per row of a table of the paper, all judged on the same traces.

One training set is simulated, of more currents per cell than a row takes, and split once by cell
and by current. Every row trains on its own part of that split's training traces, as many as any
other row has, and is judged on its held-out currents and cells. At full scale a row is the
built-in recipe, an hour of one core or so; at small scale a sixth of its traces and a shorter
recipe. At quick scale it is a smoke run: a few traces and an epoch each, so that the whole path
is gone through. Its figures say nothing. What was stopped goes on.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from ..compare.evaluation import (
    INTERPOLATED,
    NEAREST,
    EvaluationResult,
    evaluate,
)
from ..compare.tables import PAPER
from ..errors import OutsideTraining
from ..operators import ClockedConfig
from ..simulate.suite import noble_samples
from ..store.hdf5 import Dataset
from ..surrogates.bundle import Surrogate, load
from ..training.config import TrainConfig
from ..training.fit import RECIPES, FitConfig, fit
from ..training.origin import kept_split
from ..training.split import Split
from .bench import Bench

SHOWN = tuple(PAPER["training cells"])
KEPT = (*SHOWN, "count_right", "missed_onsets", "mean_subtracted_l2")  # figures of the records
ON_CURRENTS, ON_CELLS = "held-out currents", "held-out cells"
SMOKE = "smoke run, to be quoted nowhere: "
SEED = 1  # of the training set


@dataclass(frozen=True)
class Sizes:
    """How much is trained.

    Attributes:
        cells: Training cells, at most.
        currents: Simulated per cell.
        traces: Training traces of each row, at most.
        held_out: Held-out cells, at most.
        judged: Traces of each kind on which rows are judged, at most.
        epochs: Settings of `FitConfig` -> their epochs, where they are not the recipe's.
        floor: Samples of each kind on which the floor is measured.
        smoke: Whether this is only to go through the path.
    """

    cells: int
    currents: int
    traces: int
    held_out: int
    judged: int
    epochs: Mapping[str, int] = field(default_factory=dict)
    floor: int = 40
    smoke: bool = False


ONCE = {
    f.name: 1 for f in fields(FitConfig) if isinstance(getattr(FitConfig(), f.name), TrainConfig)
}
SIZES = {
    "quick": Sizes(4, 10, 32, 1, 10, ONCE, floor=0, smoke=True),
    "small": Sizes(1000, 30, 400, 1000, 150, {"clock_training": 200, "training": 4}),
    "full": Sizes(1000, 150, 2400, 1000, 1500, floor=100),
}


@dataclass(frozen=True)
class Row:
    """One surrogate to train.

    Attributes:
        name: In the table.
        latent: Its coordinates.
        cells: Training cells, as a share of those there are.
        paper: The paper's errors, in the order of `SHOWN`.
        seed: Of the first weights and of the order of the samples.
    """

    name: str
    latent: tuple[str, ...]
    cells: float = 1.0
    paper: tuple[float, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class Judged:
    """What became of a row.

    Attributes:
        result: Its errors on `ON_CURRENTS` and `ON_CELLS`, with its rivals'.
        split: What it trained on.
        minutes: Of training, all parts together.
    """

    result: EvaluationResult
    split: Split
    minutes: float


@dataclass(frozen=True)
class Traces:
    """The training set of all rows.

    Attributes:
        path: Of the file.
        cell: Index in the study of each sample's cell, shape (n,).
        split: Of all of it.
    """

    path: Path
    cell: np.ndarray
    split: Split


def recipe(sizes: Sizes, row: Row, device: str) -> FitConfig:
    """The built-in recipe with a row's coordinates and seed, as long as `sizes` says."""
    config = replace(RECIPES["noble_clocked"], latent=row.latent)
    parts = {
        f.name: replace(getattr(config, f.name), device=device, seed=row.seed)
        for f in fields(config)
        if isinstance(getattr(config, f.name), TrainConfig)
    }
    for name, epochs in sizes.epochs.items():
        every = min(parts[name].validate_every, epochs)
        parts[name] = replace(parts[name], epochs=epochs, validate_every=every)
    if sizes.smoke:
        config = replace(config, operator=ClockedConfig(layers=1, hidden=8, modes=16))
    return replace(config, **parts)


def trained(bench: Bench, rows: Sequence[Row], sizes: Sizes) -> dict[str, Judged]:
    """Train every row and judge it; rows that are the same surrogate are trained once.

    Args:
        bench: Cells and where things are kept: each surrogate in FOLDER/trained/SCALE.
        rows: What to train.
        sizes: How much.

    Returns:
        Row's name -> its errors. The floor is measured with the last one.
    """
    known, found = traces(bench, sizes), {}
    for row in rows:
        bench.say(f"{SMOKE * sizes.smoke}{row.name}")
        floor = sizes.floor if row is rows[-1] else 0
        found[row.name] = _row(bench, known, row, sizes, floor)
    return found


def traces(bench: Bench, sizes: Sizes) -> Traces:
    """Simulated, and split before anything is trained."""
    study = bench.study
    used = {*study.training[: sizes.cells], *study.held_out[: sizes.held_out]}
    samples = [s for s in noble_samples(study, sizes.currents, SEED) if s.cell in used]
    path = bench.simulated("trained", study.cells, samples, SEED)
    held_out = {study.cells[k].name for k in study.held_out[: sizes.held_out]}
    with Dataset.open(path) as data:
        split = kept_split(data, held_out, 0, path.with_suffix("") / "split.json")
    return Traces(path, np.array([s.cell for s in samples]), split)


def part(known: Traces, cells: Sequence[int], sizes: Sizes) -> Split:
    """The part of the split that a row sees: some cells, and as many traces in all as others.

    Of each cell's training and validation traces the same share is drawn, so that what few
    cells' rows see holds what all cells' row sees of them. Of held-out currents and held-out
    cells, `sizes.judged` traces are drawn.
    """
    whole = known.split
    order = np.random.default_rng(0).permutation(len(known.cell))
    of_cells = np.isin(known.cell, list(cells))

    def drawn(name: str, mine: np.ndarray) -> list[int]:
        rows = np.isin(order, getattr(whole, name)) & mine[order]
        return [int(i) for i in order[rows]]

    own = {(n, k): drawn(n, known.cell == k) for n in ("train", "validation") for k in cells}
    share = min(1.0, sizes.traces / sum(len(own["train", k]) for k in cells))

    def few(name: str) -> tuple[int, ...]:
        counts = {k: max(1, round(share * len(own[name, k]))) for k in cells}
        return tuple(sorted(i for k in cells for i in own[name, k][: counts[k]]))

    return Split(
        train=few("train"),
        validation=few("validation"),
        test=tuple(sorted(drawn("test", of_cells)[: sizes.judged])),
        unseen=tuple(sorted(drawn("unseen", ~of_cells)[: sizes.judged])),
        seed=whole.seed,
    )


def _row(bench: Bench, known: Traces, row: Row, sizes: Sizes, floor: int) -> Judged:
    study = bench.study
    most = study.training[: sizes.cells]
    used = most[: max(2, round(row.cells * len(most)))]
    split, latents = part(known, used, sizes), study.latents(row.latent)
    told = "-".join(row.latent) if len(row.latent) < 4 else f"{len(row.latent)}-features"
    slug = f"{told or 'none'}-{len(used)}-cells-seed-{row.seed}"
    folder = bench.folder / "trained" / bench.scale / slug
    done = fit(known.path, latents, (), folder, recipe(sizes, row, bench.device), split)
    result = judged(bench, load(done.bundle, bench.device), known, split, latents, floor)
    return Judged(result, split, _minutes(folder))


def judged(
    bench: Bench,
    surrogate: Surrogate,
    known: Traces,
    split: Split,
    latents: Mapping[str, Sequence[float]],
    floor: int = 0,
) -> EvaluationResult:
    """Errors on a split's held-out currents and cells, beside those that look up its traces."""
    parts = {ON_CURRENTS: np.array(split.test), ON_CELLS: np.array(split.unseen)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideTraining)
        return evaluate(
            surrogate,
            known.path,
            latents,
            {name: which for name, which in parts.items() if len(which)},
            np.array(split.train),
            cells=bench.study.cells if floor else (),
            floor_samples=floor,
            rivals=(NEAREST, INTERPOLATED) if floor else (NEAREST,),
        )


def _minutes(folder: Path) -> float:
    logs = [path.read_text().splitlines() for path in sorted(folder.glob("*/log.jsonl"))]
    return sum(json.loads(lines[-1])["minutes"] for lines in logs if lines)
