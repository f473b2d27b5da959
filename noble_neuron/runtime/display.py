"""What the network sees of a predicted voltage that has turned out a little different."""

from __future__ import annotations

import numpy as np

ABOVE = 0.01  # mV; more than the clamp sags, less than anybody sees


def once(
    shown: np.ndarray, true: np.ndarray, ahead: np.ndarray, threshold: np.ndarray
) -> np.ndarray:
    """The next chunk's voltage, such that every spike crosses its threshold once.

    A chunk is shown as predicted; what was attached meanwhile may have moved its spike to
    either side of the chunk's end. A spike shown too early is kept above threshold until the
    true one comes, and a spike that came and went unseen is shown in the next step.

    Args:
        shown: Voltage shown in the last chunk [mV], shape (cells, steps).
        true: What it should have been, given what was attached.
        ahead: Prediction of the next chunk.
        threshold: Voltage whose upward crossing is a spike [mV], shape (cells,).

    Returns:
        Voltage to show in the next chunk [mV], shape (cells, steps).
    """
    lowest = threshold.min()
    if shown.max() <= lowest and true.max() <= lowest:  # as nearly always
        return ahead
    limit = threshold[:, None]
    above = ahead > limit
    early = (shown[:, -1] > threshold) & (true[:, -1] <= threshold) & above.any(1)
    missed = (true > limit).any(1) & ~(shown > limit).any(1) & ~above[:, 0]
    if not (early.any() or missed.any()):
        return ahead
    ahead = ahead.copy()
    for row in np.flatnonzero(early):
        ahead[row, : above[row].argmax()] = threshold[row] + ABOVE
    ahead[missed, 0] = threshold[missed] + ABOVE
    return ahead
