"""Fewer segments for passive branches, as few as a stated error at the soma allows.

What counts of a branch is what the soma feels of the places that carry something. So a section is
cut into as many segments as the places on it need, and into one where it carries nothing. The
error is measured for the very branches and places, on the linear system of them: a standard
synapse at each place, alone and together with each other place, on the reduced branches and on
those as they were; amplitude and time of the peak that the whole tree makes of it at the soma.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .cable import SOMA, Branch, Modes, assembled, segment_of

STEP, SPAN = 0.1, 40.0  # ms
RISE, DECAY = 0.3, 2.0  # ms, of the standard synapse
PEAK = 1e-3  # uS, its conductance; what its own shunt takes of it counts
LOCAL = 1.0  # 1/ms, where a local impedance counts, as the synapse is about that fast
LATE = 0.2  # ms that a peak's time may move
NEAR = 0.3  # of a segment as it was: so far a place may be moved before its own branch is cut finer
Place = tuple[int, float]  # branch, and where on it


@dataclass(frozen=True)
class Grid:
    """What the search found.

    Attributes:
        nseg: Segments of each branch.
        error: Largest relative error of an amplitude, alone or of a pair.
        late: Largest shift of a peak [ms].
    """

    nseg: tuple[int, ...]
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


@lru_cache(maxsize=4096)
def grid_for(tree: Tree, places: tuple[Place, ...], fixed: frozenset[int], tolerance: float) -> Grid:
    """The smallest number of segments that keeps the tolerance; the branches' own at most.

    Args:
        tree: All branches of the soma.
        places: What carries something.
        fixed: Branches that keep their segments.
        tolerance: Relative error of the amplitudes.
    """
    nseg, error, late = [], 0.0, 0.0
    for some in _apart(tree):
        own = Search(tree, some, [x for x in places if x[0] in some], tolerance)
        found = own.grid(fixed)
        nseg += found.nseg
        error, late = max(error, found.error), max(late, found.late)
    return Grid(tuple(nseg), error, late)


def _apart(tree: Tree) -> list[range]:
    """Branches that feel each other while the soma's voltage is given: a stem's, or an end's."""
    stems = [k for k, branch in enumerate(tree.branches) if branch.parent == SOMA]
    parts: list[range] = []
    for k, until in zip(stems, [*stems[1:], len(tree.branches)], strict=True):
        before = parts and tree.branches[parts[-1][0]].at
        if parts and tree.branches[k].at == before and before in dict(tree.ends):
            parts[-1] = range(parts[-1][0], until)
        else:
            parts.append(range(k, until))
    return parts


class Search:
    """For the grid of branches that feel each other."""

    def __init__(self, tree: Tree, some: range, places: list[Place], tolerance: float) -> None:
        first = some[0]
        kinds = [_cut(each, some) for each in (tree.branches, *tree.extremes)]
        self._some, self._branches, self._ends = some, kinds[0], dict(tree.ends)
        self._places = [(k - first, x) for k, x in places]
        self._tolerance, self._wave = tolerance, _wave(tree)
        self._own = [branch.nseg for branch in kinds[0]]
        self._truths = [self._answer(each, self._own) for each in kinds] if places else []

    def grid(self, fixed: frozenset[int]) -> Grid:
        """Begin with one segment for each branch, and cut finer what most needs it."""
        grid = [
            own if k in fixed or own % 2 == 0 else 1
            for k, own in zip(self._some, self._own, strict=True)
        ]
        while self._places:
            single, pairs, error, late = self._judged(grid)
            bad = single > 1 if (single > 1).any() else pairs > 1
            finer = self._closer(grid, bad) or self._shorter(grid, bad)
            if not finer:
                return Grid(tuple(grid), error, late)
            for k, n in finer.items():
                grid[k] = min(n, self._own[k])
        return Grid(tuple(grid), 0.0, 0.0)

    def _answer(self, branches: Sequence[Branch], grid: Sequence[int]) -> Answer:
        return Answer.of(branches, grid, self._ends, self._places, self._wave)

    def _judged(self, grid: Sequence[int]) -> tuple[np.ndarray, np.ndarray, float, float]:
        """Errors of each place alone and with others, over what is allowed; and the largest."""
        answer = self._answer(self._branches, grid)
        errors = np.max([np.abs(answer.peak / truth.peak - 1) for truth in self._truths], axis=0)
        late = np.max([np.abs(answer.time - truth.time) for truth in self._truths], axis=0)
        single = np.maximum(np.diag(errors) / self._tolerance, late / LATE)
        return single, errors.max(1) / self._tolerance, float(errors.max()), float(late.max())

    def _closer(self, grid: Sequence[int], bad: np.ndarray) -> dict[int, int]:
        """Branches whose segments lie beside the bad places on them, and into how many to cut."""
        finer: dict[int, int] = {}
        for k, x in (self._places[each] for each in np.flatnonzero(bad)):
            off, own = _off(x, grid[k]), self._own[k]
            closer = [n for n in range(grid[k] + 2, own + 1, 2) if _off(x, n) < off]
            if off > NEAR / own and closer:
                finer[k] = max(closer[0], finer.get(k, 0))
        return finer

    def _shorter(self, grid: list[int], bad: np.ndarray) -> dict[int, int]:
        """The one branch that it helps most to cut finer."""
        trials = {}
        for k in range(len(grid)) if bad.any() else ():
            if grid[k] < self._own[k]:
                n = min(grid[k] + 2, self._own[k])
                single, pairs, *_ = self._judged([*grid[:k], n, *grid[k + 1 :]])
                trials[k] = np.maximum(single, pairs).clip(1).sum()
        best = min(trials, key=trials.get, default=None)
        return {} if best is None else {best: grid[best] + 2}


