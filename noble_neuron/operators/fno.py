"""NOBLE's operator: a Fourier neural operator over the whole current (sections 3.4, 3.5)."""

from __future__ import annotations

import math
import sys
import warnings
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from ..errors import InputError
from .encoding import amplitude, nerf


def _import_fno() -> type[nn.Module]:
    """neuralop's FNO, without the 13 warning filters and the wandb that its import brings."""
    hide_wandb = "neuralop" not in sys.modules and "wandb" not in sys.modules
    if hide_wandb:
        sys.modules["wandb"] = None  # makes `import wandb` fail, which neuralop expects
    try:
        with warnings.catch_warnings():
            from neuralop.models import FNO
    finally:
        if hide_wandb:
            del sys.modules["wandb"]
    return FNO


FNO = _import_fno()


@dataclass(frozen=True)
class NobleConfig:
    """Settings of `NobleFNO`; the defaults are the paper's reference (1,801,753 real parameters).

    Attributes:
        latent_size: Number of latent coordinates.
        window_ms: Span of the operator [ms]; shorter currents are padded with zero up to it,
            so an answer does not depend on how long it was asked for. Best a little longer
            than the training traces, with a highly composite number of steps: 518.4 ms is
            6,912 steps of 0.075 ms and 20,736 of 0.025 ms.
        layers: Fourier layers.
        hidden: Channels of each.
        modes: Fourier modes, counted as in neuraloperator: modes // 2 + 1 are kept, the
            highest at modes / (2 window_ms) kHz.
        amplitude_frequencies: K of the amplitude's embedding.
        latent_frequencies: K of each latent coordinate's embedding.
        current_scale: Current that counts as 1 [nA].
        v_mean: Voltage that counts as 0 [mV].
        v_sd: Voltage difference that counts as 1 [mV].
    """

    latent_size: int = 2
    window_ms: float = 518.4
    layers: int = 12
    hidden: int = 24
    modes: int = 256
    amplitude_frequencies: int = 9
    latent_frequencies: int = 1
    current_scale: float = 1.0
    v_mean: float = -70.0
    v_sd: float = 15.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            whole = field.type == "int"
            if not isinstance(value, int if whole else (int, float)) or isinstance(value, bool):
                kind = "a whole number" if whole else "a number"
                raise InputError(f"NobleConfig.{field.name} must be {kind}, got {value!r}.")
            low = -math.inf if field.name == "v_mean" else 0
            if not low < value < math.inf:
                raise InputError(f"NobleConfig.{field.name} must be positive, got {value!r}.")

    @property
    def channels(self) -> int:
        """Input channels: current, time, the amplitude's and the latents' embeddings."""
        latents = self.latent_size * self.latent_frequencies
        return 2 + 2 * (self.amplitude_frequencies + latents)


class NobleFNO(nn.Module):
    """Current and latent point in, voltage out, all at once.

        V = v_mean + v_sd FNO([I / s, t / w, gamma(A / s, t / w), gamma(p_1, t / w), ...])

    with gamma of equation 1, A the current's signed extremum, s = `current_scale` and
    w = `window_ms`. Two traits of the paper's operator are mended: time is counted in units
    of the fixed window, not of the call, so the answer does not depend on the duration asked
    for; and the amplitude exists for zero current and any onset. It is not causal: the voltage
    at any time depends on the whole current.

    Reference: Ghafourpour et al. 2025, NOBLE; Li et al. 2021, Fourier neural operator.
    """

    def __init__(self, config: NobleConfig) -> None:
        super().__init__()
        self.config = config
        self.fno = FNO(
            n_modes=(config.modes,),
            in_channels=config.channels,
            out_channels=1,
            hidden_channels=config.hidden,
            n_layers=config.layers,
            positional_embedding=None,  # neuralop's counts time in units of the call
        )

    def forward(self, current: Tensor, latent: Tensor, t: Tensor) -> Tensor:
        """Voltage [mV], shape (batch, steps).

        Args:
            current: Somatic current [nA], shape (batch, steps).
            latent: Encoded latent coordinates, shape (batch, latent_size).
            t: Time [ms], shape (steps,), regular, from 0.
        """
        steps = current.shape[-1]
        current, t = self._fill_window(current, t)
        y = self.fno(self.lift(current, latent, t)).squeeze(1)
        return self.config.v_mean + self.config.v_sd * y[:, :steps]

    def lift(self, current: Tensor, latent: Tensor, t: Tensor) -> Tensor:
        """The FNO's input channels, shape (batch, config.channels, steps)."""
        c = self.config
        time = t / c.window_ms
        current = current / c.current_scale
        parts = (
            current[:, None],
            time.expand(len(current), 1, -1),
            nerf(amplitude(current), time, c.amplitude_frequencies),
            nerf(latent, time, c.latent_frequencies).flatten(1, 2),
        )
        return torch.cat(parts, dim=1)

    def _fill_window(self, current: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Current padded with zero, and time extended, to the end of the window."""
        if t.shape != current.shape[-1:] or len(t) < 2:
            raise InputError(
                f"Time needs one value per step and at least two: got t of shape "
                f"{tuple(t.shape)} for a current of shape {tuple(current.shape)}."
            )
        dt = float(t[-1]) / (len(t) - 1)
        steps = round(self.config.window_ms / dt)
        if len(t) > steps:
            raise InputError(
                f"This operator spans {self.config.window_ms:g} ms: at most {steps} steps of "
                f"{dt:g} ms, got {len(t)}. Ask for a shorter duration."
            )
        current = nn.functional.pad(current, (0, steps - len(t)))
        return current, torch.arange(steps, dtype=t.dtype, device=t.device) * dt
