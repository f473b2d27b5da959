"""Geometry of a section as plain values, and what NEURON makes of it for any number of segments.

Computed here as NEURON does it (frusta between the 3-D points, halved at each segment's middle),
since asking NEURON takes a section, and each new one makes it look at the whole model again.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

ALIKE = 1e-4  # of a length, that moving a section may change


class Geometry(tuple):
    """3-D points (x, y, z, diam) of a section, or its length and its segments' diameters [um].

    A tuple that computes its hash once.
    """

    def __hash__(self) -> int:
        if "known" not in self.__dict__:
            self.known = super().__hash__()
        return self.known

    @cached_property
    def points(self) -> np.ndarray:
        """As NEURON keeps them, shape (points, 4)."""
        return np.array(self, dtype=np.float32)

    @cached_property
    def diameters(self) -> np.ndarray:
        """Of the points [um]."""
        return self.points[:, 3]

    @cached_property
    def steps(self) -> np.ndarray:
        """Lengths between the points [um]."""
        return np.sqrt((np.diff(self.points[:, :3], axis=0).astype(float) ** 2).sum(1))

    @cached_property
    def length(self) -> float:
        """Along the points [um]."""
        return float(self.steps.sum())


@lru_cache(maxsize=4096)
def the(value: Hashable) -> Any:
    """Of equal values always the same one, for what it keeps of itself."""
    return value


def geometry_of(section: Any, said: Geometry | None = None) -> Geometry:
    """A section's own; what is `said` of it where it still has that shape, wherever it lies.

    Its points are 32-bit floats, so that what has been moved is no longer quite the same.
    """
    x, y, z, d = section.x3d, section.y3d, section.z3d, section.diam3d
    count = section.n3d()
    if said is not None and len(said) == count:
        wide = np.array([d(k) for k in range(count)], dtype=np.float32)
        if (said.diameters == wide).all() and abs(said.length / section.L - 1) < ALIKE:
            return said
    if count > 1:
        return Geometry((x(k), y(k), z(k), d(k)) for k in range(count))
    diameters = tuple(segment.diam for segment in section)
    if len(set(diameters)) == 1:
        diameters = diameters[:1]
    return Geometry((section.L, diameters))


@lru_cache(maxsize=4096)
def pieces(geometry: Geometry, nseg: int) -> tuple[np.ndarray, np.ndarray]:
    """Areas [um2] of a section's segments, and resistances from one middle to the next, per
    resistivity [MOhm / (Ohm cm)].

    The resistances begin with that from the section's start, and end with that to its end.
    """
    if isinstance(geometry[0], tuple):
        area, resistance = _halves(geometry, 2 * nseg)
    else:
        length, diameters = geometry
        half = length / (2 * nseg)
        diameter = np.repeat(diameters, 2 * nseg // len(diameters))
        area, resistance = math.pi * diameter * half, half / (math.pi * diameter**2 / 4)
    between = [resistance[0], *(resistance[1:-1:2] + resistance[2::2]), resistance[-1]]
    return area[::2] + area[1::2], 0.01 * np.array(between)


def _halves(points: Geometry, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Lateral area [um2] and length over cross section [1/um] of equal parts along the points."""
    steps = points.steps.tolist()
    arc = np.concatenate([[0.0], np.cumsum(steps)]).tolist()
    diameter = np.abs(points.diameters).astype(float).tolist()
    area, resistance = np.zeros(count), np.zeros(count)
    at, x, y = 0, 0.0, diameter[0]  # frustum that we are in, and where in it
    for part in range(count):
        end = (part + 1) * arc[-1] / count
        while True:
            last = at == len(steps) - 1
            here = arc[at + 1] > end or last
            if here:
                share = (end - arc[at]) / steps[at] if steps[at] > 1e-10 else 1.0
                to, wide = end, (1 - share) * diameter[at] + share * diameter[at + 1]
            else:
                to, wide = arc[at + 1], diameter[at + 1]
            long = to - x
            area[part] += math.pi / 2 * (y + wide) * math.hypot(long, (wide - y) / 2)
            resistance[part] += 4 / math.pi * max(long, 1e-15) / max(wide * y, 1e-15)
            x, y = to, wide
            if here:
                break
            at += 1
    return area, resistance
