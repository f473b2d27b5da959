"""From an archive of candidates to a hall of fame: good, tonic, and not clones.

A candidate qualifies if the mean |z| over all targets is at most 2, none is above 3, and it
fires tonically, at the rates of the specification's trials, wherever the bench tried. The best is
taken first; every further one, in order of mean |z|, must keep a distance from all taken before,
in parameters and in features. Each is then measured anew on a fresh build, with its threshold
bisected to 0.2 pA and its whole range up to twice the threshold; one that fails there is left
out, with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..cells.builtin import FORMAT
from ..cells.spec import HofCell
from ..errors import InputError
from ..files import write_json, written_whole
from ..simulate.characterise import characterise
from ..simulate.kept import Kept
from ..simulate.workers import Job, Workers
from .spec import SearchSpec, Trials

MEAN_Z, WORST_Z = 2.0, 3.0
RANGE = 2.0  # times I_thr: firing must be tonic up to here
CURVE_POINTS = 25  # of the F-I curves


@dataclass(frozen=True)
class Choice:
    """How many models, how far apart, and how many are held out."""

    models: int = 60
    held_out: int = 10
    parameter_distance: float = 0.15  # Euclidean, every parameter on 0...1 of its bounds
    feature_distance: float = 0.5  # Euclidean, in SDs of the targets
    seed: int = 2025


def qualified(spec: SearchSpec, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that qualify, the best first."""
    good = [
        r
        for r in rows
        if r["z"]
        and r["features"].get("untonic", 1) == 0
        and np.mean(np.abs(r["z"])) <= MEAN_Z
        and np.max(np.abs(r["z"])) <= WORST_Z
        and RANGE * r["features"].get("I_thr", 0.0) <= spec.trials.curve_top
    ]
    return sorted(good, key=lambda r: (float(np.mean(np.abs(r["z"]))), str(r["values"])))


def choose(
    spec: SearchSpec,
    rows: Iterable[dict[str, Any]],
    choice: Choice = Choice(),
    workers: int | None = None,
    keep: str | os.PathLike | None = None,
) -> list[dict[str, Any]]:
    """The hall of fame, best first: rows with `measured`, the cell's characteristics.

    Args:
        spec: The search's.
        rows: Its archive's whole models.
        choice: What is asked of the hall of fame.
        workers: Processes; one per core by default.
        keep: JSON-lines file of what was measured, so that a killed call goes on.

    Raises:
        InputError: The archive holds too few models that qualify and differ.
    """
    candidates, taken = qualified(spec, rows), []
    bar = tqdm(total=choice.models, desc=f"{spec.name} choosing", unit="model")
    waiting, notes = list(candidates), Kept(keep, {"trials": asdict(spec.trials)})
    with Workers(workers) as pool:
        while len(taken) < choice.models and waiting:
            batch = _apart(spec, waiting, taken, choice, 2 * pool.count)
            answers = _measured(spec, batch, pool, notes)
            for row, (measured, why) in zip(batch, answers, strict=True):
                if why:
                    bar.write(f"left out (mean |z| {np.mean(np.abs(row['z'])):.2f}): {why}")
                elif len(taken) < choice.models:
                    taken.append(row | {"measured": measured})
                    bar.update()
            seen = [id(row) for row in batch]
            waiting = [row for row in waiting if id(row) not in seen]
    bar.close()
    if len(taken) < choice.models:
        raise InputError(
            f"Only {len(taken)} of {choice.models} models qualify and differ (of "
            f"{len(candidates)} that qualify): search on for more generations, or ask for smaller "
            f"distances."
        )
    return taken


def _measured(spec: SearchSpec, batch: list[dict], pool: Workers, notes: Kept) -> list[tuple]:
    """For each row what `measure` says, or why it says nothing; what is known is not run again."""
    cells = [hof_cell(spec, row["values"], None) for row in batch]
    answers = {}
    for k, cell in enumerate(cells):
        known = notes.get(cell)
        if known is None:
            pool.submit(Job(k, measure, (cell, spec.trials)))
        else:
            answers[k] = known["measured"], known["why"]
    for outcome in pool.outcomes():
        k = outcome.job.key
        answers[k] = outcome.value if outcome.kind == "done" else (None, outcome.text)
        if outcome.kind == "done":
            notes.add(cells[k], dict(zip(("measured", "why"), outcome.value, strict=True)))
    return [answers[k] for k in range(len(batch))]


def _apart(spec, waiting, taken, choice, most) -> list[dict[str, Any]]:
    """The next candidates that keep their distance from all taken, and from each other."""
    batch: list[dict[str, Any]] = []
    for row in waiting:
        if all(apart(spec, row, other, choice) for other in (*taken, *batch)):
            batch.append(row)
            if len(batch) == most:
                break
    return batch


