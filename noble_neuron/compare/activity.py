"""What a network did, and how far two runs of it are apart: figures of each population."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..features import agreement, population
from ..features.spiketrain import gamma, spike_synchrony

# Of one run and population: name -> what it is called, and its unit.
FIGURES = {
    "rate": ("mean rate", "Hz"),
    "cv": ("mean ISI CV", ""),
    "correlation": ("mean pair correlation", ""),
    "rhythm": ("strongest rhythm", "Hz"),
}
# Between two runs.
DISTANCES = {
    "rate": ("mean rate", "%"),
    "cell_rate": ("rate, cell by cell", "Hz"),
    "cv": ("ISI CV", ""),
    "correlation": ("pair correlation", ""),
    "spectrum": ("spectrum", "dB"),
}
# Between two runs whose cells got the same input.
REPLAY = {
    "gamma": ("Gamma (2 ms)", ""),
    "gamma_4ms": ("Gamma (4 ms)", ""),
    "synchrony": ("SPIKE-synchronisation", ""),
    "excess": ("spikes, too many", "%"),
    "count": ("spikes, counted wrongly", "%"),
    "below": ("voltage between spikes", "mV"),
}
# Of single synaptic events.
EVENTS = {
    "amplitude": ("amplitude, mean error", "%"),
    "largest": ("amplitude, largest error", "%"),
    "peak": ("time of peak, mean error", "ms"),
}
DELTA = agreement.DELTA  # ms
REST_WITHIN = 0.05  # mV, that the 10 ms before a single event may vary by


@dataclass(frozen=True)
class NetworkRun:
    """One run of a network.

    Attributes:
        duration: [ms].
        dt: Time step [ms].
        times: Of all spikes [ms], shape (spikes,).
        gids: Of the cells that fired them, same shape.
        pops: Population -> its cells' gids.
        artificial: Populations of artificial cells, which have no voltage.
        voltage: Of example cells [mV], shape (examples, steps); the first sample is at 0 ms.
        voltage_gids: Which cells those are, shape (examples,).
        record_dt: Between two samples [ms].
        seconds: Wall time of "load", "build" and "run" [s].
        memory: Of the process [MB]: "before" the network was built, and at its "peak".
        about: What else the run says.
        events: Single synaptic events after the run, if any: of each its "gid", "at" [ms],
            "source", "synapse", "section", "distance" [um].
        event_voltage: gid -> voltage during these [mV].
        event_settings: "apart" and "baseline" [ms].
    """

    duration: float
    dt: float
    times: np.ndarray
    gids: np.ndarray
    pops: dict[str, tuple[int, ...]]
    artificial: tuple[str, ...]
    voltage: np.ndarray
    voltage_gids: np.ndarray
    record_dt: float
    seconds: dict[str, float]
    memory: dict[str, float]
    about: dict[str, Any]
    events: tuple[dict[str, Any], ...]
    event_voltage: dict[int, np.ndarray]
    event_settings: dict[str, float]

    @classmethod
    def read(cls, path: Path) -> NetworkRun:
        """A run's file."""
        with np.load(path) as stored:
            about = json.loads(str(stored["about"]))
            probed = "event_about" in stored
            settings = json.loads(str(stored["event_about"])) if probed else {"events": []}
            voltage = (
                dict(zip(stored["event_gids"], stored["event_voltage"], strict=True))
                if probed
                else {}
            )
            return cls(
                duration=about.pop("duration"),
                dt=about.pop("dt"),
                times=stored["spike_times"],
                gids=stored["spike_gids"],
                pops={label: tuple(gids) for label, gids in about.pop("pops").items()},
                artificial=tuple(about.pop("without_sections")),
                voltage=stored["voltage"],
                voltage_gids=stored["voltage_gids"],
                record_dt=about.pop("record"),
                seconds=about.pop("seconds"),
                memory=about.pop("memory"),
                about=about,
                events=tuple(settings.pop("events")),
                event_voltage=voltage,
                event_settings=settings,
            )

    @property
    def populations(self) -> tuple[str, ...]:
        """Those of cells, not of artificial ones."""
        return tuple(p for p, gids in self.pops.items() if gids and p not in self.artificial)

    def trains(self, pop: str) -> list[np.ndarray]:
        """Spike times of each cell of a population [ms], in the order of its gids."""
        members = np.array(self.pops[pop])
        order = np.lexsort((self.times, self.gids))
        gids, times = self.gids[order], self.times[order]
        starts, ends = np.searchsorted(gids, members), np.searchsorted(gids, members, "right")
        return [times[a:b] for a, b in zip(starts, ends, strict=True)]


def figures(run: NetworkRun, pop: str) -> dict[str, float]:
    """`FIGURES` of a population; NaN where it has too few spikes."""
    trains = run.trains(pop)
    return {
        "rate": float(population.rates(trains, run.duration).mean()),
        "cv": _mean(population.interval_cvs(trains)),
        "correlation": _mean(population.correlations(trains, run.duration)),
        "rhythm": population.rhythm(trains, run.duration),
    }


def distances(truth: NetworkRun, other: NetworkRun, pop: str) -> dict[str, float]:
    """`DISTANCES` of a population between two runs; NaN where one has too few spikes.

    Rates: |mean - mean'| / mean, and the mean over cells of |rate - rate'|. ISI CV and pair
    correlation: between the two distributions. Spectrum: mean |log ratio|, 4 to 200 Hz.
    """
    (one, a), (two, b) = ((run, run.trains(pop)) for run in (truth, other))
    rate, answer = (population.rates(x, run.duration) for x, run in ((a, one), (b, two)))
    return {
        "rate": float(100 * abs(answer.mean() - rate.mean()) / rate.mean())
        if rate.any()
        else float("nan"),
        "cell_rate": float(np.abs(answer - rate).mean()),
        "cv": population.distance(*map(population.interval_cvs, (a, b))),
        "correlation": population.distance(
            *(population.correlations(x, truth.duration) for x in (a, b))
        ),
        "spectrum": population.spectral_distance(
            *(population.spectrum(x, truth.duration) for x in (a, b))
        ),
    }


