"""One line in a NetPyNE model: a population of surrogates in place of detailed cells.

    import noble_neuron.hosts.netpyne_rules as noble
    noble.replace(netParams, "PV", surrogate="pvalb")      # before sim.createSimulateAnalyze

NetPyNE has no registry of cell classes, and needs none: the swapped rule is a rule like any other,
of the same sections, whose last one carries a point process that tells us when a cell has been
made. Nothing of NetPyNE is patched.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from neuron import h

from ..errors import InputError, SimulationError
from ..runtime import NobleCell
from ..runtime.cell import TREE_ERROR, tolerance
from ..surrogates import load_stream
from ..units import nearest

HOST = "nn_NobleHost"  # the hoc template that NetPyNE makes one of per cell
ENTRY = "noble"  # its key among a section's point processes
DRAWS = ("cells", "hull", "tags")

_living: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
_loaded = lru_cache(load_stream)  # one stepper per name: its cells are answered together

if not hasattr(h, HOST):
    # An error of Python's does not pass through hoc: it is printed there, and hoc must raise one.
    h(f"""
    begintemplate {HOST}
    proc init() {{
        nrnpython("import noble_neuron.hosts.netpyne_rules as nn_rules")
        if (!nrnpython("nn_rules.adopt()")) {{
            execerror("a cell could not be made a surrogate:", "see above")
        }}
    }}
    endtemplate {HOST}
    """)


@dataclass(frozen=True)
class Swap:
    """What the swapped rule says of its cells; numbers, strings and dicts that any file holds.

    Attributes:
        surrogate: Name of a built-in ensemble, or a bundle's folder.
        latent: See `replace`.
        seed: Of the draw.
        shift: Added to the model's own millivolts [mV].
        tree_error: See `NobleCell`.
    """

    surrogate: str
    latent: Any
    seed: int
    shift: float
    tree_error: float = TREE_ERROR


def replace(
    netParams: Any,  # noqa: N803 (its name wherever NetPyNE is used)
    pop: str,
    surrogate: str,
    *,
    latent: str | Mapping[str, float] | None = "cells",
    seed: int = 0,
    shift: float = 0.0,
    tree_error: float = TREE_ERROR,
) -> list[str]:
    """Let surrogates stand for the cells of a population.

    Sections, section lists and tags stay as they are, for connections, stimulation and recording.
    The soma's channels make way for the surrogate. The dendrites stay, with what is attached to
    them; their own load is taken off the soma, as the surrogate contains it. Passive ones are cut
    into as few segments as `tree_error` allows.
    Spikes are detected at the soma, at the surrogate's threshold. Each cell has its latent
    coordinates and its surrogate's name among its tags, for `conds` and for plots.

    Args:
        netParams: The network's; its rules and populations all defined.
        pop: Label of the population.
        surrogate: Name of a built-in ensemble, or a bundle's folder.
        latent: "cells": each cell is one of the training cells, drawn by gid and seed; "hull": a
            point between them, likewise; "tags": each cell's tags have it, from cellsList; a
            training cell's name, or features by name: all cells alike; None: a typical cell.
        seed: Of the draw.
        shift: Added to the model's own millivolts [mV]; what is attached follows.
        tree_error: Relative error that the amplitude of a dendritic synapse may have at the soma;
            0 leaves the dendrites as they are, and costs a copy of each.

    Returns:
        Labels of the rules that now make the population.

    Raises:
        InputError: No such population, surrogate or latent point, no rule makes its cells, or
            one does that has no soma.
        BundleError: The surrogate's bundle is damaged.
    """
    stepper = _loaded(str(surrogate))
    swap = Swap(str(surrogate), latent, int(seed), float(shift), tolerance(tree_error))
    _latent(swap, stepper, 0, None if latent == "tags" else {})
    rules = _rules_of(netParams, pop)
    swapped = {
        label: _swapped(label, rule, stepper.threshold + shift) for label, rule in rules.items()
    }
    _told(swapped[list(swapped)[-1]], swap)  # by the last rule, when the cell is complete
    return [_put(netParams, pop, label, rule) for label, rule in swapped.items()]


class Between(list):
    """A range of a tag in `conds`: `{"pop": "PV", "I_thr": noble.Between(0.3, 0.4)}`.

    NetPyNE takes a list for the values themselves, but for places.
    """

    def __init__(self, low: float, high: float) -> None:
        super().__init__((low, high))

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self[0] <= value < self[1]

    def __reduce__(self) -> tuple:
        return Between, tuple(self)


def cell_of(cell: Any) -> NobleCell:
    """The surrogate in a cell of `sim.net.cells`: its `outside`, `latent` and so on.

    Raises:
        InputError: It has none.
    """
    if cell not in _living:
        raise InputError(f"{cell} of population {cell.tags.get('pop')!r} is no surrogate.")
    return _living[cell]


def adopt() -> None:
    """Called by NetPyNE's making of a cell: give the soma to a surrogate, and tag the cell."""
    host = h.cas().cell()
    _refuse_settings()
    swap = Swap(**_entry(host))
    soma = _soma(host.secs, f"Cell {host.gid}")
    stepper = _loaded(swap.surrogate)
    point = _latent(swap, stepper, host.gid, host.tags)
    _living[host] = cell = NobleCell(
        stepper,
        point,
        host.gid,
        soma=host.secs[soma]["hObj"],
        shift=swap.shift,
        own_tree=True,
        tree_error=swap.tree_error if not _mechanisms_recorded() else 0.0,
        keep=[host.secs[name]["hObj"] for name in _recorded() if name in host.secs],
    )
    names = stepper.card.latent_space.names
    host.tags.update({name: float(x) for name, x in zip(names, cell.latent, strict=True)})
    host.tags["surrogate"] = swap.surrogate


