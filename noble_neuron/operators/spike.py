"""What a spike looks like: a waveform around its peak, made of a few shapes.

A Fourier layer keeps the lowest modes (128 of 518 ms reach 123 Hz; the paper's 256, 249 Hz) and
a spike's upstroke takes 0.2 ms. But aligned at their peaks, the spikes of a family of cells are
nearly the same: their average and two dozen principal components of the training spikes leave
hundredths of a millivolt. So a small perceptron gives the weight of each, from the cell, the
current around the spike and how long ago the spikes before it were.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .perceptron import perceptron

BEFORE, AFTER = 2.0, 4.0  # how far from the peak a waveform reaches [ms]
STEP = 0.025  # of the points that it is made of [ms]
TAPER = 0.5  # over which it gives way to the voltage around it [ms]

LOOKS = (-1.5, 0.0, 1.0, 2.0, 3.0, 4.0)  # where the current around a spike is looked at [ms]
FADES = (3.0, 8.0, 20.0, 60.0, 160.0, 500.0)  # how fast earlier spikes are forgotten [ms]
LONGEST = 400.0  # interval that counts as none before [ms]


def offsets() -> Tensor:
    """Times of a waveform's points from the peak [ms], shape (points,)."""
    return torch.arange(round((BEFORE + AFTER) / STEP) + 1) * STEP - BEFORE


def channels(drive: int, latent: int) -> int:
    """How many numbers `told` says of a spike."""
    return drive * len(LOOKS) + latent + len(FADES) + 1


class SpikeWaveform(nn.Module):
    """Waveform of a spike [mV] from what is told of it.

    Args:
        told: Numbers that it is told of a spike.
        hidden: Width of its three layers.
        shapes: Principal components that a waveform is made of.
    """

    def __init__(self, told: int, hidden: int, shapes: int) -> None:
        super().__init__()
        self.layers = perceptron(told, hidden, shapes)
        # What is linear goes this way, so that the layers bend less between the cells they know:
        # on cells left out of a training, the error at the peak falls by a third.
        self.straight = nn.Linear(told, shapes)
        points = len(offsets())
        self.register_buffer("mean", torch.zeros(told))
        self.register_buffer("sd", torch.ones(told))
        self.register_buffer("average", torch.zeros(points))
        self.register_buffer("shapes", torch.zeros(shapes, points))
        self.register_buffer("size", torch.ones(shapes))  # a weight's spread over spikes [mV]
        self.register_buffer("known", torch.zeros(()))  # 1 once it has seen spikes

    @torch.no_grad()
    def see(self, told: Tensor, waves: Tensor, weight: Tensor) -> None:
        """Take the inputs' scale and the shapes from training spikes.

        Args:
            told: Shape (n, told).
            waves: Voltage at `offsets` from each peak [mV], shape (n, points).
            weight: What each spike counts, mean 1, shape (n,).
        """
        self.mean.copy_(told.mean(0))
        self.sd.copy_(told.std(0, correction=0).clamp(min=1e-6))
        # In double: the last shapes are a thousandth of the first.
        about = waves.double()
        self.average.copy_((about * weight[:, None]).mean(0))
        about = (about - self.average) * weight[:, None].sqrt()
        power, shapes = torch.linalg.eigh(about.T @ about / len(about))
        count = min(len(self.shapes), len(power))
        self.shapes.zero_()[:count] = shapes.T.flip(0)[:count].to(self.shapes)
        self.size.zero_()[:count] = power.flip(0)[:count].clamp(min=0).sqrt().to(self.size)
        self.known.fill_(1.0)

    def weights(self, waves: Tensor) -> Tensor:
        """Weight of each shape in waveforms of shape (n, points) [mV], shape (n, shapes)."""
        return (waves - self.average) @ self.shapes.T

    def forward(self, told: Tensor) -> Tensor:
        """Weight of each shape [mV], shape (n, shapes); `told` has shape (n, told)."""
        seen = (told - self.mean) / self.sd
        return (self.layers(seen) + self.straight(seen)) * self.size

    def wave(self, told: Tensor) -> Tensor:
        """Voltage at `offsets` from the peak [mV], shape (n, points)."""
        return self.average + self(told) @ self.shapes


