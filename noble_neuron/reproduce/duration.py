"""Steps shorter and longer than the trained one.

The paper's operator counts time in units of its window and knows one duration. The step ends
earlier, or later as far as the window goes, beside the full model under that very step.
"""

from __future__ import annotations

from ._steps import SIZES, Sizes, Steps, curves, drawn, records, tables
from .bench import Bench
from .onset import TRAINED, verdict
from .outcome import Outcome, finite

DURATIONS = (50.0, 100.0, 200.0, 400.0, 480.0)  # ms
KNOWN = 400.0  # ms, the paper's step


def run(bench: Bench) -> Outcome:
    """Errors by duration, at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(bench: Bench, sizes: Sizes, durations: tuple[float, ...] = DURATIONS) -> Outcome:
    """Errors by duration.

    Args:
        bench: Cells and surrogate.
        sizes: How much is simulated.
        durations: Of the step [ms].
    """
    steps = Steps(bench, sizes)
    found = [steps.condition(f"{d:g} ms", TRAINED, d) for d in durations]
    return Outcome(
        f"Other durations: the surrogate of {bench.surrogate.card.ensemble}",
        (
            f"The step begins at {TRAINED:g} ms and ends after the duration given; the full model "
            f"gets the same step. The floor is the full model at half its time step.",
            *(verdict(each) for each in found),
        ),
        finite(records(found)),
        tables(found),
        {
            "Errors of traces that fire; the grey bar is the trained duration.": curves(
                found, durations, "duration [ms]", KNOWN
            ),
            "One cell under 1.2 and 1.9 times its threshold.": drawn(steps, found),
        },
    )
