"""What every streaming operator shares: a state, a chunk, and the answer between chunks.

A streaming operator advances a cell by one chunk of time,

    (state, latent, b(t), G(t) on the chunk) -> (V(t) on the chunk, next state),

under the somatic current b - G V, and remembers nothing between calls: the caller carries the
state. So one operator serves any number of cells, and a run can be saved, rewound, replayed.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..errors import InputError
from .encoding import standard

ROWS = 16  # cells that `advance` hands to the operator at once


class State(NamedTuple):
    """What a cell is between two chunks; row i is cell i.

    Attributes:
        v: Voltage on the last chunk [mV], shape (cells, steps).
        h: Memory of the operator, shape (cells, memory).
    """

    v: Tensor
    h: Tensor


class Teaching(NamedTuple):
    """What is told at the beginning of each chunk of a segment.

    Attributes:
        v: Voltage on the chunk before [mV], shape (cells, chunks, steps); the first is not used.
        forced: Where that replaces the operator's own, bool, shape (cells, chunks).
        limit: Longest gradient that a cell's voltage, or its memory, passes back to the chunk
            before.
    """

    v: Tensor
    forced: Tensor
    limit: float = math.inf


@dataclass(frozen=True)
class StreamConfig:
    """Settings of any streaming operator.

    Attributes:
        latent_size: Number of latent coordinates; 0 for an operator of one cell.
        chunk_ms: Time that one call advances [ms].
        grid_ms: Step of input and output within a chunk [ms].
        memory: Size of the carried memory.
        width: Width of the layers, a multiple of 4: with others some processors round a cell's
            answer by its place among the cells (see `advance`).
        b_scale: Current that counts as 1 [nA].
        g_scale: Conductance that counts as 1 [uS].
        v_reference: Voltage that counts as 0, and about which b is centred [mV].
        v_scale: Voltage difference that counts as 1 [mV].
        v_low: Lowest voltage it answers [mV].
        v_high: Highest voltage it answers [mV].
    """

    latent_size: int = 0
    chunk_ms: float = 1.0
    grid_ms: float = 0.1
    memory: int = 96
    width: int = 224
    b_scale: float = 0.3
    g_scale: float = 0.02
    v_reference: float = -75.0
    v_scale: float = 15.0
    v_low: float = -200.0
    v_high: float = 60.0

    def __post_init__(self) -> None:
        for field in fields(self):
            self._check(field.name, field.type)
        if not self.v_low < self.v_reference < self.v_high:
            raise InputError(
                f"{type(self).__name__} needs v_low < v_reference < v_high [mV], got "
                f"{self.v_low:g}, {self.v_reference:g}, {self.v_high:g}."
            )
        name = type(self).__name__
        if self.width % 4:
            raise InputError(f"{name}.width must be a multiple of 4, got {self.width}.")
        _whole_ratio(self.chunk_ms, self.grid_ms, f"{name}.chunk_ms", f"{name}.grid_ms")

    def _check(self, name: str, kind: str) -> None:
        """Right type, finite, and positive where a voltage is not meant."""
        value, full = getattr(self, name), f"{type(self).__name__}.{name}"
        if kind == "bool":
            if not isinstance(value, bool):
                raise InputError(f"{full} must be True or False, got {value!r}.")
            return
        number = isinstance(value, int if kind == "int" else (int, float))
        if not number or isinstance(value, bool) or not math.isfinite(value):
            kind = "a whole number" if kind == "int" else "a finite number"
            raise InputError(f"{full} must be {kind}, got {value!r}.")
        if name == "latent_size" and value < 0:
            raise InputError(f"{full} must be 0 or more, got {value}.")
        if name not in ("latent_size", "v_reference", "v_low", "v_high") and value <= 0:
            raise InputError(f"{full} must be positive, got {value!r}.")

    @property
    def steps(self) -> int:
        """Points of a chunk."""
        return round(self.chunk_ms / self.grid_ms)


# In units of b_scale and g_scale: beyond it, input counts as this much, so that any finite
# input has a finite answer. 60 nA and +-4 uS with the default scales.
_REACH = 200.0


class Stream(nn.Module, ABC):
    """Interface of the streaming operators, and what they do alike."""

    config: StreamConfig

    def __init__(self, config: StreamConfig) -> None:
        super().__init__()
        self.config = config
        self.begin = nn.Sequential(
            nn.Linear(1 + config.latent_size, config.memory),
            nn.SiLU(),
            nn.Linear(config.memory, config.memory),
            nn.Tanh(),
        )

    @abstractmethod
    def forward(self, state: State, latent: Tensor, b: Tensor, g: Tensor) -> tuple[Tensor, State]:
        """Advance every cell by one chunk under the somatic current b - g v.

        Args:
            state: What `start` or the last call returned.
            latent: Encoded latent coordinates, shape (cells, latent_size).
            b: Voltage-independent part of the current [nA], mean over each grid step, shape
                (cells, steps).
            g: Attached conductance [uS], likewise; may be negative.

        Returns:
            Voltage [mV] at the end of each grid step, shape (cells, steps); the next state.
        """

    def start(self, latent: Tensor, v: Tensor) -> State:
        """The state of cells that `finitialize(v)` has just set, any v in -100...-50 mV.

        Args:
            latent: Encoded latent coordinates, shape (cells, latent_size).
            v: Initial voltage [mV], shape (cells,).
        """
        c = self.config
        if v.shape != (len(latent),) or latent.shape[1:] != (c.latent_size,):
            raise InputError(
                f"A start needs one voltage and {c.latent_size} latent coordinates per cell: got "
                f"v of shape {tuple(v.shape)} and latent of shape {tuple(latent.shape)}."
            )
        u = ((v - c.v_reference) / c.v_scale)[:, None]
        h = self.begin(torch.cat((u, standard(latent)), dim=-1))
        return State(v[:, None].expand(-1, c.steps).contiguous(), h)

    def run(self, state: State, latent: Tensor, b: Tensor, g: Tensor) -> tuple[Tensor, State]:
        """Advance by as many chunks as `b` and `g` hold, each of shape (cells, whole chunks)."""
        self._check(state, latent, b, g)
        voltages = []
        for part in zip(b.split(self.config.steps, 1), g.split(self.config.steps, 1), strict=True):
            v, state = self(state, latent, *part)
            voltages.append(v)
        return torch.cat(voltages, dim=1), state

    def taught(
        self, state: State, latent: Tensor, b: Tensor, g: Tensor, teaching: Teaching
    ) -> tuple[Tensor, State]:
        """`run`, told the true voltage now and then; b and g of shape (cells, chunks, steps).

        Returns:
            The operator's own voltage [mV], shape (cells, chunks, steps); the last state.
        """
        answers = []
        for k in range(b.shape[1]):
            if k:
                state = State(*(_held_back(x, teaching.limit) for x in state))
                told = teaching.forced[:, k, None]
                state = state._replace(v=torch.where(told, teaching.v[:, k], state.v))
            answer, state = self(state, latent, b[:, k], g[:, k])
            answers.append(answer)
        return torch.stack(answers, dim=1), state

    def drive(self, b: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
        """Input in the operator's units, b centred: (b - G v_reference) / b_scale, G / g_scale."""
        c = self.config
        centred = (b - g * c.v_reference) / c.b_scale
        return centred.clamp(-_REACH, _REACH), (g / c.g_scale).clamp(-_REACH, _REACH)

    def _check(self, state: State, latent: Tensor, b: Tensor, g: Tensor) -> None:
        cells, steps = len(state.h), self.config.steps
        same = b.shape == g.shape and b.ndim == 2 and len(b) == len(latent) == cells
        if not same or b.shape[1] == 0 or b.shape[1] % steps:
            raise InputError(
                f"A run of {cells} cells needs b and g of shape ({cells}, whole chunks of "
                f"{steps} steps) and as many latents: got {tuple(b.shape)}, {tuple(g.shape)} and "
                f"{tuple(latent.shape)}."
            )


