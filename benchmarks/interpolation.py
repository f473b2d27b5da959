"""Between two models: the surrogate's in-between beside that of the channel parameters (fig. 4B).

    python benchmarks/interpolation.py OUT

Sixteen cells whose parameters lie half way between those of two training models of `pvalb` are
run in NEURON on new currents of their own. Answers to the same currents: the surrogate at each
cell's measured features; the surrogate half way between the features of the parents, which is
what one would ask without the cell; the parent whose features are nearer; and the cell itself at
half its time step. OUT keeps simulations, so that a killed run goes on.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from record import record

from noble_neuron.cells.mixed import mixed
from noble_neuron.compare import metrics
from noble_neuron.reproduce.outcome import group_records
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.plan import Sample
from noble_neuron.simulate.study import Study, measure
from noble_neuron.simulate.suite import noble_samples
from noble_neuron.store.decimate import FACTOR
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.surrogates import bundle

PAIRS, CURRENTS, SEED = 16, 12, 20261130
STEP = (15.0, 415.0)  # ms, onset and offset
SPLIT = "cells half way between two training models"


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    family, surrogate = Study.load("pvalb"), bundle.load("pvalb")
    space = surrogate.latent_space
    parents = pairs(family)
    study = between(family, parents, out)
    samples = noble_samples(study, CURRENTS, SEED)
    truth = voltages(study, samples, out / "truth.h5")
    known = family.latents(space.names)
    ends = np.array([[known[family.cells[i].name] for i in pair] for pair in parents])
    own = np.array([study.latents(space.names)[cell.name] for cell in study.cells])
    which = np.array([s.cell for s in samples])
    nearer = [
        pair[int(np.linalg.norm(space.encode(two) - space.encode(one), axis=1).argmin())]
        for pair, two, one in zip(parents, ends, own, strict=True)
    ]
    of_parent = [Sample(nearer[s.cell], s.protocol, s.seed) for s in samples]
    half = tuple(replace(cell, dt=cell.dt / 2) for cell in study.cells)
    answers = {
        "surrogate, its features": predicted(surrogate, samples, own[which], truth),
        "surrogate, half way between the parents'": predicted(
            surrogate, samples, ends.mean(1)[which], truth
        ),
        "nearer parent": voltages(family, of_parent, out / "parents.h5"),
        "floor (full model at dt/2)": voltages(
            replace(study, cells=half), samples, out / "half.h5", 2
        ),
    }
    true = metrics.features(truth, surrogate.card.dt, np.array(STEP), surrogate.threshold)
    rows = []
    for name, answer in answers.items():
        found = metrics.features(answer, surrogate.card.dt, np.array(STEP), surrogate.threshold)
        groups = metrics.score(answer, truth, found, true, STEP[1] - STEP[0])
        rows += group_records(name, groups, SPLIT)
        print(name, json.dumps(groups["firing"].values, default=str), flush=True)
    outside = int((space.distance(own) > 0).sum())
    rows.append({"figure": "cells outside the features' hull", "value": outside, "n": len(own)})
    record("interpolation", [{"split": SPLIT, "seed": SEED, **row} for row in rows])


def pairs(family: Study) -> list[tuple[int, int]]:
    """Pairs of training models, drawn by seed."""
    draw = np.random.default_rng(SEED)
    return [tuple(map(int, draw.choice(family.training, 2, replace=False))) for _ in range(PAIRS)]


def between(family: Study, parents: list[tuple[int, int]], out: Path) -> Study:
    """The cells half way, with their features; measured once."""
    path = out / "study.json"
    if not path.exists():
        cells = [
            mixed(family.cells[a], family.cells[b], 0.5, f"{family.cells[a].name}+{b}")
            for a, b in parents
        ]
        high = max(features["measured_to"] for features in family.features)
        study = measure("half way", cells, high=high, step=0.1, keep=out / "study.part.jsonl")
        if len(study.cells) < len(cells):
            raise SystemExit(f"{len(cells) - len(study.cells)} cells could not be characterised.")
        study.save(path)
    return Study.load(path)


def voltages(study: Study, samples: list[Sample], path: Path, finer: int = 1) -> np.ndarray:
    """Full simulations on the surrogate's grid, float32, shape (samples, steps)."""
    with Dataset.open(build_dataset(study.cells, samples, path, seed=SEED)) as data:
        if len(data.ok) < len(samples):
            raise SystemExit(f"{len(samples) - len(data.ok)} simulations failed.")
        return np.asarray(data.decimated(FACTOR * finer).voltage(range(len(samples))))


def predicted(surrogate, samples: list[Sample], latent: np.ndarray, truth: np.ndarray):
    """The surrogate's voltages, of the truth's shape."""
    dt = surrogate.card.dt
    middles = (np.arange(truth.shape[1]) + 0.5) * dt
    current = np.array([s.protocol.current(middles) for s in samples])
    return surrogate.predict(current, latent, dt)


if __name__ == "__main__":
    main()
