"""The tasks of `ClockedNoble`: when it fires, what it looks like when it does, and in fine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InputError
from ..operators.clock import ticks
from ..operators.clocked import ClockedNoble
from ..operators.encoding import standard
from ..store.hdf5 import Dataset
from .config import TrainConfig
from .loop import train
from .losses import relative_lp
from .whole_trace import TRACES_AT_ONCE, Traces


@dataclass(frozen=True, eq=False)
class SpikedTraces:
    """Traces with the times of their spikes' peaks.

    Attributes:
        traces: Currents, voltages and latents.
        times: Peak times [ms], float32, shape (n, most spikes), inf-padded.
    """

    traces: Traces
    times: np.ndarray

    def __post_init__(self) -> None:
        if len(self.times) != len(self.traces):
            raise InputError(f"{len(self.traces)} traces, but spike times of {len(self.times)}.")

    def __len__(self) -> int:
        return len(self.traces)

    def batch(self, rows: np.ndarray, device: torch.device) -> tuple[Tensor, ...]:
        """Current, latent, voltage and spike times of some rows."""
        times = torch.as_tensor(self.times[rows], dtype=torch.float32).to(device)
        return (*self.traces.batch(rows, device), times)


def peak_times(voltage: np.ndarray, dt: float, threshold: float) -> np.ndarray:
    """Time of each spike's peak, between grid points by a parabola.

    Args:
        voltage: Raw voltage [mV], shape (steps,).
        dt: Grid [ms].
        threshold: Voltage whose upward crossing is a spike [mV].

    Returns:
        Times [ms], shape (spikes,).
    """
    above = voltage > threshold
    up = np.flatnonzero(above[1:] & ~above[:-1]) + 1
    down = np.flatnonzero(above[:-1] & ~above[1:]) + 1
    times = []
    for start in up:
        end = down[down > start][0] if np.any(down > start) else len(voltage)
        k = start + int(np.argmax(voltage[start:end]))
        shift = 0.0
        if 0 < k < len(voltage) - 1:
            left, top, right = (float(x) for x in voltage[k - 1 : k + 2])
            bend = left - 2 * top + right
            shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
        times.append((k + shift) * dt)
    return np.array(times)


def padded(trains: list[np.ndarray]) -> np.ndarray:
    """Spike trains as one inf-padded array, float32, shape (n, most spikes)."""
    out = np.full((len(trains), max(1, max(map(len, trains)))), np.inf, np.float32)
    for row, times in zip(out, trains, strict=True):
        row[: len(times)] = times
    return out


def gather_times(data: Dataset, samples: Sequence[int], threshold: float) -> np.ndarray:
    """Peak times [ms] of samples of a training set, read from its raw grid, inf-padded."""
    return padded([peak_times(data.voltage(int(i)), data.dt(int(i)), threshold) for i in samples])


def slowest_onset(data: SpikedTraces, i_thr: np.ndarray, step: float) -> float | None:
    """Longest time from a current's rise above I_thr to the first spike.

    Args:
        data: Traces.
        i_thr: I_thr of each one's cell [nA], shape (n,).
        step: The current is looked at in means over this long [ms].

    Returns:
        Time [ms]; None where no trace tells, or where one was above I_thr for longer than that
        and stayed silent: then I_thr says nothing of when.
    """
    currents = torch.as_tensor(data.traces.current, dtype=torch.float64)
    above = ticks(currents, data.traces.dt, step).numpy() > i_thr[:, None]
    waited = data.times[:, 0] - above.argmax(1) * step
    slowest = max(waited[np.isfinite(waited) & (waited > 0) & above.any(1)], default=None)
    silent = above[np.isinf(waited)].sum(1) * step
    if slowest is None or (silent > slowest).any():
        return None
    return float(slowest)


def train_clocked(
    noble: ClockedNoble,
    training: SpikedTraces,
    validation: SpikedTraces,
    configs: Mapping[str, TrainConfig],
    out: Path,
) -> tuple[bool, float]:
    """Train the clock, the shape, then the detail, in OUT/clock and so on; each resumes.

    Args:
        noble: The operator.
        training: What it learns from.
        validation: What chooses among its weights.
        configs: Settings for "clock", "shape" and "detail".
        out: Folder.

    Returns:
        Whether all finished, and the sum of the scores of clock and shape.
    """
    score = 0.0
    for name, task in (("clock", ClockTask), ("shape", ShapeTask)):
        result = train(
            getattr(noble, name), task(noble, training, validation), configs[name], out / name
        )
        score += result.score
        if not result.finished:
            return False, score
    detail = DetailTask(noble, training, validation)
    if not detail.n_samples:  # no cell fires
        return True, score
    return train(noble.detail, detail, configs["detail"], out / "detail").finished, score


class _Task(ABC):
    """Rows of a training and a validation set, and a loss for each."""

    at_once = TRACES_AT_ONCE

    def __init__(self, noble: ClockedNoble, training: SpikedTraces, validation: SpikedTraces):
        self.noble, self.training, self.validation = noble, training, validation
        self.n_samples = len(training)

    def loss(self, model: nn.Module, indices: Tensor, device: torch.device) -> Tensor:
        """Mean loss over the training rows `indices`, shape ()."""
        return self.each(self.training, indices.numpy(), device)[0].mean()

    def validate(self, model: nn.Module, device: torch.device) -> dict[str, float]:
        """Means over the validation rows; "score" is what is minimised."""
        sums: dict[str, float] = {}
        for start in range(0, len(self.validation), self.at_once):
            rows = np.arange(start, min(start + self.at_once, len(self.validation)))
            loss, figures = self.each(self.validation, rows, device)
            for name, value in {"score": loss, **figures}.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach().sum())
        return {name: value / len(self.validation) for name, value in sums.items()}

    @abstractmethod
    def each(
        self, data: SpikedTraces, rows: np.ndarray, device: torch.device
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of each row, shape (rows,), and other figures of the same shape."""