def _held_back(x: Tensor, limit: float) -> Tensor:
    """The same, shape (cells, n), with a limit on the gradient that passes back through it."""
    if not x.requires_grad:
        return x
    x = x.view_as(x)
    x.register_hook(
        lambda gradient: gradient * (limit / gradient.norm(dim=1, keepdim=True)).clamp(max=1)
    )
    return x


@torch.no_grad()
def advance(
    stream: Stream, state: State, latent: Tensor, b: Tensor, g: Tensor
) -> tuple[Tensor, State]:
    """`stream.run`, with an arithmetic on a CPU that does not depend on the number of cells.

    A matrix product adds in an order that depends on its shape. So cells go through in blocks
    of 16, the last one filled up: every product has the same shape, and a cell the same
    rounding in any company, if the layers' widths are multiples of 4: a product of few columns
    with other rows, and the rest of a vector register, are rounded apart on some processors.
    With weights that do not fit the cache, a block of 16 costs little more than one cell.
    """
    n = len(state.h)
    answers = []
    for k in range(0, n, ROWS):
        rows = torch.arange(k, k + ROWS).clamp(max=n - 1)  # the last cell again, to fill up
        part = State(state.v[rows], state.h[rows])
        v, after = stream.run(part, latent[rows], b[rows], g[rows])
        answers.append((v, after.v, after.h))
    v, last, h = (torch.cat(parts)[:n] for parts in zip(*answers, strict=True))
    return v, State(last, h)


def binned(x: Tensor, dt: float, grid: float) -> Tensor:
    """Input of a simulation, one value per step of `dt`, as means over the operator's steps.

    Args:
        x: Shape (cells, n); n whole grid steps.
        dt: Step of the simulation [ms]; the grid is a whole multiple of it.
        grid: `StreamConfig.grid_ms` [ms].

    Returns:
        Shape (cells, n dt / grid).
    """
    ratio = _whole_ratio(grid, dt, "The operator's grid", "the simulation's step")
    if x.shape[-1] % ratio:
        raise InputError(
            f"{x.shape[-1]} steps of {dt:g} ms are no whole number of grid steps of {grid:g} ms."
        )
    return x.unflatten(-1, (-1, ratio)).mean(-1)


def between(before: Tensor, v: Tensor, dt: float, grid: float) -> Tensor:
    """The operator's voltage at every step of a simulation: linear between grid points.

    Args:
        before: Voltage at the beginning [mV], shape (cells,).
        v: Voltage at the end of each grid step [mV], shape (cells, n).
        dt: Step of the simulation [ms]; the grid is a whole multiple of it.
        grid: `StreamConfig.grid_ms` [ms].

    Returns:
        Voltage at the end of each step [mV], shape (cells, n grid / dt).
    """
    ratio = _whole_ratio(grid, dt, "The operator's grid", "the simulation's step")
    share = torch.arange(1, ratio + 1, dtype=v.dtype, device=v.device) / ratio
    left = torch.cat((before[:, None], v[:, :-1]), dim=1)[..., None]
    return torch.lerp(left, v[..., None], share).flatten(1)


def _whole_ratio(long: float, short: float, named: str, other: str) -> int:
    ratio = round(long / short) if short > 0 else 0
    if ratio < 1 or abs(ratio * short - long) > 1e-9 * long:
        raise InputError(
            f"{named} ({long:g} ms) has to be a whole multiple of {other} ({short:g} ms)."
        )
    return ratio
