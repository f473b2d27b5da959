"""A training's whole state in one safetensors file: tensors, and scalars as JSON beside them.

There is no generator's state in it: each step seeds torch from (seed, step, process).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import InputError, StoreError
from ..surrogates import weights

FORMAT = "noble_neuron.checkpoint.1"
_HOST_KEYS = ("step",)  # Adam keeps its step count on the CPU


def save(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: Mapping[str, Tensor] | None,
    memory: Mapping[str, Tensor],
    scalars: dict,
) -> None:
    """Write the state whole; a kill at any moment leaves the last one."""
    values = {f"model/{k}": v for k, v in weights.tensors(model).items()}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            values[f"optimizer/{key}/{name}"] = value
    values |= {f"average/{k}": v for k, v in (average or {}).items()}
    values |= {f"memory/{k}": v for k, v in memory.items()}
    weights.write(path, values, {"format": FORMAT, "scalars": json.dumps(scalars)})


def load(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: Mapping[str, Tensor] | None,
    memory: Mapping[str, Tensor],
    same: dict,
) -> dict:
    """Restore what `save` wrote, and return its scalars.

    Args:
        memory: The task's, filled in place.
        same: What `scalars["same"]` must equal for the run to be the same run.

    Raises:
        InputError: The checkpoint is of another run; the text says how it differs.
    """
    values, notes = weights.read(path)
    if notes.get("format") != FORMAT:
        raise StoreError(
            f"{path} is not a checkpoint of this version (format {notes.get('format')!r}, "
            f"expected {FORMAT!r}). Train into another folder, or delete it to start anew."
        )
    scalars = json.loads(notes["scalars"])
    _check_same(path, scalars["same"], same)
    weights.fill(model, _under("model/", values))
    parameters = dict(model.named_parameters())
    for full, value in _under("optimizer/", values).items():
        key, _, name = full.partition("/")
        place = "cpu" if key in _HOST_KEYS else parameters[name].device
        optimizer.state[parameters[name]][key] = value.to(place)
    for name, value in _under("average/", values).items():
        average[name].copy_(value)
    for name, value in _under("memory/", values).items():
        memory[name].copy_(value)
    return scalars


def _under(prefix: str, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}


def _check_same(path: Path, old: dict, new: dict) -> None:
    differing = [
        f"{key}: {old.get(key)!r} there, {new.get(key)!r} now"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]
    if differing:
        raise InputError(
            f"{path} is of another training ({'; '.join(differing)}). "
            f"Train into another folder, or delete it to start anew."
        )
