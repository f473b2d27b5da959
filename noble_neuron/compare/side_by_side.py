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
MULTIPLES = np.linspace(0.75, 1.95, 13)  # of I_thr; not 1 itself, where nothing is sure
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
        amplitudes: Currents of each cell [nA], ascending, shape (C, A).
        labels: What each column of currents is, shape (A,).
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
    labels: tuple[str, ...]
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
        amplitudes: Currents of the paper's square step [nA], the same for all cells; by
            default one that hyperpolarises, and multiples of each cell's own I_thr.
        shown: Those to draw; by default four of them.
        roles: "training" or "held out" by cell name.
        say: Told about progress, one sentence at a time.
    """
    about = _about(surrogate, cells, latents, roles or {})
    amplitudes, labels, drawn = _currents(surrogate, cells, latents, amplitudes, shown)
    protocols = [[noble_step(float(a)) for a in row] for row in amplitudes]
    full, floor, seconds = _simulated(surrogate, cells, protocols, drawn, say)
    say(f"surrogate: {len(cells)} cells x {len(labels)} currents")
    current = np.concatenate(
        [
            _injected(row, cell.dt, surrogate.card.dt)
            for row, cell in zip(protocols, cells, strict=True)
        ]
    )
    points = np.repeat([c.latent for c in about], len(labels), axis=0)
    answer, single, batch, said = _answered(surrogate, current, points)
    answer = answer.reshape(full.shape)
    window = protocols[0][0].window
    found = [_features(v, surrogate, window) for v in (full, answer)]
    return ComparisonResult(
        cells=about,
        amplitudes=amplitudes,
        labels=labels,
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


def _currents(
    surrogate, cells, latents, amplitudes, shown
) -> tuple[np.ndarray, tuple[str, ...], tuple[int, ...]]:
    """Currents of each cell, shape (C, A), their labels, and the positions of those to draw."""
    names = surrogate.latent_space.names
    if amplitudes is None and "I_thr" in names:
        i_thr = np.array([latents[cell.name][names.index("I_thr")] for cell in cells])
        lowest = np.full((len(cells), 1), np.round(0.9 * surrogate.card.current_range[0], 4))
        grid = np.hstack([lowest, np.round(i_thr[:, None] * MULTIPLES, 4)])
        labels = (f"{lowest[0, 0]:+.3f} nA", *(f"{m:.2f} I_thr" for m in MULTIPLES))
        return grid, labels, _drawn(grid.shape[1])
    if amplitudes is None:
        low, high = surrogate.card.current_range
        amplitudes = np.round([0.9 * low, *np.linspace(0.1 * high, 0.98 * high, 11)], 4)
    common = np.unique(np.asarray([*amplitudes, *(shown or ())], dtype=float))
    if not len(common) or not np.isfinite(common).all():
        raise InputError(f"Currents to compare at must be finite and at least one: {common}.")
    at = _drawn(len(common)) if shown is None else np.searchsorted(common, np.sort(shown))
    labels = tuple(f"{a:+.3f} nA" for a in common)
    return np.tile(common, (len(cells), 1)), labels, tuple(int(k) for k in at)


def _drawn(count: int) -> tuple[int, ...]:
    """Four positions out of `count`, ends included."""
    return tuple(int(k) for k in np.unique(np.linspace(0, count - 1, 4).round()))


def _about(surrogate, cells, latents, roles) -> tuple[Compared, ...]:
    if not len(cells):
        raise InputError("Nothing to compare: give at least one cell.")
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
    for number, (cell, own) in enumerate(zip(cells, protocols, strict=True), 1):
        say(f"full simulation: {cell.name} ({number} of {len(cells)}), {len(own)} currents")
        factor = _factor(cell, surrogate.card.dt)
        with cell.build() as live:
            rows = []
            for protocol in own:
                began = time.perf_counter()
                trace = simulate(live, protocol)
                seconds.append(time.perf_counter() - began)
                rows.append(low_passed(trace.v, factor))
            full.append(rows)
            halved = [simulate(live, own[k], dt=cell.dt / 2, record_dt=cell.dt) for k in drawn]
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
