"""The two shapes that every package speaks of: a voltage trace and a latent point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import InputError


@dataclass(frozen=True)
class Trace:
    """Somatic voltage on a regular grid.

    Attributes:
        t: Time [ms], shape (steps,), starting at 0.
        v: Voltage [mV], shape (steps,).
    """

    t: np.ndarray
    v: np.ndarray

    def __post_init__(self) -> None:
        if self.t.ndim != 1 or self.t.shape != self.v.shape:
            raise InputError(
                f"A trace needs one voltage per time: got t of shape {self.t.shape} "
                f"and v of shape {self.v.shape}."
            )

    @property
    def dt(self) -> float:
        """Grid step [ms]."""
        return float(self.t[1] - self.t[0])


@dataclass(frozen=True)
class Latent:
    """Where one hall-of-fame cell sits in feature space, in physical units.

    Attributes:
        names: Feature names, e.g. ("I_thr", "s_thr").
        values: One value per name.
        units: One unit per name, e.g. ("nA", "Hz/nA").
    """

    names: tuple[str, ...]
    values: tuple[float, ...]
    units: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.names) == len(self.values) == len(self.units):
            raise InputError(
                f"A latent needs one value and one unit per name: got "
                f"{len(self.names)} names, {len(self.values)} values and "
                f"{len(self.units)} units."
            )
