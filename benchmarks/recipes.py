"""The shipped operator's voltage by the paper's recipe, for as long as it was trained by ours.

    python benchmarks/recipes.py DATASET TRAINING OUT

DATASET and TRAINING are those of benchmarks/noble_pvalb.py; both trainings see the same traces
under the same split, from the same first weights. The paper's recipe (batches of 32, Adam at
0.004, ReduceLROnPlateau by 0.4 after 4 epochs) has the minutes that TRAINING/shape had, and goes
on in OUT if killed. What is compared is the score on the validation traces, the loss itself.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from record import record

from noble_neuron.simulate.study import Study
from noble_neuron.training import TrainConfig
from noble_neuron.training.fit import RECIPES, fit
from noble_neuron.training.split import Split

OURS, PAPERS = "modern recipe", "paper's recipe"


def curve(folder: Path) -> list[dict]:
    """One row per validation."""
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def papers(dataset: Path, out: Path, minutes: float) -> Path:
    """Train by the paper's recipe; returns the folder of the log."""
    study, config = Study.load("pvalb"), RECIPES["noble_clocked"]
    done = curve(out / "shape")[-1]["minutes"] if (out / "shape" / "log.jsonl").exists() else 0.0
    config = replace(
        config,
        training=TrainConfig(seed=config.training.seed, max_minutes=max(0.01, minutes - done)),
        clock_training=TrainConfig(epochs=1),  # the voltage is trained on the true spike times
    )
    held_out = [name for name, role in study.roles.items() if role == "held out"]
    fit(dataset, study.latents(config.latent), held_out, out, config)
    return out / "shape"


def rows(curves: dict[str, list[dict]]) -> list[dict]:
    """Best of each, and when each first was as good as the other's best."""
    best = {name: min(curve, key=lambda row: row["score"]) for name, curve in curves.items()}
    found = []
    for name, other in ((OURS, PAPERS), (PAPERS, OURS)):
        top, bar = best[name], best[other]["score"]
        reached = [row["minutes"] for row in curves[name] if row["score"] <= bar]
        found += [
            {"figure": f"{name}: time given", "value": curves[name][-1]["minutes"], "unit": "min"},
            {"figure": f"{name}: epochs", "value": curves[name][-1]["epoch"]},
            {"figure": f"{name}: best validation loss", "value": top["score"]},
            {"figure": f"{name}: RMSE there", "value": top["rmse_mV"], "unit": "mV"},
            {"figure": f"{name}: error at the peaks there", "value": top["peak_mV"], "unit": "mV"},
        ]
        if reached:
            row = {"figure": f"{name}: time to the best of the {other}", "value": reached[0]}
            found.append({**row, "unit": "min"})
    return found


def main() -> None:
    dataset, training, out = (Path(a) for a in sys.argv[1:])
    ours = curve(training / "shape")
    theirs = curve(papers(dataset, out, ours[-1]["minutes"]))
    split = Split.read(training / "split.json")
    common = {"split": "validation", "seed": split.seed, "n": len(split.validation)}
    record("recipes", [{**row, **common} for row in rows({OURS: ours, PAPERS: theirs})])


if __name__ == "__main__":
    main()
