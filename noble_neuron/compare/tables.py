"""Tables of figures: built once, printed as text or as HTML."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..units import unit
from .metrics import FIGURES, Group, relative_error

if TYPE_CHECKING:
    from ..simulate.study import Study
    from .side_by_side import ComparisonResult

# Ghafourpour et al. 2025, section 4.2 and table 2: their cell, all currents together.
PAPER = {
    "training cells": {
        "voltage_l2": 2.18,
        "spikecount": 3.0,
        "AP1_width": 32.8,
        "mean_AP_amplitude": 8.54,
        "steady_state_voltage": 0.83,
    },
    "held-out cells": {
        "voltage_l2": 11.7,
        "spikecount": 9.2,
        "AP1_width": 350.0,
        "mean_AP_amplitude": 14.0,
        "steady_state_voltage": 2.0,
    },
}
_HEAD = 12  # characters, of a folded column head in a terminal
_NOT_SHOWN = {
    "firing": ("false_spikes",),
    "all": ("false_spikes",),
    "silent": (
        "spikecount",
        "spikecount_mean",
        "missed_onsets",
        "AP1_width",
        "mean_AP_amplitude",
        "time_to_first_spike",
    ),
}


@dataclass(frozen=True)
class Table:
    """A heading, column heads, and rows of cells that are already text."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> str:
        """For a terminal: first column to the left, the others to the right."""
        heads = [textwrap.wrap(cell, _HEAD, break_long_words=False) for cell in self.head]
        high = max(len(folded) for folded in heads)
        top = [
            [h[k - high + len(h)] if k - high + len(h) >= 0 else "" for h in heads]
            for k in range(high)
        ]
        lines = [*top, *(list(row) for row in self.rows)]
        widths = [max(len(line[k]) for line in lines) for k in range(len(self.head))]
        done = [
            "  ".join(
                cell.ljust(w) if k == 0 else cell.rjust(w)
                for k, (cell, w) in enumerate(zip(line, widths, strict=True))
            )
            for line in lines
        ]
        done.insert(high, "  ".join("-" * w for w in widths))
        return "\n".join([self.title, *(f"  {line.rstrip()}" for line in done)])

    def html(self) -> str:
        """For a page."""
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in self.head)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self.rows
        )
        return (
            f"<figure><figcaption>{html.escape(self.title)}</figcaption><div class=wide>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></figure>"
        )


def number(value: float) -> str:
    """Three significant digits, no exponent, whole numbers whole; a dash where there is none."""
    if value is None or not np.isfinite(value):
        return "–"
    if value == 0 or isinstance(value, int):
        return str(int(value))
    digits = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{value:.{min(digits, 4)}f}"


def scores_table(
    title: str,
    scores: Mapping[str, Mapping[str, Group]],
    group: str,
    paper: Mapping[str, float] | None = None,
) -> Table:
    """One row per answer, one column per figure."""
    figures = [f for f in FIGURES if f not in _NOT_SHOWN[group]]
    head = ["", "n", *(f"{FIGURES[f][0]} [{FIGURES[f][1]}]" for f in figures)]
    rows = [
        [name, str(groups[group].n), *(number(groups[group].values[f]) for f in figures)]
        for name, groups in scores.items()
    ]
    if paper:
        rows.append(["(paper, on its own cell)", "", *(number(paper.get(f)) for f in figures)])
    return Table(title, head, rows)


def records_tables(records: Any) -> list[Table]:
    """Tables of what `EvaluationResult.records` wrote; none of anything else."""
    if not isinstance(records, list):
        return []
    found: dict[tuple[str, str], dict[str, dict[str, dict]]] = {}
    for record in records:
        answer, group, figure = record["figure"].rsplit("/", 2)
        answers = found.setdefault((record["split"], group), {})
        answers.setdefault(answer, {})[figure] = record
    tables = []
    for (split, group), answers in found.items():
        if group == "all":
            continue
        figures = [f for f in FIGURES if f not in _NOT_SHOWN[group]]
        head = ["", "n", *(f"{FIGURES[f][0]} [{FIGURES[f][1]}]" for f in figures)]
        rows = [
            [
                answer,
                str(next(iter(own.values()))["n"]),
                *(number(own[f]["value"]) if f in own else "–" for f in figures),
            ]
            for answer, own in answers.items()
        ]
        tables.append(Table(f"{split}, {group} currents", head, rows))
    return tables


