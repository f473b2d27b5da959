"""How good a surrogate is on a training set's samples, every figure beside its baselines."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..cells.spec import HofCell
from ..errors import InputError, OutsideTraining
from ..protocols.protocol import Protocol
from ..simulate.run import simulate
from ..store.decimate import low_passed
from ..store.hdf5 import Dataset, Decimated
from ..surrogates.bundle import Surrogate
from . import metrics
from .baselines import TrainingTraces, spike_free, two_levels

SURROGATE, FLOOR = "surrogate", "floor (full model at dt/2)"
NEAREST, INTERPOLATED = "nearest training trace", "interpolated traces"
RIVALS = (NEAREST, INTERPOLATED, "another cell", "spike-free oracle", "two-level oracle")


@dataclass(frozen=True)
class Samples:
    """Some samples of a training set, on the surrogate's grid.

    Attributes:
        index: Row in the training set, shape (n,).
        voltage: Truth [mV], shape (n, steps).
        current: Injected current [nA], shape (n, steps).
        amplitude: The current's value farthest from zero [nA], shape (n,).
        windows: Onset and offset of the stimulus [ms], shape (n, 2).
        cell: Name of the cell, shape (n,).
        latent: Latent points in physical units, shape (n, L).
    """

    index: np.ndarray
    voltage: np.ndarray
    current: np.ndarray
    amplitude: np.ndarray
    windows: np.ndarray
    cell: np.ndarray
    latent: np.ndarray


@dataclass(frozen=True)
class EvaluationResult:
    """Figures of a surrogate and of its baselines.

    Attributes:
        scores: Split -> answer ("surrogate", "nearest", ...) -> group ("all", "firing",
            "silent") -> figures.
        samples: Split -> row, amplitude, cell, and each feature's truth and answer, as arrays
            of shape (n,).
        outside: Split -> samples that lie outside what the surrogate was trained on.
    """

    scores: dict[str, dict[str, dict[str, metrics.Group]]]
    samples: dict[str, dict[str, np.ndarray]]
    outside: dict[str, int]

    def records(self) -> list[dict]:
        """One plain dict per figure, as kept in benchmarks/results and in a bundle's card."""
        return [
            {
                "figure": f"{answer}/{group}/{figure}",
                "value": value,
                "unit": metrics.FIGURES[figure][1],
                "n": scored.n,
                "split": split,
            }
            for split, answers in self.scores.items()
            for answer, groups in answers.items()
            for group, scored in groups.items()
            for figure, value in scored.values.items()
            if np.isfinite(value)
        ]

    def table(self) -> str:
        """The figures as text for a terminal."""
        from .tables import scores_text

        return scores_text(self.scores)


def evaluate(
    surrogate: Surrogate,
    dataset: str | Path | Dataset,
    latents: Mapping[str, Sequence[float]],
    splits: Mapping[str, np.ndarray],
    trained_on: np.ndarray,
    *,
    training_set: str | Path | Dataset | None = None,
    cells: Sequence[HofCell] = (),
    floor_samples: int = 20,
    seed: int = 0,
    rivals: Sequence[str] = RIVALS,
) -> EvaluationResult:
    """Judge a surrogate on samples it has not seen.

    Args:
        surrogate: The surrogate.
        dataset: What to judge on: a training set, or its path.
        latents: Latent point of each cell in physical units, by the cell's name.
        splits: Name -> rows to judge on, e.g. held-out currents, held-out cells.
        trained_on: Rows that the surrogate was trained on, for the baselines that look up.
        training_set: What those are rows of, if another set than `dataset`.
        cells: Cells to simulate again at half their time step, for the floor; none, no floor.
        floor_samples: How many samples per split the floor is measured on, drawn by `seed`.
        seed: Of that draw.
        rivals: Which of `RIVALS` stand beside it: each takes about as long as the surrogate.
    """
    with contextlib.ExitStack() as opened:
        judged, known = (
            opened.enter_context(Dataset.open(data)) if isinstance(data, (str, Path)) else data
            for data in (dataset, dataset if training_set is None else training_set)
        )
        seen = _Judge(surrogate, known, latents).read(np.asarray(trained_on))
        judge = _Judge(surrogate, judged, latents, rivals)
        judge.learn(seen)
        return _judged(judge, splits, cells, floor_samples, seed)


def _judged(judge: _Judge, splits, cells, floor_samples: int, seed: int) -> EvaluationResult:
    by_name = {cell.name: cell for cell in cells}
    scores, samples, outside = {}, {}, {}
    for name, rows in splits.items():
        part = judge.read(np.asarray(rows))
        scores[name], samples[name], outside[name] = judge.split(part)
        chosen = _drawn(part, by_name, floor_samples, seed)
        if len(chosen):
            scores[name][FLOOR] = judge.floor(part, chosen, by_name)
    return EvaluationResult(scores, samples, outside)


def _drawn(part: Samples, by_name: Mapping, n: int, seed: int) -> np.ndarray:
    """Positions in `part` to simulate again, of cells that were given."""
    possible = np.flatnonzero([cell in by_name for cell in part.cell])
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(possible, min(n, len(possible)), replace=False))