class ClockTask(_Task):
    """The phase must pass n at the n-th spike, and must not reach N + 1 by the end.

    Train `noble.clock` on it. The score is the loss; `turns` is the mean |phase error| at the
    true spikes, in spikes, and `miscount` the share of traces whose count is off by more
    than one.
    """

    at_once = 64  # an answer is a few hundred numbers
    PAST, EDGE = 0.05, 0.95  # how far past its last spike a phase has to, and may, run
    SOFT = 0.05  # turns; below it errors count as squares

    def __init__(self, noble: ClockedNoble, training: SpikedTraces, validation: SpikedTraces):
        super().__init__(noble, training, validation)
        # The drive has nothing to learn in it: once is enough.
        self.drive = {id(data): self._drive(data) for data in (training, validation)}

    @torch.no_grad()
    def _drive(self, data: SpikedTraces) -> Tensor:
        """What the clock sees of every row's current, shape (n, ticks, channels)."""
        currents = torch.as_tensor(data.traces.current, dtype=torch.float32)
        dt, clock = data.traces.dt, self.noble.clock
        return torch.cat([clock.drive(part, dt) for part in currents.split(self.at_once)])

    def each(self, data, rows, device):
        latent, times = (
            torch.as_tensor(x[rows], dtype=torch.float32).to(device)
            for x in (data.traces.latent, data.times)
        )
        drive = self.drive[id(data)][rows].to(device)
        phase = self.noble.clock.turn(drive, standard(latent))
        spikes = torch.isfinite(times)
        step = self.noble.config.clock_ms
        at = _at(phase, torch.where(spikes, times, 0.0) / step)
        number = torch.arange(1, times.shape[1] + 1, device=device)
        error = torch.where(spikes, at - number, 0.0)
        count = spikes.sum(-1)
        over = (phase[:, -1] - count - self.EDGE).clamp(min=0)
        # Intervals too: early in training the phase is far off, and its slope teaches sooner.
        interval = torch.where(spikes[:, 1:], error.diff(dim=-1), 0.0)
        loss = _soft(error, self.SOFT).sum(-1) + _soft(interval, self.SOFT).sum(-1)
        # One that creeps up to its last spike and stops there may as well stop short of it.
        under = ((count + self.PAST - phase[:, -1]) * (count > 0)).clamp(min=0)
        loss = loss / count.clamp(min=1) + _soft(over, self.SOFT) + _soft(under, self.SOFT)
        # The first spike is one of many in the mean, and the one that users look at.
        loss = loss + _soft(error[:, 0], self.SOFT)
        figures = {
            "turns": error.abs().sum(-1) / count.clamp(min=1),
            "miscount": ((phase[:, -1].floor() - count).abs() > 1).float(),
        }
        return loss, figures


class ShapeTask(_Task):
    """The voltage around the true spike times; train `noble.shape` on it.

    The loss is the relative L4 error (equation 4), as in the paper, taken from the operator's
    own zero (v_mean), so that the shape counts and not the distance from 0 mV; and the error at
    the peaks, on which amplitudes and widths hang and which are a few points of thousands.
    """

    PEAKS = 0.2  # weight of the peaks' mean error, in units of v_sd

    def each(self, data, rows, device):
        current, latent, voltage, times = data.batch(rows, device)
        got, _, _ = self.noble.by_shape(current, latent, data.traces.times(device), times)
        c = self.noble.config
        spikes = torch.isfinite(times)
        place = (torch.where(spikes, times, 0.0) / data.traces.dt).round().long()
        place = place.clamp(max=voltage.shape[1] - 1)
        peak = (got.gather(1, place) - voltage.gather(1, place)).abs() * spikes
        peak = peak.sum(-1) / spikes.sum(-1).clamp(min=1)
        loss = relative_lp(got - c.v_mean, voltage - c.v_mean, 4) + self.PEAKS * peak / c.v_sd
        figures = {
            "relative_l2": relative_lp(got, voltage, 2),
            "rmse_mV": (got - voltage).square().mean(-1).sqrt(),
            "peak_mV": peak,
        }
        return loss, figures


