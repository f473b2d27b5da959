"""How much of an error is chance: the same training from three seeds, beside what ships.

A seed decides the first weights and the order of the samples; traces and split are the same. The
paper gives one training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..compare.evaluation import SURROGATE
from ..training.origin import WIDE_LATENT
from ._trained import (
    ON_CURRENTS,
    SIZES,
    SMOKE,
    Judged,
    Row,
    Sizes,
    judged,
    traces,
    trained,
)
from ._trained_tables import outcome, records
from .bench import Bench
from .outcome import Outcome, finite

ROWS = tuple(Row(f"seed {seed}", WIDE_LATENT, seed=seed) for seed in (0, 1, 2))
MEAN, SPREAD, SHIPPED = "mean of the seeds", "SD over the seeds", "shipped surrogate"


def run(bench: Bench) -> Outcome:
    """One training per seed, at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(bench: Bench, sizes: Sizes, rows: tuple[Row, ...] = ROWS) -> Outcome:
    """One training per seed, their mean and spread, and the bench's surrogate on the same."""
    mark, found = SMOKE * sizes.smoke, trained(bench, rows, sizes)
    split = found[rows[0].name].split
    shipped = judged(bench, bench.surrogate, traces(bench, sizes), split, bench.latents)
    made = outcome(
        "seeds",
        rows,
        found,
        sizes,
        ON_CURRENTS,
        (
            "The same training from several seeds, and the surrogate at hand on the same traces. "
            f"{SPREAD} is that of single trainings (divided by n - 1).",
        ),
    )
    added = over_seeds(rows, found, mark) + records(SHIPPED, SURROGATE, shipped, mark)
    return replace(made, records=made.records + finite(added))


def over_seeds(rows: Sequence[Row], found: Mapping[str, Judged], mark: str = "") -> list[dict]:
    """Mean and spread of every figure of the surrogates."""
    of_each = [records("", SURROGATE, found[row.name].result, mark) for row in rows]
    kept = []
    for same in zip(*of_each, strict=True):
        values = np.array([record["value"] for record in same])
        for name, value in ((MEAN, values.mean()), (SPREAD, values.std(ddof=1))):
            kept.append({**same[0], "figure": f"{name}{same[0]['figure']}", "value": float(value)})
    return kept
