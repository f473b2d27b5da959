"""How alike two spike trains are. Times in ms, ascending; counted in pairs within a window.

Gamma says how many spikes coincide, beyond what chance gives; SPIKE-synchronisation needs no
window, so it also serves trains of high or changing rate; the errors of counts and intervals
serve regular responses, where a small difference of rate makes all later spikes miss.
"""

from __future__ import annotations

from math import nan

import numpy as np

from ..errors import InputError


def spike_times(v: np.ndarray, dt: float, threshold: float) -> np.ndarray:
    """Times [ms] at which `v` [mV], shape (steps,), crosses `threshold` [mV] upwards.

    Linear between grid points; v[0] is at time 0.
    """
    v = np.asarray(v, dtype=np.float64)
    k = np.flatnonzero((v[:-1] <= threshold) & (v[1:] > threshold))
    return (k + (threshold - v[k]) / (v[k + 1] - v[k])) * dt


def spike_peaks(v: np.ndarray, threshold: float) -> np.ndarray:
    """Highest voltage [mV] of each stretch of `v` above `threshold`, one per spike."""
    above = np.concatenate(([False], np.asarray(v) > threshold))
    ups = np.flatnonzero(above[1:] & ~above[:-1])
    return np.maximum.reduceat(np.asarray(v, dtype=float), ups) if len(ups) else np.zeros(0)


def coincidences(answer: np.ndarray, truth: np.ndarray, delta: float) -> int:
    """Most pairs, one spike of each train, that lie within `delta` [ms] of each other."""
    i = j = pairs = 0
    while i < len(answer) and j < len(truth):
        apart = answer[i] - truth[j]
        if abs(apart) <= delta:
            i, j, pairs = i + 1, j + 1, pairs + 1
        elif apart < 0:
            i += 1
        else:
            j += 1
    return pairs


def gamma(answer: np.ndarray, truth: np.ndarray, duration: float, delta: float = 2.0) -> float:
    """Coincidence factor: 1 for equal trains, 0 on average for a Poisson train of that rate.

        Gamma = (N_coinc - <N_coinc>) / (N_truth + N_answer) * 2 / (1 - 2 nu delta),
        <N_coinc> = 2 nu delta N_truth,    nu = N_answer / duration

    Args:
        answer: Spike times of the model [ms].
        truth: Spike times of the reference [ms].
        duration: Of the trace [ms].
        delta: Largest distance of a coincidence [ms].

    Returns:
        NaN where both trains are empty, and at rates of 1 / (2 delta) or more (250 Hz for
        2 ms), where everything coincides by chance.

    References:
        Kistler, Gerstner & van Hemmen 1997, Neural Computation 9:1015; Jolivet et al. 2008,
        Journal of Neuroscience Methods 169:417. A spike is paired once, so of Poisson trains
        slightly fewer than <N_coinc> coincide: Gamma is -0.03 at 40 Hz and 2 ms.
    """
    if not (duration > 0 and delta > 0):
        raise InputError(
            f"Gamma needs a duration and a window above 0 ms: got {duration} and {delta}."
        )
    by_chance = 2 * len(answer) / duration * delta  # per spike of the truth
    both = len(answer) + len(truth)
    if not both or by_chance >= 1:
        return nan
    found = coincidences(answer, truth, delta)
    return 2 * (found - by_chance * len(truth)) / (both * (1 - by_chance))


def spike_synchrony(answer: np.ndarray, truth: np.ndarray, duration: float) -> float:
    """SPIKE-synchronisation: the share of spikes, of both trains, with a partner.

    Partners are closer than half of the shortest of the four intervals around them, so
    the window adapts to the rate. 1 for equal trains; NaN where both are empty.

    Args:
        answer: Spike times of the model [ms].
        truth: Spike times of the reference [ms].
        duration: Of the trace [ms]; bounds the window of trains of one spike.

    References:
        Kreuz, Mulansky & Bozanic 2015, Journal of Neurophysiology 113:3432.
    """
    if not len(answer) + len(truth):
        return nan
    if not len(answer) or not len(truth):
        return 0.0
    apart = np.abs(np.asarray(answer)[:, None] - np.asarray(truth)[None])
    window = np.minimum(
        _nearest_interval(answer, duration)[:, None], _nearest_interval(truth, duration)[None]
    )
    return float(2 * (apart < window / 2).sum() / (len(answer) + len(truth)))


def interval_error(answer: np.ndarray, truth: np.ndarray) -> float:
    """Mean |ISI - ISI'| / ISI' over the intervals that both trains have, first to first.

    A fraction; NaN where either has no interval.
    """
    n = min(len(answer), len(truth)) - 1
    if n < 1:
        return nan
    found, wanted = np.diff(answer[: n + 1]), np.diff(truth[: n + 1])
    return float(np.mean(np.abs(found - wanted) / wanted))


def away_from(times: np.ndarray, n: int, dt: float, before: float, after: float) -> np.ndarray:
    """Which of `n` grid points lie in no spike's time -before ... +after [ms], shape (n,)."""
    far = np.ones(n, dtype=bool)
    for time in times:
        far[max(0, round((time - before) / dt)) : max(0, round((time + after) / dt) + 1)] = False
    return far


def _nearest_interval(times: np.ndarray, duration: float) -> np.ndarray:
    """Shorter one of the intervals before and after each spike [ms]."""
    edged = np.concatenate(([np.inf], np.diff(times), [np.inf]))
    return np.minimum(np.minimum(edged[:-1], edged[1:]), duration)
