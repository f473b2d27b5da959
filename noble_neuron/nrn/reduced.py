"""Fewer segments for passive branches, as few as a stated error at the soma allows.

What counts of a branch is what the soma feels of the places that carry something. So a section is
cut into as many segments as the places on it need, and into one where it carries nothing. The
error is measured for the very branches and places, on the linear system of them: a standard
synapse at each place, alone and together with each other place, on the reduced branches and on
those as they were; amplitude and time of the peak that the whole tree makes of it at the soma.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .cable import SOMA, Branch, Cut, nodes_of, segment_of
from .psp import Answer, Place, wave_of

LATE = 0.25  # ms that a peak's time may move
REST = 0.25  # of the tolerance, that the share of the soma's voltage that rests at a place may err
NEAR = 0.3  # of a segment as it was: so far a place may be moved before its branch is cut finer
MOST = 1.7  # that a section is stretched


@dataclass(frozen=True)
class Grid:
    """What the search found.

    Attributes:
        cuts: The segments of each branch.
        error: Largest relative error of an amplitude, alone or of a pair.
        late: Largest shift of a peak [ms].
    """

    cuts: tuple[Cut, ...]
    error: float
    late: float


@dataclass(frozen=True)
class Tree:
    """Branches of one soma, with the leak that a frozen conductance adds to them.

    Attributes:
        branches: As they are, the frozen conductance at its typical voltage.
        extremes: The same with that conductance at the ends of the range it is judged over.
        ends: See `cable.assembled`.
    """

    branches: tuple[Branch, ...]
    extremes: tuple[tuple[Branch, ...], ...]
    ends: tuple[tuple[float, float], ...]


def grid_for(
    tree: Tree, places: tuple[Place, ...], fixed: frozenset[int], tolerance: float
) -> Grid:
    """The smallest number of segments that keeps the tolerance; the branches' own at most.

    What was found is kept, stem by stem: for cells of one tree the stems' places recur.

    Args:
        tree: All branches of the soma.
        places: What carries something.
        fixed: Branches that keep their segments.
        tolerance: Relative error of the amplitudes.
    """
    cuts, error, late = [], 0.0, 0.0
    for part in _parts(tree):
        some = part.some
        own = tuple((k - some[0], x) for k, x in places if k in some)
        found = part.grid(own, frozenset(k - some[0] for k in fixed if k in some), tolerance)
        cuts += found.cuts
        error, late = max(error, found.error), max(late, found.late)
    return Grid(tuple(cuts), error, late)


@lru_cache(maxsize=64)
def _parts(tree: Tree) -> list[Part]:
    """Branches that feel each other while the soma's voltage is given: a stem's, or an end's."""
    stems = [k for k, branch in enumerate(tree.branches) if branch.parent == SOMA]
    parts: list[range] = []
    for k, until in zip(stems, [*stems[1:], len(tree.branches)], strict=True):
        before = parts and tree.branches[parts[-1][0]].at
        if parts and tree.branches[k].at == before and before in dict(tree.ends):
            parts[-1] = range(parts[-1][0], until)
        else:
            parts.append(range(k, until))
    wave = wave_of(tree.branches, dict(tree.ends))
    return [Part(tree, some, wave) for some in parts]


class Part:
    """Branches that feel each other, and what they are as they were: the same for all cells."""

    def __init__(self, tree: Tree, some: range, wave: np.ndarray) -> None:
        kinds = [_cut(each, some) for each in (tree.branches, *tree.extremes)]
        self.some, self.branches, self.ends, self.wave = some, kinds[0], dict(tree.ends), wave
        self.own = [branch.nseg for branch in kinds[0]]
        whole = [(n, 1.0) for n in self.own]
        self._first = nodes_of(whole)
        everywhere = [(k, (i + 0.5) / n) for k, n in enumerate(self.own) for i in range(n)]
        self._truths = [Answer.of(each, whole, self.ends, everywhere, wave) for each in kinds]
        self.grid = lru_cache(maxsize=4096)(self._grid)

    def _grid(self, places: tuple[Place, ...], fixed: frozenset[int], tolerance: float) -> Grid:
        return Search(self, places, tolerance).grid(fixed)

    def truths(self, places: Sequence[Place]) -> list[Answer]:
        """For each kind of membrane."""
        nodes = [self._first[k] + segment_of(x, self.own[k]) for k, x in places]
        return [each.some(nodes) for each in self._truths]