def scores_text(scores: Mapping[str, Mapping[str, Mapping[str, Group]]]) -> str:
    """All splits and groups of an evaluation."""
    tables = [
        scores_table(f"{split}, {group} currents", answers, group)
        for split, answers in scores.items()
        for group in ("firing", "silent")
        if next(iter(answers.values()))[group].n
    ]
    return "\n\n".join(table.text() for table in tables)


def cells_table(result: ComparisonResult) -> Table:
    """One row per cell: what full simulation and surrogate say of it over all currents."""
    latent = result.surrogate.latent_space
    head = [
        "cell",
        "role",
        *(f"{n} [{u}]" if u else n for n, u in zip(latent.names, latent.units, strict=True)),
        "outside hull",
        "spikes, full",
        "spikes, surrogate",
        "first spike differs by [ms]",
        "amplitude differs by [mV]",
        "relative L2 [%]",
    ]
    rows = []
    for k, cell in enumerate(result.cells):
        full = {name: v[k] for name, v in result.full_features.items()}
        answer = {name: v[k] for name, v in result.answer_features.items()}
        l2 = relative_error(result.answer[k], result.full[k])
        rows.append(
            [
                cell.name,
                cell.role,
                *(number(x) for x in cell.latent),
                number(cell.outside) if cell.outside > 1e-6 else "no",
                f"{np.nansum(full['spikecount']):.0f}",
                f"{np.nansum(answer['spikecount']):.0f}",
                number(_mean_gap(full, answer, "time_to_first_spike")),
                number(_mean_gap(full, answer, "mean_AP_amplitude")),
                number(100 * l2.mean()),
            ]
        )
    return Table(
        "Each cell over all currents (mean absolute differences where both fire)", head, rows
    )


def counts_table(result: ComparisonResult) -> Table:
    """Spikes per cell and current, full / surrogate."""
    head = ["spikes, full / surrogate", *result.labels]
    full, answer = (f["spikecount"] for f in (result.full_features, result.answer_features))
    rows = [
        [cell.name, *(f"{x:.0f} / {y:.0f}" for x, y in zip(full[k], answer[k], strict=True))]
        for k, cell in enumerate(result.cells)
    ]
    return Table("Spike counts", head, rows)


def times_table(result: ComparisonResult) -> Table:
    """Wall time per trace and the ratio."""
    s = result.seconds
    single, batch = s.ratios
    length = result.t[-1]
    return Table(
        f"Wall time per trace of {length:.0f} ms",
        ["", "ms per trace", "times faster"],
        [
            ["full simulation (one core)", number(1e3 * s.full), "1"],
            [f"surrogate, one at a time ({s.device})", number(1e3 * s.single), number(single)],
            [f"surrogate, {s.traces} together ({s.device})", number(1e3 * s.batch), number(batch)],
        ],
    )


def comparison_text(result: ComparisonResult) -> str:
    """Everything a terminal should show."""
    parts = [cells_table(result).text(), counts_table(result).text()]
    parts += [
        scores_table(f"Errors, {group} currents", result.scores, group).text()
        for group in ("firing", "silent")
        if result.scores["surrogate"][group].n
    ]
    parts.append(times_table(result).text())
    parts += [f"warning: {text}" for text in result.warnings]
    return "\n\n".join(parts)


def _mean_gap(full: Mapping, answer: Mapping, name: str) -> float:
    both = np.isfinite(full[name]) & np.isfinite(answer[name])
    return float(np.abs(answer[name] - full[name])[both].mean()) if both.any() else float("nan")


def study_table(study: Study) -> Table:
    """One row per cell of a study: what its F-I curve says."""
    names = (
        "I_thr",
        "I_rep",
        "s_thr",
        "max_rate",
        "I_block",
        "resting_voltage",
        "input_resistance",
    )
    head = ["cell", "role", *(f"{n} [{unit(n)}]" for n in names)]
    roles = study.roles
    rows = [
        [cell.name, roles[cell.name], *(number(f.get(n, float("nan"))) for n in names)]
        for cell, f in zip(study.cells, study.features, strict=True)
    ]
    return Table(f"{study.name}: {len(study.cells)} cells", head, rows)
