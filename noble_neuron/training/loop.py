"""The one training loop: any model, any task; resumes exactly, one process or several."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from ..contracts import Tracker
from ..errors import NobleError
from ..surrogates import weights
from . import checkpoint
from .average import Average
from .config import TrainConfig
from .processes import Processes, processes
from .progress import Line, append, cut
from .schedules import schedule


class Task(Protocol):
    """What to learn. All its randomness comes from torch's generators, which each step seeds.

    A task that remembers anything between steps keeps it as CPU tensors in a dict `memory`,
    changed in place: then it is in every checkpoint. (Of several processes each has its own and
    the first one's is kept, so such a training resumes alike, but not exactly.)
    """

    n_samples: int
    at_once: int  # samples that a CPU should take in one pass; the gradient is the same

    def loss(self, model: nn.Module, indices: Tensor, device: torch.device) -> Tensor:
        """Mean loss over the training samples `indices`, shape ()."""
        ...

    def validate(self, model: nn.Module, device: torch.device) -> dict[str, float]:
        """Figures on the validation samples; "score" is minimised."""
        ...


@dataclass(frozen=True)
class TrainResult:
    """How a call of `train` ended; the model then holds the best weights.

    Attributes:
        finished: False where `max_minutes` stopped it; call again to go on.
        steps: Steps done, over all calls.
        score: Best validation score; infinite before the first validation.
        best_step: When it was reached.
        minutes: Time trained, over all calls [min].
        folder: Holds best.safetensors, checkpoint.safetensors and log.jsonl.
    """

    finished: bool
    steps: int
    score: float
    best_step: int
    minutes: float
    folder: Path


def train(
    model: nn.Module,
    task: Task,
    config: TrainConfig,
    out_dir: str | os.PathLike,
    tracker: Tracker | None = None,
) -> TrainResult:
    """Train `model` in place, or go on with the training that `out_dir` holds.

    A run killed at any moment and resumed has the weights of an uninterrupted one, bit for bit
    on a CPU with the same number of threads. Under torchrun, each batch is shared out.

    Raises:
        NobleError: The loss or the score is no longer finite.
        InputError: `out_dir` holds another training.
    """
    with processes(config.device) as peers:
        gpus = [peers.device] if peers.device.type == "cuda" else []
        with torch.random.fork_rng(devices=gpus):
            return _Run(model, task, config, Path(out_dir), tracker, peers).go()


OVERFLOWS = 10  # in a row that are no accident any more


class _Run:
    """State of one training; `step` counts over all epochs and calls."""

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        config: TrainConfig,
        folder: Path,
        tracker: Tracker | None,
        peers: Processes,
    ) -> None:
        self.model, self.task, self.config = model.to(peers.device), task, config
        self.folder, self.tracker, self.peers = folder, tracker, peers
        self.per_epoch = math.ceil(task.n_samples / config.batch_size)
        self.total = self.per_epoch * config.epochs
        self.schedule = schedule(config, self.total)
        kind = torch.optim.Adam if config.recipe == "reference" else torch.optim.AdamW
        decay = {} if config.recipe == "reference" else {"weight_decay": config.weight_decay}
        self.optimizer = kind(model.parameters(), lr=config.lr, **decay)
        peers.share_weights(model)
        self.average = Average(model, config.ema)
        self.step, self.best, self.best_step = 0, math.inf, 0
        self.order: tuple[int, Tensor] = (-1, torch.empty(0))  # of an epoch
        self.loss_sum, self.loss_steps = torch.zeros((), device=peers.device), 0
        self.minutes_before, self.began = 0.0, time.monotonic()
        self.overflows = 0  # in a row
        self.line = Line(self.total)

    def go(self) -> TrainResult:
        self._resume()
        saved, out_of_time = time.monotonic(), False
        while self.step < self.total and not out_of_time:
            out_of_time = self._train_step(self._batch())
            if self.peers.first and self.line.due():
                self.line.show(self.step, self._said())
            whole_period = self.step % (self.per_epoch * self.config.validate_every) == 0
            if whole_period or self.step == self.total:
                self._validate()
            if time.monotonic() - saved > 60 * self.config.checkpoint_minutes:
                self._save()
                saved = time.monotonic()
        self._save()
        if math.isfinite(self.best):
            weights.fill(self.model, weights.read(self.folder / "best.safetensors")[0])
        if self.peers.first:
            self.line.show(self.step, self._said(), end=True)
        finished = self.step >= self.total
        return TrainResult(
            finished, self.step, self.best, self.best_step, self._minutes(), self.folder
        )

    def _batch(self) -> Tensor:
        """Indices of this step's samples: a fresh order each epoch, known from the step alone."""
        epoch, k = divmod(self.step, self.per_epoch)
        if self.order[0] != epoch:
            order = torch.Generator().manual_seed(_mixed(self.config.seed, epoch))
            self.order = epoch, torch.randperm(self.task.n_samples, generator=order)
        return self.order[1][k * self.config.batch_size : (k + 1) * self.config.batch_size]

    def _train_step(self, batch: Tensor) -> bool:
        """One step on all processes together; True when the time is up in the first."""
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.at(self.step)
        torch.manual_seed(_mixed(self.config.seed, self.step, self.peers.rank))
        self.optimizer.zero_grad()
        mine = self.peers.mine(batch)
        report = torch.zeros(2, device=self.peers.device)  # loss, time is up
        report[1] = float(self.peers.first and self._time_is_up())
        for part in self._parts(mine):
            share = len(part) / len(batch)
            loss = self.task.loss(self.model, part, self.peers.device) * share
            loss.backward()
            report[0] += loss.detach()
        report = self.peers.sum_gradients(self.model, report)
        if self._clipped():
            self.optimizer.step()
            self.average.update(self.model, self.step)
        self.step += 1
        self.loss_sum += report[0]
        self.loss_steps += 1
        # With one process the clock is read here, so that a GPU need not be waited for.
        return self._time_is_up() if self.peers.world == 1 else bool(report[1])

    def _clipped(self) -> bool:
        """Clip the gradients, if so asked; False for some that no clipping can save.

        Through hundreds of steps of a recurrence a gradient overflows now and then, though loss
        and weights are sound. What asks for clipping can do without that step.
        """
        if self.config.clip is None:
            return True
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        if math.isfinite(norm):
            self.overflows = 0
            return True
        self.overflows += 1
        if self.overflows >= OVERFLOWS:
            raise NobleError(
                f"The gradients of the last {OVERFLOWS} steps before step {self.step} are not "
                f"finite: lower the learning rate (now {self.config.lr:g})."
            )
        return False

    def _parts(self, rows: Tensor) -> tuple[Tensor, ...]:
        """Rows in the pieces that go through the model together."""
        # Of traces, a CPU's caches hold few: 16 at once cost 1.4 times as much each as 8.
        size = len(rows) if self.peers.device.type == "cuda" else self.task.at_once
        return rows.split(max(1, size)) if len(rows) else ()

    def _validate(self) -> None:
        """Judge the weights, keep them if they are the best, and tell the schedule and the log."""
        loss = self._mean_loss()
        score = torch.zeros(1, dtype=torch.float64, device=self.peers.device)
        if self.peers.first:
            self.model.eval()
            torch.manual_seed(_mixed(self.config.seed, self.step))
            with torch.no_grad(), self.average.in_place_of(self.model):
                figures = self.task.validate(self.model, self.peers.device)
                score[0] = figures["score"]
                if figures["score"] < self.best:
                    kept = weights.tensors(self.model)
                    weights.write(self.folder / "best.safetensors", kept)
            self._report({"loss": loss, **figures})
        value = float(self.peers.from_first(score))
        if not math.isfinite(value):
            raise NobleError(f"The validation score is {value} after {self.step} steps.")
        if value < self.best:
            self.best, self.best_step = value, self.step
        self.schedule.heard(value)
        self.loss_sum, self.loss_steps = torch.zeros_like(self.loss_sum), 0

    def _report(self, figures: dict[str, float]) -> None:
        values = {**figures, "lr": self.schedule.at(self.step - 1), "minutes": self._minutes()}
        epoch = self.step / self.per_epoch
        append(self.folder / "log.jsonl", {"step": self.step, "epoch": epoch, **values})
        if self.tracker is not None:
            self.tracker.log(self.step, values)

    def _mean_loss(self) -> float:
        """Mean training loss since the last validation; waits for the GPU."""
        loss = float(self.loss_sum) / max(1, self.loss_steps)
        if not math.isfinite(loss):
            raise NobleError(
                f"The training loss is {loss} within the {self.loss_steps} steps before step "
                f"{self.step}: lower the learning rate (now {self.config.lr:g}), set "
                f"TrainConfig.clip, or look for a sample that is not finite. The last checkpoint "
                f"in {self.folder} is sound."
            )
        return loss

    def _said(self) -> str:
        best = f"best {self.best:.5g}" if math.isfinite(self.best) else "not validated yet"
        loss = f"loss {self._mean_loss():.5g}  " if self.loss_steps else ""
        return f"epoch {self.step / self.per_epoch:.2f}  {loss}{best}"

    def _save(self) -> None:
        if not self.peers.first:
            return
        scalars = {
            "same": self._same(),
            "step": self.step,
            "best": self.best if math.isfinite(self.best) else None,
            "best_step": self.best_step,
            "loss_sum": self._mean_loss() * self.loss_steps,
            "loss_steps": self.loss_steps,
            "minutes": self._minutes(),
            "schedule": self.schedule.state(),
        }
        path = self.folder / "checkpoint.safetensors"
        average, memory = self.average.values, self._memory()
        checkpoint.save(path, self.model, self.optimizer, average, memory, scalars)

    def _resume(self) -> None:
        path = self.folder / "checkpoint.safetensors"
        if not path.exists():
            if self.peers.first:
                self.folder.mkdir(parents=True, exist_ok=True)
                cut(self.folder / "log.jsonl", -1)
            return
        average, memory = self.average.values, self._memory()
        values = checkpoint.load(path, self.model, self.optimizer, average, memory, self._same())
        self.step, self.best_step = values["step"], values["best_step"]
        self.best = math.inf if values["best"] is None else values["best"]
        self.loss_sum += values["loss_sum"]
        self.loss_steps = values["loss_steps"]
        self.minutes_before = values["minutes"]
        self.schedule.restore(values["schedule"])
        if self.peers.first:
            cut(self.folder / "log.jsonl", self.step)

    def _memory(self) -> dict[str, Tensor]:
        return getattr(self.task, "memory", {})

    def _same(self) -> dict:
        return {**self.config.fixed(), "n_samples": self.task.n_samples}

    def _minutes(self) -> float:
        return self.minutes_before + (time.monotonic() - self.began) / 60

    def _time_is_up(self) -> bool:
        limit = self.config.max_minutes
        return limit is not None and time.monotonic() - self.began > 60 * limit


def _mixed(*numbers: int) -> int:
    """One seed from several numbers; torch's generator scrambles it further."""
    seed = 0
    for number in numbers:
        seed = (seed * 1_000_003 + number + 1) % 2**63
    return seed
