"""What hoc/noble.hoc calls: a section of a hoc template becomes a NobleCell's soma."""

from __future__ import annotations

from typing import Any

import numpy as np
from neuron import h

from ..runtime import NobleCell


def adopt(surrogate: str, latent: Any = None, shift: float = 0.0) -> NobleCell:
    """Make the section that hoc is in a surrogate's soma.

    Args:
        surrogate: Name of a built-in ensemble, or a bundle's folder.
        latent: A training cell's name, or a Vector of all features in order; left out, a
            typical training cell.
        shift: Added to the model's own millivolts [mV].
    """
    if not (latent is None or isinstance(latent, str)):
        latent = np.array(latent)
    return NobleCell(surrogate, latent, soma=h.cas(), shift=shift)
