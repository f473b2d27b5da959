"""How far one set of voltage traces is from another: norms, and errors of features.

Definitions, all over samples i with truth y_i and answer x_i on one grid:

    relative Lp         |x - y|_p / (|y|_p + eps), mean over samples (paper, equation 4)
    mean-subtracted L2  |x - y|_2 / |y - mean(y)|_2, both norms over all samples together: a
                        flat line at each truth's own mean scores 1. (The mean of each sample's
                        ratio would be ruled by the traces that hardly move.)
    feature, relative   |f(x) - f(y)|_2 / |f(y)|_2 with f(.) the vector over samples (appendix D.2)
    count, mean         mean over samples of |n(x) - n(y)| / n(y)
    counts right        share of samples with n(x) = n(y)
    onsets missed       samples with n(x) = 0 < n(y)
    first spike [ms]    mean over samples of |t(x) - t(y)|

A feature counts over the samples whose truth has it. An answer that lacks it, such as a
silent answer to a firing truth, has no width and no amplitude: it counts as 0, that is, as
100 % wrong; its first spike counts as coming at the end of the stimulus. So silence is never
rewarded, and `missed_onsets` says how often it happened.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..features import efel
from ..types import Trace

EPS = 1e-8  # of equation 4; voltages are tens of mV, so it only guards a zero truth

#: The features of appendix D.2, as eFEL names them.
RELATIVE_FEATURES = ("spikecount", "AP1_width", "mean_AP_amplitude", "steady_state_voltage")
FIRST_SPIKE = "time_to_first_spike"
FEATURES = (*RELATIVE_FEATURES, FIRST_SPIKE)

#: Figure -> (heading, unit); the order of every table.
FIGURES = {
    "voltage_l2": ("relative L2", "%"),
    "voltage_l4": ("relative L4", "%"),
    "mean_subtracted_l2": ("mean-subtracted L2", "%"),
    "spikecount": ("spikecount", "%"),
    "spikecount_mean": ("spikecount, mean", "%"),
    "count_right": ("counts right", "%"),
    "missed_onsets": ("onsets missed", "traces"),
    "AP1_width": ("AP1_width", "%"),
    "mean_AP_amplitude": ("mean_AP_amplitude", "%"),
    "steady_state_voltage": ("steady_state_voltage", "%"),
    "time_to_first_spike": ("first spike", "ms"),
    "false_spikes": ("spikes when silent", "per trace"),
}


def relative_error(answer: np.ndarray, truth: np.ndarray, p: int = 2) -> np.ndarray:
    """Relative Lp error of each trace (equation 4).

    Args:
        answer: Voltage [mV], shape (n, steps).
        truth: Voltage [mV], shape (n, steps).
        p: Order of the norm.

    Returns:
        Fraction, shape (n,).
    """
    answer, truth = _pair(answer, truth)
    distance = np.linalg.norm(answer - truth, ord=p, axis=1)
    return distance / (np.linalg.norm(truth, ord=p, axis=1) + EPS)


def mean_subtracted_l2(answer: np.ndarray, truth: np.ndarray) -> float:
    """L2 error over the truths' own spread, each about its own mean; a fraction."""
    answer, truth = _pair(answer, truth)
    spread = np.linalg.norm(truth - truth.mean(axis=1, keepdims=True))
    return float(np.linalg.norm(answer - truth) / (spread + EPS))


