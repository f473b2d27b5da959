"""The point neuron beside which a streaming surrogate has to show what its weights are for.

AdEx, the adaptive exponential integrate-and-fire neuron, sees what a surrogate sees: the current
b(t) and the conductance G(t) at the soma, as means over the steps of a grid. It has ten numbers
per cell, fitted to that cell's own traces.

    C dV/dt = -gL (V - EL) + gL DT exp((V - VT) / DT) - w + b(t) - G(t) V
    tau_w dw/dt = a (V - EL) - w
    V > V_cut:  a spike;  V -> Vr, held there for t_ref;  w -> w + bw

Leak and G are taken by the trapezoidal rule, w exactly, the exponential explicitly, and no steeper
than exp(10): a spike is then certain.

References:
    Brette & Gerstner 2005, Journal of Neurophysiology 94:3637; Storn & Price 1997, differential
    evolution.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np
from scipy.optimize import differential_evolution
from scipy.stats import qmc

from ..errors import InputError
from ..features.agreement import AROUND, judge
from ..features.spiketrain import away_from, spike_peaks, spike_times

STEP = 0.05  # ms, of the integration
STEEPEST = 10.0  # largest (V - VT) / DT in the exponential
FITTED = ("C", "gL", "EL", "DT", "VT", "Vr", "a", "bw", "tau_w", "t_ref")
LOGARITHMIC = ("C", "gL", "DT", "tau_w")
POPULATION = 48  # neurons of a generation
NEAR, SPREAD = 0.25, 0.08  # share of the first generation about the guess, and how far
LEAST = 3  # spikes of a trace whose timing counts


@dataclass(frozen=True)
class AdEx:
    """One neuron.

    Attributes:
        C: Capacitance [nF].
        gL: Leak conductance [uS].
        EL: Leak reversal [mV].
        DT: Slope factor of the spike's onset [mV].
        VT: Voltage at which the exponential current's slope is gL [mV].
        Vr: Reset [mV].
        a: Coupling of the adaptation to the voltage [uS].
        bw: Jump of the adaptation at a spike [nA].
        tau_w: Time constant of the adaptation [ms].
        t_ref: Time at Vr after a spike [ms], rounded to steps of 0.05 ms.
        V_cut: Voltage above which there is a spike [mV].
        peak: Voltage drawn at a spike [mV]; the dynamics know nothing of it.
    """

    C: float
    gL: float
    EL: float
    DT: float
    VT: float
    Vr: float
    a: float
    bw: float
    tau_w: float
    t_ref: float
    V_cut: float
    peak: float

    def __post_init__(self) -> None:
        for field in fields(self):
            if not np.isfinite(getattr(self, field.name)):
                raise InputError(f"AdEx.{field.name} must be finite, got {self}.")
        if min(self.C, self.gL, self.DT, self.tau_w) <= 0 or self.t_ref < 0:
            raise InputError(f"An AdEx needs C, gL, DT, tau_w > 0 and t_ref >= 0: got {self}.")
        if not (self.Vr < self.V_cut < self.peak and self.EL < self.V_cut):
            raise InputError(f"An AdEx needs Vr and EL < V_cut < peak [mV]: got {self}.")


def run(adex: AdEx, b: np.ndarray, g: np.ndarray, dt: float, start: np.ndarray) -> np.ndarray:
    """Voltage over whole traces [mV], float32, shape (n, steps).

    Args:
        adex: The neuron.
        b: Voltage-independent current, mean over each grid step [nA], shape (n, steps).
        g: Attached conductance, likewise [uS].
        dt: Grid [ms], a whole multiple of 0.05 ms.
        start: Initial voltage [mV], shape (n,).
    """
    if abs(round(dt / STEP) * STEP - dt) > 1e-9 or b.shape != g.shape or len(start) != len(b):
        raise InputError(
            f"AdEx runs on grids of whole multiples of {STEP:g} ms, with b, G and start of equal "
            f"length: got {dt:g} ms and shapes {b.shape}, {g.shape}, {np.shape(start)}."
        )
    return _simulated(np.array([astuple(adex)]), b, g, dt, np.asarray(start, float))[0]


def fit(
    b: np.ndarray,
    g: np.ndarray,
    v: np.ndarray,
    dt: float,
    threshold: float,
    evaluations: int,
    seed: int,
    traces: int = 12,
) -> AdEx:
    """Fit an AdEx to one cell, by differential evolution.

    The cost is that of a streaming operator's validation: (1 - Gamma) + count error + RMSE below
    threshold / 5 mV, with Gamma the mean over windows of 2 and 6 ms, which leads there sooner.

    Args:
        b: As for `run`; the cell's own traces, shape (n, steps).
        g: Likewise.
        v: What the cell answered [mV], shape (n, steps).
        dt: Grid [ms].
        threshold: Voltage whose upward crossing is a spike [mV].
        evaluations: Neurons tried, in generations of 48.
        seed: Of the search.
        traces: How many of the traces it is tried on: those that fire first, evenly over counts.
    """
    problem = _Problem(b, g, v, dt, threshold, traces)
    rng = np.random.default_rng(seed)
    first = qmc.LatinHypercube(len(FITTED), rng=rng).random(POPULATION)
    near = int(NEAR * POPULATION)
    first[:near] = problem.guess() + SPREAD * rng.standard_normal((near, len(FITTED)))
    found = differential_evolution(
        problem.cost,
        [(0.0, 1.0)] * len(FITTED),
        maxiter=max(1, evaluations // POPULATION - 1),
        init=np.clip(first, 0, 1),
        strategy="best1bin",
        vectorized=True,
        updating="deferred",
        polish=False,
        tol=0,
        atol=0,
        rng=rng,
    )
    return AdEx(*(float(x) for x in problem.neurons(found.x[None])[0]))


class _Problem:
    """Traces to fit, and what a neuron costs on them."""

    def __init__(self, b, g, v, dt: float, threshold: float, traces: int) -> None:
        peaks = [spike_peaks(x, threshold) for x in v]
        if max(map(len, peaks)) < LEAST:
            raise InputError(
                f"An AdEx is fitted to traces that spike, and none of these does {LEAST} times."
            )
        rows = _chosen(v, dt, threshold, traces)
        self.passive = _passive(b, g, v, dt, threshold)
        self.b, self.g, self.v = b[rows], g[rows], np.asarray(v[rows], np.float32)
        self.dt, self.threshold = dt, threshold
        self.peak = max(threshold + 1.0, float(np.median(np.concatenate(peaks))))
        bounds = self._bounds()
        self.low, self.high = (
            np.array([_in(name, bounds[name][k]) for name in FITTED]) for k in (0, 1)
        )

    def _bounds(self) -> dict[str, tuple[float, float]]:
        c, leak, rest = self.passive
        return {
            "C": (c / 8, 4 * c),
            "gL": (leak / 4, 4 * leak),
            "EL": (rest - 15, rest + 15),
            "DT": (0.05, 8.0),
            "VT": (rest + 5, self.threshold - 1),
            "Vr": (rest - 15, self.threshold - 8),
            "a": (-0.9 * leak, 5 * leak),
            "bw": (-0.1, 1.0),
            "tau_w": (1.0, 500.0),
            "t_ref": (0.0, 12.0),
        }

    def guess(self) -> np.ndarray:
        """A plain neuron with the cell's passive properties, in units of the bounds."""
        c, leak, rest = self.passive
        middle = (rest + 2 * self.threshold) / 3
        values = (c, leak, rest, 1.5, middle, rest + 5, 0.1 * leak, 0.01, 20.0, 2.5)
        raw = np.array([_in(name, value) for name, value in zip(FITTED, values, strict=True)])
        return (raw - self.low) / (self.high - self.low)

    def neurons(self, points: np.ndarray) -> np.ndarray:
        """Parameters, shape (neurons, 12), of points in the unit cube."""
        values = self.low + (self.high - self.low) * points
        logarithmic = np.isin(FITTED, LOGARITHMIC)
        values = np.where(logarithmic, np.exp(values), values)
        ends = np.broadcast_to((self.threshold, self.peak), (len(points), 2))
        return np.column_stack([values, ends])

    def cost(self, points: np.ndarray) -> np.ndarray:
        """Of each neuron; points of shape (10, neurons)."""
        answers = _simulated(
            self.neurons(points.T), self.b, self.g, self.dt, self.v[:, 0].astype(float)
        )
        return np.array([self._one(answer) for answer in answers])

    def _one(self, answer: np.ndarray) -> float:
        narrow = judge(answer, self.v, self.dt, self.threshold)
        windows = np.nan_to_num([narrow["gamma"], narrow["gamma_4ms"]])
        return float(1 - windows.mean() + narrow["count_error"] + narrow["below_mV"] / 5)