def _sim() -> Any:
    """NetPyNE's own state; it is running, as it has called us, so nothing is imported."""
    return sys.modules["netpyne.sim"]


def _entry(host: Any) -> dict:
    """What the rule says, from the cell's own structure or, without one, from the rules."""
    rules = (rule["secs"] for rule in _sim().net.params.cellParams.values() if "secs" in rule)
    for secs in (host.secs, *rules):
        for section in secs.values():
            said = section.get("pointps", {}).get(ENTRY, {}).get("_swap")
            if said:
                return dict(said)
    raise SimulationError(f"Cell {host.gid}: no rule says which surrogate it is.")


def _recorded() -> set[str]:
    """Sections whose voltage somebody wants: their segments have to stay."""
    wanted = (trace.get("sec") for trace in _sim().cfg.recordTraces.values())
    return {name for name in wanted if isinstance(name, str)}


def _mechanisms_recorded() -> bool:
    """Whether a dendrite's channels may be: then these have to stay as well."""
    return any("mech" in trace for trace in _sim().cfg.recordTraces.values())


def _refuse_settings() -> None:
    """What no surrogate runs under, before more cells are made."""
    wrong = {
        "cvode_active": "the fixed step is the surrogates' own. Set cfg.cvode_active = False",
        "coreneuron": "surrogates do not run in CoreNEURON. Set cfg.coreneuron = False",
        "recordLFP": "a surrogate has a soma's voltage and no membrane currents along the cell, "
        "which an LFP is made of. Set cfg.recordLFP = []",
        "recordDipole": "a dipole is made of membrane currents along the cell, which a surrogate "
        "does not have. Set cfg.recordDipole = False",
    }
    for key, why in wrong.items():
        if getattr(_sim().cfg, key, None):
            raise SimulationError(f"cfg.{key} is on, and {why}.")


def _latent(swap: Swap, stepper: Any, gid: int, tags: Mapping | None) -> np.ndarray | None:
    """Latent point of a cell, physical units; it depends on seed and gid, not on any rank."""
    space = stepper.card.latent_space
    draw = np.random.default_rng([swap.seed, gid])
    if swap.latent == "cells":
        return space.points[draw.integers(len(space.points))]
    if swap.latent == "hull":
        # Between as many cells as there are coordinates and one: the family's own density.
        some = draw.choice(len(space.points), min(len(space.names) + 1, len(space.points)), False)
        return draw.dirichlet(np.ones(len(some))) @ space.points[some]
    if swap.latent == "tags":
        return None if tags is None else space.row(tags)
    if isinstance(swap.latent, str) and swap.latent not in stepper.card.cells:
        raise InputError(
            f"latent={swap.latent!r} is neither {', '.join(map(repr, DRAWS))} nor a training cell "
            f"of {swap.surrogate!r} ({', '.join(stepper.card.cells[:3])}, ...)."
        )
    return stepper.point(swap.latent)


