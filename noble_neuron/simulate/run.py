"""One simulation: a protocol played into a built cell, and its somatic voltage.

What the solver sees. A fixed step from t to t + dt takes the stimulus at its middle,
t + dt/2, as NEURON's own IClamp does; `seen` gives the same numbers as arrays.

Vectors are played on an explicit time axis into fresh point processes, and removed after
the run. NEURON's other form, `Vector.play(ref, Dt)`, goes wrong when dt changes within a
process: a vector that some variable still holds keeps writing on its old grid. And
stdrun's `h.run` rounds dt to a fraction of 1/steps_per_ms; nothing here goes through it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from neuron import h

from ..cells.spec import HofCell, LiveCell
from ..errors import InputError, SimulationError
from ..nrn.session import session
from ..nrn.solvers import generic_solvers
from ..protocols.protocol import Protocol
from ..protocols.stimuli import Step
from ..types import Trace

V_LIMIT = 200.0  # mV; beyond this a run has diverged
FOREVER = 1e9  # ms


def simulate(
    cell: HofCell | LiveCell,
    protocol: Protocol,
    *,
    dt: float | None = None,
    record_dt: float | None = None,
    cvode_atol: float | None = None,
) -> Trace:
    """Somatic voltage of `cell` under `protocol`.

    Args:
        cell: A description, built for this run and destroyed after it; or a cell already
            built, which stays.
        protocol: What to inject; its own `v_init`, if any, replaces the cell's.
        dt: Solver step [ms]; the cell's own by default.
        record_dt: Recording grid [ms], a multiple of the step; every step by default.
        cvode_atol: Absolute tolerance; given, NEURON's variable-step solver runs instead
            of the fixed step, and `dt` is only the grid of played and recorded vectors.

    Raises:
        SimulationError: The voltage diverged, or the run stopped early.
    """
    if isinstance(cell, HofCell):
        with cell.build() as live:
            return simulate(live, protocol, dt=dt, record_dt=record_dt, cvode_atol=cvode_atol)
    spec = cell.cell
    dt = spec.dt if dt is None else dt
    stride = stride_of(record_dt, dt)
    v_init = spec.v_init if protocol.v_init is None else protocol.v_init
    # The direct NaV steps by itself; under CVODE its generic form stands in.
    solvers = generic_solvers() if cvode_atol else contextlib.nullcontext()
    with solvers, session(spec.celsius, dt, v_init, cvode_atol):
        v = _voltage(cell, protocol, v_init, dt, stride, cvode_atol)
    return _checked(v, dt * stride, spec.name, protocol)


def seen(protocol: Protocol, dt: float, stride: int = 1) -> tuple[np.ndarray, ...]:
    """Input that the solver sees, as means over the recording intervals.

    Entry k is the mean over the steps from t_k to t_{k+1}, so it is what drives the voltage
    from v[k] to v[k+1]; the last entry lies beyond the end and drives nothing.

    Returns:
        Current [nA], b [nA] and G [uS], each of shape (recorded steps + 1,).
    """
    middles = (np.arange(len(protocol.grid(dt * stride)) * stride) + 0.5) * dt
    inputs = (protocol.current(middles), *protocol.conductance(middles))
    return tuple(x.reshape(-1, stride).mean(1) for x in inputs)


def stride_of(record_dt: float | None, dt: float) -> int:
    """Solver steps per recorded one."""
    ratio = 1.0 if record_dt is None else record_dt / dt
    if ratio < 0.5 or abs(ratio - round(ratio)) > 1e-6:
        raise InputError(
            f"record_dt={record_dt:g} ms is not a multiple of the solver's step of {dt:g} ms."
        )
    return round(ratio)


def _voltage(
    live: LiveCell,
    protocol: Protocol,
    v_init: float,
    dt: float,
    stride: int,
    cvode_atol: float | None,
) -> np.ndarray:
    """Run in the current session; voltage at each recorded step [mV]."""
    steps = len(protocol.grid(dt * stride)) - 1
    with injected(live.soma(0.5), protocol, dt):
        reference = live.soma(0.5)._ref_v
        recorded = h.Vector()
        if cvode_atol is None:
            recorded.record(reference)
        else:
            recorded.record(reference, dt * stride)
        parallel = h.ParallelContext()
        parallel.set_maxstep(10)  # psolve asks for it, though nothing here is parallel
        h.finitialize(v_init)
        parallel.psolve(protocol.duration)
        v = recorded.as_numpy().copy()
    v = v[::stride] if cvode_atol is None else v
    if len(v) < steps + 1:
        raise SimulationError(
            f"{live.cell.name} under {protocol.name}: the run stopped after {len(v) - 1} of "
            f"{steps} steps."
        )
    return v[: steps + 1]


@contextlib.contextmanager
def injected(site, protocol: Protocol, dt: float) -> Iterator[None]:
    """The protocol's stimuli at `site` while the block lasts."""
    held = [_clamp(site, s) for s in protocol.stimuli if isinstance(s, Step)]
    vectors = []
    others = tuple(s for s in protocol.stimuli if not isinstance(s, Step))
    if others:
        played = replace(protocol, stimuli=others)
        middles = (np.arange(len(protocol.grid(dt))) + 0.5) * dt
        times = h.Vector(middles)
        clamp = h.IClamp(site)
        clamp.delay, clamp.dur = 0, FOREVER
        held.append(clamp)
        vectors.append(_play(played.current(middles), clamp._ref_amp, times))
        if played.has_conductance:
            held.append(h.nn_Conductance(site))
            b, g = played.conductance(middles)
            vectors += [_play(b, held[-1]._ref_b, times), _play(g, held[-1]._ref_g, times)]
    try:
        yield
    finally:
        for vector in vectors:
            vector.play_remove()
        held.clear()


def _clamp(site, step: Step):
    """NEURON's own square clamp, so that a plain step is exactly the usual experiment."""
    clamp = h.IClamp(site)
    clamp.delay, clamp.dur, clamp.amp = step.onset, step.duration, step.amplitude
    return clamp


def _play(values: np.ndarray, reference, times):
    """Play `values`, linear between `times`: a fixed step lands on them exactly."""
    vector = h.Vector(np.ascontiguousarray(values, dtype=float))
    vector.play(reference, times, True)
    return vector


def _checked(v: np.ndarray, dt: float, name: str, protocol: Protocol) -> Trace:
    """The trace, if every sample is a plausible voltage."""
    bad = np.flatnonzero(~(np.abs(v) <= V_LIMIT))
    if bad.size:
        raise SimulationError(
            f"{name} under {protocol.name} diverged: {v[bad[0]]:g} mV at {bad[0] * dt:g} ms. "
            f"Take a smaller dt, or check the cell's parameters and the amplitude."
        )
    return Trace(t=np.arange(len(v)) * dt, v=v)
