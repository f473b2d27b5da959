"""Passive branches of a soma as a linear system: nodes, conductances, capacitances.

    c dv/dt = -K v + b v_soma + drive

The soma's voltage is given, so b is the coupling of what touches it. Units: mV, ms, nF, uS, nA.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np

from .geometry import Geometry, pieces

Cut = tuple[int, float]
"""Number of a section's segments, and what its axial resistivity is multiplied by: the middles of
its segments then stand for places that much farther from its start."""
SOMA = -1  # as a branch's parent
FAST = 0.3  # 1/ms, of the signals that a coarse grid should pass on as a fine one does
LUMPED = 0.1  # what is lumped loads more than what is spread out
LONGEST = 3.0  # squared lengths beyond which that is no longer so


@dataclass(frozen=True)
class Branch:
    """One unbranched section of passive membrane; plain values, so that equal ones are equal.

    Attributes:
        parent: Index of the branch it hangs on, or SOMA.
        at: Where on its parent.
        geometry: Of its section.
        Ra: Axial resistivity [Ohm cm].
        cm: Capacitance [uF/cm2] of each segment.
        g: Leak [S/cm2] of each segment.
        e: Its reversal potential [mV] in each segment.
    """

    parent: int
    at: float
    geometry: Geometry
    Ra: float
    cm: tuple[float, ...]
    g: tuple[float, ...]
    e: tuple[float, ...]
    _parts: dict[Cut, tuple[np.ndarray, list[float]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def nseg(self) -> int:
        return len(self.cm)

    def binned(self, cut: Cut) -> np.ndarray:
        """cm, g and e of other segments; totals stay but for a small correction of what is
        lumped, shape (3, nseg)."""
        own = np.array([self.cm, self.g, self.e])
        nseg, stretch = cut
        if cut == (self.nseg, 1.0):
            return own
        area, new = (pieces(self.geometry, n)[0] for n in (self.nseg, nseg))
        edges = np.linspace(0, 1, self.nseg + 1)
        others = np.minimum(stretch * np.linspace(0, 1, nseg + 1), 1.0)
        others[-1] = 1.0
        shared = np.minimum(edges[1:], others[1:, None]) - np.maximum(
            edges[:-1], others[:-1, None]
        )
        weight = shared.clip(0) * self.nseg * area / new[:, None]
        cm, g, current = weight @ own[0], weight @ own[1], weight @ (own[1] * own[2])
        # Currents at zero voltage go with g.
        cm *= 1 - LUMPED * self._longer(nseg, self.length2)
        less = 1 - LUMPED * self._longer(nseg, self._still2)
        g, current = g * less, current * less
        return np.array([cm, g, np.where(g > 0, current / np.where(g > 0, g, 1), own[2][0])])

    def parts(self, cut: Cut) -> tuple[np.ndarray, list[float]]:
        """Capacitances [nF], leaks [uS] and currents at zero voltage [nA] of a cut's segments,
        shape (3, nseg); and resistances [MOhm] before, between and after them."""
        if cut not in self._parts:
            area, resistance = pieces(self.geometry, cut[0])
            cm, g, e = self.binned(cut)
            membrane = np.array([cm * area * 1e-5, g * area * 1e-2, g * e * area * 1e-2])
            self._parts[cut] = membrane, (cut[1] * self.Ra * resistance).tolist()
        return self._parts[cut]

    def length2(self, nseg: int) -> float:
        """Length of a segment, squared, in units of that over which fast signals decay."""
        area, resistance = pieces(self.geometry, self.nseg)
        capacitance = float(area @ np.array(self.cm)) * 1e-5  # nF
        return FAST * capacitance * self.Ra * float(resistance.sum()) / nseg**2

    def _still2(self, nseg: int) -> float:
        """The same of what does not change."""
        area, resistance = pieces(self.geometry, self.nseg)
        leak = float(area @ np.array(self.g)) * 1e-2  # uS
        return leak * self.Ra * float(resistance.sum()) / nseg**2

    def _longer(self, nseg: int, length2: Callable[[int], float]) -> float:
        """By how much segments are longer than the branch's own."""
        return min(max(length2(nseg) - length2(self.nseg), 0.0), LONGEST)


@dataclass(frozen=True)
class Cable:
    """The system; its nodes are the segments of its branches, one branch after the other.

    Attributes:
        K: Conductances [uS], shape (nodes, nodes), symmetric.
        c: Capacitances [nF], shape (nodes,).
        b: Couplings to the soma [uS], shape (nodes,).
        drive: Currents at zero voltage [nA], shape (nodes,).
        direct: Sum of the couplings at the soma [uS], which differs from that of `b` where
            branches share the resistance of a soma's end.
    """

    K: np.ndarray
    c: np.ndarray
    b: np.ndarray
    drive: np.ndarray
    direct: float


