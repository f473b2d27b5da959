"""The plain operator, trained on the same traces for as long as the clocked one was.

    python benchmarks/noble_plain.py DATASET TRAINING OUT [RIVAL [MINUTES]]

DATASET and TRAINING are those of benchmarks/noble_pvalb.py, whose split and minutes count here
too. The rivals, by number, or one after the other: 0, the paper's operator by its own recipe (12
layers, two latent coordinates, Adam and ReduceLROnPlateau); 1, an operator of the clocked one's
size and latent coordinates by the modern recipe; 2, the paper's operator by the modern recipe.
Each goes on in OUT/NUMBER if killed, and the record holds those that are done, with the minutes
that each had: those of the clocked one, or fewer if said so.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from record import record

from noble_neuron.compare.evaluation import SURROGATE, evaluate
from noble_neuron.files import read_json, write_json
from noble_neuron.operators import NobleConfig
from noble_neuron.simulate.study import Study
from noble_neuron.surrogates import bundle, weights
from noble_neuron.training import TrainConfig
from noble_neuron.training.clocked import PARTS
from noble_neuron.training.fit import RECIPES, FitConfig, FitResult, fit
from noble_neuron.training.origin import WIDE_LATENT
from noble_neuron.training.split import Split

TRIAL_MINUTES = 2.0  # on which the epochs of a cosine are counted
MODERN = TrainConfig(recipe="modern", batch_size=8, lr=2e-3, clip=1.0)
RIVALS = {
    "paper's operator, paper's recipe": RECIPES["noble_fno"],
    "plain operator of the same size, modern recipe": FitConfig(
        latent=WIDE_LATENT, operator=NobleConfig(layers=4, modes=128), training=MODERN
    ),
    "paper's operator, modern recipe": replace(RECIPES["noble_fno"], training=MODERN),
}


def last(folder: Path) -> dict:
    """Last row of a training's log."""
    return json.loads((folder / "log.jsonl").read_text().splitlines()[-1])


def state(folder: Path) -> dict:
    """Steps and minutes of a training's checkpoint."""
    path = folder / "checkpoint.safetensors"
    if not path.exists():
        return {"step": 0, "minutes": 0.0}
    return json.loads(weights.read(path)[1]["scalars"])


class Rival:
    """One configuration, its folder, and the time that it has."""

    def __init__(self, dataset: Path, folder: Path, config: FitConfig, minutes: float) -> None:
        self.dataset, self.folder, self.config, self.minutes = dataset, folder, config, minutes
        self.study = Study.load("pvalb")
        self.latents = self.study.latents(config.latent)

    def train(self) -> FitResult:
        """Go on until the minutes are used up."""
        settings = self.config.training
        if settings.recipe == "modern":
            settings = replace(settings, epochs=self._epochs())
        left = max(0.01, self.minutes - state(self.folder)["minutes"])
        return self._fit(self.folder, replace(settings, max_minutes=left))

    def judge(self, done: FitResult) -> list[dict]:
        """Errors on both kinds of held-out traces."""
        parts = {"held-out currents": done.split.test, "held-out cells": done.split.unseen}
        known, surrogate = done.split.train, bundle.load(done.bundle)
        judged = evaluate(surrogate, self.dataset, self.latents, parts, known)
        print(judged.table(), flush=True)
        return [r for r in judged.records() if r["figure"].startswith(SURROGATE)]

    def _epochs(self) -> int:
        """A cosine needs its end beforehand: the epochs that fit, by a short trial."""
        note, trial = self.folder / "epochs.json", self.folder / "trial"
        if not note.exists():
            settings = replace(self.config.training, epochs=1000, max_minutes=TRIAL_MINUTES)
            self._fit(trial, settings)
            rows, spent = len(Split.read(trial / "split.json").train), state(trial)
            epoch = spent["minutes"] / spent["step"] * rows / settings.batch_size
            write_json(note, max(1, int(self.minutes / epoch)))
        return read_json(note)

    def _fit(self, folder: Path, settings: TrainConfig) -> FitResult:
        held_out = [name for name, role in self.study.roles.items() if role == "held out"]
        config = replace(self.config, training=settings)
        return fit(self.dataset, self.latents, held_out, folder, config)


def run(name: str, rival: Rival) -> None:
    """Train and judge one rival; its rows are kept in its folder."""
    done = rival.train()
    rows = [
        {**row, "figure": row["figure"].replace(SURROGATE, name, 1), "seed": done.split.seed}
        for row in rival.judge(done)
    ]
    end = last(rival.folder)
    rows += [
        {"figure": f"{name}: training", "value": end["minutes"], "unit": "min"},
        {"figure": f"{name}: epochs", "value": end["epoch"]},
    ]
    write_json(rival.folder / "rows.json", rows)


def main() -> None:
    dataset, training, out = (Path(a) for a in sys.argv[1:4])
    chosen = [int(sys.argv[4])] if sys.argv[4:] else range(len(RIVALS))
    minutes = sum(last(training / part)["minutes"] for part in PARTS)
    given = float(sys.argv[5]) if sys.argv[5:] else minutes
    for number in chosen:
        name, config = list(RIVALS.items())[number]
        run(name, Rival(dataset, out / str(number), config, given))
    rows = [{"figure": "the clocked operator: training", "value": minutes, "unit": "min"}]
    for path in (out / str(number) / "rows.json" for number in range(len(RIVALS))):
        rows += read_json(path) if path.exists() else []
    record("noble_plain", rows)


if __name__ == "__main__":
    main()
