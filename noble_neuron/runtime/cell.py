"""A surrogate as a cell: a NEURON section whose voltage the surrogate decides."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from neuron import h

from ..contracts import Stepper
from ..errors import InputError
from ..nrn.clamp import Clamp
from .scheduler import scheduler

DIAMETER = 20.0  # um; of no consequence to the answer
_unnamed = itertools.count()


class NobleCell:
    """A soma to which synapses, NetCons, electrodes, gap junctions and dendrites attach.

        cell = NobleCell(stepper, latent=(0.12, 0.036, 0.0003))
        synapse = h.Exp2Syn(cell.soma(0.5))
        spikes = h.NetCon(cell.soma(0.5)._ref_v, None, sec=cell.soma)
        spikes.threshold = cell.threshold
        h.finitialize(-65)
        h.continuerun(500)

    The cell lives as long as it is held: keep it, as one keeps a section. What is attached
    counts; the section's own capacitance and area do not.

    Attributes:
        soma: The section; its middle is where things attach.
        latent: Which cell of the stepper's family this is, shape (latent_size,).
        threshold: Voltage whose upward crossing is a spike [mV].
        stepper: What decides the voltage.
        gid: The user's number for it, if any.
        clamp: What holds the soma; the runtime's own.
    """

    def __init__(
        self, stepper: Stepper, latent: Sequence[float] = (), gid: int | None = None
    ) -> None:
        """Make the section; the surrogate takes it over at the next `h.finitialize`.

        Raises:
            InputError: Not a stepper, or a latent of another size than the stepper's.
            MechanismError: The clamp could not be compiled or loaded.
        """
        if not isinstance(stepper, Stepper):
            raise InputError(
                f"A NobleCell needs a Stepper (see noble_neuron.contracts): got {stepper!r}."
            )
        self.stepper = stepper
        self.latent = _latent(stepper, latent)
        self.threshold = float(stepper.threshold)
        self.gid = gid
        self.said: set[str] = set()
        self._name = f"NobleCell[{gid}]" if gid is not None else f"NobleCell_{next(_unnamed)}"
        self.soma = h.Section(name="soma", cell=self)
        self.soma.L = self.soma.diam = DIAMETER
        self.clamp = Clamp(self.soma(0.5))
        scheduler().add(self)

    def __str__(self) -> str:
        return self._name

    __repr__ = __str__


def _latent(stepper: Stepper, given: Sequence[float]) -> np.ndarray:
    latent = np.array(given, dtype=float)
    if latent.shape != (stepper.latent_size,) or not np.isfinite(latent).all():
        raise InputError(
            f"The stepper {type(stepper).__name__} needs {stepper.latent_size} finite latent "
            f"coordinates: got {list(given)!r}."
        )
    return latent
