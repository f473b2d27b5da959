"""One candidate on the bench: clamp it, read the features that the targets name.

The protocol costs about two seconds of simulated time per candidate: a small step for the
passive features, a bisected threshold (each try ends at its first spike), and steps above
it, as the specification's `Trials` say. Everything is measured with the cell's own time step and
threshold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from neuron import h

from ..cells.biophysics import apply
from ..cells.spec import HofCell, LiveCell, group_name
from ..errors import InputError
from ..features.efel import extract, spike_times
from ..types import Trace
from .spec import SearchSpec, Trials

ONSET, LATE = 15.0, 100.0  # ms; the late onset lets the cell settle first
DURATION = 400.0  # ms
HOPELESS = 6.0  # SD of a passive feature; no use to look at the active ones
THRESHOLD_STEP = 2e-3  # nA; coarse: the chosen models are bisected again, to 0.2 pA
EFEL = (
    "AP_width",
    "AP_amplitude_from_voltagebase",
    "AHP_depth",
    "ISI_CV",
    "adaptation_index2",
    "time_to_first_spike",
    "mean_frequency",
    "AP_begin_voltage",
)


class Unfit(Exception):
    """The candidate has no value for some feature; the text says why."""


@dataclass
class Bench:
    """A built cell with a current clamp and a voltage recorder at soma(0.5)."""

    cell: HofCell
    live: LiveCell
    trials: Trials
    targets: tuple[str, ...]  # features to measure

    def __post_init__(self) -> None:
        self.groups: dict[str, list] = {}
        for section in self.live.sections:
            self.groups.setdefault(group_name(section), []).append(section)
        soma = self.live.soma(0.5)
        # psolve: stdrun's continuerun reads the clock at every step, which costs as much again.
        self.parallel = h.ParallelContext()
        self.parallel.set_maxstep(10)
        self.clamp = h.IClamp(soma)
        self.voltage = h.Vector().record(soma._ref_v)
        self.count = h.APCount(soma)
        self.count.thresh = self.cell.threshold

    def set(self, source: dict[str, Any]) -> None:
        """Give the built cell the parameter values of `source`."""
        apply(self.groups, source, self.cell.name)

    def respond(
        self,
        amplitude: float,
        onset: float = ONSET,
        duration: float = DURATION,
        after: float = 20.0,
        stop_at_spike: bool = False,
    ) -> Trace:
        """Voltage under a square step [nA, ms]; may end early at the first spike."""
        self.clamp.delay, self.clamp.dur, self.clamp.amp = onset, duration, amplitude
        h.finitialize(self.cell.v_init)
        end = onset + duration + after
        for until in np.arange(10.0, end, 10.0) if stop_at_spike else ():
            self.parallel.psolve(until)
            if self.count.n:
                break
        else:
            self.parallel.psolve(end)
        v = self.voltage.as_numpy().copy()
        if not np.all(np.isfinite(v)) or np.abs(v).max() > 200.0:
            raise Unfit("the voltage diverged")
        return Trace(np.arange(len(v)) * self.cell.dt, v)

    def spikes(self, amplitude: float, duration: float = 200.0) -> bool:
        """Whether the step makes the cell fire."""
        trace = self.respond(amplitude, duration=duration, after=0.0, stop_at_spike=True)
        return bool(np.any(spike_times(trace, self.cell.threshold) > ONSET))


def passive(bench: Bench) -> dict[str, float]:
    """Resting voltage [mV], input resistance [MOhm] and time constant [ms] at a small step."""
    trace = bench.respond(bench.trials.passive, onset=LATE, duration=200.0, after=0.0)
    before = trace.v[(trace.t > LATE - 10) & (trace.t < LATE)]
    rest, end = before.mean(), trace.v[trace.t > LATE + 180].mean()
    if np.any(spike_times(trace, bench.cell.threshold)) or rest - end < 0.1:
        raise Unfit(f"the cell fires at rest, or does not answer to {bench.trials.passive:g} nA")
    # Time to 1 - 1/e of the deflection: one exponential is all the published tau assumes.
    fall = (rest - trace.v[trace.t >= LATE]) / (rest - end)
    return {
        "resting_voltage": float(rest),
        "input_resistance": float((end - rest) / bench.trials.passive),
        "time_constant": float(np.argmax(fall >= 1 - np.exp(-1)) * trace.dt),
    }


def threshold(bench: Bench) -> float:
    """Smallest firing amplitude [nA]: first firing one on a ladder, then bisected."""
    step, top = bench.trials.ladder, bench.trials.top
    if bench.spikes(0.0):
        raise Unfit("the cell fires without current")
    low, high = 0.0, step
    while not bench.spikes(high):
        low, high = high, high + step
        if high > top:
            raise Unfit(f"the cell is silent up to {top} nA")
    while high - low > THRESHOLD_STEP:
        middle = (low + high) / 2
        low, high = (low, middle) if bench.spikes(middle) else (middle, high)
    return high


def active(bench: Bench) -> dict[str, float]:
    """Threshold, slope, spike shape and firing pattern, and how far firing is not tonic.

    `untonic` is 0 for a cell that fires within the trials' rates, without gap or block, at each
    of their amplitudes; otherwise it grows with the distance from that.
    """
    i_thr, trials = threshold(bench), bench.trials
    feature = trials.feature_amplitude(i_thr)
    amplitudes = sorted({feature, *(factor * i_thr for factor in trials.factors)})
    rates, untonic = [], 0.0
    for amplitude in amplitudes:
        trace = bench.respond(amplitude)
        times = spike_times(trace, bench.cell.threshold)
        times = times[(times > ONSET) & (times < ONSET + DURATION)]
        rates.append(len(times) / DURATION * 1e3)
        untonic += _untonic(times, rates[-1], trials)
        if amplitude == feature:
            at_feature = trace, times
    untonic += max(0.0, (rates[-2] - rates[-1]) / 10.0)
    if len(at_feature[1]) < 5:
        raise Unfit("fewer than 5 spikes at the amplitude where features are read")
    values = {
        "I_thr": i_thr,
        "s_thr": (rates[1] - rates[0]) / (amplitudes[1] - amplitudes[0]),
        "untonic": float(untonic),
    }
    return values | _shape(bench, *at_feature)


def _untonic(times: np.ndarray, rate: float, trials: Trials) -> float:
    if len(times) < 3:
        return 10.0
    gaps = np.diff([*times, ONSET + DURATION])
    longest = gaps[1:].max() / np.median(gaps[:-1])
    low, high = trials.rates
    return max(0.0, longest - trials.gap) + max(0.0, (low - rate) / 5, (rate - high) / 5)


def _shape(bench: Bench, trace: Trace, times: np.ndarray) -> dict[str, float]:
    names = [name for name in EFEL if name in bench.targets]
    slopes = ["AP_peak_upstroke", "AP_peak_downstroke"]
    window = ONSET, ONSET + DURATION
    values = extract(trace, *window, bench.cell.threshold, names + slopes)
    up, down = (values.pop(name) for name in slopes)
    # Allen's fast trough: the minimum within 5 ms of the peak, or before the next spike.
    first = int(np.searchsorted(trace.t, times[0]))
    until = min(first + round(5.0 / trace.dt), int(np.searchsorted(trace.t, times[1])))
    values["upstroke_downstroke_ratio"] = -up / down if down else float("nan")
    values["fast_trough"] = float(trace.v[first:until].min())
    missing = [name for name, value in values.items() if not np.isfinite(value)]
    if missing:
        raise Unfit(f"no value for {', '.join(missing)}")
    return values


def build_bench(spec: SearchSpec) -> Bench:
    """Build the cell once; `Bench.set` then changes its parameters in place.

    The globals are set for good: a bench owns its process (see `worker`).
    """
    cell = spec.cell
    if cell.loader != "swc":
        raise InputError(
            f"{cell.name}: a search needs a cell of the 'swc' loader, not {cell.loader!r}."
        )
    live = cell.build()
    h.load_file("stdrun.hoc")
    h.celsius, h.dt, h.steps_per_ms = cell.celsius, cell.dt, 1 / cell.dt
    return Bench(cell, live, spec.trials, tuple(t.feature for t in spec.targets))
