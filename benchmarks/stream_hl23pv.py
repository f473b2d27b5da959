"""A streaming surrogate of one published human PV cell, beside AdEx and the floor.

    python benchmarks/stream_hl23pv.py PARAMETERS OUT

PARAMETERS is the cell's HL23PV_params.json (its SWC beside it); OUT keeps study, training set,
training and judgement, so that a killed run goes on. The weights stay there: the cell may not be
given away, nor what was trained on it. Judged on new stimuli of 1.5 s drawn by another seed, as
`stream_pvalb.py` judges those of `pvalb`.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from record import record
from stream_pvalb import DURATION, EVALUATIONS, adex_voltages, closeness, fitted, rows_of

from noble_neuron.cells.hl23 import load_hl23
from noble_neuron.compare.streaming import evaluate_streaming
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.study import Study, measure
from noble_neuron.simulate.suite import streaming_samples
from noble_neuron.surrogates import bundle
from noble_neuron.training.fit_stream import STREAM_RECIPES, fit_stream

TRACES, SEED = 1080, 7  # of 1 s, to train on
JUDGED, JUDGED_SEED = 320, 20261125
TOP, STEP = 0.65, 0.05  # nA, of the F-I curve
TRAININGS = {  # operator -> epochs, learning rate
    "stream_dense": (900, 3e-3),
    "stream_ode": (1500, 2e-3),
}
THRESHOLD = -20.0  # mV; under strong shunts spikes stay below the usual 0 mV
FLOOR_SAMPLES = 100


def main() -> None:
    parameters, out = (Path(a) for a in sys.argv[1:3])
    study = studied(parameters, out)
    samples = streaming_samples(study, TRACES, SEED)
    dataset = build_dataset(study.cells, samples, out / "traces.h5", seed=SEED)
    rows = []
    for operator in sys.argv[3].split(",") if sys.argv[3:] else TRAININGS:
        rows += judged(study, dataset, operator, out)
    record("stream_hl23pv", rows)


def judged(study: Study, dataset: Path, operator: str, out: Path) -> list[dict]:
    """Train an operator, and its figures on the new stimuli, beside the AdEx and the floors."""
    recipe, (epochs, lr) = STREAM_RECIPES[operator], TRAININGS[operator]
    training = replace(recipe.training, epochs=epochs, lr=lr)
    config = replace(recipe, training=training, threshold=THRESHOLD)
    result = fit_stream(dataset, study.latents(()), (), out / operator, config)
    surrogate = bundle.load_stream(result.bundle)
    samples = streaming_samples(study, JUDGED, JUDGED_SEED, DURATION)
    new = build_dataset(study.cells, samples, out / "fresh.h5", seed=JUDGED_SEED)
    rows = rows_of(study, new, surrogate.threshold)["training cells"]
    models = fitted(dataset, [study.cells[0].name], surrogate, out / "adex.json")
    judged = evaluate_streaming(
        surrogate,
        new,
        study.latents(()),
        {"new stimuli": rows},
        cells=study.cells,
        rivals={"AdEx": lambda some: adex_voltages(models, new, some, surrogate)},
        floor_samples=FLOOR_SAMPLES,
    )
    print(operator, judged.table(), sep="\n", flush=True)
    log = json.loads((out / operator / "stream" / "log.jsonl").read_text().splitlines()[-1])
    found = [
        *judged.records(),
        *closeness(judged),
        {"figure": "surrogate/training", "value": log["minutes"], "unit": "min"},
        {"figure": "AdEx/evaluations", "value": EVALUATIONS, "n": 1},
    ]
    said = operator.replace("stream_", "surrogate, ")
    return [
        {**row, "figure": row["figure"].replace("surrogate", said), "seed": JUDGED_SEED}
        for row in found
    ]


def studied(parameters: Path, out: Path) -> Study:
    """The cell's F-I curve and features, measured once."""
    path = out / "study.json"
    if not path.exists():
        out.mkdir(parents=True, exist_ok=True)
        measure("HL23PV", [load_hl23(parameters)], high=TOP, step=STEP).save(path)
    return Study.load(path)


if __name__ == "__main__":
    main()
