"""How a current and a latent point become functions of time (NOBLE, section 3.4)."""

from __future__ import annotations

import torch
from torch import Tensor


def nerf(p: Tensor, t: Tensor, k: int) -> Tensor:
    """The embedding of equation 1: sines and cosines whose frequency the feature sets.

    gamma(p, t) = [sin(2^0 pi p t), cos(2^0 pi p t), ..., sin(2^(k-1) pi p t), cos(...)]

    Args:
        p: Feature, any unit of order 1, shape (...).
        t: Time, in a unit that does not depend on the call, shape (steps,).
        k: Number of frequencies.

    Returns:
        Channels in the order of the equation, shape (..., 2 k, steps).
    """
    octaves = torch.pi * 2.0 ** torch.arange(k, dtype=t.dtype, device=t.device)
    phase = (p[..., None] * octaves)[..., None] * t  # (..., k, steps)
    return torch.stack((phase.sin(), phase.cos()), dim=-2).flatten(-3, -2)


def amplitude(current: Tensor) -> Tensor:
    """The current's value farthest from zero, with its sign.

    Defined for zero current (0), for any onset and for any shape; a square step's amplitude.

    Args:
        current: Current, shape (batch, steps).

    Returns:
        Amplitude in the current's unit, shape (batch,).
    """
    farthest = current.abs().argmax(dim=-1, keepdim=True)
    return current.gather(-1, farthest).squeeze(-1)


def standard(latent: Tensor) -> Tensor:
    """Encoded coordinates (0.5 ... 3.5) centred, of order 1."""
    return (latent - 2.0) / 0.75
