"""Which currents a training set holds: the paper's steps, fitted to the cells' own F-I curves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import InputError
from ..protocols.protocol import Protocol, noble_step
from ..protocols.suites import AmplitudeDistribution, noble_suite
from .plan import Sample
from .study import Study

BELOW_BLOCK = 0.85  # close to block, spike counts depend on the solver
RANGE = 2.0  # times I_thr
SILENT = 0.2  # share of the currents drawn evenly from below the threshold


def amplitudes(features: Mapping[str, float]) -> AmplitudeDistribution:
    """The distribution of step amplitudes for one cell (the paper's section 3.2).

    Its mode is the cell's threshold and its top twice that, or less where the cell comes near
    its block, or was measured no further: the paper's 60 cells share one range, but a family
    whose thresholds differ by a factor would leave some cells silent in a shared one.

    Args:
        features: The cell's, as a `Study` keeps them.
    """
    block = features.get("I_block", np.nan)
    measured = features.get("measured_to", features.get("I_at_max", np.nan))
    top = np.nanmin([RANGE * features["I_thr"], BELOW_BLOCK * block, measured])
    return AmplitudeDistribution.fit([features["I_thr"]], [top])


def noble_samples(study: Study, per_cell: int, seed: int) -> list[Sample]:
    """`per_cell` of the paper's steps for each cell, every cell with its own draw."""
    if per_cell < 1:
        raise InputError(f"A training set needs at least one current per cell: got {per_cell}.")
    children = np.random.SeedSequence(seed).spawn(len(study.cells))
    seeds = [int(child.generate_state(1)[0]) for child in children]
    return [
        Sample(k, protocol, seeds[k])
        for k in range(len(study.cells))
        for protocol in _steps(study.features[k], per_cell, seeds[k])
    ]


def _steps(features: Mapping[str, float], n: int, seed: int) -> list[Protocol]:
    """Steps of the skew-normal, and a share drawn evenly from below the threshold.

    With a mode at 0.4 nA the skew-normal never reaches zero or hyperpolarising currents, which
    the paper's, with its mode near 0, does; a surrogate has to have seen them.
    """
    distribution = amplitudes(features)
    silent = round(SILENT * n)
    low = np.random.default_rng([seed, 1]).uniform(distribution.low, distribution.mode, silent)
    return noble_suite(n - silent, distribution, seed) + [noble_step(float(a)) for a in low]
