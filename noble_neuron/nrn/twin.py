"""Dendrites under a surrogate's soma, which feels what is attached to them and not their load.

A surrogate of a cell contains the cell's dendrites. Where the dendrites are there as well, for
synapses to sit on, what they add to the somatic current is what they draw less what they would
draw under the same somatic voltage without synapses. What passive branches would draw is linear,
and nn_Load takes it off; they are cut into as few segments as a tolerance allows. Of an active
branch, or without a tolerance, a bare copy is hung beside it, and nn_Bare turns the sign of its
coupling to the soma. A branch that carries nothing is cut from the soma's equation; with a
tolerance its channels are taken out too, unless somebody listens there.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Collection
from functools import lru_cache
from typing import Any

import numpy as np
from neuron import h

from ..errors import SomaWarning
from . import mechanisms, passive
from .cable import assembled
from .load import Load, port
from .reduced import grid_for

OURS = ("nn_Bare", "nn_Load")


class Twin:
    """Takes the load of the branches of a soma off it, for as long as it is held.

    All is made when NEURON is initialised, and made anew where the tree, or what carries something
    in it, has changed since; parameters are read each time.

    Attributes:
        soma: What the branches hang on; a root section of one segment.
        tolerance: See `NobleCell`.
        copies: Section of a branch -> its bare copy.
        error: Relative error of a standard synapse's amplitude that the segments leave, at most.
        late: Shift of its peak at the soma [ms], at most.
    """

    def __init__(self, soma: Any, tolerance: float = 0.0, keep: Collection[Any] = ()) -> None:
        """`keep` are sections whose segments stay as they are, as somebody looks at them."""
        mechanisms.load()
        self.soma, self.tolerance, self.copies = soma, tolerance, {}
        self.error = self.late = 0.0
        self._keep = set(keep)
        self._cut: dict[Any, set[str]] = {}  # section cut into other segments -> what it carried
        self._passive: list[Any] = []  # stems whose load is off
        self._load: Load | None = None
        self._bare: tuple = ()  # their sections, and the cable that they are
        self._stubs: dict[float, Any] = {}
        self._turned: list[Any] = []
        self._made_for: list[tuple] | None = None
        # NEURON holds what it calls: our own method would keep us alive.
        mine = weakref.ref(self)
        self._first = h.FInitializeHandler(3, lambda: mine()._make())
        self._later: tuple = ()

    def stems(self) -> list[Any]:
        """The branches' first sections."""
        ours = {*self._stubs.values(), *self.copies.values()}
        return [child for child in self.soma.children() if child not in ours]

    def _make(self) -> None:
        """Before all else of an initialisation: the one place where structure may change."""
        stems = self.stems()
        if self.tolerance:
            self._reduce([stem for stem in stems if passive.is_passive(stem)])
            self._silence([stem for stem in stems if not passive.is_passive(stem)])
        wanted = [_shape(section) for stem in stems for section in stem.subtree()]
        wanted += [(stem, _carries(stem)) for stem in stems]
        if wanted != self._made_for:
            self._anew(stems)
            self._made_for = wanted
        for section, copy in self.copies.items():
            _same_parameters(section, copy)
        if self._load:
            sections, branches = passive.read(self._passive)
            cuts, ends = [(s.nseg, 1.0) for s in sections], passive.ends_of(self.soma)
            self._bare = sections, assembled(branches, cuts, ends)
        # Registered now, they come after whoever else sets voltages.
        mine = weakref.ref(self)
        self._later = (
            h.FInitializeHandler(0, lambda: mine()._same_voltage()),
            h.FInitializeHandler(1, lambda: mine()._start()),
        )

    def _reduce(self, stems: list[Any]) -> None:
        """Cut branches that have not been into as few segments as the tolerance allows."""
        self._look_for_latecomers()
        stems = [stem for stem in stems if stem not in self._cut]
        if not stems:
            return
        sections, tree = passive.tree_of(self.soma, stems)
        places, fixed = [], set()
        for k, (section, branch) in enumerate(zip(sections, tree.branches, strict=True)):
            places += [(k, segment.x) for segment in section if _on(segment)]
            if section in self._keep or not passive.can_be_cut(branch) or _is_looked_at(section):
                fixed.add(k)
        grid = grid_for(tree, tuple(places), frozenset(fixed), self.tolerance)
        for section, branch, cut in zip(sections, tree.branches, grid.cuts, strict=True):
            passive.put(section, branch, cut)
            self._cut[section] = _names_on(section)
        self.error, self.late = max(self.error, grid.error), max(self.late, grid.late)

    def _silence(self, stems: list[Any]) -> None:
        """Take the channels out of active branches that nothing reaches and nobody hears."""
        for stem in stems:
            sections = list(stem.subtree())
            if not _carries(stem) and not (self._keep | _heard()).intersection(sections):
                for section in sections:
                    passive.silence(section)
                    self._cut[section] = set()

    def _look_for_latecomers(self) -> None:
        for section, carried in self._cut.items():
            new = _names_on(section) - carried
            if new:
                carried |= new
                warnings.warn(
                    f"{section}: {', '.join(sorted(new))} came after the first finitialize, which "
                    f"had made the section {section.nseg} passive segments for what it carried "
                    f"then: it stands in the middle of one. Attach before, or set tree_error=0.",
                    SomaWarning,
                    stacklevel=2,
                )

    def _anew(self, stems: list[Any]) -> None:
        self.copies, self._stubs, self._turned = {}, {}, []
        h.diam_changed = 1  # couplings that were changed are NEURON's own again
        loaded = [stem for stem in stems if _carries(stem)]
        active = [stem for stem in loaded if not (self.tolerance and passive.is_passive(stem))]
        # Branches of one end share the soma's own resistance, and so they share their fate.
        ends = {_end(stem) for stem in active} - {None}
        self._passive = [s for s in loaded if s not in active and _end(s) not in ends]
        self._load = Load(self.soma(0.5)) if self._passive else None
        for stem in stems:
            if stem not in loaded:
                self._turn(stem, 0.0)
            elif stem not in self._passive:
                self._hang(stem)

    def _start(self) -> None:
        """After all else: the load begins from the voltages that the branches have."""
        _heard.cache_clear()
        if self._load is None:
            return
        sections, cable = self._bare
        v = np.array([segment.v for section in sections for segment in section])
        self._load.start(port(cable, h.dt), v, h.dt)

    def _same_voltage(self) -> None:
        for section, copy in self.copies.items():
            for own, other in zip(section, copy, strict=True):
                other.v = own.v

    def _hang(self, stem: Any) -> None:
        """A copy of a branch beside it, with the sign turned."""
        copy, end, where = self._copied(stem), stem.orientation(), _end(stem)
        if where is not None:
            # Branches of one end share the soma's own resistance: the copies have one of theirs.
            if where not in self._stubs:
                self._stubs[where] = _stub(self.soma, where)
                self._turn(self._stubs[where], -1.0)
            copy.connect(self._stubs[where](1), end)
        else:
            copy.connect(self.soma(stem.parentseg().x), end)
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
    return any(_on(segment) for section in stem.subtree() for segment in section)


def _on(segment: Any) -> list[str]:
    """Names of what sits on a segment, but for our own."""
    names = (point.hname() for point in segment.point_processes())
    return [name for name in names if name.partition("[")[0] not in OURS]


def _names_on(section: Any) -> set[str]:
    return {name for segment in section for name in _on(segment)}


def _is_looked_at(section: Any) -> bool:
    """Whether something there may point at the voltage of the segment, as gap junctions do."""
    kinds = {name.partition("[")[0] for name in _names_on(section)}
    return section in _heard() or not all(_takes_events(kind) for kind in kinds)


@lru_cache(maxsize=1)
def _heard() -> frozenset[Any]:
    """Sections where NetCons listen; looked up once per initialisation."""
    places = (netcon.preseg() for netcon in h.List("NetCon"))
    return frozenset(place.sec for place in places if place is not None)


def _takes_events(kind: str) -> bool:
    point = h.MechanismType(1)
    point.select(kind)
    return kind == "IClamp" or bool(point.is_netcon_target(point.selected()))


def _end(stem: Any) -> float | None:
    """The end of the soma that a branch hangs on, if it is one."""
    where = stem.parentseg().x
    return where if where in (0.0, 1.0) else None


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
