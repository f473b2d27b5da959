"""The full simulation and its surrogate, side by side on the same cells and currents."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..cells.spec import HofCell
from ..errors import InputError, OutsideTraining
from ..protocols.protocol import Protocol, noble_step
from ..simulate.run import seen, simulate
from ..simulate.study import Study
from ..store.decimate import averaged, low_passed
from ..surrogates.bundle import Surrogate
from . import metrics
from .baselines import spike_free, two_levels
from .metrics import Group

SURROGATE, FLOOR = "surrogate", "full model at dt/2"
CURRENTS = 12  # of the default grid
Say = Callable[[str], None]


@dataclass(frozen=True)
class Compared:
    """One cell of the comparison.

    Attributes:
        name: The cell's name.
        role: "training", "held out", or "new" for a cell the card does not know.
        latent: Its point in physical units, shape (L,).
        outside: Distance to the hull of the training cells, in encoded units; 0 inside.
    """

    name: str
    role: str
    latent: np.ndarray
    outside: float


@dataclass(frozen=True)
class Seconds:
    """Wall time per trace [s], in this process on this machine.

    Attributes:
        full: The full simulation, the cell already built; one core.
        single: The surrogate, one trace at a time.
        batch: The surrogate, all traces at once.
        traces: How many that was.
        device: Where the surrogate ran.
    """

    full: float
    single: float
    batch: float
    traces: int
    device: str

    @property
    def ratios(self) -> tuple[float, float]:
        """How many times faster the surrogate is: one at a time, and all at once."""
        return self.full / self.single, self.full / self.batch


@dataclass(frozen=True)
class ComparisonResult:
    """Full simulations, the surrogate's answers, and how they differ.

    Attributes:
        cells: The cells, C of them.
        amplitudes: Currents [nA], ascending, shape (A,).
        shown: Positions of the currents whose traces are drawn and solved again at dt/2.
        t: Time [ms], shape (steps,).
        full: Full simulation [mV], shape (C, A, steps).
        answer: Surrogate [mV], shape (C, A, steps).
        full_features: Feature -> shape (C, A); NaN where undefined.
        answer_features: Likewise, of the surrogate.
        scores: Answer -> group -> figures; baselines and floor beside the surrogate.
        seconds: Wall times.
        warnings: What should be known before trusting the answers.
        window: Onset and offset of the step [ms].
        surrogate: The surrogate, for its card and latent space.
    """

    cells: tuple[Compared, ...]
    amplitudes: np.ndarray
    shown: tuple[int, ...]
    t: np.ndarray
    full: np.ndarray
    answer: np.ndarray
    full_features: dict[str, np.ndarray]
    answer_features: dict[str, np.ndarray]
    scores: dict[str, dict[str, Group]]
    seconds: Seconds
    warnings: tuple[str, ...]
    window: tuple[float, float]
    surrogate: Surrogate

    def table(self) -> str:
        """The comparison as text for a terminal."""
        from .tables import comparison_text

        return comparison_text(self)

    def save_html(self, path: str | Path) -> Path:
        """Write the report: one file that needs no other."""
        from .report import write

        return write(self, Path(path))


def compare(
    surrogate: Surrogate,
    cells: Sequence[HofCell],
    latents: Mapping[str, Sequence[float]],
    amplitudes: Sequence[float] | None = None,
    *,
    shown: Sequence[float] | None = None,
    roles: Mapping[str, str] | None = None,
    say: Say = lambda text: None,
) -> ComparisonResult:
    """Run full simulation and surrogate on every cell at every current.

    Args:
        surrogate: The surrogate.
        cells: Cells to simulate in full.
        latents: Latent point of each in physical units, by name.
        amplitudes: Currents of the paper's square step [nA]; by default a grid over the range
            the surrogate was trained on, denser where cells fire.
        shown: Those to draw; by default four of them.
        roles: "training" or "held out" by cell name.
        say: Told about progress, one sentence at a time.
    """
    amplitudes, drawn = _currents(surrogate, cells, latents, amplitudes, shown)
    about = _about(surrogate, cells, latents, roles or {})
    protocols = [noble_step(float(a)) for a in amplitudes]
    full, floor, seconds = _simulated(surrogate, cells, protocols, drawn, say)
    say(f"surrogate: {len(cells)} cells x {len(amplitudes)} currents")
    current = np.tile(_injected(protocols, cells[0].dt, surrogate.card.dt), (len(cells), 1))
    points = np.repeat([c.latent for c in about], len(amplitudes), axis=0)
    answer, single, batch, said = _answered(surrogate, current, points)
    answer = answer.reshape(full.shape)
    window = protocols[0].window
    found = [_features(v, surrogate, window) for v in (full, answer)]
    return ComparisonResult(
        cells=about,
        amplitudes=amplitudes,
        shown=drawn,
        t=np.arange(full.shape[2]) * surrogate.card.dt,
        full=full,
        answer=answer,
        full_features=found[0],
        answer_features=found[1],
        scores=_scores(full, answer, floor, found, drawn, surrogate, window),
        seconds=Seconds(seconds, single, batch, len(current), str(surrogate.device)),
        warnings=said,
        window=window,
        surrogate=surrogate,
    )


def chosen(study: Study, number: int) -> tuple[HofCell, ...]:
    """Some cells of a study: a third of them held out, each kind spread over its list."""
    if not 1 <= number <= len(study.cells):
        raise InputError(
            f"{study.name} has {len(study.cells)} cells: {number} of them cannot be compared."
        )
    unseen = min(len(study.held_out), max(number // 3, number - len(study.training)))
    picks = [
        [kind[k] for k in np.linspace(0, len(kind) - 1, count).round().astype(int)]
        for kind, count in ((study.training, number - unseen), (study.held_out, unseen))
    ]
    return tuple(study.cells[k] for part in picks for k in part)


def _currents(surrogate, cells, latents, amplitudes, shown) -> tuple[np.ndarray, tuple[int, ...]]:
    """The currents, and the positions of those to draw."""
    if not len(cells):
        raise InputError("Nothing to compare: give at least one cell.")
    if amplitudes is None:
        amplitudes = _grid(surrogate, cells, latents)
    amplitudes = np.unique(np.asarray([*amplitudes, *(shown or ())], dtype=float))
    if not len(amplitudes) or not np.isfinite(amplitudes).all():
        raise InputError(f"Currents to compare at must be finite and at least one: {amplitudes}.")
    if shown is None:
        shown = amplitudes[np.unique(np.linspace(0, len(amplitudes) - 1, 4).round().astype(int))]
    return amplitudes, tuple(int(k) for k in np.searchsorted(amplitudes, np.sort(shown)))


def _grid(surrogate, cells, latents) -> np.ndarray:
    """One hyperpolarising current, the rest from below the lowest onset to the top."""
    low, high = surrogate.card.current_range
    names = surrogate.latent_space.names
    onset = 0.0
    if "I_thr" in names:
        onset = min(latents[cell.name][names.index("I_thr")] for cell in cells)
    start = float(np.clip(0.8 * onset, low, 0.5 * (low + high)))
    return np.round([0.9 * low, *np.linspace(start, 0.98 * high, CURRENTS - 1)], 4)


def _about(surrogate, cells, latents, roles) -> tuple[Compared, ...]:
    missing = [cell.name for cell in cells if cell.name not in latents]
    if missing:
        raise InputError(f"No latent point for {', '.join(missing)}: give one per cell.")
    points = np.array([latents[cell.name] for cell in cells], dtype=float)
    outside = surrogate.latent_space.distance(points)
    return tuple(
        Compared(cell.name, roles.get(cell.name, "new"), point, float(d))
        for cell, point, d in zip(cells, points, outside, strict=True)
    )


def _simulated(surrogate, cells, protocols, drawn, say) -> tuple[np.ndarray, np.ndarray, float]:
    """Full simulations, those at dt/2, on the surrogate's grid; and seconds per full one."""
    full, floor, seconds = [], [], []
    for number, cell in enumerate(cells, 1):
        say(f"full simulation: {cell.name} ({number} of {len(cells)}), {len(protocols)} currents")
        factor = _factor(cell, surrogate.card.dt)
        with cell.build() as live:
            rows = []
            for protocol in protocols:
                began = time.perf_counter()
                trace = simulate(live, protocol)
                seconds.append(time.perf_counter() - began)
                rows.append(low_passed(trace.v, factor))
            full.append(rows)
            halved = [
                simulate(live, protocols[k], dt=cell.dt / 2, record_dt=cell.dt) for k in drawn
            ]
            floor.append([low_passed(trace.v, factor) for trace in halved])
    return np.array(full), np.array(floor), float(np.mean(seconds))


