"""One line in a NetPyNE model: a population of surrogates in place of detailed cells.

    import noble_neuron.hosts.netpyne_rules as noble
    noble.replace(netParams, "PV", surrogate="pvalb")      # before sim.createSimulateAnalyze

NetPyNE has no registry of cell classes, and needs none: the swapped rule is a rule like any other,
of the same sections, whose soma carries a point process that tells us when a cell is being made.
Nothing of NetPyNE is patched.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Mapping
from dataclasses import replace as changed
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
from neuron import h

from .. import __version__
from ..errors import InputError, NobleError, SimulationError
from ..nrn.frozen import Frozen
from ..nrn.geometry import Geometry, the
from ..runtime import NobleCell
from ..runtime.cell import TREE_ERROR, tolerance
from ..surrogates import load_stream, weights_of
from . import netpyne_axon, netpyne_guards
from .netpyne_frozen import frozen_of
from .netpyne_pops import bare, put, rules_of, soma, somata
from .netpyne_swap import ENTRY, HOST, Swap, all_of, found, part

DRAWS = ("cells", "hull", "tags")

HELD = "hNoble"  # beside a section's hObj: lives as long, and is not saved either

_broken: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # networks, and what was wrong
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
    Spikes are detected at the soma, at the surrogate's threshold; where the rule detects them on
    an axon, the delay between the two is measured and added to the connections from the cell.
    Each cell has its latent coordinates and its surrogate's name among its tags, for `conds` and
    for plots.

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
            none has a soma; or the population has been replaced before.
        BundleError: The surrogate's bundle is damaged.
    """
    stepper = _loaded(str(surrogate))
    swap = Swap(
        str(surrogate),
        dict(latent) if isinstance(latent, Mapping) else latent,
        int(seed),
        float(shift),
        pop,
        tree_error=tolerance(tree_error),
        weights=weights_of(str(surrogate)),
        version=__version__,
        known=tuple(netParams.popParams),
    )
    _latent(swap, stepper, 0, None if latent == "tags" else {})
    rules = rules_of(netParams, pop)
    for before in all_of(rules):
        raise InputError(
            f"The rules of population {pop!r} have been swapped before, for population "
            f"{before.pop!r}, by surrogate {before.surrogate!r}: call replace once for each "
            f"population, when all are defined, or start from the netParams as they were."
        )
    somas = somata(rules)
    changes = {}
    for label, rule in rules.items():
        swapped = _swapped(label, rule, somas.get(label), swap, stepper, netParams)
        if swapped != rule:
            changes[label] = swapped
    return put(netParams, pop, changes)


def _swapped(
    label: str, rule: Mapping, name: str | None, swap: Swap, stepper: Any, params: Any
) -> dict:
    """A rule like another, whose soma of that name, if it has it, becomes a surrogate's."""
    threshold = stepper.threshold + swap.shift
    new = bare(rule, name, threshold)
    thresholds = threshold, params.defaultThreshold
    delay = netpyne_axon.delay_of(label, rule, name, stepper.celsius, thresholds)
    if name is not None:
        held = frozen_of(label, rule, name, stepper.celsius, params) if swap.tree_error else ()
        section = rule["secs"][name]
        lost = [each for key in ("mechs", "ions", "pointps") for each in section.get(key, {})]
        said = changed(swap, rule=label, lost=tuple(lost), delay=delay, frozen=held)
        new["secs"][name]["pointps"] = {ENTRY: said.entry()}
    return new


def __getattr__(name: str) -> Any:
    """`surrogate_for`, which trains one: from a room above this, and loaded when first used."""
    if name == "surrogate_for":
        return import_module("noble_neuron.workflows.surrogate_for").surrogate_for
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


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
    found = _held(cell)
    if found is None:
        raise InputError(f"{cell} of population {cell.tags.get('pop')!r} is no surrogate.")
    return found


def adopt() -> None:
    """Called by NetPyNE's making of a soma: give it to a surrogate, and tag the cell."""
    host = h.cas().cell()
    try:
        part(host.secs)
        if _held(host) is None:  # a second rule may have something for the soma
            _adopt(host)
    except NobleError as error:
        # NetPyNE prints what goes wrong when it loads a network, and goes on without the cell.
        _broken[_sim().net] = f"Cell {host.gid}: {error}"
        raise


def _adopt(host: Any) -> None:
    sim = _sim()
    swap = _said(host)
    name = soma(host.secs, f"Cell {host.gid}")
    stepper = _loaded(swap.surrogate)
    _same_weights(swap.surrogate, swap.weights, swap.version)
    point = _latent(swap, stepper, host.gid, host.tags)
    _tag(host.tags, swap, dict(zip(stepper.card.latent_space.names, point, strict=True)))
    netpyne_guards.check(host, name, swap, sim.cfg, sim.net.params)
    host.secs[name][HELD] = cell = NobleCell(
        stepper,
        point,
        host.gid,
        soma=host.secs[name]["hObj"],
        shift=swap.shift,
        own_tree=True,
        tree_error=swap.tree_error if not _mechanisms_recorded() else 0.0,
        keep=[host.secs[name]["hObj"] for name in _recorded() if name in host.secs],
    )
    cell.twin.shapes, cell.twin.owner = _shapes(host.secs), _owner(host)
    cell.twin.frozen = tuple(Frozen(**each) for each in swap.frozen)


