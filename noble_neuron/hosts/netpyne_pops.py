"""Which rules make the cells of a NetPyNE population, and other ones put in their place."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from ..errors import InputError
from ..units import nearest

SOMA = ("soma", "soma_0", "soma[0]")
TAGS = ("cellType", "cellModel")  # what NetPyNE gives each cell of its population's tags


def rules_of(params: Any, pop: str) -> dict[str, Mapping]:
    """The rules that give cells of a population their sections, by label.

    Raises:
        InputError: No such population, or none of the rules makes its cells.
    """
    if pop not in params.popParams:
        raise InputError(
            f"No population {pop!r}{nearest(pop, list(params.popParams))} Give the label of one "
            f"of netParams.popParams."
        )
    made = {
        label: rule
        for label, rule in params.cellParams.items()
        if "secs" in rule and applies(label, rule, pop, params.popParams[pop])
    }
    if not made:
        raise InputError(
            f"No rule of netParams.cellParams gives the cells of population {pop!r} (cellType "
            f"{params.popParams[pop].get('cellType')!r}) sections: define it before calling "
            f"replace. Point cells have none, and cannot be swapped."
        )
    return made


def applies(label: str, rule: Mapping, pop: str, tags: Mapping) -> bool:
    """Whether a rule may make cells of a population: some of them, or all."""
    conditions = rule.get("conds", {})
    # A cell of cellsList may have tags of its own.
    cells = [{**tags, **cell} for cell in tags.get("cellsList", [])] or [tags]
    for cell in cells:
        known = {"pop": pop, **{key: cell.get(key) for key in TAGS}}
        if not conditions:
            met = known["cellType"] == label
        else:
            met = all(_may(key, wanted, known, tags) for key, wanted in conditions.items())
        if met:
            return True
    return False


def _may(key: str, wanted: Any, known: Mapping, tags: Mapping) -> bool:
    """Whether cells of a population, with these tags known of them, may meet a condition."""
    several = isinstance(wanted, list | tuple)
    if key in known:
        return known[key] in (wanted if several else [wanted])
    within = tags.get(f"{key}Range")  # where its cells are, for a condition on places
    if within is None or not several or "cellsList" in tags:
        return True
    return wanted[0] <= within[1] and within[0] <= wanted[1]


def soma(secs: Mapping, whose: str) -> str:
    """Name of the soma: the section of that name, or the only one that hangs on no other.

    Raises:
        InputError: There is none, or more than one.
    """
    chosen = _somata(secs, {})
    if len(chosen) != 1:
        raise InputError(
            f"{whose} has no soma: none of its sections ({', '.join(list(secs)[:6])}) is called "
            f"soma, and {len(chosen)} hang on no other."
        )
    return chosen[0]


def somata(rules: Mapping[str, Mapping]) -> dict[str, str]:
    """Rule -> its soma; rules that add to the cells of others are left out.

    Raises:
        InputError: None of the rules has one.
    """
    hung = {
        name
        for rule in rules.values()
        for name, section in rule["secs"].items()
        if section.get("topol")
    }
    chosen = {label: _somata(rule["secs"], hung) for label, rule in rules.items()}
    one = {label: names[0] for label, names in chosen.items() if len(names) == 1}
    if not one:
        label, rule = next(iter(rules.items()))
        soma(rule["secs"], f"Rule {label!r}")
        raise InputError(f"None of the rules {', '.join(rules)} has a soma.")
    return one


def _somata(secs: Mapping, hung: set[str] | Mapping) -> list[str]:
    named = [name for name in secs if name.lower() in SOMA]
    return named or [
        n for n, section in secs.items() if not section.get("topol") and n not in hung
    ]


def bare(rule: Mapping, name: str | None, threshold: float) -> dict:
    """A copy of a rule without channels at the soma of that name, where spikes are detected."""
    new = _copied(rule)
    for section in new["secs"].values():
        if section.pop("spikeGenLoc", None) is not None:
            section.pop("threshold", None)
    if name is None:
        return new
    section = new["secs"][name]
    for key in ("mechs", "ions", "pointps"):
        section.pop(key, None)
    section.setdefault("geom", {})["nseg"] = 1
    norm = section.get("weightNorm")
    if norm:
        section["weightNorm"] = [norm[len(norm) // 2]]
    section["spikeGenLoc"], section["threshold"] = 0.5, float(threshold)
    return new


def _copied(value: Any) -> Any:
    """A deep copy; of NetPyNE's own dicts the copy module makes none."""
    if isinstance(value, Mapping):
        new = type(value)()
        new.update({key: _copied(each) for key, each in value.items()})
        return new
    return [_copied(each) for each in value] if type(value) is list else deepcopy(value)


def put(params: Any, pop: str, swapped: Mapping[str, dict]) -> list[str]:
    """Put swapped rules in place of the old ones, for this population alone.

    Where another population uses a rule, the swapped one comes right behind it: of two rules
    for one cell, NetPyNE lets the later one win.

    Returns:
        Labels of the swapped rules.
    """
    shared = {label: _others(params, label, pop) for label in swapped}
    fractions = _fractions(params.cellParams)
    rules, labels = dict(params.cellParams), []
    params.cellParams.clear()
    for label, old in rules.items():
        if label not in swapped:
            params.cellParams[label] = old
            continue
        new, own = swapped[label], label
        if shared[label]:
            conditions = dict(old.get("conds", {})) or {"cellType": label}
            if old.pop("diversityFraction", None) is not None:
                # NetPyNE would count the fractions of the copy on from the original's.
                new.pop("diversityFraction")
                conditions["fraction"] = fractions[label]
            old["conds"] = {**conditions, "pop": shared[label]}
            new["conds"] = {**conditions, "pop": pop}
            params.cellParams[label] = old
            own = _unused(f"{label}_{pop}", rules)
        params.cellParams[own] = new
        labels.append(own)
    return labels


def _others(params: Any, label: str, pop: str) -> list[str]:
    """The other populations that a rule makes cells of."""
    rule = params.cellParams[label]
    others = {name: tags for name, tags in params.popParams.items() if name != pop}
    return [name for name, tags in others.items() if applies(label, rule, name, tags)]


def _unused(label: str, rules: Mapping) -> str:
    while label in rules:
        label += "_"
    return label


def _fractions(rules: Mapping) -> dict[str, list[float]]:
    """Range of the tag `fraction` that NetPyNE is going to give each rule of a diversity."""
    ends: dict[tuple, float] = {}
    ranges = {}
    for label, rule in rules.items():
        if "diversityFraction" in rule:
            conditions = rule.get("conds", {})
            family = tuple(str(conditions.get(key)) for key in (*TAGS, "pop"))
            start = ends.get(family)
            ends[family] = end = (start or 0.0) + rule["diversityFraction"]
            # Its own correction, so that no cell is in two ranges.
            ranges[label] = [0.0 if start is None else start - 1e-12, end - 1e-12]
    return ranges
