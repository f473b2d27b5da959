"""Sections of passive membrane, read as plain branches, and cut into other segments.

Passive is what leaks, and what hardly gates: nn_Ih is so slow and so weak in dendrites that its
conductance can be held at that of a typical voltage, and so may other channels that a measurement
has allowed. What that errs by is measured with the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from .cable import SOMA, Branch, Cut
from .frozen import VOLTAGES, Frozens, held
from .geometry import Geometry, geometry_of, pieces, the
from .mechanisms import carries_current
from .reduced import Tree

Shapes = Mapping[Any, Geometry]  # of sections, before they were moved


def is_passive(stem: Any, known: Frozens = ()) -> bool:
    """Whether a whole branch is; one that was grown backwards is not read.

    Args:
        stem: Its first section.
        known: Channels that may be held as they are, but for nn_Ih.
    """
    return all(
        section.orientation() == 0
        and all(held(name, x, known) for name in active_in(section) for x in section)
        for section in stem.subtree()
    )


def active_in(section: Any) -> list[str]:
    """Names of what conducts there, but for the leak."""
    return [m.name() for m in section(0.5) if conducts(m.name())]


@lru_cache
def conducts(mechanism: str) -> bool:
    """Whether a density mechanism that NEURON knows has a current, and is no leak."""
    if mechanism in ("pas", "capacitance", "morphology") or mechanism.endswith("_ion"):
        return False
    return mechanism == "extracellular" or carries_current(mechanism)


def read(
    stems: Sequence[Any], voltages: Sequence[float], shapes: Shapes, known: Frozens = ()
) -> tuple[list[Any], list[tuple[Branch, ...]]]:
    """Sections of passive branches, each after its parent, and what they are at some voltages."""
    sections = [section for stem in stems for section in parents_first(stem)]
    number = {section: k for k, section in enumerate(sections)}
    trees: list[list[Branch]] = [[] for _ in voltages]
    for section in sections:
        place = section.parentseg()
        active = active_in(section)
        parts = [(x, _leak(x), [held(name, x, known) for name in active]) for x in section]
        shape = the(geometry_of(section, shapes.get(section)))
        common = (number.get(place.sec, SOMA), place.x, shape, section.Ra)
        capacitance = tuple(segment.cm for segment in section)
        for v, tree in zip(voltages, trees, strict=True):
            sums = (_sum([leak, *(one.leak(x, v) for one in some)]) for x, leak, some in parts)
            g, e = zip(*sums, strict=True)
            tree.append(the(Branch(*common, capacitance, g, e)))
    return sections, [tuple(tree) for tree in trees]


def parents_first(section: Any) -> list[Any]:
    """A section and all that hangs on it."""
    return [section, *(each for child in section.children() for each in parents_first(child))]


def tree_of(
    soma: Any, stems: Sequence[Any], shapes: Shapes, known: Frozens = ()
) -> tuple[list[Any], Tree]:
    """The sections of passive branches, and what a grid is found for."""
    sections, (branches, *extremes) = read(stems, VOLTAGES, shapes, known)
    if all(each == branches for each in extremes):
        extremes = []
    return sections, the(Tree(branches, tuple(extremes), ends_of(soma)))


def ends_of(soma: Any) -> tuple[tuple[float, float], ...]:
    """The soma's ends, and the resistance from its middle to them [MOhm]."""
    _, halves = pieces(geometry_of(soma), 1)
    return tuple(zip((0.0, 1.0), (soma.Ra * halves).tolist(), strict=True))


def put(section: Any, branch: Branch, cut: Cut) -> None:
    """Give a section these segments, and a leak that has its frozen conductances in it.

    What stands on it goes along, each to the new segment that its old one lies in.
    """
    cm, g, e = branch.binned(cut)
    for mechanism in active_in(section):
        section.uninsert(mechanism)
    section.insert("pas")
    section.nseg = cut[0]
    section.Ra *= cut[1]
    for k, segment in enumerate(section):
        segment.cm, segment.pas.g, segment.pas.e = cm[k], g[k], e[k]


def silence(section: Any) -> None:
    """Leave a section its leak alone."""
    for name in [mechanism.name() for mechanism in section(0.5)]:
        if name not in ("pas", "capacitance", "morphology") and not name.endswith("_ion"):
            section.uninsert(name)


def can_be_cut(branch: Branch) -> bool:
    """Whether its geometry tells what other segments would be."""
    return isinstance(branch.geometry[0], tuple) or len(branch.geometry[1]) == 1


def _leak(segment: Any) -> tuple[float, float]:
    """Conductance [S/cm2] and reversal potential [mV] of `pas`."""
    if not segment.sec.has_membrane("pas"):
        return 0.0, 0.0
    return segment.pas.g, segment.pas.e


def _sum(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Conductance and reversal potential of all that leaks."""
    total = sum(g for g, _ in parts)
    return total, sum(g * e for g, e in parts) / total if total else 0.0
