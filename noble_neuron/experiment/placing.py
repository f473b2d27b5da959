"""Where among a family's cells a recorded one belongs: the nearest point that a surrogate knows.

Distances are in the family's own spreads: a feature counts by its difference over
sqrt(SD over the training cells ^2 + error of measurement ^2). The nearest point is that of the
training cells' convex hull, where the surrogate interpolates; its uncertainty comes from
repeating the search for measurements drawn within their errors. A feature that was not measured
has no say in where the point lies, and what the family allows for it is in its uncertainty
(`features.family`).

In ten dimensions nearly every cell of a family lies outside the hull of the others, and the
surrogate answers better at its own features than at the hull. So an ensemble is drawn around
the measured features themselves, if these lie no farther out than the training cells do from
each other's hull, and around the nearest point if they do.

For a cell's place by whole traces, by gradient, see `training.placing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..features.family import Conditional, Family
from ..features.latent import LatentSpace, nearest_in_hull

DRAWS = 200  # of the measurement
SEED = 0
# Family SDs: no measurement is taken to be closer. Sampling, a longer wait before the step and
# larger passive steps than the models' change a feature by as much (benchmarks/experiment.py).
FLOOR = 0.1


@dataclass(frozen=True, eq=False)
class Placement:
    """A cell among the training cells of a latent space; arrays have one entry per feature.

    Attributes:
        names: Features of the latent space, shape (k,).
        units: Of each.
        measured: The cell's value, NaN where it was not measured.
        errors: SD of that measurement, a tenth of the family's SD at least; NaN likewise.
        mean: Of the training cells.
        sd: Of the training cells.
        low: Smallest value of a training cell.
        high: Largest.
        point: The nearest point of the hull.
        point_sd: Its uncertainty: of the measurement where measured, else the family's.
        distance: From the cell to that point, in SDs as above; 0 inside the hull.
        usual: The same of each training cell to the hull of the others, shape (n,).
        nearest: Index of the closest training cell, in the order of the latent space's points.
        nearest_distance: From the cell to it.
        around: What the family allows around `measured` or, if that is too far out, `point`.
        extrapolated: Whether it is too far out.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    measured: np.ndarray
    errors: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    low: np.ndarray
    high: np.ndarray
    point: np.ndarray
    point_sd: np.ndarray
    distance: float
    usual: np.ndarray
    nearest: int
    nearest_distance: float
    around: Conditional
    extrapolated: bool

    @property
    def z(self) -> np.ndarray:
        """The cell's distance from the family's mean in the family's SDs, NaN if not measured."""
        return (self.measured - self.mean) / self.sd

    @property
    def beyond(self) -> np.ndarray:
        """How far each value lies outside the training cells' range; 0 inside, signed outside."""
        outside = np.maximum(self.measured - self.high, 0) + np.minimum(
            self.measured - self.low, 0
        )
        return np.where(np.isfinite(self.measured), outside, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        per_feature = {
            name: {
                "unit": self.units[k],
                "measured": _number(self.measured[k]),
                "error": _number(self.errors[k]),
                "family mean": float(self.mean[k]),
                "family SD": float(self.sd[k]),
                "family range": [float(self.low[k]), float(self.high[k])],
                "beyond the range": float(self.beyond[k]),
                "nearest point": float(self.point[k]),
                "nearest point, SD": float(self.point_sd[k]),
            }
            for k, name in enumerate(self.names)
        }
        return {
            "features": per_feature,
            "distance": self.distance,
            "distance of training cells to the hull of the others": {
                "median": float(np.median(self.usual)),
                "largest": float(self.usual.max()),
            },
            "nearest training cell": self.nearest,
            "distance to it": self.nearest_distance,
            "ensemble around": "the nearest point" if self.extrapolated else "measured features",
        }


def place(
    space: LatentSpace, values: Mapping[str, float], errors: Mapping[str, float] | None = None
) -> Placement:
    """Find the point of a latent space that is nearest to a cell.

    Args:
        space: Of a surrogate.
        values: The cell's features; those that the space does not have are passed over.
        errors: SD of the measurement of each; 0 where not named or not finite.

    Raises:
        InputError: The space has none of the features.
    """
    errors = dict(errors or {})
    names = space.names
    known = [k for k, name in enumerate(names) if np.isfinite(values.get(name, np.nan))]
    if not known:
        raise InputError(
            f"None of the latent features ({', '.join(names)}) was measured "
            f"(given: {', '.join(values) or 'nothing'}): the cell cannot be placed."
        )
    sd = space.points.std(axis=0, ddof=1)
    measured = np.array([float(values.get(name, np.nan)) for name in names])
    stated = np.nan_to_num([float(errors.get(name, 0.0)) for name in names], nan=0.0)
    error = np.maximum(stated, FLOOR * sd)
    hull = _Hull(space.points, known, error)
    point = hull.weights(measured[known]) @ space.points
    noise = np.random.default_rng(SEED).normal(size=(DRAWS, len(known))) * error[known]
    moved = np.array([hull.weights(row) @ space.points for row in measured[known] + noise])
    distance, usual = hull.distance(measured[known]), hull.usual()
    around = _around(space, known, measured, error)
    extrapolated = around.outside or distance > usual.max()
    if extrapolated:
        around = _around(space, known, point, np.maximum(moved.std(axis=0), FLOOR * sd))
    away = np.linalg.norm((space.points[:, known] - measured[known]) / hull.scale, axis=1)
    return Placement(
        names,
        space.units,
        measured,
        np.where(np.isfinite(measured), error, np.nan),
        space.points.mean(axis=0),
        sd,
        space.points.min(axis=0),
        space.points.max(axis=0),
        point,
        np.where(np.isfinite(measured), moved.std(axis=0), around.sd),
        distance,
        usual,
        int(np.argmin(away)),
        float(away.min()),
        around,
        extrapolated,
    )


def _around(space: LatentSpace, known: list[int], where, error) -> Conditional:
    """What the family allows, given the measured features at `where`."""
    return Family.of(space).given(
        {space.names[k]: float(where[k]) for k in known},
        {space.names[k]: float(error[k]) for k in known},
    )


@dataclass(frozen=True, eq=False)
class _Hull:
    """The training cells in the measured features, in units in which distances are taken."""

    points: np.ndarray
    known: list[int]
    error: np.ndarray

    @property
    def scale(self) -> np.ndarray:
        sd = self.points.std(axis=0, ddof=1)
        return np.hypot(sd, self.error)[self.known]

    @property
    def cells(self) -> np.ndarray:
        return self.points[:, self.known] / self.scale

    def weights(self, measured: np.ndarray) -> np.ndarray:
        return nearest_in_hull(self.cells, measured / self.scale)

    def distance(self, measured: np.ndarray) -> float:
        gap = self.weights(measured) @ self.cells - measured / self.scale
        return float(np.linalg.norm(gap))

    def usual(self) -> np.ndarray:
        cells, found = self.cells, []
        for k, cell in enumerate(cells):
            others = np.delete(cells, k, axis=0)
            found.append(np.linalg.norm(nearest_in_hull(others, cell) @ others - cell))
        return np.array(found)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