def _cut(branches: Sequence[Branch], some: range) -> list[Branch]:
    """Some branches alone."""
    return [
        replace(branches[k], parent=max(branches[k].parent - some[0], SOMA)) for k in some
    ]


@lru_cache(maxsize=256)
def _wave(tree: Tree) -> np.ndarray:
    """The soma's own response to the synapse's current, as the whole tree shapes it [mV/nA]."""
    own = [branch.nseg for branch in tree.branches]
    return _at_soma(Modes(assembled(tree.branches, own, dict(tree.ends))))


def _off(x: float, nseg: int) -> float:
    """How far a place is moved, of a section's length."""
    return abs((segment_of(x, nseg) + 0.5) / nseg - x)


@dataclass(frozen=True)
class Answer:
    """What the soma feels of standard synapses at the places.

    Attributes:
        peak: Amplitudes [mV/nA], of pairs, and on the diagonal of single places.
        time: Of the single places' peaks [ms].
    """

    peak: np.ndarray
    time: np.ndarray

    @classmethod
    def of(
        cls,
        branches: Sequence[Branch],
        grid: Sequence[int],
        ends: dict[float, float],
        places: Sequence[Place],
        wave: np.ndarray,
    ) -> Answer:
        """From the linear system; `wave` is the soma's own response to the current [mV/nA]."""
        modes = Modes(assembled(branches, grid, ends))
        first = np.concatenate([[0], np.cumsum(grid)]).astype(int)
        nodes = np.array([first[k] + segment_of(x, grid[k]) for k, x in places])
        response = _responses(modes, nodes, wave)
        shunt = PEAK * modes.impedance(nodes, LOCAL)
        return cls(_pairs(response.max(1), shunt), STEP * response.argmax(1))


def _current() -> np.ndarray:
    t = np.arange(0, SPAN, STEP)
    current = np.exp(-t / DECAY) - np.exp(-t / RISE)
    return current / current.max()


def _at_soma(modes: Modes) -> np.ndarray:
    """Voltage of a soma without membrane of its own, by the synapse's current into it."""
    decay, wave = 1 / (1 + STEP * modes.rate), []
    conductance = modes.direct - (modes.beta**2 * STEP * decay).sum()
    state = np.zeros(len(decay))
    for current in _current():
        wave.append((current + modes.beta @ (decay * state)) / conductance)
        state = decay * (state + STEP * modes.beta * wave[-1])
    return np.array(wave)


def _responses(modes: Modes, nodes: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """Voltage of nodes under that of the soma; by reciprocity what currents there do at the soma."""
    steps = 4 * len(wave)  # the rest is room for what decays
    z = np.exp(-2j * np.pi * np.arange(steps // 2 + 1) / steps)
    gain = STEP * modes.beta[:, None] / (1 + STEP * modes.rate[:, None] - z)
    spectrum = (modes.shape[nodes] @ gain) * np.fft.rfft(wave, steps)
    return np.fft.irfft(spectrum, steps)[:, : len(wave)]


def _pairs(single: np.ndarray, shunt: np.ndarray) -> np.ndarray:
    """Amplitudes when both synapses of a pair shunt each other, in the stationary state."""
    own = np.diag(shunt)
    determinant = np.outer(1 + own, 1 + own) - shunt**2
    first = single[:, None] * (1 + own[None, :] - shunt)
    pairs = (first + first.T) / determinant
    np.fill_diagonal(pairs, single / (1 + own))
    return pairs
