"""A cell's dendrites with their load taken off, beside the same dendrites in the full cell.

To tell them from any surrogate, the full cell's own soma stands behind them: a second set of its
dendrites hangs on the full cell and carries the synapses, and its load is taken off as under a
surrogate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from neuron import h

from ..cells.spec import HofCell
from ..nrn import passive
from ..nrn.frozen import Frozens
from ..nrn.twin import Twin

DT = 0.025  # ms
EXCITING, INHIBITING = (0.3, 2.0, 0.0), (0.5, 6.0, -80.0)  # ms, ms, mV
UNITARY, STRONG = 1e-3, 5e-3  # uS
HOLDS = (-75.0, -60.0)  # mV
SETTLE, APART = 200.0, 80.0  # ms
Place = tuple[int, float]  # which of the dendrites, and where on it


class Beside(Twin):
    """Takes the load of some of a soma's branches off it, and leaves the others alone."""

    def __init__(self, soma: Any, tolerance: float, stems: list[Any]) -> None:
        super().__init__(soma, tolerance)
        self._only = stems

    def stems(self) -> list[Any]:
        """Those of the second set."""
        return self._only


class Bench:
    """A full cell, whose synapses sit on its own dendrites, or on a second set of them.

    Args:
        cell: To be built.
        tolerance: Of the reduction, 0 for full twins; None: on its own dendrites.
        chosen: Which of the soma's branches are dendrites, by their first section.
        frozen: Channels that may be held.
        silent: Take the channels out of the soma and all branches that are not chosen.

    Attributes:
        soma: The full cell's.
        dendrites: Sections that synapses sit on.
    """

    def __init__(
        self,
        cell: HofCell,
        tolerance: float | None,
        chosen: Callable[[Any], bool],
        frozen: Frozens = (),
        silent: bool = False,
    ) -> None:
        self._open = ExitStack()
        self.soma = self._open.enter_context(cell.build()).soma
        self._twin = None
        stems = [s for s in self.soma.children() if chosen(s)]
        if silent:
            kept = {section for stem in stems for section in stem.subtree()}
            for section in set(self.soma.wholetree()) - kept:
                passive.silence(section)
        if tolerance is not None:
            other = self._open.enter_context(cell.build()).soma
            stems = [s for s in other.children() if chosen(s)]
            for stem in stems:
                where = stem.parentseg().x
                h.disconnect(sec=stem)
                stem.connect(self.soma(where), 0)
            self._twin = Beside(self.soma, tolerance, stems)
            self._twin.frozen = frozen
        self.dendrites = [section for stem in stems for section in passive.parents_first(stem)]
        self.held: list = []

    @property
    def error(self) -> float:
        """What the reduction says of itself."""
        return self._twin.error if self._twin else 0.0

    @property
    def copies(self) -> int:
        """Sections that have a bare copy beside them."""
        return len(self._twin.copies) if self._twin else 0

    @property
    def segments(self) -> int:
        return sum(section.nseg for section in self.dendrites)

    def synapse(self, place: Place, kind: tuple, weight: float, times: Sequence[float]) -> None:
        """One that opens at these times [ms]."""
        section, x = place
        point, events = h.Exp2Syn(self.dendrites[section](x)), h.Vector(times)
        point.tau1, point.tau2, point.e = kind
        netcon = h.NetCon(None, point)
        netcon.weight[0] = weight
        handler = h.FInitializeHandler(1, lambda: [netcon.event(t) for t in events])
        self.held += [point, netcon, handler]

    def pulses(self, amplitude: float, long: float, times: Sequence[float]) -> None:
        """Of current into the soma [nA], as long as that, at these times [ms]."""
        for time in times:
            clamp = h.IClamp(self.soma(0.5))
            clamp.delay, clamp.dur, clamp.amp = time, long, amplitude
            self.held.append(clamp)

    def run(self, v: float, until: float, holding: float = 0.0) -> np.ndarray:
        """Somatic voltage [mV] at each step, a current [nA] flowing into the soma."""
        clamp = h.IClamp(self.soma(0.5))
        clamp.dur, clamp.amp = 1e9, holding
        trace = h.Vector().record(self.soma(0.5)._ref_v)
        context = h.ParallelContext()
        context.set_maxstep(10)
        h.dt = DT
        h.finitialize(v)
        context.psolve(until)
        return np.array(trace)

    def holding(self, v: float) -> float:
        """The current that keeps the soma there [nA]."""
        clamp = h.SEClamp(self.soma(0.5))
        clamp.dur1, clamp.amp1, clamp.rs = 1e9, v, 1e-3
        self.run(v, 1000.0)
        return float(clamp.i)

    def close(self) -> None:
        self.held.clear()
        self._twin = None
        self._open.close()


def peaks(
    trace: np.ndarray, starts: Sequence[float], apart: float = APART
) -> tuple[np.ndarray, np.ndarray]:
    """Amplitude [mV] and time [ms] of the largest deflection after each start [ms]."""
    found = []
    for start in starts:
        first = round(start / DT)
        part = trace[first : first + round(apart / DT)] - trace[first - 2]
        peak = np.abs(part).argmax()
        found.append((part[peak], peak * DT))
    amplitude, time = np.array(found).T
    return amplitude, time
