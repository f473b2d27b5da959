"""Tables of a comparison of networks, as text or as HTML."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from .activity import DISTANCES, EVENTS, FIGURES, REPLAY
from .network_runs import FULL, HALF, REPLAYED, REPLAYED_HALF, SEED, SWAPPED
from .tables import Table, number

if TYPE_CHECKING:
    from .network import NetworkComparison


def figures_table(result: NetworkComparison) -> Table:
    """What each run did: a row per population and figure."""
    runs = (FULL, SWAPPED, HALF, SEED)
    return _table(
        "What each run did", FIGURES, runs, result.figures, lambda pop: _cells(result, pop)
    )


def distances_table(result: NetworkComparison) -> Table:
    """Distances from the full network, the swapped one's beside the floor."""
    return _table(
        "Distance from the full network",
        DISTANCES,
        (SWAPPED, HALF, SEED),
        result.distances,
        lambda pop: _cells(result, pop),
    )


def replay_table(result: NetworkComparison) -> Table:
    """Spikes and voltages on the same input."""
    table = _table(
        "Agreement with the full network, spike by spike",
        REPLAY,
        (REPLAYED, REPLAYED_HALF, SEED),
        result.replay,
        lambda pop: _cells(result, pop),
    )
    head = [*table.head[:-1], "by chance: full, other seed"]
    return Table(table.title, head, table.rows)


def _table(title, names, runs, values, over: Callable[[str], str]) -> Table:
    rows = []
    for pop, by_run in values.items():
        for key, (label, unit) in names.items():
            cell = f"{pop} ({over(pop)}): {label}" + (f" [{unit}]" if unit else "")
            rows.append([cell, *(number(by_run[run][key]) for run in runs)])
    return Table(title, ["", *runs], rows)


def psps_table(result: NetworkComparison) -> Table:
    """Amplitude and time of peak of single synaptic events."""
    runs = (FULL, SWAPPED, HALF)
    head = ["synapse", *(f"amplitude, {run} [mV]" for run in runs)]
    head += [f"peak, {run} [ms]" for run in runs]
    rows = [
        [
            f"{psp.source}, {psp.synapse}, {psp.section} of cell {psp.gid}",
            *(number(psp.amplitude(run)) for run in runs),
            *(number(psp.peak(run)) for run in runs),
        ]
        for psp in result.psps
    ]
    return Table("Single events, everything else silent", head, rows)


def psp_errors_table(result: NetworkComparison) -> Table:
    """How far the PSPs of each swapped population are off, over all of them."""

    def number_of(pop: str) -> str:
        return f"{sum(psp.pop == pop for psp in result.psps)} events"

    errors = {pop: result.psp_errors(pop) for pop in result.swaps}
    return _table("Errors of single events", EVENTS, (SWAPPED, HALF), errors, number_of)


def costs_table(result: NetworkComparison) -> Table:
    """Time and memory of the full and the swapped network, and their ratio."""
    full, swapped = (result.runs[name] for name in (FULL, SWAPPED))
    rows = []
    for key, label in (
        ("load", "load the model's files, and the surrogate's [s]"),
        ("build", "build the network [s]"),
        ("run", f"run {full.duration:.0f} ms [s]"),
    ):
        rows.append(_ratio(label, full.seconds[key], swapped.seconds[key]))
    rows.append(_ratio("memory at its peak [MB]", full.memory["peak"], swapped.memory["peak"]))
    grown = [run.memory["peak"] - run.memory["before"] for run in (full, swapped)]
    rows.append(_ratio("of which for the network and its run [MB]", *grown))
    return Table(
        "Wall time and memory, a process each, one core",
        ["", FULL, SWAPPED, "full / swapped"],
        rows,
    )


def _ratio(label: str, full: float, swapped: float) -> list[str]:
    return [label, number(full), number(swapped), number(full / swapped if swapped else np.nan)]


def comparison_text(result: NetworkComparison) -> str:
    """Everything a terminal should show."""
    tables = [figures_table(result), distances_table(result), replay_table(result)]
    tables += [psps_table(result), psp_errors_table(result)] if result.psps else []
    parts = [table.text() for table in (*tables, costs_table(result))]
    return "\n\n".join([*parts, *(f"note: {text}" for text in result.notes)])


def _cells(result: NetworkComparison, pop: str) -> str:
    return f"{len(result.runs[FULL].pops[pop])} cells"
