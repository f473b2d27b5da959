"""A cell's character: where it starts to fire, how steeply, where it stops, how it rests.

Definitions are those of `features.fi` and `features.passive`; the step is the paper's
(15 ms, 400 ms, 515 ms in all). Rest, input resistance and time constant come from a protocol
of their own with a late, small step, because in the paper's protocol the 15 ms before the
step still hold the relaxation from the initial voltage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np

from ..cells.spec import HofCell, LiveCell
from ..errors import InputError
from ..features import efel, fi, passive
from ..protocols.protocol import Protocol, noble_step
from ..protocols.stimuli import Step
from ..types import Trace
from .run import simulate

SETTLE, TEST = 500.0, 400.0  # ms before, and of, the passive step
TEST_AMPLITUDE = -0.02  # nA: small, so that Ih and the like hardly move
SPIKING = 1.3  # times I_thr: where spike features are read, if no amplitudes are given


@dataclass(frozen=True)
class Characteristics:
    """What `characterise` found; NaN where a cell has no such value.

    Attributes:
        name: Of the cell.
        values: I_thr [nA], I_rep [nA], s_thr [Hz/nA], I_block [nA], max_rate [Hz],
            I_at_max [nA], resting_voltage [mV], input_resistance [MOhm],
            membrane_time_constant [ms], sag_ratio (at -0.1 nA).
        curve: The F-I curve.
        features: Amplitude [nA] -> the paper's 16 features at it.
    """

    name: str
    values: dict[str, float]
    curve: fi.FICurve
    features: dict[float, dict[str, float]] = field(default_factory=dict)


def characterise(
    cell: HofCell | LiveCell,
    *,
    low: float = 0.0,
    high: float = 1.0,
    step: float = 0.02,
    tolerance: float = 2e-4,
    amplitudes: Sequence[float] | None = None,
    dt: float | None = None,
) -> Characteristics:
    """Measure one cell on one build; a simulation is never run twice.

    Args:
        cell: The cell; a built one stays built.
        low: Where the search for I_thr starts [nA]; must be silent.
        high: End of the F-I curve, and where the searches give up [nA].
        step: Spacing of the F-I curve [nA].
        tolerance: Widest bracket of I_thr [nA].
        amplitudes: Where the paper's features are read [nA]; -0.1 nA and 1.3 I_thr by default.
        dt: Solver step [ms]; the cell's own by default.

    Raises:
        InputError: The cell fires at `low`, or the range is empty.
    """
    if not (np.isfinite([low, high, step]).all() and low < high and step > 0):
        raise InputError(
            f"An F-I curve needs low < high and step > 0 [nA]: got {low}, {high}, {step}."
        )
    if isinstance(cell, HofCell):
        with cell.build() as live:
            return characterise(
                live,
                low=low,
                high=high,
                step=step,
                tolerance=tolerance,
                amplitudes=amplitudes,
                dt=dt,
            )
    respond = _Respond(cell, dt)
    threshold = {"threshold": cell.cell.threshold}
    i_thr = fi.threshold_current(respond, low, high, tolerance, **threshold)
    grid = np.round(np.arange(low, high + step / 2, step), 9)
    curve = fi.fi_curve(respond, grid, **threshold)
    values = {
        "I_thr": i_thr,
        "I_rep": (
            fi.repetitive_current(respond, i_thr, high, **threshold) if i_thr < high else nan
        ),
        "s_thr": fi.threshold_slope(respond, i_thr, high, **threshold) if i_thr < high else nan,
        "I_block": fi.block_current(curve),
        "max_rate": float(curve.rates.max()),
        "I_at_max": float(curve.amplitudes[np.argmax(curve.rates)]),
        **passive_values(cell, dt),
        "sag_ratio": passive.sag_ratio(respond(-0.1), fi.ONSET, fi.OFFSET),
    }
    wanted = [-0.1, SPIKING * i_thr] if amplitudes is None else amplitudes
    features = {
        float(a): efel.extract(respond(float(a)), fi.ONSET, fi.OFFSET, **threshold)
        for a in wanted
        if np.isfinite(a)
    }
    return Characteristics(cell.cell.name, values, curve, features)


def passive_values(cell: LiveCell, dt: float | None = None) -> dict[str, float]:
    """Resting voltage [mV], input resistance [MOhm] and membrane time constant [ms]."""
    protocol = Protocol("passive", SETTLE + TEST, (Step(TEST_AMPLITUDE, SETTLE, TEST),))
    trace = simulate(cell, protocol, dt=dt)
    window = (SETTLE, SETTLE + TEST)
    return {
        "resting_voltage": float(
            trace.v[round((SETTLE - 10) / trace.dt) : round(SETTLE / trace.dt)].mean()
        ),
        "input_resistance": passive.input_resistance(trace, TEST_AMPLITUDE, *window),
        "membrane_time_constant": passive.membrane_time_constant(trace, *window),
    }


class _Respond:
    """Answer to the paper's step of a given amplitude [nA]; remembers what it has run."""

    def __init__(self, cell: LiveCell, dt: float | None) -> None:
        self.cell, self.dt = cell, dt
        self._known: dict[float, Trace] = {}

    def __call__(self, amplitude: float) -> Trace:
        key = round(amplitude, 12)
        if key not in self._known:
            self._known[key] = simulate(self.cell, noble_step(amplitude), dt=self.dt)
        return self._known[key]
