"""What a coarser time grid does to features (appendix C.1, figures 6 and 7).

Traces of full models are taken to coarser grids as the paper does, low-passed and then every n-th
point, and by every n-th point alone; features found there are set against those of the trace as
solved. The paper compares with how far its models are from a recording. Here the line to stay
below is the solver's own: the same features of the model at half its time step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..compare.canvas import GREY, SURROGATE, legend, panels, svg
from ..compare.metrics import relative_feature
from ..compare.tables import Table, number
from ..features import efel
from ..features.efel import PAPER_FEATURES
from ..simulate.plan import Sample
from ..store.decimate import FACTOR, low_passed
from ..types import Trace
from . import _steps
from ._steps import Steps, step
from .bench import Bench
from .onset import DURATION, TRAINED
from .outcome import Outcome, finite

FEATURES = tuple(name for name in PAPER_FEATURES if name != "depol_block")  # it is yes or no
BY_FILTER, BY_POINT, HALVED = "low-passed", "every n-th point alone", "solver at dt/2"
SPLIT, BLUE = "traces of full models", "#2f7fb8"


@dataclass(frozen=True)
class Sizes:
    """How much is simulated.

    Attributes:
        cells: How many, a third of them held out.
        factors: How many times coarser.
    """

    cells: int
    factors: tuple[int, ...]


SIZES = {"quick": Sizes(9, (2, 3, 4, 6, 8, 10)), "full": Sizes(60, tuple(range(2, 13)))}


def run(bench: Bench) -> Outcome:
    """Errors of features by factor, at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(bench: Bench, sizes: Sizes) -> Outcome:
    """Errors of features by factor."""
    steps = Steps(bench, _steps.Sizes(sizes.cells))
    protocols = [step(float(a), TRAINED, DURATION) for a in steps.amplitudes]
    samples = [Sample(int(k), p) for k, p in zip(steps.which, protocols, strict=True)]
    key, dt = f"steps-{TRAINED:g}-{DURATION:g}", steps.cells[0].dt
    raw = bench.voltages(key, steps.cells, samples, raw=True)
    half = bench.voltages(f"{key}-halved", steps.cells, samples, raw=True, halved=True)
    ways: dict[str, Callable[[int], np.ndarray]] = {
        BY_FILTER: lambda factor: low_passed(raw, factor),
        BY_POINT: lambda factor: raw[:, ::factor],
    }
    true = _features(bench, raw, dt)
    line = _errors(_features(bench, half[:, ::2], dt), true)
    found = {
        way: {f: _errors(_features(bench, make(f), f * dt), true) for f in sizes.factors}
        for way, make in ways.items()
    }
    return Outcome(
        f"Coarser time grids: {bench.study.name}",
        _said(found, line, dt),
        finite(_records(found, line, len(raw))),
        _tables(found, line, sizes.factors),
        {
            f"Error of a feature by how many times coarser the grid is than {dt:g} ms; the grey "
            "line is the model at half its time step.": _picture(found, line, sizes.factors)
        },
    )


def _features(bench: Bench, voltage: np.ndarray, dt: float) -> dict[str, np.ndarray]:
    t = np.arange(voltage.shape[1]) * dt
    window, threshold = (TRAINED, TRAINED + DURATION), bench.surrogate.threshold
    rows = [efel.extract(Trace(t, v.astype(float)), *window, threshold, FEATURES) for v in voltage]
    return {name: np.array([row[name] for row in rows], dtype=float) for name in FEATURES}


def _errors(found: Mapping[str, np.ndarray], true: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Relative L2 of each feature over traces [%]."""
    return {name: 100 * relative_feature(found[name], true[name]) for name in FEATURES}


def _records(found: dict, line: dict, n: int) -> list[dict]:
    rows = [
        {"figure": f"{HALVED}/all/{name}", "value": value, "unit": "%", "n": n, "split": SPLIT}
        for name, value in line.items()
    ]
    return rows + [
        {
            "figure": f"{way}, {factor} times coarser/all/{name}",
            "value": value,
            "unit": "%",
            "n": n,
            "split": SPLIT,
        }
        for way, by_factor in found.items()
        for factor, errors in by_factor.items()
        for name, value in errors.items()
    ]


def _tables(found: dict, line: dict, factors: tuple[int, ...]) -> tuple[Table, ...]:
    return tuple(
        Table(
            f"Relative L2 error of features [%], {way}",
            ["", *(f"{factor} times" for factor in factors), HALVED],
            [
                [
                    name,
                    *(number(by_factor[factor][name]) for factor in factors),
                    number(line[name]),
                ]
                for name in FEATURES
            ],
        )
        for way, by_factor in found.items()
    )


def _said(found: dict, line: dict, dt: float) -> tuple[str, ...]:
    kept = found[BY_FILTER].get(FACTOR)
    lines = [
        f"Traces solved every {dt:g} ms, against the same traces on coarser grids. A feature that "
        f"is lost counts as wholly wrong."
    ]
    if kept is not None:
        above = [name for name in FEATURES if kept[name] > line[name]]
        lines.append(
            f"{FACTOR} times coarser and low-passed, as surrogates are trained: "
            f"{len(FEATURES) - len(above)} of {len(FEATURES)} features change by less than half "
            f"the solver's step does; more: {', '.join(above) or 'none'}."
        )
    return tuple(lines)


def _picture(found: dict, line: dict, factors: tuple[int, ...]) -> str:
    colours = {BY_FILTER: SURROGATE, BY_POINT: BLUE}
    with panels(3, 5, 1.75, 1.2, sharex=True) as (figure, axes):
        for ax, name in zip(axes.flat, FEATURES, strict=True):
            ax.axhline(line[name], color=GREY, lw=1)
            for way, by_factor in found.items():
                y = [by_factor[factor][name] for factor in factors]
                ax.plot(factors, y, color=colours[way], marker="o", ms=3, lw=1)
            ax.set_ylim(bottom=0)
            ax.set_title(name, loc="left", fontsize=7)
            ax.axvline(FACTOR, color="#e3e7ec", lw=4, zorder=0)
        for ax in axes[-1]:
            ax.set_xlabel("times coarser")
        for ax in axes[:, 0]:
            ax.set_ylabel("%")
        legend(figure, [(way, c, "-", "o") for way, c in colours.items()])
        return svg(figure)
