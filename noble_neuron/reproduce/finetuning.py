"""Fine-tuning on one feature, the sag (section 4.6, appendix D.7, table 3).

The surrogate at hand is trained on, on hyperpolarising steps alone, with and without the sag's
error in the loss, and judged on such steps that are held out. What the paper does not show stands
beside it: what this costs on the ordinary steps, which share the trained weights.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..compare.baselines import TrainingTraces
from ..compare.evaluation import FLOOR, NEAREST, SURROGATE
from ..compare.metrics import relative_error, relative_feature
from ..compare.tables import Table, number
from ..errors import OutsideTraining
from ..features import efel
from ..protocols.protocol import noble_step
from ..simulate.plan import Sample
from ..simulate.study import Study
from ..simulate.suite import amplitudes
from ..store.hdf5 import Dataset
from ..surrogates.bundle import load
from ..training.finetune import FINETUNING, finetune
from ..training.origin import kept_split
from ..training.split import Split
from ..types import Trace
from . import _trained
from ._trained import ON_CELLS, ON_CURRENTS, SMOKE, judged, part, traces
from ._trained_tables import records
from .bench import Bench
from .onset import DURATION, TRAINED
from .outcome import Outcome, finite

SEED, FEATURE = 1, "sag_amplitude"
BEFORE, WEIGHTS = "before", (0.0, 25.0)
FIGURES = {"voltage_l2": "relative L2", FEATURE: FEATURE}  # both in %
PAPER = {  # table 3: before, and after 300 epochs
    BEFORE: (0.14, 69.6),
    "lambda 0": (0.043, 19.2),
    "lambda 25": (0.035, 9.6),
}


@dataclass(frozen=True)
class Sizes:
    """How much is trained.

    Attributes:
        per_cell: Hyperpolarising steps of each cell.
        epochs: Of each training.
        floor: Held-out steps of each kind that are solved again at half the time step.
        ordinary: Of what the ordinary steps are.
    """

    per_cell: int
    epochs: int
    floor: int
    ordinary: _trained.Sizes


SIZES = {
    "quick": Sizes(10, 1, 2, _trained.SIZES["quick"]),
    "small": Sizes(16, 4, 20, _trained.SIZES["small"]),
    "full": Sizes(392, 300, 100, _trained.SIZES["full"]),
}


@dataclass(frozen=True)
class Steps:
    """Hyperpolarising steps.

    Attributes:
        path: Full simulations.
        samples: What they are.
        split: Which train, choose and judge.
    """

    path: Path
    samples: Sequence[Sample]
    split: Split


def run(bench: Bench) -> Outcome:
    """Two trainings, at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(bench: Bench, sizes: Sizes) -> Outcome:
    """Errors before and after, on hyperpolarising steps and on ordinary ones."""
    mark = SMOKE * sizes.ordinary.smoke
    steps = _steps(bench, sizes)
    tuned = {BEFORE: bench.of} | {
        f"lambda {weight:g}": _tuned(bench, steps, weight, sizes.epochs) for weight in WEIGHTS
    }
    found = _errors(bench, steps, tuned, sizes.floor)
    elsewhere = _elsewhere(bench, tuned, sizes, mark)
    kept = [
        {"figure": f"{name}/silent/{f}", "value": v, "unit": "%", "n": n, "split": mark + split}
        for split, (n, answers) in found.items()
        for name, errors in answers.items()
        for f, v in zip(FIGURES, errors, strict=True)
    ]
    kept += [
        {
            "figure": f"paper: {name}/silent/{f}",
            "value": v,
            "unit": "%",
            "split": mark + ON_CURRENTS,
        }
        for name, errors in PAPER.items()
        for f, v in zip(FIGURES, errors, strict=True)
    ]
    return Outcome(
        "Fine-tuning" if not mark else f"{SMOKE.rstrip(': ').capitalize()}: fine-tuning",
        _said(steps, sizes, found),
        finite([*kept, *elsewhere]),
        tuple(_table(mark + split, *rows, split) for split, rows in found.items()),
    )


def hyperpolarising(study: Study, cells: Sequence[int], per_cell: int) -> list[Sample]:
    """The paper's step for each cell at `per_cell` amplitudes, even from the lowest to zero."""
    samples = []
    for k in cells:
        low = amplitudes(study.features[k]).low
        drawn = np.random.default_rng([SEED, k]).uniform(low, 0.0, per_cell)
        samples += [Sample(k, noble_step(float(a))) for a in drawn]
    return samples


def _steps(bench: Bench, sizes: Sizes) -> Steps:
    """Simulated, and split before anything is trained."""
    study, most = bench.study, sizes.ordinary
    cells = sorted({*study.training[: most.cells], *study.held_out[: most.held_out]})
    samples = hyperpolarising(study, cells, sizes.per_cell)
    path = bench.simulated("finetuning", study.cells, samples, SEED)
    held_out = {study.cells[k].name for k in study.held_out[: most.held_out]}
    with Dataset.open(path) as data:
        split = kept_split(data, held_out, 0, path.with_suffix("") / "split.json")
    return Steps(path, samples, split)


