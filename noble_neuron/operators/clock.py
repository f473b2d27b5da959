"""When a cell fires: a phase that the current drives, one spike per whole turn.

NOBLE's embedding sin(2^k pi p t) lets a feature set the frequency of a channel (equation 1).
Here the frequency is learned: the phase

    phi(t) = 1/2 + integral of r(u(s), z) ds,        r > 0

runs at a rate r that depends on the latent point z and on the current as the membrane and
slower processes see it, u = the current and its running averages. A spike stands where phi
passes a whole number. So firing is causal, starts from any onset, stops with the current,
and lasts as long as asked; zero current leaves the phase where it was.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from .perceptron import perceptron


class SpikeClock(nn.Module):
    """Phase of firing under a current.

    Args:
        latent_size: Number of latent coordinates.
        hidden: Width of the three layers that give the rate.
        step_ms: Step on which the rate is evaluated [ms]; the phase is linear within it.
        memory_ms: Time constants of the running averages of the current [ms].
        current_scale: Current that counts as 1 [nA].
        thresholds: Latent coordinates that are currents where firing changes, each an index
            and its values [nA] at standardised -2 and 2. Below the first, nothing fires.
        onset_ms: A current above the first has made the cell fire once by then [ms]; inf: it
            need not.
    """

    RATE = 0.1  # 1/ms: the rate at softplus = 1, a typical fast-spiking one
    # A cell at rest is no further from its first spike than a firing one from its next.
    START = 0.5
    ON_MS = 0.9  # from the point of no return to the peak
    NEAR, EDGE = 0.01, 0.002  # shares of a threshold over which firing changes
    # Few traces lie closer above the first one than this, and what few say of so magnified a
    # distance does not carry over: there the cell fires as it does here.
    LEAST = 0.003
    # I_thr is the firing end of a bracket of 0.2 pA: it begins in the middle of that.
    BRACKET, GATE = 0.00025, 0.0001

    def __init__(
        self,
        latent_size: int,
        hidden: int,
        step_ms: float,
        memory_ms: tuple[float, ...],
        current_scale: float,
        thresholds: tuple[tuple[int, float, float], ...] = (),
        onset_ms: float = math.inf,
    ) -> None:
        super().__init__()
        self.step_ms, self.memory_ms, self.current_scale = step_ms, memory_ms, current_scale
        self.thresholds, self.onset_ms = thresholds, onset_ms
        width = 1 + len(memory_ms) + latent_size + 3 * len(thresholds)
        self.rate = perceptron(width, hidden, 1)
        # Starts as a cell that fires more under more current. From random weights the silent
        # half of a training set first teaches the clock never to move, and it forgets slowly.
        self.straight = nn.Linear(width, 1)
        with torch.no_grad():
            self.straight.weight.zero_()
            self.straight.weight[0, 0] = 1.5
            self.straight.bias.fill_(-1.8)

    def forward(self, current: Tensor, latent: Tensor, dt: float) -> Tensor:
        """Phase at the clock's own times 0, step_ms, 2 step_ms, ..., shape (batch, ticks + 1).

        Args:
            current: Somatic current [nA], shape (batch, steps); each value holds for dt.
            latent: Latent point, standardised, shape (batch, latent_size).
            dt: Grid step of the current [ms].
        """
        return self.turn(self.drive(current, dt), latent)

    def drive(self, current: Tensor, dt: float) -> Tensor:
        """The current as the clock sees it, shape (batch, ticks, 1 + len(memory_ms))."""
        means = ticks(current / self.current_scale, dt, self.step_ms)
        return averages(means, self.step_ms, self.memory_ms)

    def turn(self, drive: Tensor, latent: Tensor) -> Tensor:
        """Phase under a drive, shape (batch, ticks + 1)."""
        z = latent[:, None, :].expand(-1, drive.shape[1], -1)
        distances = [self._distance(drive, latent, each) for each in self.thresholds]
        felt = [d.clamp(min=self.LEAST) if k == 0 else d for k, d in enumerate(distances)]
        seen = torch.cat((drive, z, *map(self._magnified, felt)), dim=-1)
        x = (self.rate(seen) + self.straight(seen)).squeeze(-1)
        turned = nn.functional.softplus(x) * (self.RATE * self.step_ms)
        if distances:
            # Without the gate, silent traces teach the clock to run slowly near threshold, and
            # new cells fall silent above theirs; with it, only cells that fire teach it.
            gate = torch.sigmoid((distances[0].squeeze(-1) + self.BRACKET) / self.GATE)
            # A spike that is under way when the current ends is finished: the phase runs on.
            before = nn.functional.pad((turned * gate)[:, :-1], (1, 0))
            finished = before * (1 - gate) * min(1.0, self.ON_MS / self.step_ms)
            turned = self._begun(turned, gate) + finished
        return self.START + nn.functional.pad(turned.cumsum(-1), (1, 0))

    def distances(self, drive: Tensor, latent: Tensor) -> Tensor:
        """How far the drive is from each threshold, magnified, (batch, ticks, 3 thresholds)."""
        found = [self._magnified(self._distance(drive, latent, x)) for x in self.thresholds]
        return torch.cat([drive[..., :0], *found], dim=-1)

    def _begun(self, turned: Tensor, gate: Tensor) -> Tensor:
        """Turns per step while the gate is open, fast enough to the first spike.

        That a cell fires above its I_thr is what I_thr means. A learned rate alone can stop just
        short of the one spike there is.
        """
        slowest = (1.0 - self.START) * self.step_ms / self.onset_ms
        lifted = turned.clamp(min=slowest) * gate
        begun = nn.functional.pad(lifted.cumsum(-1)[:, :-1], (1, 0)) + self.START >= 1.0
        return torch.where(begun, turned * gate, lifted)

    def _distance(
        self, drive: Tensor, latent: Tensor, threshold: tuple[int, float, float]
    ) -> Tensor:
        """Current above the cell's own threshold, as a share of it, shape (batch, ticks, 1)."""
        k, low, high = threshold
        own = low + (latent[:, k, None, None] + 2.0) / 4.0 * (high - low)
        return drive[..., :1] * self.current_scale / own - 1.0

    def _magnified(self, distance: Tensor) -> Tensor:
        """That distance plain, through a magnifier, and nearly as a yes or no."""
        near, beyond = torch.asinh(distance / self.NEAR) / 5.0, torch.tanh(distance / self.EDGE)
        return torch.cat((distance, near, beyond), dim=-1)

    def spike_times(self, phase: Tensor) -> Tensor:
        """When the phase passes 1, 2, 3, ... [ms]; shape (batch, most spikes), inf-padded."""
        most = int(phase[:, -1].max().floor())
        whole = torch.arange(1, most + 1, dtype=phase.dtype, device=phase.device)
        whole = whole.expand(len(phase), -1).contiguous()
        k = torch.searchsorted(phase.contiguous(), whole).clamp(1, phase.shape[1] - 1)
        before, after = phase.gather(1, k - 1), phase.gather(1, k)
        time = (k - 1 + (whole - before) / (after - before)) * self.step_ms
        return torch.where(whole <= phase[:, -1:], time, torch.inf)