def _factor(cell: HofCell, dt: float) -> int:
    factor = round(dt / cell.dt)
    if factor < 1 or abs(factor * cell.dt - dt) > 1e-6:
        raise InputError(
            f"The surrogate answers every {dt:g} ms, but {cell.name} is solved every "
            f"{cell.dt:g} ms: the first has to be a whole multiple of the second. "
            f"Give the cell a dt of {dt / 3:g} ms, say."
        )
    return factor


def _injected(protocols: Sequence[Protocol], dt: float, surrogate_dt: float) -> np.ndarray:
    """Mean current of each interval of the surrogate's grid [nA], shape (A, steps)."""
    fine = np.array([seen(protocol, dt)[0] for protocol in protocols])
    return averaged(fine, round(surrogate_dt / dt))


def _answered(surrogate, current, points) -> tuple[np.ndarray, float, float, tuple[str, ...]]:
    """The surrogate's answers, seconds per trace one at a time and together, and warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", OutsideTraining)
        answer = surrogate.predict(current, points, surrogate.card.dt)
    said = tuple(
        dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, OutsideTraining))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideTraining)
        batch = _timed(lambda: surrogate.predict(current, points, surrogate.card.dt))
        single = _timed(lambda: surrogate.predict(current[:1], points[:1], surrogate.card.dt))
    return answer, single, batch / len(current), said


def _timed(run: Callable[[], Any], times: int = 3) -> float:
    """Median wall time of a call [s]."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        took.append(time.perf_counter() - began)
    return float(np.median(took))


