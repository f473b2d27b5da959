"""BluePyOpt's JSON files in their two dialects, read into one list of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_json
from .values import as_number, need


@dataclass(frozen=True)
class Row:
    """One parameter of the model.

    Attributes:
        name: NEURON's name, e.g. "gbar_NaTg".
        location: Section list, "global", or "distribution_NAME".
        value: The frozen value; None where the hall of fame gives it.
        where: File and key, for errors.
        distribution: Name of its distribution over distance.
        formula: The distribution's formula; None is uniform.
        constants: Names of the distribution's own parameters.
    """

    name: str
    location: str
    value: float | None
    where: str
    distribution: str = "uniform"
    formula: str | None = None
    constants: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name in a hall of fame: "gbar_NaTg.axonal"; globals go by their name alone."""
        return self.name if self.location == "global" else f"{self.name}.{self.location}"


def read_rows(path: Path) -> list[Row]:
    """All parameters of a parameters.json."""
    content = read_json(path, "BluePyOpt parameter file")
    rows = list(
        _from_list(content, path) if isinstance(content, list) else _from_object(content, path)
    )
    seen: set[str] = set()
    for row in rows:
        if row.key in seen:
            raise InputError(f"{row.where}: {row.key} is given twice.")
        seen.add(row.key)
    return rows


def _from_list(content: list, path: Path) -> Iterator[Row]:
    """The dialect of BluePyOpt's examples: a list of typed entries."""
    for k, entry in enumerate(content):
        where = f"{path}[{k}]"
        name, kind = need(entry, "param_name", where), need(entry, "type", where)
        where = f"{where} ({name})"
        if kind not in ("global", "section", "range"):
            raise InputError(
                f"{where}: parameters of type {kind!r} are not read; the types "
                f"are global, section and range."
            )
        value = as_number(entry["value"], where) if "value" in entry else None
        if value is None and "bounds" not in entry:
            raise InputError(f"{where}: neither value nor bounds.")
        location = "global" if kind == "global" else need(entry, "sectionlist", where)
        shape = entry.get("dist_type", "uniform")
        formula = None if shape == "uniform" else need(entry, "dist", where)
        yield Row(name, location, value, where, shape, formula)


def _from_object(content: Any, path: Path) -> Iterator[Row]:
    """The dialect of the e-model packages: section list -> parameters, and distributions."""
    shapes = content.get("distributions", {}) if isinstance(content, dict) else {}
    for location, entries in need(content, "parameters", path).items():
        if location.startswith("__"):  # comments
            continue
        for entry in entries:
            where = f"{path}, parameters.{location}"
            name = need(entry, "name", where)
            where = f"{where} ({name})"
            given = need(entry, "val", where)
            value = None if isinstance(given, list) else as_number(given, where)
            shape = entry.get("dist") or "uniform"
            formula, constants = _shape(shape, shapes, where)
            yield Row(name, location, value, where, shape, formula, constants)


def _shape(name: str, shapes: Any, where: str) -> tuple[str | None, tuple[str, ...]]:
    """Formula and own parameters of a named distribution."""
    if name == "uniform":
        return None, ()
    shape = need(shapes, name, f"{where}, distributions")
    reference = shape.get("soma_ref_location", 0.5)
    if reference != 0.5:
        raise InputError(
            f"{where}: the distribution {name!r} measures from "
            f"soma({reference}); only soma(0.5) is read."
        )
    return need(shape, "fun", f"{where}, distributions.{name}"), tuple(shape.get("parameters", ()))


def read_mechanisms(path: Path) -> dict[str, list[str]]:
    """Section list -> names of mechanisms."""
    content = read_json(path, "BluePyOpt mechanism file")
    if isinstance(content, dict) and "mechanisms" in content:
        content = content["mechanisms"]
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected an object: section list -> mechanisms.")
    lists = {}
    for sections, names in content.items():
        if sections.startswith("__"):
            continue
        names = names.get("mech", []) if isinstance(names, dict) else names
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise InputError(f"{path}, key {sections}: expected a list of names.")
        lists[sections] = names
    return lists


def read_hall_of_fame(path: Path, rows: list[Row]) -> list[dict[str, float]]:
    """Each model's values by `Row.key`, the frozen ones included."""
    content = read_json(path, "hall of fame")
    if isinstance(content, dict):  # final.json: e-model name -> its results
        content = [_final(model, f"{path}, key {key}") for key, model in content.items()]
    if not isinstance(content, list) or not content:
        raise InputError(f"{path}: expected a list of models, or a final.json.")
    return [_values(model, rows, f"{path}, model {k}") for k, model in enumerate(content)]


def _final(model: Any, where: str) -> Any:
    for key in ("params", "parameters"):
        if isinstance(model, dict) and key in model:
            return model[key]
    raise InputError(f"{where}: the key 'params' is missing.")


def _values(model: Any, rows: list[Row], where: str) -> dict[str, float]:
    frozen = {row.key: row.value for row in rows if row.value is not None}
    free = [row.key for row in rows if row.value is None]
    if isinstance(model, list):
        if len(model) != len(free):
            raise InputError(f"{where}: {len(model)} values for {len(free)} free parameters.")
        model = dict(zip(free, model, strict=True))
    if not isinstance(model, dict):
        raise InputError(f"{where}: expected a list or an object of parameters.")
    unknown = [key for key in model if key not in frozen and key not in free]
    missing = [key for key in free if key not in model]
    if unknown or missing:
        what = f"unknown parameter {unknown[0]!r}" if unknown else f"no value for {missing[0]!r}"
        raise InputError(f"{where}: {what}; the free parameters are {', '.join(free)}.")
    given = {key: as_number(value, f"{where}, key {key}") for key, value in model.items()}
    return {**frozen, **given}
