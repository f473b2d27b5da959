"""The whole line on a published hall of fame: Allen all-active models of one recorded cell.

    python benchmarks/noble_allen.py FOLDER OUT

FOLDER holds hof/*.json, reconstruction.swc and experimental_features.json of the recorded cell;
OUT keeps study, training set and training, so that a killed run goes on. The weights stay
there: the models may not be given away, nor what was trained on them.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from record import record

from noble_neuron.cells.allen import load_allen
from noble_neuron.compare.evaluation import evaluate
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.study import Study, measure
from noble_neuron.simulate.suite import noble_samples
from noble_neuron.surrogates import bundle
from noble_neuron.training.fit import RECIPES, fit

HELD_OUT, PER_CELL, SEED = 8, 25, 1
TOP, STEP = 0.8, 0.05  # nA, of the F-I curves
SHAPE_EPOCHS = 60  # the set is small: more passes than the recipe's
FLOOR_SAMPLES = 30


def studied(folder: Path, out: Path) -> Study:
    """F-I curves and features of all models, measured once."""
    path = out / "study.json"
    if not path.exists():
        cells = load_allen(folder)
        measure(
            cells[0].ensemble,
            cells,
            held_out=HELD_OUT,
            seed=SEED,
            high=TOP,
            step=STEP,
            keep=out / "study.part.jsonl",
        ).save(path)
    return Study.load(path)


def against_the_recording(study: Study, folder: Path, shift: float) -> list[dict]:
    """The family's character beside the recorded cell's, in the models' millivolts."""
    recorded = json.loads((folder / "experimental_features.json").read_text())
    values = {k: v["value"] for k, v in recorded["allen_sdk_features"].items()}
    pairs = (
        ("I_thr", "nA", values["threshold_i_long_square"] / 1e3),
        ("s_thr", "Hz/nA", values["f_i_curve_slope"] * 1e3),
        ("resting_voltage", "mV", values["vrest"] + shift),
        ("input_resistance", "MOhm", values["ri"]),
    )
    rows = []
    for name, unit, value in pairs:
        own = np.array([f[name] for f in study.features])
        rows.append({"figure": f"recorded cell/{name}", "value": value, "unit": unit, "n": 1})
        for what, figure in (
            ("mean", own.mean()),
            ("SD", own.std(ddof=1)),
            ("smallest", own.min()),
            ("largest", own.max()),
        ):
            rows.append(
                {
                    "figure": f"models/{name}, {what}",
                    "value": float(figure),
                    "unit": unit,
                    "n": len(own),
                }
            )
    return rows


def main() -> None:
    folder, out = (Path(a) for a in sys.argv[1:])
    study = studied(folder, out)
    data = build_dataset(
        study.cells, noble_samples(study, PER_CELL, SEED), out / "data.h5", seed=SEED
    )
    recipe = RECIPES["noble_clocked"]
    recipe = replace(recipe, training=replace(recipe.training, epochs=SHAPE_EPOCHS))
    latents = study.latents(recipe.latent)
    held_out = [name for name, role in study.roles.items() if role == "held out"]
    result = fit(data, latents, held_out, out / "training", recipe)
    parts = {"held-out currents": result.split.test, "held-out cells": result.split.unseen}
    judged = evaluate(
        bundle.load(result.bundle),
        data,
        latents,
        parts,
        result.split.train,
        cells=study.cells,
        floor_samples=FLOOR_SAMPLES,
    )
    print(judged.table())
    shift = study.cells[0].junction_potential
    rows = judged.records() + against_the_recording(study, folder, shift)
    record("noble_" + study.name, [{**row, "seed": SEED} for row in rows])


if __name__ == "__main__":
    main()
