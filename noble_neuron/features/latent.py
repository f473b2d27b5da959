"""The latent space: any features, each scaled to [0.5, 3.5] by a scaler that is stored.

The scaler is fitted once, on the training cells, and travels with the surrogate: a
new cell never moves it, so a latent means the same thing for ever. The training
cells travel too, because their convex hull is where the surrogate can be trusted.

References:
    Ghafourpour et al. 2025 (NOBLE), sections 3.4 and D.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import nnls

from ..errors import InputError
from ..types import Latent

LOW, HIGH = 0.5, 3.5  # encoded range, section 3.4
ON_HULL = 1e-6  # encoded units: closer than this is inside


@dataclass(frozen=True, eq=False)
class LatentSpace:
    """Scaler and hull of a set of training cells; of one cell, a point without coordinates.

    Attributes:
        names: Features, shape (k,); none where there is one cell to tell apart.
        units: One per feature, shape (k,).
        low: Value that is encoded as 0.5, in physical units, shape (k,).
        high: Value that is encoded as 3.5, in physical units, shape (k,).
        points: Training cells in physical units, shape (n, k).
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    points: np.ndarray

    def __post_init__(self) -> None:
        for field in ("low", "high", "points"):
            object.__setattr__(self, field, np.array(getattr(self, field), dtype=np.float64))
        k = len(self.names)
        shapes = (len(self.units), self.low.shape, self.high.shape, self.points.shape[1:])
        if shapes != (k, (k,), (k,), (k,)) or not len(self.points):
            raise InputError(
                f"A latent space needs one unit, low, high and column of points per feature: got "
                f"{k} names, {len(self.units)} units, low of shape {self.low.shape}, high of "
                f"shape {self.high.shape}, points of shape {self.points.shape}."
            )
        self._check_values()

    def _check_values(self) -> None:
        for j, name in enumerate(self.names):
            column = (self.low[j], self.high[j], *self.points[:, j])
            if not np.isfinite(column).all():
                raise InputError(
                    f"Latent feature {name!r} is not a number for every cell: leave out the "
                    f"cells that lack it, or the feature."
                )
            if not self.low[j] < self.high[j]:
                raise InputError(
                    f"Latent feature {name!r} does not vary over the cells (low {self.low[j]:g}, "
                    f"high {self.high[j]:g} {self.units[j]}): it cannot tell them apart; leave it "
                    f"out."
                )

    @classmethod
    def fit(cls, names: Sequence[str], units: Sequence[str], table: np.ndarray) -> LatentSpace:
        """The space of the cells of `table`, physical units, shape (n, k)."""
        table = np.atleast_2d(np.asarray(table, dtype=np.float64))
        if not len(table) or (names and not table.size):
            raise InputError("A latent space needs at least two cells: got an empty table.")
        return cls(tuple(names), tuple(units), table.min(axis=0), table.max(axis=0), table)

    def row(self, features: Mapping[str, float]) -> np.ndarray:
        """Pick this space's features out of a dict of them, shape (k,)."""
        missing = [name for name in self.names if name not in features]
        if missing:
            raise InputError(
                f"The latent needs {', '.join(self.names)}: {', '.join(missing)} missing from "
                f"the features given ({', '.join(sorted(features))})."
            )
        return np.array([float(features[name]) for name in self.names])

    def latent(self, raw: np.ndarray) -> Latent:
        """One point in physical units, shape (k,), with its names and units."""
        (point,) = self._table(raw)
        return Latent(self.names, tuple(float(value) for value in point), self.units)

    def encode(self, raw: np.ndarray) -> np.ndarray:
        """Physical units -> [0.5, 3.5] (beyond it for cells beyond the training set).

        Args:
            raw: Points, shape (n, k) or (k,).

        Returns:
            Encoded points, same shape.
        """
        raw = np.asarray(raw, dtype=np.float64)
        return (LOW + (HIGH - LOW) * self._unit(self._table(raw))).reshape(raw.shape)

    def decode(self, encoded: np.ndarray) -> np.ndarray:
        """Inverse of `encode`: [0.5, 3.5] -> physical units, same shape."""
        encoded = np.asarray(encoded, dtype=np.float64)
        part = (self._table(encoded) - LOW) / (HIGH - LOW)
        return (self.low + part * (self.high - self.low)).reshape(encoded.shape)

    def mixture(self, draw: np.random.Generator) -> np.ndarray:
        """A point in the hull, physical units, shape (k,).

        A mixture of k + 1 training cells, as many as a point of the hull needs (Caratheodory), so
        that points come with the family's own density and not all from its middle.
        """
        among = min(len(self.names) + 1, len(self.points))
        some = draw.choice(len(self.points), among, replace=False)
        return draw.dirichlet(np.ones(among)) @ self.points[some]

    def contains(self, raw: np.ndarray) -> np.ndarray:
        """Whether each point lies in the convex hull of the training cells, shape (n,)."""
        return self.distance(raw) <= ON_HULL

    def distance(self, raw: np.ndarray) -> np.ndarray:
        """Euclidean distance of each point to the hull, in encoded units, shape (n,); 0 inside."""
        hull = self.encode(self.points)
        return np.array([_distance(hull, point) for point in self.encode(self._table(raw))])

    @cached_property
    def spacing(self) -> np.ndarray:
        """Distance of each training cell to the hull of all others, encoded units, shape (n,).

        The scale for `distance`: in many dimensions nearly every cell lies outside that hull.
        """
        cells = self.encode(self.points)
        others = (np.delete(cells, k, axis=0) for k in range(len(cells)))
        return np.array([_distance(*pair) for pair in zip(others, cells, strict=True)])

    def to_dict(self) -> dict:
        """Plain JSON values."""
        return {
            "names": list(self.names),
            "units": list(self.units),
            "low": self.low.tolist(),
            "high": self.high.tolist(),
            "points": self.points.tolist(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping) -> LatentSpace:
        """Inverse of `to_dict`; the stored scaler is used as it is."""
        try:
            names, units = tuple(stored["names"]), tuple(stored["units"])
            arrays = [np.array(stored[key], dtype=np.float64) for key in ("low", "high", "points")]
        except KeyError as error:
            raise InputError(f"A stored latent space lacks the key {error}.") from None
        except (TypeError, ValueError) as error:
            raise InputError(f"A stored latent space is malformed: {error}.") from None
        return cls(names, units, *arrays)

    def _unit(self, table: np.ndarray) -> np.ndarray:
        return (table - self.low) / (self.high - self.low)

    def _table(self, raw: np.ndarray) -> np.ndarray:
        table = np.atleast_2d(np.asarray(raw, dtype=np.float64))
        if table.ndim != 2 or table.shape[1] != len(self.names):
            raise InputError(
                f"This latent space has {len(self.names)} features ({', '.join(self.names)}): "
                f"got points of shape {np.shape(raw)}."
            )
        if not np.isfinite(table).all():
            n, j = np.argwhere(~np.isfinite(table))[0]
            raise InputError(f"Latent feature {self.names[j]!r} of point {n} is {table[n, j]}.")
        return table


def nearest_in_hull(hull: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Weights, shape (n,), of the point of a convex hull that is nearest to `point`, shape (k,).

    With the hull's points, shape (n, k), shifted by `point`, minimise
    |P' u|^2 + (sum(u) - 1)^2 over u >= 0. For u = s w, sum(w) = 1, the best s gives
    d^2 / (1 + d^2), which grows with d = |P' w|: so w = u / sum(u) is exactly the nearest point
    of the hull. Works in any dimension, also for flat hulls and hulls of fewer than k + 1 points.
    """
    shifted = hull - point
    system = np.vstack([shifted.T, np.ones(len(hull))])
    weights, _ = nnls(system, np.append(np.zeros(hull.shape[1]), 1.0), maxiter=100 * len(hull))
    return weights / weights.sum()


def _distance(hull: np.ndarray, point: np.ndarray) -> float:
    """Distance from `point`, shape (k,), to the convex hull of `hull`, shape (n, k)."""
    return float(np.linalg.norm(nearest_in_hull(hull, point) @ (hull - point)))
