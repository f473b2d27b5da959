"""NOBLE with a learned clock: when it fires is one branch, what it looks like another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import InputError
from .clock import SpikeClock, averages, spans, ticks
from .detail import SpikeDetail, nearness
from .encoding import standard
from .fno import FNO

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
        detail_hidden: Width of the layers that correct the spikes.
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
    detail_hidden: int = 64
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

        t_1, t_2, ... = where phi(t) = integral of r(u, z) dt passes 1, 2, ...   (SpikeClock)
        x = [u(t), z, exp(-(t - t_last)/a), exp(-(t_next - t)/b), ...]
        V = v_mean + v_sd FNO(x) + detail(x, the FNO's last layer), the latter near spikes only

    with u the current and its running averages. The branches are trained apart: the clock
    on the true spike times, the shape on the true voltage around the true spike times, the
    detail on what the shape leaves. So a spike that comes 0.2 ms late costs the shape nothing,
    and each learns in minutes what the plain operator, which must find every spike's time and
    shape at once, does not in hours.

    `forward` passes gradients to shape and detail only: a spike's time is a crossing.

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
        self.detail = SpikeDetail(config.channels + config.hidden, config.detail_hidden)

    def forward(self, current: Tensor, latent: Tensor, t: Tensor) -> Tensor:
        """Voltage [mV], shape (batch, steps).

        Args:
            current: Somatic current [nA], shape (batch, steps).
            latent: Encoded latent coordinates, shape (batch, latent_size).
            t: Time [ms], shape (steps,), regular, from 0.
        """
        with torch.no_grad():
            times = self.clock.spike_times(self.phase(current, latent, t))
        return self.voltage(current, latent, t, times)

    def phase(self, current: Tensor, latent: Tensor, t: Tensor) -> Tensor:
        """The clock's phase at its own ticks, shape (batch, ticks + 1)."""
        return self.clock(current, standard(latent), _step(t))

    def voltage(self, current: Tensor, latent: Tensor, t: Tensor, times: Tensor) -> Tensor:
        """Voltage [mV] of a cell that spikes at `times` [ms], inf-padded, (batch, spikes)."""
        coarse, points, near = self.by_shape(current, latent, t, times)
        at = near > 0
        return coarse.masked_scatter(at, coarse[at] + near[at] * self.detail(points[at]))

    def by_shape(
        self, current: Tensor, latent: Tensor, t: Tensor, times: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the shape branch alone says, and what the detail is told.

        Returns:
            Voltage [mV], (batch, steps); the detail's points, (batch, steps, channels); and how
            much of the detail each takes, 0...1, (batch, steps).
        """
        steps, c = len(t), self.config
        x = self.lift(current, latent, t, times)
        h = self.shape.lifting(x)
        for layer in range(c.layers):
            h = self.shape.fno_blocks(h, layer)
        y = self.shape.projection(h).squeeze(1)
        points = torch.cat((x, h), dim=1)[..., :steps].transpose(1, 2)
        return c.v_mean + c.v_sd * y[:, :steps], points, nearness(*spans(times, t))

    def lift(self, current: Tensor, latent: Tensor, t: Tensor, times: Tensor) -> Tensor:
        """The FNO's input channels over the whole window, (batch, config.channels, steps)."""
        c, dt = self.config, _step(t)
        steps = round(c.window_ms / dt)
        if len(t) > steps:
            raise InputError(
                f"This operator spans {c.window_ms:g} ms: at most {steps} steps of "
                f"{dt:g} ms, got {len(t)}. Ask for a shorter duration."
            )
        current = nn.functional.pad(current, (0, steps - len(t)))
        grid = torch.arange(steps, dtype=t.dtype, device=t.device) * dt
        drive = ticks(current / c.current_scale, dt, DRIVE_MS)
        drive = averages(drive, DRIVE_MS, c.memory_ms)[..., 1:].transpose(1, 2)
        last, next_ = spans(times, grid)
        after = [torch.exp(-last / tau) for tau in AFTER_MS]
        before = [torch.exp(-next_ / tau) for tau in BEFORE_MS]
        return torch.cat(
            (
                (current / c.current_scale)[:, None],
                nn.functional.interpolate(drive, size=steps, mode="linear"),
                standard(latent)[..., None].expand(-1, -1, steps),
                torch.stack(after + before, dim=1),
            ),
            dim=1,
        )


def _step(t: Tensor) -> float:
    if t.ndim != 1 or len(t) < 2:
        raise InputError(f"Time needs at least two steps in one axis, got {tuple(t.shape)}.")
    return float(t[-1]) / (len(t) - 1)
