"""What sits on sections, and who listens to them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from neuron import h

OURS = ("nn_Bare", "nn_Load")


def carries(stem: Any) -> bool:
    """Whether anything sits on a branch."""
    return any(on(segment) for section in stem.subtree() for segment in section)


def on(segment: Any) -> list[str]:
    """Names of what sits on a segment, but for our own."""
    names = (point.hname() for point in segment.point_processes())
    return [name for name in names if name.partition("[")[0] not in OURS]


def names_on(section: Any) -> set[str]:
    """Of what sits on a section, but for our own."""
    return {name for segment in section for name in on(segment)}


def is_looked_at(section: Any) -> bool:
    """Whether something there may point at the voltage of the segment, as gap junctions do."""
    kinds = {name.partition("[")[0] for name in names_on(section)}
    return section in heard() or not all(_takes_events(kind) for kind in kinds)


@lru_cache(maxsize=1)
def heard() -> frozenset[Any]:
    """Sections where NetCons listen; looked up once per initialisation."""
    places = (netcon.preseg() for netcon in h.List("NetCon"))
    return frozenset(place.sec for place in places if place is not None)


def _takes_events(kind: str) -> bool:
    point = h.MechanismType(1)
    point.select(kind)
    return kind == "IClamp" or bool(point.is_netcon_target(point.selected()))