class _Judge:
    """One surrogate, one training set, and what the baselines know of it."""

    def __init__(
        self,
        surrogate: Surrogate,
        dataset: Dataset,
        latents: Mapping,
        rivals: Sequence[str] = RIVALS,
    ) -> None:
        self.surrogate, self.dataset, self.latents = surrogate, dataset, latents
        self.rivals = rivals
        self.dt = surrogate.card.dt
        self.view = _view(dataset, self.dt)

    def learn(self, known: Samples) -> None:
        """Take the training traces in which the baselines look up."""
        self.known_cells = {name: k for k, name in enumerate(dict.fromkeys(known.cell))}
        self.known = TrainingTraces(
            known.voltage, known.amplitude, self._encode(known.latent), self._ids(known.cell)
        )

    def _encode(self, latent: np.ndarray) -> np.ndarray:
        return self.surrogate.latent_space.encode(latent)

    def _ids(self, cells: np.ndarray) -> np.ndarray:
        return np.array([self.known_cells.get(name, -1) for name in cells])

    def read(self, rows: np.ndarray) -> Samples:
        """Rows of the training set on the surrogate's grid."""
        if not len(rows):
            raise InputError(f"A split of {self.dataset.path} is empty: give it at least one row.")
        table, current = self.dataset.table, self.view.current(rows)
        names = table["cell"][rows]
        unknown = sorted(set(names) - set(self.latents))
        if unknown:
            raise InputError(
                f"No latent point for {', '.join(unknown[:5])} of {self.dataset.path}; "
                f"`latents` needs one per cell."
            )
        protocols = [Protocol.from_dict(json.loads(table["protocol"][i])) for i in rows]
        farthest = np.abs(current).argmax(axis=1)
        return Samples(
            index=rows,
            voltage=self.view.voltage(rows),
            current=current,
            amplitude=current[np.arange(len(rows)), farthest],
            windows=np.array([p.window for p in protocols]),
            cell=names,
            latent=np.array([self.latents[name] for name in names], dtype=float),
        )

    def split(self, part: Samples) -> tuple[dict, dict, int]:
        """Scores of all answers, the features of truth and surrogate, and how many lie outside."""
        truth = self._features(part.voltage, part.windows)
        point = part.amplitude, self._encode(part.latent)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OutsideTraining)  # counted, not said per batch
            own = self.surrogate.predict(part.current, part.latent, self.dt)
        answers = {
            NEAREST: lambda: self.known.nearest(*point),
            INTERPOLATED: lambda: self.known.interpolated(*point),
            "another cell": lambda: self.known.another_cell(part.amplitude, self._ids(part.cell)),
            "spike-free oracle": lambda: spike_free(part.voltage, self.dt),
            "two-level oracle": lambda: two_levels(part.voltage, self.dt, part.windows),
        }
        answers = {SURROGATE: lambda: own} | {name: answers[name] for name in self.rivals}
        scores, kept = {}, {"row": part.index, "amplitude": part.amplitude, "cell": part.cell}
        for name, give in answers.items():
            answer = give()
            found = self._features(answer, part.windows)
            scores[name] = self._score(answer, part.voltage, found, truth, part.windows)
            if name == SURROGATE:
                for feature in metrics.FEATURES:
                    kept[f"{feature}/truth"] = truth[feature]
                    kept[f"{feature}/surrogate"] = found[feature]
        return scores, kept, int((~self.surrogate.latent_space.contains(part.latent)).sum())

    def floor(self, part: Samples, chosen: np.ndarray, by_name: Mapping) -> dict:
        """Scores of the full model solved at half its time step, on the chosen samples."""
        answer = np.stack([self._halved(part.index[k], by_name[part.cell[k]]) for k in chosen])
        truth, windows = part.voltage[chosen], part.windows[chosen]
        found = [self._features(v, windows) for v in (answer, truth)]
        return self._score(answer, truth, *found, windows)

    def _halved(self, row: int, cell: HofCell) -> np.ndarray:
        table = self.dataset.table
        protocol = Protocol.from_dict(json.loads(table["protocol"][row]))
        trace = simulate(
            cell,
            protocol,
            dt=float(table["dt"][row]) / 2,
            record_dt=float(table["record_dt"][row]),
        )
        factor = getattr(self.view, "factor", 1)
        return low_passed(trace.v[: int(table["points"][row])], factor)

    def _features(self, voltage: np.ndarray, windows: np.ndarray) -> dict[str, np.ndarray]:
        return metrics.features(voltage, self.dt, windows, self.surrogate.threshold)

    def _score(self, answer, truth, answer_features, truth_features, windows) -> dict:
        duration = windows[:, 1] - windows[:, 0]
        return metrics.score(answer, truth, answer_features, truth_features, duration)


def _view(dataset: Dataset, dt: float) -> Dataset | Decimated:
    """The training set on the surrogate's grid."""
    own = dataset.dt(int(dataset.ok[0]))
    factor = round(dt / own)
    if factor < 1 or abs(factor * own - dt) > 1e-6:
        raise InputError(
            f"The surrogate answers every {dt:g} ms, but {dataset.path} is recorded every "
            f"{own:g} ms: the first has to be a whole multiple of the second."
        )
    return dataset.decimated(factor)
