"""Settings of a training, checked as they are made."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

from ..errors import InputError

RECIPES = ("reference", "modern")

# What may change between a run and its resumption without changing the weights.
FREE_TO_CHANGE = ("device", "max_minutes", "checkpoint_minutes")


@dataclass(frozen=True)
class TrainConfig:
    """How to train; the defaults are the paper's recipe (section 4.1).

    Attributes:
        recipe: "reference" is Adam with ReduceLROnPlateau on the validation score; "modern"
            is AdamW with a linear warm-up and a cosine to zero over all steps.
        epochs: Passes over the training samples; the modern schedule spans all of them.
        batch_size: Samples per step, over all processes together.
        lr: Learning rate; the highest one of the modern recipe.
        plateau_factor: Reference: what the rate is multiplied by on a plateau.
        plateau_patience: Reference: validations without improvement that are let pass.
        warmup: Modern: share of the steps over which the rate rises.
        weight_decay: Modern: AdamW's.
        clip: Largest gradient norm; None leaves gradients alone.
        ema: Decay per step of a running average of the weights, which is then what is
            validated and kept; None keeps the weights themselves.
        validate_every: Epochs between validations.
        seed: Of the samples' order and of all randomness within a step.
        device: "cpu", "cuda" or "cuda:N"; under torchrun, "cuda" is each process's own GPU.
        max_minutes: Stop this call after so long, with a checkpoint; the next call goes on.
        checkpoint_minutes: Time between checkpoints.
    """

    recipe: str = "reference"
    epochs: int = 300
    batch_size: int = 32
    lr: float = 0.004
    plateau_factor: float = 0.4
    plateau_patience: int = 4
    warmup: float = 0.05
    weight_decay: float = 1e-4
    clip: float | None = None
    ema: float | None = None
    validate_every: int = 1
    seed: int = 0
    device: str = "cpu"
    max_minutes: float | None = None
    checkpoint_minutes: float = 5.0

    def __post_init__(self) -> None:
        if self.recipe not in RECIPES:
            raise InputError(f"TrainConfig.recipe must be one of {RECIPES}, got {self.recipe!r}.")
        for name in ("epochs", "batch_size", "validate_every"):
            self._check(
                name, isinstance(getattr(self, name), int), "a whole number of 1 or more", 1
            )
        self._check("lr", True, "a positive number", math.ulp(0.0))
        self._check("plateau_factor", True, "between 0 and 1", math.ulp(0.0), 1)
        self._check("plateau_patience", True, "0 or more", 0)
        self._check("warmup", True, "a share between 0 and 1", 0, 1)
        self._check("weight_decay", True, "0 or more", 0)
        self._check("checkpoint_minutes", True, "0 or more", 0)
        for name in ("clip", "max_minutes"):
            if getattr(self, name) is not None:
                self._check(name, True, "a positive number or None", math.ulp(0.0))
        if self.ema is not None:
            self._check("ema", True, "between 0 and 1, or None", 0, 1)

    def _check(
        self, name: str, right_kind: bool, wanted: str, low: float, high: float = math.inf
    ) -> None:
        value = getattr(self, name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (number and right_kind and low <= value <= high and math.isfinite(value)):
            raise InputError(f"TrainConfig.{name} must be {wanted}, got {value!r}.")

    def fixed(self) -> dict:
        """The settings that a resumed run must share with its beginning."""
        return {k: v for k, v in asdict(self).items() if k not in FREE_TO_CHANGE}

    def text(self) -> str:
        """The settings that are not the defaults, for a note: "recipe modern, epochs 450"."""
        usual = asdict(TrainConfig())
        return (
            ", ".join(f"{k} {v}" for k, v in self.fixed().items() if v != usual[k]) or "defaults"
        )
