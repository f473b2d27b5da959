"""Where a cell's spikes begin and end, before anything else is known of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..cells.spec import HofCell
from ..errors import InputError, SimulationError
from ..protocols.protocol import noble_step
from .run import simulate
from .workers import Job, Workers

AMPLITUDES = tuple(0.05 * 2**k for k in range(9))  # nA
UPSTROKE = 10.0  # mV/ms, where a spike begins
LEAST_HEIGHT = 20.0  # mV
WITHIN = 5.0  # ms, from its beginning to its peak, and from there down again
PART = 1 / 3  # of a spike's height


@dataclass(frozen=True)
class Spiking:
    """What a spike of a cell looks like.

    Attributes:
        foot: Voltage from which it rises steeply [mV].
        peak: [mV]
        amplitude: Least of the currents 0.05, 0.1, 0.2, ... that make the cell fire [nA].
    """

    foot: float
    peak: float
    amplitude: float

    def threshold(self, own: float) -> float:
        """A voltage that shunted spikes, which are lower, cross too [mV].

        Args:
            own: What the cell's owner has set [mV]: kept if in the lower half of a spike.
        """
        in_lower_half = self.foot < own <= (self.foot + self.peak) / 2
        return own if in_lower_half else self.foot + PART * (self.peak - self.foot)


def spiking(cell: HofCell) -> Spiking:
    """How a cell spikes under the paper's step, found in a process of its own.

    Raises:
        InputError: No current up to 12.8 nA, or up to one that it cannot bear, makes it fire.
    """
    with Workers(1) as workers:
        workers.submit(Job(cell.name, _found, (cell,)))
        (outcome,) = workers.outcomes()
    if outcome.kind == "done":
        return outcome.value
    raise outcome.value or InputError(f"{cell.name} could not be simulated: {outcome.text}")


def _found(cell: HofCell, beat: Callable[[Any], None]) -> Spiking:
    with cell.build() as live:
        for amplitude in AMPLITUDES:
            beat(amplitude)
            try:
                trace = simulate(live, noble_step(amplitude))
            except SimulationError:
                break  # beyond what any membrane holds
            feet, peaks = _spikes(trace.v, trace.dt)
            if len(feet):
                return Spiking(float(np.median(feet)), float(np.median(peaks)), amplitude)
    raise InputError(
        f"No current up to {amplitude:g} nA makes {cell.name} fire at {cell.celsius:g} degC: "
        f"there is nothing to learn from it."
    )


def _spikes(v: np.ndarray, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Foot and peak of each spike of a trace [mV]."""
    steep, width = np.diff(v) > UPSTROKE * dt, round(WITHIN / dt)
    begins = np.flatnonzero(steep[1:] & ~steep[:-1]) + 1
    peaks = np.array([k + v[k : k + width].argmax() for k in begins], dtype=int)
    after = np.array([v[k : k + width].min() for k in peaks])
    height = v[peaks] - v[begins]
    # A membrane that charges rises as steeply, but does not come down again.
    spikes = (height > LEAST_HEIGHT) & (v[peaks] - after > height / 2)
    return v[begins][spikes], v[peaks][spikes]
