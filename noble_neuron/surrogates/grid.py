"""From the grid a user asks on to the grid an operator was trained on, and back."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline


def same(dt: float, other: float) -> bool:
    """Whether two grid steps [ms] are one."""
    return abs(dt - other) <= 1e-6 * other


def current_onto(current: np.ndarray, dt: float, new_dt: float, steps: int) -> np.ndarray:
    """The current's mean over each new interval, so that no charge is lost; zero after its end.

    Args:
        current: Current per interval of `dt`, shape (n, old steps).
        dt: Its grid [ms].
        new_dt: The new grid [ms].
        steps: Intervals of the new grid.

    Returns:
        Shape (n, steps).
    """
    edges = np.arange(current.shape[1] + 1) * dt
    charge = np.pad(np.cumsum(current, axis=1, dtype=float) * dt, ((0, 0), (1, 0)))
    new_edges = np.arange(steps + 1) * new_dt
    new_charge = np.stack([np.interp(new_edges, edges, row) for row in charge])
    return np.diff(new_charge, axis=1) / new_dt


def voltage_onto(voltage: np.ndarray, dt: float, new_dt: float, steps: int) -> np.ndarray:
    """The voltage on another grid, by a cubic spline.

    Args:
        voltage: Voltage at multiples of `dt`, shape (n, old steps).
        dt: Its grid [ms].
        new_dt: The new grid [ms].
        steps: Points of the new grid.

    Returns:
        Shape (n, steps), float32.
    """
    spline = CubicSpline(np.arange(voltage.shape[1]) * dt, voltage, axis=1)
    return spline(np.arange(steps) * new_dt).astype(np.float32)
