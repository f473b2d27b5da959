"""One table: quantity -> unit. Features, latents, reports and the docs all read it."""

from __future__ import annotations

import difflib

from .errors import InputError

UNITS: dict[str, str] = {
    # the 16 features of the paper's appendix B
    "AHP_depth": "mV",
    "AHP_time_from_peak": "ms",
    "AHP1_depth_from_peak": "mV",
    "AP1_peak": "mV",
    "AP1_width": "ms",
    "decay_time_constant_after_stim": "ms",
    "depol_block": "",
    "inv_first_ISI": "Hz",
    "mean_AP_amplitude": "mV",
    "mean_frequency": "Hz",
    "sag_amplitude": "mV",
    "spikecount": "",
    "steady_state_voltage": "mV",
    "steady_state_voltage_stimend": "mV",
    "time_to_first_spike": "ms",
    "voltage_base": "mV",
    # the F-I curve
    "amplitude": "nA",
    "rate": "Hz",
    "I_thr": "nA",
    "I_rep": "nA",
    "s_thr": "Hz/nA",
    "max_rate": "Hz",
    "I_at_max": "nA",
    "I_block": "nA",
    # the passive cell
    "resting_voltage": "mV",
    "input_resistance": "MOhm",
    "membrane_time_constant": "ms",
    "sag_ratio": "",
    # signals and settings
    "time": "ms",
    "voltage": "mV",
    "current": "nA",
    "conductance": "uS",
    "temperature": "degC",
}


def unit(quantity: str) -> str:
    """The unit of `quantity`; "" for a pure number.

    Raises:
        InputError: No such quantity; names the nearest ones.
    """
    try:
        return UNITS[quantity]
    except KeyError:
        raise InputError(
            f"No quantity {quantity!r} in noble_neuron.units{nearest(quantity, UNITS)}"
        ) from None


def nearest(name: str, names) -> str:
    """`; did you mean A, B?` to end an error message with; "." where nothing is close."""
    by_lower = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    return f"; did you mean {', '.join(by_lower[c] for c in close)}?" if close else "."
