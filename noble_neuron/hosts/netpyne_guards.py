"""What a swapped cell of a NetPyNE network cannot do is refused before the cell exists."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from neuron import h

from ..errors import SimulationError
from .netpyne_pops import TAGS, applies
from .netpyne_swap import Swap

PLACES = ("x", "y", "z", "xnorm", "ynorm", "znorm")
CURRENTS = "a surrogate has a soma's voltage and no membrane currents along the cell, which"

SETTINGS = {
    "cvode_active": "the fixed step is the surrogates' own. Set cfg.cvode_active = False",
    "coreneuron": "surrogates do not run in CoreNEURON. Set cfg.coreneuron = False",
    "recordLFP": f"{CURRENTS} an LFP is made of. Set cfg.recordLFP = []",
    "recordDipole": f"{CURRENTS} a dipole is made of. Set cfg.recordDipole = False",
    "recordDipolesHNN": f"{CURRENTS} a dipole is made of. Set cfg.recordDipolesHNN = False",
    "saveIMembrane": f"{CURRENTS} it saves. Set cfg.saveIMembrane = False",
}


def check(host: Any, soma: str, swap: Swap, cfg: Any, params: Any) -> None:
    """Look at everything that is going to be asked of a cell: as it is made, and before a run.

    Args:
        host: NetPyNE's cell; its tags and its soma are there.
        soma: Name of its soma.
        swap: What its rule says.
        cfg: The network's SimConfig.
        params: The network's NetParams.

    Raises:
        SimulationError: A setting, a stimulus or a recording that no surrogate serves.
    """
    for key, why in SETTINGS.items():
        if getattr(cfg, key, None):
            raise SimulationError(f"cfg.{key} is on, and {why}.")
    _populations(swap, params)
    for label, target in params.stimTargetParams.items():
        source = params.stimSourceParams.get(target.get("source"), {})
        if source.get("type") in ("SEClamp", "VClamp", "XStim") and _aimed(target, host):
            _stimulus(label, source["type"], target.get("sec"), soma, swap, params)
    for label, trace in cfg.recordTraces.items():
        if trace.get("sec") == soma and _recorded(host, trace, cfg):
            _trace(label, trace, host.secs[soma]["hObj"](0.5), swap)


def _populations(swap: Swap, params: Any) -> None:
    """Rules that others use as well are theirs by name, so latecomers would go without."""
    tags = params.popParams.get(swap.pop, {})
    for pop in set(params.popParams).difference(swap.known or params.popParams):
        other = params.popParams[pop]
        akin = any(other.get(key) == tags.get(key) is not None for key in TAGS)
        if akin and not any(applies(*rule, pop, other) for rule in params.cellParams.items()):
            raise SimulationError(
                f"Population {pop!r} was defined after {swap.pop!r}, of the same kind, was "
                f"replaced, and no rule is left for it. Call replace when all populations are "
                f"defined."
            )


def _stimulus(label: str, kind: str, sec: str | None, soma: str, swap: Swap, params: Any) -> None:
    where = f"stimTargetParams[{label!r}] puts a {kind} on population {swap.pop!r}"
    if kind == "XStim":
        raise SimulationError(
            f"{where}: what an extracellular field does to a cell's own membrane is not in a "
            f"surrogate. Aim it at other populations."
        )
    secs = [name for rule in params.cellParams.values() for name in rule.get("secs", {})]
    if sec == soma or sec not in secs:  # NetPyNE takes the soma then
        raise SimulationError(
            f"{where}, at the soma: the surrogate decides that voltage. Clamp a dendrite, or "
            f"inject current with an IClamp."
        )


def _aimed(target: Mapping, host: Any) -> bool:
    """Whether a stimulus may go to a cell; NetPyNE's own rules for its conditions."""
    for key, wanted in target.get("conds", {}).items():
        value = host.tags.get(key)
        if key == "cellList":
            continue
        if key in PLACES:
            met = wanted[0] <= value < wanted[1]
        else:
            met = value in wanted if isinstance(wanted, list) else value == wanted
        if not met:
            return False
    return True


def _recorded(host: Any, trace: Mapping, cfg: Any) -> bool:
    plotted = cfg.analysis.get("plotTraces")
    asked = list(cfg.recordCells)
    if isinstance(plotted, Mapping):
        asked += plotted.get("include", [])
    chosen = any(
        each[0] == host.tags["pop"]
        if isinstance(each, list | tuple)
        else each in ("all", "allCells", host.gid, host.tags["pop"])
        for each in asked
    )
    return chosen and bool(host.checkConditions(trace.get("conds", {})))


def _trace(label: str, trace: Mapping, segment: Any, swap: Swap) -> None:
    """NetPyNE records nothing, and says nothing, where a variable is not there."""
    name = trace.get("var")
    if "synMech" in trace or "stim" in trace:
        return
    kind = trace.get("mech", trace.get("pointp"))
    if name in ("i_membrane", "i_membrane_"):
        gone = True  # it would be the surrogate's own means of setting the voltage
    elif kind is None:
        gone = not hasattr(segment, f"_ref_{name}") and _had(swap.lost, name)
    else:
        gone = kind in swap.lost
    if gone:
        what = f"{kind}.{name}" if kind else name
        raise SimulationError(
            f"cfg.recordTraces[{label!r}] records {what} at the soma of population {swap.pop!r}, "
            f"whose channels the surrogate has replaced. Leave the population out of recordCells, "
            f"or exclude it by the trace's 'conds'."
        )


@lru_cache
def _had(mechanisms: tuple[str, ...], variable: str) -> bool:
    """Whether a section with these mechanisms has a range variable."""
    section = h.Section(name="nn_soma_that_was")
    for name in mechanisms:
        for inserted in (name, f"{name}_ion"):
            try:
                section.insert(inserted)
            except ValueError:
                continue  # a point process, or the ion of nothing
    return hasattr(section(0.5), f"_ref_{variable}")
