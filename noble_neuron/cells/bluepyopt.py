"""Cells as BluePyOpt describes them: parameters, mechanisms, morphology, and a hall of fame.

Two dialects of the same three files are read: the list of BluePyOpt's own examples, and the
`parameters`/`distributions` object of the Blue Brain e-model packages, whose results are in
`final.json`. Both become group parameters of the "swc" loader, so BluePyOpt is not needed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_json
from .bluepyopt_files import Row, read_hall_of_fame, read_mechanisms, read_rows
from .formula import Formula
from .spec import HofCell
from .values import as_number

_GROUPS = {"somatic": "soma", "basal": "dend", "apical": "apic", "axonal": "axon"}
_LISTS = {
    **{name: (name,) for name in _GROUPS},
    "all": tuple(_GROUPS),
    "allact": tuple(_GROUPS),
    "allnoaxon": ("somatic", "basal", "apical"),
    "somadend": ("somatic", "basal", "apical"),
    "somaxon": ("somatic", "axonal"),
}
"""Section lists, and those that the e-model packages make of them."""
_SECTION_VALUES = ("cm", "Ra", "ena", "ek", "eca")


def load_bluepyopt(
    parameters: str | os.PathLike,
    mechanisms: str | os.PathLike,
    morphology: str | os.PathLike,
    hall_of_fame: str | os.PathLike,
    *,
    replace_axon: bool = True,
    threshold: float = -20.0,
    dt: float = 0.025,
    junction_potential: float = 0.0,
    mod_folder: str | os.PathLike | None = None,
    name: str | None = None,
) -> tuple[HofCell, ...]:
    """Describe every model of a BluePyOpt hall of fame.

    Args:
        parameters: parameters.json; also states celsius and v_init.
        mechanisms: mechanisms.json: section list -> mechanisms; or, in the second dialect,
            the same file again.
        morphology: An .swc or .asc file, or the JSON of a `NrnFileMorphology`.
        hall_of_fame: A list of individuals (each a dict "parameter.location" -> value, or a
            list in the order of the free parameters), or a final.json.
        replace_axon: Whether BluePyOpt replaced the axon; a morphology JSON says it itself.
        threshold: Spike-detection threshold [mV].
        dt: Fixed step [ms].
        junction_potential: What the models' voltage has been shifted by [mV].
        mod_folder: Folder of the models' own mod files.
        name: Name of the ensemble; the morphology's by default.

    Raises:
        InputError: A file is missing or damaged, a value no number, a parameter missing, or
            a distribution that is no formula of {distance} and {value}.
    """
    paths = {"parameters": Path(parameters), "mechanisms": Path(mechanisms)}
    rows = read_rows(paths["parameters"])
    inserted = _inserted(read_mechanisms(paths["mechanisms"]), paths["mechanisms"])
    shape = _morphology(Path(morphology), replace_axon)
    name = name or Path(shape["morphology"]).stem
    models = read_hall_of_fame(Path(hall_of_fame), rows)
    cells = []
    for k, values in enumerate(models):
        where = f"{hall_of_fame}, model {k}"
        own = {"globals": {}} | shape | _parameters(rows, inserted, values, where)
        own["origin"] = str(paths["parameters"])
        if mod_folder is not None:
            own["mechanisms"] = str(mod_folder)
        start = {
            key: _global(own["globals"], key, paths["parameters"]) for key in ("celsius", "v_init")
        }
        cells.append(
            HofCell(
                f"{name}_{k}",
                "swc",
                own,
                **start,
                dt=dt,
                threshold=threshold,
                junction_potential=junction_potential,
                ensemble=name,
                hof=k,
            )
        )
    return tuple(cells)


def _global(values: dict[str, float], key: str, path: Path) -> float:
    if key not in values:
        raise InputError(
            f"{path}: no global parameter {key!r}; a cell states its celsius and v_init."
        )
    return values.pop(key)


def _morphology(path: Path, replace_axon: bool) -> dict[str, Any]:
    """The geometry's part of the source."""
    length = 40.0
    if path.suffix.lower() == ".json":
        content = read_json(path, "morphology description")
        if not isinstance(content, dict) or "morphology_path" not in content:
            raise InputError(f"{path}: the key 'morphology_path' is missing.")
        if content.get("morph_modifiers"):
            raise InputError(
                f"{path}, key morph_modifiers: functions cannot be read from "
                f"JSON; use load_python."
            )
        replace_axon = bool(content.get("do_replace_axon", False))
        length = as_number(content.get("nseg_frequency", 40), f"{path}, key nseg_frequency")
        if not content.get("do_set_nseg", True):
            length = 1e9  # one segment for each section
        path = path.parent / content["morphology_path"]
    if not path.is_file():
        raise InputError(f"No such morphology file: {path}")
    return {"morphology": str(path), "axon": "hl23" if replace_axon else "none", "nseg_um": length}


