"""How good a streaming surrogate is by itself, beside AdEx fits and the floor.

    python benchmarks/stream_pvalb.py DATASET TRAINING [CELLS NAME] [--rate RATE]
                                      [--of-each 10] [--per-cell 40] [--beside OTHER] [--ship]

DATASET is what `noble-neuron dataset --streaming` wrote, with the same --rate, TRAINING the folder
of `noble-neuron train --operator stream_ode`; CELLS is the ensemble or study (pvalb), NAME that of
the record (stream_pvalb). Judged are ten held-out cells and ten of the training cells, drawn by
seed, on new stimuli of 1.5 s that are drawn here: those that make the cell fire at 5 to 60 Hz, and
those that leave it silent. An AdEx is fitted to each of the twenty on the cell's own traces in
DATASET. Fits and simulations are kept in TRAINING; killed, the same command goes on. With --ship,
the bundle and its errors are then copied to the package's library.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from record import record

from noble_neuron.assets import library_dir
from noble_neuron.compare import adex
from noble_neuron.compare.streaming import StreamResult, evaluate_streaming
from noble_neuron.features.spiketrain import spike_times
from noble_neuron.files import read_json, write_json
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.study import Study
from noble_neuron.simulate.suite import noble_samples, streaming_samples
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.surrogates import bundle
from noble_neuron.surrogates.stream import StreamSurrogate

DURATION, SEED = 1500.0, 20261124
STEPS_PER_CELL = 20  # of the paper's square steps
RATES = (5.0, 60.0)  # Hz
FLOOR_SAMPLES = 100
EVALUATIONS = 2880  # of an AdEx on 12 traces, per cell
OTHER = "the other operator"
CARD_FIGURES = ("gamma", "count_error", "below_mV", "peak_mV", "false_spikes")


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("training", type=Path)
    parser.add_argument("cells", nargs="?", default="pvalb")
    parser.add_argument("name", nargs="?", default="stream_pvalb")
    parser.add_argument("--rate", type=float)
    parser.add_argument("--of-each", type=int, default=10, help="cells of each role")
    parser.add_argument("--per-cell", type=int, default=40, help="stimuli")
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--ship", action="store_true")
    return parser.parse_args()


def main() -> None:
    o = options()
    study, surrogate = Study.load(o.cells), bundle.load_stream(o.training / "bundle")
    judged = chosen(study, o.of_each)
    new = fresh(study, judged, o.training / "fresh.h5", o.per_cell, o.rate)
    splits = rows_of(study, new, surrogate.threshold)
    models = fitted(o.dataset, judged, surrogate, o.training / "adex.json")
    rivals = {"AdEx": lambda rows: adex_voltages(models, new, rows, surrogate)}
    if o.beside:
        other = bundle.load_stream(o.beside / "bundle")
        rivals[OTHER] = lambda rows: voltages(other, study, new, rows)
    result = evaluate_streaming(
        surrogate,
        new,
        study.latents(surrogate.card.latent_space.names),
        splits,
        cells=study.cells,
        rivals=rivals,
        floor_samples=FLOOR_SAMPLES,
    )
    print(result.table(), flush=True)
    rows = [*result.records(), *closeness(result)]
    rows += square_steps(study, judged, surrogate, models, o.training / "steps.h5")
    rows = [{**row, "seed": SEED} for row in rows]
    log = json.loads((o.training / "stream" / "log.jsonl").read_text().splitlines()[-1])
    rows += [
        {"figure": "training", "value": log["minutes"], "unit": "min"},
        {"figure": "evaluations per AdEx", "value": EVALUATIONS, "n": len(judged)},
    ]
    record(o.name, rows)
    if o.ship:
        ship(surrogate, rows, library_dir() / o.cells / "stream")


def ship(surrogate: StreamSurrogate, rows: list[dict], folder: Path) -> None:
    """Copy the bundle, and what was measured of it, to the package's library."""
    kept = [
        r
        for r in rows
        if r["figure"].split("/")[-1] in CARD_FIGURES and not r["figure"].startswith(OTHER)
    ]
    print("written:", bundle.save(folder, surrogate.model, replace(surrogate.card, errors=kept)))


def chosen(study: Study, count: int) -> list[str]:
    """`count` training cells, drawn by seed, and as many of the held-out ones; all if so few."""
    draw = np.random.default_rng(SEED)

    def some(role: str) -> list[str]:
        names = [name for name, own in study.roles.items() if own == role]
        few = len(names) <= count
        return names if few else sorted(map(str, draw.choice(names, count, replace=False)))

    return [*some("training"), *some("held out")]


def fresh(study: Study, judged: list[str], path: Path, per_cell: int, rate: float | None) -> Path:
    """New stimuli, drawn after everything about the surrogate was settled."""
    samples = [
        sample
        for sample in streaming_samples(study, per_cell, SEED, DURATION, rate)
        if study.cells[sample.cell].name in judged
    ]
    return build_dataset(study.cells, samples, path, seed=SEED)


def rows_of(study: Study, path: Path, threshold: float) -> dict[str, np.ndarray]:
    """Rows by whether their cell was trained on: silent ones, and those of moderate rate."""
    with Dataset.open(path) as data:
        kept = {"training": [], "held out": []}
        for i in map(int, data.ok):
            v, dt = data.voltage(i), data.dt(i)
            rate = 1e3 * len(spike_times(v, dt, threshold)) / (len(v) * dt)
            if rate == 0 or RATES[0] <= rate <= RATES[1]:
                kept[study.roles[str(data.table["cell"][i])]].append(i)
    return {
        "training cells": np.array(kept["training"]),
        "held-out cells": np.array(kept["held out"]),
    }


