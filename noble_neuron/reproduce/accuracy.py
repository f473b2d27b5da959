"""Errors on currents that nobody has seen, of cells that trained the surrogate and of others.

Sections 4.2 and 4.3 and appendix D of the paper; the paper's own figures stand beside, though of
its own cell and of all currents together. The baselines that look up know the training traces of
the built-in surrogate's own recipe (60 currents per cell, split by seed), simulated here again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from ..compare.canvas import FLOOR, GREY, SURROGATE, legend, panels, svg
from ..compare.evaluation import EvaluationResult, evaluate
from ..compare.metrics import FIGURES
from ..compare.tables import PAPER, number, scores_table
from ..simulate.plan import Sample
from ..simulate.suite import noble_samples
from ..store.hdf5 import Dataset
from ..training.split import split_samples
from .bench import Bench
from .outcome import Outcome, finite

TRAINING, HELD_OUT = "training cells", "held-out cells"
ON_PAPER = "paper, on its own cell"
SHOWN = tuple(PAPER[TRAINING])
TRAINED_SEED = 1  # of the training set of the built-in recipe


@dataclass(frozen=True)
class Sizes:
    """How much is simulated.

    Attributes:
        known: Currents per cell of the training set that the baselines look up in.
        fresh: New currents per cell.
        floor: Of those, how many per kind of cell are solved again at half the step.
        seed: Of the new currents.
    """

    known: int
    fresh: int
    floor: int
    seed: int = 20261207


SIZES = {"quick": Sizes(60, 10, 40), "full": Sizes(60, 100, 400)}


def run(bench: Bench) -> Outcome:
    """Errors at the bench's scale."""
    return measure(bench, bench.size(SIZES))


def measure(bench: Bench, sizes: Sizes) -> Outcome:
    """Errors, beside the baselines of `compare.baselines` and the paper's own."""
    study = bench.study
    known = training_samples(bench, sizes.known)
    fresh = noble_samples(study, sizes.fresh, sizes.seed)
    with (
        Dataset.open(bench.simulated("accuracy-known", study.cells, known)) as looked_up,
        Dataset.open(bench.simulated("accuracy-fresh", study.cells, fresh)) as judged,
    ):
        bench.say("accuracy: features of all traces")
        result = evaluate(
            bench.surrogate,
            judged,
            bench.latents,
            by_role(bench, judged),
            looked_up.ok,
            training_set=looked_up,
            cells=study.cells,
            floor_samples=sizes.floor,
        )
    rows = [{**row, "seed": sizes.seed} for row in [*result.records(), *_paper()]]
    return Outcome(
        f"Accuracy of the surrogate of {bench.surrogate.card.ensemble}",
        _said(result),
        finite(rows),
        tuple(
            scores_table(
                f"{split}, {group} currents",
                answers,
                group,
                PAPER[split] if group == "all" else None,
            )
            for split, answers in result.scores.items()
            for group in ("all", "firing", "silent")
            if answers["surrogate"][group].n
        ),
        {"The paper's five errors, all currents together, as there.": _picture(result)},
    )


def training_samples(bench: Bench, per_cell: int) -> list[Sample]:
    """What the built-in recipe trains on: the samples of its split's `train`."""
    study = bench.study
    samples = noble_samples(study, per_cell, TRAINED_SEED)
    held_out = [study.cells[k].name for k in study.held_out]
    split = split_samples(
        [study.cells[s.cell].name for s in samples],
        [json.dumps(s.protocol.to_dict()["stimuli"], sort_keys=True) for s in samples],
        held_out,
        seed=0,
    )
    return [samples[row] for row in split.train]


def by_role(bench: Bench, data: Dataset) -> dict[str, np.ndarray]:
    """Rows that have a trace, by the role of their cell."""
    roles = np.array([bench.study.roles[str(name)] for name in data.table["cell"]])
    found = {
        name: np.intersect1d(data.ok, np.flatnonzero(roles == role))
        for name, role in ((TRAINING, "training"), (HELD_OUT, "held out"))
    }
    return {name: rows for name, rows in found.items() if len(rows)}


def _paper() -> list[dict]:
    return [
        {
            "figure": f"{ON_PAPER}/all/{figure}",
            "value": value,
            "unit": FIGURES[figure][1],
            "split": split,
        }
        for split, values in PAPER.items()
        for figure, value in values.items()
    ]


def _said(result: EvaluationResult) -> tuple[str, ...]:
    lines = [
        "New currents of the paper's square step, drawn for each cell about its own threshold, "
        "up to twice that; no surrogate was trained or chosen on them. Firing and silent is what "
        "the full model does. The paper's figures are of another cell with other currents: "
        "neither smaller nor larger than they is by itself a result."
    ]
    for split, answers in result.scores.items():
        own, near = (
            answers[name]["firing"].values for name in ("surrogate", "nearest training trace")
        )
        line = (
            f"{split}, firing: counts right in {number(own['count_right'])} % (the nearest "
            f"training trace: {number(near['count_right'])} %), spike count off by "
            f"{number(own['spikecount_mean'])} % ({number(near['spikecount_mean'])} %), width by "
            f"{number(own['AP1_width'])} % ({number(near['AP1_width'])} %)."
        )
        if result.outside[split]:
            line += (
                f" {result.outside[split]} of its traces are of cells outside the hull of the "
                f"training cells."
            )
        lines.append(line)
    return tuple(lines)


def _picture(result: EvaluationResult) -> str:
    """The five errors of appendix D.2 on a log scale, a panel per kind of cell."""
    marks = {
        "surrogate": (SURROGATE, "o"),
        "nearest training trace": (GREY, "s"),
        "floor (full model at dt/2)": (FLOOR, "^"),
        "spike-free oracle": ("#b9c0ca", "D"),
    }
    splits = list(result.scores)
    with panels(1, len(splits), 4.4, 1.9, sharey=True) as (figure, axes):
        for ax, split in zip(axes[0], splits, strict=True):
            for answer, (colour, marker) in marks.items():
                if answer not in result.scores[split]:
                    continue
                values = np.array(
                    [result.scores[split][answer]["all"].values[name] for name in SHOWN]
                )
                y = np.flatnonzero(np.isfinite(values) & (values > 0))
                ax.scatter(values[y], y, color=colour, marker=marker, s=30, zorder=3)
            paper = [PAPER[split][name] for name in SHOWN]
            ax.scatter(paper, range(len(SHOWN)), color="#20242b", marker="x", s=30, zorder=2)
            ax.set_xscale("log")
            ax.xaxis.set_major_formatter("{x:g}")
            ax.set_yticks(range(len(SHOWN)), [FIGURES[name][0] for name in SHOWN])
            ax.grid(axis="y", color="#e8ebef", lw=0.8)
            ax.set_title(split, loc="left")
            ax.set_xlabel("error [%]")
        axes[0, 0].invert_yaxis()
        shown = [(name, colour, "", marker) for name, (colour, marker) in marks.items()]
        legend(figure, [*shown, (ON_PAPER, "#20242b", "", "x")])
        return svg(figure)
