"""The geometry of a built cell as data, so that a morphology is read once per process.

Import3d takes 0.3 s for the 10,000 points of a reconstruction, most of them in the axon that
is then deleted; making the sections anew from what is left takes a few milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neuron import h


@dataclass(frozen=True)
class Piece:
    """One section.

    Attributes:
        name: Without the cell's prefix, e.g. "dend[3]".
        parent: Index of the parent piece and the place on it; None for the root.
        points: (x, y, z, diameter) [um] of its 3-D points; empty for a plain cylinder.
        length: [um]; what counts where there are no points.
        diameter: [um]; likewise.
        nseg: Number of segments.
    """

    name: str
    parent: tuple[int, float] | None
    points: tuple[tuple[float, float, float, float], ...]
    length: float
    diameter: float
    nseg: int


def recorded(sections: list) -> tuple[Piece, ...]:
    """The geometry of connected sections, in the order given."""
    index = {section: k for k, section in enumerate(sections)}
    return tuple(_piece(section, index) for section in sections)


def _piece(section: Any, index: dict[Any, int]) -> Piece:
    place = section.parentseg()
    points = tuple(
        (section.x3d(k), section.y3d(k), section.z3d(k), section.diam3d(k))
        for k in range(section.n3d())
    )
    return Piece(
        name=section.name().rpartition(".")[2],
        parent=None if place is None else (index[place.sec], place.x),
        points=points,
        length=section.L,
        diameter=section.diam,
        nseg=section.nseg,
    )


def regrown(pieces: tuple[Piece, ...], owner: Any) -> list:
    """Sections of these pieces, named after `owner`."""
    sections = [h.Section(name=piece.name, cell=owner) for piece in pieces]
    for section, piece in zip(sections, pieces, strict=True):
        if piece.parent is not None:
            parent, place = piece.parent
            section.connect(sections[parent](place), 0)
        for point in piece.points:
            section.pt3dadd(*point)
        if not piece.points:
            section.L, section.diam = piece.length, piece.diameter
        section.nseg = piece.nseg
    return sections
