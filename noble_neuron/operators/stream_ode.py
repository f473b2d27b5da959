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
from .recurrent import State, Stream, StreamConfig

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
        self._compiled = {}  # device -> what advances a chunk there
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
        # Drawn anew for each chunk of a training, so that what is learned serves every step.
        count = SUBSTEPS[int(torch.randint(len(SUBSTEPS), ()))] if self.training else self.substeps
        c, z = self.config, standard(latent)
        b, g = self.drive(b, g)
        b, g = b * c.b_scale, g * c.g_scale
        capacitance = (self.log_c[0] + z @ self.log_c[1:]).exp()  # nF
        seen, of_latent = self.into.weight.split((1 + c.memory, c.latent_size), dim=1)
        of_cell = z @ of_latent.T + self.into.bias  # the same at every step
        layers = Layers(seen, self.inner.weight, self.inner.bias, self.out.weight, self.out.bias)
        advance = self._compiled.get(b.device.type if b.dtype == torch.float32 else "", _advanced)
        # Equal strides, or torch would compile anew for every length of a run.
        cells = [x.contiguous() for x in (state.v[:, -1] - c.v_reference, state.h, of_cell)]
        answer, h = advance(*cells, capacitance, b, g, layers, self._membrane(count, b))
        voltage = answer + c.v_reference
        return voltage, State(voltage, h)

    def compile(self) -> None:
        """Take machine code for the arithmetic: our own on a CPU, torch's on a GPU."""
        self._compiled = {
            "cpu": ode_kernel.advanced,
            "cuda": torch.compile(_advanced, dynamic=False),
        }

    def _membrane(self, count: int, like: Tensor) -> Membrane:
        c, spans = self.config, like.new_zeros(max(SUBSTEPS))
        spans[:count] = c.grid_ms / count  # of one length, or torch would compile anew
        return Membrane(
            v_scale=c.v_scale,
            g_unit=c.g_unit,
            least_c=0.1 * c.capacitance,
            low=c.v_low - c.v_reference,
            high=c.v_high - c.v_reference,
            reversals=tuple(e - c.v_reference for e in self.REVERSALS),
            spans=spans,
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
) -> tuple[Tensor, Tensor]:
    """One chunk, in torch: what `ode_kernel.advanced` says, of any dtype on any device."""
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
        for span in m.spans.unbind():
            u = (capacitance * u + span * inward) / (capacitance + span * total).clamp(m.least_c)
        u = u.clamp(m.low, m.high)
        points.append(u)
    return torch.stack(points, dim=1), h
