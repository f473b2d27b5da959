"""Where in the latent space a cell lies by its traces: its latent point, optimised.

A trained operator's weights stay as they are; each cell's point moves until the operator's answer
is the cell's. So far does the family's latent space reach: what a map from features to points
could give at best. (The ceiling of a held-out cell; features only approach it.)
"""

from __future__ import annotations

import os

import numpy as np
import torch
from torch import Tensor, nn

from ..operators.recurrent import State, Stream, Teaching
from .config import TrainConfig
from .loop import train
from .streaming import StreamRecipe, StreamTask
from .streams import Streams

PLACING = TrainConfig(
    recipe="modern", epochs=100, batch_size=32, lr=2e-2, weight_decay=0.0, clip=1.0, ema=0.99
)


class Placed(nn.Module):
    """An operator for a few cells: a cell is told by its number, its point is a weight.

    Args:
        stream: The operator; it will not be trained.
        points: Where each cell's search starts, encoded, shape (cells, latent_size).
    """

    def __init__(self, stream: Stream, points: np.ndarray) -> None:
        super().__init__()
        self._stream = [stream.requires_grad_(False)]  # in a list, it is no part of this module
        self.points = nn.Parameter(torch.as_tensor(np.array(points), dtype=torch.float32))
        self.config = stream.config

    def start(self, cell: Tensor, v: Tensor) -> State:
        """See `Stream.start`; `cell` are numbers, shape (rows, 1)."""
        return self._stream[0].start(self._of(cell), v)

    def forward(self, state: State, cell: Tensor, b: Tensor, g: Tensor) -> tuple[Tensor, State]:
        """See `Stream.forward`."""
        return self._stream[0](state, self._of(cell), b, g)

    def run(self, state: State, cell: Tensor, b: Tensor, g: Tensor) -> tuple[Tensor, State]:
        """See `Stream.run`."""
        return self._stream[0].run(state, self._of(cell), b, g)

    def taught(
        self, state: State, cell: Tensor, b: Tensor, g: Tensor, teaching: Teaching
    ) -> tuple[Tensor, State]:
        """See `Stream.taught`."""
        return self._stream[0].taught(state, self._of(cell), b, g, teaching)

    def _of(self, cell: Tensor) -> Tensor:
        return self.points[cell[:, 0].long()]


def place(
    stream: Stream,
    training: Streams,
    validation: Streams,
    points: np.ndarray,
    threshold: float,
    out: str | os.PathLike,
    config: TrainConfig = PLACING,
) -> np.ndarray:
    """Find the latent points at which an operator answers as some cells do.

    Args:
        stream: A trained operator.
        training: The cells' traces, whose `latent` is each one's cell number, shape (n, 1).
        validation: Others of the same cells, which choose.
        points: Where to start, encoded, shape (cells, latent_size): what their features say.
        threshold: Voltage whose upward crossing is a spike [mV].
        out: Folder of checkpoints and log; a killed call goes on.
        config: Settings of the search.

    Returns:
        The points, encoded, shape (cells, latent_size).
    """
    placed = Placed(stream, points)
    # As it will be used: by itself most of the time.
    recipe = StreamRecipe(free_ms=2.5)
    task = StreamTask(placed, training, validation, config.epochs, threshold, recipe)
    train(placed, task, config, out)
    return placed.points.detach().numpy()
