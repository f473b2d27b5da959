"""Spikes that a NetPyNE rule sent from its axon are sent from the soma, with the axon's delay.

The delay is measured on the rule's own cell when the rule is swapped, and added to that of every
connection from the cell when NEURON is initialised: on all ranks, whoever made the network.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from neuron import h

from ..cells.spec import HofCell, section_name
from ..errors import InputError, NobleError, SomaWarning
from ..features.spiketrain import spike_times
from ..protocols.protocol import Protocol
from ..protocols.stimuli import Step
from ..simulate.run import simulate
from .netpyne_own import DT, measured, own_cell

STEP = 100.0, 200.0  # ms; onset and duration
AMPLITUDES = tuple(0.05 * 2**k for k in range(8))  # nA
NETCONS = ("hObj", "hSTDPprecon", "hSTDPpstcon")  # of a NetPyNE connection
APART = 10.0  # ms; two crossings farther apart are not of one spike


def delay_of(
    label: str, rule: Mapping, soma: str | None, celsius: float, thresholds: tuple
) -> float:
    """How much later than at its soma a rule's spikes are detected [ms]; 0 if at the soma.

    Args:
        label: Of the rule.
        rule: As it was; one entry of `netParams.cellParams`.
        soma: Name of its soma; None if it only adds to other rules' cells.
        celsius: Of the run [degC].
        thresholds: At the soma, and where the rule says nothing of the axon's [mV].
    """
    place = next((n for n, s in rule["secs"].items() if "spikeGenLoc" in s), soma)
    if place == soma:
        return 0.0
    section = rule["secs"][place]
    try:
        if soma is None:
            raise InputError("its soma is in another rule.")
        delay = measured(
            measure,
            own_cell(rule, soma, celsius, thresholds[0]),
            (place, section["spikeGenLoc"]),
            (thresholds[0], section.get("threshold", thresholds[1])),
        )
    except NobleError as error:
        warnings.warn(
            f"Rule {label!r} detects spikes at {place}({section['spikeGenLoc']:g}), and its "
            f"surrogates at the soma. The delay between the two could not be measured, and is "
            f"not kept: {error}",
            SomaWarning,
            stacklevel=4,
        )
        return 0.0
    return delay


def measure(
    spec: HofCell,
    place: tuple[str, float],
    thresholds: tuple[float, float],
    beat: Callable,
) -> float:
    """Median delay over the spikes that the least current of a few makes the cell fire [ms].

    Args:
        spec: The cell.
        place: Section and location of the later detection.
        thresholds: At the soma and there [mV].
        beat: Says that the worker is alive.
    """
    with spec.build() as cell:
        axon = next(s for s in cell.sections if section_name(s) == place[0])
        recorded = h.Vector().record(axon(place[1])._ref_v)
        for amplitude in AMPLITUDES:
            beat(amplitude)
            step = Protocol("axon's delay", sum(STEP), (Step(amplitude, *STEP),))
            v = simulate(cell, step).v
            late = _between(v, recorded.as_numpy(), *thresholds)
            if len(late):
                return float(np.median(late))
    raise InputError(
        f"no current up to {AMPLITUDES[-1]:g} nA makes its cell fire at {spec.celsius:g} degC, "
        f"above {thresholds[0]:g} mV at the soma and {thresholds[1]:g} mV there."
    )


def _between(soma: np.ndarray, axon: np.ndarray, *thresholds: float) -> np.ndarray:
    """From each spike at the soma to the nearest in the axon [ms]."""
    here, there = (_spikes(*each) for each in zip((soma, axon), thresholds, strict=True))
    if not len(there):
        return there
    late = there[np.abs(there - here[:, None]).argmin(1)] - here
    return late[np.abs(late) < APART]


def _spikes(v: np.ndarray, threshold: float) -> np.ndarray:
    """Times of upward crossings soon followed by a downward one [ms]; others are a plateau's."""
    up, down = spike_times(v, DT, threshold), spike_times(-v, DT, -threshold)
    after = down[:, None] - up
    return up[((after > 0) & (after < APART)).any(0)]


def apply(net: Any, delays: Mapping[int, float], context: Any) -> None:
    """Add the delays of the cells of this rank to all connections from them, once.

    Args:
        net: NetPyNE's network.
        delays: gid -> delay [ms].
        context: NEURON's ParallelContext; all ranks have to call.
    """
    everywhere = {}
    for some in context.py_allgather(dict(delays)):
        everywhere.update(some)
    earliest = 0.0
    for cell in net.cells:
        for connection in cell.conns:
            for key in NETCONS:
                earliest = min(earliest, _late(connection, key, everywhere))
    if context.allreduce(earliest, 3) < 0:
        context.set_maxstep(10)  # NetPyNE has asked for the least delay before


def _late(connection: Mapping, key: str, delays: Mapping[int, float]) -> float:
    """Add a delay to one of a connection's NetCons, if it is not in it yet; returns it."""
    netcon = connection.get(key) if isinstance(connection, Mapping) else None
    if not hasattr(netcon, "srcgid"):
        return 0.0  # a gap junction, or what NetPyNE has made compact
    late, done = delays.get(int(netcon.srcgid()), 0.0), f"{key}Delay"
    # NetPyNE saves nothing that begins with an h, so a loaded network starts anew.
    if late and netcon.delay != connection.get(done):
        netcon.delay = connection[done] = max(netcon.delay + late, h.dt)
    return late
