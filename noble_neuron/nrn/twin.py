"""Dendrites under a surrogate's soma, which feels what is attached to them and not their load.

A surrogate of a cell contains the cell's dendrites. Where the dendrites are there as well, for
synapses to sit on, what they add to the somatic current is what they draw less what they would
draw under the same somatic voltage without synapses. So a bare copy of each branch that carries
anything is hung beside it, and nn_Bare turns the sign of its coupling to the soma; of a branch
that carries nothing, the coupling is cut. That holds for active dendrites too: the copy has their
channels.
"""

from __future__ import annotations

import weakref
from typing import Any

from neuron import h

from . import mechanisms

OURS = "nn_Bare"


class Twin:
    """Bare copies of the branches of a soma; they live as long as it is held.

    They are made when NEURON is initialised, and made anew where the tree, or what carries
    something in it, has changed since; the tree's parameters are copied each time.

    Attributes:
        soma: What the branches hang on; a root section of one segment.
        copies: Section of a branch -> its copy.
    """

    def __init__(self, soma: Any) -> None:
        mechanisms.load()
        self.soma, self.copies = soma, {}
        self._stubs: dict[float, Any] = {}
        self._turned: list[Any] = []
        self._made_for: list[tuple] | None = None
        # NEURON holds what it calls: our own method would keep us alive.
        mine = weakref.ref(self)
        self._first = h.FInitializeHandler(3, lambda: mine()._make())
        self._later: Any = None

    def _make(self) -> None:
        """Before all else of an initialisation: the one place where structure may change."""
        ours = {*self._stubs.values(), *self.copies.values()}
        stems = [child for child in self.soma.children() if child not in ours]
        wanted = [_shape(section) for stem in stems for section in stem.subtree()]
        wanted += [(stem, _carries(stem)) for stem in stems]
        if wanted != self._made_for:
            self._anew(stems)
            self._made_for = wanted
        for section, copy in self.copies.items():
            _same_parameters(section, copy)
        # Registered now, it comes after whoever else sets voltages.
        mine = weakref.ref(self)
        self._later = h.FInitializeHandler(0, lambda: mine()._same_voltage())

    def _anew(self, stems: list[Any]) -> None:
        self.copies, self._stubs, self._turned = {}, {}, []
        h.diam_changed = 1  # couplings that were changed are NEURON's own again
        for stem in stems:
            if _carries(stem):
                self._hang(stem)
            else:
                self._turn(stem, 0.0)

    def _same_voltage(self) -> None:
        for section, copy in self.copies.items():
            for own, other in zip(section, copy, strict=True):
                other.v = own.v

    def _hang(self, stem: Any) -> None:
        """A copy of a branch beside it, with the sign turned."""
        copy, end, where = self._copied(stem), stem.orientation(), stem.parentseg().x
        if where in (0.0, 1.0):
            # Branches of one end share the soma's own resistance: the copies have one of theirs.
            if where not in self._stubs:
                self._stubs[where] = _stub(self.soma, where)
                self._turn(self._stubs[where], -1.0)
            copy.connect(self._stubs[where](1), end)
        else:
            copy.connect(self.soma(where), end)
            self._turn(copy, -1.0)

    def _turn(self, stem: Any, share: float) -> None:
        first = 0.5 / stem.nseg  # at its very end a section is its parent's segment
        point = h.nn_Bare(stem(first if stem.orientation() == 0 else 1 - first))
        point.share = share
        self._turned.append(point)

    def _copied(self, section: Any) -> Any:
        """A copy of a section and of all that is connected to it."""
        copy = self.copies[section] = _copy(section)
        for child in section.children():
            self._copied(child).connect(copy(child.parentseg().x), child.orientation())
        return copy


def _carries(stem: Any) -> bool:
    """Whether anything sits on a branch."""
    return any(
        point.hname().partition("[")[0] != OURS
        for section in stem.subtree()
        for segment in section
        for point in segment.point_processes()
    )


def _shape(section: Any) -> tuple:
    """What a copy must have from the beginning."""
    return (
        section,
        section.parentseg(),
        section.orientation(),
        (section.nseg, section.L, section.Ra, section.n3d()),
        tuple(segment.diam for segment in section),
        tuple(mechanism.name() for mechanism in section(0.5)),
    )


def _stub(soma: Any, end: float) -> Any:
    """The resistance between a soma's middle and one of its ends, and nothing else."""
    stub = h.Section(name=f"bare_{soma.name().rpartition('.')[2]}_{end:g}")
    stub.connect(soma(0.5), 0)
    stub.L, stub.diam, stub.cm = soma.L / 2, soma.diam, 0.0
    resistance = soma(0.5).ri() if end == 0.0 else h.ri(1, sec=soma)  # MOhm
    stub.Ra *= resistance / (2 * stub(0.5).ri())
    return stub


def _copy(section: Any) -> Any:
    """A section of the same geometry and mechanisms, connected to nothing."""
    copy = h.Section(name=f"bare_{section.name().rpartition('.')[2]}")
    for k in range(section.n3d()):
        copy.pt3dadd(section.x3d(k), section.y3d(k), section.z3d(k), section.diam3d(k))
    copy.nseg, copy.Ra = section.nseg, section.Ra
    if not section.n3d():
        copy.L = section.L
        for own, other in zip(section, copy, strict=True):
            other.diam = own.diam
    for mechanism in section(0.5):
        if mechanism.name() not in ("capacitance", "morphology"):
            copy.insert(mechanism.name())
    return copy


def _same_parameters(section: Any, copy: Any) -> None:
    for name in (mechanism.name() for mechanism in section(0.5)):
        if name in ("capacitance", "morphology"):
            continue
        parameters = h.MechanismStandard(name, 1)
        for own, other in zip(section, copy, strict=True):
            parameters._in(own)
            parameters.out(other)
            if name.endswith("_ion"):
                reversal = f"e{name.removesuffix('_ion')}"
                setattr(other, reversal, getattr(own, reversal))
    for own, other in zip(section, copy, strict=True):
        other.cm = own.cm
