"""What a figure has to beat before it means anything, and the floor it cannot pass.

A relative L2 error of a few percent is easily had without a single spike. So every figure
stands beside those of answers that know nothing of the dynamics:

    oracle            the truth itself with its spikes taken out: a running median
    two levels        the truth's own mean inside the stimulus and outside it
    nearest           the training trace nearest in (current, latent)
    interpolated      training traces averaged about the asked (current, latent)
    another cell      the training trace nearest in current, of another hall-of-fame cell

and above them all the floor: the same cell, solved at half its time step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter
from scipy.spatial import cKDTree

from ..errors import InputError

MEDIAN_WIDTH = 20.0  # ms; far wider than a spike, far narrower than the stimulus


def spike_free(truth: np.ndarray, dt: float) -> np.ndarray:
    """Oracle: running median of the truth over 20 ms, shape as `truth` (n, steps)."""
    size = max(1, round(MEDIAN_WIDTH / dt)) | 1
    return median_filter(truth, size=(1, size), mode="nearest")


def two_levels(truth: np.ndarray, dt: float, windows: np.ndarray) -> np.ndarray:
    """Oracle: the truth's mean inside the stimulus and its mean outside, shape (n, steps)."""
    t = np.arange(truth.shape[1]) * dt
    onset, offset = np.broadcast_to(windows, (len(truth), 2)).T[..., None]
    inside = (t >= onset) & (t < offset)
    mean_in = truth.mean(axis=1, where=inside, keepdims=True)
    mean_out = truth.mean(axis=1, where=~inside, keepdims=True)
    return np.where(inside, mean_in, mean_out)


@dataclass(frozen=True)
class TrainingTraces:
    """What the surrogate saw, as answers for the baselines that look things up.

    Attributes:
        voltage: Voltage [mV], shape (n, steps).
        amplitude: Current amplitude [nA], shape (n,).
        latent: Encoded latent points, each axis about [0.5, 3.5], shape (n, L).
        cell: Index of the hall-of-fame cell, shape (n,).
    """

    voltage: np.ndarray
    amplitude: np.ndarray
    latent: np.ndarray
    cell: np.ndarray

    def __post_init__(self) -> None:
        lengths = {len(x) for x in (self.voltage, self.amplitude, self.latent, self.cell)}
        if len(lengths) != 1 or 0 in lengths:
            raise InputError(
                f"Training traces need one amplitude, latent and cell per trace and at least one "
                f"trace: got {len(self.voltage)} traces, {len(self.amplitude)} amplitudes, "
                f"{len(self.latent)} latents and {len(self.cell)} cells."
            )

    def nearest(self, amplitude: np.ndarray, latent: np.ndarray) -> np.ndarray:
        """Training trace nearest in (current, latent) to each query, shape (n, steps)."""
        _, found = self._tree().query(self._point(amplitude, latent))
        return self.voltage[found]

    def interpolated(self, amplitude: np.ndarray, latent: np.ndarray) -> np.ndarray:
        """Average of the L + 2 nearest traces, weighted by 1/distance^2, shape (n, steps).

        L + 2 points span a simplex about a query of L + 1 coordinates.
        """
        neighbours = min(latent.shape[1] + 2, len(self.voltage))
        ranks = [*range(1, neighbours + 1)]
        distance, found = self._tree().query(self._point(amplitude, latent), k=ranks)
        weight = 1.0 / np.maximum(distance, 1e-9) ** 2
        weight /= weight.sum(axis=1, keepdims=True)
        return np.einsum("nk,nkt->nt", weight, self.voltage[found])

    def another_cell(self, amplitude: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Trace of another cell than each query's, nearest in current, shape (n, steps)."""
        gap = np.abs(self.amplitude[None, :] - np.asarray(amplitude)[:, None])
        gap[self.cell[None, :] == np.asarray(cell)[:, None]] = np.inf
        return self.voltage[gap.argmin(axis=1)]

    def _tree(self) -> cKDTree:
        return cKDTree(self._point(self.amplitude, self.latent))

    def _point(self, amplitude: np.ndarray, latent: np.ndarray) -> np.ndarray:
        """Current on the latent's own scale, [0.5, 3.5] over the training range."""
        low, high = self.amplitude.min(), self.amplitude.max()
        scaled = 0.5 + 3.0 * (np.asarray(amplitude) - low) / max(high - low, 1e-12)
        return np.column_stack([scaled, latent])