def _shapes(sections: Mapping) -> dict[Any, Geometry]:
    """Where the rule has them as numbers."""
    points = {each["hObj"]: each.get("geom", {}).get("pt3d") for each in sections.values()}
    return {
        section: the(Geometry(tuple(map(float, point)) for point in shape))
        for section, shape in points.items()
        if shape and all(isinstance(x, int | float) for point in shape for x in point)
    }


def _owner(host: Any) -> Any:
    from .netpyne_asleep import Sleepers  # brings NetPyNE, which is running

    return Sleepers(host)


def _tag(tags: dict, swap: Swap, latents: Mapping[str, float]) -> None:
    tags.update({name: float(x) for name, x in latents.items()})
    tags["surrogate"] = swap.surrogate
    labels = tags.get("label")
    if labels and swap.rule and swap.rule not in labels:
        labels.append(swap.rule)  # for conditions on the rule


def _held(host: Any) -> NobleCell | None:
    # Of a point cell any attribute that it lacks is a function.
    sections = (vars(host).get("secs") or {}).values()
    return next((section[HELD] for section in sections if HELD in section), None)


def _sim() -> Any:
    """NetPyNE's own state; it is running, as it has called us, so nothing is imported."""
    return sys.modules["netpyne.sim"]


def _said(host: Any) -> Swap:
    """What the rule says, from the cell's own structure or, without one, from the rules."""
    swap = found(host.secs)
    if swap is None:
        pop = host.tags["pop"]
        swap = next((s for s in all_of(_sim().net.params.cellParams) if s.pop == pop), None)
    if swap is None:
        raise SimulationError(f"Cell {host.gid}: no rule says which surrogate it is.")
    return swap


@lru_cache
def _same_weights(surrogate: str, weights: str, version: str) -> None:
    if weights and weights != weights_of(surrogate):
        warnings.warn(
            f"The network was made with other weights of {surrogate!r} (noble_neuron {version}): "
            f"its spikes are going to differ.",
            stacklevel=2,
        )


def _recorded() -> set[str]:
    """Sections whose voltage somebody wants: their segments have to stay."""
    wanted = (trace.get("sec") for trace in _sim().cfg.recordTraces.values())
    return {name for name in wanted if isinstance(name, str)}


def _mechanisms_recorded() -> bool:
    """Whether a dendrite's channels may be: then these have to stay as well."""
    return any("mech" in trace for trace in _sim().cfg.recordTraces.values())


def _latent(swap: Swap, stepper: Any, gid: int, tags: Mapping | None) -> np.ndarray | None:
    """Latent point of a cell, physical units; it depends on seed and gid, not on any rank."""
    space = stepper.card.latent_space
    draw = np.random.default_rng([swap.seed, gid])
    if tags and tags.get("surrogate") == swap.surrogate:
        return space.row(tags)  # of a network that is loaded
    if swap.latent == "cells":
        return space.points[draw.integers(len(space.points))]
    if swap.latent == "hull":
        return space.mixture(draw)
    if swap.latent == "tags":
        return None if tags is None else space.row(tags)
    if isinstance(swap.latent, str) and swap.latent not in stepper.card.cells:
        raise InputError(
            f"latent={swap.latent!r} is neither {', '.join(map(repr, DRAWS))} nor a training cell "
            f"of {swap.surrogate!r} ({', '.join(stepper.card.cells[:3])}, ...)."
        )
    return stepper.point(swap.latent)


def _whole() -> None:
    """Before NEURON is initialised: every cell of a swapped population is a surrogate."""
    net = getattr(sys.modules.get("netpyne.sim"), "net", None)
    if net is None or not hasattr(net, "params"):
        return  # none, or one that has been cleared
    if net in _broken:
        raise SimulationError(f"The network is not complete. {_broken[net]}")
    swaps, sim = all_of(net.params.cellParams), _sim()
    if not swaps or not sim.cfg.createNEURONObj:
        return
    pops, delays = {swap.pop for swap in swaps}, {}
    for cell in net.cells:
        if cell.tags.get("pop") not in pops:
            continue
        if _held(cell) is None:
            raise SimulationError(
                f"Cell {cell.gid} of population {cell.tags['pop']!r} is no surrogate: no rule "
                f"with a soma applies to it."
            )
        # A network that was loaded may have got another configuration since.
        name = next(n for n, section in cell.secs.items() if HELD in section)
        swap = _said(cell)
        netpyne_guards.check(cell, name, swap, sim.cfg, net.params)
        delays[cell.gid] = swap.delay
    if any(swap.delay for swap in swaps):
        netpyne_axon.apply(net, delays, sim.pc)


_handler = h.FInitializeHandler(3, _whole)
