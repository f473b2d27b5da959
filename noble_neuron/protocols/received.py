"""Protocols around what a cell receives in a network: barrages like it, weaker and stronger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ..errors import InputError
from .protocol import Protocol
from .stimuli import OrnsteinUhlenbeck, Stimulus
from .suites import RECEIVED
from .synapses import Barrage, Synapses, ampa, gaba_a

RATES, WEIGHTS = (0.3, 2.0), (0.5, 2.0)  # times what was measured
LEAST_SPREAD = 1e-6  # nA of current: below it there is none


@dataclass(frozen=True)
class Received:
    """What the soma of one cell receives.

    Attributes:
        excitation: Its excitatory events together; of rate 0 without any.
        inhibition: The inhibitory ones, likewise.
        mean: Of the current that is no synapse's [nA].
        sd: [nA]
        tau: Time in which that current changes [ms].
    """

    excitation: Synapses
    inhibition: Synapses
    mean: float = 0.0
    sd: float = 0.0
    tau: float = 10.0

    @property
    def is_silent(self) -> bool:
        """Whether nothing comes in."""
        return not (self.excitation.rate or self.inhibition.rate or self._current)

    @property
    def _current(self) -> bool:
        return max(abs(self.mean), self.sd) > LEAST_SPREAD

    def drawn(self, rng: np.random.Generator, duration: float) -> tuple[Stimulus, ...]:
        """Stimuli like it: each rate 0.3 to 2 times, each size 0.5 to 2 times what it is."""
        synapses = (
            replace(
                each,
                rate=each.rate * _log(rng, *RATES),
                weight=each.weight * _log(rng, *WEIGHTS),
            )
            for each in (self.excitation, self.inhibition)
        )
        stimuli: list[Stimulus] = [Barrage(*synapses, 0.0, duration, int(rng.integers(2**31)))]
        if self._current:
            factor = _log(rng, *WEIGHTS)
            seed = int(rng.integers(2**31))
            stimuli.append(
                OrnsteinUhlenbeck(
                    factor * self.mean, factor * self.sd, self.tau, 0.0, duration, seed
                )
            )
        return tuple(stimuli)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Received:
        """Inverse of `to_dict`."""
        try:
            parts = {k: Synapses(**stored[k]) for k in ("excitation", "inhibition")}
            return cls(**{**stored, **parts})
        except (KeyError, TypeError) as error:
            raise InputError(f"Stored input of a cell does not fit: {error}.") from None


NOTHING = Received(ampa(0.0, 0.0), gaba_a(0.0, 0.0))


def received_suite(
    n: int,
    cells: Sequence[Received],
    seed: int,
    *,
    duration: float = 1000.0,
    v_init: tuple[float, float] | None = None,
) -> list[Protocol]:
    """Protocols of the class "received", each around what one of some cells receives.

    Args:
        n: How many.
        cells: What each of the cells receives.
        seed: Decides everything.
        duration: Of each [ms].
        v_init: Half of the protocols start from a voltage in this range [mV]; None: none does.
    """
    if not cells:
        raise InputError("Protocols around what cells receive need at least one cell: got none.")
    made = []
    for k, child in enumerate(np.random.SeedSequence(seed).spawn(n)):
        rng = np.random.default_rng(child)
        stimuli = cells[int(rng.integers(len(cells)))].drawn(rng, duration)
        start = rng.uniform(*v_init) if v_init and rng.random() < 0.5 else None
        made.append(Protocol(f"{RECEIVED} {k}", duration, stimuli, start))
    return made


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
