"""A cell from a NetPyNE rule: one entry of `netParams.cellParams`, as a plain dict.

Built straight in NEURON, in NetPyNE's own order (sections, topology, then for each section
its geometry, mechanisms and ions), so NetPyNE itself is not needed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from neuron import h

from ..errors import InputError
from ..files import read_json
from . import biophysics
from .spec import HofCell
from .values import as_number, need

_SECTION = (
    "geom",
    "topol",
    "mechs",
    "ions",
    "vinit",
    "threshold",
    "spikeGenLoc",
    "pointps",
    "synMechs",
)
_GEOMETRY = ("L", "diam", "Ra", "cm", "nseg", "pt3d")
_IONS = {"e": "e{}", "i": "{}i", "o": "{}o"}  # NetPyNE's key -> NEURON's range variable


class _Owner:
    def __init__(self, name: str) -> None:
        self.name = "".join(c if c.isalnum() else "_" for c in name)
        self.secs: dict[str, Any] = {}

    def __str__(self) -> str:
        return self.name


def load_netpyne(
    rule: Mapping[str, Any] | str | os.PathLike,
    *,
    name: str = "netpyne_cell",
    celsius: float | None = None,
    v_init: float | None = None,
    dt: float = 0.025,
    threshold: float | None = None,
    junction_potential: float = 0.0,
    mechanisms: str | os.PathLike | None = None,
) -> HofCell:
    """Describe the cell of a NetPyNE cell rule.

    Args:
        rule: An entry of `netParams.cellParams`, or a JSON file of one.
        name: Name of the cell.
        celsius: Temperature [degC]; by default the rule's own `globals`.
        v_init: Initial voltage [mV]; by default the soma's `vinit`, or the rule's `globals`.
        dt: Fixed step [ms].
        threshold: Spike-detection threshold [mV]; by default the soma's own `threshold`.
        junction_potential: What the model's voltage has been shifted by [mV].
        mechanisms: Folder of the model's mod files, if it needs any.

    Raises:
        InputError: The rule says something that cannot be built faithfully.
    """
    where = f"NetPyNE rule {name}"
    if isinstance(rule, (str, os.PathLike)):
        where, rule = str(rule), read_json(rule, "NetPyNE rule")
    rule = _plain(rule, where)
    sections = need(rule, "secs", where)
    if not sections:
        raise InputError(f"{where}: secs is empty.")
    soma = next((s for s in ("soma", "soma_0") if s in sections), None)
    if soma is None:
        raise InputError(
            f"{where}: no section is named soma or soma_0; there are "
            f"{', '.join(list(sections)[:8])}."
        )
    for label, section in sections.items():
        _check_section(section, sections, f"{where}, secs.{label}")
    given = _globals(rule, where)
    vinits = {s["vinit"] for s in sections.values() if "vinit" in s}
    if v_init is None and len(vinits) > 1:
        raise InputError(
            f"{where}: its sections have different vinit ({sorted(vinits)}); give one v_init."
        )
    celsius = _chosen("celsius", celsius, given.pop("celsius", None), where)
    own_start = next(iter(vinits), given.pop("v_init", None))
    source = {"secs": sections, "soma": soma, "origin": where, "globals": given}
    if mechanisms is not None:
        source["mechanisms"] = str(mechanisms)
    return HofCell(
        name,
        "netpyne",
        source,
        celsius=celsius,
        v_init=_chosen("v_init", v_init, own_start, where),
        dt=dt,
        threshold=_chosen("threshold", threshold, sections[soma].get("threshold"), where),
        junction_potential=junction_potential,
    )


def _plain(rule: Any, where: str) -> dict[str, Any]:
    """NetPyNE's own dict classes as plain ones; whatever is not data is refused."""
    try:
        return json.loads(json.dumps(rule, default=_unwrapped))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{where}: a rule holds numbers, strings, lists and dicts only: {error}"
        ) from None


def _unwrapped(value: Any) -> Any:
    """A NumPy scalar or array, or a Mapping, as JSON knows it."""
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{value!r} is {type(value).__name__}")


