"""What a surrogate was asked beyond its training: counted, warned of once, or refused."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..contracts import Limits, Outside, Trained
from ..errors import OutsideTraining, SimulationError

if TYPE_CHECKING:
    from .cell import NobleCell

UNITS = {"current": "nA", "conductance": "uS", "voltage": "mV"}


class Watch:
    """Looks at every chunk of the cells of one stepper.

    Each cell's `outside` says afterwards what it met: quantity -> `Outside`. The current is
    that at the operator's reference voltage, driving forces in it.
    """

    def __init__(self, limits: Limits, cells: Sequence[NobleCell], dt: float) -> None:
        self._limits, self._dt = limits, dt
        self._names = [str(cell) for cell in cells]
        self._strict = [cell.strict for cell in cells]
        self._records = [cell.clamp.outside for cell in cells]  # not the cells: they may be let go
        for record in self._records:
            record.clear()

    def look(self, end: float, b: np.ndarray, g: np.ndarray, v: np.ndarray) -> None:
        """Compare one chunk, which ends at `end` [ms]; arrays of shape (cells, steps)."""
        current = b - g * self._limits.v_reference
        for name, x in (("current", current), ("conductance", g), ("voltage", v)):
            low, high = getattr(self._limits, name)
            if x.min() < low or x.max() > high:
                beyond = np.maximum(x - high, low - x)
                for row in np.flatnonzero(beyond.max(1) > 0):
                    self._note(name, row, end, x[row], beyond[row])

    def _note(self, name: str, row: int, end: float, x: np.ndarray, beyond: np.ndarray) -> None:
        record, first = self._records[row], int((beyond > 0).argmax())
        time = end - (len(x) - 1 - first) * self._dt
        value = float(x[beyond.argmax()])
        known = record.get(name)
        if known is None:
            record[name] = Outside(1, time, value)
            self._say(name, row, time, value)
        else:
            middle = sum(getattr(self._limits, name)) / 2
            worst = max(known.value, value, key=lambda each: abs(each - middle))
            record[name] = Outside(known.count + 1, known.time, worst)

    def _say(self, name: str, row: int, time: float, value: float) -> None:
        text = described(self._names[row], name, value, time, self._limits)
        if self._strict[row]:
            raise SimulationError(f"{text} The cell is strict.")
        warnings.warn(f"{text} cell.outside counts how often.", OutsideTraining, stacklevel=2)


def described(cell: str, name: str, value: float, time: float, limits: Limits) -> str:
    """What left its range, in words."""
    (low, high), unit = getattr(limits, name), UNITS[name]
    return (
        f"{cell}: {name} of {value:.4g} {unit} at {time:.3f} ms; it was trained on {low:.4g} to "
        f"{high:.4g} {unit}."
    )


def told_apart(cell: NobleCell) -> None:
    """Warn of, or in strict mode refuse, a latent point outside the hull of the training cells.

    Raises:
        SimulationError: The cell is strict.
    """
    stepper = cell.stepper
    if not isinstance(stepper, Trained):
        return
    distance, usual = stepper.distance(cell.latent)
    if distance <= 0:
        return
    text = (
        f"{cell}: its latent point lies {distance:.3g} encoded units outside the hull of the "
        f"training cells (a training cell from the hull of the others: {usual:.3g} in the median)."
    )
    if cell.strict:
        raise SimulationError(f"{text} The cell is strict.")
    warnings.warn(text, OutsideTraining, stacklevel=4)
