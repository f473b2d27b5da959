"""Find hall-of-fame models: a two-stage multi-objective evolutionary search (BluePyOpt).

As in the paper (section 2): first the passive parameters against the passive features, with
every active conductance at zero; then all of them against all features, the passive ones
within the range that the good passive models span. One objective per target, |z|, plus one
for firing that is not tonic. The front of a search over so many objectives is full of models
that are excellent in most features and impossible in one, and a hall of fame needs models
that are possible in all. So the last generations start from the models of smallest worst |z|
and have three objectives: the worst |z|, the sum of squares of what exceeds 2 SD, and firing
that is not tonic.

Every evaluation is appended to OUT/archive.jsonl. That file is also the checkpoint: the
search is deterministic, so a restarted one asks for the same candidates, finds them in the
archive and goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bluepyopt
import numpy as np
from bluepyopt.deapext.optimisations import DEAPOptimisation
from tqdm import tqdm

from ..errors import InputError
from ..simulate.workers import Job, Workers
from . import worker
from .spec import Parameter, SearchSpec, targets_of

UNFIT = 20.0  # the |z| of a feature that could not be read
TIMEOUT = 120.0  # s; a candidate that takes longer is unfit
TOLERATED = 2.0  # SD; see above


@dataclass(frozen=True)
class SearchConfig:
    """How long and how widely to search."""

    offspring: int = 40
    passive_generations: int = 12
    active_generations: int = 40
    last_generations: int = 100
    seed: int = 1

    def __post_init__(self) -> None:
        if (
            min(
                self.offspring,
                self.passive_generations,
                self.active_generations,
                self.last_generations,
            )
            < 2
        ):
            raise InputError(f"A search needs at least 2 of everything: got {self}.")


class Archive:
    """Append-only record of every evaluation, looked up by stage and parameter values."""

    def __init__(self, path: Path):
        self.path = path
        self.rows: dict[tuple, dict[str, Any]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            text = path.read_bytes()
            whole = text[: text.rfind(b"\n") + 1]  # a killed run may leave half a line
            if len(whole) < len(text):
                path.write_bytes(whole)
            for line in whole.splitlines():
                row = json.loads(line)
                self.rows[self.key(row["stage"], row["values"])] = row

    @staticmethod
    def key(stage: str, values: dict[str, float]) -> tuple:
        """What tells a measurement apart: whole models are measured alike in every stage.

        Rounded, because the last stage's parents come back from 0...1 with another last digit.
        """
        rounded = ((name, float(f"{value:.12g}")) for name, value in values.items())
        return ("passive" if stage == "passive" else "whole", *rounded)

    def add(self, row: dict[str, Any]) -> None:
        self.rows[self.key(row["stage"], row["values"])] = row
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def whole_models(self) -> list[dict[str, Any]]:
        """Rows of every stage but the passive one."""
        return [row for row in self.rows.values() if row["stage"] != "passive"]

    def of(self, stage: str) -> list[dict[str, Any]]:
        return [row for row in self.rows.values() if row["stage"] == stage]


def evolve(
    spec: SearchSpec,
    out: str | os.PathLike,
    config: SearchConfig = SearchConfig(),
    workers: int | None = None,
) -> Archive:
    """Run the search, or go on with it.

    Args:
        spec: The cell, its parameters and targets.
        out: Folder of the archive; the same folder resumes.
        config: Size of the search.
        workers: Processes; one per core by default.

    Returns:
        The archive; `select.choose` picks the hall of fame from it.

    Raises:
        InputError: The folder holds another search's archive.
    """
    out = Path(out)
    _claim(out, spec, config)
    archive = Archive(out / "archive.jsonl")
    with Workers(workers, TIMEOUT) as pool:
        passive = [p for p in spec.parameters if p.stage == "passive"]
        first = _Evaluator(spec, "passive", passive)
        _run(first, config.passive_generations, config, archive, pool)
        narrowed = [
            *_narrow(passive, archive.of("passive")),
            *(p for p in spec.parameters if p.stage == "active"),
        ]
        _run(
            _Evaluator(spec, "active", narrowed), config.active_generations, config, archive, pool
        )
        last = _Evaluator(spec, "last", narrowed)
        parents = _parents(last, archive.of("active"), config)
        _run(last, config.last_generations, config, archive, pool, parents)
    return archive


def _claim(out: Path, spec: SearchSpec, config: SearchConfig) -> None:
    """The archive belongs to one specification and seed; anything else would mix two."""
    mark = {
        "parameters": [vars(p) | {"paths": list(p.paths)} for p in spec.parameters],
        "targets": [vars(t) for t in spec.targets],
        "trials": vars(spec.trials),
        "groups": spec.cell.source["groups"],
        "offspring": config.offspring,
        "seed": config.seed,
    }
    path = out / "search.json"
    out.mkdir(parents=True, exist_ok=True)
    if path.exists():
        if json.loads(path.read_text()) != json.loads(json.dumps(mark)):
            raise InputError(
                f"{out} holds a search with another specification, seed or offspring number. "
                f"Give another folder, or remove this one."
            )
    else:
        path.write_text(json.dumps(mark, indent=1))


def _narrow(parameters: list[Parameter], rows: list[dict[str, Any]]) -> list[Parameter]:
    """Bounds that hold the good passive models (mean |z| <= 1), a tenth wider each side."""
    good = [r for r in rows if r["z"] and np.mean(np.abs(r["z"])) <= 1.0]
    if len(good) < 10:
        return parameters
    narrowed = []
    for p in parameters:
        units = [p.unit(r["values"][p.name]) for r in good]
        low, high = np.percentile(units, [2, 98])
        margin = 0.1 + 0.1 * (high - low)
        narrowed.append(
            replace(p, low=p.value(max(0.0, low - margin)), high=p.value(min(1.0, high + margin)))
        )
    return narrowed


def _parents(
    evaluator: _Evaluator, rows: list[dict[str, Any]], config: SearchConfig
) -> list[list[float]]:
    """The tonic models of smallest worst |z|, as individuals (0...1 per parameter)."""
    whole = [r for r in rows if r["z"] and not r["features"]["untonic"]]
    # Rows come in the order in which workers finished: ties must not depend on it.
    whole.sort(key=lambda r: (float(np.max(np.abs(r["z"]))), list(r["values"].values())))
    return [
        [min(1.0, max(0.0, p.unit(r["values"][p.name]))) for p in evaluator.parameters]
        for r in whole[: config.offspring]
    ]


def _run(
    evaluator: _Evaluator,
    generations: int,
    config: SearchConfig,
    archive: Archive,
    pool: Workers,
    parents: list[list[float]] | None = None,
) -> None:
    """One run of BluePyOpt's evolutionary algorithm, from `parents` or from scratch."""
    bar = tqdm(
        total=config.offspring * (generations + 1),
        unit="model",
        smoothing=0.05,
        desc=f"{evaluator.spec.name} {evaluator.stage}",
    )

    def evaluate(values_of: Callable, individuals: list) -> list[list[float]]:
        candidates = [values_of(individual) for individual in individuals]
        return _evaluate(evaluator, candidates, archive, pool, bar)

    # Wide mutations (small eta) to find the region, narrow ones to fill it.
    search = DEAPOptimisation(
        evaluator=evaluator,
        offspring_size=config.offspring,
        eta=40.0 if evaluator.stage == "last" else 10.0,
        mutpb=0.7,
        cxpb=0.7,
        map_function=evaluate,
        seed=config.seed,
        selector_name="IBEA",
    )
    with open(os.devnull, "w") as null, contextlib.redirect_stdout(null):
        search.run(max_ngen=generations, parent_population=parents or None)
    bar.close()


