"""A trained streaming operator with its card: what a NobleCell's voltage comes from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from ..contracts import Limits, Tensor
from ..errors import InputError
from ..operators.device import pick
from ..operators.recurrent import State, Stream, advance, between, binned
from .card import StreamCard

G_ROUNDING = 1e-7  # uS
TIME_STEPS = (0.025, 0.05, 0.1)  # ms; those of them that divide the operator's grid are served


class StreamSurrogate:
    """Answers in place of a family of cells, chunk by chunk: a `Stepper`, and `Trained`.

    Latent points are in physical units. On a CPU a cell's answer does not depend on how many
    others are answered with it, to the last bit.

    Attributes:
        card: What it stands for and how far it can be trusted.
        model: The operator, on its device.
        chunk, time_steps, latent_size, celsius, threshold, lowest_peak: See `Stepper`.
        limits: See `Trained`.
    """

    def __init__(
        self, model: Stream, card: StreamCard, device: str | torch.device = "cpu"
    ) -> None:
        self.device = pick(device)
        self.model = model.to(self.device).eval().requires_grad_(False)
        self.card = card
        grid = model.config.grid_ms
        self.chunk = model.config.chunk_ms
        self.time_steps = tuple(dt for dt in TIME_STEPS if _divides(dt, grid))
        self.latent_size = len(card.latent_space.names)
        self.celsius, self.threshold = card.celsius, card.threshold
        self.lowest_peak = card.lowest_peak
        low, high = card.g_range
        # What is read off a matrix is rounded: no conductance comes as -1e-13 uS too.
        conductance = (low - G_ROUNDING, high)
        self.limits = Limits(card.b_range, conductance, card.v_range, model.config.v_reference)

    def point(self, given: str | Mapping[str, float] | None) -> np.ndarray:
        """Latent point in physical units, shape (latent_size,).

        Args:
            given: A training cell's name, or features by name; None: the training cell nearest
                to the median of all.

        Raises:
            InputError: No such cell, or a feature is missing.
        """
        space = self.card.latent_space
        if given is None:
            cells = space.encode(space.points)
            apart = np.linalg.norm(cells - np.median(cells, axis=0), axis=1)
            return space.points[apart.argmin()]
        if not isinstance(given, str):
            return space.row(given)
        if given not in self.card.cells:
            raise InputError(
                f"{given!r} is no training cell of {self.card.ensemble!r}: it has "
                f"{', '.join(self.card.cells[:3])}, ... ({len(self.card.cells)} of them)."
            )
        return space.points[self.card.cells.index(given)]

    def distance(self, latent: np.ndarray) -> tuple[float, float]:
        """How far a point lies outside the training cells' hull, and how far one of them usually
        lies outside the hull of the others; encoded units."""
        space = self.card.latent_space
        if (space.points == latent).all(1).any() or space.contains(latent).all():
            return 0.0, 0.0
        return float(space.distance(latent)[0]), float(np.median(space.spacing))

    def start(self, latent: np.ndarray, v: np.ndarray) -> np.ndarray:
        """See `Stepper.start`; a row is the voltage on the last chunk [mV] and the memory."""
        with torch.inference_mode():
            state = self.model.start(self._encoded(latent), self._tensor(v))
        return torch.cat(state, dim=1).cpu().numpy()

    def advance(
        self, state: np.ndarray, latent: np.ndarray, b: np.ndarray, g: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `Stepper.advance`."""
        steps, grid = self.model.config.steps, self.model.config.grid_ms
        dt = self.chunk / b.shape[1]
        with torch.inference_mode():
            before = self._tensor(state)
            v, h = before.split((steps, before.shape[1] - steps), dim=1)
            inputs = (binned(self._tensor(x), dt, grid) for x in (b, g))
            run = advance if self.device.type == "cpu" else Stream.run
            answer, after = run(self.model, State(v, h), self._encoded(latent), *inputs)
            shown = between(v[:, -1], answer, dt, grid)
            return shown.double().cpu().numpy(), torch.cat(after, dim=1).cpu().numpy()

    def run(
        self, b: np.ndarray, g: np.ndarray, latent: np.ndarray, v_init: np.ndarray, dt: float
    ) -> np.ndarray:
        """Voltage of each cell by itself, under an input that is known from the beginning.

        Args:
            b: Voltage-independent part of the somatic current per step [nA], (n, steps).
            g: Attached conductance [uS], likewise.
            latent: Latent points in physical units, shape (n, k).
            v_init: Initial voltage [mV], shape (n,).
            dt: Step [ms], one of `time_steps`.

        Returns:
            Voltage at the end of each step [mV], shape (n, steps).
        """
        per_chunk, steps = round(self.chunk / dt), b.shape[1]
        missing = -steps % per_chunk  # the last chunk is answered as if its input went on
        b, g = (np.pad(x, ((0, 0), (0, missing)), mode="edge") for x in (b, g))
        state, answers = self.start(latent, v_init), []
        for k in range(0, b.shape[1], per_chunk):
            chunk = slice(k, k + per_chunk)
            v, state = self.advance(state, latent, b[:, chunk], g[:, chunk])
            answers.append(v)
        return np.concatenate(answers, axis=1)[:, :steps]

    def _encoded(self, latent: np.ndarray) -> Tensor:
        return self._tensor(self.card.latent_space.encode(latent))

    def _tensor(self, x: np.ndarray) -> Tensor:
        return torch.as_tensor(x, dtype=torch.float32).to(self.device)


def _divides(dt: float, grid: float) -> bool:
    return abs(round(grid / dt) * dt - grid) < 1e-9
