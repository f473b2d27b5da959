"""Sections of passive membrane, read as plain branches, and cut into other segments.

Passive is what leaks, and what hardly gates: nn_Ih is so slow and so weak in dendrites that its
conductance can be held at that of a typical voltage. What that errs by is measured with the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from neuron import h

from .cable import SOMA, Branch, Cut, Geometry
from .mechanisms import carries_current
from .reduced import Tree

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


def read(stems: Sequence[Any], v: float = TYPICAL) -> tuple[list[Any], list[Branch]]:
    """Sections of passive branches, each after its parent, and what they are at a voltage."""
    sections = [section for stem in stems for section in _parents_first(stem)]
    number = {section: k for k, section in enumerate(sections)}
    branches = []
    for section in sections:
        place = section.parentseg()
        gates = {m: FROZEN[m][2](v) for m in FROZEN if section.has_membrane(m)}
        membrane = [_leak(segment, gates) for segment in section]
        branches.append(
            Branch(
                number.get(place.sec, SOMA),
                place.x,
                _geometry(section),
                section.Ra,
                tuple(segment.cm for segment in section),
                *(tuple(column) for column in zip(*membrane, strict=True)),
            )
        )
    return sections, branches


def _parents_first(section: Any) -> list[Any]:
    return [section, *(each for child in section.children() for each in _parents_first(child))]


def tree_of(soma: Any, stems: Sequence[Any]) -> tuple[list[Any], Tree]:
    """The sections of passive branches, and what a grid is found for."""
    sections, branches = read(stems)
    extremes = tuple(tuple(read(stems, v)[1]) for v in EXTREMES)
    if all(each == tuple(branches) for each in extremes):
        extremes = ()
    return sections, Tree(tuple(branches), extremes, tuple(ends_of(soma).items()))


def ends_of(soma: Any) -> dict[float, float]:
    """Resistance between a soma's middle and its ends [MOhm]."""
    return {0.0: soma(0.5).ri(), 1.0: h.ri(1, sec=soma)}


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


def _leak(segment: Any, gates: dict[str, float]) -> tuple[float, float]:
    """Conductance [S/cm2] and reversal potential [mV] of all that leaks."""
    parts = []
    if segment.sec.has_membrane("pas"):
        parts.append((segment.pas.g, segment.pas.e))
    for mechanism, gate in gates.items():
        conductance, reversal, _ = FROZEN[mechanism]
        own = getattr(segment, mechanism)
        parts.append((getattr(own, conductance) * gate, getattr(own, reversal)))
    total = sum(g for g, _ in parts)
    return total, sum(g * e for g, e in parts) / total if total else 0.0


def _geometry(section: Any) -> Geometry:
    if section.n3d():
        points = zip(*(_points(section, each) for each in "xyzd"), strict=True)
        return Geometry(points)
    diameters = tuple(segment.diam for segment in section)
    if len(set(diameters)) == 1:
        diameters = diameters[:1]
    return Geometry((section.L, diameters))


def _points(section: Any, which: str) -> list[float]:
    name = "diam3d" if which == "d" else f"{which}3d"
    return [getattr(section, name)(k) for k in range(section.n3d())]
