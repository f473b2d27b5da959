"""The handle on nn_Noble: a soma whose membrane is a trained operator's."""

from __future__ import annotations

from typing import Any

import numpy as np
from neuron import h

from ..contracts import Outside
from . import mechanisms

QUANTITIES = ("current", "conductance", "voltage")  # in the order of nn_Noble's met


def floats(values: np.ndarray) -> Any:
    """A Vector whose bytes are these numbers as 32-bit floats."""
    values = np.ascontiguousarray(values, dtype=np.float32).ravel()
    vector = h.Vector(-(-len(values) // 2))
    vector.as_numpy().view(np.float32)[: len(values)] = values
    return vector


class Membrane:
    """Gives soma(0.5) the conductances that the operator sets, step of its grid by step."""

    def __init__(self, segment: Any) -> None:
        mechanisms.load()
        self._point = h.nn_Noble(segment)
        self._held: tuple = ()

    @property
    def segment(self) -> Any:
        """Where it stands; None once the section has been deleted."""
        return self._point.get_segment() if self._point.has_loc() else None

    @property
    def outside(self) -> dict[str, Outside]:
        """What it met beyond the training since `start`; counted in steps of the grid."""
        met = np.array([self._point.met[k] for k in range(9)]).reshape(3, 3)
        return {
            name: Outside(int(count), time, value)
            for name, (count, time, value) in zip(QUANTITIES, met.T, strict=True)
            if count
        }

    def bind(
        self,
        net: Any,
        own: np.ndarray,
        capacitance: float,
        every: int,
        dt: float,
        shift: float,
        strict: bool,
    ) -> None:
        """Take the operator, and make the host's capacitance its own.

        Args:
            net: What `floats` made of the exported operator; shared by its cells.
            own: What the cell's latent point adds to the first layer, shape (width,).
            capacitance: Of the cell [nF].
            every: Time steps in a step of the operator's grid.
            dt: Time step [ms].
            shift: What the host's voltage is above the model's own [mV].
            strict: Whether the clamp refuses what lies beyond the training.
        """
        cell = floats(own)
        self._held = net, cell  # NEURON knows addresses only: both have to live as long
        segment = self.segment
        segment.cm = capacitance / (segment.area() * 1e-5)  # uF/cm2, from nF and um2
        self._point.bind(net, cell, every, dt, capacitance, shift, strict)

    def start(self, memory: np.ndarray) -> None:
        """Begin from the present voltage and this memory, shape (memory,)."""
        self._point.start(h.Vector(memory))
