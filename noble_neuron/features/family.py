"""What a family of cells allows where some of its features are known: parameter degeneracy.

Models that fit one neuron agree in some features and differ in others. Given a few features of
a cell, `Family.given` says how the family's cells with such values are spread in all others.
That is how far the known features leave the cell open; it is no trial-to-trial noise.

Linear regression of every feature on the known ones, and the family's own residuals about it:

    x = mean + (g - mean_G) W + s e,      W = (A'A + n D)^-1 A'X

with A the known features of the n training cells, centred, and D the variances of the errors
with which g was measured (0 if g is exact; then every sample has g). A residual e is that of
one training cell, drawn at random, whole, so that what hangs together in the family does so in
the samples. Each is first divided by sqrt(1 - h) of its own cell and multiplied by sqrt(1 + h)
of the point asked for, h being the leverage: what a regression takes from its residuals, and
adds away from its cells. The stretch s is then fitted on the training cells alone: each is left
out, and s is what makes the central intervals hold as many of them as they promise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..errors import InputError
from ..units import nearest
from .latent import LatentSpace

LEVELS = (0.5, 0.8, 0.95)  # central intervals that the stretch is fitted to
STRETCHES = np.linspace(0.7, 2.0, 53)
NOISE_DRAWS = 20  # measurements simulated per training cell, where there are errors
LEAST_CELLS = 10
SEED = 0  # of those simulated measurements: the same question has the same answer


@dataclass(frozen=True, eq=False)
class Family:
    """Features of a family's training cells.

    Attributes:
        names: Features, shape (k,).
        points: Training cells in physical units, shape (n, k).
    """

    names: tuple[str, ...]
    points: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", np.array(self.points, dtype=np.float64))
        if self.points.ndim != 2 or self.points.shape[1] != len(self.names):
            raise InputError(
                f"A family needs one column of points per feature: got {len(self.names)} names "
                f"and points of shape {self.points.shape}."
            )
        if len(self.points) < LEAST_CELLS or not np.isfinite(self.points).all():
            raise InputError(
                f"A family's spread needs {LEAST_CELLS} cells or more with all features: got "
                f"{np.isfinite(self.points).all(axis=1).sum()} such cells."
            )

    @classmethod
    def of(cls, space: LatentSpace) -> Family:
        """The training cells of a latent space."""
        return cls(space.names, space.points)

    def given(
        self, values: Mapping[str, float], errors: Mapping[str, float] | None = None
    ) -> Conditional:
        """The family's cells that have these features.

        Args:
            values: Known features in physical units; none is the whole family.
            errors: SD of the measurement of each of them; exact where not named.
        """
        errors = dict(errors or {})
        for name in (*values, *errors):
            if name not in self.names:
                raise InputError(f"The family has no {name!r}{nearest(name, self.names)}")
        known = [self.names.index(name) for name in values]
        asked = np.array([float(v) for v in values.values()])
        error = np.array([float(errors.get(name, 0.0)) for name in values])
        if not (np.isfinite(asked).all() and np.isfinite(error).all() and (error >= 0).all()):
            raise InputError(
                f"Known features must be numbers and their errors not negative: got {values} "
                f"and {errors}."
            )
        return _conditional(self, known, asked, error)


@dataclass(frozen=True, eq=False)
class Conditional:
    """How a family is spread, given some features; made by `Family.given`.

    Attributes:
        names: Features, shape (k,).
        mean: Expected value of each, shape (k,).
        deviations: The equally likely deviations from it, shape (m, k).
        stretch: What the residuals were multiplied by so that intervals hold on training cells.
        leverage: How far the given features lie from the family's mean, in the family's own
            terms; the sum over the training cells is the number of given features plus one.
        usual: The largest leverage of a training cell: beyond it the answer is extrapolated.
    """

    names: tuple[str, ...]
    mean: np.ndarray
    deviations: np.ndarray
    stretch: float
    leverage: float
    usual: float

    @property
    def outside(self) -> bool:
        """Whether the given features lie farther from the family's mean than any of its cells."""
        return self.leverage > self.usual

    @property
    def sd(self) -> np.ndarray:
        """Standard deviation of each feature, shape (k,)."""
        return self.deviations.std(axis=0)

    def sample(self, n: int, seed: int) -> np.ndarray:
        """Points of the latent space in physical units, shape (n, k)."""
        if n < 1:
            raise InputError(f"A sample needs at least one point: got {n}.")
        rows = np.random.default_rng(seed).integers(len(self.deviations), size=n)
        return self.mean + self.deviations[rows]

    def interval(self, level: float) -> np.ndarray:
        """Central interval of each feature that holds a cell with this probability, (k, 2)."""
        if not 0 < level < 1:
            raise InputError(f"An interval's level lies between 0 and 1: got {level}.")
        ends = _quantiles(self.deviations, np.array([(1 - level) / 2, (1 + level) / 2]))
        return self.mean[:, None] + ends.T


