"""How well voltages that ran freely agree with the true ones: spikes, and the time between."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from .spiketrain import away_from, gamma, interval_error, spike_synchrony, spike_times

DELTA = 2.0  # ms, the window of Gamma
AROUND = (2.0, 4.0)  # ms before and after a spike that are not "below threshold"
PEAK_WITHIN = 1.5  # ms from the threshold to the peak, at most


def judge(answer: np.ndarray, truth: np.ndarray, dt: float, threshold: float) -> dict[str, float]:
    """Figures of free-running voltages beside the true ones: see `summary`.

    Args:
        answer: Voltage [mV], shape (n, steps).
        truth: Voltage [mV], same shape.
        dt: Grid [ms].
        threshold: Voltage whose upward crossing is a spike [mV].
    """
    return summary([row(x, y, dt, threshold) for x, y in zip(answer, truth, strict=True)])


def row(x: np.ndarray, y: np.ndarray, dt: float, threshold: float) -> dict[str, float]:
    """Figures of one answer `x` beside the truth `y` [mV], shape (steps,); NaN if undefined."""
    found, true = (spike_times(v, dt, threshold) for v in (x, y))
    far = away_from(np.concatenate((found, true)), len(y), dt, *AROUND)
    below = float(np.sqrt(np.mean(np.square(x - y, dtype=float)[far]))) if far.any() else 0.0
    duration = len(y) * dt
    return {
        "true": len(true),
        "count": len(found),
        "gamma": gamma(found, true, duration, DELTA),
        "gamma_4ms": gamma(found, true, duration, 2 * DELTA),
        "spike_synchrony": spike_synchrony(found, true, duration),
        "interval_error": interval_error(found, true),
        "below": below,
        "peak": _peak_error(x, y, found, true, dt),
    }


def summary(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Figures over many traces, of `row` each.

    Returns:
        gamma, gamma_4ms, spike_synchrony: Means of the traces with at least 3 true spikes.
        interval_error: Likewise; mean |ISI - ISI'| / ISI'.
        count_ratio: Spikes of all traces over true spikes.
        count_error: Mean |n - n'| over mean n' of the traces with true spikes.
        below_mV: Median over traces of the RMSE away from spikes of either [mV].
        peak_mV: Mean error of the peaks of coinciding spikes [mV].
        false_spikes: Mean count in traces without true spikes.
        NaN where no trace has what a figure needs.
    """
    table = {key: np.array([each[key] for each in rows]) for key in rows[0]}
    true, count = table["true"], table["count"]
    fires = true >= 3
    trains = ("gamma", "gamma_4ms", "spike_synchrony", "interval_error")
    some = true.any()
    return {
        **{name: _mean(table[name][fires]) for name in trains},
        "count_ratio": float(count.sum() / true.sum()) if some else math.nan,
        "count_error": float(np.abs(count - true)[true > 0].sum() / true.sum())
        if some
        else math.nan,
        "below_mV": float(np.nanmedian(table["below"])),
        "peak_mV": _mean(table["peak"]),
        "false_spikes": _mean(count[true == 0]),
    }


def _peak_error(x, y, found: np.ndarray, true: np.ndarray, dt: float) -> float:
    """Mean of the answer's peak less the true one's, over coinciding spikes [mV]."""
    width, errors = round(PEAK_WITHIN / dt), []
    for time in true if len(found) else ():
        near = found[np.argmin(np.abs(found - time))]
        if abs(near - time) <= DELTA:
            tops = (v[int(t / dt) : int(t / dt) + width].max() for v, t in ((x, near), (y, time)))
            errors.append(float(np.subtract(*tops)))
    return float(np.mean(errors)) if errors else math.nan


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
