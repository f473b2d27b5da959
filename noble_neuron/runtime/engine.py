"""Cells of one stepper, advanced together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Stepper, Trained
from ..errors import InputError, SimulationError
from ..nrn.clamp import Board
from .display import once
from .forecast import continued
from .watch import Watch

if TYPE_CHECKING:
    from .cell import NobleCell


class Engine:
    """The rows of one stepper: latents and state of its cells, and the board of their clamps.

    At the end of a chunk, what the clamps metered takes the state through that chunk again,
    and the next one is predicted with b and g continued. So the error of a prediction never
    enters the state: it lasts for a chunk.

    Attributes:
        steps: Time steps of a chunk.
    """

    def __init__(self, stepper: Stepper, cells: Sequence[NobleCell], dt: float) -> None:
        self.steps = round(stepper.chunk / dt)
        self._stepper = stepper
        self._names = [str(cell) for cell in cells]
        self._latent = np.stack([cell.latent for cell in cells])
        self._threshold = np.array([cell.threshold for cell in cells])
        self._shift = np.array([cell.shift for cell in cells])[:, None]
        self._board = Board(len(cells), self.steps)
        for row, cell in enumerate(cells):
            cell.clamp.bind(self._board, row, dt)
        limits = stepper.limits if isinstance(stepper, Trained) else None
        self._watch = Watch(limits, cells, dt) if limits else None
        v = np.array([cell.soma(0.5).v for cell in cells]) - self._shift[:, 0]
        self._forecast = np.zeros((2, len(cells), self.steps))  # b [nA] and g [uS]
        self._state = stepper.start(self._latent, v)
        self._board.show(self._ahead())

    def advance(self, now: float) -> None:
        """Close the chunk that has been metered, which ends at `now` [ms], and show the next."""
        board = self._board
        b = self._own(board.b, board.g)
        true, self._state = self._stepper.advance(self._state, self._latent, b, board.g)
        if self._watch is not None:
            self._watch.look(now, b, board.g, true)
        self._forecast = continued(board.metered)
        true += self._shift
        board.show(once(board.v, true, self._ahead(), self._threshold))

    def save(self) -> dict[str, np.ndarray]:
        """All that the future depends on, as arrays."""
        return {"state": np.array(self._state), "board": self._board.content.copy()}

    def restore(self, saved: dict[str, np.ndarray]) -> None:
        """Go back to what `save` returned, here or in an engine of the same cells.

        Raises:
            InputError: The saved engine had other cells or another time step.
        """
        for name, here in (("state", np.asarray(self._state)), ("board", self._board.content)):
            if saved[name].shape != here.shape:
                raise InputError(
                    f"The saved runtime does not fit: its {name} has the shape "
                    f"{saved[name].shape}, and this simulation's {here.shape}. Build the same "
                    f"cells in the same order, at the same time step."
                )
        self._state = saved["state"].copy()
        self._board.content[:] = saved["board"]

    def _ahead(self) -> np.ndarray:
        """The next chunk's voltage [mV] under the forecast."""
        b, g = self._forecast
        v, _ = self._stepper.advance(self._state, self._latent, self._own(b, g), g)
        if not math.isfinite(v.sum()):
            self._refuse(v)
        return v + self._shift

    def _own(self, b: np.ndarray, g: np.ndarray) -> np.ndarray:
        """b as it counts at the model's own millivolts [nA]: b - G (V + shift)."""
        return b - g * self._shift

    def _refuse(self, v: np.ndarray) -> None:
        """Name the cell whose voltage is not finite, and what it had to answer."""
        row = int(np.flatnonzero(~np.isfinite(v).all(1))[0])
        b, g = self._board.b[row], self._board.g[row]
        raise SimulationError(
            f"{self._names[row]}: its stepper answered a voltage that is not finite, for b from "
            f"{b.min():g} to {b.max():g} nA and g from {g.min():g} to {g.max():g} uS."
        )
