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

import itertools
import warnings
import weakref
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from neuron import h

from ..errors import SomaWarning
from . import mechanisms, passive
from .cable import Branch, Cut, assembled
from .copies import copy_of, give_parameters, shape_of, stub_of
from .frozen import TYPICAL, Frozens
from .geometry import Geometry
from .load import Load
from .reduced import grid_for
from .tenants import carries, heard, is_looked_at, names_on, on


class Owner(Protocol):
    """Of the sections of a tree."""

    def come(self) -> None:
        """The tree is going to be looked at: what belongs to it is to be connected."""

    def go(self, stems: list[Any]) -> None:
        """These branches may go; nobody else's is the list that says so, nor held by us."""


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
        shapes: Section -> its geometry before the cell was moved to its place. Not needed; but
            NEURON rounds what is moved, and cells of one kind are recognised by their shapes.
        frozen: Channels of the branches that may be held as they are at rest, besides nn_Ih.
        owner: Of the sections, if they may come and go.
    """

    def __init__(self, soma: Any, tolerance: float = 0.0, keep: Collection[Any] = ()) -> None:
        """`keep` are sections whose segments stay as they are, as somebody looks at them."""
        mechanisms.load()
        self.soma, self.tolerance, self.copies = soma, tolerance, {}
        self.error = self.late = 0.0
        self.shapes: dict[Any, Geometry] = {}
        self.frozen: Frozens = ()
        self.owner: Owner | None = None
        self._rested = False
        self._keep = set(keep)
        self._cut: dict[Any, set[str]] = {}  # section cut into other segments -> what it carried
        self._plan: list[tuple[Any, Branch, Cut]] = []  # sections to be cut, and how
        self._passive: list[Any] = []  # stems whose load is off
        self._load: Load | None = None
        self._sections: list[Any] = []  # all of theirs
        self._bare: tuple = ()  # what they are, and the soma's ends
        self._stubs: dict[float, Any] = {}
        self._turned: list[Any] = []
        self._made_for: list[tuple] | None = None
        _twins().add(self)

    def stems(self) -> list[Any]:
        """The branches' first sections."""
        ours = {*self._stubs.values(), *self.copies.values()}
        return [child for child in self.soma.children() if child not in ours]

    def plan(self) -> None:
        """Find what branches that have not been cut are to be cut into."""
        if self.owner:
            self.owner.come()
        if not self.tolerance:
            return
        self._look_for_latecomers()
        stems = [s for s in self.stems() if s not in self._cut and self._is_passive(s)]
        if not stems:
            return
        sections, tree = passive.tree_of(self.soma, stems, self.shapes, self.frozen)
        places, fixed = [], set()
        for k, (section, branch) in enumerate(zip(sections, tree.branches, strict=True)):
            places += [(k, segment.x) for segment in section if on(segment)]
            if section in self._keep or not passive.can_be_cut(branch) or is_looked_at(section):
                fixed.add(k)
        grid = grid_for(tree, tuple(places), frozenset(fixed), self.tolerance)
        self._plan = list(zip(sections, tree.branches, grid.cuts, strict=True))
        self.error, self.late = max(self.error, grid.error), max(self.late, grid.late)

    def cut(self) -> None:
        """Do so, and take out channels that nobody needs."""
        for section, branch, cut in self._plan:
            passive.put(section, branch, cut)
            self._cut[section] = names_on(section)
        self._plan = []
        if self.tolerance:
            self._silence([stem for stem in self.stems() if not self._is_passive(stem)])

    def rest(self) -> None:
        """Once, let the owner give up the branches that nothing reaches and nobody hears."""
        if self.owner is None or self._rested:
            return
        self._rested = True
        stems = [stem for stem in self.stems() if self.tolerance and self._is_idle(stem)]
        self._forget(stems)
        self.owner.go(stems)

    def hang(self) -> None:
        """Take the load off: by modes, by copies, by nothing."""
        stems = self.stems()
        wanted = [shape_of(section) for stem in stems for section in stem.subtree()]
        wanted += [(stem, carries(stem)) for stem in stems]
        if wanted != self._made_for:
            self._anew(stems)
            self._made_for = wanted

    def read(self) -> None:
        """What all of it is."""
        for section, copy in self.copies.items():
            give_parameters(section, copy)
        if self._load:
            what = self._passive, [TYPICAL], self.shapes, self.frozen
            sections, (branches,) = passive.read(*what)
            bare = branches, passive.ends_of(self.soma)
            if bare != self._bare:
                cuts = [(branch.nseg, 1.0) for branch in branches]
                self._bare, self._sections = bare, sections
                self._load.take(assembled(branches, cuts, dict(bare[1])))

    def _silence(self, stems: list[Any]) -> None:
        """Take the channels out of active branches that nothing reaches and nobody hears."""
        for section in (each for stem in stems if self._is_idle(stem) for each in stem.subtree()):
            passive.silence(section)
            self._cut[section] = set()

    def _look_for_latecomers(self) -> None:
        for section, carried in self._cut.items():
            new = names_on(section) - carried
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
        loaded = [stem for stem in stems if carries(stem)]
        active = [stem for stem in loaded if not (self.tolerance and self._is_passive(stem))]
        # Branches of one end share the soma's own resistance, and so they share their fate.
        ends = {_end(stem) for stem in active} - {None}
        self._passive = [s for s in loaded if s not in active and _end(s) not in ends]
        self._load, self._bare = Load(self.soma(0.5)) if self._passive else None, ()
        for stem in stems:
            if stem not in loaded:
                self._turn(stem, 0.0)
            elif stem not in self._passive:
                self._hang(stem)

    def _forget(self, stems: list[Any]) -> None:
        """Hold none of their sections, which would keep them alive."""
        for section in (section for stem in stems for section in stem.subtree()):
            self._cut.pop(section, None)
            self.shapes.pop(section, None)

    def _is_passive(self, stem: Any) -> bool:
        return passive.is_passive(stem, self.frozen)

    def _is_idle(self, stem: Any) -> bool:
        return not carries(stem) and not (self._keep | heard()).intersection(stem.subtree())

    def same_voltage(self) -> None:
        """Copies begin as what they are copies of."""
        for section, copy in self.copies.items():
            for own, other in zip(section, copy, strict=True):
                other.v = own.v

    def start(self) -> None:
        """The load begins from the voltages that the branches have."""
        if self._load:
            v = [segment.v for section in self._sections for segment in section]
            self._load.start(np.array(v), h.dt)

    def _hang(self, stem: Any) -> None:
        """A copy of a branch beside it, with the sign turned."""
        copy, end, where = self._copied(stem), stem.orientation(), _end(stem)
        if where is not None:
            # Branches of one end share the soma's own resistance: the copies have one of theirs.
            if where not in self._stubs:
                self._stubs[where] = stub_of(self.soma, where)
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
        copy = self.copies[section] = copy_of(section)
        for child in section.children():
            self._copied(child).connect(copy(child.parentseg().x), child.orientation())
        return copy


