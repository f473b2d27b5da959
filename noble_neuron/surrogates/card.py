"""What a surrogate says about itself: where it comes from and how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from ..errors import InputError
from ..features.latent import LatentSpace


@dataclass(frozen=True, eq=False, kw_only=True)
class Origin:
    """What any surrogate says of the cells it stands for.

    Attributes:
        ensemble: The cells it stands for, e.g. "pvalb".
        latent_space: Features, scaler and training cells.
        celsius: Temperature of the cells [degC].
        threshold: Voltage whose upward crossing is a spike [mV].
        junction_potential: What the cells' voltage has been shifted by [mV].
        licence: Of the weights.
        data_hash: Of the training set, one digest per array.
        errors: Measured errors, free-form JSON.
        notes: Anything a user must know, one sentence each.
    """

    ensemble: str
    latent_space: LatentSpace
    celsius: float
    threshold: float
    junction_potential: float
    licence: str
    data_hash: Mapping[str, str] = field(default_factory=dict)
    errors: Any = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(self.notes))
        for name in ("celsius", "threshold", "junction_potential"):
            _finite(name, getattr(self, name))
        for name in ("ensemble", "licence"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name):
                raise InputError(f"Card.{name} must be a text, got {getattr(self, name)!r}.")

    def to_dict(self) -> dict:
        """Plain JSON values."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**plain, "latent_space": self.latent_space.to_dict(), "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        """Inverse of `to_dict`.

        Raises:
            InputError: A key is missing or unknown, or a value is not usable.
        """
        known = {f.name for f in fields(cls)}
        missing, unknown = sorted(known - stored.keys()), sorted(stored.keys() - known)
        if missing or unknown:
            raise InputError(f"A card has missing keys {missing} and unknown keys {unknown}.")
        return cls(**{**stored, "latent_space": LatentSpace.from_dict(stored["latent_space"])})


@dataclass(frozen=True, eq=False, kw_only=True)
class Card(Origin):
    """Everything about a whole-trace surrogate but its weights and its architecture.

    Attributes:
        dt: Grid it was trained on [ms].
        current_range: Lowest and highest current it was trained on [nA]; holds 0.
        v_init: Voltage every training trace starts from [mV].
        step: Onset and duration [ms] of the one square step it was trained on, or None where
            the training currents had many shapes.
        reach: Largest training current in units of the cell's own I_thr, where I_thr is a
            latent coordinate; else None.
        lowest: Lowest training amplitude [nA], an amplitude being the current's value farthest
            from zero; None where any current of the range was trained on.
    """

    dt: float
    current_range: tuple[float, float]
    v_init: float
    step: tuple[float, float] | None = None
    reach: float | None = None
    lowest: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("current_range", "step"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _pair(name, getattr(self, name)))
        for name in ("dt", "v_init"):
            _finite(name, getattr(self, name))
        for name in ("reach", "lowest"):
            if getattr(self, name) is not None:
                _finite(name, getattr(self, name))
        low, high = self.current_range
        if self.dt <= 0 or not low <= 0 <= high:
            raise InputError(
                f"A card needs dt > 0 and a current range that holds 0: got dt {self.dt!r} ms "
                f"and {low!r} to {high!r} nA."
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class StreamCard(Origin):
    """Everything about a streaming surrogate but its weights and its architecture.

    The ranges are those of the training input per step of the operator's grid: b is centred,
    the somatic current at the operator's reference voltage.

    Attributes:
        cells: Names of the training cells, in the order of `latent_space.points`.
        solver_dt: Step at which the full cells were solved [ms].
        b_range: Lowest and highest centred b [nA].
        g_range: Lowest and highest attached conductance [uS].
        v_range: Lowest and highest voltage that the cells answered [mV].
        lowest_peak: What all but the lowest hundredth of their spikes reach [mV].
    """

    cells: tuple[str, ...]
    solver_dt: float
    b_range: tuple[float, float]
    g_range: tuple[float, float]
    v_range: tuple[float, float]
    lowest_peak: float

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "cells", tuple(self.cells))
        for name in ("b_range", "g_range", "v_range"):
            object.__setattr__(self, name, _pair(name, getattr(self, name)))
        for name in ("solver_dt", "lowest_peak"):
            _finite(name, getattr(self, name))
        if len(self.cells) != len(self.latent_space.points):
            raise InputError(
                f"A card names {len(self.cells)} training cells, and its latent space has "
                f"{len(self.latent_space.points)} points."
            )


def _pair(name: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise InputError(f"Card.{name} must be two numbers, got {value!r}.")
    return _finite(name, value[0]), _finite(name, value[1])


def _finite(name: str, value: Any) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value):
        raise InputError(f"Card.{name} must be a finite number, got {value!r}.")
    return float(value)