def ticks(current: Tensor, dt: float, step: float) -> Tensor:
    """Mean current in each interval of `step` [ms], exact for any dt; the last is padded.

    Args:
        current: Shape (batch, steps); each value holds for dt.
        dt: Grid step [ms].
        step: Interval [ms].

    Returns:
        Shape (batch, ticks).
    """
    charge = nn.functional.pad((current * dt).cumsum(-1), (1, 0))
    span = current.shape[-1] * dt
    count = -int(-span // step) if span % step > 1e-6 * step else round(span / step)
    edge = torch.arange(count + 1, dtype=current.dtype, device=current.device) * (step / dt)
    edge = edge.clamp(max=current.shape[-1])
    low = edge.floor().long().clamp(max=current.shape[-1] - 1)
    at = charge[:, low] + (edge - low) * (charge[:, low + 1] - charge[:, low])
    return at.diff(dim=-1) / step


def averages(drive: Tensor, step: float, memory: tuple[float, ...]) -> Tensor:
    """The drive and its causal exponential averages, each taken at the middle of the step.

    Args:
        drive: Mean current per step, shape (batch, ticks).
        step: Step [ms].
        memory: Time constants [ms].

    Returns:
        Shape (batch, ticks, 1 + len(memory)).
    """
    n = drive.shape[-1]
    age = torch.arange(n, dtype=drive.dtype, device=drive.device) * step
    tau = torch.tensor(memory, dtype=drive.dtype, device=drive.device)[:, None]
    # Exact for a current that is constant in each step: what a step of age a still weighs.
    kernel = torch.exp(-(age + step / 2) / tau) * torch.expm1(step / tau)
    kernel[:, 0] = -torch.expm1(-step / (2 * tau[:, 0]))
    spectrum = torch.fft.rfft(drive, 2 * n)[:, None] * torch.fft.rfft(kernel, 2 * n)
    past = torch.fft.irfft(spectrum, 2 * n)[..., :n]
    return torch.cat((drive[:, None], past), dim=1).transpose(1, 2)


def spans(times: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """How long ago the last spike was, and how far the next one is.

    Args:
        times: Spike times [ms], ascending, inf-padded, shape (batch, spikes).
        t: Time [ms], shape (steps,).

    Returns:
        Two arrays [ms], shape (batch, steps); inf where there is no such spike.
    """
    edge = times.new_full((len(times), 1), torch.inf)
    bounds = torch.cat((-edge, times, edge), dim=1).contiguous()
    at = t.expand(len(times), -1).contiguous()
    k = torch.searchsorted(bounds, at, right=True).clamp(1, bounds.shape[1] - 1)
    return at - bounds.gather(1, k - 1), bounds.gather(1, k) - at
