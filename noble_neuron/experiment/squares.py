"""The long square steps among a recording's sweeps, each cut to the families' own step.

The families' features are those of a step of 400 ms. A longer recorded step is read up to
there, so that "fires" and "rate" mean the same in both: a cell that first spikes 700 ms into a
step of 1 s is silent here, as it would be in the models' protocol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..features.fi import OFFSET, ONSET
from ..store.nwb import Sweep
from ..types import Trace

DURATION = OFFSET - ONSET  # ms of a step that are read
BEFORE = 100.0  # ms before it that are kept, at most
SHORTEST = 200.0  # ms; shorter plateaus are test pulses
_SMALLEST = 1e-3  # nA: what is smaller is no step
_FLAT = 1e-4  # nA, and this part of the step: how flat a plateau is


@dataclass(frozen=True, eq=False)
class Square:
    """One step and the answer to it.

    Attributes:
        name: Of the sweep.
        amplitude: Above what was injected before the step [nA].
        trace: From `before` ms before the step to its end, or 400 ms of it [mV].
        before: Time before the step [ms].
        duration: Of the step as far as it is in the trace [ms].
        bias: Constant current beside it [nA]; NaN if the file does not say.
    """

    name: str
    amplitude: float
    trace: Trace
    before: float
    duration: float
    bias: float

    @property
    def window(self) -> tuple[float, float]:
        """Onset and offset in the trace [ms]."""
        return self.before, self.before + self.duration


def long_squares(sweeps: Sequence[Sweep], junction: float = 0.0) -> tuple[Square, ...]:
    """The steps that most sweeps share in onset and duration, by rising amplitude.

    Args:
        sweeps: Of one cell.
        junction: Liquid junction potential [mV], taken off the recorded voltage: 14 turns a
            recorded -74 mV into -88 mV. 0 leaves it as recorded.

    Raises:
        InputError: Fewer than three sweeps share a step.
    """
    if not np.isfinite(junction):
        raise InputError(f"The junction potential must be a number of mV: got {junction}.")
    found = [(sweep, *step) for sweep in sweeps if (step := find_step(sweep.current, sweep.dt))]
    times = Counter((round(start), round(stop)) for _, start, stop, _ in found)
    common, number = times.most_common(1)[0] if times else (None, 0)
    if number < 3:
        raise InputError(
            f"A cell is characterised by long square steps, three sweeps or more of one onset "
            f"and duration ({SHORTEST:g} ms or longer): of {len(sweeps)} sweeps {len(found)} "
            f"have such a step, and at most {number} the same one. Noisy copies of the injected "
            f"current are not recognised; the command waveform is."
        )
    squares = [
        _cut(sweep, start, stop, amplitude, junction)
        for sweep, start, stop, amplitude in found
        if (round(start), round(stop)) == common
    ]
    return tuple(sorted(squares, key=lambda square: square.amplitude))


def find_step(current: np.ndarray, dt: float) -> tuple[float, float, float] | None:
    """Onset, offset [ms] and amplitude [nA] of the longest plateau that leads back whence it came.

    Args:
        current: Command [nA], shape (steps,).
        dt: Its step [ms].
    """
    if not current.size or np.ptp(current) < _SMALLEST:
        return None
    flat = max(_FLAT, 1e-3 * np.ptp(current))
    edges = [0, *(np.flatnonzero(np.abs(np.diff(current)) > flat) + 1), len(current)]
    best = None
    for before, start, stop in zip(edges, edges[1:], edges[2:-1], strict=False):
        plateau, level = current[start:stop], current[start - 1]
        amplitude = float(np.median(plateau) - level)
        returns = abs(current[stop] - level) <= flat and start > before
        long = (stop - start) * dt >= max(SHORTEST, best[1] - best[0] if best else 0.0)
        if returns and long and abs(amplitude) >= _SMALLEST and np.ptp(plateau) <= 10 * flat:
            best = start * dt, stop * dt, round(amplitude, 6)
    return best


def _cut(sweep: Sweep, start: float, stop: float, amplitude: float, junction: float) -> Square:
    first = max(0, round((start - BEFORE) / sweep.dt))
    onset = round(start / sweep.dt)
    last = min(round(stop / sweep.dt), onset + round(DURATION / sweep.dt), len(sweep.v))
    v = sweep.v[first:last] - junction
    if not np.isfinite(v).all() or last <= onset:
        raise InputError(f"Sweep {sweep.name}: the voltage has gaps during the step.")
    trace = Trace(np.arange(len(v)) * sweep.dt, v)
    before, duration = (onset - first) * sweep.dt, (last - onset) * sweep.dt
    return Square(sweep.name, amplitude, trace, before, duration, sweep.bias)
