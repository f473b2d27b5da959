"""Worker processes that outlive their jobs: one that hangs or dies is a failed job, no more.

Workers are fresh interpreters, not forks and not multiprocessing's children: they do not run
the caller's script again, need no `if __name__ == "__main__"`, and import what their jobs need.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, Literal

from ..errors import InputError, SimulationError

# Launchers' variables: a worker is no MPI rank, whatever its owner is.
_LAUNCHER = ("OMPI_", "PMI_", "PMIX_", "MPI_", "HYDI_", "PRTE_")


@dataclass(frozen=True)
class Job:
    """A call to make: `function(*arguments, beat)`, where `beat(label)` says "still alive".

    Attributes:
        key: How the caller knows it again.
        function: Importable by name; so are the classes of its arguments.
        arguments: Anything that pickles.
        group: Jobs of one group go to one worker if possible (it keeps their cell built).
    """

    key: Any
    function: Callable
    arguments: tuple
    group: Any = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        job: The job.
        kind: "done", or how it failed.
        value: What the function returned; else the error it raised, or None.
        label: Its last beat.
        text: Why it failed.
    """

    job: Job
    kind: Literal["done", "raised", "died", "hung"]
    value: Any = None
    label: Any = None
    text: str = ""


class Workers:
    """A set of worker processes; a context manager that ends them.

    Args:
        count: How many; one per core that this process may use by default.
        timeout: Longest time between two beats of a job [s].
        fresh: Each job has a process of its own, which ends with it.
        heard: Told each beat of a job.
    """

    def __init__(
        self,
        count: int | None = None,
        timeout: float = 600.0,
        *,
        fresh: bool = False,
        heard: Callable[[Job, Any], None] = lambda job, label: None,
    ) -> None:
        self.count = cores() if count is None else count
        if self.count < 1:
            raise InputError(f"A build needs at least one worker: got {self.count}.")
        self.timeout, self.fresh, self._told = timeout, fresh, heard
        self._pending: list[Job] = []
        self._workers: list[_Worker] = []

    def submit(self, job: Job) -> None:
        """Queue a job; `outcomes` runs it. May be called between two outcomes."""
        self._pending.append(job)

    def outcomes(self) -> Iterator[Outcome]:
        """Run what is queued; yield each job's outcome as it comes, until none is left."""
        while True:
            self._assign()
            busy = [w for w in self._workers if w.job is not None]
            if not busy:
                return
            for worker in busy:
                outcome = worker.look(self._told)
                if outcome is not None:
                    if self.fresh and worker.alive:
                        worker.end()
                    yield outcome
            self._workers = [w for w in self._workers if w.alive]
            _sleep_until_news([w for w in self._workers if w.job is not None])

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()
        self._workers = []

    def _assign(self) -> None:
        """Give each idle worker a job, and start the workers that are missing."""
        while self._pending:
            idle = next((w for w in self._workers if w.job is None and w.alive), None)
            if idle is None:
                if len(self._workers) >= self.count:
                    return
                idle = _Worker(self.timeout)
                self._workers.append(idle)
            idle.give(self._pending.pop(self._best_for(idle)))

    def _best_for(self, worker: _Worker) -> int:
        """Index of its next job: of its own group, else of a group nobody else holds."""
        held = {w.group for w in self._workers if w is not worker}
        tests = (lambda j: j.group == worker.group, lambda j: j.group not in held)
        for fits in tests:
            for k, job in enumerate(self._pending):
                if fits(job):
                    return k
        return 0


class _Worker:
    """One worker process, and the job it has."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.job: Job | None = None
        self.group: Any = None
        self.alive, self._ready = True, False
        self.connection, self._process = _started()
        self._heard, self._label = time.monotonic(), None

    def give(self, job: Job) -> None:
        """Send it a job."""
        self.job, self.group = job, job.group
        self._heard, self._label = time.monotonic(), None
        try:
            self.connection.send((job.function, job.arguments))
        except (BrokenPipeError, ConnectionResetError):
            pass  # it died between two jobs: `look` finds out

    @property
    def seconds_left(self) -> float:
        """Time until it counts as hung [s]."""
        return self._heard + self.timeout - time.monotonic()

    def look(self, heard: Callable[[Job, Any], None]) -> Outcome | None:
        """Read what it has sent; the outcome of its job, if that has come to an end."""
        try:
            while self.connection.poll():
                kind, value = self.connection.recv()
                self._heard = time.monotonic()
                if kind == "ready":
                    self._ready = True
                elif kind == "beat":
                    self._label = value
                    heard(self.job, value)
                else:
                    return self._finish(kind, value)
        except (EOFError, ConnectionResetError):
            return self._lost()
        if self.seconds_left <= 0:
            self.end()
            return self._finish("hung", text=f"no answer within {self.timeout:g} s")
        return None

    def end(self) -> None:
        """Kill it."""
        self.alive = False
        self.connection.close()
        self._process.kill()
        self._process.wait()

    def _lost(self) -> Outcome:
        code = self._process.wait()
        self.end()
        if not self._ready:
            raise SimulationError(
                f"A worker process could not start (exit code {code}); its message is on "
                f"standard error."
            )
        return self._finish("died", text=f"the worker process died (exit code {code})")

    def _finish(self, kind: str, value: Any = None, text: str = "") -> Outcome:
        job, self.job = self.job, None
        return Outcome(job, kind, value, self._label, text or str(value))


def cores() -> int:
    """Number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def _started() -> tuple[Connection, subprocess.Popen]:
    """A new worker process and our end of the line to it."""
    ours, theirs = Pipe()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(_LAUNCHER)}
    # The caller's modules must be importable there, and numpy must not start threads.
    environment["PYTHONPATH"] = os.pathsep.join(p or os.getcwd() for p in sys.path)
    environment["OMP_NUM_THREADS"] = environment["OPENBLAS_NUM_THREADS"] = "1"
    process = subprocess.Popen(
        [sys.executable, "-m", "noble_neuron.simulate.worker", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env=environment,
        stdin=subprocess.DEVNULL,
    )
    theirs.close()
    return ours, process


def _sleep_until_news(busy: list[_Worker]) -> None:
    if busy:
        left = min(worker.seconds_left for worker in busy)
        wait([worker.connection for worker in busy], timeout=max(0.0, left))
