"""The runs that a comparison of networks needs: made in processes of their own, and kept."""

from __future__ import annotations

import importlib.metadata
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import InputError, ModelError, NobleError
from ..files import sha256
from ..hosts.netpyne_model import find_model
from ..hosts.netpyne_run import FORMAT, RunSpec, run_model
from ..simulate.progress import clock
from ..simulate.workers import Job, Outcome, Workers, cores
from ..surrogates import library
from .activity import NetworkRun

FULL, SWAPPED = "full", "swapped"
HALF, SEED = "full, dt/2", "full, other seed"
REPLAYED, REPLAYED_HALF = "swapped, replayed input", "full, dt/2, replayed input"
TELL_EVERY = 10.0  # s
PATIENCE = 7 * 86400.0  # s without a word from a run, which may take long to build
Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """A run that is asked for: what it is, and the file that it is kept in."""

    name: str
    spec: RunSpec
    file: Path
    log: Path


def runs_of(
    model: str | Path, swaps: Mapping[str, Mapping[str, Any]], out: Path, say: Say
) -> dict[str, NetworkRun]:
    """All runs of a comparison, by name; those that are kept in `out` are not made again.

    The full and the swapped network run alone, one after the other, so that their times can be
    compared; the others side by side.

    Args:
        model: Folder of a NetPyNE model, or an index in it.
        swaps: Population -> arguments of `netpyne_rules.replace`.
        out: Folder for the runs and their logs.
        say: Told about progress, one sentence at a time.

    Raises:
        InputError: No model, or the swap cannot be made.
        ModelError: The model cannot be loaded, built or run.
    """
    wanted = _wanted(model, swaps, out)
    made = [run for run in wanted.values() if not run.file.exists()]
    if len(made) < len(wanted):
        say(f"{len(wanted) - len(made)} of {len(wanted)} runs are kept in {out}")
    failed: dict[str, NobleError] = {}
    for name in (SWAPPED, FULL):
        if wanted[name] in made:
            failed |= _made([wanted[name]], 1, say)
            if failed and not isinstance(next(iter(failed.values())), ModelError):
                break  # the swap itself is refused: nothing else has to be tried
    if failed:
        # If the model fails as it is, that is what has to be said.
        raise failed.get(FULL) or failed[SWAPPED]
    failed = _made([run for run in made if run.name not in (SWAPPED, FULL)], cores(), say)
    if failed:
        raise next(iter(failed.values()))
    return {name: NetworkRun.read(run.file) for name, run in wanted.items()}


def _wanted(model, swaps, out: Path) -> dict[str, Wanted]:
    files = find_model(model)
    about = {
        "format": FORMAT,
        "model": files.fingerprint,
        "noble_neuron": __version__,
        "neuron": importlib.metadata.version("neuron"),
        "netpyne": _netpyne(),
    }
    bundles = {pop: _bundle(said["surrogate"]) for pop, said in swaps.items()}
    path = Path(model).resolve()
    plain = RunSpec(str(path), tuple(swaps))
    swapped = replace(plain, swaps=dict(swaps))
    found: dict[str, Wanted] = {}

    def want(name: str, spec: RunSpec, after: str | None = None) -> None:
        said = {**asdict(spec), "inputs": after and found[after].file.name, **about}
        key = sha256(json.dumps([said, bundles if spec.swaps else None]).encode())[:12]
        stem = f"{name.replace(', ', '-').replace(' ', '_').replace('/', '_')}-{key}"
        if after:
            spec = replace(spec, inputs=str(found[after].file))
        runs, logs = out / "runs", out / "logs"
        found[name] = Wanted(name, spec, runs / f"{stem}.npz", logs / f"{stem}.log")

    half = replace(plain, halved=True)
    want(FULL, replace(plain, probe=True))
    want(SWAPPED, replace(swapped, probe=True))
    want(HALF, replace(half, probe=True))
    want(SEED, replace(plain, seed=1))
    want(REPLAYED, swapped, after=FULL)
    want(REPLAYED_HALF, half, after=FULL)
    return found


def _netpyne() -> str:
    try:
        return importlib.metadata.version("netpyne")
    except importlib.metadata.PackageNotFoundError:
        raise InputError(
            "Networks are compared in NetPyNE, which is not installed: pip install netpyne."
        ) from None


def _bundle(surrogate: str) -> str:
    """Changes with a surrogate's card, which has the weights' digest."""
    card = library.find(surrogate, library.STREAMING) / "card.json"
    return sha256(card.read_bytes()) if card.is_file() else ""


def _made(wanted: list[Wanted], count: int, say: Say) -> dict[str, NobleError]:
    """Make runs; the answer is what went wrong, by name."""
    failed: dict[str, NobleError] = {}
    teller = _Teller(say)
    with Workers(count, PATIENCE, fresh=True, heard=teller.heard) as pool:
        for run in wanted:
            arguments = (run.spec, str(run.file), str(run.log))
            pool.submit(Job(run.name, run_model, arguments))
        if wanted:
            say(f"running: {'; '.join(run.name for run in wanted)}")
        logs = {run.name: run.log for run in wanted}
        for outcome in pool.outcomes():
            error = _error(outcome, logs[outcome.job.key])
            if error is None:
                teller.done(outcome.job.key)
            else:
                failed[outcome.job.key] = error
                break  # what still runs is ended
    return failed


def _error(outcome: Outcome, log: Path) -> NobleError | None:
    if outcome.kind == "done":
        return None
    if isinstance(outcome.value, NobleError):
        return outcome.value
    return ModelError(
        f"The model's run {outcome.job.key!r} ended without an answer: {outcome.text}. All it "
        f"printed is in {log}."
    )


class _Teller:
    """Says now and then how far each run is."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._began: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def heard(self, job: Job, label: tuple[float, float]) -> None:
        """A run is at (time, duration) [ms]."""
        now = time.monotonic()
        began = self._began.setdefault(job.key, now)
        if now - self._told.setdefault(job.key, now) < TELL_EVERY:
            return
        self._told[job.key] = now
        at, duration = label
        left = (duration - at) * (now - began) / at if at else float("inf")
        self._say(f"{job.key}: {at:.0f} of {duration:.0f} ms, {clock(left)} left")

    def done(self, name: str) -> None:
        """A run has come to its end."""
        began = self._began.get(name)
        took = f" in {time.monotonic() - began:.1f} s" if began else ""
        self._say(f"{name}: done{took}")
