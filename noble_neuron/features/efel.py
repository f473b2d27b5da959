"""Features of one trace, measured by eFEL with settings that cannot leak or linger.

eFEL keeps its settings in globals of its library, and its defaults suit other
cells: a threshold of -20 mV, and linear resampling to 0.1 ms, which clips the
peaks of spikes that only just cross the threshold. Every call here starts from
eFEL's defaults, sets the cell's own threshold and the trace's own grid, and puts
back what was there before.

References:
    https://efel.readthedocs.io/en/latest/eFeatures.html; Ghafourpour et al. 2025
    (NOBLE), appendix B.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import efel
import numpy as np

from ..errors import InputError
from ..types import Trace
from ..units import nearest

PAPER_FEATURES: tuple[str, ...] = (
    "AHP_depth",
    "AHP_time_from_peak",
    "AHP1_depth_from_peak",
    "AP1_peak",
    "AP1_width",
    "decay_time_constant_after_stim",
    "depol_block",
    "inv_first_ISI",
    "mean_AP_amplitude",
    "mean_frequency",
    "sag_amplitude",
    "spikecount",
    "steady_state_voltage",
    "steady_state_voltage_stimend",
    "time_to_first_spike",
    "voltage_base",
)

# Where eFEL says it otherwise. Its depol_block is 1 for *no* block and None for one;
# its Spikecount is deprecated for spike_count: all spikes, in the stimulus or not.
_IN_EFEL = {"spikecount": "spike_count", "depol_block": "depol_block_bool"}


def extract(
    trace: Trace,
    onset: float,
    offset: float,
    threshold: float,
    names: Sequence[str] = PAPER_FEATURES,
) -> dict[str, float]:
    """Measure features of a trace with one stimulus.

    A feature that eFEL gives per spike (AHP_depth) is averaged over the spikes;
    `inv_first_ISI` is 0 where there are fewer than two spikes, as the paper says.

    Args:
        trace: Voltage; finite everywhere.
        onset: Start of the stimulus [ms].
        offset: Its end [ms].
        threshold: Spike detection threshold of this cell [mV].
        names: The paper's names, or any feature of eFEL.

    Returns:
        One value per name, in the units of `noble_neuron.units`; NaN where the
        feature is not defined (the width of a spike on a silent trace).
    """
    if isinstance(names, str):
        raise InputError(f"names is a list of features: got the string {names!r}.")
    _check_names(names)
    _check_trace(trace, onset, offset)
    asked = [_IN_EFEL.get(name, name) for name in names]
    what = {"T": trace.t, "V": trace.v, "stim_start": [onset], "stim_end": [offset]}
    what = {key: np.asarray(value, dtype=np.float64) for key, value in what.items()}
    with _settings(Threshold=float(threshold), interp_step=trace.dt):
        found = efel.get_feature_values([what], asked, raise_warnings=False)[0]
    values = {name: _scalar(found[key]) for name, key in zip(names, asked, strict=True)}
    if np.isnan(values.get("inv_first_ISI", 0.0)):
        values["inv_first_ISI"] = 0.0
    return values


def spike_times(trace: Trace, threshold: float) -> np.ndarray:
    """Upward crossings of `threshold` [mV], linearly interpolated.

    Returns:
        Times [ms], shape (spikes,), ascending.
    """
    below, above = trace.v[:-1], trace.v[1:]
    k = np.flatnonzero((below <= threshold) & (above > threshold))
    part = (threshold - below[k]) / (above[k] - below[k])
    return trace.t[k] + part * (trace.t[k + 1] - trace.t[k])


def spikes_within(trace: Trace, onset: float, offset: float, threshold: float) -> np.ndarray:
    """Those of `spike_times` that fall in the stimulus, onset < t <= offset [ms]."""
    times = spike_times(trace, threshold)
    return times[(times > onset) & (times <= offset)]


def _check_names(names: Sequence[str]) -> None:
    known = set(PAPER_FEATURES) | set(efel.get_feature_names())
    for name in names:
        if name not in known:
            raise InputError(f"No feature {name!r}{nearest(name, sorted(known))}")


def _check_trace(trace: Trace, onset: float, offset: float) -> None:
    if trace.t.size < 2:
        raise InputError(
            f"A trace needs two samples or more to have features: got {trace.t.size}."
        )
    bad = np.flatnonzero(~np.isfinite(trace.v))
    if bad.size:
        raise InputError(
            f"The voltage is {trace.v[bad[0]]} at {trace.t[bad[0]]:g} ms ({bad.size} samples in "
            f"all are not finite): features would be meaningless. Look at what made the trace."
        )
    if not trace.t[0] <= onset < offset <= trace.t[-1] + trace.dt:
        raise InputError(
            f"The stimulus {onset:g}-{offset:g} ms does not lie in the trace, which covers "
            f"{trace.t[0]:g}-{trace.t[-1]:g} ms."
        )


def _scalar(value: np.ndarray | None) -> float:
    """One number for an array of eFEL's, or its None."""
    if value is None or np.size(value) == 0:
        return float("nan")
    return float(np.mean(value))


@contextlib.contextmanager
def _settings(**ours: float) -> Iterator[None]:
    """Inside, eFEL at its defaults plus `ours`; after, as it was found."""
    before = dict(vars(efel.get_settings()))
    efel.reset()
    try:
        for name, value in ours.items():
            efel.set_setting(name, value)
        yield
    finally:
        efel.reset()
        for name, value in before.items():
            if vars(efel.get_settings())[name] != value:
                efel.set_setting(name, value)
