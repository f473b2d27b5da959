"""What a spike looks like in fine: a correction to the operator's voltage around each spike.

A Fourier layer keeps the lowest modes (128 of 518 ms reach 123 Hz; the paper's 256, 249 Hz) and
a spike's upstroke takes 0.2 ms. What the modes leave out depends on little: how far the spike is,
what cell it is, and what the Fourier layers know of the state. So a small pointwise network adds
it, near spikes alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

AFTER, BEFORE = 4.0, 2.0  # how far from a spike it reaches [ms]
TAPER = 0.5  # over which it fades out there [ms]


class SpikeDetail(nn.Module):
    """Correction [mV] at points near spikes; zero until it is trained.

    Args:
        channels: What it is told of a point.
        hidden: Width of its three layers.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(channels, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, 1),
        )
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("sd", torch.ones(channels))

    def scale(self, points: Tensor) -> None:
        """Take the inputs' mean and spread from training points, shape (n, channels)."""
        self.mean.copy_(points.mean(0))
        self.sd.copy_(points.std(0).clamp(min=1e-6))

    def forward(self, points: Tensor) -> Tensor:
        """Correction [mV] of points of shape (n, channels), shape (n,)."""
        return self.layers((points - self.mean) / self.sd).squeeze(-1)


def nearness(last: Tensor, next_: Tensor) -> Tensor:
    """1 near a spike, 0 far from all, and a ramp between; of the shape of its arguments [ms]."""
    after = ((AFTER - last) / TAPER).clamp(0.0, 1.0)
    before = ((BEFORE - next_) / TAPER).clamp(0.0, 1.0)
    return torch.maximum(after, before)
