"""`OdeStream` on a CPU as machine code, for training: ode_kernel.cpp and its gradient.

torch takes a layer of 40 cells at a time, and most of a step is the way there and back. Here a
chunk is one call each way, and its weights' gradients are three products.
"""

from __future__ import annotations

import ctypes
import functools
from ctypes import c_float, c_int, c_int64
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from .native import compiled

SOURCE = Path(__file__).with_name("ode_kernel.cpp")
LANES = 16  # cells of a vector, as in the source
CHANNELS, SPANS = 3, 4


class Sizes(ctypes.Structure):
    """What the source calls Sizes."""

    _fields_ = [
        *((name, c_int64) for name in "cells steps memory width substeps padded".split()),
        *((name, c_float) for name in "v_scale g_unit least_c low high".split()),
        ("reversals", c_float * CHANNELS),
        ("spans", c_float * SPANS),
    ]


class Membrane(NamedTuple):
    """Numbers of the membrane equation; voltages from the operator's reference [mV]."""

    v_scale: float
    g_unit: float  # uS
    least_c: float  # of C + dt G [nF]
    low: float
    high: float
    reversals: tuple[float, ...]
    spans: Tensor  # substeps [ms], filled up with 0


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
) -> tuple[Tensor, Tensor]:
    """One chunk of `OdeStream`; differentiable by every tensor. All are float32 on a CPU.

    Args:
        u: Voltage from the reference [mV], shape (cells,).
        h: Memory, shape (cells, memory).
        of_cell: What the first layer has from the cell, shape (cells, width).
        capacitance: [nF], shape (cells,).
        b: Current about the reference [nA], shape (cells, steps).
        g: Conductance [uS], likewise.
        layers: Weights.
        membrane: Numbers.

    Returns:
        u at the end of each step, shape (cells, steps), and the next h.

    Raises:
        NobleError: The source could not be compiled.
    """
    return _Chunk.apply(u, h, of_cell, capacitance, b, g, *layers, membrane)


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(str(compiled(SOURCE)))


class _Chunk(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u, h, of_cell, capacitance, b, g, *rest):
        *layers, membrane = rest
        cells = [x.contiguous() for x in (u, h, of_cell, capacitance, b, g)]
        layers = [x.contiguous() for x in layers]
        sizes = _sizes(cells[1], cells[4], layers[0], membrane)
        answer, after = torch.empty_like(cells[4]), torch.empty_like(cells[1])
        kept = None
        if any(ctx.needs_input_grad):
            heights = (1 + sizes.memory, sizes.width, sizes.width, len(layers[4]))
            kept = torch.empty(sum(heights), sizes.padded * sizes.steps)
        _library().ode_forward(
            ctypes.byref(sizes), _pointers(*layers), *map(_at, (*cells, answer, after, kept)),
            c_int(torch.get_num_threads()),
        )  # fmt: skip
        if kept is not None:
            ctx.save_for_backward(kept, *cells, *layers)
            ctx.sizes = sizes
        return answer, after

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, by_answer, by_after):
        kept, _, h, of_cell, capacitance, b, g, *layers = ctx.saved_tensors
        s = ctx.sizes
        by_u, by_h, by_cell, by_c, by_b, by_g = map(
            torch.empty_like, (capacitance, h, of_cell, capacitance, b, g)
        )
        # Names for both, so that they outlive the call that is given their addresses.
        by_answer, by_after = by_answer.contiguous(), by_after.contiguous()
        slopes = torch.empty(2 * s.width + len(layers[4]), kept.shape[1])
        bent = torch.empty(2 * s.width, kept.shape[1])
        _library().ode_backward(
            ctypes.byref(s), _pointers(*layers),
            *map(_at, (kept, capacitance, b, g, by_answer, by_after)),
            *map(_at, (by_u, by_h, by_cell, by_c, by_b, by_g, slopes, bent)),
            c_int(torch.get_num_threads()),
        )  # fmt: skip
        first, second, third = slopes.split((s.width, s.width, len(layers[4])))
        by_layers = (
            first @ kept[: 1 + s.memory].T,
            second @ bent[: s.width].T,
            second.sum(1),
            third @ bent[s.width :].T,
            third.sum(1),
        )
        return by_u, by_h, by_cell, by_c, by_b, by_g, *by_layers, None


def _sizes(h: Tensor, b: Tensor, into: Tensor, m: Membrane) -> Sizes:
    cells, padded = len(h), -(-len(h) // LANES) * LANES
    spans = [x for x in m.spans.tolist() if x]
    whole = (cells, b.shape[1], h.shape[1], len(into), len(spans), padded)
    return Sizes(*whole, *m[:5], (c_float * CHANNELS)(*m.reversals), (c_float * SPANS)(*spans))


def _at(x: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if x is None else x.data_ptr())


def _pointers(*tensors: Tensor) -> ctypes.Array:
    return (ctypes.c_void_p * len(tensors))(*(x.data_ptr() for x in tensors))
