"""Which cell of the surrogate's family each cell of a swapped NetPyNE population is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import InputError
from ..surrogates import load_stream
from .netpyne_swap import Swap

DRAWS = ("cells", "hull", "tags")

loaded = lru_cache(load_stream)  # one stepper per name: its cells are answered together


def point_of(swap: Swap, stepper: Any, gid: int, tags: Mapping | None) -> np.ndarray | None:
    """Latent point of a cell, physical units; it depends on seed and gid, not on any rank."""
    space = stepper.card.latent_space
    draw = np.random.default_rng([swap.seed, gid])
    if tags and tags.get("surrogate") == swap.surrogate:
        return space.row(tags)  # of a network that is loaded
    if swap.latent == "cells":
        return space.points[draw.integers(len(space.points))]
    if swap.latent == "hull":
        return space.mixture(draw)
    if swap.latent == "tags":
        return None if tags is None else space.row(tags)
    if isinstance(swap.latent, str) and swap.latent not in stepper.card.cells:
        raise InputError(
            f"latent={swap.latent!r} is neither {', '.join(map(repr, DRAWS))} nor a training cell "
            f"of {swap.surrogate!r} ({', '.join(stepper.card.cells[:3])}, ...)."
        )
    return stepper.point(swap.latent)
