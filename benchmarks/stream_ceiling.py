"""How far the latent space reaches: held-out cells of `pvalb` at their best latent points.

    python benchmarks/stream_ceiling.py DATASET TRAINING

DATASET and TRAINING are those of `stream_pvalb.py`. The points of the ten held-out cells are
optimised on the cells' own traces in DATASET, which the operator never saw, and judged on
TRAINING/fresh.h5, beside the points that their features give. That is the ceiling of any better
choice of features; a killed run goes on.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from record import record
from stream_pvalb import SEED, rows_of

from noble_neuron.compare.streaming import evaluate_streaming
from noble_neuron.features.latent import LatentSpace
from noble_neuron.simulate.study import Study
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.surrogates import bundle
from noble_neuron.surrogates.stream import StreamSurrogate
from noble_neuron.training.placing import place
from noble_neuron.training.split import Split
from noble_neuron.training.streams import gather_streams

CHOOSING = 0.15  # share of the traces that choose among the points


def main() -> None:
    dataset, training = (Path(a) for a in sys.argv[1:3])
    study, surrogate = Study.load("pvalb"), bundle.load_stream(training / "bundle")
    space = surrogate.card.latent_space
    known = study.latents(space.names)
    names = [name for name, role in study.roles.items() if role == "held out"]
    unseen = Split.read(training / "split.json").unseen
    best = placed(dataset, unseen, surrogate, names, known, training / "placed")
    rows = rows_of(study, training / "fresh.h5", surrogate.threshold)["held-out cells"]
    found = []
    for said, latents in (
        ("latent from features", known),
        ("latent optimised on the cell's own traces", {**known, **best}),
    ):
        result = evaluate_streaming(
            surrogate, training / "fresh.h5", latents, {"held-out cells": rows}
        )
        print(said, result.table(), sep="\n", flush=True)
        for row in result.records():
            found.append({**row, "figure": row["figure"].replace("surrogate", said), "seed": SEED})
    found += [
        {**row, "n": len(names), "split": "held-out cells"} for row in moved(space, best, known)
    ]
    record("stream_ceiling", found)


def placed(
    dataset: Path,
    unseen: tuple[int, ...],
    surrogate: StreamSurrogate,
    names: list[str],
    known: dict,
    out: Path,
) -> dict[str, np.ndarray]:
    """Best point of each cell, physical units."""
    space, stream = surrogate.card.latent_space, surrogate.model
    with Dataset.open(dataset) as data:
        rows = np.random.default_rng(SEED).permutation([int(i) for i in unseen])
        cells = np.array([[names.index(str(data.table["cell"][i]))] for i in rows], np.float32)
        cut = round(CHOOSING * len(rows))
        choosing, moving = (
            gather_streams(data, rows[part], cells[part], stream.config)
            for part in (slice(cut), slice(cut, None))
        )
    stream.compile()
    start = space.encode(np.array([known[name] for name in names]))
    points = place(stream, moving, choosing, start, surrogate.threshold, out)
    return dict(zip(names, space.decode(points), strict=True))


def moved(space: LatentSpace, best: dict, known: dict) -> list[dict]:
    """How far each coordinate went."""
    ends = (space.encode(np.array([table[name] for name in best])) for table in (best, known))
    change = np.abs(np.subtract(*ends)).mean(axis=0)
    return [
        {"figure": f"mean shift of {name}", "value": value, "unit": "of 3 encoded"}
        for name, value in zip(space.names, change, strict=True)
    ]


if __name__ == "__main__":
    main()
