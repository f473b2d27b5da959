"""Stimuli: frozen, picklable, JSON both ways, and the same at any time step.

A stimulus is a function of time. Noise is drawn by its seed on a grid of its own
(or, for synapses, as event times), so the grid it is asked on changes nothing.
Currents are somatic, in nA, positive depolarises. Conductances come as a pair:
b = sum g_k E_k and G = sum g_k, and the current into the cell is b - G v.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from scipy.signal import lfilter

from ..errors import InputError
from ..units import nearest

NOISE_GRID = 0.025  # ms
SNAP = 1e-6  # ms: a grid time this close to an edge is on it


class Stimulus:
    """Base of all stimuli: they start at `onset` [ms] and last `duration` [ms]."""

    onset: float
    duration: float

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]
            if field.type == "float":
                _number(self, field.name)
        _at_least(self, "onset", 0.0)
        _above(self, "duration", 0.0)

    @property
    def offset(self) -> float:
        """When it ends [ms]."""
        return self.onset + self.duration

    def current(self, t: np.ndarray) -> np.ndarray:
        """Current [nA] at times `t` [ms], same shape."""
        return np.zeros(np.shape(t))

    def conductance(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pair b [nA], G [uS] at times `t` [ms]: the current into the cell is b - G v."""
        return np.zeros(np.shape(t)), np.zeros(np.shape(t))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `type` says which stimulus."""
        return {"type": type(self).__name__, **asdict(self)}  # type: ignore[call-overload]

    def _since(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Time since onset [ms], and whether the stimulus is on (onset <= t < offset)."""
        since = np.asarray(t, dtype=np.float64) - self.onset + SNAP
        return np.maximum(since - SNAP, 0.0), (since >= 0) & (since < self.duration)


@dataclass(frozen=True)
class Step(Stimulus):
    """A constant current of `amplitude` [nA]; zero is a fine amplitude."""

    amplitude: float
    onset: float
    duration: float

    def current(self, t: np.ndarray) -> np.ndarray:
        """Current [nA] at times `t` [ms], same shape."""
        return np.where(self._since(t)[1], self.amplitude, 0.0)


@dataclass(frozen=True)
class Ramp(Stimulus):
    """A current that goes linearly from `start` to `stop` [nA]."""

    start: float
    stop: float
    onset: float
    duration: float

    def current(self, t: np.ndarray) -> np.ndarray:
        """Current [nA] at times `t` [ms], same shape."""
        since, on = self._since(t)
        return np.where(on, self.start + (self.stop - self.start) * since / self.duration, 0.0)


@dataclass(frozen=True)
class OrnsteinUhlenbeck(Stimulus):
    """Coloured noise: tau dI = (mean - I) dt + sd sqrt(2 tau) dW, begun in its steady state.

    Attributes:
        mean: [nA]
        sd: Of the stationary current [nA].
        tau: Correlation time [ms].
        onset: [ms]
        duration: [ms]
        seed: Of the noise.
    """

    mean: float
    sd: float
    tau: float
    onset: float
    duration: float
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        _at_least(self, "sd", 0.0)
        _above(self, "tau", 0.0)
        _seed(self)

    def current(self, t: np.ndarray) -> np.ndarray:
        """Current [nA] at times `t` [ms], same shape; linear between the noise's own points."""
        since, on = self._since(t)
        n = int(np.ceil(self.duration / NOISE_GRID)) + 1
        keep = np.exp(-NOISE_GRID / self.tau)
        kicks = np.random.default_rng(self.seed).standard_normal(n)
        kicks[1:] *= np.sqrt(1 - keep**2)
        noise = lfilter([1.0], [1.0, -keep], kicks)
        wave = self.mean + self.sd * np.interp(since, NOISE_GRID * np.arange(n), noise)
        return np.where(on, wave, 0.0)


