"""The F-I curve of anything that answers a square step: a cell, or its surrogate.

All of it works on `respond(amplitude [nA]) -> Trace`, so that a full simulation
and a surrogate are measured by the same ruler. Definitions (only spikes within the
stimulus, onset < t <= offset, count here):

I_thr. Near onset, silent and firing answers can alternate with amplitude, so "the
    smallest amplitude that fires" needs a rule. Ours: try the multiples of `grid`
    (20 pA; absolute multiples, whatever the bounds) from below; the first that
    fires at least one spike and the silent one before it are a bracket; halve the
    bracket until it is no wider than `tolerance` (0.2 pA). I_thr is its upper end:
    an amplitude that was seen to fire. Islands of firing narrower than `grid` can
    be stepped over; which one is found depends on nothing but the cell.
I_rep. The smallest amplitude of repetitive firing: at least 4 spikes, and the last
    no further from the end of the stimulus than twice the longest interval. Found
    as I_thr is, from I_thr upwards. Without the second clause a cell that fires a
    short burst and falls silent, as bistable cells do near onset, would start its
    slope in that burst, and one burst spike more or less would change it.
s_thr. Least-squares slope of the smooth rate over [I_rep, I_rep + 0.12 nA], the
    window cut at the peak rate. The smooth rate counts the last, unfinished
    interval as a fraction of the one before it. A plain count moves in steps of
    2.5 Hz (1 spike / 400 ms), which alone puts an error of 3-7 Hz/nA on the slope.
I_block. First amplitude above the peak where the rate is below half the peak.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, nan

import numpy as np

from ..errors import InputError
from ..types import Trace
from .efel import spikes_within

Respond = Callable[[float], Trace]

ONSET, OFFSET = 15.0, 415.0  # ms, the paper's step
LEAST_SPIKES = 4  # of repetitive firing
SLOPE_WINDOW = 0.12  # nA above I_rep
SLOPE_POINTS = 9


@dataclass(frozen=True)
class FICurve:
    """Spikes per stimulus amplitude.

    Attributes:
        amplitudes: [nA], ascending, shape (n,).
        counts: Spikes within the stimulus, shape (n,).
        smooth: The same, the unfinished interval counted as a fraction, shape (n,).
        repetitive: Whether firing lasts to the end of the stimulus, shape (n,).
        duration: Of the stimulus [ms].
    """

    amplitudes: np.ndarray
    counts: np.ndarray
    smooth: np.ndarray
    repetitive: np.ndarray
    duration: float

    @property
    def rates(self) -> np.ndarray:
        """Spikes over the stimulus' duration [Hz], shape (n,)."""
        return 1e3 * self.counts / self.duration

    @property
    def smooth_rates(self) -> np.ndarray:
        """As `rates`, without the steps of one spike [Hz], shape (n,)."""
        return 1e3 * self.smooth / self.duration


def fi_curve(
    respond: Respond,
    amplitudes: Sequence[float],
    *,
    threshold: float,
    onset: float = ONSET,
    offset: float = OFFSET,
) -> FICurve:
    """Measure the F-I curve at `amplitudes` [nA]; spikes cross `threshold` [mV]."""
    amplitudes = np.unique(np.asarray(amplitudes, dtype=np.float64))
    if not amplitudes.size or not np.isfinite(amplitudes).all():
        raise InputError(f"An F-I curve needs finite amplitudes [nA]: got {amplitudes}.")
    trains = [spikes_within(respond(float(a)), onset, offset, threshold) for a in amplitudes]
    return FICurve(
        amplitudes,
        np.array([train.size for train in trains]),
        np.array([_smooth_count(train, offset) for train in trains]),
        np.array([_lasts(train, offset) for train in trains]),
        offset - onset,
    )


def threshold_current(
    respond: Respond,
    low: float,
    high: float,
    tolerance: float = 2e-4,
    *,
    threshold: float,
    onset: float = ONSET,
    offset: float = OFFSET,
    grid: float = 0.02,
) -> float:
    """I_thr [nA] by the rule at the top of this module; NaN if silent up to `high`.

    Args:
        respond: The cell.
        low: Where the scan from below starts [nA] (the multiple at or below); must be silent.
        high: Where it gives up [nA].
        tolerance: Widest bracket accepted [nA].
        threshold: Spike detection threshold [mV].
        onset: Start of the step [ms].
        offset: Its end [ms].
        grid: Spacing of the scan [nA].

    Raises:
        InputError: The cell already fires at the first amplitude of the scan.
    """
    _check_search(low, high, tolerance, grid)

    def fires(amplitude: float) -> bool:
        return spikes_within(respond(amplitude), onset, offset, threshold).size > 0

    scan = _scan(low, high, grid)
    found = _onset(fires, scan, tolerance)
    if found == scan[0]:
        raise InputError(
            f"The cell already fires at the lowest amplitude of the scan, {scan[0]:g} nA: "
            f"start lower, or leave out a cell that fires by itself."
        )
    return found


