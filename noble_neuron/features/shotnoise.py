"""The events behind a fluctuating conductance: how often, how large, how long.

For a Poisson train of events of one shape, with integral a1 w and integral of the square a2 w^2
for a peak of w (Campbell's theorem):

    mean = rate a1 w,    variance = rate a2 w^2,    so    w = (variance / mean) (a1 / a2)

and the integral of the autocorrelation is rise + decay, for events that are a difference of two
exponentials. Of real inputs, synchronous ones count as fewer and larger events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RISE = 0.2  # of rise + decay
LEAST = 1e-4  # of the mean, the standard deviation: below it nothing comes and goes
FASTEST = 5e4  # Hz; more frequent events are taken together


@dataclass(frozen=True)
class ShotNoise:
    """Events of one kind.

    Attributes:
        rate: [Hz]
        weight: Peak of one, in the unit of what was measured.
        rise: [ms]
        decay: [ms]
    """

    rate: float
    weight: float
    rise: float
    decay: float


def shot_noise(x: np.ndarray, dt: float) -> ShotNoise | None:
    """The events of a sum of events; None where there are hardly any.

    Args:
        x: The sum, 0 without any, shape (steps,).
        dt: Between its samples [ms].
    """
    x = np.asarray(x, dtype=float)
    if len(x) < 2 or not x.any():
        return None
    mean, variance = x.mean(), x.var()
    span = correlation_time(x - mean, dt)
    if not (mean > 0 and variance > (LEAST * mean) ** 2 and span > 0):
        return None
    rise, decay = RISE * span, (1 - RISE) * span
    peak_at = np.log(decay / rise) * rise * decay / (decay - rise)
    scale = 1 / (np.exp(-peak_at / decay) - np.exp(-peak_at / rise))
    area = scale * (decay - rise)
    square = scale**2 * (decay / 2 + rise / 2 - 2 * rise * decay / (rise + decay))
    weight = max(variance / mean * area / square, 1e3 * mean / (area * FASTEST))
    return ShotNoise(float(1e3 * mean / (area * weight)), float(weight), float(rise), float(decay))


def correlation_time(x: np.ndarray, dt: float) -> float:
    """Integral of the autocorrelation to where it first vanishes [ms]; 0 of white noise."""
    n = 2 ** int(np.ceil(np.log2(2 * len(x))))
    power = np.abs(np.fft.rfft(x, n)) ** 2
    correlation = np.fft.irfft(power)[: len(x)]
    if not correlation[0] > 0:
        return 0.0
    correlation /= correlation[0]
    end = int(np.argmax(correlation <= 0)) or len(x)
    return float(dt * (correlation[:end].sum() - 0.5))
