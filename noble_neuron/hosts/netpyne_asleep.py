"""Branches of swapped cells that carry nothing: NEURON lets them go until somebody asks for them.

NEURON solves two nodes of each section at least, and of a branch on which nothing sits a swapped
soma feels nothing. So at the first initialisation NEURON's sections of such branches are given up.
What NetPyNE knows of them stays: names, lists, geometry, topology. Who asks for the `hObj` of one
gets it, made again and for good; who holds it in Python keeps it.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

from netpyne.specs import Dict
from neuron import h

from ..nrn.geometry import geometry_of
from ..nrn.passive import parents_first

WAS = "hAsleep"  # beside where a section's hObj was, and like that not saved


class Asleep(Dict):
    """A section of a NetPyNE cell whose `hObj` is made when it is asked for."""

    __slots__ = ()

    def __missing__(self, key: str) -> Any:
        return self[WAS].again(self) if key == "hObj" else super().__missing__(key)

    def __contains__(self, key: object) -> bool:
        if key == "vinit":
            return False  # NetPyNE asks before each run, to set the voltage of what is not there
        return key == "hObj" or super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default


class Was:
    """What a section was, to make it again."""

    def __init__(self, section: Any, parent: Mapping, loose: list[tuple]) -> None:
        self._cell, self._name = weakref.ref(section.cell()), section.name().rpartition(".")[2]
        self._parent = parent, section.parentseg().x, section.orientation()
        self._loose = loose
        self._geometry, self._values = geometry_of(section), (section.nseg, section.Ra)
        self._cm = [segment.cm for segment in section]
        self._membrane = []
        for name in (mechanism.name() for mechanism in section(0.5)):
            if name not in ("capacitance", "morphology"):
                parameters = [h.MechanismStandard(name, 1) for _ in section]
                for each, segment in zip(parameters, section, strict=True):
                    each._in(segment)
                self._membrane.append((name, parameters))

    def again(self, entry: Asleep) -> Any:
        """The section; its tree has it back from the next initialisation on."""
        section = h.Section(name=self._name, cell=self._cell())
        section.nseg, section.Ra = self._values
        for point in self._geometry:
            section.pt3dadd(*point)
        for name, parameters in self._membrane:
            section.insert(name)
            for each, segment in zip(parameters, section, strict=True):
                each.out(segment)
        for cm, segment in zip(self._cm, section, strict=True):
            segment.cm = cm
        entry.__class__ = Dict
        del entry[WAS]
        entry["hObj"] = section
        self._loose.append((section, *self._parent))
        return section


class Sleepers:
    """The branches of one cell, for its twin."""

    def __init__(self, host: Any) -> None:
        self._host = weakref.ref(host)
        self._loose: list[tuple[Any, Mapping, float, float]] = []  # made again, not yet connected

    def come(self) -> None:
        """Before a tree is looked at: what was made again is connected again."""
        while self._loose:
            section, parent, at, end = self._loose.pop()
            section.connect(parent["hObj"](at), end)

    def go(self, stems: list[Any]) -> None:
        """Give up these branches, as nothing sits on them."""
        names = [self._names(stem) for stem in stems]
        stems.clear()
        for branch in (each for each in names if None not in each):
            asleep: list[str] = []
            for name in reversed(branch):
                if not self._let_go(name):
                    # Somebody holds it: so all of its branch is to stay.
                    for each in asleep:
                        self._host().secs[each]["hObj"]
                    self.come()
                    break
                asleep.append(name)

    def _names(self, stem: Any) -> list[str | None]:
        """Of a branch's sections, each after its parent; None of one that is not the cell's, or
        that has no 3-D points: NetPyNE gives it some when it draws the cell."""
        known = {
            entry["hObj"]: name
            for name, entry in self._host().secs.items()
            if type(entry) is Dict and entry.get("geom", {}).get("pt3d")
        }
        return [known.get(section) for section in parents_first(stem)]

    def _let_go(self, name: str) -> bool:
        """Whether a section without children is gone; if not, it stays where it was."""
        entries = self._host().secs
        section = entries[name].pop("hObj")
        parent, number = section.parentseg().sec, len(section.parentseg().sec.children())
        above = next(x for x in entries.values() if dict.get(x, "hObj") == parent)
        was, full = Was(section, above, self._loose), section.name()
        del section
        if len(parent.children()) == number:
            left = (each for each in parent.children() if each.name() == full)
            entries[name]["hObj"] = next(left)
            return False
        entries[name].__class__ = Asleep
        entries[name][WAS] = was
        return True
