"""The handle on nn_Clamp: a board that cells share, and the clamp that holds one soma."""

from __future__ import annotations

from typing import Any

import numpy as np
from neuron import h

from ..contracts import Outside
from . import mechanisms


class Board:
    """What one engine and the clamps of its cells write for each other, chunk by chunk.

    Attributes:
        v: Voltage to show at the end of each step [mV], shape (cells, steps); ours.
        b: Voltage-independent part of what is attached [nA], same shape; the clamps'.
        g: Its conductance [uS], same shape; the clamps'.
        metered: b and g together, shape (2, cells, steps).
    """

    def __init__(self, cells: int, steps: int) -> None:
        self.vector = h.Vector(1 + 3 * cells * steps)
        self._all = self.vector.as_numpy()
        rows = self._all[1:].reshape(3, cells, steps)
        self.v, self.metered = rows[0], rows[1:]
        self.b, self.g = self.metered

    def show(self, v: np.ndarray) -> None:
        """Write the voltages of the next chunk [mV], shape (cells, steps)."""
        self.v[:] = v
        self._all[0] += 1

    @property
    def content(self) -> np.ndarray:
        """All there is on the board, to be copied or written back."""
        return self._all


class Clamp:
    """Holds soma(0.5) at the voltages of its row and meters what else is attached there.

    Attributes:
        outside: What the cell met beyond the training in this run; the runtime's to fill.
    """

    def __init__(self, segment: Any) -> None:
        mechanisms.load()
        self._point = h.nn_Clamp(segment)
        self.outside: dict[str, Outside] = {}
        self._board: Board | None = None

    @property
    def segment(self) -> Any:
        """Where it stands; None once the section has been deleted."""
        return self._point.get_segment() if self._point.has_loc() else None

    def bind(self, board: Board, row: int, dt: float) -> None:
        """Take a row of a board; its voltages are a step of `dt` [ms] apart.

        The host's capacitance is read here: at every initialisation.
        """
        segment = self.segment
        capacitance = segment.cm * segment.area() * 1e-5  # nF, from uF/cm2 and um2
        cells, steps = board.v.shape
        self._point.bind(board.vector, row, cells, steps, dt, capacitance)
        self._board = board  # NEURON knows an address only: the board has to live as long