@dataclass(frozen=True, eq=False)
class _Points:
    """Points near spikes: what the detail is told of them, and what it is to say."""

    told: Tensor  # float16, (points, channels)
    missing: Tensor  # true voltage less the shape's [mV], (points,)
    near: Tensor  # how much of the detail is added, 0...1, (points,)
    weight: Tensor  # mean 1, (points,)


class DetailTask:
    """Train `noble.detail` on what the trained shape branch leaves near the true spikes.

    A sample is a point of a trace; the shape branch runs once, when this is made. Every firing
    trace counts alike: a cell's only spike, at threshold, is not one among the thousands of
    those that fire on. The score is the mean square error [mV^2].
    """

    at_once = 1 << 14
    MOST = 1_000_000  # points to train on, about 100 MB

    def __init__(self, noble: ClockedNoble, training: SpikedTraces, validation: SpikedTraces):
        self.training = _near_spikes(noble, training, self.MOST)
        self.n_samples = len(self.training.missing)
        held_back = _near_spikes(noble, validation, self.MOST)
        self.validation = held_back if len(held_back.missing) else self.training
        if self.n_samples:
            noble.detail.scale(self.training.told.float())

    def loss(self, model: nn.Module, indices: Tensor, device: torch.device) -> Tensor:
        """Mean square error of some training points [mV^2]."""
        return self._squares(model, self.training, indices, device).mean()

    def validate(self, model: nn.Module, device: torch.device) -> dict[str, float]:
        """Errors over the validation points."""
        every = torch.arange(len(self.validation.missing)).split(self.at_once)
        total = sum(
            float(self._squares(model, self.validation, part, device).detach().sum())
            for part in every
        )
        mean = total / len(self.validation.missing)
        without = self.validation.missing.square() * self.validation.weight
        return {
            "score": mean,
            "rmse_mV": mean**0.5,
            "rmse_without_mV": float(without.mean().sqrt()),
        }

    def _squares(
        self, model: nn.Module, points: _Points, rows: Tensor, device: torch.device
    ) -> Tensor:
        told, missing, near, weight = (
            x[rows].to(device).float()
            for x in (points.told, points.missing, points.near, points.weight)
        )
        return weight * (near * model(told) - missing).square()


@torch.no_grad()
def _near_spikes(noble: ClockedNoble, data: SpikedTraces, most: int) -> _Points:
    """About `most` points near the true spikes, or all if there are fewer, on the CPU."""
    device = next(noble.parameters()).device
    t = data.traces.times(device)
    width = noble.detail.mean.numel()
    found = [(torch.zeros(0, width, dtype=torch.float16), *torch.zeros(3, 0))]
    firing = np.flatnonzero(np.isfinite(data.times[:, 0]))
    quota = most / max(1, len(firing))
    draw = torch.Generator().manual_seed(0)
    for start in range(0, len(firing), TRACES_AT_ONCE):
        rows = firing[start : start + TRACES_AT_ONCE]
        current, latent, voltage, times = data.batch(rows, device)
        coarse, points, near = noble.by_shape(current, latent, t, times)
        here = (near > 0).sum(1, keepdim=True)
        taken = (near > 0) & (torch.rand(near.shape, generator=draw).to(device) < quota / here)
        weight = (1.0 / taken.sum(1, keepdim=True).clamp(min=1)).expand_as(near)
        parts = (points[taken].half(), (voltage - coarse)[taken], near[taken], weight[taken])
        found.append(tuple(x.cpu() for x in parts))
    told, missing, near, weight = (torch.cat(parts) for parts in zip(*found, strict=True))
    return _Points(told, missing, near, weight / weight.mean() if len(weight) else weight)


def _at(phase: Tensor, place: Tensor) -> Tensor:
    """Phase at fractional ticks, shape of `place`."""
    k = place.floor().long().clamp(0, phase.shape[1] - 2)
    low = phase.gather(1, k)
    return low + (place - k) * (phase.gather(1, k + 1) - low)


def _soft(error: Tensor, edge: float) -> Tensor:
    """Smooth L1: error^2 / (2 edge) below edge, |error| - edge / 2 above."""
    size = error.abs()
    return torch.where(size < edge, size.square() / (2 * edge), size - edge / 2)