def _in(name: str, value: float) -> float:
    return float(np.log(value)) if name in LOGARITHMIC else float(value)


def _chosen(v: np.ndarray, dt: float, threshold: float, traces: int) -> np.ndarray:
    """Rows to fit: four fifths of them fire, evenly from the fewest spikes to the most."""
    counts = np.array([len(spike_times(x, dt, threshold)) for x in v])
    order = np.argsort(counts, kind="stable")
    fires, quiet = order[counts[order] >= LEAST], order[counts[order] < LEAST]
    wanted = max(traces - len(quiet), round(0.8 * traces))
    firing = fires[np.unique(np.linspace(0, len(fires) - 1, wanted).round().astype(int))]
    return np.concatenate([firing, quiet[: max(0, traces - len(firing))]]).astype(int)


def _passive(b, g, v, dt: float, threshold: float) -> tuple[float, float, float]:
    """Capacitance, leak and its reversal, by regression of dV/dt far from spikes, 2 ms apart."""
    width = round(2.0 / dt)
    count = v.shape[1] // width

    def cut(x):
        return np.asarray(x[:, : count * width], float).reshape(len(x), count, width)

    far = [away_from(spike_times(x, dt, threshold), x.size, dt, AROUND[0], 15.0) for x in v]
    use = cut(np.array(far)).all(2)[:, 1:]
    ends = cut(v)[:, :, -1]
    slope = np.diff(ends, axis=1) / (width * dt)
    current, mean = cut(b - g * v).mean(2)[:, 1:], cut(v).mean(2)[:, 1:]
    table = np.stack([current[use], mean[use], np.ones(use.sum())], axis=1)
    per_c, decay, push = np.linalg.lstsq(table, slope[use], rcond=None)[0]
    if not (per_c > 0 and decay < 0):
        raise InputError("These traces show no passive membrane: give some that leave it quiet.")
    return float(1 / per_c), float(-decay / per_c), float(-push / decay)