def _rules_of(params: Any, pop: str) -> dict[str, dict]:
    """The rules that apply to cells of a population, by label."""
    if pop not in params.popParams:
        raise InputError(
            f"No population {pop!r}{nearest(pop, list(params.popParams))} Give the label of one "
            f"of netParams.popParams."
        )
    found = {
        label: rule
        for label, rule in params.cellParams.items()
        if _applies(label, rule, pop, params.popParams[pop])
    }
    if not any("secs" in rule for rule in found.values()):
        raise InputError(
            f"No rule of netParams.cellParams makes the cells of population {pop!r} (cellType "
            f"{params.popParams[pop].get('cellType')!r}): define them before calling replace."
        )
    return {label: rule for label, rule in found.items() if "secs" in rule}


def _applies(label: str, rule: Mapping, pop: str, tags: Mapping) -> bool:
    """Whether a rule makes cells of a population; of conditions on places, some of them."""
    conditions = rule.get("conds", {})
    if not conditions:
        return tags.get("cellType") == label
    known = {"pop": pop, **{key: tags.get(key) for key in ("cellType", "cellModel")}}
    return all(
        known[key] in (wanted if isinstance(wanted, list | tuple) else [wanted])
        for key, wanted in conditions.items()
        if key in known
    )


def _soma(secs: Mapping, whose: str) -> str:
    """Name of the soma: the section of that name, or the only one that hangs on no other."""
    named = [name for name in secs if name.lower() in ("soma", "soma_0", "soma[0]")]
    roots = [name for name, section in secs.items() if not section.get("topol")]
    chosen = named or roots
    if len(chosen) != 1:
        raise InputError(
            f"{whose} has no soma: none of its sections ({', '.join(list(secs)[:6])}) is called "
            f"soma, and {len(roots)} hang on no other."
        )
    return chosen[0]


def _swapped(label: str, rule: Mapping, threshold: float) -> dict:
    """A copy of a rule whose soma is bare."""
    new = deepcopy(rule)
    soma = _soma(new["secs"], f"Rule {label!r}")
    for section in new["secs"].values():
        section.pop("spikeGenLoc", None)
        section.pop("threshold", None)
    host = new["secs"][soma]
    for key in ("mechs", "ions", "pointps"):
        host.pop(key, None)
    host.setdefault("geom", {})["nseg"] = 1
    norm = host.get("weightNorm")
    if norm:
        host["weightNorm"] = [norm[len(norm) // 2]]
    host["spikeGenLoc"], host["threshold"] = 0.5, float(threshold)
    return new


def _told(rule: dict, swap: Swap) -> None:
    """The point process that calls `adopt`, on the last section: then all others are there."""
    last = rule["secs"][list(rule["secs"])[-1]]
    # NetPyNE gives a point process no parameter that begins with an underscore, and saves it.
    entry = {"mod": HOST, "loc": 0.5, "_swap": asdict(swap)}
    last.setdefault("pointps", {})[ENTRY] = entry


def _put(params: Any, pop: str, label: str, rule: dict) -> str:
    """Put the swapped rule in place of the old one for this population alone."""
    old = params.cellParams[label]
    others = [
        name
        for name, tags in params.popParams.items()
        if name != pop and _applies(label, old, name, tags)
    ]
    if not others:
        params.cellParams[label] = rule
        return label
    conditions = dict(old.get("conds", {})) or {"cellType": label}
    params.cellParams[label]["conds"] = {**conditions, "pop": others}
    own = f"{label}_{pop}"
    params.cellParams[own] = {**rule, "conds": {**conditions, "pop": pop}}
    return own
