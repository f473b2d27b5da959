"""The comparison as one HTML file that needs no other: no script, no link, no font to fetch."""

from __future__ import annotations

import datetime
import html
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import __version__
from ..files import written_whole
from . import plots
from .tables import cells_table, counts_table, number, records_tables, scores_table, times_table

if TYPE_CHECKING:
    from .side_by_side import ComparisonResult

STYLE = """
:root { color-scheme: light; --ink: #20242b; --soft: #5a626e; --line: #e3e7ec; --warm: #e0561b }
* { box-sizing: border-box }
body { margin: 0; background: #fff; color: var(--ink);
       font: 16px/1.55 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif }
main { max-width: 1080px; margin: 0 auto; padding: 3rem 1.5rem 5rem }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -.015em; margin: 0 0 .4rem }
h2 { font-size: 1.2rem; margin: 3rem 0 .5rem; padding-top: 1rem;
     border-top: 1px solid var(--line) }
p, li { max-width: 70ch } .soft, figcaption, footer { color: var(--soft); font-size: .9rem }
.facts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin: 1.8rem 0 }
.facts b { display: block; font-size: 1.5rem; font-weight: 600; letter-spacing: -.02em }
.facts span { color: var(--soft); font-size: .82rem }
figure { margin: 1.2rem 0 } figcaption { margin-bottom: .4rem }
img { max-width: 100%; height: auto; display: block }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: .84rem; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .55rem; text-align: right; border-bottom: 1px solid var(--line) }
td { white-space: nowrap }
th { color: var(--soft); font-weight: 500; vertical-align: bottom }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: nowrap }
.warning { border-left: 3px solid var(--warm); padding: .1rem 0 .1rem .9rem; margin: .6rem 0 }
@media print { main { padding: 0 } h2 { break-after: avoid } figure { break-inside: avoid } }
"""


def write(result: ComparisonResult, path: Path) -> Path:
    """Write the report to `path`, whole or not at all."""
    text = page(result)
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def page(result: ComparisonResult) -> str:
    """The report as HTML."""
    name = html.escape(result.surrogate.card.ensemble)
    title = f"{name}: full simulation and surrogate, side by side"
    parts = [
        f"<h1>{title}</h1>",
        _lead(result),
        _facts(result),
        _trust(result),
        _section(
            "Voltage",
            _picture(
                plots.overlays(result),
                "Somatic voltage over the whole protocol: a row per cell, a column per current.",
            ),
            _picture(plots.close_ups(result), "The same about the onset of the step."),
        ),
        _section(
            "Firing",
            _picture(plots.fi_curves(result), "F-I curves: spikes over the duration of the step."),
            counts_table(result).html(),
        ),
        _section(
            "Features",
            _picture(
                plots.feature_pairs(result),
                "A dot per trace where both have the feature; on the line they agree.",
            ),
            cells_table(result).html(),
        ),
        _section(
            "Errors beside their baselines",
            _errors_text(),
            _picture(
                plots.errors(result), "Errors on the currents that make the full simulation fire."
            ),
            *(
                scores_table(f"{group.capitalize()} currents", result.scores, group).html()
                for group in ("firing", "silent")
                if result.scores["surrogate"][group].n
            ),
        ),
        _section("Errors on the card", *_card_errors(result)),
        _section("Latent space", _picture(plots.latent_plane(result), _latent_text(result))),
        _section(
            "Wall time",
            times_table(result).html(),
            "<p class=soft>Both in one process on "
            "this machine; building the cell and loading the weights not counted.</p>",
        ),
        _footer(result),
    ]
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<style>{STYLE}</style><main>{''.join(parts)}</main></html>\n"
    )


def _section(heading: str, *parts: str) -> str:
    return f"<section><h2>{heading}</h2>{''.join(parts)}</section>"


def _picture(source: str, caption: str) -> str:
    caption = html.escape(caption)
    return (
        f'<figure><figcaption>{caption}</figcaption><img alt="{caption}" src="{source}"></figure>'
    )


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
    return (
        "<div class=facts>"
        + "".join(f"<div><b>{v}</b><span>{what}</span></div>" for v, what in facts)
        + "</div>"
    )


def _trust(result: ComparisonResult) -> str:
    """What limits the use of these answers, in sentences made from the figures."""
    warned = [f"<p class=warning>{html.escape(text)}</p>" for text in result.warnings]
    said = [*_limits(result), *result.surrogate.card.notes]
    bullets = "".join(f"<li>{html.escape(line)}</li>" for line in said)
    return _section("How far to trust it", *warned, f"<ul>{bullets}</ul>")


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
    when = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    cells = ", ".join(np.unique([cell.role for cell in result.cells]))
    return (
        f"<footer><p>noble_neuron {__version__}, Python {platform.python_version()}, "
        f"{when}. Cells: {cells}. Grid {result.surrogate.card.dt:g} ms; spikes cross "
        f"{result.surrogate.threshold:g} mV. Weights: "
        f"{html.escape(result.surrogate.card.licence)}.</p></footer>"
    )
