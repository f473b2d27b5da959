"""The tasks of `ClockedNoble`: when it fires, what it looks like, and both in fine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor, nn

from ..errors import InputError
from ..operators.clock import ticks
from ..operators.clocked import ClockedNoble
from ..operators.encoding import standard
from ..operators.spike import offsets
from ..store.decimate import smoothed
from ..store.hdf5 import Dataset
from .config import TrainConfig
from .loop import train
from .losses import relative_lp
from .whole_trace import TRACES_AT_ONCE, Traces


@dataclass(frozen=True, eq=False)
class SpikedTraces:
    """Traces with the times of their spikes' peaks, and the waveforms of some of them.

    Attributes:
        traces: Currents, voltages and latents.
        times: Peak times [ms], float32, shape (n, most spikes), inf-padded.
        which: Row of the trace and number of the spike of each waveform, int, shape (m, 2).
        waves: Voltage at `operators.spike.offsets` from the peak [mV], float32, (m, points).
    """

    traces: Traces
    times: np.ndarray
    which: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), int))
    waves: np.ndarray = field(default_factory=lambda: np.zeros((0, len(offsets())), np.float32))

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


def gather_waves(
    data: Dataset, samples: Sequence[int], times: np.ndarray, factor: int, most: int = 200_000
) -> tuple[np.ndarray, np.ndarray]:
    """Waveforms of about `most` spikes, or of all if there are fewer, evenly from the traces.

    Args:
        data: The training set; its raw grid is read.
        samples: Which ones.
        times: Their peak times [ms], inf-padded, shape (samples, most spikes).
        factor: How much coarser the operator's grid is: they are smoothed as that one is.
        most: About 200 MB.

    Returns:
        `SpikedTraces.which` and `SpikedTraces.waves`.
    """
    counts = np.isfinite(times).sum(1)
    quota = most // max(1, np.count_nonzero(counts))
    draw, around = np.random.default_rng(0), offsets().double().numpy()
    which, waves = [np.zeros((0, 2), int)], [np.zeros((0, len(around)), np.float32)]
    for row in np.flatnonzero(counts):
        volts, dt = data.voltage(int(samples[row])), data.dt(int(samples[row]))
        spline, end = CubicSpline(np.arange(len(volts)) * dt, smoothed(volts, factor)), len(volts)
        at = times[row, : counts[row]].astype(float)
        whole = np.flatnonzero((at + around[0] >= 0) & (at + around[-1] <= (end - 1) * dt))
        taken = np.sort(draw.permutation(whole)[:quota])
        which.append(np.stack((np.full_like(taken, row), taken), 1))
        waves.append(spline(at[taken, None] + around).astype(np.float32))
    return np.concatenate(which), np.concatenate(waves)


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
    """Train each part of the operator in a folder of its own in OUT; each resumes.

    Args:
        noble: The operator.
        training: What it learns from.
        validation: What chooses among its weights.
        configs: Settings for each of `PARTS`.
        out: Folder.

    Returns:
        Whether all finished, and the sum of the scores of clock and shape.
    """
    score = 0.0
    for part, task in PARTS.items():
        work = task(noble, training, validation)
        if not work.n_samples:  # no cell fires
            continue
        result = train(getattr(noble, part), work, configs[part], out / part)
        score += result.score if part in ("clock", "shape") else 0.0
        if not result.finished:
            return False, score
    return True, score


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
        got = self.noble.by_shape(current, latent, data.traces.times(device), times)
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


class SpikeTask:
    """The waveforms of the true spikes at their true times; train `noble.spike` on it.

    Every firing trace counts alike: a cell's only spike, at threshold, is not one among the
    thousands of those that fire on. The score is the mean square error [mV^2]; `rmse_mV` is its
    root, and `rmse_average_mV` that of an answer which knows the average spike alone.
    """

    at_once = 1 << 14

    def __init__(self, noble: ClockedNoble, training: SpikedTraces, validation: SpikedTraces):
        self.spike, self.n_samples = noble.spike, len(training.waves)
        if not self.n_samples:
            return
        self.told, self.waves, self.weight = _spikes(noble, training)
        self.held_back = _spikes(noble, validation if len(validation.waves) else training)
        self.spike.see(self.told, self.waves, self.weight)
        self.true = self.spike.weights(self.waves)

    def loss(self, model: nn.Module, indices: Tensor, device: torch.device) -> Tensor:
        """Mean square error of some training spikes [mV^2], what no shape holds left out."""
        told, true, weight = (x[indices].to(device) for x in (self.told, self.true, self.weight))
        return (weight * (model(told) - true).square().sum(1)).mean() / self.waves.shape[1]

    def validate(self, model: nn.Module, device: torch.device) -> dict[str, float]:
        """Errors of the validation spikes."""
        told, waves, weight = self.held_back
        got = torch.cat([model.wave(part.to(device)).cpu() for part in told.split(self.at_once)])
        mean, without = (
            float((weight * (answer - waves).square().mean(1)).mean().detach())
            for answer in (got, model.average.cpu())
        )
        return {"score": mean, "rmse_mV": mean**0.5, "rmse_average_mV": without**0.5}


@torch.no_grad()
def _spikes(noble: ClockedNoble, data: SpikedTraces) -> tuple[Tensor, Tensor, Tensor]:
    """What the waveform is told of each spike, its voltage and its weight, on the CPU."""
    device = next(noble.parameters()).device
    t, row, number = data.traces.times(device), data.which[:, 0], data.which[:, 1]
    told = []
    for start in range(0, len(data), TRACES_AT_ONCE):
        rows = np.arange(start, min(start + TRACES_AT_ONCE, len(data)))
        taken = np.zeros(data.times[rows].shape, bool)
        here = np.isin(row, rows)
        taken[row[here] - start, number[here]] = True
        current, latent, _, times = data.batch(rows, device)
        of_all = noble.told(current, latent, t, times).cpu()
        told.append(of_all[torch.as_tensor(taken[np.isfinite(data.times[rows])])])
    weight = 1.0 / np.bincount(row)[row]
    weight = torch.as_tensor(weight / weight.mean(), dtype=torch.float32)
    return torch.cat(told), torch.as_tensor(data.waves), weight


class TimingTask:
    """What the trained clock's spike times lack, the n-th spike's of the true n-th.

    A sample is a spike. Errors below `EDGE` count as squares, larger ones as they are: a spike
    that the clock has too many, or a trace that fires by accident, has nothing to teach. The
    score is that loss; `error_ms` is the mean size of what is left, `before_ms` of what was.
    """

    at_once = 1 << 14
    EDGE = 0.02  # ms

    def __init__(
        self, noble: ClockedNoble, training: SpikedTraces, validation: SpikedTraces, first: bool
    ) -> None:
        self.told, self.missing, self.weight = _mistimed(noble, training, first)
        self.n_samples = len(self.missing)
        held_back = _mistimed(noble, validation, first)
        self.held_back = held_back if len(held_back[1]) else (self.told, self.missing, self.weight)
        if self.n_samples:
            (noble.first if first else noble.later).see(self.told)

    def loss(self, model: nn.Module, indices: Tensor, device: torch.device) -> Tensor:
        """Mean loss of some training spikes."""
        told, missing, weight = (
            x[indices].to(device) for x in (self.told, self.missing, self.weight)
        )
        return (weight * _soft(model(told) - missing, self.EDGE)).mean()

    def validate(self, model: nn.Module, device: torch.device) -> dict[str, float]:
        """Errors of the validation spikes."""
        told, missing, weight = self.held_back
        added = torch.cat([model(part.to(device)).cpu() for part in told.split(self.at_once)])
        left = added - missing
        sizes = {"score": _soft(left, self.EDGE), "error_ms": left.abs()}
        sizes["before_ms"] = missing.abs()
        return {name: float((weight * size).mean().detach()) for name, size in sizes.items()}


@torch.no_grad()
def _mistimed(
    noble: ClockedNoble, data: SpikedTraces, first: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """What the timing is told of the clock's spikes, what they lack [ms], what each counts."""
    device = next(noble.parameters()).device
    t, found = data.traces.times(device), []
    for start in range(0, len(data), TRACES_AT_ONCE):
        rows = np.arange(start, min(start + TRACES_AT_ONCE, len(data)))
        current, latent, _, true = data.batch(rows, device)
        times = noble.clock.spike_times(noble.phase(current, latent, t))
        if not torch.isfinite(times).any():
            continue
        told = noble.told_of_time(current, latent, t, times)
        row, number = torch.isfinite(times).nonzero().T
        width = max(times.shape[1], true.shape[1])
        true = nn.functional.pad(true, (0, width - true.shape[1]), value=torch.inf)
        missing = true[row, number] - times[row, number]
        taken = torch.isfinite(missing) & ((number == 0) == first)
        count = torch.isfinite(true).sum(1)[row]
        weight = torch.ones_like(missing) if first else 1.0 / count.clamp(min=1)
        found.append(tuple(x[taken].cpu() for x in (told, missing, weight)))
    if not found:
        return torch.zeros(0, noble.first.mean.numel()), torch.zeros(0), torch.zeros(0)
    told, missing, weight = (torch.cat(x) for x in zip(*found, strict=True))
    return told, missing, weight / weight.mean()


# In the order of their training: the timing needs the clock.
PARTS = {
    "clock": ClockTask,
    "first": partial(TimingTask, first=True),
    "later": partial(TimingTask, first=False),
    "shape": ShapeTask,
    "spike": SpikeTask,
}


def _at(phase: Tensor, place: Tensor) -> Tensor:
    """Phase at fractional ticks, shape of `place`."""
    k = place.floor().long().clamp(0, phase.shape[1] - 2)
    low = phase.gather(1, k)
    return low + (place - k) * (phase.gather(1, k + 1) - low)


def _soft(error: Tensor, edge: float) -> Tensor:
    """Smooth L1: error^2 / (2 edge) below edge, |error| - edge / 2 above."""
    size = error.abs()
    return torch.where(size < edge, size.square() / (2 * edge), size - edge / 2)
