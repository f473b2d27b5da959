"""Square steps of other onsets and durations than the trained one: what they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..compare import metrics
from ..compare.baselines import spike_free
from ..compare.canvas import FLOOR, FULL, SURROGATE, legend, panels, svg
from ..compare.side_by_side import chosen
from ..compare.tables import Table, number
from ..protocols.protocol import Protocol
from ..protocols.stimuli import Step
from ..simulate.plan import Sample
from .bench import Bench
from .outcome import group_records

TOTAL = 515.0  # ms, of the paper's protocol
HYPERPOLARISING = -0.05  # nA
AFTER = 10.0  # ms after the step, when the last spike is over
MULTIPLES = (0.9, 1.05, 1.2, 1.5, 1.9)  # of each cell's I_thr
OWN, ORACLE, HALVED = "surrogate", "spike-free oracle", "floor (full model at dt/2)"
COLUMNS = (
    "count_right",
    "spikecount_mean",
    "missed_onsets",
    "time_to_first_spike",
    "AP1_width",
    "mean_AP_amplitude",
    "voltage_l2",
)


@dataclass(frozen=True)
class Sizes:
    """How much is simulated.

    Attributes:
        cells: How many, a third of them held out.
        floor: Whether the full model is solved again at half its step.
    """

    cells: int
    floor: bool = True


SIZES = {"quick": Sizes(9), "full": Sizes(60)}


def step(amplitude: float, onset: float, duration: float) -> Protocol:
    """A square step in the paper's 515 ms."""
    return Protocol(f"step {amplitude:g} nA", TOTAL, (Step(amplitude, onset, duration),))


@dataclass(frozen=True)
class Condition:
    """One kind of step, of all cells and currents.

    Attributes:
        name: Of the condition.
        window: Onset and offset [ms].
        truth: Full model [mV], shape (n, steps).
        answers: Name -> voltage [mV], same shape.
        scores: Name -> group -> figures.
        outside: Name -> largest error of the voltage before the step and from 10 ms after it on
            [mV], mean over traces.
        warnings: What the surrogate warned of.
    """

    name: str
    window: tuple[float, float]
    truth: np.ndarray
    answers: dict[str, np.ndarray]
    scores: dict[str, dict[str, metrics.Group]]
    outside: dict[str, float]
    warnings: tuple[str, ...]


class Steps:
    """Cells and currents that every condition shares.

    Attributes:
        cells: The cells.
        which: Cell of each trace, an index of `cells`, shape (n,).
        amplitudes: Current of each trace [nA], shape (n,).
    """

    def __init__(self, bench: Bench, sizes: Sizes) -> None:
        self.bench, self.sizes = bench, sizes
        self.cells = chosen(bench.study, min(sizes.cells, len(bench.study.cells)))
        thresholds = bench.study.latents(["I_thr"])
        own = [
            [HYPERPOLARISING, *(m * thresholds[c.name][0] for m in MULTIPLES)] for c in self.cells
        ]
        self.amplitudes = np.round(np.ravel(own), 6)
        self.which = np.repeat(np.arange(len(self.cells)), 1 + len(MULTIPLES))

    def condition(
        self,
        name: str,
        onset: float,
        duration: float,
        rivals: Mapping[str, Callable[[], np.ndarray]] | None = None,
    ) -> Condition:
        """Simulate, ask and score one kind of step.

        Args:
            name: Of the condition.
            onset: Of the step [ms].
            duration: Of the step [ms].
            rivals: Further answers, on the surrogate's grid.
        """
        bench, window = self.bench, (onset, onset + duration)
        protocols = [step(float(a), onset, duration) for a in self.amplitudes]
        samples = [Sample(int(k), p) for k, p in zip(self.which, protocols, strict=True)]
        key = f"steps-{onset:g}-{duration:g}"
        truth = bench.voltages(key, self.cells, samples)
        asked = bench.answered(protocols, self.latent)
        answers = {OWN: asked.voltage, **{k: make() for k, make in (rivals or {}).items()}}
        answers[ORACLE] = spike_free(truth, bench.surrogate.card.dt)
        if self.sizes.floor:
            answers[HALVED] = bench.voltages(f"{key}-halved", self.cells, samples, halved=True)
        true = bench.features(truth, window)
        scores = {
            answer: metrics.score(v, truth, bench.features(v, window), true, duration)
            for answer, v in answers.items()
        }
        t = np.arange(truth.shape[1]) * bench.surrogate.card.dt
        rest = (t < onset) | (t > onset + duration + AFTER)
        outside = {
            answer: float(np.abs(v - truth)[:, rest].max(axis=1).mean())
            for answer, v in answers.items()
        }
        return Condition(name, window, truth, answers, scores, outside, asked.warnings)

    @property
    def latent(self) -> np.ndarray:
        """Latent point of each trace's cell, shape (n, k)."""
        points = [self.bench.latents[cell.name] for cell in self.cells]
        return np.array(points, dtype=float)[self.which]


