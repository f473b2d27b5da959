"""The trained step, moved: what an operator that sees all onsets as one does at another.

The paper's operator knows one onset. The same step is given at others, beside the full model under
that very step, and beside what anybody can do without asking: the answer at the trained onset,
moved.
"""

from __future__ import annotations

import numpy as np

from ._steps import OWN, SIZES, Condition, Sizes, Steps, curves, drawn, records, step, tables
from .bench import Bench
from .outcome import Outcome, finite

ONSETS = (5.0, 15.0, 30.0, 60.0)  # ms
TRAINED, DURATION = 15.0, 400.0  # ms, the paper's step
MOVED = "answer at the trained onset, moved"


def run(bench: Bench) -> Outcome:
    """Errors by onset, at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(bench: Bench, sizes: Sizes, onsets: tuple[float, ...] = ONSETS) -> Outcome:
    """Errors by onset.

    Args:
        bench: Cells and surrogate.
        sizes: How much is simulated.
        onsets: Of the step [ms].
    """
    steps = Steps(bench, sizes)
    known = [step(float(a), TRAINED, DURATION) for a in steps.amplitudes]
    at_trained = bench.answered(known, steps.latent).voltage
    found = [
        steps.condition(
            f"onset {onset:g} ms",
            onset,
            DURATION,
            {MOVED: lambda onset=onset: moved(at_trained, onset, bench.surrogate.card.dt)},
        )
        for onset in onsets
    ]
    return Outcome(
        f"Other onsets: the surrogate of {bench.surrogate.card.ensemble}",
        _said(found),
        finite(records(found)),
        tables(found),
        {
            "Errors of traces that fire; the grey bar is the trained onset.": curves(
                found, onsets, "onset [ms]", TRAINED
            ),
            "One cell under 1.2 and 1.9 times its threshold.": drawn(steps, found),
        },
    )


def moved(voltage: np.ndarray, onset: float, dt: float) -> np.ndarray:
    """Answers at the trained onset, moved to another by whole steps; the ends are held."""
    shift = round((onset - TRAINED) / dt)
    index = np.clip(np.arange(voltage.shape[1]) - shift, 0, voltage.shape[1] - 1)
    return voltage[:, index]


def _said(found: list[Condition]) -> tuple[str, ...]:
    return (
        f"The surrogate's answer is judged against the full model under the same step, beside its "
        f"own answer at {TRAINED:g} ms moved to the onset, and beside the full model at half its "
        f"time step. The first {TRAINED:g} ms of a run still hold the relaxation from the initial "
        f"voltage, so an early step meets another cell than a late one.",
        *(verdict(each) for each in found),
    )


def verdict(each: Condition) -> str:
    """What one condition came to, in a sentence."""
    own = each.scores[OWN]
    firing = own["firing"].values
    said = (
        f"{each.name}: counts right in {firing['count_right']:.0f} % of {own['firing'].n} firing "
        f"traces, spike count off by {firing['spikecount_mean']:.2g} %, "
        f"{firing['missed_onsets']:.0f} silent by mistake, first spike off by "
        f"{firing['time_to_first_spike']:.2g} ms; outside the step the voltage is off by up to "
        f"{each.outside[OWN]:.2g} mV, mean over traces. "
    )
    warned = [text for text in each.warnings if "square step" in text]
    return said + ("It warns." if warned else "It does not warn of the shape.")
