"""Whether channels of dendrites may be held as they are at rest: measured on the cell itself.

Single synapses on the dendrites as they are, and on the dendrites reduced with the channels held,
from rest and beside a pulse like a spike; behind both the same soma, whose own channels are out,
as they are no part of the question.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ..cells.spec import HofCell, section_name
from ..errors import InputError
from ..nrn import passive
from ..nrn.frozen import Frozen, Ih, probed
from ..nrn.session import session
from .dendrites import (
    APART,
    DT,
    EXCITING,
    HOLDS,
    INHIBITING,
    SETTLE,
    STRONG,
    UNITARY,
    Bench,
    Place,
    peaks,
)

AMPLITUDE, LATE = 0.05, 0.3  # ms; what a peak may err by
SMALL = 0.2  # of the largest response of its kind: lower ones are judged by this much of it
KINDS = ((EXCITING, UNITARY), (INHIBITING, UNITARY), (EXCITING, STRONG))
PULSE, HEIGHT = (
    1.0,
    80.0,
)  # ms, mV; of the soma's voltage, as a spike's that runs out into dendrites
PLACES = 6
REDUCED = 0.02  # what the segments may err by, as under NobleCell
SEED = 1
Peaks = tuple[np.ndarray, np.ndarray]  # amplitudes [mV] and times [ms] at the places


@dataclass(frozen=True)
class Measured:
    """What holding the channels does to single synapses.

    Attributes:
        frozen: What the channels conduct.
        error: Largest relative error of an amplitude.
        late: Largest shift of a peak [ms].
    """

    frozen: tuple[Frozen, ...]
    error: float
    late: float

    @property
    def small(self) -> bool:
        """Whether they may be held."""
        return self.error <= AMPLITUDE and self.late <= LATE


def measure(
    cell: HofCell, stems: Collection[str], reached: Collection[str], beat: Callable
) -> Measured:
    """Hold all channels of some branches but for those known, and compare.

    Initialises NEURON: for processes of their own.

    Args:
        cell: The full cell.
        stems: Names of the branches' first sections.
        reached: Names of sections that synapses are going to be on.
        beat: Says that the worker is alive.

    Raises:
        InputError: A channel cannot be held at all.
    """

    def bench(tolerance: float | None) -> Bench:
        return Bench(cell, tolerance, lambda s: section_name(s) in stems, frozen, silent=True)

    frozen: tuple[Frozen, ...] = ()
    with session(cell.celsius, DT):
        full = bench(None)
        frozen = _probed(full.dendrites)
        where = _places(full, reached)
        full.close()
        errors = []
        for v in HOLDS:
            full = bench(None)
            current = full.holding(v)
            spike = _spike(full, v, current)
            full.close()
            truth, own = (
                _responses(bench(each), v, current, spike, where) for each in (None, REDUCED)
            )
            beat(v)
            errors.append(_errors(truth, own))
    error, late = np.max(errors, axis=0).tolist()
    return Measured(frozen, error, late)


def _probed(sections: Sequence) -> tuple[Frozen, ...]:
    places: dict[str, list] = {}
    for section in sections:
        for mechanism in passive.active_in(section):
            places.setdefault(mechanism, []).extend(section)
    places.pop(Ih.mechanism, None)
    return tuple(one for name, some in places.items() for one in probed(name, some))


def _places(bench: Bench, reached: Collection[str]) -> list[Place]:
    """Drawn over the length of what is reached; the same ones for the same cell."""
    length = np.array([s.L * (section_name(s) in reached) for s in bench.dendrites])
    if not length.any():
        raise InputError(f"no synapse is on {', '.join(map(section_name, bench.dendrites))}.")
    rng = np.random.default_rng(SEED)
    some = rng.choice(len(length), PLACES, p=length / length.sum())
    return [(int(k), float(x)) for k, x in zip(some, rng.random(PLACES), strict=True)]


def _responses(bench: Bench, v: float, current: float, spike: float, where: list[Place]) -> list:
    """Amplitudes and times of the peaks of each kind of synapse, at each place.

    The weak ones come first, as what a strong one leaves behind is slow to go. Last are strong
    ones at the top of a pulse of that current [nA], and what they add to the pulse.
    """
    plan = [*KINDS, (EXCITING, STRONG)]
    starts = SETTLE + APART * np.arange(len(plan) * len(where)).reshape(len(plan), -1)
    starts[-1] += 2 * APART
    for kind, own in zip(plan, starts, strict=True):
        for place, start in zip(where, own, strict=True):
            bench.synapse(place, *kind, [start])
    alone = starts[-1, 0] - APART
    bench.pulses(spike, PULSE, [alone - APART, alone, *starts[-1]])
    trace = bench.run(v, float(starts[-1, -1]) + APART, current)
    bench.close()
    long = round(APART / DT)
    for start in starts[-1]:
        first, pulse = round(start / DT), round(alone / DT)
        trace[first : first + long] -= trace[pulse : pulse + long] - trace[pulse - 2]
    return [peaks(trace, own) for own in starts]


def _spike(bench: Bench, v: float, current: float) -> float:
    """A current whose pulse takes the soma up as a spike does [nA]."""
    bench.pulses(1.0, PULSE, [SETTLE])
    height = np.ptp(bench.run(v, SETTLE + 2 * PULSE, current)[round(SETTLE / DT) - 2 :])
    return float(HEIGHT / height)


def _errors(truth: Sequence[Peaks], own: Sequence[Peaks]) -> tuple[float, float]:
    """Largest of the amplitudes, relative, and of the times [ms]."""
    heights = [np.abs(amplitude) for amplitude, _ in truth]
    least = [np.maximum(each, SMALL * each.max()) for each in heights[:-1]]
    # What is left of a strong one beside a spike is small and flat: it is judged by what the
    # synapse does from rest, and by its amplitude alone.
    least.append(least[-1])
    off = [np.abs(o[0] - t[0]) / by for t, o, by in zip(truth, own, least, strict=True)]
    late = [np.abs(o[1] - t[1]) for t, o in zip(truth[:-1], own[:-1], strict=True)]
    return float(np.max(off)), float(np.max(late))
