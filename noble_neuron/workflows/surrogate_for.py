"""From somebody's NetPyNE network to a surrogate of one of its populations, as one call.

Its stages, each kept in the folder, so that a killed call goes on:

    network.npz         a short run of the network: the cells, and what they receive
    study.json          the cells' F-I curves
    traces.h5           half of the stimuli free, half like the network's input
    pilot/              a short training, from which the accuracy is expected
    training/           the rest of it, from the pilot's weights
    judged.h5           new stimuli, which judge
    bundle/, result.json
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..compare.streaming import HALVED, SURROGATE, StreamResult
from ..errors import InputError
from ..files import read_json, write_json
from ..hosts.netpyne_model import write_model
from ..protocols.suites import RECEIVED
from ..simulate.dataset import build_dataset
from ..simulate.plan import Sample
from ..simulate.spiking import spiking
from ..simulate.study import Study, measure
from ..simulate.suite import received_samples, streaming_samples
from ..surrogates import bundle
from ..training.fit_stream import STREAM_RECIPES, StreamFitConfig, fit_stream
from ..training.origin import WIDE_LATENT
from .expectation import Expectation
from .judging import all_rows, judged
from .network_input import NetworkInput, network_input

RATE = 100.0  # Hz, that steps reach where a cell can
OF_MAXIMUM = 0.8  # of a cell's largest rate, that they reach otherwise
F_I = 3.0, 40  # end of the F-I curve, times what makes the cell fire; its points
LEAST_TOP = 0.3  # nA
VALIDATIONS = 12  # in a training
PASSED_BACK = 1.0  # of one cell gradients explode more rarely than of many
LR = {"stream_ode": 1.5e-3, "stream_dense": 3e-3}
HELD_OUT = "held-out stimuli"
FREE, LIKE = 1, 2  # kinds of stimuli, in their seeds
JUDGED = 3
Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How much is done for a surrogate; the defaults are meant for two hours of two cores.

    Attributes:
        minutes: Of training, at the speed that the first part of it has.
        traces: Of the training set, of all cells together.
        judged: New traces that judge.
        duration: Of a trace [ms].
        pilot_epochs: Passes over the training set of the first, short training.
        fit: What is trained and how; the recipe of the operator asked for if None.
    """

    minutes: float = 60.0
    traces: int = 600
    judged: int = 120
    duration: float = 1000.0
    pilot_epochs: int = 60
    fit: StreamFitConfig | None = None

    def __post_init__(self) -> None:
        if not self.minutes > 0:
            raise InputError(f"Effort.minutes must be above 0: got {self.minutes}.")
        for name, least in (("traces", 20), ("judged", 4), ("pilot_epochs", 3)):
            if getattr(self, name) < least:
                raise InputError(
                    f"Effort.{name} must be {least} or more: got {getattr(self, name)}."
                )


@dataclass(frozen=True)
class NewSurrogate:
    """A surrogate that has been made, and how good it is.

    Attributes:
        bundle: Its folder, for `replace(..., surrogate=)` and `NobleCell`.
        expected: What was expected of it.
        judged: Its figures on held-out stimuli, the full cell at dt/2 beside it.
        seconds: Wall time of each stage [s]; over all calls, but what a kill cut off.
        cpu_seconds: Processor time likewise, of all processes together [s].
    """

    bundle: Path
    expected: Expectation
    judged: StreamResult = field(repr=False)
    seconds: dict[str, float]
    cpu_seconds: dict[str, float]

    def gamma(self, kind: str = "all", answer: str = SURROGATE) -> float:
        """Measured Gamma: of a class of stimuli, or of the floor in place of the surrogate."""
        return self.judged.figures(HELD_OUT, kind, answer)[0].get("gamma", float("nan"))

    def text(self) -> str:
        """What came of it, for a terminal."""
        minutes, cpu = (sum(x.values()) / 60 for x in (self.seconds, self.cpu_seconds))
        return (
            f"{self.judged.table()}\n\n{self.expected.text()}\n"
            f"measured: Gamma {self.gamma():.2f} on held-out stimuli (the full cell at dt/2 "
            f"{self.gamma(answer=HALVED):.2f}), {self.gamma(RECEIVED):.2f} on those like the "
            f"network's input ({self.gamma(RECEIVED, HALVED):.2f}).\n"
            f"{minutes:.0f} minutes in all, {cpu:.0f} of a processor core."
        )


