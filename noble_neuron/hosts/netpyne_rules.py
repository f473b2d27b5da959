"""One line in a NetPyNE model: a population of surrogates in place of detailed cells.

    import noble_neuron.hosts.netpyne_rules as noble
    noble.replace(netParams, "PV", surrogate="pvalb")      # before sim.createSimulateAnalyze

NetPyNE has no registry of cell classes, and needs none: the swapped rule is a rule like any other,
of the same sections, whose soma carries a point process that tells us when a cell is being made.
Nothing of NetPyNE is patched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as changed
from importlib import import_module
from typing import Any

from .. import __version__
from ..errors import InputError
from ..runtime import NobleCell
from ..runtime.cell import TREE_ERROR, tolerance
from ..surrogates import load_stream, weights_of
from . import netpyne_axon
from .netpyne_adopt import HELD, adopt, held
from .netpyne_frozen import frozen_of
from .netpyne_latent import DRAWS, loaded, point_of
from .netpyne_pops import bare, put, rules_of, somata
from .netpyne_swap import ENTRY, Swap, all_of

__all__ = ["DRAWS", "HELD", "Between", "adopt", "cell_of", "load_stream", "replace"]


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
    into as few segments as `tree_error` allows, and so are others whose channels hardly gate: that
    is measured on the rule's own cell, and a warning says where they gate too much.
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
    stepper = loaded(str(surrogate))
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
    point_of(swap, stepper, 0, None if latent == "tags" else {})
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
        frozen = frozen_of(label, rule, name, stepper.celsius, params) if swap.tree_error else ()
        section = rule["secs"][name]
        lost = [each for key in ("mechs", "ions", "pointps") for each in section.get(key, {})]
        said = changed(swap, rule=label, lost=tuple(lost), delay=delay, frozen=frozen)
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
    found = held(cell)
    if found is None:
        raise InputError(f"{cell} of population {cell.tags.get('pop')!r} is no surrogate.")
    return found
