"""What populations of spiking cells are compared by: rates, irregularity, correlation, spectrum.

A population is a list of spike trains, times in ms, one per cell and in the same order in every
run. Each figure is of one run; `distance` and `spectral_distance` are between two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError

BIN = 5.0  # ms, of counts that are correlated
FINE = 1.0  # ms, of the population's rate for its spectrum
WINDOW = 256  # bins of FINE that are transformed at once: 4 Hz of resolution
BAND = (3.5, 200.0)  # Hz, where spectra are compared
MOST = 500  # cells whose pairs are correlated

Trains = Sequence[np.ndarray]


def rates(trains: Trains, duration: float) -> np.ndarray:
    """Spikes per second of each cell [Hz], shape (cells,)."""
    return np.array([1e3 * len(train) / duration for train in trains])


def interval_cvs(trains: Trains) -> np.ndarray:
    """Standard deviation over mean of the intervals, of the cells with three of them or more."""
    intervals = [np.diff(train) for train in trains]
    return np.array([np.std(each) / np.mean(each) for each in intervals if len(each) > 2])


def counts(trains: Trains, duration: float, width: float = BIN) -> np.ndarray:
    """Spikes in bins of `width` [ms], shape (cells, bins); the last may reach over the end."""
    if not (duration > 0 and width > 0):
        raise InputError(f"Bins need a duration and a width above 0 ms: {duration}, {width}.")
    edges = np.arange(0, duration + width, width)
    found = [np.histogram(train, edges)[0] for train in trains]
    return np.array(found, dtype=float).reshape(len(trains), len(edges) - 1)


def correlations(trains: Trains, duration: float, width: float = BIN) -> np.ndarray:
    """Correlation of the binned counts of each pair of cells that fire, shape (pairs,).

    Of more than 500 cells, 500 evenly spaced ones are taken.
    """
    if len(trains) > MOST:
        trains = [trains[k] for k in np.linspace(0, len(trains) - 1, MOST).astype(int)]
    binned = counts(trains, duration, width)
    alive = binned[binned.std(1) > 0]
    if len(alive) < 2:
        return np.zeros(0)
    return np.corrcoef(alive)[np.triu_indices(len(alive), 1)]


def rhythm(trains: Trains, duration: float, width: float = BIN) -> float:
    """Frequency of the strongest oscillation of all spikes together [Hz]; NaN without spikes."""
    total = counts(trains, duration, width).sum(0)
    if not total.std() > 0:
        return float("nan")
    power = np.abs(np.fft.rfft(total - total.mean())) ** 2
    return float(1e3 * np.fft.rfftfreq(len(total), width)[power.argmax()])


def spectrum(trains: Trains, duration: float) -> tuple[np.ndarray, np.ndarray]:
    """Power of the rate of the mean cell, as Welch has it: Hann windows that overlap by half.

    Args:
        trains: Spike times of each cell [ms].
        duration: Of the run [ms]; below 256 ms there is one window of that length.

    Returns:
        Frequencies [Hz] and power density [Hz2/Hz], shape (frequencies,) each.
    """
    from scipy.signal import welch

    rate = counts(trains, duration, FINE).mean(0) * 1e3 / FINE  # Hz
    window = min(WINDOW, len(rate))
    return welch(rate, 1e3 / FINE, "hann", window, window // 2, detrend="constant")


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """How far two distributions are apart: Wasserstein's distance, in the unit of the values.

    The mean difference once both are sorted; NaN where either is empty.
    """
    from scipy.stats import wasserstein_distance

    if not len(one) or not len(other):
        return float("nan")
    return float(wasserstein_distance(one, other))


def spectral_distance(
    one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]
) -> float:
    """Mean absolute difference of two spectra on their common grid, 4 to 200 Hz [dB]."""
    frequencies, power = one
    band = (frequencies >= BAND[0]) & (frequencies <= BAND[1])
    a, b = power[band], other[1][band]
    if not band.any() or not (a > 0).all() or not (b > 0).all():
        return float("nan")
    return float(np.mean(np.abs(10 * np.log10(a / b))))
