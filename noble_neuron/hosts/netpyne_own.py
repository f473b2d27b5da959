"""What is measured on a NetPyNE rule's own cell when the rule is swapped.

In a process of its own, as a network may be in memory here; once for each cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import neuron

from ..cells.netpyne import load_netpyne
from ..cells.spec import HofCell
from ..errors import NobleError, SimulationError
from ..nrn import mechanisms
from ..simulate.workers import Job, Workers

V_INIT = -70.0  # mV; where the rule says nothing
DT = 0.025  # ms

_known: dict[str, Any] = {}


def own_cell(rule: Mapping, soma: str, celsius: float, threshold: float) -> HofCell:
    """A rule's cell without what sits on it.

    Raises:
        InputError: The rule says something that cannot be built faithfully.
    """
    kept = ("geom", "topol", "mechs", "ions")
    secs = {
        name: {key: section[key] for key in kept if key in section}
        for name, section in rule["secs"].items()
    }
    given = rule.get("globals", {})
    return load_netpyne(
        {"secs": secs, "globals": dict(given)},
        celsius=celsius,
        v_init=rule["secs"][soma].get("vinit", given.get("v_init", V_INIT)),
        dt=DT,
        threshold=threshold,
    )


def measured(function: Callable, spec: HofCell, *arguments: Any) -> Any:
    """`function(spec, *arguments, beat)` in a process that has the same mechanisms.

    Raises:
        NobleError: As the function does.
        SimulationError: The process failed otherwise.
    """
    key = repr((function.__name__, spec.source, spec.celsius, spec.v_init, arguments))
    if key not in _known:
        with Workers(1) as workers:
            loaded = list(neuron.nrn_dll_loaded), mechanisms.folders()
            workers.submit(Job(key, _call, (function, (spec, *arguments), *loaded)))
            (outcome,) = workers.outcomes()
        if outcome.kind == "raised" and isinstance(outcome.value, NobleError):
            raise outcome.value
        if outcome.kind != "done":
            raise SimulationError(outcome.text)
        _known[key] = outcome.value
    return _known[key]


def _call(
    function: Callable, arguments: tuple, libraries: list[str], folders: list[str], beat: Callable
) -> Any:
    mechanisms.load()
    for library in set(libraries).difference(neuron.nrn_dll_loaded):
        neuron.load_mechanisms(library)
    for folder in folders:
        mechanisms.load_folder(folder)
    return function(*arguments, beat)
