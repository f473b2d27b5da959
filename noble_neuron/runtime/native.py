"""Cells whose membrane NEURON solves itself: bound at each initialisation, then left alone."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from neuron import h

from ..contracts import Membrane
from ..errors import OutsideTraining
from ..nrn.membrane import floats
from .watch import described

if TYPE_CHECKING:
    from .cell import NobleCell

LOOK = 25.0  # ms between two looks at what the cells have met


class Natives:
    """The cells of one operator that run inside NEURON."""

    def __init__(self, stepper: Membrane, cells: Sequence[NobleCell], dt: float) -> None:
        self._cells = [(str(cell), cell.clamp) for cell in cells]  # not the cells themselves
        self._limits = stepper.limits
        self._said: set[tuple[int, str]] = set()
        net = floats(stepper.exported())
        latent = np.stack([cell.latent for cell in cells])
        own, capacitances = stepper.of_cells(latent)
        every = round(stepper.grid / dt)
        for cell, row, capacitance in zip(cells, own, capacitances, strict=True):
            cell.clamp.bind(net, row, capacitance, every, dt, cell.shift, cell.strict)
        v = np.array([cell.soma(0.5).v - cell.shift for cell in cells])
        for cell, memory in zip(cells, stepper.memory(latent, v), strict=True):
            cell.clamp.start(memory)

    def look(self) -> None:
        """Say once, for each cell and quantity, what lay beyond the training."""
        for k, (name, clamp) in enumerate(self._cells):
            for quantity, met in clamp.outside.items() if clamp.segment is not None else ():
                if (k, quantity) not in self._said:
                    self._said.add((k, quantity))
                    text = described(name, quantity, met.value, met.time, self._limits)
                    warnings.warn(
                        f"{text} cell.outside counts how often.", OutsideTraining, stacklevel=2
                    )


def next_look() -> float:
    """When to look again [ms]."""
    return h.t + LOOK
