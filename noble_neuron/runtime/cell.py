"""A surrogate as a cell: a NEURON section whose voltage the surrogate decides."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from neuron import h

from ..contracts import Membrane, Outside, Stepper, Trained
from ..errors import InputError
from ..nrn.clamp import Clamp
from ..nrn.membrane import Membrane as Native
from ..nrn.twin import Twin
from .scheduler import scheduler
from .watch import told_apart

DIAMETER = 20.0  # um; of no consequence to the answer
TREE_ERROR = 0.02  # of a dendritic synapse's amplitude at the soma
_unnamed = itertools.count()


class NobleCell:
    """A soma to which synapses, NetCons, electrodes, gap junctions and dendrites attach.

        cell = NobleCell("pvalb", latent="pvalb/2")
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
        lowest_peak: What its lowest spikes reach [mV]; inf if unknown.
        shift: What its voltage is above the model's own [mV].
        stepper: What decides the voltage.
        gid: The user's number for it, if any.
        twin: What takes the load of its own tree's branches off, or None.
        strict: Whether what it was not trained on is refused; may be set until `finitialize`.
        clamp: What holds the soma; the runtime's own.
    """

    def __init__(
        self,
        surrogate: str | os.PathLike | Stepper,
        latent: str | Mapping[str, float] | Sequence[float] | None = None,
        gid: int | None = None,
        *,
        soma: Any = None,
        shift: float = 0.0,
        strict: bool = False,
        own_tree: bool = False,
        tree_error: float = TREE_ERROR,
        keep: Collection[Any] = (),
    ) -> None:
        """Make or take a section; the surrogate rules it from the next `h.finitialize` on.

        Args:
            surrogate: Name of a built-in ensemble, a bundle's folder, or any Stepper, such as
                `load_stream("pvalb", "cuda")`. Cells of one name share a surrogate, and cells
                of one surrogate are answered together.
            latent: A training cell's name, features by name, or all of them in order; physical
                units. None is a typical training cell.
            gid: Any number, for its name.
            soma: A section of the user's own to take, of one segment; one is made if None.
            shift: Added to the model's own millivolts [mV]; what is attached follows. A model
                of recordings that were not corrected for a junction potential of 14 mV is in
                biological millivolts with -14.
            strict: Refuse what it was not trained on instead of warning.
            own_tree: What is connected to the soma are the cell's own dendrites, which the
                surrogate contains: only what synapses, electrodes and gap junctions on them add
                counts, as their load is taken off.
            tree_error: How far the segments of passive dendrites may err at the soma: relative
                error of the amplitude that a synapse there makes. At the first `finitialize` they
                are cut into as few as it allows; see `twin.error`. 0 leaves all as it is, at the
                cost of a bare copy of each branch. Active branches that carry something keep all;
                of others the channels are taken out, unless a NetCon listens there.
            keep: Sections whose segments stay as they are, since their voltage is recorded or
                pointed at elsewhere than in their middle; active ones keep their channels.

        Raises:
            InputError: Not a stepper, a latent that does not fit it, or no section.
            BundleError: No such bundle, or a damaged one.
            SimulationError: Strict, and the latent lies outside the training cells' hull.
            MechanismError: The clamp could not be compiled or loaded.
        """
        stepper = _stepper(surrogate)
        self.stepper = stepper
        self.latent = _latent(stepper, latent)
        self.shift = _number("shift", shift)
        self.threshold = float(stepper.threshold) + self.shift
        self.lowest_peak = float(stepper.lowest_peak) + self.shift
        self.gid, self.strict = gid, strict
        self.said: set[str] = set()
        self._name = f"NobleCell[{gid}]" if gid is not None else f"NobleCell_{next(_unnamed)}"
        told_apart(self)
        self.soma = self._made() if soma is None else _section(soma)
        kind = Native if isinstance(stepper, Membrane) else Clamp
        self.clamp = kind(self.soma(0.5))
        self.twin = Twin(self.soma, tolerance(tree_error), keep) if own_tree else None
        scheduler().add(self)

    def _made(self) -> Any:
        section = h.Section(name="soma", cell=self)
        section.L = section.diam = DIAMETER
        return section

    @property
    def outside(self) -> dict[str, Outside]:
        """What it met in this run that it was not trained on.

        "current", "conductance" or "voltage" -> how often, when first, the value farthest out.
        The current is that at the operator's reference voltage, driving forces in it.
        """
        return self.clamp.outside

    def __str__(self) -> str:
        return self._name

    __repr__ = __str__


def _stepper(given: str | os.PathLike | Stepper) -> Stepper:
    """The surrogate of that name, or the one given."""
    if isinstance(given, str | os.PathLike):
        return _loaded(os.fspath(given))
    if not isinstance(given, Stepper):
        raise InputError(
            f"A NobleCell needs a built-in name, a bundle's folder or a Stepper (see "
            f"noble_neuron.contracts): got {given!r}."
        )
    return given


@lru_cache
def _loaded(name: str) -> Stepper:
    # Steppers of other kinds run without torch, which this one brings.
    from ..surrogates.bundle import load_stream

    return load_stream(name)


def _section(given: Any) -> Any:
    if not hasattr(given, "psection"):
        raise InputError(f"A NobleCell's soma must be a section, got {given!r}.")
    return given


def _number(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"A NobleCell's {name} must be a finite number, got {value!r}.")
    return float(value)


def tolerance(value: float) -> float:
    """A tree's, checked.

    Raises:
        InputError: No number from 0 to 1.
    """
    checked = _number("tree_error", value)
    if not 0 <= checked < 1:
        raise InputError(
            f"A NobleCell's tree_error is a relative error from 0 to 1, such as {TREE_ERROR:g}: "
            f"got {value!r}."
        )
    return checked


def _latent(
    stepper: Stepper, given: str | Mapping[str, float] | Sequence[float] | None
) -> np.ndarray:
    if isinstance(stepper, Trained) and (given is None or isinstance(given, str | Mapping)):
        return stepper.point(given)
    if given is None:
        given = ()
    if isinstance(given, str | Mapping):
        raise InputError(
            f"The stepper {type(stepper).__name__} knows no names: give its latent as "
            f"{stepper.latent_size} numbers, not {given!r}."
        )
    latent = np.array(given, dtype=float)
    if latent.shape != (stepper.latent_size,) or not np.isfinite(latent).all():
        raise InputError(
            f"The stepper {type(stepper).__name__} needs {stepper.latent_size} finite latent "
            f"coordinates: got {list(given)!r}."
        )
    return latent
