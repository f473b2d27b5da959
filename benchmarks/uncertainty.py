"""How often a family's intervals hold a cell: what I_thr and s_thr leave open.

    python benchmarks/uncertainty.py TRAINING_SET.h5 [OUT]

Latent features: each training cell left out, then the held-out cells, beside two rivals that
know less: the family whole (the marginal distribution), and the nearest training cell alone.
Voltages: the surrogate's answers of the cells that the family allows, on the held-out cells'
own currents in the training set. The distribution is fitted, and its intervals are set, on
training cells only. OUT keeps the answers, so that a killed run goes on.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from record import record

from noble_neuron import load_surrogate
from noble_neuron.features.efel import extract
from noble_neuron.features.family import LEVELS, Family
from noble_neuron.features.fi import OFFSET, ONSET
from noble_neuron.files import sha256
from noble_neuron.population.around import answers
from noble_neuron.simulate.study import Study
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.surrogates.library import find
from noble_neuron.types import Trace

NAME, KNOWN, SEED = "pvalb", ("I_thr", "s_thr"), 5
CELLS = 50  # possible cells per question
CURRENTS = 4  # per held-out cell, of those that make it fire five times or more
FEATURES = (
    "spikecount",
    "time_to_first_spike",
    "mean_AP_amplitude",
    "AP1_width",
    "AHP_depth",
    "steady_state_voltage_stimend",
)


def held(samples: np.ndarray, value: float, rng) -> np.ndarray:
    """Whether central intervals of a sample hold a value, ties broken at random, per level."""
    samples = samples[np.isfinite(samples)]
    below = np.sum(samples < value) + rng.random() * (np.sum(samples == value) + 1)
    place = below / (len(samples) + 1)
    return np.abs(place - 0.5) <= np.array(LEVELS) / 2


def crps(samples: np.ndarray, value: float) -> float:
    """Continuous ranked probability score: an absolute error, for a distribution."""
    samples = samples[np.isfinite(samples)]
    return np.abs(samples - value).mean() - np.abs(np.subtract.outer(samples, samples)).mean() / 2


def nearest(points: np.ndarray, cell: np.ndarray, known: list[int]) -> np.ndarray:
    """The training cell closest in the known features, of which each counts by its SD."""
    z = (points[:, known] - cell[known]) / points[:, known].std(axis=0)
    return points[np.argmin((z**2).sum(axis=1))]


def latent_rows(split: str, names, cases: list[tuple[np.ndarray, np.ndarray]]) -> list[dict]:
    """Coverage, width and score of the features that are not known, over (cell, family)s."""
    known = [names.index(k) for k in KNOWN]
    rest = [j for j in range(len(names)) if j not in known]
    scale, kept = cases[0][1].std(axis=0), {}
    for cell, points in cases:
        family = Family(tuple(names), points)
        asked = {names[j]: cell[j] for j in known}
        for answer, found in (("family", family.given(asked)), ("marginal", family.given({}))):
            samples = found.sample(1000, SEED)
            ends = [found.interval(level) for level in LEVELS]
            inside = [[lo <= cell[j] <= hi for j, (lo, hi) in enumerate(e)] for e in ends]
            kept.setdefault(f"{answer}: held", []).append(np.array(inside)[:, rest].mean(axis=1))
            width = np.ptp(ends[1], axis=1) / scale
            kept.setdefault(f"{answer}: width", []).append(width[rest].mean())
            score = [crps(samples[:, j], cell[j]) / scale[j] for j in rest]
            kept.setdefault(f"{answer}: score", []).append(np.mean(score))
        gap = np.abs(nearest(points, cell, known) - cell) / scale
        kept.setdefault("nearest training cell: score", []).append(gap[rest].mean())
    return rows_of(kept, split, len(cases), f"{len(rest)} features")


def rows_of(kept: dict[str, list], split: str, n: int, of: str) -> list[dict]:
    """Records: coverage with its error between cells, widths and scores in family SDs."""
    rows = []

    def add(figure, value, unit="", goal=None):
        common = {"unit": unit, "goal": goal, "n": n, "split": f"{split}, {of}", "seed": SEED}
        rows.append({"figure": figure, "value": float(value), **common})

    for key, values in kept.items():
        answer, what = key.rsplit(": ", 1)
        values = np.array(values)
        if what == "held":
            error = values.std(axis=0, ddof=1) / np.sqrt(n)
            for level, mean, off in zip(LEVELS, values.mean(axis=0), error, strict=True):
                name = f"{answer}: held by {100 * level:g} % intervals"
                add(name, 100 * mean, "%", 100 * level)
                add(f"{name}, standard error", 100 * off, "%")
        elif what == "width":
            add(f"{answer}: width of 80 % intervals", values.mean(), "SD")
        else:
            add(f"{answer}: CRPS", values.mean(), "SD")
    return rows


def binomial_rows(n: int) -> list[dict]:
    """The error that n independent cells would leave on a coverage that is right."""
    return [
        {
            "figure": f"{100 * level:g} %: binomial error of {n} cells",
            "value": 100 * float(np.sqrt(level * (1 - level) / n)),
            "unit": "%",
            "n": n,
        }
        for level in LEVELS
    ]


def questions(study: Study, path: str) -> list[tuple[str, float, dict]]:
    """Held-out cell, current [nA] and its own features there, drawn by seed."""
    unseen, found = {study.cells[k].name: k for k in study.held_out}, {}
    with Dataset(path) as data:
        for i in np.random.default_rng(SEED).permutation(data.ok):
            name = data.table["cell"][i]
            if name not in unseen or len(found.get(name, [])) >= CURRENTS:
                continue
            current, v = data.current(int(i)), data.voltage(int(i))
            amplitude = current[np.abs(current).argmax()]
            trace = Trace(np.arange(len(v)) * data.dt(int(i)), v.astype(float))
            threshold = study.cells[unseen[name]].threshold
            own = extract(trace, ONSET, OFFSET, threshold, FEATURES)
            if own["spikecount"] >= 5:
                found.setdefault(name, []).append((name, float(amplitude), own))
    return [one for rows in found.values() for one in rows]


def answered(surrogate, study: Study, asked, keep: Path) -> dict:
    """Answer -> one dict of feature samples per question; kept as they come."""
    names = list(surrogate.latent_space.names)
    latents = study.latents(names)
    family = Family.of(surrogate.latent_space)
    kept = json.loads(keep.read_text()) if keep.exists() else {}
    for number, (name, amplitude, _) in enumerate(asked):
        cell = np.array(latents[name])
        known = [names.index(k) for k in KNOWN]
        own = {k: cell[names.index(k)] for k in KNOWN}
        points = {
            "family": family.given(own).sample(CELLS, SEED + number),
            "marginal": family.given({}).sample(CELLS, SEED + number),
            "nearest training cell": nearest(family.points, cell, known)[None],
            "its own point": cell[None],
        }
        for answer, table in points.items():
            key = f"{number}/{answer}"
            if key not in kept:
                found = answers(surrogate, table, [amplitude]).features(FEATURES)
                kept[key] = {k: v[:, 0].tolist() for k, v in found.items()}
        keep.write_text(json.dumps(kept))
        print(f"{number + 1} of {len(asked)} questions answered", flush=True)
    return kept


def voltage_rows(asked, kept: dict) -> list[dict]:
    """Coverage of the held-out cells' own features by the surrogate's ensembles."""
    rng = np.random.default_rng(SEED)
    cells = list(dict.fromkeys(name for name, _, _ in asked))
    scale = {f: np.std([own[f] for _, _, own in asked]) for f in FEATURES}
    found: dict[str, dict[str, list]] = {}
    for number, (name, _, own) in enumerate(asked):
        for answer in ("family", "marginal", "nearest training cell", "its own point"):
            samples = {k: np.array(v, float) for k, v in kept[f"{number}/{answer}"].items()}
            usable = [f for f in FEATURES if np.isfinite(samples[f]).any()]
            score = [crps(samples[f], own[f]) / scale[f] for f in usable]
            found.setdefault(f"{answer}: score", {}).setdefault(name, []).append(np.mean(score))
            if answer in ("family", "marginal"):
                inside = [held(samples[f], own[f], rng) for f in usable]
                rows = found.setdefault(f"{answer}: held", {})
                rows.setdefault(name, []).append(np.mean(inside, axis=0))
    by_cell = {k: [np.mean(v[c], axis=0) for c in cells] for k, v in found.items()}
    return rows_of(by_cell, "surrogate's voltages, held-out cells", len(cells), "6 features")


def main() -> None:
    path, out = sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else "runs/uncertainty")
    out.mkdir(parents=True, exist_ok=True)
    study, surrogate = Study.load(NAME), load_surrogate(NAME)
    names = list(surrogate.latent_space.names)
    table = np.array(list(study.latents(names).values()))
    training, unseen = table[list(study.training)], table[list(study.held_out)]
    left_out = [(cell, np.delete(training, k, axis=0)) for k, cell in enumerate(training)]
    rows = latent_rows("training cells, each left out", names, left_out)
    rows += latent_rows("held-out cells", names, [(cell, training) for cell in unseen])
    rows += binomial_rows(len(training)) + binomial_rows(len(unseen))
    asked = questions(study, path)
    # Of these weights alone: another surrogate has other answers.
    weights = sha256((find(NAME) / "weights.safetensors").read_bytes())[:12]
    kept = answered(surrogate, study, asked, out / f"answers-{weights}.json")
    rows += voltage_rows(asked, kept)
    record("reproduce_uncertainty", rows)
    for row in rows:
        print(f"{row.get('split', ''):55} {row['figure']:55} {row['value']:8.3g} {row['unit']}")


if __name__ == "__main__":
    main()
