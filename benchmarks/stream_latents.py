"""What tells a streaming operator its cell: two features, eleven, or an embedding it learns.

    python benchmarks/stream_latents.py DATASET OUT [EPOCHS VARIANTS]

DATASET is what `noble-neuron dataset pvalb --streaming` wrote. The same dense operator is trained
on the same traces for as many EPOCHS (500) by each of VARIANTS (comma-separated numbers; all), one
thread, one seed. An embedding gives each training cell a vector of its own, as wide as the first
layer; a held-out cell gets one from its features, by a Gaussian process over the training cells
whose two numbers are chosen by leaving each training cell out. Judged by free runs over test
traces of the training cells and over all traces of the held-out cells. Killed, the same command
goes on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from record import RESULTS, record
from stream_rivals import THRESHOLD, figures, print_table

from noble_neuron.operators import DenseConfig, DenseStream
from noble_neuron.simulate.study import Study
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.training import TrainConfig, train
from noble_neuron.training.origin import WIDE_LATENT, kept_split
from noble_neuron.training.split import Split
from noble_neuron.training.streaming import StreamTask, free_run
from noble_neuron.training.streams import Streams, gather_streams

EPOCHS = 500
TRAINING = TrainConfig(
    recipe="modern", batch_size=64, lr=3e-3, warmup=0.02, clip=0.3, ema=0.995, checkpoint_minutes=2
)
NAMES = ("I_thr and s_thr", "eleven features", "a learned embedding")
SIZE = 2.0  # of a cell's own coordinate in the embedding, in units of a feature's
LENGTHS, NOISES = (2.0, 3.0, 5.0, 8.0, 13.0), (1e-3, 1e-2, 0.1, 0.3, 1.0)


def main() -> None:
    path, out, *rest = sys.argv[1:]
    epochs = int(rest[0]) if rest else EPOCHS
    chosen = [int(k) for k in rest[1].split(",")] if len(rest) > 1 else range(len(NAMES))
    torch.set_num_threads(1)
    out = Path(out)
    study = Study.load("pvalb")
    held_out = {name for name, role in study.roles.items() if role == "held out"}
    with Dataset.open(path) as data:
        split = kept_split(data, held_out, 0, out / "split.json")
        for k in chosen:
            rows = judged(NAMES[k], study, data, split, epochs, out / f"variant{k}")
            print_table(rows)
            kept = RESULTS / "stream_latents.json"
            others = json.loads(kept.read_text()) if kept.exists() else []
            others = [r for r in others if r["figure"].split("/")[0] != NAMES[k]]
            record("stream_latents", [*others, *rows])


def judged(
    name: str, study: Study, data: Dataset, split: Split, epochs: int, folder: Path
) -> list[dict]:
    """Train one variant, and its figures."""
    points = coordinates(name, study)
    parts = {
        part: streams(data, rows, points)
        for part, rows in (("train", split.train), ("validation", split.validation))
    }
    size = parts["train"].latent.shape[1]
    config = DenseConfig(
        latent_size=size,
        memory=128,
        width=256,
        b_scale=float((parts["train"].b + 75 * parts["train"].g).std(dtype=float)),
        g_scale=float(parts["train"].g.std(dtype=float)),
    )
    torch.manual_seed(0)
    stream = DenseStream(config)
    training = replace(TRAINING, epochs=epochs, validate_every=max(1, epochs // 6))
    task = StreamTask(stream, parts["train"], parts["validation"], epochs, THRESHOLD)
    result = train(stream, task, training, folder)
    if name == NAMES[2]:
        points = {**points, **placed(stream, study)}
    found = []
    for said, rows in (("test", split.test), ("held-out cells", split.unseen)):
        part = streams(data, rows, points)
        answer = free_run(stream.eval(), part, torch.device("cpu"))
        found += [{**r, "split": said, "seed": 0} for r in figures(name, answer, part)]
    found.append({"figure": f"{name}/training", "value": result.minutes, "unit": "min", "seed": 0})
    return found


def streams(data: Dataset, rows: tuple[int, ...], points: Mapping[str, np.ndarray]) -> Streams:
    latent = np.array([points[str(data.table["cell"][i])] for i in rows], dtype=np.float32)
    return gather_streams(data, rows, latent, DenseConfig())


def coordinates(name: str, study: Study) -> dict[str, np.ndarray]:
    """Encoded latent point of each cell; of an embedding, of the training cells alone."""
    if name == NAMES[2]:
        own = encoded(np.eye(len(study.training)))
        return {study.cells[i].name: row for i, row in zip(study.training, own, strict=True)}
    table = features(study, WIDE_LATENT[:2] if name == NAMES[0] else WIDE_LATENT)
    return {cell.name: 2 + 0.75 * row for cell, row in zip(study.cells, table, strict=True)}


def encoded(weights: np.ndarray) -> np.ndarray:
    """Shares of the training cells' own vectors, as the operator takes a latent point."""
    return 2 + 0.75 * SIZE * weights


def features(study: Study, names: tuple[str, ...]) -> np.ndarray:
    """Features of all cells, standardised over the training cells, shape (cells, names)."""
    known = study.latents(names)
    table = np.array([known[cell.name] for cell in study.cells])
    of_training = table[list(study.training)]
    return (table - of_training.mean(0)) / of_training.std(0)


def placed(stream: DenseStream, study: Study) -> dict[str, np.ndarray]:
    """Held-out cells among the training cells' vectors, by their features."""
    table = features(study, WIDE_LATENT)
    known, new = table[list(study.training)], table[list(study.held_out)]
    vectors = stream.into.weight.detach().numpy()[:, -len(known) :].T.astype(float)
    centred = vectors - vectors.mean(0)
    best = min(
        (left_out(kernel(known, known, length), noise, centred), length, noise)
        for length in LENGTHS
        for noise in NOISES
    )
    print("share of the vectors' variance missed, length, noise:", best, flush=True)
    _, length, noise = best
    inverse = np.linalg.inv(kernel(known, known, length) + noise * np.eye(len(known)))
    shares = kernel(new, known, length) @ inverse
    shares += (1 - shares.sum(1, keepdims=True)) / len(known)
    rows = encoded(shares)
    return {study.cells[i].name: row for i, row in zip(study.held_out, rows, strict=True)}


def kernel(a: np.ndarray, b: np.ndarray, length: float) -> np.ndarray:
    """exp(-|a - b|^2 / (2 length^2)), shape (len(a), len(b))."""
    return np.exp(-np.square(a[:, None] - b).sum(-1) / (2 * length**2))


def left_out(k: np.ndarray, noise: float, vectors: np.ndarray) -> float:
    """Share of the variance that is missed when each cell is left out (Rasmussen & Williams
    2006, equation 5.12)."""
    inverse = np.linalg.inv(k + noise * np.eye(len(k)))
    missed = (inverse @ vectors) / np.diag(inverse)[:, None]
    return float(np.square(missed).sum() / np.square(vectors).sum())


if __name__ == "__main__":
    main()