def _evaluate(evaluator, candidates, archive, pool, bar) -> list[list[float]]:
    """Objectives of each candidate; those not in the archive are measured first."""
    asked = {}
    for values in candidates:
        key = archive.key(evaluator.stage, values)
        if key not in archive.rows and key not in asked:
            asked[key] = values
            pool.submit(Job(key, worker.score, (evaluator.spec, evaluator.stage, values)))
    for outcome in pool.outcomes():
        if outcome.kind == "raised":
            raise outcome.value
        values = asked[outcome.job.key]
        # One that kills NEURON or never ends is a bad candidate, not the end of the search.
        archive.add(
            outcome.value
            if outcome.kind == "done"
            else worker.row(evaluator.stage, values, {}, None, outcome.text, 0.0)
        )
        bar.update()
    bar.update(len(candidates) - len(asked))
    bar.set_postfix_str(_standing(archive.of(evaluator.stage)))
    return [
        evaluator.objectives_of(archive.rows[archive.key(evaluator.stage, values)])
        for values in candidates
    ]


def _standing(rows: list[dict[str, Any]]) -> str:
    worst = [
        float(np.max(np.abs(r["z"]))) for r in rows if r["z"] and not r["features"].get("untonic")
    ]
    return f"{sum(w <= 3 for w in worst)} within 3 SD, best {min(worst, default=np.inf):.2f}"


class _Evaluator(bluepyopt.evaluators.Evaluator):
    """Tells BluePyOpt the shape of the problem; parameters run from 0 to 1."""

    def __init__(self, spec: SearchSpec, stage: str, parameters: list[Parameter]):
        self.spec, self.stage, self.parameters = spec, stage, parameters
        self.targets = targets_of(spec, stage)
        names = [t.feature for t in self.targets] if stage != "last" else ["worst", "excess"]
        names += ["untonic"] * (stage != "passive")
        super().__init__(
            objectives=[bluepyopt.objectives.Objective(n) for n in names],
            params=[bluepyopt.parameters.Parameter(p.name, bounds=[0.0, 1.0]) for p in parameters],
        )

    def init_simulator_and_evaluate_with_lists(self, individual: list[float]) -> dict[str, float]:
        """BluePyOpt's name for what its `map` applies: here, parameter values by name.

        Measuring is left to the map, which sees a whole generation and so can share it out.
        """
        return {p.name: p.value(u) for p, u in zip(self.parameters, individual, strict=True)}

    def objectives_of(self, row: dict[str, Any]) -> list[float]:
        features = row["features"]
        z = [
            min(abs(t.z(features[t.feature])), UNFIT) if t.feature in features else UNFIT
            for t in self.targets
        ]
        if self.stage == "last":
            z = [max(z), sum(max(0.0, value - TOLERATED) ** 2 for value in z)]
        untonic = [min(features.get("untonic", UNFIT), UNFIT)] if self.stage != "passive" else []
        return z + untonic