def _inserted(lists: dict[str, list[str]], path: Path) -> dict[str, list[str]]:
    """Group -> mechanisms, in the order they are inserted."""
    inserted: dict[str, list[str]] = {group: [] for group in _GROUPS.values()}
    for sections, names in lists.items():
        for group in _groups(sections, f"{path}, key {sections}") if names else ():
            inserted[group] += [n for n in names if n not in inserted[group]]
    return inserted


def _groups(sections: str, where: str) -> Iterable[str]:
    """Our group names of one section list."""
    if sections not in _LISTS:
        raise InputError(
            f"{where}: unknown section list {sections!r}; the known ones are {', '.join(_LISTS)}."
        )
    return [_GROUPS[name] for name in _LISTS[sections]]


def _parameters(
    rows: list[Row], inserted: dict[str, list[str]], values: dict[str, float], where: str
) -> dict[str, Any]:
    """`globals` and `groups` of one model; later rows override earlier ones, as there."""
    groups = {
        group: {"mechanisms": {name: {} for name in names}} for group, names in inserted.items()
    }
    globals_: dict[str, float] = {}
    for row in rows:
        value = values[row.key]
        if row.location == "global":
            globals_[row.name] = value
        elif not row.location.startswith("distribution_"):
            for group in _groups(row.location, row.where):
                _set(groups[group], row, _distributed(row, value, values), group)
    return {"globals": globals_, "groups": groups}


def _distributed(row: Row, value: float, values: dict[str, float]) -> float | dict[str, Any]:
    """The value itself, or the formula that scales it along the cell."""
    if row.formula is None:
        return value
    constants = {name: values[f"{name}.distribution_{row.distribution}"] for name in row.constants}
    try:
        names = Formula(row.formula).names
    except InputError as error:
        raise InputError(f"{row.where}: {error}") from None
    unknown = names - {"distance", "value"} - set(constants)
    if unknown:
        raise InputError(
            f"{row.where}: the distribution {row.formula!r} needs "
            f"{', '.join(sorted(unknown))}; only {{distance}} from the soma and "
            f"{{value}} are known."
        )
    return {"formula": row.formula, "value": value, **constants}


def _set(group: dict[str, Any], row: Row, value: Any, label: str) -> None:
    """Put one row's value where its name says."""
    if row.name in _SECTION_VALUES:
        if isinstance(value, dict) and row.name != "cm":
            raise InputError(f"{row.where}: {row.name} cannot vary within a section.")
        group[row.name] = value
        return
    fitting = [m for m in group["mechanisms"] if row.name.endswith(f"_{m}")]
    if not fitting:
        raise InputError(
            f"{row.where}: {row.name!r} belongs to no mechanism of {label}; it "
            f"has {', '.join(group['mechanisms']) or 'none'}."
        )
    mechanism = max(fitting, key=len)
    group["mechanisms"][mechanism][row.name.removesuffix(f"_{mechanism}")] = value
