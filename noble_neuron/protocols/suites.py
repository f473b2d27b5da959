"""Sets of protocols to learn from: the paper's steps, and what a streaming operator needs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import skewnorm

from ..errors import InputError
from .protocol import Protocol, noble_step
from .stimuli import OrnsteinUhlenbeck, Ramp, Step, Stimulus, WhiteNoise
from .synapses import Barrage, ampa, gaba_a

SKEW = 3.0  # shape of the skew-normal: a heavy positive tail


@dataclass(frozen=True)
class AmplitudeDistribution:
    """Step amplitudes: a skew-normal with a heavy upper tail, truncated to a support.

    Density f(x) = 2 / w phi(z) Phi(3 z), z = (x - x0) / w, on [low, high]; x0 puts the
    mode where it is asked for. w is half the way from the mode to `high`: the density
    at the upper end is then 6 % of the peak's (and 3 % at the paper's lower end).

    Attributes:
        low: Support [nA].
        high: Support [nA].
        mode: Most likely amplitude [nA], between them.

    References:
        Ghafourpour et al. 2025 (NOBLE), section 3.2: support [-0.11, 0.28] nA, mode in
        the peri-threshold window, "a heavier positive tail". Azzalini 1985.
    """

    low: float
    high: float
    mode: float

    def __post_init__(self) -> None:
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.mode < self.high):
            raise InputError(
                f"Amplitudes need finite low < mode < high [nA]: got low {self.low}, mode "
                f"{self.mode}, high {self.high}."
            )

    @classmethod
    def fit(
        cls, thresholds: Sequence[float], tops: Sequence[float], low: float = -0.11
    ) -> AmplitudeDistribution:
        """The distribution for an ensemble, from its cells' F-I curves.

        The mode is the median threshold: where the cells change from silent to firing.
        The support ends where the first cell leaves its firing range.

        Args:
            thresholds: I_thr of each cell [nA].
            tops: Largest amplitude at which each cell still fires as it should, e.g. the
                one below I_block, or the end of its measured F-I curve [nA].
            low: Most hyperpolarising amplitude [nA]; the paper's is -0.11.
        """
        thresholds, tops = np.asarray(thresholds, float), np.asarray(tops, float)
        if not (thresholds.size and tops.size and np.isfinite([*thresholds, *tops]).all()):
            raise InputError(
                "Amplitudes are fitted to finite thresholds and tops of at least one cell [nA]: "
                f"got thresholds {thresholds} and tops {tops}."
            )
        return cls(low, float(tops.min()), float(np.median(thresholds)))

    @property
    def width(self) -> float:
        """The skew-normal's w [nA]."""
        return (self.high - self.mode) / 2

    @property
    def location(self) -> float:
        """x0 of the skew-normal [nA]."""
        return self.mode - self.width * _mode_of_standard()

    def pdf(self, amplitude: np.ndarray) -> np.ndarray:
        """Density [1/nA] at amplitudes [nA], same shape."""
        x = np.asarray(amplitude, dtype=np.float64)
        ends = skewnorm.cdf([self.low, self.high], SKEW, self.location, self.width)
        inside = (x >= self.low) & (x <= self.high)
        return inside * skewnorm.pdf(x, SKEW, self.location, self.width) / np.diff(ends)[0]

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw `n` amplitudes [nA], shape (n,)."""
        delta = SKEW / np.sqrt(1 + SKEW**2)
        kept = np.zeros(0)
        while kept.size < n:
            u, v = rng.standard_normal((2, 2 * n + 16))
            x = self.location + self.width * (delta * np.abs(u) + np.sqrt(1 - delta**2) * v)
            kept = np.append(kept, x[(x >= self.low) & (x <= self.high)])
        return kept[:n]

    def to_dict(self) -> dict[str, float]:
        """Plain JSON values; `AmplitudeDistribution(**stored)` is the inverse."""
        return asdict(self)


def noble_suite(n: int, distribution: AmplitudeDistribution, seed: int) -> list[Protocol]:
    """`n` of the paper's steps, amplitudes from `distribution`."""
    amplitudes = distribution.sample(n, np.random.default_rng(seed))
    return [noble_step(float(amplitude)) for amplitude in amplitudes]


@dataclass(frozen=True)
class _Draw:
    """What one streaming protocol is drawn from."""

    rng: np.random.Generator
    duration: float  # ms
    low: float  # nA
    high: float  # nA
    i_thr: float  # nA

    def amplitude(self) -> float:
        return self.rng.uniform(self.low, self.high)

    def mean(self) -> float:
        """Of a drive that varies: its peaks carry the cell over a threshold that this is below."""
        return self.rng.uniform(self.low, max(self.low, min(self.high, self.i_thr)))

    def log(self, low: float, high: float) -> float:
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def seed(self) -> int:
        return int(self.rng.integers(2**31))

    def span(self, shortest: float) -> tuple[float, float]:
        """Onset and duration [ms] somewhere in the protocol."""
        onset = self.rng.uniform(0.0, self.duration - shortest)
        return onset, self.rng.uniform(shortest, self.duration - onset)