def _conditional(family: Family, known: list[int], asked: np.ndarray, error: np.ndarray):
    regression = _Regression(family.points, tuple(known), error)
    centred = asked - regression.centre[known]
    leverage = regression.leverage_of(centred)
    # Residuals of the training cells at a leverage of zero, then at that of the point.
    free = regression.residuals / np.sqrt(1 - regression.leverage)[:, None, None]
    stretch = _fitted_stretch(free, known, error)
    deviations = stretch * np.sqrt(1 + leverage) * free.reshape(-1, len(family.names))
    return Conditional(
        family.names,
        regression.centre + centred @ regression.weights,
        deviations,
        stretch,
        float(leverage),
        float(regression.leverage.max()),
    )


@dataclass(frozen=True, eq=False)
class _Regression:
    """All features on the known ones, measured with errors of variance `error` squared."""

    points: np.ndarray
    known: tuple[int, ...]
    error: np.ndarray

    @cached_property
    def centre(self) -> np.ndarray:
        return self.points.mean(axis=0)

    @cached_property
    def _design(self) -> np.ndarray:
        return (self.points - self.centre)[:, list(self.known)]

    @cached_property
    def _inverse(self) -> np.ndarray:
        """(A'A + n D)^-1, in units in which every known feature has variance 1."""
        scale = np.where(self._design.std(axis=0) > 0, self._design.std(axis=0), 1.0)
        unit = self._design / scale
        moments = unit.T @ unit + len(unit) * np.diag((self.error / scale) ** 2)
        return np.linalg.pinv(moments, rcond=1e-10) / np.outer(scale, scale)

    @cached_property
    def weights(self) -> np.ndarray:
        """Shape (known, k)."""
        weights = self._inverse @ self._design.T @ (self.points - self.centre)
        for row, k in enumerate(self.known):
            if self.error[row] == 0:  # exactly what was given, whatever rounding says
                weights[:, k] = np.eye(len(self.known))[row]
        return weights

    def leverage_of(self, centred: np.ndarray) -> np.ndarray:
        return 1 / len(self.points) + np.einsum(
            "...i,ij,...j->...", centred, self._inverse, centred
        )

    @cached_property
    def leverage(self) -> np.ndarray:
        """Of each training cell, shape (n,)."""
        return np.minimum(self.leverage_of(self._design), 1 - 1e-9)

    @cached_property
    def residuals(self) -> np.ndarray:
        """Of each training cell, measured anew some times if measuring errs, (n, times, k)."""
        n, times = len(self.points), NOISE_DRAWS if self.error.any() else 1
        noise = np.random.default_rng(SEED).normal(size=(n, times, len(self.known))) * self.error
        expected = (self._design[:, None] + noise) @ self.weights
        return (self.points - self.centre)[:, None] - expected


def _fitted_stretch(free: np.ndarray, known: list[int], error: np.ndarray) -> float:
    """What makes the intervals of all other cells hold each training cell as often as they say.

    A cell that is left out deviates from what the others expect by residual / (1 - h), and the
    others' deviations at its place are theirs times sqrt(1 + its leverage among them), which is
    1 / sqrt(1 - h): at leverage zero, as `free` has them, the two compare as they stand.
    """
    exact = [k for k, e in zip(known, error, strict=True) if e == 0]
    open_ = [k for k in range(free.shape[2]) if k not in exact and np.ptp(free[:, :, k]) > 0]
    if not open_:
        return 1.0
    own = free[:, :, open_][:, None]  # (n, 1, times, open), at leverage zero
    tails = np.array([(1 - level) / 2 for level in LEVELS])
    low, high = [], []
    for cell in range(len(free)):
        others = np.delete(free, cell, axis=0)[:, :, open_].reshape(-1, len(open_))
        low.append(_quantiles(others, tails))
        high.append(_quantiles(others, 1 - tails))
    low, high = (np.array(ends)[:, :, None] for ends in (low, high))  # (n, levels, 1, open)
    held = [((own >= s * low) & (own <= s * high)).mean(axis=(0, 2, 3)) for s in STRETCHES]
    off = np.abs(np.array(held) - LEVELS).sum(axis=1)
    # Of equally good ones the middle one.
    best = np.flatnonzero(np.isclose(off, np.min(off), atol=1e-9))
    return float(STRETCHES[best[len(best) // 2]])


def _quantiles(values: np.ndarray, levels: Sequence[float] | np.ndarray) -> np.ndarray:
    """Unbiased quantiles of each column, shape (levels, columns).

    Position level * (m + 1) among m sorted values: a new value of the same kind falls below
    with exactly that probability, for which NumPy's default would need endless samples.
    """
    return np.quantile(values, levels, axis=0, method="weibull")