def _pair(answer: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    answer = np.atleast_2d(np.asarray(answer, dtype=float))
    truth = np.atleast_2d(np.asarray(truth, dtype=float))
    if answer.shape != truth.shape:
        raise ValueError(f"Traces to compare differ in shape: {answer.shape} and {truth.shape}.")
    return answer, truth


def features(
    voltage: np.ndarray, dt: float, windows: np.ndarray, threshold: float
) -> dict[str, np.ndarray]:
    """The compared features of each trace.

    Args:
        voltage: Voltage [mV], shape (n, steps).
        dt: Grid step [ms].
        windows: Onset and offset of the stimulus [ms], shape (n, 2), or (2,) for all.
        threshold: Spike detection threshold of the cell [mV].

    Returns:
        One array of shape (n,) per feature; NaN where a trace does not have it.
    """
    t = np.arange(voltage.shape[1]) * dt
    windows = np.broadcast_to(windows, (len(voltage), 2))
    rows = [
        efel.extract(Trace(t, v.astype(float)), onset, offset, threshold, FEATURES)
        for v, (onset, offset) in zip(voltage, windows, strict=True)
    ]
    return {name: np.array([row[name] for row in rows], dtype=float) for name in FEATURES}


@dataclass(frozen=True)
class Group:
    """Figures over one group of samples.

    Attributes:
        values: Figure name -> value, in the unit of `FIGURES`; NaN where undefined.
        n: Samples in the group.
    """

    values: dict[str, float]
    n: int


def score(
    answer: np.ndarray,
    truth: np.ndarray,
    answer_features: dict[str, np.ndarray],
    truth_features: dict[str, np.ndarray],
    duration: float | np.ndarray,
) -> dict[str, Group]:
    """Figures over all samples, over those whose truth fires, and over those it leaves silent.

    Args:
        answer: Voltage [mV], shape (n, steps).
        truth: Voltage [mV], shape (n, steps).
        answer_features: What `features` gives for the answer.
        truth_features: What `features` gives for the truth.
        duration: Of the stimulus [ms], shape (n,), or one for all.

    Returns:
        Groups "all", "firing" and "silent".
    """
    traces = {
        "voltage_l2": relative_error(answer, truth),
        "voltage_l4": relative_error(answer, truth, p=4),
    }
    fires = truth_features["spikecount"] > 0
    every = np.ones_like(fires)
    duration = np.broadcast_to(duration, fires.shape)
    groups = {}
    for name, mask in {"all": every, "firing": fires, "silent": ~fires}.items():
        group = _group(mask, traces, answer_features, truth_features, duration[mask])
        if group.n:
            spread = mean_subtracted_l2(np.asarray(answer)[mask], np.asarray(truth)[mask])
            group.values["mean_subtracted_l2"] = 100 * spread
        groups[name] = group
    return groups


def _group(mask, traces, answer_features, truth_features, duration) -> Group:
    x = {name: values[mask] for name, values in answer_features.items()}
    y = {name: values[mask] for name, values in truth_features.items()}
    values = dict.fromkeys(FIGURES, float("nan"))
    values |= {name: 100 * _mean(errors[mask]) for name, errors in traces.items()}
    values |= {name: 100 * relative_feature(x[name], y[name]) for name in RELATIVE_FEATURES}
    values["spikecount_mean"] = 100 * mean_count_error(x["spikecount"], y["spikecount"])
    values[FIRST_SPIKE] = first_spike_error(x[FIRST_SPIKE], y[FIRST_SPIKE], duration)
    values["count_right"] = 100 * _mean(x["spikecount"] == y["spikecount"])
    silent = y["spikecount"] == 0
    if not silent.all():
        values["missed_onsets"] = int(np.sum(~silent & (x["spikecount"] == 0)))
    values["false_spikes"] = _mean(x["spikecount"][silent])
    return Group(values, int(mask.sum()))


def relative_feature(answer: np.ndarray, truth: np.ndarray) -> float:
    """Relative L2 error of a feature over the samples whose truth has it; a fraction."""
    has = np.isfinite(truth)
    size = np.linalg.norm(truth[has])
    if size == 0:
        return float("nan")
    return float(np.linalg.norm(np.nan_to_num(answer[has], nan=0.0) - truth[has]) / size)


def mean_count_error(answer: np.ndarray, truth: np.ndarray) -> float:
    """Mean of |n' - n| / n over the samples whose truth fires; a fraction."""
    fires = truth > 0
    return _mean(np.abs(np.nan_to_num(answer[fires]) - truth[fires]) / truth[fires])


def first_spike_error(answer: np.ndarray, truth: np.ndarray, duration: np.ndarray) -> float:
    """Mean error of the first spike's time [ms]; no spike counts as one at the offset."""
    has = np.isfinite(truth)
    came = np.where(np.isfinite(answer), answer, duration)
    return _mean(np.abs(came[has] - truth[has]))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
