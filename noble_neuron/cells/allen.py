"""Allen all-active models: one morphology and a hall of fame of parameter files.

Read as published (Nandi et al. 2022, Cell Reports 40:111176, and the Allen Cell Types
Database): the imported axon gives way to two 30 um cylinders of 1 um, `pas` is everywhere, each
genome row holds for its whole group, and eca is left to the Nernst equation.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_json
from .spec import HofCell
from .values import as_number, need, number

_NAMES = {
    "CaDynamics": "nn_CaDynamics",
    "Ca_HVA": "nn_Ca_HVA",
    "Ca_LVA": "nn_Ca_LVA",
    "Ih": "nn_Ih",
    "Im_v2": "nn_Im_v2",
    "K_Pst": "nn_K_P",
    "K_Tst": "nn_K_T",
    "Kd": "nn_Kd",
    "Kv2like": "nn_Kv2like",
    "Kv3_1": "nn_Kv3_1",
    "NaV": "nn_NaV",
    "SK": "nn_SK",
    "pas": "pas",
}
_GROUPS = ("soma", "axon", "dend", "apic")
_FILE = re.compile(r"hof_param_(.+)_(\d+)\.json$")
_THRESHOLD = -20.0  # mV: these models' spikes peak at -20 to -7 mV
_DT = 0.02  # ms


def load_allen(folder: str | os.PathLike) -> tuple[HofCell, ...]:
    """Describe every hall-of-fame model in a folder, in the order of their index.

    Args:
        folder: Holds reconstruction.swc and hof/hof_param_<cell>_<k>.json.

    Raises:
        InputError: A file is missing, a mechanism unknown, a value no number, or a row or an
            index given twice.
    """
    folder = Path(folder)
    found: dict[int, Path] = {}
    for path in sorted((folder / "hof").glob("hof_param_*.json")):
        match = _FILE.search(path.name)
        if match is None:
            raise InputError(f"{path}: expected a name like hof_param_<cell>_<k>.json.")
        index = int(match[2])
        if index in found:
            raise InputError(f"{path} and {found[index].name} are both number {index}.")
        found[index] = path
    if not found:
        raise InputError(f"No hof/hof_param_<cell>_<k>.json in {folder}.")
    swc = folder / "reconstruction.swc"
    return tuple(load_allen_model(found[k], swc, k) for k in sorted(found))


def load_allen_model(
    parameters: str | os.PathLike, morphology: str | os.PathLike, hof: int | None = None
) -> HofCell:
    """Describe one all-active model from its parameter file and its reconstruction."""
    path, swc = Path(parameters), Path(morphology)
    content = read_json(path, "Allen parameter file")
    if not swc.is_file():
        raise InputError(f"No such morphology file: {swc}")
    conditions = _first(content, "conditions", path)
    groups = _groups(content, path)
    for row in need(conditions, "erev", path):
        group = need(row, "section", f"{path}, conditions[0].erev")
        for ion in ("ena", "ek"):
            if group in groups and ion in row:
                groups[group][ion] = number(row, ion, f"{path}, conditions[0].erev ({group})")
    source = {
        "morphology": str(swc),
        "axon": "stub",
        "nseg_um": 40,
        "Ra": number(_first(content, "passive", path), "ra", f"{path}, passive[0]"),
        "groups": groups,
        "origin": str(path),
    }
    match = _FILE.search(path.name)
    ensemble = f"allen_{match[1]}" if match else None
    name = f"{ensemble}_{hof}" if ensemble and hof is not None else path.stem
    fitting = content.get("fitting") or [{}]
    return HofCell(
        name,
        "swc",
        source,
        celsius=number(conditions, "celsius", f"{path}, conditions[0]"),
        v_init=number(conditions, "v_init", f"{path}, conditions[0]"),
        dt=_DT,
        threshold=_THRESHOLD,
        junction_potential=as_number(
            fitting[0].get("junction_potential", -14.0), f"{path}, fitting[0].junction_potential"
        ),
        ensemble=ensemble,
        hof=hof,
    )


def _first(content: Any, key: str, path: Path) -> dict[str, Any]:
    """The one object of a list of one."""
    rows = need(content, key, path)
    if not isinstance(rows, list) or not rows:
        raise InputError(f"{path}, key {key}: expected a list of one object.")
    return rows[0]


def _groups(content: Any, path: Path) -> dict[str, dict[str, Any]]:
    """The genome's rows as group parameters."""
    groups: dict[str, dict[str, Any]] = {}
    seen = set()
    for k, row in enumerate(need(content, "genome", path)):
        where = f"{path}, genome[{k}]"
        group, name = need(row, "section", where), need(row, "name", where)
        where = f"{where} ({name} of {group})"
        if group not in _GROUPS:
            raise InputError(f"{where}: unknown section group; expected {', '.join(_GROUPS)}.")
        if (group, name) in seen:
            raise InputError(f"{where}: this row is given twice.")
        seen.add((group, name))
        values = groups.setdefault(group, {"mechanisms": {"pas": {}}})
        _set_row(
            values,
            name,
            need(row, "mechanism", where),
            as_number(need(row, "value", where), where),
            where,
        )
    return groups


def _set_row(values: dict, name: str, mechanism: str, value: float, where: str) -> None:
    """Put one genome row where it belongs: cm, Ra, or a mechanism's parameter."""
    if not mechanism and name in ("cm", "Ra"):
        values[name] = value
        return
    mechanism = mechanism or "pas"
    if mechanism not in _NAMES:
        raise InputError(
            f"{where}: unknown mechanism {mechanism!r}; the Allen all-active "
            f"family has {', '.join(_NAMES)}."
        )
    parameter, separator, suffix = name.partition(f"_{mechanism}")
    if not separator or suffix:
        raise InputError(
            f"{where}: expected a name ending in _{mechanism}, such as gbar_{mechanism}."
        )
    values["mechanisms"].setdefault(_NAMES[mechanism], {})[parameter] = value
