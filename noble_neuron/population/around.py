"""An ensemble that spreads as the family does: the surrogate's answers around a latent point.

Given some features of a cell, `features.family` says what the family allows for the others;
here each of those possible cells answers the same steps. The spread is that of parameter
degeneracy, cells that agree in what was given and differ in the rest, not trial-to-trial noise.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import InputError, OutsideTraining
from ..features.efel import PAPER_FEATURES, extract, spikes_within
from ..features.family import Family
from ..features.fi import OFFSET, ONSET
from ..surrogates.surrogate import Surrogate
from ..types import Trace

UNKNOWN_ONSET = (ONSET, OFFSET - ONSET)  # of surrogates that were trained on any current


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Voltages of n possible cells under A square steps.

    Attributes:
        names: Latent features, shape (k,).
        points: The cells in physical units, shape (n, k).
        outside: Distance of each to the hull of the training cells, encoded units, shape (n,).
        amplitudes: Of the steps [nA], shape (A,).
        voltage: [mV], float32, shape (n, A, steps).
        dt: Grid of the voltage [ms].
        window: Onset and offset of the steps [ms].
        threshold: Voltage whose upward crossing is a spike [mV].
    """

    names: tuple[str, ...]
    points: np.ndarray
    outside: np.ndarray
    amplitudes: np.ndarray
    voltage: np.ndarray
    dt: float
    window: tuple[float, float]
    threshold: float

    @cached_property
    def counts(self) -> np.ndarray:
        """Spikes within each step: F-I curves, times the duration; shape (n, A)."""
        return self._each(lambda trace: spikes_within(trace, *self.window, self.threshold).size)

    @property
    def rates(self) -> np.ndarray:
        """Spikes over the duration of the step [Hz], shape (n, A)."""
        return 1e3 * self.counts / (self.window[1] - self.window[0])

    def features(self, names: Sequence[str] = PAPER_FEATURES) -> dict[str, np.ndarray]:
        """Features of each trace, shape (n, A) each; NaN where a trace does not have one."""
        found = self._each(
            lambda trace: list(extract(trace, *self.window, self.threshold, names).values())
        )
        return {name: found[..., k] for k, name in enumerate(names)}

    def _each(self, measure) -> np.ndarray:
        t = np.arange(self.voltage.shape[-1]) * self.dt
        rows = [[measure(Trace(t, v.astype(float))) for v in cell] for cell in self.voltage]
        return np.array(rows)


def around(
    surrogate: Surrogate,
    values: Mapping[str, float],
    amplitudes: Sequence[float],
    *,
    errors: Mapping[str, float] | None = None,
    n: int = 100,
    seed: int = 0,
) -> Ensemble:
    """Answers of the cells that a family allows, given some of their features.

    Args:
        surrogate: A whole-trace surrogate.
        values: Known features, of those of its latent space; physical units.
        amplitudes: Of the square steps it was trained on [nA].
        errors: SD of the measurement of each known feature; exact where not named.
        n: Cells.
        seed: Of their draw.

    Warns:
        OutsideTraining: The known features lie farther out than those of any training cell.
    """
    possible = Family.of(surrogate.latent_space).given(values, errors)
    if possible.outside:
        warnings.warn(
            f"No training cell of {surrogate.card.ensemble!r} lies as far from their mean as "
            f"{dict(values)} (leverage {possible.leverage:.2g}; {possible.usual:.2g} at most "
            f"among them): what the family allows there is extrapolated.",
            OutsideTraining,
            stacklevel=2,
        )
    return answers(surrogate, possible.sample(n, seed), amplitudes)


def answers(surrogate: Surrogate, points: np.ndarray, amplitudes: Sequence[float]) -> Ensemble:
    """Answers of given latent points, shape (n, k), to square steps of `amplitudes` [nA].

    Samples of a family lie around its cells, so about as far outside their hull as a cell lies
    outside that of the others; instead of a warning for each, `Ensemble.outside` says how far.
    """
    amplitudes = np.atleast_1d(np.asarray(amplitudes, dtype=float))
    if amplitudes.ndim != 1 or not amplitudes.size or not np.isfinite(amplitudes).all():
        raise InputError(f"An ensemble needs one amplitude or more [nA]: got {amplitudes}.")
    points = np.atleast_2d(np.asarray(points, dtype=float))
    onset, duration = surrogate.card.step or UNKNOWN_ONSET
    dt, steps = surrogate.card.dt, int(surrogate.window / surrogate.card.dt)
    t = np.arange(steps) * dt
    step = np.clip(np.minimum(t + dt, onset + duration) - np.maximum(t, onset), 0, dt) / dt
    current = np.tile(amplitudes[:, None] * step, (len(points), 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideTraining)
        voltage = surrogate.predict(current, np.repeat(points, len(amplitudes), axis=0), dt)
    return Ensemble(
        surrogate.latent_space.names,
        points,
        surrogate.latent_space.distance(points),
        amplitudes,
        voltage.reshape(len(points), len(amplitudes), -1),
        dt,
        (onset, onset + duration),
        surrogate.threshold,
    )
