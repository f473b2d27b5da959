"""How good a surrogate is, beside its baselines; the figures also go into its card.

    python benchmarks/noble_pvalb.py DATASET TRAINING [CELLS NAME]

DATASET is what `noble-neuron dataset` wrote, TRAINING the folder of `noble-neuron train` with
split.json and bundle/; CELLS is the ensemble or study (pvalb), NAME that of the record
(noble_pvalb). Of a built-in ensemble the bundle is then copied to the package's library, whole.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from record import record

from noble_neuron.assets import library_dir
from noble_neuron.compare.evaluation import evaluate
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.study import Study
from noble_neuron.simulate.suite import noble_samples
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.surrogates import bundle
from noble_neuron.training.clocked import PARTS
from noble_neuron.training.split import Split

FRESH, FRESH_SEED = 10, 20261201  # currents per cell
FLOOR_SAMPLES = 100  # per split, solved again at half the time step
CARD_ANSWERS = (
    "surrogate",
    "nearest training trace",
    "interpolated traces",
    "floor (full model at dt",  # the name goes on: "/2)"
)
CARD_FIGURES = (
    "spikecount_mean",
    "count_right",
    "missed_onsets",
    "mean_AP_amplitude",
    "time_to_first_spike",
    "voltage_l2",
    "mean_subtracted_l2",
    "spikecount",
    "AP1_width",
    "steady_state_voltage",
    "false_spikes",
)


def fresh(study: Study, folder: Path) -> Path:
    """New currents for all cells, drawn after everything about the surrogate was settled."""
    samples = noble_samples(study, FRESH, FRESH_SEED)
    return build_dataset(study.cells, samples, folder / "fresh.h5", seed=FRESH_SEED)


def drawn_after(study: Study, dataset: Path) -> dict[str, np.ndarray]:
    """Rows of the new currents, by whether their cell was trained on."""
    with Dataset.open(dataset) as data:
        roles = np.array([study.roles[str(name)] for name in data.table["cell"]])
        return {
            "new currents": np.intersect1d(data.ok, np.flatnonzero(roles == "training")),
            "new currents, held-out cells": np.intersect1d(
                data.ok, np.flatnonzero(roles == "held out")
            ),
        }


def minutes(training: Path) -> list[dict]:
    """How long each part of the operator trained, of those whose log is in the folder."""
    logs = {part: training / part / "log.jsonl" for part in PARTS}
    return [
        {
            "figure": f"training of the {part}",
            "value": json.loads(log.read_text().splitlines()[-1])["minutes"],
            "unit": "min",
        }
        for part, log in logs.items()
        if log.exists()
    ]


def main() -> None:
    dataset, training, *rest = (Path(a) for a in sys.argv[1:])
    cells, name = map(str, rest) if rest else ("pvalb", "noble_pvalb")
    study, split = Study.load(cells), Split.read(training / "split.json")
    surrogate = bundle.load(training / "bundle")
    new = fresh(study, training)
    rows = []
    for data, seed, parts in (
        (dataset, split.seed, {"held-out currents": split.test, "held-out cells": split.unseen}),
        (new, FRESH_SEED, drawn_after(study, new)),
    ):
        result = evaluate(
            surrogate,
            data,
            study.latents(surrogate.latent_space.names),
            parts,
            split.train,
            training_set=dataset,
            cells=study.cells,
            floor_samples=FLOOR_SAMPLES,
        )
        print(result.table(), flush=True)
        rows += [{**row, "seed": seed} for row in result.records()]
    rows += minutes(training)
    record(name, rows)
    errors = [
        row
        for row in rows
        if row["figure"].split("/")[0] in CARD_ANSWERS
        and row["figure"].split("/")[-1] in CARD_FIGURES
    ]
    if (library_dir() / cells).is_dir():
        card = replace(surrogate.card, errors=errors)
        print("written:", bundle.save(library_dir() / cells / "bundle", surrogate.model, card))


if __name__ == "__main__":
    main()
