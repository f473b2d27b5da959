"""`OdeStream` on a CPU as machine code, for training: ode_kernel.cpp and its gradient.

torch takes a layer of 40 cells at a time, and most of a step is the way there and back. Here all
chunks of a segment are one call each way, and its weights' gradients are three products.
"""

from __future__ import annotations

import ctypes
import functools
import math
from ctypes import c_float, c_int, c_int64, c_void_p
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from .native import compiled

SOURCE = Path(__file__).with_name("ode_kernel.cpp")
LANES = 16  # cells of a vector, as in the source
CHANNELS = 3


class Membrane(NamedTuple):
    """Numbers of the membrane equation; voltages from the operator's reference [mV]."""

    v_scale: float
    g_unit: float  # uS
    least_c: float  # of C + dt G [nF]
    low: float
    high: float
    grid: float  # ms
    reversals: tuple[float, ...]


class Layers(NamedTuple):
    """Weights; `into` only for voltage and memory, (width, 1 + memory)."""

    into: Tensor
    inner: Tensor
    inner_bias: Tensor
    out: Tensor
    out_bias: Tensor


def advanced(
    u: Tensor,
    h: Tensor,
    of_cell: Tensor,
    capacitance: Tensor,
    b: Tensor,
    g: Tensor,
    layers: Layers,
    membrane: Membrane,
    substeps: Tensor,
    told: tuple[Tensor, Tensor, float] | None = None,
) -> tuple[Tensor, Tensor]:
    """Chunks of `OdeStream`; differentiable by u...layers, float32 on a CPU, one time.

    Args:
        u: Voltage from the reference [mV], shape (cells,).
        h: Memory, shape (cells, memory).
        of_cell: What the first layer has from the cell, shape (cells, width).
        capacitance: [nF], shape (cells,).
        b: Current about the reference [nA], shape (cells, chunks, steps).
        g: Conductance [uS], likewise.
        layers: Weights.
        membrane: Numbers.
        substeps: Of each chunk's steps, int64, up to 4, shape (chunks,).
        told: Voltages that chunks begin from and where they do (1, else 0), each of shape
            (cells, chunks), and the limit that `recurrent.Teaching` speaks of.

    Returns:
        u at the end of each step, shape (cells, chunks, steps), and the last h.

    Raises:
        MechanismError: The source could not be compiled.
    """
    return _Segment.apply(u, h, of_cell, capacitance, b, g, *layers, membrane, substeps, told)


class _Sizes(ctypes.Structure):
    _fields_ = [
        *((name, c_int64) for name in "cells chunks steps memory width padded columns".split()),
        *((name, c_float) for name in "v_scale g_unit least_c low high grid limit".split()),
        ("reversals", c_float * CHANNELS),
    ]


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(str(compiled(SOURCE)))


# Room of gradients that are done: fresh memory of 60 MB per step costs a quarter of its time.
_rooms: list[Tensor] = []


def _room(size: int) -> Tensor:
    """Memory for at least so many numbers, whatever is in it."""
    room = _rooms.pop() if _rooms else torch.empty(0)
    return room if len(room) >= size else torch.empty(size)


class _Segment(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u, h, of_cell, capacitance, b, g, *rest):
        *layers, membrane, substeps, told = rest
        cells = [x.contiguous() for x in (u, h, of_cell, capacitance, b, g)]
        layers = [x.contiguous() for x in layers]
        told, forced, limit = told or (None, None, math.inf)
        if told is not None:
            told, forced = told.contiguous(), forced.contiguous()
        ctx.given = (*cells, told, forced, substeps)
        ctx.layers, ctx.sizes, ctx.room = layers, _sizes(cells[1], b, layers[0], membrane), None
        ctx.sizes.limit = limit
        if any(ctx.needs_input_grad):
            ctx.room = _room(sum(_heights(ctx.sizes)) * ctx.sizes.columns)
        answer, after = torch.empty_like(cells[4]), torch.empty_like(cells[1])
        _library().ode_forward(
            *_told(ctx), *map(_at, (answer, after, ctx.room)), c_int(torch.get_num_threads())
        )
        return answer, after

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, by_answer, by_after):
        room, ctx.room = ctx.room, None
        if room is None:
            raise RuntimeError("The gradient of this segment has been taken already.")
        _, h, of_cell, capacitance, b, g, *_ = ctx.given
        found = [torch.empty_like(x) for x in (capacitance, h, of_cell, capacitance, b, g)]
        # Names for both, so that they outlive the call that is given their addresses.
        by_answer, by_after = by_answer.contiguous(), by_after.contiguous()
        _library().ode_backward(
            *_told(ctx), *map(_at, (by_answer, by_after, *found, room)),
            c_int(torch.get_num_threads()),
        )  # fmt: skip
        s, heights = ctx.sizes, _heights(ctx.sizes)
        rows = room[: sum(heights) * s.columns].view(-1, s.columns)
        parts = rows[:, : s.padded * s.chunks * s.steps].split(heights)
        seen, first, second, third, x1, x2 = parts
        by_layers = (first @ seen.T, second @ x1.T, second.sum(1), third @ x2.T, third.sum(1))
        _rooms.append(room)
        return *found, *by_layers, None, None, None


def _sizes(h: Tensor, b: Tensor, into: Tensor, m: Membrane) -> _Sizes:
    cells, chunks, steps = b.shape
    padded = -(-cells // LANES) * LANES
    # An odd number of vectors to a row: rows a power of 2 apart would share a cache's lines.
    columns = (padded * chunks * steps // LANES | 1) * LANES
    whole = (cells, chunks, steps, h.shape[1], len(into), padded, columns)
    return _Sizes(*whole, *m[:6], 0.0, (c_float * CHANNELS)(*m.reversals))


def _heights(s: _Sizes) -> tuple[int, ...]:
    """Rows of a room: what the network sees, what each layer gives, what the last two see."""
    return 1 + s.memory, s.width, s.width, CHANNELS + 2 * s.memory, s.width, s.width


def _told(ctx) -> tuple:
    """The first three arguments of both functions: sizes, weights and what is given."""
    return ctypes.byref(ctx.sizes), _pointers(ctx.layers), _pointers(ctx.given)


def _at(x: Tensor | None) -> c_void_p:
    return c_void_p(None if x is None else x.data_ptr())


def _pointers(tensors) -> ctypes.Array:
    return (c_void_p * len(tensors))(*(x if x is None else x.data_ptr() for x in tensors))
