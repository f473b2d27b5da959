"""What tells a streaming operator which cell it is: two features, eleven, or a learned point.

    python benchmarks/stream_latents.py DATASET OUT CELLS [EPOCHS]

DATASET is what `noble-neuron dataset CELLS --streaming` wrote. Three operators of
one size, seed and training (EPOCHS, 80) differ in their latent coordinates alone: I_thr and
s_thr; the wide set that ships; and a point of the wide set's size that is a weight of its own for
each training cell, begun at its features. A held-out cell has no such weight: there a ridge
regression from the features gives it, fitted to the training cells, its penalty chosen by leaving
one of them out. Judged on the training cells' test traces and on half of the held-out cells'
traces; the other half places each held-out cell where the operator answers best as it does, which
is the ceiling of any map from features. OUT keeps trainings; a killed run goes on.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from record import record
from torch import nn

from noble_neuron.features.agreement import judge
from noble_neuron.features.latent import LatentSpace
from noble_neuron.operators import OdeStream
from noble_neuron.simulate.study import Study
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.training.fit_stream import STREAM_RECIPES
from noble_neuron.training.loop import train
from noble_neuron.training.origin import WIDE_LATENT, kept_split
from noble_neuron.training.placing import place
from noble_neuron.training.streaming import StreamTask, free_run
from noble_neuron.training.streams import Streams, gather_streams
from noble_neuron.units import unit

THRESHOLDS = {"pvalb": -35.0, "vip": -30.0}  # mV; the cells' own for others
SEED = 0
CHOOSING = 0.15  # of the traces that place a held-out cell, those that choose
PENALTIES = np.logspace(-3, 3, 13)
FIGURES = {"gamma": "", "gamma_4ms": "", "count_error": "", "below_mV": "mV"}
KINDS = {
    "I_thr and s_thr": ("I_thr", "s_thr"),
    "eleven features": WIDE_LATENT,
    "learned point, from eleven features": WIDE_LATENT,
}


class Told(nn.Module):
    """An operator that is told a cell by its number; `points` are weights, or stay."""

    def __init__(self, stream: OdeStream, points: np.ndarray, learned: bool) -> None:
        super().__init__()
        self.stream, self.config = stream, stream.config
        self.points = nn.Parameter(torch.tensor(points, dtype=torch.float32), learned)

    def start(self, cell, v):
        return self.stream.start(self._of(cell), v)

    def run(self, state, cell, b, g):
        return self.stream.run(state, self._of(cell), b, g)

    def taught(self, state, cell, b, g, teaching):
        return self.stream.taught(state, self._of(cell), b, g, teaching)

    def _of(self, cell):
        return self.points[cell[:, 0].long()]


def main() -> None:
    dataset, out, cells = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    epochs = sys.argv[4] if len(sys.argv) > 4 else "80"
    study = Study.load(cells)
    parts = gathered(dataset, study, out)
    threshold = THRESHOLDS.get(cells, study.cells[0].threshold)
    rows = []
    for kind, features in KINDS.items():
        folder = out / f"{len(features)}{'_learned' if kind.startswith('learned') else ''}"
        model, space = trained(kind, study, features, parts, threshold, int(epochs), folder)
        rows += judged(kind, model, space, study, parts, threshold, folder)
        print(*rows[-12:], sep="\n", flush=True)
    rows = [{**row, "seed": SEED} for row in rows]
    record(
        f"stream_latents_{study.name}",
        [*rows, {"figure": "epochs", "value": int(epochs)}],
    )


def gathered(dataset: Path, study: Study, out: Path) -> dict[str, Streams]:
    """Traces by their part, told by their cell's number in the study."""
    number = {cell.name: k for k, cell in enumerate(study.cells)}
    with Dataset.open(dataset) as data:
        split = kept_split(data, set(held_out(study)), 0, out / "split.json")
        unseen = np.random.default_rng(SEED).permutation(split.unseen)
        half = len(unseen) // 2
        cut = half + round(CHOOSING * half)
        rows = {
            "train": split.train,
            "validation": split.validation,
            "training cells": split.test,
            "held-out cells": unseen[:half],
            "choosing": unseen[half:cut],
            "placing": unseen[cut:],
        }
        numbers = np.array([number[str(name)] for name in data.table["cell"]], np.float32)
        config = STREAM_RECIPES["stream_ode"].operator
        return {
            name: gather_streams(data, some, numbers[list(some), None], config)
            for name, some in rows.items()
        }


