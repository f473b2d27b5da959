"""A trained operator with its card: currents and latent points in, voltages out, as arrays."""

from __future__ import annotations

import numpy as np
import torch

from ..contracts import WholeTrace
from ..errors import InputError
from ..features.latent import LatentSpace
from ..operators.device import pick
from . import grid
from .card import Card
from .limits import is_step, warn_outside

# A CPU's caches hold the channels of a few traces: 64 at once cost four times as much each.
AT_ONCE = {"cpu": 8, "cuda": 256}


class Surrogate:
    """Answers in place of a whole ensemble of cells.

    Attributes:
        card: What it stands for and how far it can be trusted.
        model: The operator, on its device.
    """

    def __init__(self, model: WholeTrace, card: Card, device: str | torch.device = "cpu") -> None:
        self.device = pick(device)
        self.model = model.to(self.device).eval()
        self.card = card

    @property
    def latent_space(self) -> LatentSpace:
        """Features, scaler and hull of the training cells."""
        return self.card.latent_space

    @property
    def threshold(self) -> float:
        """Voltage whose upward crossing is a spike [mV]."""
        return self.card.threshold

    @property
    def window(self) -> float:
        """Longest answer [ms]."""
        return self.model.config.window_ms

    def predict(
        self, current: np.ndarray, latent: np.ndarray, dt: float, batch: int | None = None
    ) -> np.ndarray:
        """Voltage of each cell under its current.

        The operator always runs on the grid it was trained on: on another one, the current
        goes there by its mean per interval and the voltage comes back by a cubic spline. It
        sees the whole current, so what follows the last step counts: a step that is still on
        is continued to its trained end, any other current by zero.

        Args:
            current: Current per interval [nA], shape (n, steps) or (steps,).
            latent: Latent points in physical units, shape (n, k), or (k,) for all currents.
            dt: Grid of current and voltage [ms].
            batch: Traces in the operator at a time; what the device is fastest at by default.

        Returns:
            Voltage [mV], float32, shape (n, steps).

        Raises:
            InputError: Not finite, of unfitting shapes, or longer than the operator's window.

        Warns:
            OutsideTraining: A latent point, a current or its shape is not of the training set.
        """
        current, latent = self._checked(current, latent, dt)
        warn_outside(self.card, current, latent, dt)
        steps = current.shape[1]
        inner = self._inner_current(current, dt)
        points = self.latent_space.encode(latent)
        batch = batch or AT_ONCE[self.device.type]
        t = torch.arange(inner.shape[1], dtype=torch.float32, device=self.device) * self.card.dt
        voltage = np.concatenate(
            [
                self._run(inner[i : i + batch], points[i : i + batch], t)
                for i in range(0, len(inner), batch)
            ]
        )
        if grid.same(dt, self.card.dt):
            return voltage[:, :steps]
        return grid.voltage_onto(voltage, self.card.dt, dt, steps)

    @torch.inference_mode()
    def _run(self, current: np.ndarray, latent: np.ndarray, t: torch.Tensor) -> np.ndarray:
        arrays = (torch.as_tensor(x, dtype=torch.float32) for x in (current, latent))
        return self.model(*(x.to(self.device) for x in arrays), t).cpu().numpy()

    def _checked(
        self, current: np.ndarray, latent: np.ndarray, dt: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Both as float arrays of n rows."""
        current = np.atleast_2d(np.asarray(current, dtype=float))
        latent = np.atleast_2d(np.asarray(latent, dtype=float))
        k = len(self.latent_space.names)
        rows = {len(current), len(latent)} - {1}
        if current.ndim != 2 or latent.shape[1:] != (k,) or len(rows) > 1 or not current.size:
            raise InputError(
                f"predict needs current of shape (n, steps) and latent of shape (n, {k}), namely "
                f"{', '.join(self.latent_space.names)}: got {current.shape} and {latent.shape}."
            )
        if not np.isfinite(current).all():
            row, step = np.argwhere(~np.isfinite(current))[0]
            raise InputError(f"The current is {current[row, step]} at row {row}, step {step}.")
        if not np.isfinite(dt) or dt <= 0:
            raise InputError(f"dt must be a positive number of ms, got {dt!r}.")
        duration = (current.shape[1] - 1) * dt  # of the points, which the last interval follows
        if duration > self.window or current.shape[1] < 2:
            raise InputError(
                f"This surrogate answers 2 points or more of at most {self.window:g} ms: got "
                f"{current.shape[1]} of {dt:g} ms ({duration:g} ms). Split or shorten the current."
            )
        n = max(len(current), len(latent))
        return (
            np.broadcast_to(current, (n, current.shape[1])),
            np.broadcast_to(latent, (n, k)),
        )

    def _inner_current(self, current: np.ndarray, dt: float) -> np.ndarray:
        """The current on the trained grid, to the end of the window."""
        own = self.card.dt
        steps = round(self.window / own)
        if grid.same(dt, own):
            missing = max(0, steps - current.shape[1])
            inner = np.pad(current, ((0, 0), (0, missing)))[:, :steps]
        else:
            inner = grid.current_onto(current, dt, own, steps)
        if self.card.step is None:
            return inner
        onset, duration = self.card.step
        t = np.arange(steps) * own
        ongoing = is_step(current, dt, onset, duration)
        rest = (t >= current.shape[1] * dt - own / 2) & (t < onset + duration - own / 2)
        if current.shape[1] * dt > onset + dt:
            inner[np.ix_(ongoing, rest)] = current[ongoing, -1:]
        return inner
