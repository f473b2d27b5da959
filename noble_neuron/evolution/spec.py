"""What a search for hall-of-fame models is told: the cell, what may vary, what to reach.

A search is a JSON file, so that the built-in ensemble and a user's cell go the same way:

    {"name": "pvalb", "celsius": 34, "v_init": -74, "dt": 0.025, "threshold": -20,
     "junction_potential": 0,
     "source": {...},                       what the "swc" loader takes (noble_neuron.cells)
     "parameters": [{"name": ..., "stage": "passive" | "active",
                     "paths": ["soma.nn_NaTg.gbar", ...], "low": ..., "high": ..., "log": true}],
     "targets": [{"feature": ..., "stage": ..., "mean": ..., "sd": ..., "unit": ...,
                  "source": ...}],
     "trials": {...}}                       currents and rates, where `Trials` does not suit

A path is group.mechanism.parameter, or group.cm, group.Ra.
"""

from __future__ import annotations

import copy
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cells.spec import HofCell
from ..errors import InputError
from ..files import read_json

STAGES = ("passive", "active")


@dataclass(frozen=True)
class Parameter:
    """One number the search varies; it may set several places at once."""

    name: str
    stage: str
    paths: tuple[str, ...]
    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise InputError(
                f"Parameter {self.name}: stage is {self.stage!r}, not one of {STAGES}."
            )
        if not self.low < self.high or (self.log and self.low <= 0):
            raise InputError(
                f"Parameter {self.name}: bounds {self.low} ... {self.high} must rise"
                + (" and be positive, for it is searched on a log scale." if self.log else ".")
            )

    def value(self, unit: float) -> float:
        """Map 0...1 onto low...high."""
        if self.log:
            return math.exp(math.log(self.low) + unit * math.log(self.high / self.low))
        return self.low + unit * (self.high - self.low)

    def unit(self, value: float) -> float:
        """Inverse of `value`."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Target:
    """A published mean and SD of one feature."""

    feature: str
    stage: str
    mean: float
    sd: float
    unit: str
    source: str

    def z(self, value: float) -> float:
        """Distance from the mean in SDs."""
        return (value - self.mean) / self.sd


@dataclass(frozen=True)
class Trials:
    """The currents that candidates are tried with, and what counts as tonic firing there.

    The defaults suit fast-spiking cells.

    Attributes:
        passive: Step of the passive features [nA].
        ladder: Spacing of the steps that look for the threshold [nA].
        top: Where they end [nA]: no threshold up to here = not a cell of this kind.
        factors: Steps that must make the cell fire tonically, times I_thr; the lowest first.
        feature_factor: Spike shape and firing pattern are read at this times I_thr...
        feature_above: ...plus this [nA].
        rates: Lowest and highest rate of tonic firing [Hz].
        gap: Longest pause that is still tonic, over the median interval.
        curve_top: End of the F-I curve of a chosen model [nA].
    """

    passive: float = -0.1
    ladder: float = 0.05
    top: float = 0.8
    factors: tuple[float, ...] = (1.1, 2.1)
    feature_factor: float = 1.57  # 0.4624 nA / 0.2949 nA, the two published means
    feature_above: float = 0.0
    rates: tuple[float, float] = (20.0, 200.0)
    gap: float = 1.6
    curve_top: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "factors", tuple(self.factors))
        object.__setattr__(self, "rates", tuple(self.rates))
        rising = 1 < self.factors[0] < self.factors[-1] and self.rates[0] < self.rates[-1]
        if not (rising and self.passive < 0 < self.ladder < self.top <= self.curve_top):
            raise InputError(
                f"Trials need passive < 0 < ladder < top <= curve_top, rising rates and rising "
                f"factors above 1: got {self}."
            )

    def feature_amplitude(self, i_thr: float) -> float:
        """Where spike shape and firing pattern are read [nA]."""
        return self.feature_factor * i_thr + self.feature_above


@dataclass(frozen=True)
class SearchSpec:
    """A cell with its free parameters and its targets."""

    name: str
    cell: HofCell
    parameters: tuple[Parameter, ...]
    targets: tuple[Target, ...]
    trials: Trials = Trials()

    @classmethod
    def read(cls, path: str | os.PathLike) -> SearchSpec:
        """Read a search file; its morphology is found relative to the file.

        Raises:
            InputError: A key is missing or unknown, or a value is unusable.
        """
        data = read_json(path, "search specification")
        source = copy.deepcopy(data.get("source", {}))
        try:
            source["morphology"] = str((Path(path).parent / source["morphology"]).resolve())
            cell = HofCell(
                name=data["name"],
                loader="swc",
                source=source,
                celsius=data["celsius"],
                v_init=data["v_init"],
                dt=data["dt"],
                threshold=data["threshold"],
                junction_potential=data["junction_potential"],
            )
            parameters = tuple(
                Parameter(**{**p, "paths": tuple(p["paths"])}) for p in data["parameters"]
            )
            targets = tuple(Target(**t) for t in data["targets"])
            trials = Trials(**data.get("trials", {}))
        except (KeyError, TypeError) as error:
            raise InputError(
                f"The search specification {path} lacks or misnames a key: {error}. "
                f"See noble_neuron.evolution.spec for the form."
            ) from None
        return cls(data["name"], cell, parameters, targets, trials)

    def source(self, values: dict[str, float], passive_only: bool = False) -> dict[str, Any]:
        """The cell's source with `values` (parameter name -> value) filled in.

        With `passive_only`, every active conductance (a `gbar` of the active stage) is zero.
        """
        source = copy.deepcopy(dict(self.cell.source))
        for parameter in self.parameters:
            value = values.get(parameter.name)
            if passive_only and parameter.stage == "active":
                value = 0.0 if parameter.paths[0].endswith(".gbar") else None
            if value is not None:
                for path in parameter.paths:
                    _put(source["groups"], path, value, parameter.name)
        return source


def _put(groups: dict[str, Any], path: str, value: float, name: str) -> None:
    group, *rest = path.split(".")
    if group not in groups or len(rest) not in (1, 2):
        raise InputError(
            f"Parameter {name}: path {path!r} does not start with one of the cell's groups "
            f"({', '.join(groups)}) followed by mechanism.parameter, cm or Ra."
        )
    if len(rest) == 1:
        groups[group][rest[0]] = value
    else:
        groups[group].setdefault("mechanisms", {}).setdefault(rest[0], {})[rest[1]] = value


def targets_of(spec: SearchSpec, stage: str) -> list[Target]:
    """Targets that count in a stage: the active ones keep the passive targets."""
    return [t for t in spec.targets if stage != "passive" or t.stage == "passive"]