def held_out(study: Study) -> list[str]:
    return [name for name, role in study.roles.items() if role == "held out"]


def trained(
    kind: str,
    study: Study,
    features: tuple,
    parts: dict,
    threshold: float,
    epochs: int,
    folder: Path,
) -> tuple[Told, LatentSpace]:
    """The operator with its points, or with what was trained already."""
    known, away = study.latents(features), held_out(study)
    seen = [cell.name for cell in study.cells if cell.name not in away]
    space = LatentSpace.fit(
        features, [unit(n) for n in features], np.array([known[name] for name in seen])
    )
    points = space.encode(np.array([known[cell.name] for cell in study.cells]))
    recipe, drive = STREAM_RECIPES["stream_ode"], parts["train"]
    centred = drive.b - drive.g * recipe.operator.v_reference
    settings = replace(
        recipe.operator,
        latent_size=len(features),
        b_scale=float(centred.std(dtype=float)),
        g_scale=float(drive.g.std(dtype=float)),
    )
    torch.manual_seed(SEED)
    model = Told(OdeStream(settings), points, learned=kind.startswith("learned"))
    model.stream.compile()
    task = StreamTask(model, drive, parts["validation"], epochs, threshold, recipe.recipe)
    config = replace(recipe.training, epochs=epochs, seed=SEED, validate_every=20)
    train(model, task, config, folder)
    return model, space


def judged(
    kind: str,
    model: Told,
    space: LatentSpace,
    study: Study,
    parts: dict,
    threshold: float,
    folder: Path,
) -> list[dict]:
    """Its figures on both kinds of cells, and at the held-out cells' best points."""
    rows = said(kind, model, parts, threshold, "training cells")
    away = [cell.name in held_out(study) for cell in study.cells]
    encoded = space.encode(np.array([study.latents(space.names)[c.name] for c in study.cells]))
    points = model.points.detach().numpy().copy()
    if kind.startswith("learned"):
        points[away] = mapped(encoded, points, np.array(away))
    fill(model, points)
    rows += said(kind, model, parts, threshold)
    best = place(
        model.stream, parts["placing"], parts["choosing"], points, threshold, folder / "placed"
    )
    fill(model, np.where(np.array(away)[:, None], best, points))
    return [
        *rows,
        *said(f"{kind}: held-out cells placed by their traces", model, parts, threshold),
    ]


def mapped(features: np.ndarray, points: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Points of the cells that are away, by ridge regression of what moved on the features."""
    x, moved = features[~away], points[~away] - features[~away]
    x_mean, y_mean = x.mean(0), moved.mean(0)

    def answer(train_x, train_y, penalty, at):
        a = train_x - x_mean
        weights = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ (train_y - y_mean))
        return (at - x_mean) @ weights + y_mean

    def left_out(penalty):
        keep = ~np.eye(len(x), dtype=bool)
        errors = [answer(x[k], moved[k], penalty, x[~k]) - moved[~k] for k in keep]
        return float(np.square(errors).mean())

    penalty = min(PENALTIES, key=left_out)
    spread = float(np.square(moved - y_mean).mean())
    print(f"ridge {penalty:g}: left-out error {left_out(penalty) / spread:.3g} of the variance")
    return features[away] + answer(x, moved, penalty, features[away])


def fill(model: Told, points: np.ndarray) -> None:
    with torch.no_grad():
        model.points.copy_(torch.as_tensor(points))


def said(
    kind: str, model: Told, parts: dict, threshold: float, part: str = "held-out cells"
) -> list[dict]:
    """Figures of free runs over a part."""
    traces = parts[part]
    answer = free_run(model.eval(), traces, torch.device("cpu"))
    found = judge(answer, traces.v, traces.grid_ms, threshold)
    return [
        {
            "figure": f"{kind}/{name}",
            "value": float(found[name]),
            "unit": unit_,
            "n": len(traces),
            "split": part,
        }
        for name, unit_ in FIGURES.items()
    ]


if __name__ == "__main__":
    main()
