"""When a spike comes, in fine: what is to be added to the clock's time.

The clock is an integral, and a small error of its rate adds up over fifty spikes. What is left
after its training is a smooth function of the cell, the current and the number of the spike,
and a perceptron that sees one spike at a time learns that in a minute.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .perceptron import perceptron

LIMIT = 3.0  # ms; the clock's own word counts
UNIT = 0.3  # ms; what its errors are about


class SpikeTiming(nn.Module):
    """Correction of a spike's time [ms]; zero until it is trained.

    Args:
        told: Numbers that it is told of a spike.
        hidden: Width of its layers.
    """

    def __init__(self, told: int, hidden: int) -> None:
        super().__init__()
        self.layers = perceptron(told, hidden, 1)
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)
        self.register_buffer("mean", torch.zeros(told))
        self.register_buffer("sd", torch.ones(told))

    @torch.no_grad()
    def see(self, told: Tensor) -> None:
        """Take the inputs' scale from training spikes, shape (n, told)."""
        self.mean.copy_(told.mean(0))
        self.sd.copy_(told.std(0, correction=0).clamp(min=1e-6))

    def forward(self, told: Tensor) -> Tensor:
        """Correction [ms] of spikes of which `told`, shape (n, told), is known; shape (n,)."""
        added = UNIT * self.layers((told - self.mean) / self.sd).squeeze(-1)
        return LIMIT * torch.tanh(added / LIMIT)