def surrogate_for(
    netParams: Any,  # noqa: N803 (its name wherever NetPyNE is used)
    pop: str,
    cfg: Any = None,
    out: str | os.PathLike = "surrogate",
    *,
    mechanisms: str | os.PathLike | None = None,
    operator: str = "stream_ode",
    effort: Effort = Effort(),  # noqa: B008 (frozen)
    seed: int = 0,
    workers: int | None = None,
    say: Callable[[str], None] = print,
) -> NewSurrogate:
    """Train a surrogate of a population's cells for the network that they are in.

    The network runs for a second at most, and what the population's cells receive is measured. A
    training set is built around that and around the cells' own F-I curves, a streaming operator
    trained on it and judged on stimuli that it has not seen. All is kept in a folder: the same
    call goes on where a killed one stopped.

    Args:
        netParams: The network's, all defined; or the folder of a NetPyNE model.
        pop: Label of the population.
        cfg: NetPyNE's simConfig of the network; a model's folder has its own.
        out: Folder for everything; the surrogate is OUT/bundle.
        mechanisms: Folder of the mod files that the network needs; a model's folder has its own.
        operator: "stream_ode", which NEURON solves itself, or "stream_dense".
        effort: How much is done; see `Effort`.
        seed: Of everything drawn.
        workers: Processes that simulate; one per core by default.
        say: Told how it goes, in sentences.

    Raises:
        InputError: No such population, or its cells cannot be taken out of the network, do not
            fire, or fire by themselves.
        ModelError: The network cannot be built or run.
    """
    if operator not in STREAM_RECIPES:
        raise InputError(
            f"No streaming operator {operator!r}: there are {', '.join(STREAM_RECIPES)}."
        )
    out = Path(out)
    if isinstance(netParams, str | os.PathLike):
        if cfg is not None or mechanisms is not None:
            raise InputError("A model's folder has its own cfg and mechanisms: leave them out.")
        model = Path(netParams)
    else:
        model = write_model(netParams, cfg, out / "model", mechanisms)
    work = _Work(out, operator, effort, seed, workers, say)
    return work.done(model, pop)


