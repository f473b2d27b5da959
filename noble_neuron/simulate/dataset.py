"""Training sets built in parallel, on cores or MPI ranks, by processes that may be killed.

The samples are cut into blocks (`plan`). A worker runs a block and writes it as one shard,
whole or not at all, into PATH.parts; when all shards are there they become one HDF5 file, and
the folder goes. Killed at any moment, the same call goes on from the shards it finds. The file
depends on the plan alone: not on the number of workers, nor on what was interrupted.

Under `mpiexec -n N`, rank r runs each N-th block; rank 0 then writes the file. One rank per
core, one worker per rank.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import neuron
import numpy as np

from ..cells.spec import HofCell
from ..errors import SimulationError, StoreError
from ..files import read_json, write_json, written_whole
from ..nrn import mechanisms
from ..protocols.protocol import Protocol
from ..store import hdf5
from ..store.shards import Shard, read_shard
from .blocks import run_block
from .plan import Block, Plan, Sample
from .progress import Progress
from .ranks import rank_and_size
from .run import seen, stride_of
from .workers import Job, Outcome, Workers

log = logging.getLogger(__name__)

DEATHS = 2  # of its worker, after which a sample is given up; the first may be an accident
POLL = 0.2  # s between looks at what other ranks have done


def build_dataset(
    cells: Sequence[HofCell],
    samples: Sequence[Sample | tuple[int, Protocol]],
    path: str | os.PathLike,
    *,
    workers: int | None = None,
    seed: int = 0,
    record_dt: float | None = None,
    timeout: float = 600.0,
) -> Path:
    """Simulate `samples` and keep them at `path`; goes on where a killed build stopped.

    A sample that fails, diverges, hangs or kills its worker is a logged missing row: status
    "failed" in the table, with the reason.

    Args:
        cells: The cells, not built.
        samples: What to run: (index of the cell, protocol), or `Sample`s.
        path: HDF5 file to write.
        workers: Worker processes; one per core by default, one per rank under mpiexec.
        seed: Seed that drew the samples, kept with each.
        record_dt: Recording grid [ms], 0.025 or finer; each cell's own step by default.
        timeout: Longest time that one simulation may take [s].

    Raises:
        InputError: The samples make no training set.
        StoreError: No space, or something else is at `path` or at PATH.parts.
    """
    plan = Plan.of(cells, samples, seed, record_dt)
    build = _Build(Path(path), plan)
    if build.finished():
        return build.path
    rank, size = rank_and_size()
    mechanisms.load()  # compiled once, here, not by every worker at its first cell
    count = 1 if workers is None and size > 1 else workers
    share = [b for b in plan.blocks() if b.number % size == rank]
    if rank == 0:
        with build.begun():
            build.run(share, count, timeout)
            build.assemble()
        return build.path
    if build.joined():
        build.run(share, count, timeout)
    while not build.finished():
        time.sleep(POLL)
    return build.path


class _Build:
    """One build on disk: the file it will be, and the folder of its shards."""

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path, self.plan, self.key = path, plan, plan.key
        self.parts = path.with_name(path.name + ".parts")

    def finished(self) -> bool:
        """Whether the file is there; something else in its place is an error."""
        if not self.path.exists():
            return False
        with hdf5.Dataset.open(self.path) as dataset:
            if dataset.about.get("plan") == self.key:
                return True
        raise StoreError(
            f"{self.path} is already there, and holds another training set (other cells, "
            f"samples, seed or versions). Delete it, or choose another path."
        )

    @contextlib.contextmanager
    def begun(self) -> Iterator[None]:
        """The folder of shards, ours alone while the block lasts; gone if it succeeds."""
        if self._noted() is None:
            write_json(self._note, {"plan": self.key})
        self._check_plan()
        with self._locked():
            yield
            shutil.rmtree(self.parts, ignore_errors=True)

    def joined(self) -> bool:
        """Wait until rank 0 has begun; False if it has already finished."""
        while self._noted() is None:
            if self.finished():
                return False
            time.sleep(POLL)
        self._check_plan()
        return True

    @property
    def _note(self) -> Path:
        return self.parts / "plan.json"

    def _noted(self) -> str | None:
        """Key of the plan that the folder of shards belongs to, if there is one."""
        return read_json(self._note).get("plan") if self._note.exists() else None

    def _check_plan(self) -> None:
        if self._noted() not in (self.key, None):
            raise StoreError(
                f"{self.parts} holds an unfinished build of another training set (other cells, "
                f"samples, seed or versions). Delete that folder, or choose another path."
            )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with open(self.parts / "lock", "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StoreError(
                    f"Another process is building {self.path} now. Wait for it, or end it."
                ) from None
            yield

    def shard(self, block: Block) -> Path:
        """Where a block's shard is, or will be."""
        return self.parts / f"block-{block.number:06d}.shard"

    def run(self, blocks: list[Block], workers: int | None, timeout: float) -> None:
        """Run those of `blocks` that have no shard yet."""
        missing = [b for b in blocks if read_shard(self.shard(b)) is None]
        total = sum(len(b.rows) for b in blocks)
        progress = Progress(self.path.name, total, total - sum(len(b.rows) for b in missing))
        losses: dict[int | None, list[str]] = {}
        with Workers(workers, timeout) as pool:
            for block in missing:
                pool.submit(self._job(block, {}))
            for outcome in pool.outcomes():
                block, _, _ = outcome.job.arguments
                if outcome.kind == "done":
                    _report(block, outcome.value)
                    progress.step(len(block.rows))
                elif outcome.kind == "raised":
                    raise self._fatal(outcome)
                else:
                    pool.submit(self._again(block, outcome, losses))

    def _job(self, block: Block, given_up: dict[int, str]) -> Job:
        group = (block.cell.name, block.cell.hof)
        return Job(block.number, run_block, (block, given_up, self.shard(block)), group)

    def _again(self, block: Block, outcome: Outcome, losses: dict[int | None, list[str]]) -> Job:
        """The block once more, without the samples that end their workers."""
        log.warning(
            "%s: %s at sample %s; its block runs again",
            self.path.name,
            outcome.text,
            outcome.label,
        )
        row = outcome.label
        losses.setdefault(row, []).append(outcome.text)
        if outcome.kind == "hung":
            losses[row] *= DEATHS  # it would hang again, for as long
        if row is None and len(losses[row]) >= DEATHS:
            raise SimulationError(
                f"{self.path.name}: {outcome.text}, again before any sample ran or while a "
                f"block was written; its message is on standard error."
            )
        return self._job(
            block,
            {row: losses[row][-1] for row in block.rows if len(losses.get(row, ())) >= DEATHS},
        )

    def _fatal(self, outcome: Outcome) -> Exception:
        """A block reports failed samples itself: what it raises stops the build."""
        return (
            self._kept(outcome.value) if isinstance(outcome.value, StoreError) else outcome.value
        )

    def _kept(self, error: StoreError) -> StoreError:
        """The same error, with what a second try can count on."""
        return StoreError(
            f"{error} What is finished is kept in {self.parts}: the same build goes on from there."
        )

    def assemble(self) -> None:
        """Make one file of all shards, as soon as they are all there."""
        shards = [self._awaited(block) for block in self.plan.blocks()]
        place = {o["row"]: (shard, k) for shard in shards for k, o in enumerate(shard.outcomes)}
        outcomes = {row: shard.outcomes[k] for row, (shard, k) in place.items()}
        rows = [
            self.plan.row(k, outcomes[k]["points"], outcomes[k]["reason"])
            for k in range(len(self.plan.samples))
        ]
        about = {"plan": self.key, "seed": self.plan.seed, "neuron": neuron.__version__}
        try:
            with written_whole(self.parts / "assembled.h5") as temporary:
                hdf5.write(temporary, rows, self.plan.described(), about, self._signals(place))
        except StoreError as error:
            raise self._kept(error) from error
        os.replace(self.parts / "assembled.h5", self.path)

    def _awaited(self, block: Block) -> Shard:
        """The block's shard; other ranks may still be at it."""
        while (shard := read_shard(self.shard(block))) is None:
            time.sleep(POLL)
        return shard

    def _signals(self, place: dict[int, tuple[Shard, int]]) -> Iterator[tuple[np.ndarray, ...]]:
        """(v, current, b, g) of each good sample, in the order of the rows."""
        for k, sample in enumerate(self.plan.samples):
            shard, among = place[k]
            if shard.outcomes[among]["reason"]:
                continue
            dt, grid = self.plan.cells[sample.cell].dt, self.plan.grid(sample)
            yield (shard.voltage(among), *seen(sample.protocol, dt, stride_of(grid, dt)))


def _report(block: Block, missing: dict[int, str]) -> None:
    for row, reason in missing.items():
        log.warning("sample %d (%s) is missing: %s", row, block.cell.name, reason)
