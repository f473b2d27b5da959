"""Synaptic barrages: conductances that Poisson trains of events drive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from .stimuli import Stimulus, _above, _at_least, _number, _seed


@dataclass(frozen=True)
class Synapses:
    """Many synapses of one kind: one Poisson train, every event of the same size.

    Attributes:
        rate: Of all their events together [Hz].
        weight: Peak conductance of one event [uS].
        rise: [ms]
        decay: [ms], longer than rise.
        reversal: [mV], in the cell's own voltage convention (a junction-shifted cell's
            AMPA reverses at -14 mV).
    """

    rate: float
    weight: float
    rise: float
    decay: float
    reversal: float

    def __post_init__(self) -> None:
        for name in ("rate", "weight", "rise", "decay", "reversal"):
            _number(self, name)  # type: ignore[arg-type]
        _at_least(self, "rate", 0.0)  # type: ignore[arg-type]
        _at_least(self, "weight", 0.0)  # type: ignore[arg-type]
        _above(self, "rise", 0.0)  # type: ignore[arg-type]
        _above(self, "decay", self.rise)  # type: ignore[arg-type]

    def conductance(self, since: np.ndarray, events: np.ndarray) -> np.ndarray:
        """[uS] at times `since` [ms] of events at `events` [ms], ascending."""
        rise, decay = (_trace(since, events, tau) for tau in (self.rise, self.decay))
        return self._scale * np.maximum(decay - rise, 0.0)  # no -1e-17 from rounding

    @property
    def area(self) -> float:
        """Integral of one event's conductance [uS ms]."""
        return self._scale * (self.decay - self.rise)

    @property
    def _scale(self) -> float:
        """What makes exp(-t/decay) - exp(-t/rise) peak at `weight` [uS]."""
        rise, decay = self.rise, self.decay
        peak_at = np.log(decay / rise) * rise * decay / (decay - rise)  # ms
        return self.weight / float(np.exp(-peak_at / decay) - np.exp(-peak_at / rise))


def ampa(rate: float, weight: float, reversal: float = 0.0) -> Synapses:
    """Fast excitation onto interneurons: rise 0.25 ms, decay 1.5 ms."""
    return Synapses(rate, weight, 0.25, 1.5, reversal)


def gaba_a(rate: float, weight: float, reversal: float = -80.0) -> Synapses:
    """Fast inhibition: rise 0.5 ms, decay 7 ms."""
    return Synapses(rate, weight, 0.5, 7.0, reversal)


@dataclass(frozen=True)
class Barrage(Stimulus):
    """Excitation and inhibition as conductances, kept apart from any current.

    Events arrive from onset to offset; the conductances decay on after it.

    Attributes:
        excitatory: See `ampa`.
        inhibitory: See `gaba_a`.
        onset: [ms]
        duration: [ms]
        seed: Of both trains; they are independent.
    """

    excitatory: Synapses
    inhibitory: Synapses
    onset: float
    duration: float
    seed: int

    def __post_init__(self) -> None:
        for name in ("excitatory", "inhibitory"):
            given = getattr(self, name)
            if isinstance(given, Mapping):
                object.__setattr__(self, name, _synapses(given))
            elif not isinstance(given, Synapses):
                raise InputError(f"Barrage.{name} must be Synapses: got {given!r}.")
        super().__post_init__()
        _seed(self)

    def conductance(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pair b [nA], G [uS] at times `t` [ms]: the current into the cell is b - G v."""
        since = np.asarray(t, dtype=np.float64) - self.onset
        b, g = np.zeros(since.shape), np.zeros(since.shape)
        for k, synapses in enumerate((self.excitatory, self.inhibitory)):
            events = self._events(synapses.rate, k)
            part = synapses.conductance(since, events)
            b, g = b + part * synapses.reversal, g + part
        return b, g

    def _events(self, rate: float, train: int) -> np.ndarray:
        """Times since onset [ms], ascending."""
        rng = np.random.default_rng([self.seed, train])
        n = rng.poisson(1e-3 * rate * self.duration)
        return np.sort(rng.uniform(0.0, self.duration, n))


def _trace(since: np.ndarray, events: np.ndarray, tau: float) -> np.ndarray:
    """Sum of exp(-(t - event) / tau) over the events before each t: exact on any grid."""
    if not events.size:
        return np.zeros(since.shape)
    sums, total, last = np.empty(events.size), 0.0, events[0]
    for k, event in enumerate(events):
        total = total * np.exp(-(event - last) / tau) + 1.0
        sums[k], last = total, event
    k = np.searchsorted(events, since, side="right") - 1
    passed = np.maximum(since - events[k], 0.0)  # before the first event: masked below
    return np.where(k >= 0, sums[k] * np.exp(-passed / tau), 0.0)


def _synapses(stored: Mapping[str, Any]) -> Synapses:
    try:
        return Synapses(**stored)
    except TypeError as error:
        raise InputError(f"Stored synapses do not fit: {error}.") from None
