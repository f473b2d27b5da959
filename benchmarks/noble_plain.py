"""The plain operator, trained on the same traces for as long as the clocked one was.

    python benchmarks/noble_plain.py DATASET TRAINING OUT

DATASET and TRAINING are those of benchmarks/noble_pvalb.py, whose split and minutes count here
too. Three rivals, one after the other, each resumable in OUT/NAME: the paper's operator by its
own recipe (12 layers, two latent coordinates, Adam and ReduceLROnPlateau), the same by the
modern recipe, and an operator of the clocked one's size and latent coordinates by the modern
recipe. A cosine needs its end beforehand: the epochs that fit the minutes are measured first.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from record import record

from noble_neuron.compare.evaluation import SURROGATE, evaluate
from noble_neuron.operators import NobleConfig
from noble_neuron.simulate.study import Study
from noble_neuron.surrogates import bundle, weights
from noble_neuron.training import TrainConfig
from noble_neuron.training.fit import RECIPES, WIDE_LATENT, FitConfig, fit
from noble_neuron.training.split import Split

TRIAL_MINUTES = 2.0  # on which the epochs of a cosine are counted
MODERN = TrainConfig(recipe="modern", batch_size=8, lr=2e-3, clip=1.0)
RIVALS = {
    "paper's operator, paper's recipe": RECIPES["noble_fno"],
    "paper's operator, modern recipe": replace(RECIPES["noble_fno"], training=MODERN),
    "plain operator of the clocked one's size, modern recipe": FitConfig(
        latent=WIDE_LATENT, operator=NobleConfig(layers=4, modes=128), training=MODERN
    ),
}


def log(folder: Path) -> list[dict]:
    """Rows of a training's log."""
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def epochs_that_fit(dataset, latents, held_out, out: Path, config: FitConfig, minutes: float):
    """How many epochs of this configuration take so long on this machine."""
    note = out / "epochs.json"
    out.mkdir(parents=True, exist_ok=True)
    if not note.exists():
        trial = replace(config.training, max_minutes=TRIAL_MINUTES, epochs=1000)
        fit(dataset, latents, held_out, out / "trial", replace(config, training=trial))
        _, notes = weights.read(out / "trial" / "checkpoint.safetensors")
        state = json.loads(notes["scalars"])
        rows = len(Split.read(out / "trial" / "split.json").train)
        epoch = state["minutes"] / state["step"] * rows / config.training.batch_size
        note.write_text(json.dumps(max(1, int(minutes / epoch))))
    return json.loads(note.read_text())


def main() -> None:
    dataset, training, out = (Path(a) for a in sys.argv[1:])
    minutes = sum(log(training / part)[-1]["minutes"] for part in ("clock", "shape"))
    study, rows = Study.load("pvalb"), []
    held_out = [name for name, role in study.roles.items() if role == "held out"]
    for name, config in RIVALS.items():
        folder = out / name.replace(" ", "_").replace(",", "").replace("'", "")
        latents = study.latents(config.latent)
        timed = replace(config.training, max_minutes=minutes)
        if timed.recipe == "modern":
            count = epochs_that_fit(dataset, latents, held_out, folder, config, minutes)
            timed = replace(timed, epochs=count)
        done = fit(dataset, latents, held_out, folder, replace(config, training=timed))
        parts = {"held-out currents": done.split.test, "held-out cells": done.split.unseen}
        judged = evaluate(bundle.load(done.bundle), dataset, latents, parts, done.split.train)
        print(name, judged.table(), sep="\n", flush=True)
        rows += [
            {**row, "figure": row["figure"].replace(SURROGATE, name, 1), "seed": done.split.seed}
            for row in judged.records()
            if row["figure"].startswith(SURROGATE)
        ]
        last = log(folder)[-1]
        for figure, key, unit in (("training", "minutes", "min"), ("epochs", "epoch", "")):
            rows.append({"figure": f"{name}: {figure}", "value": last[key], "unit": unit})
    record("noble_plain", rows)


if __name__ == "__main__":
    main()
