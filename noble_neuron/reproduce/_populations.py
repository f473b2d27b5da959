"""Many cells under the same currents: full models, or points of the latent space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..cells.spec import HofCell
from ..features import efel
from ..protocols.protocol import noble_step
from ..simulate.plan import Sample
from ..types import Trace
from .bench import Bench

WINDOW = (15.0, 415.0)  # ms, the paper's step
FIRING = (
    "mean_frequency",
    "inv_first_ISI",
    "time_to_first_spike",
    "AP1_peak",
    "AP1_width",
    "mean_AP_amplitude",
    "AHP_depth",
    "steady_state_voltage",
)
SILENT = ("sag_amplitude", "steady_state_voltage_stimend", "voltage_base")
AT_ONCE = 1000  # answers in memory
KEPT = 60  # cells whose traces are drawn


@dataclass(frozen=True)
class Currents:
    """Currents that every cell gets.

    Attributes:
        silent: One that hyperpolarises [nA].
        rising: Ascending, from below every threshold to one that all cells fire at [nA].
    """

    silent: float
    rising: tuple[float, ...]

    @property
    def all(self) -> tuple[float, ...]:
        """In the order of every array."""
        return (self.silent, *self.rising)

    @classmethod
    def of(cls, bench: Bench, count: int) -> Currents:
        """From below the lowest threshold to what the most excitable cell was trained up to."""
        card = bench.surrogate.card
        thresholds = bench.study.latents(["I_thr"])
        low = min(thresholds[bench.study.cells[k].name][0] for k in bench.study.training)
        top = card.current_range[1] if card.reach is None else card.reach * low
        lowest = card.current_range[0] if card.lowest is None else card.lowest
        rising = np.round(np.linspace(0.9 * low, 0.93 * top, count), 4)
        return cls(round(0.9 * lowest, 3), tuple(float(a) for a in rising))


@dataclass(frozen=True)
class Population:
    """What cells do under the currents.

    Attributes:
        name: Of the population.
        rates: Firing rate [Hz], shape (cells, rising currents).
        features: Feature -> value, shape (cells,); those of FIRING at the largest current, those
            of SILENT at the silent one; NaN where a cell has none.
        traces: Some cells' voltage [mV] at the silent and at the largest current, shape
            (2, cells drawn, steps).
    """

    name: str
    rates: np.ndarray
    features: dict[str, np.ndarray]
    traces: np.ndarray

    @property
    def size(self) -> int:
        """Number of cells."""
        return len(self.rates)

    @property
    def mute(self) -> float:
        """Share of cells without a spike at the largest current."""
        return float(np.mean(self.rates[:, -1] == 0))

    def table(self, names: Sequence[str]) -> np.ndarray:
        """Features as columns, shape (cells, names)."""
        return np.array([self.features[name] for name in names]).reshape(-1, self.size).T


def of_models(bench: Bench, name: str, cells: Sequence[HofCell], currents: Currents) -> Population:
    """Full simulations of `cells`."""
    samples = [Sample(k, noble_step(a)) for k in range(len(cells)) for a in currents.all]
    voltage = bench.voltages(name.replace(" ", "-").replace("/", "-"), cells, samples)
    return _population(bench, name, [voltage.reshape(len(cells), len(currents.all), -1)])


def of_points(bench: Bench, name: str, points: np.ndarray, currents: Currents) -> Population:
    """The surrogate at latent points in physical units, shape (n, k)."""
    bench.say(f"{name}: {len(points) * len(currents.all)} answers of the surrogate")
    protocols = [noble_step(a) for a in currents.all]
    size = max(1, AT_ONCE // len(protocols))
    parts = []
    for k in range(0, len(points), size):
        some = points[k : k + size]
        asked = bench.answered(protocols * len(some), np.repeat(some, len(protocols), axis=0))
        parts.append(asked.voltage.reshape(len(some), len(protocols), -1))
    return _population(bench, name, parts)


def _population(bench: Bench, name: str, parts: Sequence[np.ndarray]) -> Population:
    """From voltages of shape (cells, currents, steps), in parts."""
    rates, features, traces = [], [], []
    for part in parts:
        for cell in part:
            rates.append([_rate(bench, v) for v in cell[1:]])
            features.append(_of_one(bench, cell[-1], FIRING) | _of_one(bench, cell[0], SILENT))
        room = max(0, KEPT - len(rates) + len(part))
        traces.append(part[:room, [0, -1]])
    return Population(
        name,
        np.array(rates),
        {k: np.array([row[k] for row in features]) for k in (*FIRING, *SILENT)},
        np.concatenate(traces).swapaxes(0, 1),
    )


def _trace(bench: Bench, v: np.ndarray) -> Trace:
    return Trace(np.arange(len(v)) * bench.surrogate.card.dt, v.astype(float))


def _rate(bench: Bench, v: np.ndarray) -> float:
    spikes = efel.spikes_within(_trace(bench, v), *WINDOW, bench.surrogate.threshold)
    return 1e3 * len(spikes) / (WINDOW[1] - WINDOW[0])


def _of_one(bench: Bench, v: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    found = efel.extract(_trace(bench, v), *WINDOW, bench.surrogate.threshold, names)
    spikes = {"inv_first_ISI", "mean_frequency"} & set(names)
    if spikes and not np.isfinite(found.get("time_to_first_spike", np.nan)):
        found |= dict.fromkeys(spikes, float("nan"))
    return found
