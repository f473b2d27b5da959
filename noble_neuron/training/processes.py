"""One process or several (torchrun): who am I, what is mine, and averaging over all.

Gradients are summed by hand rather than through DistributedDataParallel, so that a task
may call any method of the model, complex weights need nothing special, and the average is
the one-process gradient whatever the division of the batch.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..operators.device import pick


@dataclass(frozen=True)
class Processes:
    """This process's place among its peers."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        return self.rank == 0

    def mine(self, batch: Tensor) -> Tensor:
        """This process's share of a batch of indices; may be empty."""
        return batch[self.rank :: self.world]

    def summed(self, values: Tensor) -> Tensor:
        """The sum of `values` over all processes."""
        if self.world > 1:
            dist.all_reduce(values)
        return values

    def from_first(self, values: Tensor) -> Tensor:
        """The first process's `values`, in every process."""
        if self.world > 1:
            dist.broadcast(values, src=0)
        return values

    def share_weights(self, model: nn.Module) -> None:
        """Give every process the first one's weights and buffers."""
        if self.world == 1:
            return
        for tensor in (*model.parameters(), *model.buffers()):
            self.from_first(_real(tensor.data))

    def sum_gradients(self, model: nn.Module, extra: Tensor) -> Tensor:
        """Sum all gradients, and `extra` with them, in one message; return the summed extra."""
        if self.world == 1:
            return extra
        grads = [_gradient(p) for p in model.parameters() if p.requires_grad]
        flat = torch.cat([extra, *(g.reshape(-1) for g in grads)])
        dist.all_reduce(flat)
        parts = flat.split([len(extra), *(g.numel() for g in grads)])
        for grad, part in zip(grads, parts[1:], strict=True):
            grad.copy_(part.view_as(grad))
        return parts[0]


def _real(tensor: Tensor) -> Tensor:
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def _gradient(parameter: Tensor) -> Tensor:
    """A parameter's gradient as reals; zeros where this process's share did not reach it."""
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    if parameter.grad.is_conj():
        parameter.grad = parameter.grad.resolve_conj()
    return _real(parameter.grad)


@contextlib.contextmanager
def processes(device: str) -> Iterator[Processes]:
    """Join the peers that torchrun started, if it did; leave them at the end."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Processes(0, 1, pick(device))
        return
    own = f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" else device
    place = pick(own)
    ours = not dist.is_initialized()
    if ours:
        if place.type == "cuda":
            torch.cuda.set_device(place)
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), world, place)
    finally:
        if ours:
            dist.destroy_process_group()