def read(waves: Tensor, offset: Tensor) -> Tensor:
    """Waveforms between their points, by cubic convolution.

    Args:
        waves: Voltage at `offsets` [mV], shape (n, points).
        offset: Time from the peak [ms], shape (n, times).

    Returns:
        Voltage [mV], shape (n, times).
    """
    place = (offset + BEFORE) / STEP
    k = place.floor().long().clamp(1, waves.shape[1] - 3)
    f = place - k
    a, b, c, d = (waves.gather(1, k + i) for i in (-1, 0, 1, 2))
    slope, bend = c - a, 2 * a - 5 * b + 4 * c - d
    return b + 0.5 * f * (slope + f * (bend + f * (3 * (b - c) + d - a)))


def told(drive: Tensor, latent: Tensor, times: Tensor, dt: float) -> Tensor:
    """What is said of each spike: the current around it, the cell, the spikes before it.

    Args:
        drive: The current and its running averages, shape (batch, drive, steps).
        latent: Standardised latent point, shape (batch, latent).
        times: Spike times [ms], ascending, inf-padded, shape (batch, spikes).
        dt: Grid step of the drive [ms].

    Returns:
        Shape (spikes of all rows, `channels`), row by row.
    """
    some = torch.isfinite(times)
    at = torch.where(some, times, 0.0)
    place = (at[..., None] + at.new_tensor(LOOKS)) / dt
    place = place.clamp(0.0, drive.shape[-1] - 1.001).flatten(1)[:, None]
    k = place.floor().long().expand(-1, drive.shape[1], -1)
    low, high = drive.gather(2, k), drive.gather(2, k + 1)
    seen = (low + (place - k) * (high - low)).unflatten(2, (at.shape[1], len(LOOKS)))
    gap = at[:, :, None] - at[:, None, :]
    earlier = torch.ones_like(gap).tril(-1)
    before = [(torch.exp(-gap.clamp(min=0) / tau) * earlier).sum(2) for tau in FADES]
    first = torch.full_like(at[:, :1], LONGEST)
    interval = torch.cat((first, at.diff(dim=1).clamp(STEP, LONGEST)), 1)
    parts = (
        seen.permute(0, 2, 1, 3).flatten(2),
        latent[:, None].expand(-1, at.shape[1], -1),
        torch.stack((*before, torch.log(interval)), 2),
    )
    return torch.cat(parts, 2)[some]


def placed(voltage: Tensor, waves: Tensor, times: Tensor, dt: float) -> Tensor:
    """A voltage with waveforms in place of it around each spike.

    Args:
        voltage: Voltage [mV], shape (batch, steps).
        waves: One waveform per spike of all rows, row by row, shape (spikes, points) [mV].
        times: Spike times [ms], ascending, inf-padded, shape (batch, spikes).
        dt: Grid step [ms].

    Returns:
        Voltage [mV], shape (batch, steps).
    """
    steps = voltage.shape[1]
    edge = times.new_full((len(times), 1), torch.inf)
    some = torch.isfinite(times)
    last, peak, next_ = (
        x[some][:, None]
        for x in (torch.cat((-edge, times), 1)[:, :-1], times, torch.cat((times, edge), 1)[:, 1:])
    )
    row = some.nonzero()[:, :1]
    k = (peak / dt).ceil().long() + torch.arange(
        -int(BEFORE / dt) - 1, int(AFTER / dt) + 1, device=times.device
    )
    t = k * dt
    offset = t - peak
    values = read(waves, offset.clamp(-BEFORE, AFTER))
    out, inside = voltage.flatten(), (k >= 0) & (k < steps)
    # What follows a spike first; the rise to the next one goes over it.
    after = (offset >= 0) & (offset < AFTER) & (t < next_)
    before = (offset < 0) & (offset > -BEFORE) & (t > last)
    for here, share in (
        (after & inside, ((AFTER - offset) / TAPER).clamp(0, 1)),
        (before & inside, ((BEFORE + offset) / TAPER).clamp(0, 1)),
    ):
        at = (row * steps + k)[here]
        out = out.index_put((at,), out[at] + share[here] * (values[here] - out[at]))
    return out.unflatten(0, voltage.shape)