class Modes:
    """A cable's own modes: x' = -rate x + beta v_soma + ..., and it draws direct v - sum beta x.

    Attributes:
        rate: Of decay [1/ms], shape (modes,).
        beta: Coupling to the soma [uS/nF^.5], shape (modes,).
        shape: Voltage of the nodes by the modes' states [nF^-.5], shape (nodes, modes).
    """

    def __init__(self, cable: Cable) -> None:
        root = 1 / np.sqrt(cable.c)
        self.rate, vectors = np.linalg.eigh(root[:, None] * cable.K * root)
        self.shape = root[:, None] * vectors
        self.beta = self.shape.T @ cable.b
        self.direct = cable.direct

    def impedance(self, nodes: np.ndarray, s: float) -> np.ndarray:
        """Voltage at each node by current into each, per e^(s t) [MOhm], soma held."""
        shape = self.shape[nodes]
        return shape / (self.rate + s) @ shape.T


def segment_of(x: float, nseg: int) -> int:
    """The segment that NEURON puts x in; between two of them what it moves goes to the lower."""
    return min(max(math.ceil(x * nseg - 1e-9) - 1, 0), nseg - 1)


def assembled(branches: Sequence[Branch], cuts: Sequence[Cut], ends: dict[float, float]) -> Cable:
    """The system of branches on a grid.

    Args:
        branches: Each after its parent.
        cuts: The segments of each.
        ends: Resistance [MOhm] between the soma's middle and its ends; branches elsewhere
            touch its middle.
    """
    first = nodes_of(cuts)
    links: list[tuple[int, int, float]] = []
    extra: dict[tuple[int, float], int] = {}  # nodes without membrane: the sections' ends
    soma = -1

    def end(branch: int, x: float) -> int:
        if (branch, x) not in extra:
            extra[branch, x] = node = first[-1] + len(extra)
            if branch == SOMA:
                links.append((soma, node, ends[x]))
            else:
                links.append(
                    (node, first[branch + 1] - 1, branches[branch].parts(cuts[branch])[-1][-1])
                )
        return extra[branch, x]

    def place(branch: int, x: float) -> int:
        if branch == SOMA:
            return end(SOMA, x) if x in ends else soma
        if x == 0:
            return place(branches[branch].parent, branches[branch].at)
        if x == 1:
            return end(branch, 1.0)
        return first[branch] + segment_of(x, cuts[branch][0])

    membrane = []
    for k, (branch, cut) in enumerate(zip(branches, cuts, strict=True)):
        own, resistance = branch.parts(cut)
        membrane.append(own)
        above = [place(branch.parent, branch.at), *range(first[k], first[k + 1] - 1)]
        links += zip(above, range(first[k], first[k + 1]), resistance[:-1], strict=True)
    c, leak, drive = np.concatenate(membrane, axis=1)
    last = first[-1] + len(extra)
    links = [(last if above == soma else above, *link) for above, *link in links]
    return _without_ends(links, c, leak, drive, len(extra))


def nodes_of(cuts: Sequence[Cut]) -> list[int]:
    """First node of each branch, and the number of all."""
    return list(accumulate((nseg for nseg, _ in cuts), initial=0))


def _without_ends(
    links: Sequence[tuple[int, int, float]],
    c: np.ndarray,
    leak: np.ndarray,
    drive: np.ndarray,
    ends: int,
) -> Cable:
    """The system once the nodes without membrane are eliminated; the soma is the last node."""
    n, every = len(c), len(c) + ends + 1
    above, node, resistance = (np.array(column) for column in zip(*links, strict=True))
    g = 1 / resistance
    at = np.concatenate([above, node, range(n)]) * (every + 1)
    across = np.concatenate([above * every + node, node * every + above])
    whole = np.bincount(at, np.concatenate([g, g, leak]), every**2)
    whole = (whole - np.bincount(across, np.concatenate([g, g]), every**2)).reshape(every, every)
    K, b, direct = whole[:-1, :-1], -whole[:-1, -1], whole[-1, -1]
    if ends:
        across = np.linalg.solve(K[n:, n:], np.column_stack([K[n:, :n], b[n:]]))
        direct -= b[n:] @ across[:, -1]
        b = b[:n] - K[:n, n:] @ across[:, -1]
        K = K[:n, :n] - K[:n, n:] @ across[:, :-1]
    return Cable(K, c, b, drive, float(direct))
