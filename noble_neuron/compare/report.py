"""The comparison as one HTML file that needs no other: no script, no link, no font to fetch."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import plots
from .page import facts_line, made_with, picture, section, whole, written
from .tables import cells_table, counts_table, number, records_tables, scores_table, times_table

if TYPE_CHECKING:
    from .side_by_side import ComparisonResult


def write(result: ComparisonResult, path: Path) -> Path:
    """Write the report to `path`, whole or not at all."""
    return written(page(result), path)


def page(result: ComparisonResult) -> str:
    """The report as HTML."""
    name = html.escape(result.surrogate.card.ensemble)
    title = f"{name}: full simulation and surrogate, side by side"
    parts = [
        f"<h1>{title}</h1>",
        _lead(result),
        _facts(result),
        _trust(result),
        section(
            "Voltage",
            picture(
                plots.overlays(result),
                "Somatic voltage over the whole protocol: a row per cell, a column per current.",
            ),
            picture(plots.close_ups(result), "The same about the onset of the step."),
        ),
        section(
            "Firing",
            picture(plots.fi_curves(result), "F-I curves: spikes over the duration of the step."),
            counts_table(result).html(),
        ),
        section(
            "Features",
            picture(
                plots.feature_pairs(result),
                "A dot per trace where both have the feature; on the line they agree.",
            ),
            cells_table(result).html(),
        ),
        section(
            "Errors beside their baselines",
            _errors_text(),
            picture(
                plots.errors(result), "Errors on the currents that make the full simulation fire."
            ),
            *(
                scores_table(f"{group.capitalize()} currents", result.scores, group).html()
                for group in ("firing", "silent")
                if result.scores["surrogate"][group].n
            ),
        ),
        section("Errors on the card", *_card_errors(result)),
        section("Latent space", picture(plots.latent_plane(result), _latent_text(result))),
        section(
            "Wall time",
            times_table(result).html(),
            "<p class=soft>Both in one process on "
            "this machine; building the cell and loading the weights not counted.</p>",
        ),
        _footer(result),
    ]
    return whole(title, parts)


def _lead(result: ComparisonResult) -> str:
    a, (onset, offset) = result.amplitudes, result.window
    return (
        f"<p>{len(result.cells)} cells, each under {a.shape[1]} square currents of "
        f"{offset - onset:.0f} ms, {number(a.min())} to {number(a.max())} nA: once as "
        f"multi-compartment models in NEURON, once as one call of a neural operator.</p>"
    )


def _facts(result: ComparisonResult) -> str:
    firing = result.scores["surrogate"]["firing"].values
    single, batch = result.seconds.ratios
    facts = [
        (number(firing["spikecount_mean"]) + " %", "spike count, mean error when firing"),
        (number(firing["time_to_first_spike"]) + " ms", "first spike, mean error"),
        (number(firing["mean_AP_amplitude"]) + " %", "spike amplitude, relative error"),
        (number(single) + "×", "faster, one trace at a time"),
        (number(batch) + "×", f"faster, {result.seconds.traces} traces at once"),
    ]
    return facts_line(facts)


def _trust(result: ComparisonResult) -> str:
    """What limits the use of these answers, in sentences made from the figures."""
    warned = [f"<p class=warning>{html.escape(text)}</p>" for text in result.warnings]
    said = [*_limits(result), *result.surrogate.card.notes]
    bullets = "".join(f"<li>{html.escape(line)}</li>" for line in said)
    return section("How far to trust it", *warned, f"<ul>{bullets}</ul>")


def _limits(result: ComparisonResult) -> list[str]:
    own, scores = result.scores["surrogate"]["firing"], result.scores
    low, high = result.surrogate.card.current_range
    beyond = [a for a in result.amplitudes.flat if not low - 1e-9 <= a <= high + 1e-9]
    lines = [
        f"Trained on currents from {number(low)} to {number(high)} nA"
        + (f"; {len(beyond)} of those asked lie beyond." if beyond else "; all asked lie within."),
        f"{sum(c.outside > 1e-6 for c in result.cells)} of {len(result.cells)} cells lie outside "
        f"the hull of the training cells.",
    ]
    if own.n:
        oracle = scores["spike-free oracle"]["firing"].values["voltage_l2"]
        floor = scores["full model at dt/2"]["firing"].values
        lines += [
            f"A relative L2 of {number(own.values['voltage_l2'])} % when firing has to be seen "
            f"beside the {number(oracle)} % of the truth with all its spikes taken out; judge by "
            f"spikes.",
            f"The full model differs from itself, solved at half its time step, by "
            f"{number(floor['voltage_l2'])} % in voltage and {number(floor['spikecount_mean'])} % "
            f"in spike count: an answer closer than that has learnt the solver's step too.",
            f"The surrogate stays silent on {number(own.values['missed_onsets'])} of {own.n} "
            f"traces that fire.",
        ]
    silent = scores["surrogate"]["silent"]
    if silent.n:
        lines.append(
            f"On {silent.n} silent traces it makes "
            f"{number(silent.values['false_spikes'])} spikes per trace."
        )
    return lines


def _errors_text() -> str:
    return (
        "<p>The oracles know the truth and leave out its spikes; the full model at half its time "
        "step is the floor. Where regular firing drifts out of step, even the floor can do worse "
        "in a voltage norm than no spikes at all, so judge by the spike figures. A feature that "
        "an answer lacks counts as wholly wrong.</p>"
    )


def _card_errors(result: ComparisonResult) -> list[str]:
    """What was measured when the surrogate was made, on samples it had not seen."""
    tables = records_tables(result.surrogate.card.errors)
    if not tables:
        return [
            "<p>The card holds no measured errors; <code>noble-neuron evaluate</code> makes "
            "them.</p>"
        ]
    said = "<p>Measured on samples of its own training set that it had not seen.</p>"
    return [said, *(table.html() for table in tables)]


def _latent_text(result: ComparisonResult) -> str:
    k = len(result.surrogate.latent_space.names)
    text = "Grey: the hull of all training cells, inside which the surrogate interpolates."
    return text + (f" The first two of {k} coordinates are drawn." if k > 2 else "")


def _footer(result: ComparisonResult) -> str:
    cells = ", ".join(np.unique([cell.role for cell in result.cells]))
    return (
        f"<footer><p>{made_with()} Cells: {cells}. Grid {result.surrogate.card.dt:g} ms; "
        f"spikes cross {result.surrogate.threshold:g} mV. Weights: "
        f"{html.escape(result.surrogate.card.licence)}.</p></footer>"
    )
