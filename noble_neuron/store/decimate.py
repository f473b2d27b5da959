"""The paper's subsampling (section 3.1): low-pass filter, then every third point.

The filter runs forwards and backwards, so it shifts no spike; each point then contains a
little of its own future. A whole-trace operator may train on it, a causal one must not.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import cheby1, decimate, filtfilt

FACTOR = 3


def low_passed(v: np.ndarray, factor: int = FACTOR) -> np.ndarray:
    """Voltage without what the coarser grid cannot hold, on every `factor`-th point.

    Chebyshev I of order 7 at 0.8 of the new Nyquist frequency, zero phase. The order is odd
    because an even one, scipy's default, has a gain of 0.989 at rest: -86 mV became -85 mV.

    Args:
        v: Voltage [mV], shape (..., points).
        factor: How many times coarser the grid becomes.

    Returns:
        Voltage [mV], float32, shape (..., ceil(points / factor)).
    """
    if factor == 1:
        return np.asarray(v, dtype=np.float32)
    return decimate(np.asarray(v, dtype=float), factor, n=7, axis=-1).astype(np.float32)


def smoothed(v: np.ndarray, factor: int = FACTOR) -> np.ndarray:
    """The voltage that `low_passed` takes every `factor`-th point of, on its own grid.

    Args:
        v: Voltage [mV], shape (..., points).
        factor: How many times coarser the other grid is.

    Returns:
        Voltage [mV], of the same shape.
    """
    v = np.asarray(v, dtype=float)
    return v if factor == 1 else filtfilt(*cheby1(7, 0.05, 0.8 / factor), v, axis=-1)


def averaged(current: np.ndarray, factor: int = FACTOR) -> np.ndarray:
    """Input on the coarser grid: the mean over each new interval, so no charge is lost.

    Args:
        current: Input per recording interval, shape (..., points).
        factor: How many times coarser the grid becomes.

    Returns:
        Input, float32, shape (..., ceil(points / factor)).
    """
    points = current.shape[-1]
    missing = -points % factor
    padded = np.concatenate([current, np.repeat(current[..., -1:], missing, axis=-1)], axis=-1)
    means = padded.reshape(*current.shape[:-1], -1, factor).mean(-1, dtype=float)
    return means.astype(np.float32)
