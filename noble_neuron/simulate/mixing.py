"""More cells to learn from: mixtures of the training models of a study."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

import numpy as np

from ..cells.mixed import mixed
from ..cells.spec import HofCell
from ..errors import InputError
from .study import Study, measure

BEYOND = 0.25  # how far a mixture may reach beyond its parents, as a share of their distance
STEP = 0.1  # nA, of its F-I curve: coarse, for no latent coordinate is read off that
log = logging.getLogger(__name__)


def mixtures(study: Study, number: int, seed: int) -> list[HofCell]:
    """Cells between and around pairs of the study's training models, drawn by seed.

    Held-out models are parents of none.

    Args:
        study: A family with at least two training models.
        number: How many.
        seed: Of the draw; the first cells of a longer list are those of a shorter one.
    """
    if number < 1 or len(study.training) < 2:
        raise InputError(
            f"Mixtures need at least 1 cell to make and 2 training models: asked for {number} "
            f"from {len(study.training)} of {study.name}."
        )
    draw = np.random.default_rng(seed)
    cells = []
    for k in range(number):
        one, other = (study.cells[i] for i in draw.choice(study.training, 2, replace=False))
        share = float(draw.uniform(-BEYOND, 1 + BEYOND))
        cells.append(mixed(one, other, share, f"{study.name}/mix{k}"))
    return cells


def mix(
    study: Study,
    number: int,
    seed: int = 0,
    *,
    workers: int | None = None,
    told: Callable[[str], None] = log.warning,
    keep: str | os.PathLike | None = None,
) -> Study:
    """The study with mixtures of its training models as further training cells.

    Their features are measured over the same range as those of the models, on a coarser F-I
    curve (I_block, max_rate and I_at_max are as coarse). A mixture that lacks a feature which
    all training models have, because it fires at rest or in bursts alone, say, is left out and
    told.

    Args:
        study: Models with their features; its held-out models stay what they are.
        number: How many mixtures to make.
        seed: Of the draw.
        workers: Processes; one per core by default.
        told: Hears of every mixture that is left out.
        keep: JSON-lines file for each mixture's features as they come.
    """
    high = max(study.features[k].get("measured_to", 1.0) for k in study.training)
    new = measure(
        f"mixtures of {study.name}",
        mixtures(study, number, seed),
        high=high,
        step=STEP,
        workers=workers,
        told=told,
        keep=keep,
    )
    needed = [
        name
        for name in study.features[0]
        if all(np.isfinite(study.features[k].get(name, np.nan)) for k in study.training)
    ]
    kept = []
    for k, cell in enumerate(new.cells):
        lacking = [name for name in needed if not np.isfinite(new.features[k].get(name, np.nan))]
        if lacking:
            told(f"{cell.name} left out: it has no {', '.join(lacking)}.")
        else:
            kept.append(k)
    return Study(
        study.name,
        (*study.cells, *(new.cells[k] for k in kept)),
        (*study.features, *(new.features[k] for k in kept)),
        study.held_out,
    )
