"""A bare copy of what hangs on a soma, whose load the soma feels with the sign turned.

A surrogate of a cell contains the cell's dendrites. Where the dendrites are there as well, for
synapses to sit on, what they add to the somatic current is what they draw less what they would draw
without synapses under the same somatic voltage. So a copy that carries nothing but the membrane is
hung beside them, and nn_Bare turns the sign of its coupling to the soma. That holds for active
dendrites too, as the copy has their channels.
"""

from __future__ import annotations

from typing import Any

from neuron import h

from ..errors import SimulationError
from . import mechanisms


class Twin:
    """The copy of the tree below a soma; it lives as long as it is held.

    What is inserted and set in the tree later is not copied: make it last.

    Attributes:
        soma: What they hang on.
        copies: Section of the tree -> its copy.
    """

    def __init__(self, soma: Any) -> None:
        """
        Args:
            soma: A root section of one segment.
        """
        mechanisms.load()
        self.soma, self.copies = soma, {}
        self._stubs: dict[float, Any] = {}
        self._turned: list[Any] = []
        for child in soma.children():
            self._hang(soma, child)
        # Whoever sets voltages at initialisation was registered before this one then.
        self._first = h.FInitializeHandler(3, self._last)
        self._later: Any = None

    def check(self) -> None:
        """Refuse a tree that has grown, or lost a section, since it was copied.

        Raises:
            SimulationError: It has.
        """
        ours = {*self.copies.values(), *self._stubs.values()}
        now = {section for section in self.soma.subtree() if section != self.soma} - ours
        changed = now.symmetric_difference(self.copies)
        if changed:
            names = ", ".join(sorted(map(str, changed))[:3])
            raise SimulationError(
                f"The tree on {self.soma} is not the one that was there when its NobleCell was "
                f"made ({names}): connect and delete its sections before."
            )

    def _last(self) -> None:
        self._later = h.FInitializeHandler(0, self._same_voltage)

    def _same_voltage(self) -> None:
        for section, copy in self.copies.items():
            for own, other in zip(section, copy, strict=True):
                other.v = own.v

    def _hang(self, soma: Any, child: Any) -> None:
        """Copy a branch of the soma, and turn its sign."""
        copy, end = self._copied(child), child.orientation()
        where = child.parentseg().x
        if where in (0.0, 1.0):
            # Branches of one end share the soma's own resistance: the copies have one of theirs.
            if where not in self._stubs:
                self._stubs[where] = stub = _stub(soma, where)
                self._turned.append(h.nn_Bare(stub(0.5)))
            copy.connect(self._stubs[where](1), end)
        else:
            copy.connect(soma(where), end)
            # At 0 or 1 a section's end is its parent's segment.
            first = 0.5 / copy.nseg
            self._turned.append(h.nn_Bare(copy(first if end == 0 else 1 - first)))

    def _copied(self, section: Any) -> Any:
        """A copy of a section and all that is connected to it."""
        copy = self.copies[section] = _copy(section)
        for child in section.children():
            self._copied(child).connect(copy(child.parentseg().x), child.orientation())
        return copy


def _stub(soma: Any, end: float) -> Any:
    """The resistance between a soma's middle and one of its ends, and nothing else."""
    stub = h.Section(name=f"bare_{soma.name().rpartition('.')[2]}_{end:g}")
    stub.connect(soma(0.5), 0)
    stub.L, stub.diam, stub.cm = soma.L / 2, soma.diam, 0.0
    resistance = soma(0.5).ri() if end == 0.0 else h.ri(1, sec=soma)  # MOhm
    stub.Ra *= resistance / (2 * stub(0.5).ri())
    return stub


def _copy(section: Any) -> Any:
    """A section of the same geometry and membrane, connected to nothing."""
    copy = h.Section(name=f"bare_{section.name().rpartition('.')[2]}")
    points = [
        (section.x3d(k), section.y3d(k), section.z3d(k), section.diam3d(k))
        for k in range(section.n3d())
    ]
    for point in points:
        copy.pt3dadd(*point)
    copy.nseg, copy.Ra = section.nseg, section.Ra
    if not points:
        copy.L = section.L
    for own, other in zip(section, copy, strict=True):
        if not points:
            other.diam = own.diam
        other.cm = own.cm
    for mechanism in section(0.5):
        if mechanism.name() not in ("capacitance", "morphology"):
            copy.insert(mechanism.name())
            _same_parameters(section, copy, mechanism.name())
    return copy


def _same_parameters(section: Any, copy: Any, mechanism: str) -> None:
    parameters = h.MechanismStandard(mechanism, 1)
    ion = mechanism.removesuffix("_ion") if mechanism.endswith("_ion") else None
    for own, other in zip(section, copy, strict=True):
        parameters._in(own)
        parameters.out(other)
        if ion:
            setattr(other, f"e{ion}", getattr(own, f"e{ion}"))
