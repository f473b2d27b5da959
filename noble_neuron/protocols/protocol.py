"""A protocol: a name, a duration and the stimuli in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from .stimuli import OrnsteinUhlenbeck, Ramp, Sampled, Step, Stimulus, WhiteNoise
from .stimuli import from_dict as stimulus_from_dict
from .synapses import Barrage

STIMULI: dict[str, type[Stimulus]] = {
    kind.__name__: kind for kind in (Step, Ramp, OrnsteinUhlenbeck, WhiteNoise, Sampled, Barrage)
}


@dataclass(frozen=True)
class Protocol:
    """What one simulation is given; stimuli add up where they overlap.

    Attributes:
        name: Free, for tables and plots.
        duration: Of the simulation [ms].
        stimuli: At least one; `Step(0.0, ...)` is the protocol without current.
        v_init: Voltage it starts from [mV]; None is the cell's own.
    """

    name: str
    duration: float
    stimuli: tuple[Stimulus, ...]
    v_init: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "duration", _finite(self.name, "duration", self.duration))
        if self.duration <= 0:
            raise InputError(
                f"Protocol {self.name!r} lasts {self.duration:g} ms: must be above 0."
            )
        if self.v_init is not None:
            object.__setattr__(self, "v_init", _finite(self.name, "v_init", self.v_init))
            if abs(self.v_init) > 200:
                raise InputError(
                    f"Protocol {self.name!r} starts from {self.v_init:g} mV: no membrane does; "
                    f"v_init is in mV."
                )
        self._check_stimuli()

    def _check_stimuli(self) -> None:
        stimuli = (self.stimuli,) if isinstance(self.stimuli, Stimulus) else tuple(self.stimuli)
        object.__setattr__(self, "stimuli", stimuli)
        if not stimuli:
            raise InputError(
                f"Protocol {self.name!r} is empty. No current at all is one Step(0.0, onset, "
                f"duration): features need to know when to look."
            )
        for k, stimulus in enumerate(stimuli):
            if not isinstance(stimulus, Stimulus):
                raise InputError(
                    f"Stimulus {k} of protocol {self.name!r} is {stimulus!r}: must be one of "
                    f"{', '.join(STIMULI)}."
                )
            if stimulus.offset > self.duration + 1e-6:
                raise InputError(
                    f"Stimulus {k} of protocol {self.name!r} ends at {stimulus.offset:g} ms, "
                    f"after the protocol itself ({self.duration:g} ms)."
                )

    @property
    def window(self) -> tuple[float, float]:
        """First onset and last offset [ms]."""
        return min(s.onset for s in self.stimuli), max(s.offset for s in self.stimuli)

    def grid(self, dt: float) -> np.ndarray:
        """Times 0, dt, ..., duration [ms]; the duration must be a whole number of steps."""
        steps = round(self.duration / dt) if np.isfinite(dt) and dt > 0 else 0
        if steps < 1 or abs(steps * dt - self.duration) > 1e-6:
            raise InputError(
                f"Protocol {self.name!r} of {self.duration:g} ms is not a whole number of steps "
                f"of {dt} ms."
            )
        return dt * np.arange(steps + 1)

    def current(self, t: np.ndarray) -> np.ndarray:
        """Injected current [nA] at times `t` [ms], same shape."""
        return np.sum([s.current(t) for s in self.stimuli], axis=0)

    def conductance(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Totals at times `t` [ms]: b [nA], without the injected current, and G [uS]."""
        pairs = [s.conductance(t) for s in self.stimuli]
        return np.sum([b for b, _ in pairs], axis=0), np.sum([g for _, g in pairs], axis=0)

    @property
    def has_conductance(self) -> bool:
        """Whether `conductance` can be anything but zero."""
        return any(isinstance(stimulus, Barrage) for stimulus in self.stimuli)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "duration": self.duration,
            "stimuli": [stimulus.to_dict() for stimulus in self.stimuli],
            "v_init": self.v_init,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Protocol:
        """Inverse of `to_dict`."""
        try:
            name, duration, stimuli = stored["name"], stored["duration"], stored["stimuli"]
        except KeyError as error:
            raise InputError(f"A stored protocol lacks the key {error}.") from None
        found = tuple(stimulus_from_dict(stimulus, STIMULI) for stimulus in stimuli)
        return cls(name, duration, found, stored.get("v_init"))


def noble_step(amplitude: float, v_init: float | None = None) -> Protocol:
    """The paper's square step of `amplitude` [nA]: on at 15 ms for 400 ms, 515 ms in all."""
    step = Step(amplitude, 15.0, 400.0)
    return Protocol(f"step {step.amplitude:g} nA", 515.0, (step,), v_init)


def _finite(protocol: str, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise InputError(f"{key} of protocol {protocol!r} must be a number: got {value!r}.")
    if not np.isfinite(value):
        raise InputError(f"{key} of protocol {protocol!r} must be finite: got {value}.")
    return float(value)
