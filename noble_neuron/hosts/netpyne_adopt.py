"""Cells that NetPyNE makes by a swapped rule become surrogates; before a run all have to be.

The rule's soma carries a point process, whose making calls `adopt`.
"""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from neuron import h

from ..errors import NobleError, SimulationError
from ..nrn.frozen import Frozen
from ..nrn.geometry import Geometry, the
from ..runtime import NobleCell
from ..surrogates import weights_of
from . import netpyne_axon, netpyne_guards
from .netpyne_latent import loaded, point_of
from .netpyne_pops import soma
from .netpyne_swap import HOST, Swap, all_of, found, part

HELD = "hNoble"  # beside a section's hObj: lives as long, and is not saved either

_broken: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # networks, and what was wrong

if not hasattr(h, HOST):
    # An error of Python's does not pass through hoc: it is printed there, and hoc must raise one.
    h(f"""
    begintemplate {HOST}
    proc init() {{
        nrnpython("import noble_neuron.hosts.netpyne_adopt as nn_adopt")
        if (!nrnpython("nn_adopt.adopt()")) {{
            execerror("a cell could not be made a surrogate:", "see above")
        }}
    }}
    endtemplate {HOST}
    """)


def adopt() -> None:
    """Called by NetPyNE's making of a soma: give it to a surrogate, and tag the cell."""
    host = h.cas().cell()
    try:
        part(host.secs)
        if held(host) is None:  # a second rule may have something for the soma
            _adopt(host)
    except NobleError as error:
        # NetPyNE prints what goes wrong when it loads a network, and goes on without the cell.
        _broken[_sim().net] = f"Cell {host.gid}: {error}"
        raise


def _adopt(host: Any) -> None:
    sim = _sim()
    swap = _said(host)
    name = soma(host.secs, f"Cell {host.gid}")
    stepper = loaded(swap.surrogate)
    _same_weights(swap.surrogate, swap.weights, swap.version)
    point = point_of(swap, stepper, host.gid, host.tags)
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


def held(host: Any) -> NobleCell | None:
    """The surrogate in a cell of NetPyNE's, if it has one."""
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
        if held(cell) is None:
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