def repetitive_current(
    respond: Respond,
    low: float,
    high: float,
    tolerance: float = 6.25e-4,
    *,
    threshold: float,
    onset: float = ONSET,
    offset: float = OFFSET,
    grid: float = 0.01,
) -> float:
    """I_rep [nA]: as `threshold_current`, of firing that lasts. `low` is usually I_thr."""
    _check_search(low, high, tolerance, grid)

    def lasts(amplitude: float) -> bool:
        return _lasts(spikes_within(respond(amplitude), onset, offset, threshold), offset)

    return _onset(lasts, _scan(low, high, grid), tolerance)


def threshold_slope(
    respond: Respond,
    i_thr: float,
    high: float,
    *,
    threshold: float,
    onset: float = ONSET,
    offset: float = OFFSET,
) -> float:
    """s_thr [Hz/nA] by the definition at the top of this module; NaN if never repetitive.

    Args:
        respond: The cell.
        i_thr: Its threshold current [nA].
        high: Where the search for repetitive firing gives up [nA].
        threshold: Spike detection threshold [mV].
        onset: Start of the step [ms].
        offset: Its end [ms].
    """
    if not np.isfinite(i_thr):
        return nan
    step = {"threshold": threshold, "onset": onset, "offset": offset}
    i_rep = repetitive_current(respond, i_thr, high, **step)
    if not np.isfinite(i_rep):
        return nan
    amplitudes = np.linspace(i_rep, i_rep + SLOPE_WINDOW, SLOPE_POINTS)
    return slope(fi_curve(respond, amplitudes, **step))


def slope(curve: FICurve, window: float = SLOPE_WINDOW) -> float:
    """Least-squares slope [Hz/nA] of a measured curve over [I_rep, I_rep + window].

    The window is cut at the peak rate; NaN where fewer than two amplitudes are left.
    """
    lasting = np.flatnonzero(curve.repetitive)
    if not lasting.size:
        return nan
    first, peak = lasting[0], int(np.argmax(curve.smooth))
    end = curve.amplitudes[first] + window + 1e-9
    used = np.arange(first, peak + 1)
    used = used[curve.amplitudes[used] <= end]
    if used.size < 2:
        return nan
    return float(np.polyfit(curve.amplitudes[used], curve.smooth_rates[used], 1)[0])


def block_current(curve: FICurve) -> float:
    """I_block [nA]: first amplitude past the peak with less than half its rate, or NaN."""
    peak = int(np.argmax(curve.counts))
    after = np.flatnonzero(curve.counts[peak:] < curve.counts[peak] / 2)
    return float(curve.amplitudes[peak + after[0]]) if after.size else nan


def _smooth_count(train: np.ndarray, offset: float) -> float:
    """Spikes, the time after the last one counted as a part of the interval before it."""
    if train.size < 2:
        return float(train.size)
    return train.size - 1 + min(1.0, (offset - train[-1]) / (train[-1] - train[-2]))


def _lasts(train: np.ndarray, offset: float) -> bool:
    """Whether this is repetitive firing up to the end of the stimulus."""
    if train.size < LEAST_SPIKES:
        return False
    return bool(offset - train[-1] <= 2 * np.diff(train).max())


def _scan(low: float, high: float, grid: float) -> list[float]:
    """Absolute multiples of `grid` from the one at or below `low` to that at or above `high`."""
    return [k * grid for k in range(floor(low / grid + 1e-6), ceil(high / grid - 1e-6) + 1)]


def _onset(happens: Callable[[float], bool], scan: list[float], tolerance: float) -> float:
    """Upper end of the bracket, no wider than `tolerance`, where `happens` begins on `scan`.

    NaN where it never does; the first of `scan` where it does from the start.
    """
    first = next((k for k, amplitude in enumerate(scan) if happens(amplitude)), None)
    if first is None:
        return nan
    if first == 0:
        return scan[0]
    below, above = scan[first - 1], scan[first]
    while above - below > tolerance:
        middle = (below + above) / 2
        below, above = (below, middle) if happens(middle) else (middle, above)
    return above


def _check_search(low: float, high: float, tolerance: float, grid: float) -> None:
    if not (np.isfinite([low, high]).all() and low < high and 0 < tolerance <= grid):
        raise InputError(
            f"A search for an onset needs low < high and 0 < tolerance <= grid [nA]: got "
            f"low {low}, high {high}, tolerance {tolerance}, grid {grid}."
        )
