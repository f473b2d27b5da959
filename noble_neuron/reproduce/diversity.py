"""How many models a surrogate needs to have seen (table 2): fewer cells, as many traces.

The paper's rows are of its own operator and cells, judged on held-out cells.
"""

from __future__ import annotations

from ..training.origin import WIDE_LATENT
from ._trained import ON_CELLS, SIZES, Row, Sizes, trained
from ._trained_tables import outcome
from .bench import Bench
from .outcome import Outcome

# The paper's errors in the order voltage, spikecount, AP1_width, amplitude, steady state [%].
ROWS = (
    Row("all training cells", WIDE_LATENT, 1.0, (11.7, 9.2, 350.0, 14.0, 2.0)),
    Row("four fifths of them", WIDE_LATENT, 0.8, (10.9, 19.0, 920.0, 17.0, 1.8)),
    Row("three fifths of them", WIDE_LATENT, 0.6, (10.9, 20.0, 3004.0, 20.0, 1.9)),
    Row("two fifths of them", WIDE_LATENT, 0.4, (10.6, 45.0, 1698.0, 20.0, 1.9)),
)


def run(bench: Bench) -> Outcome:
    """One training per row, at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(bench: Bench, sizes: Sizes, rows: tuple[Row, ...] = ROWS) -> Outcome:
    """One training per row."""
    return outcome(
        "diversity",
        rows,
        trained(bench, rows, sizes),
        sizes,
        ON_CELLS,
        (
            "One surrogate for each number of training cells, with as many traces in all, judged "
            "on held-out currents of the cells it trained on and on cells it did not. The paper "
            "judges on the latter.",
        ),
    )
