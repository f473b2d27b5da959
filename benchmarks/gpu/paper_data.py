"""The paper-scale training set, as a program: `python benchmarks/gpu/paper_data.py FOLDER N`.

Writes FOLDER/split.json and FOLDER/pvalb.h5; killed at any moment, it goes on.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from noble_neuron.simulate.dataset import build_dataset  # noqa: E402
from noble_neuron.simulate.study import Study  # noqa: E402
from noble_neuron.simulate.suite import noble_samples  # noqa: E402
from noble_neuron.training.split import split_samples  # noqa: E402

HELD_OUT = 0.05  # share of currents that validate, and again of those that test
UNSEEN = 0.05  # samples of the held-out cells, per training sample
SEED = 0


def make(folder: Path, n: int) -> None:
    """Draw and simulate at least `n` training samples, and what judges them."""
    study = Study.load("pvalb")
    per_cell = math.ceil(n / (1 - 2 * HELD_OUT) / len(study.training))
    few = max(1, round(UNSEEN * n / len(study.held_out)))
    # A cell's steps come in two kinds, one after the other: every so-manyth is of both.
    judged = set(np.linspace(0, per_cell - 1, min(few, per_cell)).round().astype(int).tolist())
    samples = [
        sample
        for k, sample in enumerate(noble_samples(study, per_cell, SEED))
        if sample.cell not in study.held_out or k % per_cell in judged
    ]
    split = split_samples(
        [sample.cell for sample in samples],
        [sample.protocol.stimuli[0].amplitude for sample in samples],
        set(study.held_out),
        SEED,
        validation=HELD_OUT,
        test=HELD_OUT,
    )
    split.write(folder / "split.json")
    build_dataset(study.cells, samples, folder / "pvalb.h5", seed=SEED)


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