def apart(spec: SearchSpec, one: dict, other: dict, choice: Choice) -> bool:
    """Whether two models differ enough in parameters and in features."""
    dp, df = distances(spec, one, other)
    return dp >= choice.parameter_distance and df >= choice.feature_distance


def distances(spec: SearchSpec, one: dict, other: dict) -> tuple[float, float]:
    """Distance in parameters (unit bounds) and in features (SDs)."""
    dp = [p.unit(one["values"][p.name]) - p.unit(other["values"][p.name]) for p in spec.parameters]
    return float(np.linalg.norm(dp)), float(np.linalg.norm(np.subtract(one["z"], other["z"])))


def hof_cell(spec: SearchSpec, values: dict[str, float], hof: int | None) -> HofCell:
    """The cell with these parameter values."""
    name = spec.name if hof is None else f"{spec.name}/{hof}"
    return replace(spec.cell, name=name, source=spec.source(values), hof=hof, ensemble=spec.name)


def measure(
    cell: HofCell, trials: Trials, beat: Callable[[Any], None]
) -> tuple[dict[str, float | None] | None, str | None]:
    """Features of a cell (as `simulate.study` keeps them), or why it does not qualify."""
    beat(cell.name)
    top, rates = trials.curve_top, trials.rates
    found = characterise(cell, low=0.0, high=top, step=top / CURVE_POINTS)
    i_thr, curve = found.values["I_thr"], found.curve
    if not RANGE * i_thr <= top:
        return None, f"I_thr is {i_thr:g} nA: twice that is beyond {top:g} nA"
    low, high = trials.factors[0] * i_thr, RANGE * i_thr
    within = (curve.amplitudes > low) & (curve.amplitudes <= high)
    if not np.all(curve.repetitive[within]):
        return None, "firing does not last below twice the threshold"
    slowest = curve.rates[within].min(initial=rates[1])
    fastest = curve.rates[within].max(initial=rates[0])
    if slowest < rates[0] or fastest > rates[1]:
        return None, f"fires at {slowest:.0f}-{fastest:.0f} Hz in range"
    if found.values["I_block"] <= RANGE * i_thr:
        return None, "blocked below twice the threshold"
    values = {**found.features[max(found.features)], **found.values, "measured_to": top}
    return {k: float(v) if np.isfinite(v) else None for k, v in values.items()}, None


def held_out(taken: list[dict[str, Any]], choice: Choice) -> list[int]:
    """Indices held out by seed: half drawn from all, half from the (I_thr, s_thr) hull's edge."""
    rng = np.random.default_rng(choice.seed)
    plane = np.array([[r["measured"]["I_thr"], r["measured"]["s_thr"]] for r in taken])
    sd = plane.std(0)
    z = (plane - plane.mean(0)) / np.where(sd > 0, sd, 1.0)
    edge = np.argsort(-np.linalg.norm(z, axis=1))[: max(choice.held_out, len(taken) // 4)]
    first = rng.choice(edge, choice.held_out // 2, replace=False)
    rest = np.setdiff1d(np.arange(len(taken)), first)
    others = rng.choice(rest, choice.held_out - len(first), replace=False)
    return sorted(int(i) for i in (*first, *others))


def cost_of(rows: Iterable[dict[str, Any]]) -> dict[str, float]:
    """What a search took: candidates measured, and core hours spent on them."""
    seconds = [row["seconds"] for row in rows]
    return {"candidates": len(seconds), "core_hours": round(sum(seconds) / 3600, 3)}


def publish(
    spec: SearchSpec,
    taken: list[dict[str, Any]],
    choice: Choice,
    cost: dict[str, float],
    folder: str | os.PathLike,
) -> None:
    """Write morphology, hof.json and split.json: a folder that `cells.builtin` reads."""
    folder = Path(folder)
    morphology = Path(spec.cell.source["morphology"])
    source = {k: v for k, v in spec.cell.source.items() if k != "groups"}
    source["morphology"] = f"morphology{morphology.suffix}"
    cell = {
        k: getattr(spec.cell, k)
        for k in ("celsius", "v_init", "dt", "threshold", "junction_potential")
    }
    models = [
        {
            "groups": spec.source(r["values"])["groups"],
            "z": dict(zip([t.feature for t in spec.targets], r["z"], strict=True)),
            "features": r["measured"],
        }
        for r in taken
    ]
    with written_whole(folder / source["morphology"]) as temporary:
        temporary.write_bytes(morphology.read_bytes())
    write_json(
        folder / "hof.json",
        {
            "format": FORMAT,
            "name": spec.name,
            "cell": cell | {"source": source},
            "choice": asdict(choice),
            "cost": cost,
            "models": models,
        },
    )
    test = held_out(taken, choice)
    train = [i for i in range(len(taken)) if i not in test]
    write_json(folder / "split.json", {"seed": choice.seed, "train": train, "test": test})
