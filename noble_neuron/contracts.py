"""What outsiders may bring: a whole-trace operator, and a tracker of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

Tensor = Any  # torch's; these words are spoken without torch too


class WholeTraceConfig(Protocol):
    """The two settings of a whole-trace operator that its surroundings need."""

    window_ms: float  # longest answer
    latent_size: int


@runtime_checkable
class WholeTrace(Protocol):
    """Answers a current that is known from beginning to end with its voltage.

    An implementation is a `torch.nn.Module`, built from a frozen `config`, and named in
    `noble_neuron.operators.OPERATORS` so that a bundle can be rebuilt by name.
    """

    config: WholeTraceConfig

    def __call__(self, current: Tensor, latent: Tensor, t: Tensor) -> Tensor:
        """Voltage of each cell under its current.

        Args:
            current: Somatic current [nA], shape (batch, steps).
            latent: Encoded latent coordinates, about 0.5 to 3.5, shape (batch, latent_size).
            t: Time [ms], shape (steps,), regular, from 0, at most `config.window_ms` long.

        Returns:
            Voltage [mV], shape (batch, steps).
        """
        ...


class Tracker(Protocol):
    """Hears how a training goes; wrap wandb, TensorBoard or a list in one."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Take the figures of one report, e.g. {"loss": 0.02, "score": 0.03}."""
        ...