def fitted(
    dataset: Path, judged: list[str], surrogate: StreamSurrogate, kept: Path
) -> dict[str, adex.AdEx]:
    """An AdEx for each cell, from the cell's own traces; kept as they come."""
    known = read_json(kept) if kept.exists() else {}
    with Dataset.open(dataset) as data:
        for name in judged:
            if name not in known:
                rows = [int(i) for i in data.ok if str(data.table["cell"][i]) == name]
                b, g, v = inputs(data, rows, surrogate)
                model = adex.fit(
                    b, g, v, surrogate.model.config.grid_ms, surrogate.threshold, EVALUATIONS, 0
                )
                known[name] = asdict(model)
                write_json(kept, known)
                print(name, known[name], flush=True)
    return {name: adex.AdEx(**values) for name, values in known.items()}


def inputs(data: Dataset, rows: list[int], surrogate: StreamSurrogate) -> list[np.ndarray]:
    """b [nA], G [uS] and voltage [mV] on the surrogate's grid, each (n, steps)."""
    from noble_neuron.training.streams import gather_streams

    streams = gather_streams(data, rows, np.zeros((len(rows), 0)), surrogate.model.config)
    return [streams.b, streams.g, streams.v]


def adex_voltages(
    models: dict[str, adex.AdEx], path: Path, rows: np.ndarray, surrogate: StreamSurrogate
) -> np.ndarray:
    """Each row's answer by the AdEx of its cell."""
    with Dataset.open(path) as data:
        names = np.array([str(data.table["cell"][i]) for i in rows])
        answer = None
        for name in dict.fromkeys(names):
            which = np.flatnonzero(names == name)
            b, g, _ = inputs(data, [int(i) for i in rows[which]], surrogate)
            starts = data.table["v_init"][rows[which]]
            v = adex.run(models[name], b, g, surrogate.model.config.grid_ms, starts)
            answer = np.empty((len(rows), v.shape[1])) if answer is None else answer
            answer[which] = v
    return answer


def square_steps(
    study: Study,
    judged: list[str],
    surrogate: StreamSurrogate,
    models: dict[str, adex.AdEx],
    path: Path,
) -> list[dict]:
    """F-I curves: how many spikes are missing or too many in 400 ms, and how far intervals are."""
    samples = [
        replace(sample, protocol=replace(sample.protocol, name=f"one step {k}"))
        for k, sample in enumerate(noble_samples(study, STEPS_PER_CELL, SEED))
        if study.cells[sample.cell].name in judged
    ]
    new = build_dataset(study.cells, samples, path, seed=SEED)
    with Dataset.open(new) as data:
        roles = np.array([study.roles[str(data.table["cell"][i])] for i in data.ok])
        splits = {f"{role} cells": data.ok[roles == role] for role in ("training", "held out")}
    result = evaluate_streaming(
        surrogate,
        new,
        study.latents(surrogate.card.latent_space.names),
        {name.replace("held out", "held-out"): rows for name, rows in splits.items()},
        cells=study.cells,
        rivals={"AdEx": lambda rows: adex_voltages(models, new, rows, surrogate)},
        floor_samples=FLOOR_SAMPLES,
    )
    found = []
    for split, kind, answer in result.places():
        rows = [r for r in result.rows if (r["split"], r["answer"]) == (split, answer)]
        fires = [r for r in rows if r["true"] > 0]
        values = {
            "F-I error": np.mean([abs(r["count"] - r["true"]) for r in fires]),
            "interval error": np.nanmean([r["interval_error"] for r in fires]),
            "false spikes": np.mean([r["count"] for r in rows if r["true"] == 0]),
        }
        units = {"F-I error": "spikes per 400 ms", "false spikes": "per trace"}
        found += [
            {
                "figure": f"square steps: {answer}/{name}",
                "value": float(value),
                "unit": units.get(name, ""),
                "n": len(rows) - len(fires) if name == "false spikes" else len(fires),
                "split": split,
            }
            for name, value in values.items()
            if kind == "all" and np.isfinite(value)
        ]
        print(found[-3:], flush=True)
    return found


def voltages(surrogate: StreamSurrogate, study: Study, path: Path, rows: np.ndarray) -> np.ndarray:
    """Each row's answer by a streaming surrogate."""
    known = study.latents(surrogate.card.latent_space.names)
    with Dataset.open(path) as data:
        b, g, _ = inputs(data, [int(i) for i in rows], surrogate)
        points = np.array([known[str(data.table["cell"][i])] for i in rows])
        starts = data.table["v_init"][rows]
    return surrogate.run(b, g, points, starts, surrogate.model.config.grid_ms)


def closeness(result: StreamResult) -> list[dict]:
    """(Gamma - Gamma_AdEx) / (Gamma_floor - Gamma_AdEx), by split and class."""
    found = []
    for split, kind, answer in result.places():
        if answer != "surrogate":
            continue
        own, rival, floor = (
            result.figures(split, kind, name)[0].get("gamma", np.nan)
            for name in ("surrogate", "AdEx", "floor (full cell at dt/2)")
        )
        n = result.figures(split, kind, "surrogate")[1]
        value = (own - rival) / (floor - rival) if floor > rival else np.nan
        if np.isfinite(value):
            row = {"figure": f"skill beyond AdEx/{kind}/of what the floor leaves", "value": value}
            found.append({**row, "n": n, "split": split})
    return found


if __name__ == "__main__":
    main()
