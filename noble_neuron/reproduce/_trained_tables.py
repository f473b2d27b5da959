"""Records and tables of surrogates trained anew, each beside its rivals and the paper's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..compare.evaluation import FLOOR, INTERPOLATED, NEAREST, SURROGATE, EvaluationResult
from ..compare.metrics import FIGURES, Group
from ..compare.tables import Table, number
from ._trained import KEPT, SHOWN, SMOKE, Judged, Row, Sizes
from .outcome import Outcome, finite


def records(name: str, answer: str, result: EvaluationResult, mark: str = "") -> list[dict]:
    """One record per group and figure of one answer: NAME/group/figure."""
    return [
        {
            "figure": f"{name}/{kind}/{figure}",
            "value": group.values[figure],
            "unit": FIGURES[figure][1],
            "n": group.n,
            "split": mark + split,
        }
        for split, answers in result.scores.items()
        for kind, group in answers.get(answer, {}).items()
        for figure in KEPT
    ]


def outcome(
    name: str,
    rows: Sequence[Row],
    found: Mapping[str, Judged],
    sizes: Sizes,
    paper: str,
    said: tuple[str, ...],
) -> Outcome:
    """Records and tables of every row beside its rivals and the paper's.

    Args:
        name: Of the item.
        rows: In the order of the tables.
        found: What became of each.
        sizes: How much was trained.
        paper: Where the paper judges: `ON_CURRENTS` or `ON_CELLS`.
        said: What the page says.
    """
    mark, kept = SMOKE * sizes.smoke, []
    for row in rows:
        one = found[row.name]
        kept += records(row.name, SURROGATE, one.result, mark)
        kept += records(f"{row.name}: {NEAREST}", NEAREST, one.result, mark)
        kept += [
            {"figure": f"{row.name}: training traces", "value": len(one.split.train)},
            {"figure": f"{row.name}: training", "value": one.minutes, "unit": "min"},
        ]
        kept += [
            {
                "figure": f"paper: {row.name}/all/{figure}",
                "value": value,
                "unit": FIGURES[figure][1],
                "split": mark + paper,
            }
            for figure, value in zip(SHOWN, row.paper, strict=bool(row.paper))
        ]
    last = found[rows[-1].name].result
    for rival in (INTERPOLATED, FLOOR):
        kept += records(rival, rival, last, mark)
    warned = (
        "A smoke run: it shows that the path works. Its figures say nothing and are to be "
        "quoted nowhere; --scale small and --scale full are trainings.",
    ) * sizes.smoke
    return Outcome(
        f"{SMOKE.rstrip(': ').capitalize()}: {name}" if sizes.smoke else name.capitalize(),
        (*warned, scale_said(sizes, found), *said),
        finite(kept),
        tuple(
            _table(f"{mark}{split}, {kind} currents", split, kind, rows, found, paper)
            for split in last.scores
            for kind in ("all", "firing")
        ),
    )


def scale_said(sizes: Sizes, found: Mapping[str, Judged]) -> str:
    """How much the rows were trained, in words."""
    traces = sorted({len(one.split.train) for one in found.values()})
    epochs = ", ".join(f"{name} {n} epochs" for name, n in sizes.epochs.items())
    took = [one.minutes for one in found.values()]
    return (
        f"Each surrogate: {' or '.join(map(str, traces))} training traces; the built-in recipe"
        f"{' but for ' + epochs if epochs else ''}; {min(took):.1f} to {max(took):.1f} minutes."
    )


def _table(
    title: str, split: str, kind: str, rows: Sequence[Row], found: Mapping, paper: str
) -> Table:
    head = ["", "n", *(f"{FIGURES[f][0]} [{FIGURES[f][1]}]" for f in KEPT)]

    def line(name: str, group: Group) -> list[str]:
        return [name, str(group.n), *(number(group.values[f]) for f in KEPT)]

    body, rest = [], len(KEPT) - len(SHOWN)
    for row in rows:
        answers = found[row.name].result.scores[split]
        body.append(line(row.name, answers[SURROGATE][kind]))
        body.append(line(f"({row.name}: {NEAREST})", answers[NEAREST][kind]))
        if row.paper and (split, kind) == (paper, "all"):
            said = [number(x) for x in row.paper]
            body.append([f"(paper: {row.name})", "", *said, *["–"] * rest])
    for rival in (INTERPOLATED, FLOOR):
        if rival in answers:
            body.append(line(f"({rival})", answers[rival][kind]))
    return Table(title, head, body)
