"""The one door to hoc's globals: set for a run, checked, and put back."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

from neuron import h

from ..errors import InputError, SimulationError

# Temperatures [degC] of the sessions now open, innermost last.
_open: list[float] = []


@contextlib.contextmanager
def session(
    celsius: float,
    dt: float = 0.025,
    v_init: float | None = None,
    cvode_atol: float | None = None,
) -> Iterator[None]:
    """Run NEURON under known globals; whatever happens, the caller's come back.

    One thread and implicit Euler at a fixed step, unless `cvode_atol` asks for CVODE.
    Open it around `finitialize` and the advance alike: rates depend on the temperature.

    Args:
        celsius: Temperature [degC].
        dt: Fixed step [ms].
        v_init: stdrun's initial voltage [mV]; left alone if None.
        cvode_atol: Absolute tolerance of the variable step; None is the fixed step.

    Raises:
        InputError: A value is not usable.
        SimulationError: Inside a session of another temperature; CVODE cannot run the
            mechanisms in memory; or somebody changed the temperature or the step before
            this session closed.
    """
    _check(celsius, dt, v_init, cvode_atol)
    h.load_file("stdrun.hoc")
    with _restored():
        _set(celsius, dt, v_init, cvode_atol)
        _open.append(celsius)
        try:
            yield
        finally:
            _open.pop()
        _unchanged(celsius, None if cvode_atol else dt)


def _check(celsius: float, dt: float, v_init: float | None, cvode_atol: float | None) -> None:
    for name, value, positive in (
        ("celsius", celsius, False),
        ("dt", dt, True),
        ("v_init", v_init, False),
        ("cvode_atol", cvode_atol, True),
    ):
        if value is not None and not (math.isfinite(value) and (value > 0 or not positive)):
            kind = "a positive number" if positive else "a finite number"
            raise InputError(f"A NEURON session needs {kind} as {name}: got {value!r}.")
    if _open and celsius != _open[-1]:
        raise SimulationError(
            f"Another NEURON temperature than the cell's: a session at {_open[-1]:g} degC is "
            f"open, and this cell needs {celsius:g} degC. Close that session first."
        )


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    """Keep every global that a session touches, and put it back."""
    cvode, context = h.CVode(), h.ParallelContext()
    names = ("celsius", "dt", "steps_per_ms", "secondorder", "v_init")
    values = [getattr(h, name) for name in names]
    active, local, atol = cvode.active(), cvode.use_local_dt(), cvode.atol()
    threads = int(context.nthread())
    try:
        yield
    finally:
        cvode.active(0)
        if int(context.nthread()) != threads:
            context.nthread(threads)
        for name, value in zip(names, values, strict=True):
            setattr(h, name, value)
        if active or cvode.use_local_dt() != local:
            _activate(cvode, atol, local)  # changes dt
            cvode.active(active)
            h.dt = values[names.index("dt")]
        cvode.atol(atol)


def _set(celsius: float, dt: float, v_init: float | None, cvode_atol: float | None) -> None:
    cvode, context = h.CVode(), h.ParallelContext()
    if cvode_atol is None:
        cvode.active(0)
    else:
        _activate(cvode, cvode_atol, local=False)
    if int(context.nthread()) != 1:
        context.nthread(1)
    h.secondorder = 0
    h.celsius = celsius
    h.steps_per_ms = 1 / dt  # or stdrun's run() would choose another dt
    h.dt = dt
    if v_init is not None:
        h.v_init = v_init


def _activate(cvode: Any, atol: float, local: bool) -> None:
    """Switch CVODE on, with one step for all or one for each cell."""
    cvode.atol(atol)
    try:
        if cvode.use_local_dt() != local:  # switches CVODE on by itself
            cvode.use_local_dt(local)
        cvode.active(1)
    except RuntimeError as error:  # NEURON 8 names the mechanism on stderr only
        raise SimulationError(
            f"A mechanism of the cells in memory has no variable step ({error}). nn_NaV is one: "
            f"run inside `generic_solvers()`, or use the fixed step (cvode_atol=None)."
        ) from error


def _unchanged(celsius: float, dt: float | None) -> None:
    """Somebody else's dt means that the answer is not the one asked for."""
    for name, unit, asked in (("celsius", "degC", celsius), ("dt", "ms", dt)):
        found = getattr(h, name)
        if asked is not None and not math.isclose(found, asked, rel_tol=1e-9):
            raise SimulationError(
                f"h.{name} was changed during the simulation: it was set to {asked:g} {unit} "
                f"and is now {found:g} {unit}. Leave it to the session."
            )