def _features(voltage: np.ndarray, surrogate, window) -> dict[str, np.ndarray]:
    flat = voltage.reshape(-1, voltage.shape[-1])
    found = metrics.features(flat, surrogate.card.dt, np.array(window), surrogate.threshold)
    return {name: values.reshape(voltage.shape[:-1]) for name, values in found.items()}


def _scores(full, answer, floor, found, drawn, surrogate, window) -> dict[str, dict[str, Group]]:
    """The surrogate beside the answers that know no dynamics, and the floor on what it covers."""
    truth = full.reshape(-1, full.shape[-1])
    duration = window[1] - window[0]

    def score(voltage, features, over, over_features):
        flat = {k: v.ravel() for k, v in features.items()}
        over_flat = {k: v.ravel() for k, v in over_features.items()}
        return metrics.score(voltage.reshape(len(over), -1), over, flat, over_flat, duration)

    scores = {SURROGATE: score(answer, found[1], truth, found[0])}
    oracles = {
        "spike-free oracle": spike_free(truth, surrogate.card.dt),
        "two-level oracle": two_levels(truth, surrogate.card.dt, np.array(window)),
    }
    for name, voltage in oracles.items():
        scores[name] = score(voltage, _features(voltage, surrogate, window), truth, found[0])
    redone = full[:, list(drawn)].reshape(-1, full.shape[-1])
    redone_features = {k: v[:, list(drawn)] for k, v in found[0].items()}
    scores[FLOOR] = score(floor, _features(floor, surrogate, window), redone, redone_features)
    return scores