@dataclass(frozen=True)
class WhiteNoise(Stimulus):
    """A fresh Gaussian current every `interval` [ms], held in between.

    Attributes:
        mean: [nA]
        sd: Of each held value [nA].
        onset: [ms]
        duration: [ms]
        seed: Of the noise.
        interval: How long each value is held [ms].
    """

    mean: float
    sd: float
    onset: float
    duration: float
    seed: int
    interval: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _at_least(self, "sd", 0.0)
        _above(self, "interval", 0.0)
        _seed(self)

    def current(self, t: np.ndarray) -> np.ndarray:
        """Current [nA] at times `t` [ms], same shape."""
        since, on = self._since(t)
        n = int(np.ceil(self.duration / self.interval)) + 1
        held = self.mean + self.sd * np.random.default_rng(self.seed).standard_normal(n)
        which = np.minimum(((since + SNAP) / self.interval).astype(int), n - 1)
        return np.where(on, held[which], 0.0)


@dataclass(frozen=True)
class Sampled(Stimulus):
    """A current given by its samples, linear between them (a recorded or frozen one).

    Attributes:
        samples: [nA], the first at onset.
        interval: Between samples [ms].
        onset: [ms]
    """

    samples: tuple[float, ...]
    interval: float
    onset: float = 0.0

    def __post_init__(self) -> None:
        try:
            samples = tuple(float(value) for value in self.samples)
        except (TypeError, ValueError) as error:
            raise InputError(f"Sampled.samples must be numbers [nA]: {error}.") from None
        object.__setattr__(self, "samples", samples)
        _above(self, "interval", 0.0)
        bad = np.flatnonzero(~np.isfinite(samples))
        if bad.size:
            raise InputError(f"Sampled.samples is {samples[bad[0]]} at sample {bad[0]}.")
        if len(samples) < 2:
            raise InputError(f"Sampled needs two or more samples: got {len(samples)}.")
        super().__post_init__()

    @property
    def duration(self) -> float:  # type: ignore[override]
        """From the first sample to the last [ms]."""
        return (len(self.samples) - 1) * self.interval

    def current(self, t: np.ndarray) -> np.ndarray:
        """Current [nA] at times `t` [ms], same shape."""
        since, on = self._since(t)
        grid = self.interval * np.arange(len(self.samples))
        return np.where(on, np.interp(since, grid, self.samples), 0.0)


def _number(stimulus: Stimulus, name: str) -> None:
    value = getattr(stimulus, name)
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise InputError(f"{_named(stimulus, name)} must be a number: got {value!r}.")
    if not np.isfinite(value):
        raise InputError(f"{_named(stimulus, name)} must be finite: got {value}.")
    object.__setattr__(stimulus, name, float(value))  # numpy scalars are not JSON


def _at_least(stimulus: Stimulus, name: str, low: float) -> None:
    if not getattr(stimulus, name) >= low:
        raise InputError(
            f"{_named(stimulus, name)} must be at least {low:g}: got {getattr(stimulus, name)}."
        )


def _above(stimulus: Stimulus, name: str, low: float) -> None:
    if not getattr(stimulus, name) > low:
        raise InputError(
            f"{_named(stimulus, name)} must be above {low:g}: got {getattr(stimulus, name)}."
        )


def _seed(stimulus: Stimulus) -> None:
    seed = stimulus.seed  # type: ignore[attr-defined]
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"{_named(stimulus, 'seed')} must be a whole number >= 0: got {seed!r}.")
    object.__setattr__(stimulus, "seed", int(seed))


def _named(stimulus: Stimulus, name: str) -> str:
    return f"{type(stimulus).__name__}.{name}"


def from_dict(stored: Mapping[str, Any], kinds: Mapping[str, type[Stimulus]]) -> Stimulus:
    """Inverse of `Stimulus.to_dict` for the stimuli in `kinds`."""
    values = dict(stored)
    kind = values.pop("type", None)
    if kind not in kinds:
        raise InputError(
            f"No stimulus of type {kind!r}{nearest(str(kind), kinds)} Known: {', '.join(kinds)}."
        )
    try:
        return kinds[kind](**values)
    except TypeError as error:
        raise InputError(f"A stored {kind} does not fit: {error}.") from None