def _globals(rule: dict[str, Any], where: str) -> dict[str, float]:
    """The rule's hoc globals, and the ions' initial concentrations, which are globals too."""
    given = {
        key: as_number(v, f"{where}, globals.{key}")
        for key, v in (rule.get("globals") or {}).items()
    }
    for label, section in rule["secs"].items():
        for ion, settings in (section.get("ions") or {}).items():
            for key in set(settings) & {"i", "o"}:
                name, value = f"{ion}{key}0_{ion}_ion", settings[key]
                if given.setdefault(name, value) != value:
                    raise InputError(
                        f"{where}, secs.{label}.ions.{ion}.{key}: {value!r}, but "
                        f"another section has {given[name]!r}; NEURON starts an "
                        f"ion at one concentration everywhere ({name})."
                    )
    return given


def _chosen(key: str, given: float | None, own: Any, where: str) -> float:
    if given is not None:
        return given
    if own is None:
        raise InputError(f"{where} does not state {key}; pass {key}=...")
    return as_number(own, f"{where}, {key}")


def _check_section(section: Any, sections: dict[str, Any], where: str) -> None:
    """Refuse what would be built otherwise than NetPyNE builds it."""
    if not isinstance(section, dict):
        raise InputError(f"{where}: expected an object, got {type(section).__name__}.")
    unknown = [key for key in section if key not in _SECTION]
    if unknown:
        raise InputError(
            f"{where}: unknown key {unknown[0]!r}; a section has {', '.join(_SECTION)}."
        )
    for key in ("pointps", "synMechs"):
        if section.get(key):
            raise InputError(
                f"{where}.{key}: a hall-of-fame cell is its membrane alone; take "
                f"the point processes and synapses out of the rule."
            )
    parent = (section.get("topol") or {}).get("parentSec")
    if parent is not None and parent not in sections:
        raise InputError(f"{where}.topol: parentSec {parent!r} is not a section of the rule.")
    for key, value in (section.get("geom") or {}).items():
        if key not in _GEOMETRY:
            raise InputError(
                f"{where}.geom: unknown key {key!r}; there are {', '.join(_GEOMETRY)}."
            )
        if key != "pt3d":
            as_number(value, f"{where}.geom.{key}")
    for kind in ("mechs", "ions"):
        for name, settings in (section.get(kind) or {}).items():
            for key, value in settings.items():
                for x in value if isinstance(value, list) else [value]:
                    if x is not None:
                        as_number(x, f"{where}.{kind}.{name}.{key}")


def build(cell: HofCell) -> _Owner:
    """Loader "netpyne": the rule's sections."""
    owner, rules = _Owner(cell.name), cell.source["secs"]
    origin = cell.source.get("origin", cell.name)
    for label in rules:
        owner.secs[label] = h.Section(name=label, cell=owner)
    for label, rule in rules.items():
        topology = rule.get("topol")
        if topology:
            owner.secs[label].connect(
                owner.secs[topology["parentSec"]], topology["parentX"], topology["childX"]
            )
    for label, rule in rules.items():
        _furnish(owner.secs[label], rule, f"{origin}, secs.{label}")
    return owner


def _furnish(section: Any, rule: dict[str, Any], where: str) -> None:
    """Geometry, mechanisms and ions of one section."""
    geometry = dict(rule.get("geom") or {})
    points = geometry.pop("pt3d", None)
    for key, value in geometry.items():
        setattr(section, key, int(value) if key == "nseg" else value)
    if points:
        section.pt3dclear()
        for point in points:
            section.pt3dadd(*point)
    biophysics.check(rule.get("mechs") or {}, f"{where}.mechs")
    for mechanism, settings in (rule.get("mechs") or {}).items():
        section.insert(mechanism)
        for key, value in settings.items():
            _set(section, f"{key}_{mechanism}", value, f"{where}.mechs.{mechanism}.{key}")
    for ion, settings in (rule.get("ions") or {}).items():
        section.insert(f"{ion}_ion")
        for key, value in settings.items():
            if key not in _IONS:
                raise InputError(f"{where}.ions.{ion}: unknown key {key!r}; there are e, i, o.")
            _set(section, _IONS[key].format(ion), value, f"{where}.ions.{ion}.{key}")


def _set(section: Any, name: str, value: Any, where: str) -> None:
    """One number for the section, or a list with one for each segment."""
    values = value if isinstance(value, list) else [value]
    if len(values) == 1:
        values = values * section.nseg
    if len(values) != section.nseg:
        raise InputError(f"{where}: {len(values)} values for {section.nseg} segments.")
    for segment, x in zip(section, values, strict=True):
        if x is not None:
            setattr(segment, name, x)