class Search:
    """For the grid of branches that feel each other."""

    def __init__(self, part: Part, places: Sequence[Place], tolerance: float) -> None:
        self._branches, self._ends, self._own = part.branches, part.ends, part.own
        self._places, self._tolerance, self._wave = places, tolerance, part.wave
        self._tips = set(range(len(self._own))) - {branch.parent for branch in self._branches}
        self._truths = part.truths(places)

    def grid(self, fixed: frozenset[int]) -> Grid:
        """Begin with one segment for each branch, and cut finer what most needs it."""
        self._tips -= fixed
        self._cuts: list[Cut] = [
            (own if k in fixed or own % 2 == 0 else 1, 1.0) for k, own in enumerate(self._own)
        ]
        while self._places:
            single, pairs, error, late = self._judged()
            bad = single > 1 if (single > 1).any() else pairs > 1
            finer = self._closer(bad) or self._shorter(bad)
            if not finer:
                return Grid(tuple(self._cuts), error, late)
            for k, cut in finer.items():
                self._cuts[k] = cut
        return Grid(tuple(self._cuts), 0.0, 0.0)

    def _judged(self) -> tuple[np.ndarray, np.ndarray, float, float]:
        """Errors of each place alone and with others, over what is allowed; and the largest."""
        answer = Answer.of(self._branches, self._cuts, self._ends, self._places, self._wave)
        errors = np.max(
            [np.abs(answer.peak / each.peak - 1) for each in self._truths], axis=(0, 1)
        )
        late = np.max([np.abs(answer.time - truth.time) for truth in self._truths], axis=0)
        rest = np.abs(answer.rest - self._truths[0].rest) / (REST * self._tolerance)
        single = np.maximum.reduce([np.diag(errors) / self._tolerance, late / LATE, rest])
        return single, errors.max(1) / self._tolerance, float(errors.max()), float(late.max())

    def _closer(self, bad: np.ndarray) -> dict[int, Cut]:
        """Branches whose segments lie beside the bad places on them, and cuts that lie closer."""
        finer: dict[int, Cut] = {}
        for k in {self._places[each][0] for each in np.flatnonzero(bad)}:
            places, own = [x for branch, x in self._places if branch == k], self._own[k]
            before = self._cuts[k]
            off = _off(places, before)
            trials = [self._stretched(k, n, places) for n in range(before[0], own, 2)]
            closer = [cut for cut in [*trials, (own, 1.0)] if _off(places, cut) < off - 1e-9]
            if off > NEAR / own and closer:
                finer[k] = closer[0]
        return finer

    def _stretched(self, k: int, nseg: int, places: list[float]) -> Cut:
        """The cut of that many segments that lies closest; one can be stretched at a tip only,
        where nothing hangs on its end."""
        if k not in self._tips or not places:
            return nseg, 1.0
        most = min(nseg / (nseg - 1) - 0.05, MOST) if nseg > 1 else MOST
        ratios = [x / _middle(x, nseg) for x in places]
        trials = [1.0, (min(ratios) + max(ratios)) / 2, *ratios]
        allowed = [(nseg, each) for each in trials if 1 / MOST <= each <= most]
        return min(allowed, key=lambda cut: _off(places, cut))

    def _shorter(self, bad: np.ndarray) -> dict[int, Cut]:
        """Of each bad place's way to the soma the branch of the longest segments, cut finer."""
        coarse = {k for k, own in enumerate(self._own) if self._cuts[k] != (own, 1.0)}
        finer: dict[int, Cut] = {}
        for k in {self._places[each][0] for each in np.flatnonzero(bad)} if coarse else ():
            longest = max(coarse.intersection(self._way(k)) or coarse, key=self._length2)
            n = min(self._cuts[longest][0] + 2, self._own[longest])
            places = [x for branch, x in self._places if branch == longest]
            cut = self._stretched(longest, n, places) if n < self._own[longest] else (n, 1.0)
            finer[longest] = cut
        return finer

    def _way(self, k: int) -> Iterator[int]:
        while k != SOMA:
            yield k
            k = self._branches[k].parent

    def _length2(self, k: int) -> float:
        return self._branches[k].length2(self._cuts[k][0])


def _cut(branches: Sequence[Branch], some: range) -> list[Branch]:
    """Some branches alone."""
    return [replace(branches[k], parent=max(branches[k].parent - some[0], SOMA)) for k in some]


def _off(places: Sequence[float], cut: Cut) -> float:
    """How far one of the places is moved at most, of the section's length."""
    return max((abs(cut[1] * _middle(x, cut[0]) - x) for x in places), default=0.0)


def _middle(x: float, nseg: int) -> float:
    """Of the segment that a place falls into."""
    return (segment_of(x, nseg) + 0.5) / nseg
