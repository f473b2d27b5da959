"""What b and G will be in a chunk that has not been simulated yet."""

from __future__ import annotations

import numpy as np


def continued(metered: np.ndarray) -> np.ndarray:
    """The last chunk's course, continued as an exponential.

    Synaptic currents decay exponentially, so their steps shrink by one factor: the last two
    steps give it, and one synapse is continued exactly. Where the last step is more than twice
    the one before, or turns back, something has just arrived, and the last value is held.

    Args:
        metered: b and G of the chunk that ends, shape (..., steps).

    Returns:
        The same of the chunk that begins.
    """
    last, steps = metered[..., -1:], metered.shape[-1]
    if steps < 3:
        return np.repeat(last, steps, axis=-1)
    step = last - metered[..., -2:-1]
    before = metered[..., -2:-1] - metered[..., -3:-2]
    known = (before * step > 0) & (np.abs(step) < 2 * np.abs(before))
    factor = np.minimum(np.divide(step, before, out=np.zeros(step.shape), where=known), 1.0)
    powers = np.repeat(factor, steps, axis=-1).cumprod(axis=-1)
    return last + step * powers.cumsum(axis=-1)
