"""Recorded cells among models: how well a recording places a cell, and one real cell's place.

    python benchmarks/experiment.py [ALLEN_FOLDER] [OUT]

First recordings whose truth is known: the held-out models of `pvalb` under long square steps
10 pA apart, written as NWB, read back, measured and placed; with every second step again.
Then, where ALLEN_FOLDER (experimental_features.json, threshold_summary.csv) is there, the real
cell 485184849 beside the models that were fitted to it and beside `pvalb`. OUT keeps the
recordings.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
from record import ROOT, record

from noble_neuron import load_surrogate
from noble_neuron.experiment.measured import characterise_recording
from noble_neuron.experiment.placing import place
from noble_neuron.experiment.squares import long_squares
from noble_neuron.population.around import answers
from noble_neuron.simulate.study import Study
from noble_neuron.store.nwb import read_sweeps

sys.path.insert(0, str(ROOT / "tests" / "unit" / "experiment"))
from recordings import write_nwb  # noqa: E402

ALLEN = ROOT.parent / "shared" / "data" / "allen_pvalb_485184849"
SPACING = 0.01  # nA
JUDGED = 1.1  # times I_thr: above it spike counts are compared


def recorded(study: Study, out: Path) -> dict[int, Path]:
    """A recording of each held-out model; from 0.8 to 1.5 I_thr, and two small steps down."""
    paths = {}
    for k in study.held_out:
        paths[k] = out / f"{k}.nwb"
        if not paths[k].exists():
            i_thr = study.features[k]["I_thr"]
            rising = SPACING * np.arange(np.floor(0.8 * i_thr / SPACING), 1.5 * i_thr / SPACING)
            part = out / "part.nwb"
            write_nwb(part, study.cells[k], [-0.05, -0.03, *np.round(rising, 6)])
            part.rename(paths[k])
    return paths


def known_truth(out: Path) -> list[dict]:
    """Errors of features and places, over the held-out models of `pvalb`."""
    study, surrogate = Study.load("pvalb"), load_surrogate("pvalb")
    space = surrogate.latent_space
    sd = space.points.std(axis=0, ddof=1)
    paths, rows = recorded(study, out), []
    for every in (1, 2):
        gaps, trusts, places, counts = [], [], {}, {}
        for k, path in paths.items():
            squares = long_squares(read_sweeps(path))
            squares = [s for j, s in enumerate(squares) if s.amplitude < 0 or j % every == 0]
            cell = characterise_recording(squares, surrogate.threshold)
            own = space.row(study.features[k])
            values = {n: cell.features[n].value for n in space.names if n in cell.features}
            errors = {n: cell.features[n].error for n in values}
            found = place(space, values, errors)
            gaps.append((found.measured - own) / sd)
            trusts.append(np.abs(found.measured - own) <= 2 * found.errors)
            points = {
                "nearest point": found.point,
                "centre of the ensemble": found.around.mean,
                "nearest training cell": space.points[found.nearest],
                "mean of the family": space.points.mean(axis=0),
                "its own features": own,
            }
            judged = cell.amplitudes > JUDGED * study.features[k]["I_thr"]
            amplitudes, truth = cell.amplitudes[judged], cell.counts[judged]
            spikes = answers(surrogate, np.array(list(points.values())), amplitudes).counts
            for (name, point), row in zip(points.items(), spikes, strict=True):
                places.setdefault(name, []).append(np.sqrt(np.mean(((point - own) / sd) ** 2)))
                counts.setdefault(name, []).append(np.mean(np.abs(row - truth)) / truth.mean())
        split = f"simulated recordings, steps {1e3 * SPACING * every:g} pA apart"
        rows += truth_rows(split, space.names, np.array(gaps), np.array(trusts), places, counts)
    return rows


def truth_rows(split, names, gaps, trusts, places, counts) -> list[dict]:
    """Records of one spacing."""
    rows, n = [], len(gaps)

    def add(figure, value, unit, goal=None):
        common = {"unit": unit, "goal": goal, "n": n, "split": split}
        rows.append({"figure": figure, "value": float(value), **common})

    for j, name in enumerate(names):
        add(f"{name}: error, median", np.median(np.abs(gaps[:, j])), "family SD")
        add(f"{name}: error, largest", np.abs(gaps[:, j]).max(), "family SD")
    add("values within two errors", 100 * trusts.mean(), "%", 95)
    for name, values in places.items():
        add(f"{name}: distance from its own features", np.mean(values), "family SD per feature")
    for name, values in counts.items():
        add(f"{name}: spike counts of the surrogate there, error", 100 * np.mean(values), "%")
    return rows


def real_cell(folder: Path) -> list[dict]:
    """Cell 485184849: its features beside the models fitted to it, and beside `pvalb`."""
    stored = json.loads((folder / "experimental_features.json").read_text())
    database = {k: v["value"] for k, v in stored["allen_sdk_features"].items()}
    trained = {k: v["value"] for k, v in stored["training_max_amp_features"].items()}
    published = stored["published_hof_model_max_amp_features"]
    rows = []
    for name, unit in published["units"].items():
        models = [row[name] for row in published["rows"] if name in row]
        if name in trained and name not in ("amp", "stim_name") and models:
            own = "its own models at 470 pA, as published"
            rows += beside(own, name, unit, trained[name], models)
    with open(folder / "threshold_summary.csv") as file:
        table = list(csv.DictReader(file))
    for name, column, unit, value in (
        ("I_thr", "I_thr_nA", "nA", database["threshold_i_long_square"] / 1e3),
        ("s_thr", "s_thr_Hz_per_nA", "Hz/nA", database["f_i_curve_slope"] * 1e3),
        ("input_resistance", "Rin_MOhm", "MOhm", database["ri"]),
    ):
        models = [float(row[column]) for row in table if row[column]]
        rows += beside("its own models, simulated", name, unit, value, models)
    return rows + in_pvalb(database)


def in_pvalb(database: dict[str, float]) -> list[dict]:
    """The real cell among the models of `pvalb`, whose voltages are as recorded, too."""
    study, surrogate = Study.load("pvalb"), load_surrogate("pvalb")
    i_thr = database["threshold_i_long_square"] / 1e3
    values = {
        "I_thr": i_thr - 0.01,  # middle of its bracket: steps were 20 pA apart
        "s_thr": database["f_i_curve_slope"] * 1e3,
        "resting_voltage": database["vrest"],
        "input_resistance": database["ri"],
        "membrane_time_constant": database["tau"],
    }
    units = ("nA", "Hz/nA", "mV", "MOhm", "ms")
    rows = []
    for (name, value), unit in zip(values.items(), units, strict=True):
        models = [f[name] for f in study.features]
        rows += beside("the ensemble pvalb", name, unit, value, models)
    found = place(surrogate.latent_space, values, {"I_thr": 0.02 / np.sqrt(12)})
    common = {"n": 1, "split": "485184849 in the latent space of pvalb"}
    figures = [
        ("distance to the hull, of four features", found.distance, "SD"),
        ("a training cell from the others' hull, median", np.median(found.usual), "SD"),
        ("a training cell from the others' hull, largest", found.usual.max(), "SD"),
        ("distance to the nearest training cell", found.nearest_distance, "SD"),
    ]
    for k, name in enumerate(found.names):
        if np.isfinite(found.measured[k]):
            figures.append((f"nearest point, {name}", found.point[k], found.units[k]))
    return rows + [{"figure": f, "value": float(v), "unit": u, **common} for f, v, u in figures]


def beside(which: str, name: str, unit: str, value: float, models) -> list[dict]:
    """The recorded value, the models' mean, SD and range, and how far it lies from them."""
    models = np.array(models, dtype=float)
    models = models[np.isfinite(models)]
    low, high = models.min(), models.max()
    beyond = max(value - high, 0.0) + min(value - low, 0.0)
    common = {"split": f"485184849 and {which}", "n": len(models)}
    figures = (
        ("recorded", value, unit),
        ("models, mean", models.mean(), unit),
        ("models, SD", models.std(ddof=1), unit),
        ("models, smallest", low, unit),
        ("models, largest", high, unit),
        ("recorded beyond their range", beyond, unit),
        ("recorded, from their mean", (value - models.mean()) / models.std(ddof=1), "SD"),
    )
    return [
        {"figure": f"{name}: {f}", "value": float(v), "unit": u, **common} for f, v, u in figures
    ]


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ALLEN
    out = Path(sys.argv[2] if len(sys.argv) > 2 else "runs/experiment")
    out.mkdir(parents=True, exist_ok=True)
    rows = known_truth(out)
    if folder.is_dir():
        rows += real_cell(folder)
    record("reproduce_experiment", rows)
    for row in rows:
        print(f"{row['split']:55} {row['figure']:60} {row['value']:8.3g} {row['unit']}")


if __name__ == "__main__":
    main()
