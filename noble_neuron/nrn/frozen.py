"""Channels of dendrites that gate so slowly or so little that they can be held as they are.

nn_Ih is known. Of others, such as the Ih of another model, what they conduct is measured: see
`probed`. Whether they may be held is not decided here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from neuron import h

from ..errors import InputError

TYPICAL = -75.0  # mV, where a frozen conductance is held
EXTREMES = (-80.0, -50.0)  # mV, between which its error is judged
VOLTAGES = (TYPICAL, *EXTREMES)
SLIGHTLY = 0.5  # mV, over which a slope is taken
EXACT = 1e-9  # of a current, that is in proportion to a parameter


@dataclass(frozen=True)
class Frozen:
    """What a density mechanism conducts in the steady state; plain values, for any file.

    Attributes:
        mechanism: Its name.
        conductance: Name of the range variable that its current is in proportion to [S/cm2].
        others: Names and values of its other parameters, and reversal potentials of its ions,
            with which it is so.
        leaks: At each of VOLTAGES the share that is open and its reversal potential [mV].
    """

    mechanism: str
    conductance: str
    others: tuple[tuple[str, float], ...]
    leaks: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        for name in ("others", "leaks"):  # files have lists
            object.__setattr__(self, name, tuple(map(tuple, getattr(self, name))))

    def plain(self) -> dict[str, Any]:
        """As it is saved."""
        return asdict(self)

    def fits(self, segment: Any) -> bool:
        """Whether the mechanism has these parameters there."""
        return all(getattr(segment, name) == value for name, value in self.others)

    def leak(self, segment: Any, v: float) -> tuple[float, float]:
        """Conductance [S/cm2] and reversal potential [mV] there at one of VOLTAGES."""
        share, reversal = self.leaks[VOLTAGES.index(v)]
        return getattr(segment, self.conductance) * share, reversal


class Ih:
    """nn_Ih, whatever its parameters are."""

    mechanism = "nn_Ih"

    def fits(self, segment: Any) -> bool:
        """Always."""
        return True

    def leak(self, segment: Any, v: float) -> tuple[float, float]:
        """Conductance [S/cm2] and reversal potential [mV] at a voltage [mV]."""
        return segment.nn_Ih.gbar * self.share(v), segment.nn_Ih.ehcn

    @staticmethod
    @lru_cache
    def share(v: float) -> float:
        """Steady state of its gate."""
        x = (v + 154.9) / 11.9
        opening = 0.00643 * 11.9 * (x / math.expm1(x) if x else 1.0)
        return opening / (opening + 0.193 * math.exp(v / 33.1))


Frozens = Collection[Frozen]


def held(mechanism: str, segment: Any, known: Frozens) -> Frozen | Ih | None:
    """What is known of a mechanism with the parameters that it has there."""
    if mechanism == Ih.mechanism:
        return Ih()
    some = (each for each in known if each.mechanism == mechanism)
    return next((each for each in some if each.fits(segment)), None)


def probed(mechanism: str, segments: Sequence[Any]) -> list[Frozen]:
    """What a mechanism conducts with the parameters that it has in some segments.

    Initialises NEURON: for processes of their own.

    Raises:
        InputError: Its current is in proportion to none of its parameters, or falls as the
            voltage grows.
    """
    names = parameters(mechanism)
    probe = h.Section(name="probe")
    probe.insert(mechanism)
    ions = [m.name() for m in probe(0.5) if m.name().endswith("_ion")]
    names += [f"e{ion.removesuffix('_ion')}" for ion in ions]
    sets = dict.fromkeys(tuple(getattr(segment, n) for n in names) for segment in segments)
    found: list[Frozen] = []
    for values in sets:
        named = dict(zip(names, values, strict=True))
        if any(each.others == _without(named, each.conductance) for each in found):
            continue
        known = _one(mechanism, probe, named)
        if known is not None:
            found.append(known)
    return found


def parameters(mechanism: str) -> list[str]:
    """Range variables that are a density mechanism's parameters, as a segment has them."""
    standard, name = h.MechanismStandard(mechanism, 1), h.ref("")
    sizes = [(int(standard.name(name, k)), name[0]) for k in range(int(standard.count()))]
    if any(size != 1 for size, _ in sizes):
        raise InputError(f"{mechanism} has parameters that are arrays.")
    return [each for _, each in sizes]


def _without(values: dict[str, float], one: str) -> tuple[tuple[str, float], ...]:
    return tuple(each for each in values.items() if each[0] != one)


def _one(mechanism: str, probe: Any, values: dict[str, float]) -> Frozen | None:
    """With one set of parameters; None where it conducts nothing."""
    before = _leaks(probe, values)
    if not any(conductance for conductance, _ in before):
        return None
    for name, value in values.items():
        if name not in parameters(mechanism) or value <= 0:
            continue
        twice = _leaks(probe, {**values, name: 2 * value})
        if all(_doubled(*each) for each in zip(before, twice, strict=True)):
            leaks = tuple((g / value, e) for g, e in before)
            if min(share for share, _ in leaks) < 0:
                raise InputError(f"the current of {mechanism} falls where the voltage grows.")
            return Frozen(mechanism, name, _without(values, name), leaks)
    raise InputError(f"the current of {mechanism} is in proportion to none of its parameters.")


def _doubled(once: tuple[float, float], twice: tuple[float, float]) -> bool:
    """Whether a conductance is, and its reversal potential the same."""
    return math.isclose(twice[0], 2 * once[0], rel_tol=EXACT, abs_tol=1e-15) and math.isclose(
        twice[1], once[1], rel_tol=EXACT
    )


def _leaks(probe: Any, values: dict[str, float]) -> tuple[tuple[float, float], ...]:
    """Conductance [S/cm2] and reversal potential [mV] at each of VOLTAGES, gates held there."""
    return tuple(_leak(probe, values, v) for v in VOLTAGES)


def _leak(probe: Any, values: dict[str, float], v: float) -> tuple[float, float]:
    for name, value in values.items():
        setattr(probe(0.5), name, value)
    h.finitialize(v)
    low, here, high = (_current(probe, v + by) for by in (-SLIGHTLY, 0.0, SLIGHTLY))
    slope = (high - low) / (2 * SLIGHTLY)
    return (slope, v - here / slope) if slope else (0.0, v)


def _current(probe: Any, v: float) -> float:
    """Outward [mA/cm2], all of the membrane's, at a voltage that the gates do not follow."""
    for segment in probe.allseg():
        segment.v = v
    h.fcurrent()
    return -h.fmatrix(0.5, 4, sec=probe)