class Twins:
    """All of this process, initialised step by step together: what one changes in the structure
    makes NEURON look at the whole model before another one is read."""

    def __init__(self) -> None:
        self._living: weakref.WeakValueDictionary[int, Twin] = weakref.WeakValueDictionary()
        self._number = itertools.count()
        self._later: tuple = ()
        # Before all else of an initialisation: the one place where structure may change.
        self._first = h.FInitializeHandler(3, self._make)

    def add(self, twin: Twin) -> None:
        """Take one in, for as long as somebody holds it."""
        self._living[next(self._number)] = twin

    def _make(self) -> None:
        try:
            for step in (Twin.plan, Twin.cut, Twin.rest, Twin.hang, Twin.read):
                self._all(step)
        finally:
            heard.cache_clear()  # it would keep sections alive
        # Registered now, they come after whoever else sets voltages.
        self._later = (
            h.FInitializeHandler(0, lambda: self._all(Twin.same_voltage)),
            h.FInitializeHandler(1, lambda: self._all(Twin.start)),
        )

    def _all(self, step: Callable[[Twin], None]) -> None:
        for twin in list(self._living.values()):
            step(twin)


@lru_cache(maxsize=1)
def _twins() -> Twins:
    """Made when the first one needs it."""
    return Twins()


def _end(stem: Any) -> float | None:
    """The end of the soma that a branch hangs on, if it is one."""
    where = stem.parentseg().x
    return where if where in (0.0, 1.0) else None
