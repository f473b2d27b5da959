"""What outsiders may bring: a whole-trace operator, a stepper, a tracker of training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

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


@runtime_checkable
class Stepper(Protocol):
    """Advances the voltage of many cells through one chunk of time after the other.

    The membrane receives b - g V beyond its own currents, with V the voltage of the moment, so
    that the driving force within a chunk is the stepper's business. It remembers nothing
    between calls: state goes in and comes out, and the rows are independent of each other, so
    one stepper serves any number of cells, and a run can be saved, rewound and replayed.

    Attributes:
        chunk: Length of what one call answers [ms].
        time_steps: Steps of the simulations that it serves [ms]; each divides the chunk.
        latent_size: Coordinates that tell one cell from another; may be 0.
        celsius: Temperature of its cells [degC].
        threshold: Voltage whose upward crossing is a spike [mV]; inf if it does not spike.
        lowest_peak: What its lowest spikes reach [mV]; inf if unknown.
    """

    chunk: float
    time_steps: tuple[float, ...]
    latent_size: int
    celsius: float
    threshold: float
    lowest_peak: float

    def start(self, latent: np.ndarray, v: np.ndarray) -> np.ndarray:
        """State of cells that have rested at a voltage, as NEURON's finitialize means it.

        Args:
            latent: Latent coordinates, shape (cells, latent_size).
            v: Voltage [mV], shape (cells,).

        Returns:
            State, one row per cell, shape (cells, anything).
        """
        ...

    def advance(
        self, state: np.ndarray, latent: np.ndarray, b: np.ndarray, g: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Live through one chunk; the arguments are lent for the call, and left as they are.

        Args:
            state: What `start` or the last `advance` returned.
            latent: As for `start`.
            b: Voltage-independent part of the attached current [nA], shape (cells, points),
                one point per step of chunk / points.
            g: Attached conductance [uS], shape (cells, points); negative at times.

        Returns:
            Voltage at the end of each step [mV], shape (cells, points), and the next state.
        """
        ...


@dataclass(frozen=True)
class Limits:
    """Lowest and highest value that a stepper was trained on.

    Attributes:
        current: b - G v_reference [nA].
        conductance: G [uS].
        voltage: [mV].
        v_reference: Voltage at which the current counts [mV].
    """

    current: tuple[float, float]
    conductance: tuple[float, float]
    voltage: tuple[float, float]
    v_reference: float


@dataclass(frozen=True)
class Outside:
    """How often a quantity left the training range in one run.

    Attributes:
        count: Chunks, or steps of the operator's grid, in which it did.
        time: When it first did [ms].
        value: The value farthest out.
    """

    count: int
    time: float
    value: float


@runtime_checkable
class Trained(Protocol):
    """What a stepper that was trained can say besides."""

    limits: Limits

    def point(self, given: str | Mapping[str, float] | None) -> np.ndarray:
        """Latent point, shape (latent_size,).

        Args:
            given: A training cell's name, or features by name; None: a typical training cell.
        """
        ...

    def distance(self, latent: np.ndarray) -> tuple[float, float]:
        """How far a point lies outside the training cells' hull, and how far one of them usually
        lies outside the hull of the others; encoded units."""
        ...


@runtime_checkable
class Membrane(Protocol):
    """What a stepper can say whose membrane equation a simulator can solve itself:

        C dV/dt = b - G V - sum g_k (V - E_k),

    with g_k set anew at each step of a grid. For the arrays see `surrogates.membrane`.
    """

    grid: float  # ms
    limits: Limits

    def exported(self) -> np.ndarray:
        """The operator, as mod/nn_Noble.mod reads it."""
        ...

    def of_cells(self, latent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each cell adds to the first layer, and its capacitance [nF]."""
        ...

    def memory(self, latent: np.ndarray, v: np.ndarray) -> np.ndarray:
        """What cells remember that `finitialize(v)` has just set."""
        ...


class Tracker(Protocol):
    """Hears how a training goes; wrap wandb, TensorBoard or a list in one."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Take the figures of one report, e.g. {"loss": 0.02, "score": 0.03}."""
        ...
