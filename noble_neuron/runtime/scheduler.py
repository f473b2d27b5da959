"""One event per chunk drives all surrogates of this process, whoever runs NEURON.

The user's own `finitialize` starts it and the user's own run call keeps it going: the event
that ends a chunk posts the next. It comes a quarter step before the chunk's end, which NEURON
delivers after the last step of the chunk and before the first of the next.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from neuron import h

from ..contracts import Membrane, Stepper
from ..errors import SimulationError
from . import guards
from .collector import Collector
from .engine import Engine
from .native import Natives, next_look

if TYPE_CHECKING:
    from .cell import NobleCell

EARLY = 0.25  # of a time step


@dataclass(frozen=True)
class Snapshot:
    """The surrogates of this process at one moment; plain values, so that it pickles.

    Attributes:
        origin: Time of the initialisation [ms].
        due: Step, counted from there, at whose end the next chunk is due.
        engines: What each engine saved.
    """

    origin: float
    due: int
    engines: tuple[dict[str, np.ndarray], ...]


class Scheduler:
    """All surrogates of this process, grouped by stepper."""

    def __init__(self) -> None:
        self._cells: weakref.WeakValueDictionary[int, NobleCell] = weakref.WeakValueDictionary()
        self._number = itertools.count()
        self._engines: list[Engine] = []
        self._natives: list[Natives] = []  # these need no event to go on
        self._chain = 0  # counts chains of events; those of an earlier one are stale
        self._origin = self._dt = 0.0
        self._due = 0
        self._fire: Callable[[], None] | None = None
        self._cvode = h.CVode()
        self._collector = Collector()
        # Before NEURON looks at the model, and after it has set voltages and states.
        self._handlers = (
            h.FInitializeHandler(3, self._check),
            h.FInitializeHandler(1, self._collector.off(self._start)),
        )

    def add(self, cell: NobleCell) -> None:
        """Take a cell in, for as long as somebody holds it."""
        self._cells[next(self._number)] = cell

    def save(self) -> Snapshot:
        """The surrogates as they are now, for `restore`."""
        return Snapshot(self._origin, self._due, tuple(e.save() for e in self._engines))

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, after `finitialize` and `SaveState.restore`.

        Raises:
            SimulationError: This simulation has other engines.
            InputError: An engine has other cells or another time step.
        """
        if len(snapshot.engines) != len(self._engines):
            raise SimulationError(
                f"The snapshot is of {len(snapshot.engines)} steppers, and this simulation has "
                f"{len(self._engines)}. Build the same cells and call h.finitialize() first."
            )
        for engine, saved in zip(self._engines, snapshot.engines, strict=True):
            engine.restore(saved)
        self._origin, self._due = snapshot.origin, snapshot.due
        if self._engines:
            self._post()

    def _living(self) -> list[NobleCell]:
        """Cells whose section still exists, in the order they were made."""
        return [cell for cell in list(self._cells.values()) if cell.clamp.segment is not None]

    def _check(self) -> None:
        self._collector.resume()  # NEURON has not looked at the model yet
        cells = self._living()
        if cells:
            guards.check(cells)

    def _start(self) -> None:
        groups: dict[int, tuple[Stepper, list[NobleCell]]] = {}
        for cell in self._living():
            groups.setdefault(id(cell.stepper), (cell.stepper, []))[1].append(cell)
        self._origin, self._dt = h.t, h.dt
        native = {k: group for k, group in groups.items() if isinstance(group[0], Membrane)}
        self._natives = [Natives(*group, h.dt) for group in native.values()]
        self._engines = [Engine(*groups[k], h.dt) for k in groups if k not in native]
        if self._natives:
            self._look_out = self._collector.off(partial(self._look, self._chain))
            self._cvode.event(next_look(), self._look_out)
        if self._engines:
            self._due = min(engine.steps for engine in self._engines)
            self._post()

    def _look(self, chain: int) -> None:
        if chain == self._chain:
            for natives in self._natives:
                natives.look()
            self._cvode.event(next_look(), self._look_out)

    def _post(self) -> None:
        """Ask NEURON for the next event; what an earlier chain has left is stale from here."""
        self._chain += 1
        self._fire = self._collector.off(partial(self._advance, self._chain))
        self._ask()

    def _ask(self) -> None:
        self._cvode.event(self._origin + (self._due - EARLY) * self._dt, self._fire)

    def _advance(self, chain: int) -> None:
        if chain != self._chain:
            return
        for engine in self._engines:
            if self._due % engine.steps == 0:
                engine.advance(self._origin + self._due * self._dt)
        self._due = min((self._due // e.steps + 1) * e.steps for e in self._engines)
        self._ask()


_scheduler: Scheduler | None = None


def scheduler() -> Scheduler:
    """The one of this process, made when the first cell needs it."""
    global _scheduler
    if _scheduler is None:
        _scheduler = Scheduler()
    return _scheduler


def save() -> Snapshot:
    """What SaveState cannot know: the state of the surrogates, to be kept beside it."""
    return scheduler().save()


def restore(snapshot: Snapshot) -> None:
    """Put the surrogates back, after `h.finitialize()` and `SaveState.restore()`.

    Raises:
        NobleError: The snapshot is of other cells.
    """
    scheduler().restore(snapshot)
