"""Distances between a predicted and a true voltage."""

from __future__ import annotations

from torch import Tensor


def relative_lp(predicted: Tensor, true: Tensor, p: int, eps: float = 1e-8) -> Tensor:
    """Relative Lp error of each trace, equation 4: ||x - y||_p / (||y||_p + eps).

    Args:
        predicted: Voltage [mV], shape (batch, steps).
        true: Voltage [mV], shape (batch, steps).
        p: 2 for the paper's metric, 4 for its training loss.
        eps: Keeps a trace of zeros from dividing by zero [mV].

    Returns:
        Shape (batch,).
    """
    error = (predicted - true).norm(p=p, dim=-1)
    return error / (true.norm(p=p, dim=-1) + eps)
