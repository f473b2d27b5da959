"""Where tensors live, asked for by name and refused clearly."""

from __future__ import annotations

import torch

from ..errors import DeviceError


def pick(name: str | torch.device) -> torch.device:
    """The device of that name, e.g. "cpu", "cuda" or "cuda:1".

    Raises:
        DeviceError: No such device here, or none that this build of torch can use.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(f'Unknown device {name!r}: use "cpu", "cuda" or "cuda:N".') from None
    if device.type == "cuda":
        _check_cuda(device)
    elif device.type != "cpu":
        raise DeviceError(f'Device {name!r} is not supported: use "cpu", "cuda" or "cuda:N".')
    return device


def _check_cuda(device: torch.device) -> None:
    if not torch.cuda.is_available():
        built = "was built without CUDA" if torch.version.cuda is None else "finds no GPU"
        raise DeviceError(
            f'Device "{device}" was asked for, but torch {torch.__version__} {built}. '
            f'Use device="cpu", or install a CUDA build of torch on a machine with a GPU.'
        )
    if device.index is not None and device.index >= torch.cuda.device_count():
        raise DeviceError(
            f'Device "{device}" was asked for, but this machine has '
            f"{torch.cuda.device_count()} GPU(s), numbered from 0."
        )
