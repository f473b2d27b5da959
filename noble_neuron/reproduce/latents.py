"""Which features a surrogate needs to be told (table 1): one trained for each choice.

The paper's rows are of its own operator and cell, judged on training cells' held-out currents. NaN
stands where it never fires.
"""

from __future__ import annotations

from math import nan

from ..training.origin import WIDE_LATENT
from ._trained import ON_CURRENTS, SIZES, Row, Sizes, trained
from ._trained_tables import outcome
from .bench import Bench
from .outcome import Outcome

# The paper's errors in the order voltage, spikecount, AP1_width, amplitude, steady state [%].
ROWS = (
    Row("none", (), 1.0, (12.1, nan, nan, nan, 1.31)),
    Row("s_thr", ("s_thr",), 1.0, (2.83, 4.9, 233.0, 13.0, 1.33)),
    Row("I_thr", ("I_thr",), 1.0, (2.73, 4.4, 107.0, 14.0, 1.20)),
    Row("I_thr, s_thr", ("I_thr", "s_thr"), 1.0, (1.92, 3.1, 27.0, 8.9, 1.02)),
    Row(
        "I_thr, s_thr, AHP_depth",
        ("I_thr", "s_thr", "AHP_depth"),
        1.0,
        (2.16, 3.3, 22.0, 9.5, 1.04),
    ),
    Row("eleven features", WIDE_LATENT),
)


def run(bench: Bench) -> Outcome:
    """One training per row, at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(bench: Bench, sizes: Sizes, rows: tuple[Row, ...] = ROWS) -> Outcome:
    """One training per row."""
    return outcome(
        "latents",
        rows,
        trained(bench, rows, sizes),
        sizes,
        ON_CURRENTS,
        (
            "One surrogate for each choice of latent coordinates, all trained alike on the same "
            "traces, and judged on held-out currents of the cells that it trained on and on cells "
            "that it did not. The paper judges on the former. The trace looked up is the nearest "
            "in the same coordinates.",
        ),
    )
