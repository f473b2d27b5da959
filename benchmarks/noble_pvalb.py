"""How good a surrogate is, beside its baselines; the figures also go into its card.

    python benchmarks/noble_pvalb.py DATASET TRAINING [CELLS NAME]

DATASET is what `noble-neuron dataset` wrote, TRAINING the folder of `noble-neuron train` with
split.json and bundle/; CELLS is the ensemble or study (pvalb), NAME that of the record
(noble_pvalb). With CELLS left out, the bundle is then copied to the package's library, whole.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from record import record

from noble_neuron.assets import library_dir
from noble_neuron.compare.evaluation import evaluate
from noble_neuron.simulate.study import Study
from noble_neuron.surrogates import bundle
from noble_neuron.training.split import Split

FLOOR_SAMPLES = 100  # per split, solved again at half the time step
CARD_ANSWERS = (
    "surrogate",
    "nearest training trace",
    "interpolated traces",
    "floor (full model at dt",  # the name goes on: "/2)"
)
CARD_FIGURES = (
    "spikecount_mean",
    "mean_AP_amplitude",
    "time_to_first_spike",
    "voltage_l2",
    "mean_subtracted_l2",
    "spikecount",
    "AP1_width",
    "steady_state_voltage",
    "false_spikes",
)


def main() -> None:
    dataset, training, *rest = sys.argv[1:]
    cells, name = (*rest, "pvalb", "noble_pvalb")[:2] if not rest else rest
    study, split = Study.load(cells), Split.read(Path(training) / "split.json")
    surrogate = bundle.load(Path(training) / "bundle")
    result = evaluate(
        surrogate,
        dataset,
        study.latents(surrogate.latent_space.names),
        {"held-out currents": split.test, "held-out cells": split.unseen},
        split.train,
        cells=study.cells,
        floor_samples=FLOOR_SAMPLES,
    )
    print(result.table())
    rows = result.records()
    log = [
        json.loads(line)
        for part in ("clock", "shape")
        for line in (Path(training) / part / "log.jsonl").read_text().splitlines()[-1:]
    ]
    rows += [
        {"figure": f"training of the {part}", "value": row["minutes"], "unit": "min"}
        for part, row in zip(("clock", "shape"), log, strict=True)
    ]
    record(name, [{**row, "seed": split.seed} for row in rows])
    errors = [
        row
        for row in rows
        if row["figure"].split("/")[0] in CARD_ANSWERS
        and row["figure"].split("/")[-1] in CARD_FIGURES
    ]
    if not rest:
        card = replace(surrogate.card, errors=errors)
        print("written:", bundle.save(library_dir() / cells / "bundle", surrogate.model, card))


if __name__ == "__main__":
    main()
