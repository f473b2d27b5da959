"""Features of a voltage with gradients, for a loss. Each is eFEL's feature of the same name.

To add one, write it as a function of a voltage and its stimulus and put it into `FEATURES` under
eFEL's name; whatever is smooth almost everywhere will do (a mean, a minimum), a count will not.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

LAST = 0.1  # share of the stimulus, or of the time before it, that counts as steady

# (voltage [mV], shape (batch, steps); grid [ms]; onset [ms]; offset [ms]) -> shape (batch,)
Feature = Callable[[Tensor, float, float, float], Tensor]


def voltage_base(voltage: Tensor, dt: float, onset: float, offset: float) -> Tensor:
    """Mean over the last tenth of the time before the stimulus [mV], shape (batch,)."""
    return _mean(voltage, dt, onset * (1 - LAST), onset)


def steady_state_voltage_stimend(
    voltage: Tensor, dt: float, onset: float, offset: float
) -> Tensor:
    """Mean over the last tenth of the stimulus [mV], shape (batch,)."""
    return _mean(voltage, dt, offset - LAST * (offset - onset), offset)


def minimum_voltage(voltage: Tensor, dt: float, onset: float, offset: float) -> Tensor:
    """Lowest voltage within the stimulus [mV], shape (batch,)."""
    return voltage[:, round(onset / dt) : round(offset / dt)].amin(1)


def sag_amplitude(voltage: Tensor, dt: float, onset: float, offset: float) -> Tensor:
    """How far the voltage comes back from its minimum by the stimulus' end [mV], (batch,)."""
    place = (voltage, dt, onset, offset)
    return steady_state_voltage_stimend(*place) - minimum_voltage(*place)


def steady_state_voltage(voltage: Tensor, dt: float, onset: float, offset: float) -> Tensor:
    """Mean after the stimulus [mV], shape (batch,)."""
    return _mean(voltage, dt, offset, voltage.shape[1] * dt)


FEATURES: dict[str, Feature] = {
    f.__name__: f
    for f in (
        voltage_base,
        steady_state_voltage_stimend,
        minimum_voltage,
        sag_amplitude,
        steady_state_voltage,
    )
}


def _mean(voltage: Tensor, dt: float, start: float, end: float) -> Tensor:
    return voltage[:, round(start / dt) : round(end / dt)].mean(1)
