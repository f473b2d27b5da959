"""Which currents a training set holds: the paper's steps, fitted to the cells' own F-I curves."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..protocols.suites import AmplitudeDistribution, noble_suite
from .plan import Sample
from .study import Study

BELOW_BLOCK = 0.85  # close to block, spike counts depend on the solver


def amplitudes(study: Study) -> AmplitudeDistribution:
    """The distribution of step amplitudes for these cells (the paper's section 3.2)."""
    tops = []
    for features in study.features:
        block = features.get("I_block", np.nan)
        top = features.get("measured_to", features.get("I_at_max", np.nan))
        tops.append(BELOW_BLOCK * block if np.isfinite(block) else top)
    return AmplitudeDistribution.fit([f["I_thr"] for f in study.features], tops)


def noble_samples(study: Study, per_cell: int, seed: int) -> list[Sample]:
    """`per_cell` of the paper's steps for each cell, every cell with its own draw."""
    if per_cell < 1:
        raise InputError(f"A training set needs at least one current per cell: got {per_cell}.")
    distribution = amplitudes(study)
    children = np.random.SeedSequence(seed).spawn(len(study.cells))
    seeds = [int(child.generate_state(1)[0]) for child in children]
    return [
        Sample(k, protocol, seeds[k])
        for k in range(len(study.cells))
        for protocol in noble_suite(per_cell, distribution, seeds[k])
    ]
