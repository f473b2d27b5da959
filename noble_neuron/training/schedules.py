"""Learning rates: each schedule says the rate of a step, and hears of validations.

`state` is JSON-able scalars, so that a resumed run continues exactly.
"""

from __future__ import annotations

import math

from .config import TrainConfig


class Plateau:
    """ReduceLROnPlateau: after more than `patience` validations without improvement, times factor.

    As torch's, an improvement is one of more than 0.01 %.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.rate = config.lr
        self.best: float | None = None
        self.bad = 0

    def at(self, step: int) -> float:
        return self.rate

    def heard(self, score: float) -> None:
        if self.best is None or score < self.best * (1 - 1e-4):
            self.best, self.bad = score, 0
            return
        self.bad += 1
        if self.bad > self.config.plateau_patience:
            self.rate, self.bad = self.rate * self.config.plateau_factor, 0

    def state(self) -> dict:
        return {"rate": self.rate, "best": self.best, "bad": self.bad}

    def restore(self, state: dict) -> None:
        self.rate, self.best, self.bad = state["rate"], state["best"], state["bad"]


class WarmCosine:
    """Linear rise to lr over the share `warmup` of all steps, then a cosine to zero."""

    def __init__(self, config: TrainConfig, total_steps: int) -> None:
        self.lr = config.lr
        self.total = total_steps
        self.rise = max(1, round(config.warmup * total_steps))

    def at(self, step: int) -> float:
        if step < self.rise:
            return self.lr * (step + 1) / self.rise
        done = (step - self.rise) / max(1, self.total - self.rise)
        return self.lr * 0.5 * (1 + math.cos(math.pi * done))

    def heard(self, score: float) -> None:
        pass  # it goes by steps alone

    def state(self) -> dict:
        return {}

    def restore(self, state: dict) -> None:
        pass


def schedule(config: TrainConfig, total_steps: int) -> Plateau | WarmCosine:
    """The schedule of the configured recipe."""
    return Plateau(config) if config.recipe == "reference" else WarmCosine(config, total_steps)
