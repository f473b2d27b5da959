"""Mechanisms and their values, group by group; the same few lines for every loader."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from neuron import h

from ..errors import InputError
from .formula import Formula

_IONS = ("na", "k", "ca")


def apply(groups: dict[str, list], parameters: dict[str, Any], where: str) -> None:
    """Insert each group's mechanisms and set each group's values.

    Args:
        groups: Sections of each group, e.g. {"soma": [...], "dend": [...]}.
        parameters: `Ra` [ohm cm] for all, and `groups`: for each group name a dict of `cm`
            [uF/cm2], `Ra`, `mechanisms` (name -> parameter -> value) and reversals such as
            `ena` [mV], which are set where the ion exists. A value is a number, the same in
            the whole group, or {"formula": text, ...}, a `Formula` of each segment's distance
            from soma(0.5). Groups that the cell does not have are passed over: published
            files list apical parameters for cells without an apical dendrite.
        where: What to name in an error: a file or a cell.

    Raises:
        InputError: A mechanism or a parameter that NEURON does not know, or a group of
            sections without parameters.
    """
    given = parameters["groups"]
    for group, sections in groups.items():
        if group not in given:
            raise InputError(
                f"{where}: no parameters for the group {group!r} "
                f"({len(sections)} sections); it has {', '.join(given)}."
            )
        values = {"Ra": parameters.get("Ra"), **given[group]}
        _apply_group(sections, values, f"{where}, group {group}")


def _apply_group(sections: list, values: dict[str, Any], where: str) -> None:
    values = dict(values)
    mechanisms = values.pop("mechanisms", {})
    axial, capacitance = values.pop("Ra"), values.pop("cm", None)
    check(mechanisms, where)
    for key in values:
        if not (key.startswith("e") and key[1:] in _IONS):
            raise InputError(
                f"{where}: unknown key {key!r}; a group has cm, Ra, mechanisms "
                f"and the reversals {', '.join('e' + ion for ion in _IONS)}."
            )
    for section in sections:
        if axial is not None:
            section.Ra = axial
        if capacitance is not None:
            _set(section, "cm", capacitance)
        for mechanism, settings in mechanisms.items():
            section.insert(mechanism)
            for name, value in settings.items():
                _set(section, f"{name}_{mechanism}", value)
        for key, value in values.items():
            if h.ismembrane(f"{key[1:]}_ion", sec=section):
                setattr(section, key, value)


def _set(section: Any, name: str, value: Any) -> None:
    """Set a range variable: a number everywhere, a formula segment by segment."""
    if not isinstance(value, dict):
        setattr(section, name, float(value))
        return
    at = _compiled(value["formula"])
    constants = {k: v for k, v in value.items() if k != "formula"}
    soma = section.cell().soma[0]
    for segment in section:
        distance = h.distance(soma(0.5), segment)
        setattr(segment, name, at(distance=distance, **constants))


@lru_cache(maxsize=256)
def _compiled(text: str) -> Callable[..., float]:
    return Formula(text)


def check(mechanisms: dict[str, Iterable[str]], where: str) -> None:
    """Refuse a mechanism or parameter that the running NEURON does not have."""
    known = density_mechanisms()
    for mechanism, settings in mechanisms.items():
        if mechanism not in known:
            raise InputError(
                f"{where}: NEURON has no mechanism {mechanism!r}"
                f"{_nearest(mechanism, known)}; if it is a foreign one, name the "
                f"folder of its mod files."
            )
        parameters = mechanism_parameters(mechanism)
        for name in settings:
            if name not in parameters:
                raise InputError(
                    f"{where}: mechanism {mechanism!r} has no parameter {name!r}; "
                    f"it has {', '.join(parameters) or 'none'}."
                )


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (nearest: {near[0]!r})" if near else ""


def density_mechanisms() -> list[str]:
    """Names of the density mechanisms loaded into this NEURON."""
    table, name, names = h.MechanismType(0), h.ref(""), []
    for k in range(int(table.count())):
        table.select(k)
        table.selected(name)
        names.append(name[0])
    return names


def mechanism_parameters(mechanism: str) -> tuple[str, ...]:
    """Names of a density mechanism's range parameters, without its suffix."""
    standard, name, names = h.MechanismStandard(mechanism, 1), h.ref(""), []
    for k in range(int(standard.count())):
        standard.name(name, k)
        names.append(name[0].removesuffix(f"_{mechanism}"))
    return tuple(names)
