"""A streaming surrogate of one published human PV cell, beside AdEx and the floor.

    python benchmarks/stream_hl23pv.py PARAMETERS OUT [OPERATORS] [SEEDS] [--alone]

OPERATORS (stream_ode) and SEEDS of the training (0,1,2) are comma-separated; "1+" is training 1
and another one from where it ended. With --alone AdEx and floor are not measured again, but are as
in an earlier record on the same stimuli. PARAMETERS is the cell's HL23PV_params.json (its SWC
beside it); OUT keeps study, training set, trainings and judgement, so that a killed run goes on.
The weights stay there: the cell may not be given away, nor what was trained on it. Judged on new
stimuli of 1.5 s drawn by another seed, as `stream_pvalb.py` judges those of `pvalb`.
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

TRACES, SEED = 900, 7  # of 1 s, to train on
RATE = 130.0  # Hz, what steps reach; at 1.7 I_thr this cell fires at less than half of that
JUDGED, JUDGED_SEED = 320, 20261125
TOP, STEP = 0.65, 0.05  # nA, of the F-I curve
TRAININGS = {  # operator -> epochs, batch, learning rate
    "stream_dense": (640, 64, 3e-3),
    "stream_ode": (500, 16, 1.5e-3),
}
ONCE_MORE = 900, 64, 1.5e-3
MOST_PASSED_BACK = 1.0  # of one cell gradients explode more rarely than of fifty
THRESHOLD = -20.0  # mV; under strong shunts spikes stay below the usual 0 mV
FLOOR_SAMPLES = 100


def main() -> None:
    given = [a for a in sys.argv[1:] if a != "--alone"]
    parameters, out = (Path(a) for a in given[:2])
    operators, seeds = ([*given[2:], *("stream_ode", "0,1,2")[len(given) - 2 :]])[:2]
    study = studied(parameters, out)
    samples = streaming_samples(study, TRACES, SEED, rate=RATE)
    dataset = build_dataset(study.cells, samples, out / "traces.h5", seed=SEED)
    samples = streaming_samples(study, JUDGED, JUDGED_SEED, DURATION, RATE)
    new = build_dataset(study.cells, samples, out / "fresh.h5", seed=JUDGED_SEED)
    rows = []
    for operator in operators.split(","):
        for seed in seeds.split(","):
            folder = trained(study, dataset, operator, seed, out)
            beside = not rows and "--alone" not in sys.argv
            rows += judged(study, dataset, new, folder, beside)
    record("stream_hl23pv", rows)


def trained(study: Study, dataset: Path, operator: str, seed: str, out: Path) -> Path:
    """Train an operator, or go on with it; its folder."""
    start = None
    if seed.endswith("+"):
        start = str(trained(study, dataset, operator, seed[:-1], out) / "bundle")
    recipe, (epochs, batch, lr) = STREAM_RECIPES[operator], TRAININGS[operator]
    if start:
        epochs, batch, lr = ONCE_MORE
    training = replace(
        recipe.training, epochs=epochs, batch_size=batch, lr=lr, seed=int(seed.rstrip("+"))
    )
    taught = replace(recipe.recipe, passed_back=MOST_PASSED_BACK)
    config = replace(recipe, training=training, recipe=taught, threshold=THRESHOLD, start=start)
    folder = out / f"{operator}_{seed}"
    fit_stream(dataset, study.latents(()), (), folder, config)
    return folder


def judged(study: Study, dataset: Path, new: Path, folder: Path, beside: bool) -> list[dict]:
    """Its figures on the new stimuli; where asked, the AdEx and the floors beside."""
    surrogate = bundle.load_stream(folder / "bundle")
    rows = rows_of(study, new, surrogate.threshold)["training cells"]
    models = fitted(dataset, [study.cells[0].name], surrogate, folder.parent / "adex.json")
    adex = {"AdEx": lambda some: adex_voltages(models, new, some, surrogate)}
    result = evaluate_streaming(
        surrogate,
        new,
        study.latents(()),
        {"new stimuli": rows},
        cells=study.cells if beside else (),
        rivals=adex if beside else {},
        floor_samples=FLOOR_SAMPLES,
    )
    print(folder.name, result.table(), sep="\n", flush=True)
    log = json.loads((folder / "stream" / "log.jsonl").read_text().splitlines()[-1])
    found = [
        *result.records(),
        *(closeness(result) if beside else ()),
        {"figure": "surrogate/training", "value": log["minutes"], "unit": "min"},
    ]
    if beside:
        found.append({"figure": "AdEx/evaluations", "value": EVALUATIONS, "n": 1})
    operator, _, seed = folder.name.removeprefix("stream_").rpartition("_")
    said = f"surrogate, {operator}, training {seed}"
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
