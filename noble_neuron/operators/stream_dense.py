"""A streaming operator whose chunk is answered at once, by dense layers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, silu

from .encoding import standard
from .recurrent import State, Stream, StreamConfig


@dataclass(frozen=True)
class DenseConfig(StreamConfig):
    """Settings of `DenseStream`: those of every stream, and

    Attributes:
        causal: Whether the voltage at a point of the chunk depends on input up to it only.
            Then a chunk can be answered again as its input becomes known, step by step, and
            what was shown stays true; without it, early points may use later input of the
            same chunk.
    """

    causal: bool = True


class DenseStream(Stream):
    """A chunk is a short function, so dense layers map it:

        x  = silu(B silu(A [b', G, v, h, z]))
        V  = V_last + O silu(C [x, h])
        h <- h + sigma(g) (tanh(c) - h),   [g, c] = H x

    with b', G and v on the points of the chunk (v: of the last one) and z the latent point.
    The recurrence runs through a nonlinearity and the voltage itself: a stack of causal
    convolutions settles under constant current, and a neuron does not.

    Where `causal`, hidden units belong to a point of the chunk and see input up to it; a third
    belongs to none and sees h, v and z alone (masked layers, as in Germain et al. 2015, MADE).
    The memory sees all of the chunk in either case. Otherwise C sees the next h.

    References: Cho et al. 2014, the gated update; Germain et al. 2015.
    """

    config: DenseConfig

    def __init__(self, config: DenseConfig) -> None:
        super().__init__(config)
        c, d, w = config, config.steps, config.width
        hold = c.memory + d + c.latent_size  # h, v, z
        self.into = nn.Linear(2 * d + hold, w)
        self.inner = nn.Linear(w, w)
        self.gates = nn.Linear(w, 2 * c.memory)
        self.mixed = nn.Linear(w + c.memory, w)
        self.out = nn.Linear(w, d)
        with torch.no_grad():
            self.gates.bias[: c.memory] = -1.5  # remembers for a few chunks from the start
            self.out.weight.mul_(0.3)
        point = torch.arange(1, d + 1)
        free = w // 3
        unit = torch.cat((torch.zeros(free), torch.arange(w - free) * d // (w - free) + 1))
        held = torch.zeros(hold)
        self._mask("into", torch.cat((point, point, held)), unit)
        self._mask("inner", unit, unit)
        self._mask("mixed", torch.cat((unit, torch.zeros(c.memory))), unit)
        self._mask("out", unit, point)

    def _mask(self, layer: str, source: Tensor, target: Tensor) -> None:
        """Let each unit of `layer` see sources of its own point and of those before it."""
        if not self.config.causal:
            return
        seen = (source[None] <= target[:, None]).float()
        self.register_buffer(f"{layer}_mask", seen, persistent=False)
        with torch.no_grad():
            getattr(self, layer).weight.mul_(seen)

    def _layer(self, name: str, x: Tensor) -> Tensor:
        """A layer behind its mask.

        Hidden weights are zero from the start, and with the mask in the graph no gradient ever
        moves them: where none is asked for, the layer alone gives the same numbers sooner.
        """
        layer = getattr(self, name)
        if not self.config.causal or not torch.is_grad_enabled():
            return layer(x)
        return linear(x, layer.weight * getattr(self, f"{name}_mask"), layer.bias)

    def forward(self, state: State, latent: Tensor, b: Tensor, g: Tensor) -> tuple[Tensor, State]:
        c = self.config
        v = (state.v - c.v_reference) / c.v_scale
        seen = (*self.drive(b, g), v, state.h, standard(latent))
        x = silu(self._layer("inner", silu(self._layer("into", torch.cat(seen, dim=-1)))))
        gate, candidate = self.gates(x).chunk(2, dim=-1)
        h = torch.lerp(state.h, candidate.tanh(), gate.sigmoid())
        mixed = torch.cat((x, state.h if c.causal else h), dim=-1)
        y = self._layer("out", silu(self._layer("mixed", mixed)))
        voltage = (state.v[:, -1:] + c.v_scale * y).clamp(c.v_low, c.v_high)
        return voltage, State(voltage, h)
