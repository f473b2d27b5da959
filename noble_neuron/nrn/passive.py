"""Sections of passive membrane, read as plain branches, and cut into other segments.

Passive is what leaks, and what hardly gates: nn_Ih is so slow and so weak in dendrites that its
conductance can be held at that of a typical voltage. What that errs by is measured with the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from .cable import SOMA, Branch, Cut
from .geometry import Geometry, geometry_of, pieces, the
from .mechanisms import carries_current
from .reduced import Tree

Shapes = Mapping[Any, Geometry]  # of sections, before they were moved
TYPICAL = -75.0  # mV, where a frozen conductance is held
EXTREMES = (-80.0, -50.0)  # mV, between which its error is judged


def _open_ih(v: float) -> float:
    """Steady state of nn_Ih's gate."""
    x = (v + 154.9) / 11.9
    opening = 0.00643 * 11.9 * (x / math.expm1(x) if x else 1.0)
    return opening / (opening + 0.193 * math.exp(v / 33.1))


FROZEN: dict[str, tuple[str, str, Callable[[float], float]]] = {
    "nn_Ih": ("gbar", "ehcn", _open_ih)
}
"""Mechanism -> names of its conductance and reversal potential, and steady state of its gate."""


@lru_cache
def _gate(mechanism: str, v: float) -> float:
    return FROZEN[mechanism][2](v)


def is_passive(stem: Any) -> bool:
    """Whether a whole branch is; one that was grown backwards is not read."""
    return all(
        section.orientation() == 0 and all(_passive(m.name()) for m in section(0.5))
        for section in stem.subtree()
    )


def _passive(mechanism: str) -> bool:
    if mechanism in ("pas", *FROZEN):
        return True
    return mechanism.endswith("_ion") or not _carries_current(mechanism)


@lru_cache
def _carries_current(mechanism: str) -> bool:
    if mechanism in ("capacitance", "morphology"):
        return False
    return mechanism == "extracellular" or carries_current(mechanism)


def read(
    stems: Sequence[Any], voltages: Sequence[float], shapes: Shapes
) -> tuple[list[Any], list[tuple[Branch, ...]]]:
    """Sections of passive branches, each after its parent, and what they are at some voltages."""
    sections = [section for stem in stems for section in parents_first(stem)]
    number = {section: k for k, section in enumerate(sections)}
    trees: list[list[Branch]] = [[] for _ in voltages]
    for section in sections:
        place = section.parentseg()
        frozen = [mechanism for mechanism in FROZEN if section.has_membrane(mechanism)]
        parts = [_leaks(segment, frozen) for segment in section]
        shape = the(geometry_of(section, shapes.get(section)))
        common = (number.get(place.sec, SOMA), place.x, shape, section.Ra)
        capacitance = tuple(segment.cm for segment in section)
        for v, tree in zip(voltages, trees, strict=True):
            gates = [1.0, *(_gate(mechanism, v) for mechanism in frozen)]
            g, e = zip(*(_sum(each, gates) for each in parts), strict=True)
            tree.append(the(Branch(*common, capacitance, g, e)))
    return sections, [tuple(tree) for tree in trees]


def parents_first(section: Any) -> list[Any]:
    """A section and all that hangs on it."""
    return [section, *(each for child in section.children() for each in parents_first(child))]


def tree_of(soma: Any, stems: Sequence[Any], shapes: Shapes) -> tuple[list[Any], Tree]:
    """The sections of passive branches, and what a grid is found for."""
    sections, (branches, *extremes) = read(stems, (TYPICAL, *EXTREMES), shapes)
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
    for mechanism in FROZEN:
        if section.has_membrane(mechanism):
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


def _leaks(segment: Any, frozen: Sequence[str]) -> list[tuple[float, float]]:
    """Conductance [S/cm2] and reversal potential [mV] of `pas`, and of what gates when open."""
    leak = (segment.pas.g, segment.pas.e) if segment.sec.has_membrane("pas") else (0.0, 0.0)
    open_ones = (_open(getattr(segment, each), *FROZEN[each][:2]) for each in frozen)
    return [leak, *open_ones]


def _open(mechanism: Any, conductance: str, reversal: str) -> tuple[float, float]:
    return getattr(mechanism, conductance), getattr(mechanism, reversal)


def _sum(parts: Sequence[tuple[float, float]], gates: Sequence[float]) -> tuple[float, float]:
    """Conductance and reversal potential of all that leaks, each as far open as its gate."""
    parts = [(g * gate, e) for (g, e), gate in zip(parts, gates, strict=True)]
    total = sum(g for g, _ in parts)
    return total, sum(g * e for g, e in parts) / total if total else 0.0