def records(conditions: Sequence[Condition]) -> list[dict]:
    """One record per condition, answer, group and figure; and how often it warned."""
    rows = []
    for each in conditions:
        for answer, groups in each.scores.items():
            rows += group_records(answer, groups, each.name)
        rows += [
            {
                "figure": f"{answer}/all/outside the step, largest error",
                "value": value,
                "unit": "mV",
                "n": each.scores[answer]["all"].n,
                "split": each.name,
            }
            for answer, value in each.outside.items()
        ]
        rows.append(
            {"figure": "kinds of warning", "value": len(each.warnings), "split": each.name}
        )
    return rows


def tables(conditions: Sequence[Condition]) -> tuple[Table, ...]:
    """Firing traces, a row per condition and answer; and false spikes on silent ones."""
    head = [
        "",
        "n",
        *(f"{metrics.FIGURES[f][0]} [{metrics.FIGURES[f][1]}]" for f in COLUMNS),
        "spikes when silent",
        "outside the step, largest error [mV]",
    ]
    rows = []
    for each in conditions:
        for answer, groups in each.scores.items():
            firing = groups["firing"]
            rows.append(
                [
                    f"{each.name}: {answer}",
                    str(firing.n),
                    *(number(firing.values[f]) for f in COLUMNS),
                    number(groups["silent"].values["false_spikes"]) if groups["silent"].n else "–",
                    number(each.outside[answer]),
                ]
            )
    return (Table("Traces that fire, and what silent ones show", head, rows),)


def drawn(steps: Steps, conditions: Sequence[Condition]) -> str:
    """One held-out cell, if there is one, under two currents in every condition."""
    roles = steps.bench.study.roles
    k = next((i for i, c in enumerate(steps.cells) if roles[c.name] == "held out"), 0)
    own = np.flatnonzero(steps.which == k)
    picked = own[[3, len(own) - 1]]
    dt = steps.bench.surrogate.card.dt
    with panels(len(picked), len(conditions), 2.35, 1.35, sharex=True, sharey=True) as (
        figure,
        axes,
    ):
        for j, each in enumerate(conditions):
            t = np.arange(each.truth.shape[1]) * dt
            for i, row in enumerate(picked):
                ax = axes[i, j]
                ax.axvspan(*each.window, color="#f3f5f8", lw=0, zorder=0)
                ax.plot(t[::2], each.truth[row, ::2], color=FULL, lw=0.8)
                ax.plot(t[::2], each.answers[OWN][row, ::2], color=SURROGATE, lw=0.6, alpha=0.9)
                if i == 0:
                    ax.set_title(each.name, loc="left")
                ax.set_title(
                    f"{steps.amplitudes[row]:.2f} nA", loc="right", color="#8a93a1", fontsize=7
                )
        for ax in axes[-1]:
            ax.set_xlabel("ms")
        for ax in axes[:, 0]:
            ax.set_ylabel("mV")
        legend(figure, [("full simulation", FULL, "-", ""), ("surrogate", SURROGATE, "-", "")])
        return svg(figure)


def curves(conditions: Sequence[Condition], x: Sequence[float], label: str, trained: float) -> str:
    """Three errors of firing traces against what was varied; the trained value is marked."""
    from itertools import cycle

    names = ("spikecount_mean", "time_to_first_spike", "AP1_width", "mean_AP_amplitude")
    colours = {OWN: SURROGATE, HALVED: FLOOR}
    spare = cycle(["#6b8e23", "#8a93a1"])
    answers = [a for a in conditions[0].scores if a != ORACLE]
    for answer in answers:
        colours.setdefault(answer, next(spare))
    with panels(1, len(names), 2.2, 1.8, sharex=True) as (figure, axes):
        for ax, name in zip(axes[0], names, strict=True):
            ax.axvline(trained, color="#d5dae1", lw=5, zorder=0)
            for answer in answers:
                y = [
                    c.scores[answer]["firing"].values[name] if answer in c.scores else np.nan
                    for c in conditions
                ]
                ax.plot(x, y, color=colours[answer], marker="o", ms=3.5, lw=1)
            ax.set_title(f"{metrics.FIGURES[name][0]} [{metrics.FIGURES[name][1]}]", loc="left")
            ax.set_xlabel(label)
            ax.set_ylim(bottom=0)
        legend(figure, [(a, colours[a], "-", "o") for a in answers])
        return svg(figure)
