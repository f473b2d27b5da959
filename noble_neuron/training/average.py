"""An exponential running average of a model's weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..surrogates import weights


class Average:
    """The average, or nothing at all where no decay is set.

        a <- a + (1 - d) (w - a),  d = min(decay, (1 + step) / (10 + step))

    The bound on d lets the first steps leave the average soon.
    """

    def __init__(self, model: nn.Module, decay: float | None) -> None:
        self.decay = decay
        own = {} if decay is None else weights.tensors(model)
        self.values: dict[str, Tensor] = {k: v.clone() for k, v in own.items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        if self.decay is None:
            return
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, value in weights.tensors(model).items():
            mean = self.values[name]
            if mean.is_floating_point() or mean.is_complex():
                mean.add_(value - mean, alpha=share)
            else:
                mean.copy_(value)

    @contextlib.contextmanager
    def in_place_of(self, model: nn.Module) -> Iterator[None]:
        """The model holds the average within the block, and its own weights after it."""
        if self.decay is None:
            yield
            return
        own = {k: v.clone() for k, v in weights.tensors(model).items()}
        weights.fill(model, self.values)
        try:
            yield
        finally:
            weights.fill(model, own)