class _Work:
    """The stages, in order."""

    def __init__(
        self, out: Path, operator: str, effort: Effort, seed: int, workers: int | None, say: Say
    ) -> None:
        self.out, self.operator, self.effort = out, operator, effort
        self.seed, self.workers, self.say = seed, workers, say

    def done(self, model: Path, pop: str) -> NewSurrogate:
        with self._timed("network"):
            found = network_input(model, pop, self.out, self.say)
        self.say(found.text())
        with self._timed("F-I curves"):
            study = self._study(pop, found)
        with self._timed("training set"):
            traces = self._traces(study, found, self.effort.traces, "traces.h5")
        with self._timed("pilot"):
            expected, epochs = self._pilot(study, traces)
        self.say(expected.text())
        with self._timed("training"):
            trained = self._trained(study, traces, epochs)
        with self._timed("judging"):
            new = self._traces(study, found, self.effort.judged, "judged.h5", JUDGED)
            rows = {HELD_OUT: all_rows(new)}
            result = judged(study, new, trained, rows, self.out / "judged.json")
        written = self._written(trained, result)
        made = NewSurrogate(written, expected, result, self._kept("wall"), self._kept("cpu"))
        write_json(self.out / "result.json", _plain(made))
        return made

    def _study(self, pop: str, found: NetworkInput) -> Study:
        path, part = self.out / "study.json", self.out / "study.part.jsonl"
        if path.exists():
            return Study.load(path)
        first = spiking(found.cells[0])
        threshold = first.threshold(found.cells[0].threshold)
        cells = [replace(cell, threshold=threshold) for cell in found.cells]
        high = max(LEAST_TOP, F_I[0] * first.amplitude)
        step = high / F_I[1]
        told: list[str] = []
        try:
            study = measure(
                pop,
                cells,
                high=high,
                step=step,
                workers=self.workers,
                told=told.append,
                keep=part,
            )
        except InputError as error:
            raise InputError(" ".join([*told, str(error)])) from None
        for text in told:
            self.say(text)
        study.save(path)
        part.unlink(missing_ok=True)
        return study

    def _traces(
        self, study: Study, found: NetworkInput, number: int, name: str, kind: int = 0
    ) -> Path:
        """Half of the stimuli free, half like what the cells receive."""
        per_cell = max(2, number // len(study.cells))
        like = 0 if all(r.is_silent for r in found.received) else per_cell // 2
        span = self.effort.duration
        free_seed, like_seed = ((4 * self.seed + kind) * 10 + which for which in (FREE, LIKE))
        samples = _free(study, per_cell - like, free_seed, span)
        if like:
            samples += received_samples(study, found.received, like, like_seed, span)
        return build_dataset(
            study.cells, samples, self.out / name, workers=self.workers, seed=self.seed
        )

    def _config(self, epochs: int, start: Path | None = None) -> StreamFitConfig:
        recipe = self.effort.fit or STREAM_RECIPES[self.operator]
        training = replace(
            recipe.training,
            epochs=epochs,
            lr=LR[self.operator],
            seed=self.seed,
            validate_every=max(1, epochs // VALIDATIONS),
        )
        taught = replace(recipe.recipe, passed_back=PASSED_BACK)
        return replace(
            recipe, training=training, recipe=taught, start=None if start is None else str(start)
        )

    def _fit(self, study: Study, traces: Path, config: StreamFitConfig, folder: str) -> Path:
        names = _latent(study)
        config = replace(config, latent=names)
        fit_stream(traces, study.latents(names), (), self.out / folder, config)
        return self.out / folder / "bundle"

    def _pilot(self, study: Study, traces: Path) -> tuple[Expectation, int]:
        """What to expect of the training, and its epochs."""
        note = self.out / "expected.json"
        if note.exists():
            kept = read_json(note)
            values = {k: kept[k] for k in ("pilot", "floor", "steps", "total")}
            return Expectation(**values), kept["epochs"]
        self.say("a short training first, to see how it goes")
        epochs = self.effort.pilot_epochs
        made = self._fit(study, traces, self._config(epochs), "pilot")
        lines = (self.out / "pilot" / "stream" / "log.jsonl").read_text().splitlines()
        first, last = json.loads(lines[0]), json.loads(lines[-1])
        # From validation to validation: the beginning has more to do.
        each = (last["minutes"] - first["minutes"]) / (last["epoch"] - first["epoch"])
        more = max(epochs, round((self.effort.minutes - last["minutes"]) / each))
        rows = read_json(self.out / "pilot" / "split.json")["validation"]
        kept = self.out / "pilot" / "judged.json"
        beside = judged(study, traces, made, {"validation": rows}, kept)
        own, floor = (beside.figures("validation", "all", a)[0] for a in (SURROGATE, HALVED))
        steps = last["step"]
        expected = Expectation(
            _zero(own["gamma"]), _zero(floor["gamma"]), steps, round(steps * (1 + more / epochs))
        )
        write_json(note, {**expected.to_dict(), "epochs": more})
        return expected, more

    def _trained(self, study: Study, traces: Path, epochs: int) -> Path:
        return self._fit(
            study, traces, self._config(epochs, self.out / "pilot" / "bundle"), "training"
        )

    def _written(self, trained: Path, result: StreamResult) -> Path:
        surrogate = bundle.load_stream(trained)
        card = replace(surrogate.card, errors=result.records())
        return bundle.save(self.out / "bundle", surrogate.model, card)

    @contextlib.contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        before = _now()
        try:
            yield
        finally:
            table = self._times()
            known = table.get(stage, dict.fromkeys(before, 0.0))
            now = _now()
            table[stage] = {key: known[key] + now[key] - before[key] for key in before}
            write_json(self.out / "seconds.json", table)

    def _times(self) -> dict[str, dict[str, float]]:
        path = self.out / "seconds.json"
        return read_json(path) if path.exists() else {}

    def _kept(self, key: str) -> dict[str, float]:
        return {stage: times[key] for stage, times in self._times().items()}


def _now() -> dict[str, float]:
    """Clocks [s]: on the wall, and of this process and those it has ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = time.process_time() + children.ru_utime + children.ru_stime
    return {"wall": time.monotonic(), "cpu": cpu}


def _free(study: Study, n: int, seed: int, duration: float) -> list[Sample]:
    """Stimuli of all classes, each cell's steps reaching a rate that it can fire at."""
    samples: list[Sample] = []
    for k in range(len(study.cells)):
        features = study.features[k]
        rate = min(RATE, OF_MAXIMUM * features.get("max_rate", np.inf))
        known = np.isfinite(features.get("s_thr", np.nan)) and features["s_thr"] > 0 and rate > 0
        one = replace(
            study, cells=study.cells[k : k + 1], features=study.features[k : k + 1], held_out=()
        )
        drawn = streaming_samples(one, n, seed + 1000 * k, duration, rate if known else None)
        samples += [replace(sample, cell=k) for sample in drawn]
    return samples


def _latent(study: Study) -> tuple[str, ...]:
    """Features that tell the cells apart; none where there is one cell."""
    if len(study.cells) == 1:
        return ()
    table = {name: [f.get(name, np.nan) for f in study.features] for name in WIDE_LATENT}
    return tuple(name for name, x in table.items() if np.isfinite(x).all() and np.ptp(x) > 0)


def _plain(made: NewSurrogate) -> dict:
    return {
        "expected": made.expected.to_dict(),
        "measured": made.judged.records(),
        "seconds": made.seconds,
        "cpu_seconds": made.cpu_seconds,
    }


def _zero(x: float) -> float:
    """Where no trace has spikes enough for Gamma, none coincide."""
    return x if np.isfinite(x) else 0.0
