"""The same answers on other time grids.

The operator runs on the grid it was trained on; on any other, the current goes there by its mean
and the voltage comes back by a cubic spline. So an answer every 0.02 ms holds no more than the
trained grid does. How much that is, the full model says: low-passed and splined in the same way,
it stands beside the surrogate as the best that any answer from this grid can be. The truth is the
full model's own voltage, not low-passed, at the times asked for.
"""

from __future__ import annotations

import numpy as np

from ..compare import metrics
from ..compare.canvas import FULL, SURROGATE, legend, panels, svg
from ..compare.tables import Table, number
from ..simulate.plan import Sample
from ..simulate.run import seen
from ..store.decimate import low_passed
from ..surrogates.grid import current_onto, voltage_onto
from ._steps import OWN, SIZES, TOTAL, Sizes, Steps, step
from .bench import Bench
from .onset import DURATION, TRAINED
from .outcome import Outcome, finite, group_records

GRIDS = (0.02, 0.025, 0.05, 0.075, 0.1)  # ms
BEST = "full model through the trained grid"
SHOWN = (
    "count_right",
    "time_to_first_spike",
    "AP1_width",
    "mean_AP_amplitude",
    "steady_state_voltage",
    "voltage_l2",
)


def run(bench: Bench) -> Outcome:
    """Errors by grid, at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(bench: Bench, sizes: Sizes, grids: tuple[float, ...] = GRIDS) -> Outcome:
    """Errors by grid.

    Args:
        bench: Cells and surrogate.
        sizes: How much is simulated.
        grids: Steps asked for [ms].
    """
    steps = Steps(bench, sizes)
    protocols = [step(float(a), TRAINED, DURATION) for a in steps.amplitudes]
    samples = [Sample(int(k), p) for k, p in zip(steps.which, protocols, strict=True)]
    raw = bench.voltages(f"steps-{TRAINED:g}-{DURATION:g}", steps.cells, samples, raw=True)
    fine, own = steps.cells[0].dt, bench.surrogate.card.dt
    current = np.array([seen(p, fine)[0] for p in protocols])
    rows, table, pieces = [], [], {}
    for dt in grids:
        points = int(TOTAL / dt + 1e-6) + 1
        asked = bench.predicted(current_onto(current, fine, dt, points), steps.latent, dt)
        best = voltage_onto(low_passed(raw, bench.factor(fine)), own, dt, points)
        truth = voltage_onto(raw, fine, dt, points)
        for name, groups in _scores(bench, dt, truth, {OWN: asked.voltage, BEST: best}).items():
            rows += group_records(name, groups, f"every {dt:g} ms")
            values = (number(groups["firing"].values[f]) for f in SHOWN)
            table.append([f"every {dt:g} ms: {name}", str(groups["firing"].n), *values])
        rows.append(
            {
                "figure": "kinds of warning",
                "value": len(asked.warnings),
                "split": f"every {dt:g} ms",
            }
        )
        pieces[dt] = asked.voltage
    head = ["", "n", *(f"{metrics.FIGURES[f][0]} [{metrics.FIGURES[f][1]}]" for f in SHOWN)]
    return Outcome(
        f"Other time grids: the surrogate of {bench.surrogate.card.ensemble}",
        (
            f"The surrogate was trained every {own:g} ms and the cells are solved every {fine:g} "
            f"ms. A finer grid asked for is a spline through the trained one, and holds what that "
            f"holds; the lines of the full model taken through the trained grid say how much of "
            f"an error is the grid's.",
        ),
        finite(rows),
        (Table("Traces that fire", head, table),),
        {
            "The first spike of one trace as asked for on each grid (points), and of the full "
            "model as solved (line).": _spikes(raw, fine, pieces, steps, bench)
        },
    )


def _scores(bench: Bench, dt: float, truth: np.ndarray, answers: dict) -> dict:
    """Scores of answers on one grid."""
    window, threshold = np.array((TRAINED, TRAINED + DURATION)), bench.surrogate.threshold
    true = metrics.features(truth, dt, window, threshold)
    return {
        name: metrics.score(
            voltage, truth, metrics.features(voltage, dt, window, threshold), true, DURATION
        )
        for name, voltage in answers.items()
    }


def _spikes(raw, fine: float, pieces: dict, steps: Steps, bench: Bench) -> str:
    """The first spike of a trace, a panel per grid."""
    row = int(np.flatnonzero(steps.which == 0)[-1])
    over = np.flatnonzero(raw[row] > bench.surrogate.threshold)
    middle = over[0] * fine if len(over) else TRAINED
    start, stop = middle - 1.5, middle + 3.0  # ms
    with panels(1, len(pieces), 1.9, 1.9, sharey=True) as (figure, axes):
        for ax, (dt, answer) in zip(axes[0], pieces.items(), strict=True):
            t = np.arange(raw.shape[1]) * fine
            near = (t >= start) & (t <= stop)
            ax.plot(t[near], raw[row, near], color=FULL, lw=1)
            t = np.arange(answer.shape[1]) * dt
            near = (t >= start) & (t <= stop)
            ax.plot(t[near], answer[row, near], ".", color=SURROGATE, ms=3)
            ax.set_title(f"every {dt:g} ms", loc="left")
            ax.set_xlabel("ms")
        axes[0, 0].set_ylabel("mV")
        legend(
            figure, [("full model as solved", FULL, "-", ""), ("surrogate", SURROGATE, "", ".")]
        )
        return svg(figure)