def _tuned(bench: Bench, steps: Steps, weight: float, epochs: int) -> Path:
    bench.say(f"finetuning: lambda {weight:g}")
    return finetune(
        bench.of,
        steps.path,
        bench.latents,
        (),
        bench.folder / "trained" / bench.scale / f"finetuning-{weight:g}",
        FEATURE,
        weight,
        replace(FINETUNING, epochs=epochs, device=bench.device),
        steps.split,
    ).bundle


def _errors(
    bench: Bench, steps: Steps, tuned: Mapping[str, str | Path], floor: int
) -> dict[str, tuple[int, dict[str, tuple[float, float]]]]:
    """Split -> its traces, and answer -> relative L2 of voltage and of the sag [%]."""
    found, dt = {}, bench.surrogate.card.dt
    with Dataset.open(steps.path) as data:
        view, names = data.decimated(bench.factor(data.dt(0))), data.table["cell"]
        space = bench.surrogate.latent_space

        def read(rows: Sequence[int]) -> tuple[np.ndarray, ...]:
            latent = np.array([bench.latents[str(names[k])] for k in rows])
            current = view.current(np.array(rows))
            return view.voltage(np.array(rows)), current, latent, current.min(1)

        voltage, _, latent, lowest = read(steps.split.train)
        known = TrainingTraces(voltage, lowest, space.encode(latent), np.zeros(len(lowest)))
        for split, rows in ((ON_CURRENTS, steps.split.test), (ON_CELLS, steps.split.unseen)):
            voltage, current, latent, lowest = read(rows)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", OutsideTraining)
                answers = {
                    name: load(folder, bench.device).predict(current, latent, dt)
                    for name, folder in tuned.items()
                }
            answers[NEAREST] = known.nearest(lowest, space.encode(latent))
            errors = {name: _pair(bench, got, voltage) for name, got in answers.items()}
            few = np.random.default_rng(0).permutation(len(rows))[:floor]
            samples = [steps.samples[rows[k]] for k in few]
            halved = bench.voltages("finetuning-halved", bench.study.cells, samples, halved=True)
            errors[FLOOR] = _pair(bench, halved, voltage[few])
            found[split] = len(rows), errors
    return found


def _pair(bench: Bench, got: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Relative L2 errors of voltage and of the sag [%]."""
    sags = [_sag(bench, voltage) for voltage in (got, true)]
    return 100 * float(relative_error(got, true).mean()), 100 * relative_feature(*sags)


def _sag(bench: Bench, voltage: np.ndarray) -> np.ndarray:
    """Sag of each trace [mV], shape (n,); NaN where eFEL sees none."""
    t = np.arange(voltage.shape[1]) * bench.surrogate.card.dt
    at = TRAINED, TRAINED + DURATION, bench.surrogate.threshold, (FEATURE,)
    return np.array([efel.extract(Trace(t, v.astype(float)), *at)[FEATURE] for v in voltage])


def _elsewhere(
    bench: Bench, tuned: Mapping[str, str | Path], sizes: Sizes, mark: str
) -> list[dict]:
    """Errors on the ordinary steps, currents of all kinds."""
    most = sizes.ordinary
    known, kept = traces(bench, most), []
    split = part(known, bench.study.training[: most.cells], most)
    for name, folder in tuned.items():
        bench.say(f"finetuning: {name}, ordinary steps")
        result = judged(bench, load(folder, bench.device), known, split, bench.latents)
        kept += records(f"ordinary steps, {name}", SURROGATE, result, mark)
    return kept


def _said(steps: Steps, sizes: Sizes, found: Mapping) -> tuple[str, ...]:
    warned = (
        "A smoke run: it shows that the path works. Its figures say nothing and are to be "
        "quoted nowhere; --scale small and --scale full are trainings.",
    ) * sizes.ordinary.smoke
    return (
        *warned,
        f"{len(steps.split.train)} training traces of hyperpolarising steps, {sizes.epochs} "
        f"epochs; the loss is the relative L4 error of the voltage and lambda times the relative "
        f"L2 error of {FEATURE}. What is trained is what draws the voltage between spikes.",
    )


def _table(title: str, n: int, errors: Mapping[str, tuple[float, float]], split: str) -> Table:
    rows = []
    for name, pair in errors.items():
        rows.append([name, str(n) if name != FLOOR else "", *map(number, pair)])
        if name in PAPER and split == ON_CURRENTS:
            rows.append([f"(paper: {name})", "", *map(number, PAPER[name])])
    return Table(title, ["", "n", *(f"{text} [%]" for text in FIGURES.values())], rows)
