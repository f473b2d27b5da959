"""Any feature over a plane of the latent space, for any current, as plain arrays.

A plane leaves the other coordinates open. They follow by a rule:

    regression   linear in the two, fitted to the training cells in encoded units
    nearest      those of the training cell nearest in the plane

A map is where the training cells are: a point outside their hull in the plane has no value, nor
has one whose I_thr is so low that nothing was trained at the current. Inside it, the whole point
may still lie off the hull of all coordinates; `outside` says how far.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, OutsideTraining
from ..features import efel
from ..features.latent import LatentSpace
from ..protocols.protocol import Protocol, noble_step
from ..surrogates.bundle import Surrogate
from ..types import Trace

RULES = ("regression", "nearest")
BEYOND = 1.001  # times the card's reach


@dataclass(frozen=True)
class FeatureMaps:
    """Features over a plane of the latent space.

    Attributes:
        plane: Names of the two coordinates.
        units: Theirs.
        x: First coordinate, shape (nx,).
        y: Second coordinate, shape (ny,).
        labels: What each current is, shape (A,).
        values: Feature -> shape (A, ny, nx); NaN where there is no support, or no such feature.
        supported: Whether anything was trained there, shape (A, ny, nx).
        outside: Distance of the whole point to the hull of the training cells, encoded units,
            shape (ny, nx).
        cells: Training cells in the plane, shape (n, 2).
        rule: How the other coordinates were set.
    """

    plane: tuple[str, str]
    units: tuple[str, str]
    x: np.ndarray
    y: np.ndarray
    labels: tuple[str, ...]
    values: dict[str, np.ndarray]
    supported: np.ndarray
    outside: np.ndarray
    cells: np.ndarray
    rule: str


def feature_maps(
    surrogate: Surrogate,
    currents: Sequence[float | Protocol],
    features: Sequence[str] = efel.PAPER_FEATURES,
    plane: tuple[str, str] | None = None,
    size: int = 24,
    rule: str = "regression",
) -> FeatureMaps:
    """Ask the surrogate over a grid of the plane, and measure features of its answers.

    Args:
        surrogate: The surrogate.
        currents: Amplitudes of the paper's square step [nA], or protocols.
        features: The paper's features, or any of eFEL's.
        plane: Two coordinates of the latent space; its first two by default.
        size: Points along each side.
        rule: How the other coordinates follow: "regression" or "nearest".

    Raises:
        InputError: No such coordinate or rule, or nothing to ask.
    """
    space = surrogate.latent_space
    first, second = axes = _axes(space, plane)
    if size < 2 or not len(currents):
        raise InputError(f"A map needs a current and 2 points a side: got size {size}, {currents}")
    protocols = [c if isinstance(c, Protocol) else noble_step(float(c)) for c in currents]
    x, y = (np.linspace(space.low[k], space.high[k], size) for k in axes)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    points = completed(space, grid, (space.names[first], space.names[second]), rule)
    flat = _flat(space, axes)
    inside = flat.contains(grid)
    supported = np.array([inside & within_reach(surrogate, p, points) for p in protocols])
    values = {name: np.full(supported.shape, np.nan) for name in features}
    for a, protocol in enumerate(protocols):
        which = np.flatnonzero(supported[a])
        found = measured(surrogate, [protocol] * len(which), points[which], features)
        for name in features:
            values[name][a, which] = found[name]
    shape = (len(protocols), size, size)
    return FeatureMaps(
        flat.names,
        flat.units,
        x,
        y,
        tuple(p.name for p in protocols),
        {name: v.reshape(shape) for name, v in values.items()},
        supported.reshape(shape),
        space.distance(points).reshape(shape[1:]),
        flat.points,
        rule,
    )


def completed(
    space: LatentSpace, grid: np.ndarray, plane: tuple[str, str], rule: str = "regression"
) -> np.ndarray:
    """Whole latent points for points of a plane.

    Args:
        space: The latent space.
        grid: In the plane, physical units, shape (n, 2).
        plane: Names of its two coordinates.
        rule: "regression" or "nearest".

    Returns:
        Physical units, shape (n, k).
    """
    if rule not in RULES:
        raise InputError(f"The other coordinates follow by {' or '.join(RULES)}: got {rule!r}.")
    axes = list(_axes(space, plane))
    cells = space.encode(space.points)
    raw = np.tile(space.points.mean(axis=0), (len(grid), 1))
    raw[:, axes] = grid
    asked = space.encode(raw)
    if rule == "nearest":
        gaps = np.linalg.norm(asked[:, None, axes] - cells[None, :, axes], axis=-1)
        whole = cells[gaps.argmin(axis=1)].copy()
    else:
        known = np.column_stack([np.ones(len(cells)), cells[:, axes]])
        weights, *_ = np.linalg.lstsq(known, cells, rcond=None)
        whole = np.column_stack([np.ones(len(grid)), asked[:, axes]]) @ weights
    whole[:, axes] = asked[:, axes]
    return space.decode(whole)


def measured(
    surrogate: Surrogate,
    protocols: Sequence[Protocol],
    points: np.ndarray,
    features: Sequence[str],
) -> dict[str, np.ndarray]:
    """Features of the surrogate's answers, one per protocol and point; outside, it does not warn.

    Returns:
        Feature -> shape (n,).
    """
    if not len(points):
        return {name: np.zeros(0) for name in features}
    dt = surrogate.card.dt
    middles = (np.arange(int(protocols[0].duration / dt + 1e-6) + 1) + 0.5) * dt
    current = np.array([p.current(middles) for p in protocols])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideTraining)
        voltage = surrogate.predict(current, points, dt)
    t = np.arange(voltage.shape[1]) * dt
    rows = [
        efel.extract(Trace(t, v.astype(float)), *p.window, surrogate.threshold, features)
        for v, p in zip(voltage, protocols, strict=True)
    ]
    return {name: np.array([row[name] for row in rows], dtype=float) for name in features}


def within_reach(surrogate: Surrogate, protocol: Protocol, points: np.ndarray) -> np.ndarray:
    """Whether the current lies in what cells of such thresholds were trained on, shape (n,)."""
    card, middles = surrogate.card, (np.arange(int(protocol.duration)) + 0.5)
    current = protocol.current(middles)
    low, high = card.current_range
    fits = low - 1e-6 <= current.min() and current.max() <= high + 1e-6
    if card.reach is None or "I_thr" not in card.latent_space.names:
        return np.full(len(points), fits)
    own = points[:, card.latent_space.names.index("I_thr")]
    return fits & (current.max() <= BEYOND * card.reach * own)


def _flat(space: LatentSpace, axes: tuple[int, int]) -> LatentSpace:
    """The space of two of its coordinates."""
    i, j = axes
    return LatentSpace(
        (space.names[i], space.names[j]),
        (space.units[i], space.units[j]),
        space.low[[i, j]],
        space.high[[i, j]],
        space.points[:, [i, j]],
    )


def _axes(space: LatentSpace, plane: tuple[str, str] | None) -> tuple[int, int]:
    if len(space.names) < 2:
        raise InputError(f"A plane needs two latent coordinates: there is {list(space.names)}.")
    if plane is None:
        return 0, 1
    unknown = [name for name in plane if name not in space.names]
    if unknown or len(set(plane)) != 2:
        raise InputError(
            f"A plane is two of {', '.join(space.names)}: got {', '.join(map(str, plane))}."
        )
    return space.names.index(plane[0]), space.names.index(plane[1])
