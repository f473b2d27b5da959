"""Many copies of a cell in one NEURON run: the same voltages as one by one, sooner.

A mechanism's loop over a few dozen segments costs as much in being entered as in being gone
through; copies share the former. The cells are not connected, so each does what it would alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
from neuron import h

from ..cells.spec import HofCell
from ..errors import InputError
from ..nrn.session import session
from ..protocols.protocol import Protocol
from .run import injected


def together(cell: HofCell, protocols: Sequence[Protocol]) -> np.ndarray:
    """Somatic voltage of a copy of `cell` under each protocol, all in one run.

    Args:
        cell: Built once per protocol, and destroyed after the run.
        protocols: All of one duration, without a starting voltage of their own.

    Returns:
        Voltage [mV] at every step of the solver, shape (protocols, steps + 1).
    """
    with Copies(cell, len(protocols)) as copies:
        return copies.run(protocols)


class Copies:
    """Copies of one cell that stand side by side; a context manager that destroys them."""

    def __init__(self, cell: HofCell, count: int) -> None:
        if count < 1:
            raise InputError(f"At least one copy of {cell.name} is needed: got {count}.")
        self.cell, self._stack = cell, contextlib.ExitStack()
        with self._stack as building:
            self._live = [building.enter_context(cell.build()) for _ in range(count)]
            self._stack = building.pop_all()

    def __enter__(self) -> Copies:
        return self

    def __exit__(self, *_: object) -> None:
        self._live.clear()
        self._stack.close()

    def run(self, protocols: Sequence[Protocol]) -> np.ndarray:
        """Voltage of each copy under its protocol: see `together`."""
        durations = {p.duration for p in protocols}
        if len(protocols) != len(self._live) or len(durations) != 1:
            raise InputError(
                f"{len(self._live)} copies need as many protocols of one duration: got "
                f"{len(protocols)}, of {', '.join(f'{d:g} ms' for d in sorted(durations))}."
            )
        if any(p.v_init is not None for p in protocols):
            raise InputError("Copies in one run start from the cell's own voltage: drop v_init.")
        dt, (duration,) = self.cell.dt, durations
        with contextlib.ExitStack() as held:
            held.enter_context(session(self.cell.celsius, dt, self.cell.v_init, None))
            recorded = []
            for live, protocol in zip(self._live, protocols, strict=True):
                held.enter_context(injected(live.soma(0.5), protocol, dt))
                recorded.append(h.Vector())
                recorded[-1].record(live.soma(0.5)._ref_v)
            parallel = h.ParallelContext()
            parallel.set_maxstep(10)
            h.finitialize(self.cell.v_init)
            parallel.psolve(duration)
            return np.array([v.as_numpy() for v in recorded])
