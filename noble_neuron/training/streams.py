"""Traces as a streaming operator sees them: input and voltage on its own grid, chunk by chunk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..operators.recurrent import StreamConfig
from ..store.hdf5 import Dataset


@dataclass(frozen=True, eq=False)
class Streams:
    """Samples on the grid of a streaming operator.

    Attributes:
        b: Voltage-independent part of the somatic current, the injected one in it [nA], mean
            over each grid step, float32, shape (n, steps).
        g: Attached conductance [uS], likewise.
        v: Voltage [mV] at the end of each grid step, float32, shape (n, steps).
        start: Initial voltage [mV], float32, shape (n,).
        latent: Encoded latent points, float32, shape (n, k); k may be 0.
        names: Name of each sample's protocol, which says its class.
        grid_ms: [ms]
    """

    b: np.ndarray
    g: np.ndarray
    v: np.ndarray
    start: np.ndarray
    latent: np.ndarray
    names: tuple[str, ...]
    grid_ms: float

    def __post_init__(self) -> None:
        n = len(self.v)
        shapes = (self.b.shape, self.g.shape, self.v.shape)
        counts = (len(self.start), len(self.latent), len(self.names))
        if len(set(shapes)) > 1 or counts != (n, n, n) or not self.v.size:
            raise InputError(
                f"Streams need b and g of the voltage's shape, and a start, a latent point and a "
                f"name per trace: got b, g, v of shapes {shapes}, and {counts} of the others."
            )

    def __len__(self) -> int:
        return len(self.v)

    @property
    def duration(self) -> float:
        """Of each trace [ms]."""
        return self.v.shape[1] * self.grid_ms

    def part(self, rows: Sequence[int]) -> Streams:
        """Some of the traces."""
        rows = np.asarray(rows, dtype=int)
        arrays = (x[rows] for x in (self.b, self.g, self.v, self.start, self.latent))
        return Streams(*arrays, tuple(self.names[k] for k in rows), self.grid_ms)

    def batch(self, rows: np.ndarray, device: torch.device) -> tuple[Tensor, ...]:
        """b, g, v, start and latent of some rows, on the device."""
        arrays = (self.b, self.g, self.v, self.start, self.latent)
        return tuple(torch.as_tensor(x[rows], dtype=torch.float32).to(device) for x in arrays)


def gather_streams(
    data: Dataset, samples: Sequence[int], latent: np.ndarray, config: StreamConfig
) -> Streams:
    """Bring samples of a training set into memory, on the grid of a streaming operator.

    No filter touches the voltage: one that looks ahead would teach the operator to.

    Args:
        data: The training set, raw.
        samples: Which ones; all of one step and length.
        latent: Encoded latent point of each sample, shape (len(samples), config.latent_size).
        config: Settings of the operator.
    """
    if not len(samples):
        raise InputError("No samples to train on: the list is empty.")
    steps = {data.dt(int(i)) for i in samples}
    lengths = {int(data.table["points"][i]) for i in samples}
    if len(steps) > 1 or len(lengths) > 1:
        raise InputError(
            f"The samples of {data.path} are on grids of {sorted(steps)} ms and have "
            f"{sorted(lengths)} points: choose some of one grid and length."
        )
    dt, points = steps.pop(), lengths.pop()
    ratio = round(config.grid_ms / dt)
    if ratio < 1 or abs(ratio * dt - config.grid_ms) > 1e-9:
        raise InputError(
            f"{data.path} is recorded every {dt:g} ms: the operator's grid of "
            f"{config.grid_ms:g} ms has to be a whole multiple of it."
        )
    chunk = ratio * config.steps
    whole = (points - 1) // chunk * chunk  # raw steps that fill whole chunks
    if not whole:
        raise InputError(
            f"The samples of {data.path} last {(points - 1) * dt:g} ms: less than a chunk of "
            f"{config.chunk_ms:g} ms."
        )
    b, g, v = (np.empty((len(samples), whole // ratio), np.float32) for _ in range(3))
    for row, i in enumerate(map(int, samples)):
        own_b, own_g = data.conductance(i)
        b[row] = _means(data.current(i) + own_b, whole, ratio)
        g[row] = _means(own_g, whole, ratio)
        v[row] = data.voltage(i)[ratio : whole + 1 : ratio]
    start = data.table["v_init"][list(samples)].astype(np.float32)
    names = tuple(json.loads(data.table["protocol"][i])["name"] for i in samples)
    return Streams(b, g, v, start, np.asarray(latent, np.float32), names, config.grid_ms)


def _means(x: np.ndarray, whole: int, ratio: int) -> np.ndarray:
    """Entry k of a signal drives point k to k + 1: means of `ratio` entries are a grid step's."""
    return x[:whole].reshape(-1, ratio).mean(1, dtype=float)
