"""A streaming operator that is an ordinary differential equation with learned conductances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, silu

from . import ode_kernel
from .encoding import standard
from .ode_kernel import Layers, Membrane
from .recurrent import State, Stream, StreamConfig, Teaching

SUBSTEPS = (4, 2, 1)


@dataclass(frozen=True)
class OdeConfig(StreamConfig):
    """Settings of `OdeStream`: those of every stream, and

    Attributes:
        capacitance: What learning starts from, about a soma's with the near dendrites [nF].
        g_unit: Learned conductances are this times exp(x) [uS].
    """

    memory: int = 32
    width: int = 64
    capacitance: float = 0.03
    g_unit: float = 0.01


class OdeStream(Stream):
    """A membrane whose conductances a network sets, one grid step at a time:

        C dV/dt = b - G V - sum_k g_k(V, h, z) (V - E_k),    E = 50, -90 and -70 mV
        h <- h + sigma(r) (tanh(c) - h),                     [log g, r, c] = network(V, h, z)

    Its own conductances are held over a step of the grid, and the voltage is taken implicitly
    (backward Euler) in one, two or four substeps, as NEURON takes it at a step of 0.1, 0.05 or
    0.025 ms. So no conductance is too large for it, without input the voltage stays between the
    E_k, and a simulator can solve the membrane itself, with all that is attached to it.

    Attributes:
        substeps: Of a grid step, outside of training; in training they are drawn.

    References: Hodgkin & Huxley 1952; Chen et al. 2018, neural ODEs; Tallec & Ollivier 2018,
    on gates that begin with many time constants.
    """

    config: OdeConfig

    REVERSALS = (50.0, -90.0, -70.0)  # mV: inward, outward, leak
    START = (-3.0, -1.0, 0.2)  # log g / g_unit before any training: a leaky cell
    REMEMBERS = (0.3, 100.0)  # ms, for how long the memory does before any training

    def __init__(self, config: OdeConfig) -> None:
        super().__init__(config)
        c, channels = config, len(self.REVERSALS)
        self.substeps = max(SUBSTEPS)
        self._compiled = None  # what advances a chunk on a GPU; asked for by `compile`
        self.into = nn.Linear(1 + c.memory + c.latent_size, c.width)
        self.inner = nn.Linear(c.width, c.width)
        self.out = nn.Linear(c.width, channels + 2 * c.memory)
        self.log_c = nn.Parameter(torch.zeros(1 + c.latent_size))  # of C, and how z changes it
        with torch.no_grad():
            self.out.bias[:channels] = torch.tensor(self.START)
            tau = torch.logspace(*map(math.log10, self.REMEMBERS), c.memory)
            self.out.bias[channels : channels + c.memory] = -(
                (tau / c.grid_ms - 1).clamp(min=0.1).log()
            )
            self.log_c[0] = math.log(c.capacitance)

    def forward(self, state: State, latent: Tensor, b: Tensor, g: Tensor) -> tuple[Tensor, State]:
        cell, (b, g) = self._cell(latent), self.drive(b, g)
        spans = b.new_zeros(max(SUBSTEPS))  # of one length, or torch would compile anew
        count = int(self._substeps(1))
        spans[:count] = self.config.grid_ms / count
        # Equal strides, for the same reason.
        u, h = (state.v[:, -1] - self.config.v_reference).contiguous(), state.h.contiguous()
        advance = self._compiled if self._compiled and b.device.type == "cuda" else _advanced
        answer, h = advance(u, h, *cell, b, g, self._layers(), self._membrane(), spans)
        voltage = answer + self.config.v_reference
        return voltage, State(voltage, h)

    def run(self, state: State, latent: Tensor, b: Tensor, g: Tensor) -> tuple[Tensor, State]:
        if not self._by_machine(b):
            return super().run(state, latent, b, g)
        self._check(state, latent, b, g)
        steps = self.config.steps
        v, state = self._by_kernel(state, latent, *(x.unflatten(1, (-1, steps)) for x in (b, g)))
        return v.flatten(1), state

    def taught(
        self, state: State, latent: Tensor, b: Tensor, g: Tensor, teaching: Teaching
    ) -> tuple[Tensor, State]:
        if not self._by_machine(b):
            return super().taught(state, latent, b, g, teaching)
        return self._by_kernel(state, latent, b, g, teaching)

    def compile(self) -> None:
        """Take machine code for the arithmetic: our own on a CPU, torch's on a GPU."""
        self._compiled = torch.compile(_advanced, dynamic=False)

    def drive(self, b: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
        """b about v_reference [nA] and G [uS], within what the operator answers."""
        b, g = super().drive(b, g)
        return b * self.config.b_scale, g * self.config.g_scale

    def _by_machine(self, b: Tensor) -> bool:
        return bool(self._compiled) and b.device.type == "cpu" and b.dtype == torch.float32

    def _by_kernel(
        self, state: State, latent: Tensor, b: Tensor, g: Tensor, teaching: Teaching | None = None
    ) -> tuple[Tensor, State]:
        """Many chunks at once; b, g and the answer of shape (cells, chunks, steps)."""
        c = self.config
        told = None
        if teaching is not None:
            forced = teaching.forced.clone()
            forced[:, 0] = False
            told = (teaching.v[..., -1] - c.v_reference, forced.to(b), teaching.limit)
        answer, h = ode_kernel.advanced(
            state.v[:, -1] - c.v_reference,
            state.h,
            *self._cell(latent),
            *self.drive(b, g),
            self._layers(),
            self._membrane(),
            self._substeps(b.shape[1]),
            told,
        )
        voltage = answer + c.v_reference
        return voltage, State(voltage[:, -1], h)

    def _substeps(self, chunks: int) -> Tensor:
        """Of each chunk; drawn in training, so that what is learned serves every step."""
        if not self.training:
            return torch.full((chunks,), self.substeps)
        return torch.tensor(SUBSTEPS)[torch.randint(len(SUBSTEPS), (chunks,))]

    def _cell(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """What the first layer has from each cell, the same at every step; and C [nF]."""
        z = standard(latent)
        of_cell = z @ self.into.weight[:, 1 + self.config.memory :].T + self.into.bias
        return of_cell, (self.log_c[0] + z @ self.log_c[1:]).exp()

    def _layers(self) -> Layers:
        seen = self.into.weight[:, : 1 + self.config.memory]
        return Layers(seen, self.inner.weight, self.inner.bias, self.out.weight, self.out.bias)

    def _membrane(self) -> Membrane:
        c = self.config
        return Membrane(
            v_scale=c.v_scale,
            g_unit=c.g_unit,
            least_c=0.1 * c.capacitance,
            low=c.v_low - c.v_reference,
            high=c.v_high - c.v_reference,
            grid=c.grid_ms,
            reversals=tuple(e - c.v_reference for e in self.REVERSALS),
        )


def _advanced(
    u: Tensor,
    h: Tensor,
    of_cell: Tensor,
    capacitance: Tensor,
    b: Tensor,
    g: Tensor,
    layers: Layers,
    m: Membrane,
    spans: Tensor,
) -> tuple[Tensor, Tensor]:
    """One chunk, in torch: what `ode_kernel.advanced` says, of any dtype on any device.

    b and g are of shape (cells, steps), `spans` [ms] the substeps, filled up with 0.
    """
    reversals = torch.tensor(m.reversals, dtype=b.dtype, device=b.device)
    memory, points = h.shape[1], []
    for b_k, g_k in zip(b.unbind(1), g.unbind(1), strict=True):
        seen = torch.cat(((u / m.v_scale)[:, None], h), dim=-1)
        x = silu(torch.addmm(of_cell, seen, layers.into.T))
        y = linear(silu(linear(x, layers.inner, layers.inner_bias)), layers.out, layers.out_bias)
        own, gate, candidate = y.split((len(reversals), memory, memory), dim=-1)
        own = own.clamp(-12.0, 7.0).exp() * m.g_unit  # uS
        h = torch.lerp(h, candidate.tanh(), gate.sigmoid())
        total, inward = own.sum(-1) + g_k, own @ reversals + b_k
        for span in spans.unbind():
            u = (capacitance * u + span * inward) / (capacitance + span * total).clamp(m.least_c)
        u = u.clamp(m.low, m.high)
        points.append(u)
    return torch.stack(points, dim=1), h
