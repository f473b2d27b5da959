"""Channels on a NetPyNE rule's dendrites that may be held as they are, since they hardly gate.

Which, is measured on the rule's own cell when the rule is swapped, and saved with it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from ..errors import NobleError, SomaWarning
from ..nrn import passive
from ..nrn.frozen import Ih
from ..simulate.freezing import AMPLITUDE, LATE, measure
from .netpyne_own import measured, own_cell


def frozen_of(
    label: str, rule: Mapping, soma: str, celsius: float, params: Any
) -> tuple[dict, ...]:
    """What the channels on its dendrites conduct, if they may be held; none if not.

    Args:
        label: Of the rule.
        rule: As it was; one entry of `netParams.cellParams`.
        soma: Name of its soma.
        celsius: Of the run [degC].
        params: The network's, for where its synapses are.
    """
    stems = _stems(rule, soma, params)
    if not stems:
        return ()
    reached = sorted(set().union(*stems.values()))
    channels = ", ".join(sorted(set().union(*(_channels(rule["secs"], stem) for stem in stems))))
    try:
        found = measured(measure, own_cell(rule, soma, celsius, 0.0), sorted(stems), reached)
    except NobleError as error:
        _refuse(label, channels, f"cannot be held as they are: {error}")
        return ()
    if not found.small:
        _refuse(
            label,
            channels,
            f"gate too much to be held as they are: the peaks of single synapses would be off by "
            f"up to {100 * found.error:.1f} % and {found.late:.2f} ms ({100 * AMPLITUDE:g} % and "
            f"{LATE:g} ms are allowed).",
        )
        return ()
    return tuple(each.plain() for each in found.frozen)


def _refuse(label: str, channels: str, why: str) -> None:
    warnings.warn(
        f"Rule {label!r}: channels on its dendrites ({channels}) {why} These branches keep their "
        f"channels and segments, which is exact, and cost a copy of each.",
        SomaWarning,
        stacklevel=5,
    )


def _stems(rule: Mapping, soma: str, params: Any) -> dict[str, set[str]]:
    """Branches with channels but for nn_Ih -> their sections that synapses are on, if any are."""
    secs, aimed = rule["secs"], _aimed(rule, params)
    found = {}
    for stem, section in secs.items():
        if _parent(section) == soma and _channels(secs, stem):
            found[stem] = aimed.intersection(_subtree(secs, stem))
    return {stem: sections for stem, sections in found.items() if sections}


def _aimed(rule: Mapping, params: Any) -> set[str]:
    """Sections of a rule that any connection or stimulus of the network names."""
    if any("originalFormat" in tags for tags in params.popParams.values()):
        return set(rule["secs"])  # NeuroML's importer connects cells by itself
    kinds = (params.connParams, params.subConnParams, params.stimTargetParams)
    named = [each.get("sec") for kind in kinds for each in kind.values()]
    found: set[str] = set()
    for sec in named:
        for name in sec if isinstance(sec, list | tuple) else [sec]:
            if isinstance(name, str):
                found.update(rule.get("secLists", {}).get(name, [name]))
    return found


def _channels(secs: Mapping, stem: str) -> set[str]:
    """Names of what conducts on a branch, but for leaks and nn_Ih."""
    names = {name for each in _subtree(secs, stem) for name in secs[each].get("mechs", {})}
    return {name for name in names if name != Ih.mechanism and passive.conducts(name)}


def _subtree(secs: Mapping, stem: str) -> list[str]:
    children = [name for name, section in secs.items() if _parent(section) == stem]
    return [stem, *(each for child in children for each in _subtree(secs, child))]


def _parent(section: Mapping) -> str | None:
    return section.get("topol", {}).get("parentSec")
