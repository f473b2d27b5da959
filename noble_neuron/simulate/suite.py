"""Which protocols a training set holds, scaled to each cell's own F-I curve.

For a whole-trace operator the paper's steps; for a streaming one a mixture of currents and
conductances of every kind that a network may bring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..errors import InputError
from ..protocols.protocol import Protocol, noble_step
from ..protocols.received import Received, received_suite
from ..protocols.suites import AmplitudeDistribution, noble_suite, streaming_suite
from .plan import Sample
from .study import Study

BELOW_BLOCK = 0.85  # close to block, spike counts depend on the solver
RANGE = 2.0  # times I_thr
SILENT = 0.2  # share of the currents drawn evenly from below the threshold
# Steps of a streaming protocol, times I_thr: traces that fire then do so at 5 to 60 Hz mostly.
STREAM_LOW, STREAM_HIGH = -0.2, 1.7
V_INIT = (-100.0, -50.0)  # mV, what half of the streaming protocols start from


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
    return _per_cell(study, per_cell, seed, _steps)


def streaming_samples(
    study: Study, per_cell: int, seed: int, duration: float = 1000.0, rate: float | None = None
) -> list[Sample]:
    """`per_cell` protocols for each cell, of every class of `protocols.suites.STREAMING`.

    Steps of any onset, ramps, Ornstein-Uhlenbeck and white noise, barrages of conductances,
    mixtures and silence; half of them start from a voltage in -100...-50 mV. Currents go with
    the cell's I_thr (or with `rate`), and conductances with what carries it over 50 mV, so that
    every cell of a family is driven alike. A protocol's name begins with its class: see
    `protocols.suites.class_of`.

    Args:
        study: Cells with their I_thr.
        per_cell: Protocols for each.
        seed: Decides everything.
        duration: Of each protocol [ms].
        rate: Steps reach what makes the cell fire at this rate by its s_thr [Hz], and all other
            drives go along; None: they reach 1.7 I_thr. A cell of low threshold and shallow slope
            hardly fires by the latter.
    """
    if rate is not None and not (np.isfinite(rate) and rate > 0):
        raise InputError(f"The rate that steps reach must be above 0 Hz: got {rate}.")

    def draw(features: Mapping[str, float], n: int, own: int) -> list[Protocol]:
        unit = features["I_thr"]
        if rate is not None:
            unit = (unit + rate / features["s_thr"]) / STREAM_HIGH
        low, high = STREAM_LOW * unit, STREAM_HIGH * unit
        return streaming_suite(n, unit, low, high, own, duration=duration, v_init=V_INIT)

    return _per_cell(study, per_cell, seed, draw)


def received_samples(
    study: Study, received: Sequence[Received], per_cell: int, seed: int, duration: float = 1000.0
) -> list[Sample]:
    """`per_cell` protocols for each cell, around what cells of theirs receive in a network.

    Args:
        study: The cells.
        received: What some of them receive.
        per_cell: Protocols for each.
        seed: Decides everything.
        duration: Of each protocol [ms].
    """

    def draw(features: Mapping[str, float], n: int, own: int) -> list[Protocol]:
        return received_suite(n, received, own, duration=duration, v_init=V_INIT)

    return _per_cell(study, per_cell, seed, draw)


def _per_cell(
    study: Study,
    n: int,
    seed: int,
    draw: Callable[[Mapping[str, float], int, int], list[Protocol]],
) -> list[Sample]:
    """`draw(features, n, own seed)` for each cell, every cell with a seed of its own."""
    if n < 1:
        raise InputError(f"A training set needs at least one current per cell: got {n}.")
    children = np.random.SeedSequence(seed).spawn(len(study.cells))
    seeds = [int(child.generate_state(1)[0]) for child in children]
    return [
        Sample(k, protocol, seeds[k])
        for k in range(len(study.cells))
        for protocol in draw(study.features[k], n, seeds[k])
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
