"""The task of a whole-trace operator: every trace at once, judged by its relative Lp error."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InputError
from ..store.hdf5 import Dataset, Decimated
from .losses import relative_lp

TRACES_AT_ONCE = 8  # what a CPU's caches hold of an operator's channels


@dataclass(frozen=True, eq=False)
class Traces:
    """Samples on one grid.

    Attributes:
        current: Current per interval [nA], float32, shape (n, steps); a memory map will do.
        voltage: Voltage [mV], float32, shape (n, steps); a memory map will do.
        latent: Encoded latent points, float32, shape (n, k).
        dt: Grid [ms].
    """

    current: np.ndarray
    voltage: np.ndarray
    latent: np.ndarray
    dt: float

    def __post_init__(self) -> None:
        n = len(self.voltage)
        if self.current.shape != self.voltage.shape or len(self.latent) != n or not n:
            raise InputError(
                f"Training traces need a current and a latent point per voltage: got voltage of "
                f"shape {self.voltage.shape}, current {self.current.shape}, latent "
                f"{self.latent.shape}."
            )

    def __len__(self) -> int:
        return len(self.voltage)

    def batch(self, rows: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Current, latent and voltage of some rows, on the device."""
        arrays = (self.current[rows], self.latent[rows], self.voltage[rows])
        current, latent, voltage = (
            torch.as_tensor(x, dtype=torch.float32).to(device, non_blocking=True) for x in arrays
        )
        return current, latent, voltage

    def times(self, device: torch.device) -> Tensor:
        """Time [ms], shape (steps,)."""
        steps = self.voltage.shape[1]
        return torch.arange(steps, dtype=torch.float32, device=device) * self.dt

    def scale(self) -> tuple[float, float]:
        """Mean and standard deviation of the voltage [mV], for an operator's config."""
        sums, squares = 0.0, 0.0
        for row in self.voltage:
            sums += float(row.mean(dtype=float))
            squares += float(np.square(row, dtype=float).mean())
        mean = sums / len(self)
        return mean, float(np.sqrt(squares / len(self) - mean**2))


def gather(
    data: Dataset | Decimated,
    samples: Sequence[int],
    latent: np.ndarray,
    folder: str | os.PathLike | None = None,
) -> Traces:
    """Bring samples of a training set into memory, or into memory-mapped files in `folder`.

    Args:
        data: The training set, for the paper's recipe its `decimated()` view.
        samples: Which ones; all of one grid and length.
        latent: Encoded latent point of each sample, shape (len(samples), k).
        folder: Where to keep the arrays where they are too large for memory.
    """
    if not len(samples):
        raise InputError("No samples to train on: the list is empty.")
    steps = {data.dt(i) for i in samples}
    if len(steps) > 1:
        raise InputError(f"The samples are on several grids ({sorted(steps)} ms): choose one.")
    shape = (len(samples), len(data.voltage(int(samples[0]))))
    voltage, current = (_array(shape, folder, name) for name in ("voltage", "current"))
    for row, i in enumerate(samples):
        v = data.voltage(int(i))
        if len(v) != shape[1]:
            raise InputError(
                f"Sample {i} has {len(v)} points, sample {samples[0]} has {shape[1]}: a "
                f"whole-trace operator trains on one length."
            )
        voltage[row], current[row] = v, data.current(int(i))
    return Traces(current, voltage, np.asarray(latent, np.float32), steps.pop())


def _array(shape: tuple[int, int], folder: str | os.PathLike | None, name: str) -> np.ndarray:
    if folder is None:
        return np.empty(shape, np.float32)
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / f"{name}.npy"
    return np.lib.format.open_memmap(path, "w+", np.float32, shape)


class WholeTraceTask:
    """Learn `training`, judged on `validation`; the loss is the relative Lp error (eq. 4).

    Attributes:
        n_samples: Number of training traces.
        at_once: How many of them a CPU takes in one pass.
    """

    at_once = TRACES_AT_ONCE

    def __init__(self, training: Traces, validation: Traces, p: int = 4) -> None:
        self.training, self.validation, self.p = training, validation, p
        self.n_samples = len(training)

    def loss(self, model: nn.Module, indices: Tensor, device: torch.device) -> Tensor:
        """Mean relative Lp error of the training traces `indices`, shape ()."""
        current, latent, voltage = self.training.batch(indices.numpy(), device)
        predicted = model(current, latent, self.training.times(device))
        return relative_lp(predicted, voltage, self.p).mean()

    def validate(self, model: nn.Module, device: torch.device) -> dict[str, float]:
        """Mean relative Lp error ("score") and relative L2 error of the validation traces."""
        data, t = self.validation, self.validation.times(device)
        sums = torch.zeros(2, dtype=torch.float64)
        for start in range(0, len(data), self.at_once):
            rows = np.arange(start, min(start + self.at_once, len(data)))
            current, latent, voltage = data.batch(rows, device)
            predicted = model(current, latent, t)
            for i, p in enumerate((self.p, 2)):
                sums[i] += relative_lp(predicted, voltage, p).sum().cpu()
        score, l2 = (sums / len(data)).tolist()
        return {"score": score, "relative_l2": l2}
