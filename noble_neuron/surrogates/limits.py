"""What a surrogate was trained on, and a warning for whatever lies outside."""

from __future__ import annotations

import warnings

import numpy as np

from ..errors import OutsideTraining
from .card import Card

_TINY = 1e-6  # nA; below any current that matters


def warn_outside(card: Card, current: np.ndarray, latent: np.ndarray, dt: float) -> None:
    """Warn of every way in which a request leaves the training set.

    Args:
        card: What the surrogate was trained on.
        current: Current [nA], shape (n, steps).
        latent: Raw latent points, shape (n, k).
        dt: Grid of the current [ms].
    """
    for text in (
        _hull(card, latent),
        _range(card, current),
        _lowest(card, current),
        _reach(card, current, latent),
        _shape(card, current, dt),
    ):
        if text:
            warnings.warn(text, OutsideTraining, stacklevel=3)


def _hull(card: Card, latent: np.ndarray) -> str | None:
    points = np.unique(latent, axis=0)
    inside = card.latent_space.contains(points)
    if inside.all():
        return None
    distance = card.latent_space.distance(points[~inside])
    worst = dict(zip(card.latent_space.names, points[~inside][distance.argmax()], strict=True))
    said = ", ".join(f"{name} {value:g}" for name, value in worst.items())
    own = card.latent_space.spacing
    return (
        f"{(~inside).sum()} of {len(points)} latent points lie outside the hull of the training "
        f"cells of {card.ensemble!r}; the farthest ({said}) by {distance.max():.3g} encoded units "
        f"(a training cell from the hull of the others: {np.median(own):.3g} in the median, "
        f"{own.max():.3g} at most)."
    )


def _range(card: Card, current: np.ndarray) -> str | None:
    low, high = card.current_range
    if current.min() >= low - _TINY and current.max() <= high + _TINY:
        return None
    return (
        f"The current spans {current.min():g} to {current.max():g} nA; the surrogate of "
        f"{card.ensemble!r} was trained on {low:g} to {high:g} nA."
    )


def _lowest(card: Card, current: np.ndarray) -> str | None:
    """A range that holds 0 because every step ends there does not hold the step of 0 nA."""
    if card.lowest is None:
        return None
    farthest = np.abs(current).argmax(axis=1)
    amplitude = current[np.arange(len(current)), farthest]
    below = amplitude < card.lowest - _TINY
    if not below.any():
        return None
    return (
        f"{below.sum()} of {len(current)} currents have an amplitude down to "
        f"{amplitude.min():.3g} nA; the surrogate of {card.ensemble!r} was trained on amplitudes "
        f"from {card.lowest:.3g} nA."
    )


def _reach(card: Card, current: np.ndarray, latent: np.ndarray) -> str | None:
    """Each cell was trained up to some multiple of its own threshold, whatever others stand."""
    if card.reach is None:
        return None
    own = latent[:, card.latent_space.names.index("I_thr")]
    factor = np.where(own > 0, current.max(axis=1) / np.where(own > 0, own, 1.0), 0.0)
    beyond = factor > card.reach * 1.001
    if not beyond.any():
        return None
    return (
        f"{beyond.sum()} of {len(current)} currents reach up to {factor.max():.3g} times the "
        f"cell's I_thr; the surrogate of {card.ensemble!r} was trained up to "
        f"{card.reach:.3g} times."
    )


def _shape(card: Card, current: np.ndarray, dt: float) -> str | None:
    if card.step is None:
        return None
    foreign = ~is_step(current, dt, *card.step)
    if not foreign.any():
        return None
    onset, duration = card.step
    return (
        f"{foreign.sum()} of {len(current)} currents are no square step from {onset:g} to "
        f"{onset + duration:g} ms, which is all that the surrogate of {card.ensemble!r} knows."
    )


def is_step(current: np.ndarray, dt: float, onset: float, duration: float) -> np.ndarray:
    """Whether each current is one square step, as far as it lasts; one grid step of leeway.

    Args:
        current: Current [nA], shape (n, steps).
        dt: Its grid [ms].
        onset: Of the step [ms].
        duration: Of the step [ms].

    Returns:
        Shape (n,), bool.
    """
    t = np.arange(current.shape[1]) * dt
    end = onset + duration
    on = current[:, (t > onset + dt) & (t < end - dt)]
    off = current[:, (t < onset - dt) | (t > end + dt)]
    level = on.max(axis=1, initial=-np.inf) - on.min(axis=1, initial=np.inf) <= _TINY
    return level & (np.abs(off).max(axis=1, initial=0.0) <= _TINY)