def _one_step(d: _Draw) -> list[Stimulus]:
    return [Step(d.amplitude(), *d.span(d.duration / 20))]


def _steps(d: _Draw) -> list[Stimulus]:
    count = int(d.rng.integers(2, 7))
    edges = np.sort(d.rng.uniform(0.0, d.duration, 2 * count))
    return [
        Step(d.amplitude(), start, max(stop - start, 1e-3))
        for start, stop in edges.reshape(count, 2)
    ]


def _ramp(d: _Draw) -> list[Stimulus]:
    return [Ramp(d.amplitude(), d.amplitude(), *d.span(d.duration / 4))]


def _ou(d: _Draw) -> list[Stimulus]:
    sd = d.rng.uniform(0.0, 1.0) * d.i_thr
    return [OrnsteinUhlenbeck(d.mean(), sd, d.log(2.0, 20.0), 0.0, d.duration, d.seed())]


def _white(d: _Draw) -> list[Stimulus]:
    sd = d.rng.uniform(0.0, 1.5) * d.i_thr
    return [WhiteNoise(d.mean(), sd, 0.0, d.duration, d.seed(), d.log(0.1, 2.0))]


def _silence(d: _Draw) -> list[Stimulus]:
    return [Step(0.0, 0.0, d.duration)]


def _barrage(d: _Draw) -> list[Stimulus]:
    """Excitation and inhibition whose mean net current lies in the cell's own range.

    With 50 mV of driving force for excitation and 30 mV for inhibition at -50 mV; the
    unit of conductance is what carries I_thr over 50 mV.
    """
    unit = d.i_thr / 50  # uS
    inhibition = unit * d.log(0.1, 8.0)
    excitation = max(unit / 20, (d.mean() + 30 * inhibition * d.rng.uniform()) / 50)
    synapses = []
    for make, mean in ((ampa, excitation), (gaba_a, inhibition)):
        one = make(0.0, unit * d.log(0.05, 1.0))
        synapses.append(replace(one, rate=1e3 * mean / one.area))  # events / s
    return [Barrage(*synapses, 0.0, d.duration, d.seed())]


def _barrage_and_current(d: _Draw) -> list[Stimulus]:
    return [*_barrage(d), *(_ou(d) if d.rng.random() < 0.5 else _steps(d))]


STREAMING: dict[str, tuple[float, Callable[[_Draw], list[Stimulus]]]] = {
    "one step": (0.10, _one_step),
    "steps": (0.15, _steps),
    "ramp": (0.05, _ramp),
    "OU current": (0.15, _ou),
    "white noise": (0.08, _white),
    "no current": (0.02, _silence),
    "barrage": (0.30, _barrage),
    "barrage and current": (0.15, _barrage_and_current),
}
RECEIVED = "received"  # class of protocols like the input in a network; see `received`


def streaming_suite(
    n: int,
    i_thr: float,
    low: float,
    high: float,
    seed: int,
    *,
    duration: float = 1000.0,
    v_init: tuple[float, float] | None = None,
) -> list[Protocol]:
    """Protocols of every class of `STREAMING`, for an operator that knows no window.

    Args:
        n: How many.
        i_thr: Threshold current [nA]: sets the size of noise and conductances.
        low: Least amplitude of steps, and least mean of drives that vary [nA].
        high: Largest amplitude of steps [nA]; varying drives have means of I_thr at most.
        seed: Decides everything.
        duration: Of each [ms].
        v_init: Half of the protocols start from a voltage in this range [mV]; None:
            all start from the cell's own.

    Returns:
        Protocols named by their class and number.
    """
    if not (np.isfinite([i_thr, low, high]).all() and i_thr > 0 and low < high and n >= 0):
        raise InputError(
            f"A streaming suite needs n >= 0, i_thr > 0 and low < high [nA]: got n {n}, i_thr "
            f"{i_thr}, low {low}, high {high}."
        )
    weights = [weight for weight, _ in STREAMING.values()]
    made = []
    for k, child in enumerate(np.random.SeedSequence(seed).spawn(n)):
        rng = np.random.default_rng(child)
        kind = list(STREAMING)[rng.choice(len(weights), p=weights)]
        stimuli = STREAMING[kind][1](_Draw(rng, duration, low, high, i_thr))
        start = rng.uniform(*v_init) if v_init and rng.random() < 0.5 else None
        made.append(Protocol(f"{kind} {k}", duration, tuple(stimuli), start))
    return made


def class_of(name: str) -> str:
    """Class of a streaming protocol, a key of `STREAMING` or "received", from its name."""
    kind = name.rpartition(" ")[0]
    if kind not in (*STREAMING, RECEIVED):
        raise InputError(
            f"Protocol {name!r} is of no class of streaming protocols: its name should be one "
            f"of {', '.join((*STREAMING, RECEIVED))}, and a number."
        )
    return kind


@functools.cache
def _mode_of_standard() -> float:
    """Where the standard skew-normal of shape SKEW peaks."""
    found = minimize_scalar(lambda z: -skewnorm.pdf(z, SKEW), bounds=(0, 1), method="bounded")
    return float(found.x)
