"""How well voltages that ran freely agree with the true ones: spikes, and the time between."""

from __future__ import annotations

import math

import numpy as np

from .spiketrain import away_from, gamma, spike_times

DELTA = 2.0  # ms, the window of Gamma
AROUND = (2.0, 4.0)  # ms before and after a spike that are not "below threshold"


def judge(answer: np.ndarray, truth: np.ndarray, dt: float, threshold: float) -> dict[str, float]:
    """Figures of free-running voltages beside the true ones.

    Args:
        answer: Voltage [mV], shape (n, steps).
        truth: Voltage [mV], same shape.
        dt: Grid [ms].
        threshold: Voltage whose upward crossing is a spike [mV].

    Returns:
        gamma: Mean Gamma (2 ms) of the traces with at least 3 true spikes.
        count_ratio: Spikes of all traces over true spikes.
        below_mV: Median over traces of the RMSE away from spikes of either [mV].
        peak_mV: Mean error of the peaks of coinciding spikes [mV].
        false_spikes: Mean count in traces without true spikes.
        NaN where no trace has what a figure needs.
    """
    rows = [_row(x, y, dt, threshold) for x, y in zip(answer, truth, strict=True)]
    table = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    fires, silent = table["true"] >= 3, table["true"] == 0
    return {
        "gamma": _mean(table["gamma"][fires]),
        "count_ratio": float(table["count"].sum() / table["true"].sum())
        if table["true"].any()
        else math.nan,
        "below_mV": float(np.nanmedian(table["below"])),
        "peak_mV": _mean(table["peak"]),
        "false_spikes": _mean(table["count"][silent]),
    }


def _row(x: np.ndarray, y: np.ndarray, dt: float, threshold: float) -> dict[str, float]:
    """Figures of one trace."""
    found, true = (spike_times(v, dt, threshold) for v in (x, y))
    far = away_from(np.concatenate((found, true)), len(y), dt, *AROUND)
    below = float(np.sqrt(np.mean(np.square(x - y, dtype=float)[far]))) if far.any() else 0.0
    return {
        "true": len(true),
        "count": len(found),
        "gamma": gamma(found, true, len(y) * dt, DELTA),
        "below": below,
        "peak": _peak_error(x, y, found, true, dt),
    }


def _peak_error(x, y, found: np.ndarray, true: np.ndarray, dt: float) -> float:
    """Mean of the answer's peak less the true one's, over coinciding spikes [mV]."""
    width, errors = round(1.5 / dt), []
    for time in true if len(found) else ():
        near = found[np.argmin(np.abs(found - time))]
        if abs(near - time) <= DELTA:
            tops = (v[int(t / dt) : int(t / dt) + width].max() for v, t in ((x, near), (y, time)))
            errors.append(float(np.subtract(*tops)))
    return float(np.mean(errors)) if errors else math.nan


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