def _simulated(values: np.ndarray, b, g, dt: float, start: np.ndarray) -> np.ndarray:
    """Voltage [mV], float32, shape (neurons, n, steps), of rows of parameters."""
    n, steps = b.shape
    columns = np.repeat(values, n, axis=0).T.copy()
    c, leak, rest, dt_, vt, reset, a, jump, tau, dead, cut, peak = columns
    cells = len(values)
    b, g = (np.ascontiguousarray(np.asarray(x, float).T) for x in (b, g))
    v = np.tile(start, cells)
    w = a * (v - rest)
    k = STEP / c
    decay = np.exp(-STEP / tau)
    rise, push, dead = (1 - decay) * a, k * leak * dt_, np.rint(dead / STEP)
    until = np.zeros(len(v))
    out = np.empty((steps, len(v)), np.float32)
    now = 0
    for s in range(steps):
        half = k * (leak + np.tile(g[s], cells)) / 2
        drive = k * (leak * rest + np.tile(b[s], cells))
        keep, scale = 1 - half, 1 / (1 + half)
        fired_now = np.zeros(0, int)
        for _ in range(round(dt / STEP)):
            up = push * np.exp(np.minimum((v - vt) / dt_, STEEPEST))
            ahead = (keep * v + drive + up - k * w) * scale
            w = decay * w + rise * (v - rest)
            v = np.where(until > now, reset, ahead)
            now += 1
            fired = np.flatnonzero(v > cut)
            if fired.size:
                v[fired] = reset[fired]
                w[fired] += jump[fired]
                until[fired] = now + dead[fired]
                fired_now = np.concatenate((fired_now, fired))
        out[s] = v
        out[s, fired_now] = peak[fired_now]
    return out.T.reshape(cells, n, steps)