def replayed(truth: NetworkRun, other: NetworkRun, pop: str, threshold: float) -> dict[str, float]:
    """`REPLAY` of a population whose cells got the same input in both runs.

    Trains: means over the cells that fire in the truth. Counts: over all spikes of the truth;
    "excess" of all cells together, "count" cell by cell. Voltage: RMSE away from spikes, median
    over the example cells.

    Args:
        truth: The full model in its network.
        other: The answer.
        pop: The population.
        threshold: Voltage whose upward crossing is a spike [mV].
    """
    pairs = [(b, a) for a, b in zip(truth.trains(pop), other.trains(pop), strict=True) if len(a)]
    spikes = sum(len(true) for _, true in pairs)
    answered = sum(map(len, other.trains(pop)))
    below = [
        agreement.row(answer, true, truth.record_dt, threshold)["below"]
        for answer, true in _common_voltages(truth, other, pop)
    ]
    t = truth.duration
    wrong = sum(abs(len(a) - len(b)) for a, b in pairs)
    return {
        "gamma": _mean([gamma(a, b, t, DELTA) for a, b in pairs]),
        "gamma_4ms": _mean([gamma(a, b, t, 2 * DELTA) for a, b in pairs]),
        "synchrony": _mean([spike_synchrony(a, b, t) for a, b in pairs]),
        "excess": 100 * (answered / spikes - 1) if spikes else float("nan"),
        "count": 100 * wrong / spikes if spikes else float("nan"),
        "below": float(np.median(below)) if below else float("nan"),
    }


def _common_voltages(truth, other, pop) -> list[tuple[np.ndarray, np.ndarray]]:
    rows = [k for k, gid in enumerate(truth.voltage_gids) if gid in truth.pops[pop]]
    steps = min(truth.voltage.shape[1], other.voltage.shape[1])
    return [(other.voltage[k, :steps], truth.voltage[k, :steps]) for k in rows]


@dataclass(frozen=True)
class Psp:
    """The somatic answer to one event through one synapse, everything else silent.

    Attributes:
        pop: Population of the cell.
        gid: The cell.
        source: What the connection comes from: a population or a stimulation.
        synapse: Its synaptic mechanism, as the model calls it.
        section: Where it sits.
        distance: From the soma's middle [um].
        t: Time after the event [ms], shape (steps,).
        voltage: Version -> voltage less the rest before the event [mV], shape (steps,).
    """

    pop: str
    gid: int
    source: str
    synapse: str
    section: str
    distance: float
    t: np.ndarray
    voltage: dict[str, np.ndarray]

    def amplitude(self, version: str) -> float:
        """Largest deflection, signed [mV]."""
        v = self.voltage[version]
        return float(v[np.abs(v).argmax()])

    def peak(self, version: str) -> float:
        """When that is [ms after the event]."""
        return float(self.t[np.abs(self.voltage[version]).argmax()])


def psp_errors(found: Sequence[Psp], truth: str, answer: str) -> dict[str, float]:
    """`EVENTS` of one version beside another; NaN without PSPs."""
    amplitude = [100 * abs(p.amplitude(answer) / p.amplitude(truth) - 1) for p in found]
    peak = [abs(p.peak(answer) - p.peak(truth)) for p in found]
    return {
        "amplitude": _mean(amplitude),
        "largest": max(amplitude, default=float("nan")),
        "peak": _mean(peak),
    }


def psps(
    runs: Mapping[str, NetworkRun], pop_of: Mapping[int, str], thresholds: Mapping[str, float]
) -> tuple[Psp, ...]:
    """PSPs that all versions have, from runs of single events.

    Left out are those of a cell that is not at rest before the event, or fires after it.

    Args:
        runs: Version -> its run, which had single events.
        pop_of: gid -> population.
        thresholds: Population -> voltage whose upward crossing is a spike [mV].
    """
    first = next(iter(runs.values()))
    same = all(_places(run) == _places(first) for run in runs.values())
    found = []
    for event in first.events if same else ():
        pop = pop_of[event["gid"]]
        shapes = {name: _deflection(run, event, thresholds[pop]) for name, run in runs.items()}
        if all(v is not None for v in shapes.values()):
            steps = min(map(len, shapes.values()))
            found.append(
                Psp(
                    pop=pop,
                    t=np.arange(steps) * first.record_dt,
                    voltage={name: v[:steps] for name, v in shapes.items()},
                    **{k: event[k] for k in ("gid", "source", "synapse", "section", "distance")},
                )
            )
    return tuple(found)


def _places(run: NetworkRun) -> list[tuple]:
    keys = ("gid", "at", "source", "synapse", "section")
    return [tuple(event[key] for key in keys) for event in run.events]


def _deflection(run: NetworkRun, event: Mapping[str, Any], threshold: float) -> np.ndarray | None:
    """Voltage from the event to the next less the rest before it [mV]; None without a PSP."""
    dt, said = run.record_dt, run.event_settings
    v, at = run.event_voltage[event["gid"]].astype(float), round(event["at"] / dt)
    before = v[at - round(said["baseline"] / dt) : at]
    after = v[at : at + round(0.9 * said["apart"] / dt)]
    if np.ptp(before) > REST_WITHIN or after.max() > threshold:
        return None
    return after - before.mean()


def _mean(values: Sequence[float]) -> float:
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    return float(known.mean()) if known.size else float("nan")
