"""The passive cell, read off one small step (the paper's is -0.1 nA).

Rest is the mean of the last 10 % of the time before the step, as eFEL's
voltage_base: in a protocol with little time before the step it still holds what is
left of the relaxation from the initial voltage.
"""

from __future__ import annotations

from math import nan

import numpy as np

from ..errors import InputError
from ..types import Trace


def input_resistance(trace: Trace, amplitude: float, onset: float, offset: float) -> float:
    """Steady deflection over the current [MOhm], at the last 10 % of the step.

    Args:
        trace: Answer to one step.
        amplitude: Of the step [nA], not zero.
        onset: Its start [ms].
        offset: Its end [ms].
    """
    if not (np.isfinite(amplitude) and amplitude):
        raise InputError(
            f"Input resistance is read off a step of current: got {amplitude} nA; "
            f"-0.1 nA is usual."
        )
    return (_late(trace, onset, offset) - _rest(trace, onset)) / amplitude


def sag_ratio(trace: Trace, onset: float, offset: float) -> float:
    """Part of the peak deflection that is lost by the end of a hyperpolarising step."""
    rest, late = _rest(trace, onset), _late(trace, onset, offset)
    peak = trace.v[_between(trace, onset, offset)].min()  # mV
    return float((late - peak) / (rest - peak)) if peak < rest else nan


def membrane_time_constant(trace: Trace, onset: float, offset: float) -> float:
    """Time constant of the approach to the peak of a hyperpolarising step [ms].

    Least squares of log(v - v_peak) between 10 % and 80 % of the deflection: the
    first part holds the faster charging of the dendrites, the last part the sag.
    """
    step = _between(trace, onset, offset)
    t, v = trace.t[step], trace.v[step].astype(np.float64)
    rest, last = _rest(trace, onset), int(np.argmin(v))
    part = (rest - v[: last + 1]) / (rest - v[last]) if v[last] < rest else np.zeros(0)
    used = np.flatnonzero((part >= 0.1) & (part <= 0.8))
    if used.size < 3:
        return nan
    rate = np.polyfit(t[used], np.log(1 - part[used]), 1)[0]  # 1/ms
    return float(-1 / rate) if rate < 0 else nan


def _between(trace: Trace, start: float, stop: float) -> np.ndarray:
    found = (trace.t >= start) & (trace.t < stop)
    if not found.any():
        raise InputError(
            f"The trace covers {trace.t[0]:g}-{trace.t[-1]:g} ms: nothing of it lies in "
            f"{start:g}-{stop:g} ms."
        )
    return found


def _rest(trace: Trace, onset: float) -> float:
    return float(trace.v[_between(trace, trace.t[0] + 0.9 * (onset - trace.t[0]), onset)].mean())


def _late(trace: Trace, onset: float, offset: float) -> float:
    return float(trace.v[_between(trace, offset - 0.1 * (offset - onset), offset)].mean())
