"""NOBLE with a learned clock: when it fires is one branch, what it looks like another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import InputError
from .clock import SpikeClock, averages, spans, ticks
from .encoding import standard
from .fno import FNO
from .spike import SpikeWaveform, channels, placed, told
from .timing import SpikeTiming

AFTER_MS = (0.12, 0.3, 0.8, 2.0, 5.0, 12.0, 40.0)  # decay after a spike
BEFORE_MS = (0.12, 0.3, 0.8, 2.5)  # rise towards the next
DRIVE_MS = 1.5  # step of the shape branch's running averages


@dataclass(frozen=True)
class ClockedConfig:
    """Settings of `ClockedNoble`.

    Attributes:
        latent_size: Number of latent coordinates; 0 where all cells are taken for one.
        window_ms: Longest answer [ms]; shorter currents are padded with zero up to it.
        clock_hidden: Width of the clock's layers.
        clock_ms: Step of the clock [ms]; best one that divides the onsets and offsets in use.
        memory_ms: Time constants of the running averages of the current [ms].
        layers: Fourier layers of the shape branch.
        hidden: Channels of each.
        modes: Fourier modes, counted as in neuraloperator.
        timing_hidden: Width of the layers that correct the clock's times.
        spike_hidden: Width of the layers that shape the spikes.
        spike_shapes: Principal components that a spike's waveform is made of.
        current_scale: Current that counts as 1 [nA].
        v_mean: Voltage that counts as 0 [mV].
        v_sd: Voltage difference that counts as 1 [mV].
        thresholds: Latent coordinates that are currents where firing changes (I_thr, then I_rep):
            each an index and the currents [nA] that it encodes as 0.5 and 3.5.
        onset_ms: By then [ms] a current above I_thr has made the cell fire once; None: nothing
            is known of it.
    """

    latent_size: int = 2
    window_ms: float = 518.4
    clock_hidden: int = 64
    clock_ms: float = 1.25
    memory_ms: tuple[float, ...] = (3.0, 10.0, 40.0, 160.0)
    layers: int = 4
    hidden: int = 24
    modes: int = 128
    timing_hidden: int = 64
    spike_hidden: int = 96
    spike_shapes: int = 24
    current_scale: float = 0.3
    v_mean: float = -65.0
    v_sd: float = 15.0
    thresholds: tuple[tuple[int, float, float], ...] = ()
    onset_ms: float | None = None

    def __post_init__(self) -> None:
        # A card holds lists.
        object.__setattr__(self, "memory_ms", tuple(self.memory_ms))
        object.__setattr__(self, "thresholds", tuple(tuple(x) for x in self.thresholds))
        for _, low, high in self.thresholds:
            if not 0 < low < high:
                raise InputError(
                    f"ClockedConfig.thresholds needs an index and two rising currents above 0 nA "
                    f"each, got {self.thresholds!r}."
                )
        apart = ("memory_ms", "v_mean", "thresholds") + ("onset_ms",) * (self.onset_ms is None)
        numbers = {k: v for k, v in vars(self).items() if k not in apart}
        for name, value in [*numbers.items(), *(("memory_ms", m) for m in self.memory_ms)]:
            least = value >= 0 if name == "latent_size" else value > 0
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not least:
                raise InputError(f"ClockedConfig.{name} must be positive, got {value!r}.")

    @property
    def channels(self) -> int:
        """Input channels of the shape branch."""
        return 1 + len(self.memory_ms) + self.latent_size + len(AFTER_MS) + len(BEFORE_MS)


class ClockedNoble(nn.Module):
    """Current and latent point in, voltage out; spikes stand where a learned phase says.

        t_1, t_2, ... = where phi(t) = integral of r(u, z) dt passes 1, 2, ...   (SpikeClock),
                        each corrected by what is known of it                    (SpikeTiming)
        x = [u(t), z, exp(-(t - t_last)/a), exp(-(t_next - t)/b), ...]
        V = v_mean + v_sd FNO(x); from 2 ms before to 4 ms after a peak, a waveform (SpikeWaveform)

    with u the current and its running averages. The parts are trained apart: the clock on the
    true spike times, the timing on what it leaves, the shape on the true voltage around the true
    spike times, the waveform on the true spikes aligned at their peaks. So a spike that comes
    0.2 ms late costs the shape nothing, and each learns in minutes what the plain operator,
    which must find every spike's time and shape at once, does not in hours.

    `forward` passes gradients to shape and waveform only: a spike's time is a crossing.

    Reference: Ghafourpour et al. 2025, NOBLE, equation 1, of whose embedding the clock is a
    learned form; Li et al. 2021, Fourier neural operator.
    """

    def __init__(self, config: ClockedConfig) -> None:
        super().__init__()
        self.config = config
        self.clock = SpikeClock(
            config.latent_size,
            config.clock_hidden,
            config.clock_ms,
            config.memory_ms,
            config.current_scale,
            config.thresholds,
            math.inf if config.onset_ms is None else config.onset_ms,
        )
        self.shape = FNO(
            n_modes=(config.modes,),
            in_channels=config.channels,
            out_channels=1,
            hidden_channels=config.hidden,
            n_layers=config.layers,
            positional_embedding=None,
        )
        of_spike = channels(1 + len(config.memory_ms), config.latent_size)
        of_time = of_spike + 3 * len(config.thresholds) + 1
        self.first = SpikeTiming(of_time, config.timing_hidden)
        self.later = SpikeTiming(of_time, config.timing_hidden)
        self.spike = SpikeWaveform(
            of_spike,
            config.spike_hidden,
            config.spike_shapes,
        )

    def forward(self, current: Tensor, latent: Tensor, t: Tensor) -> Tensor:
        """Voltage [mV], shape (batch, steps).

        Args:
            current: Somatic current [nA], shape (batch, steps).
            latent: Encoded latent coordinates, shape (batch, latent_size).
            t: Time [ms], shape (steps,), regular, from 0.
        """
        with torch.no_grad():
            times = self.spike_times(current, latent, t)
        return self.voltage(current, latent, t, times)

    def spike_times(self, current: Tensor, latent: Tensor, t: Tensor) -> Tensor:
        """Times of the spikes' peaks [ms], ascending, inf-padded, shape (batch, most spikes)."""
        times = self.clock.spike_times(self.phase(current, latent, t))
        some = torch.isfinite(times)
        if not some.any():
            return times
        about = self.told_of_time(current, latent, t, times)
        is_first = some.nonzero()[:, 1] == 0
        added = torch.where(is_first, self.first(about), self.later(about))
        return times.masked_scatter(some, times[some] + added).cummax(1).values

    def told_of_time(self, current: Tensor, latent: Tensor, t: Tensor, times: Tensor) -> Tensor:
        """What the timing is told of each of the clock's spikes, (spikes, channels)."""
        own, dt = standard(latent), _step(t)
        row, number = torch.isfinite(times).nonzero().T
        distances = self.clock.distances(self.clock.drive(current, dt), own)
        tick = (times[row, number] / self.config.clock_ms).long() - 1
        near = distances[row, tick.clamp(0, distances.shape[1] - 1)]
        count = 0.5 * torch.log1p(number.to(near))[:, None]
        return torch.cat((self.told(current, latent, t, times), near, count), 1)

    def phase(self, current: Tensor, latent: Tensor, t: Tensor) -> Tensor:
        """The clock's phase at its own ticks, shape (batch, ticks + 1)."""
        return self.clock(current, standard(latent), _step(t))

    def voltage(self, current: Tensor, latent: Tensor, t: Tensor, times: Tensor) -> Tensor:
        """Voltage [mV] of a cell that spikes at `times` [ms], inf-padded, (batch, spikes)."""
        coarse = self.by_shape(current, latent, t, times)
        if not (self.spike.known and torch.isfinite(times).any()):
            return coarse
        waves = self.spike.wave(self.told(current, latent, t, times))
        return placed(coarse, waves, times, _step(t))

    def by_shape(self, current: Tensor, latent: Tensor, t: Tensor, times: Tensor) -> Tensor:
        """What the shape branch alone says [mV], shape (batch, steps)."""
        y = self.shape(self.lift(current, latent, t, times)).squeeze(1)
        return self.config.v_mean + self.config.v_sd * y[:, : len(t)]

    def told(self, current: Tensor, latent: Tensor, t: Tensor, times: Tensor) -> Tensor:
        """What the waveform is told of each spike, row by row, shape (spikes, channels)."""
        drive = self._drive(self._padded(current, t), _step(t))
        return told(drive, standard(latent), times, _step(t))

    def lift(self, current: Tensor, latent: Tensor, t: Tensor, times: Tensor) -> Tensor:
        """The FNO's input channels over the whole window, (batch, config.channels, steps)."""
        dt, current = _step(t), self._padded(current, t)
        steps = current.shape[1]
        grid = torch.arange(steps, dtype=t.dtype, device=t.device) * dt
        last, next_ = spans(times, grid)
        after = [torch.exp(-last / tau) for tau in AFTER_MS]
        before = [torch.exp(-next_ / tau) for tau in BEFORE_MS]
        return torch.cat(
            (
                self._drive(current, dt),
                standard(latent)[..., None].expand(-1, -1, steps),
                torch.stack(after + before, dim=1),
            ),
            dim=1,
        )

    def _padded(self, current: Tensor, t: Tensor) -> Tensor:
        """The current over the whole window, zero after its end."""
        dt = _step(t)
        steps = round(self.config.window_ms / dt)
        if len(t) > steps:
            raise InputError(
                f"This operator spans {self.config.window_ms:g} ms: at most {steps} steps of "
                f"{dt:g} ms, got {len(t)}. Ask for a shorter duration."
            )
        return nn.functional.pad(current, (0, steps - len(t)))

    def _drive(self, current: Tensor, dt: float) -> Tensor:
        """The current and its running averages, (batch, 1 + len(memory_ms), steps)."""
        current = current / self.config.current_scale
        means = ticks(current, dt, DRIVE_MS)
        means = averages(means, DRIVE_MS, self.config.memory_ms)[..., 1:].transpose(1, 2)
        means = nn.functional.interpolate(means, size=current.shape[1], mode="linear")
        return torch.cat((current[:, None], means), dim=1)


def _step(t: Tensor) -> float:
    if t.ndim != 1 or len(t) < 2:
        raise InputError(f"Time needs at least two steps in one axis, got {tuple(t.shape)}.")
    return float(t[-1]) / (len(t) - 1)
