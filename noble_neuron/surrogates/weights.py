"""Tensors in safetensors files: nothing is pickled, nothing is unpickled."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from ..errors import InputError, StoreError
from ..files import written_whole


def tensors(model: nn.Module) -> dict[str, Tensor]:
    """A model's weights and buffers by name, sharing their memory.

    neuralop's `state_dict` also carries a `_metadata` entry with a callable: left out.
    """
    return {k: v.detach() for k, v in model.state_dict().items() if isinstance(v, Tensor)}


def fill(model: nn.Module, given: Mapping[str, Tensor]) -> None:
    """Copy `given` into a model of exactly the same names, shapes and kinds.

    Raises:
        InputError: Anything differs; the text names it. The model is then unchanged.
    """
    own = tensors(model)
    missing, extra = sorted(own.keys() - given.keys()), sorted(given.keys() - own.keys())
    if missing or extra:
        raise InputError(
            f"The weights do not fit the model: missing {missing[:3]}, unknown {extra[:3]}"
            f" ({len(missing)} and {len(extra)} in all)."
        )
    for name, tensor in own.items():
        new = given[name]
        if tensor.shape != new.shape or tensor.dtype != new.dtype:
            raise InputError(
                f"The weights do not fit the model: {name} should be "
                f"{tuple(tensor.shape)} {tensor.dtype}, got {tuple(new.shape)} {new.dtype}."
            )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(given[name])


def write(
    path: str | os.PathLike, values: Mapping[str, Tensor], notes: Mapping[str, str] | None = None
) -> None:
    """Write tensors, and `notes` in the same file's header, whole or not at all."""
    plain = {name: value.detach().cpu().contiguous() for name, value in values.items()}
    content = save(plain, metadata=dict(notes or {}))
    with written_whole(path) as temporary:
        temporary.write_bytes(content)


def read(path: str | os.PathLike) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a file, on the CPU, and its notes.

    Raises:
        StoreError: No such file, or not a whole safetensors file.
    """
    if not Path(path).is_file():
        raise StoreError(f"No such weights file: {path}")
    try:
        # Read at once: safe_open opens a path twice, and a training may replace the file between.
        content = Path(path).read_bytes()
        values = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return values, header.get("__metadata__", {})
    except (SafetensorError, OSError, ValueError) as error:
        raise StoreError(f"{path} is not a whole safetensors file: {error}") from None
