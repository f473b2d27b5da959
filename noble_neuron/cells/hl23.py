"""Human layer 2/3 cells of Yao et al. 2022, from a parameter JSON and a reconstruction."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files import read_json
from .spec import HofCell
from .values import need, number, numbers

_NAMES = {
    "CaDynamics": "nn_CaDynamics",
    "Ca_HVA": "nn_Ca_HVA",
    "Ca_LVA": "nn_Ca_LVA_HL23",
    "Ih": "nn_Ih",
    "Im": "nn_Im",
    "K_P": "nn_K_P",
    "K_T": "nn_K_T",
    "Kv3_1": "nn_Kv3_1",
    "NaTg": "nn_NaTg",
    "Nap": "nn_Nap",
    "SK": "nn_SK_HL23",
    "pas": "pas",
}
_IH_RATES = {
    "shift1": 154.9,
    "shift2": 11.9,
    "shift3": 0.0,
    "shift4": 33.1,
    "shift5": 6.43,
    "shift6": 193.0,
}
"""The rate constants of Ih that nn_Ih has built in (Kole et al. 2006)."""


def load_hl23(
    parameters: str | os.PathLike, morphology: str | os.PathLike | None = None
) -> HofCell:
    """Describe one HL23 cell.

    Args:
        parameters: The cell's `*_params.json`: section group -> mechanism -> parameter.
        morphology: Its SWC file; by default NAME.swc beside `parameters`.

    Raises:
        InputError: A file is missing, a mechanism unknown, or a value no number.
    """
    path = Path(parameters)
    content = read_json(path, "HL23 parameter file")
    name = str(need(content, "cell", path))
    swc = Path(morphology) if morphology else path.with_name(f"{name}.swc")
    if not swc.is_file():
        raise InputError(f"No such morphology file: {swc}")
    groups = {
        group: _group(values, f"{path}, sections.{group}")
        for group, values in need(content, "sections", path).items()
    }
    source = {
        "morphology": str(swc),
        "axon": "hl23",
        "nseg_um": 40,
        "Ra": number(content, "Ra_ohm_cm", path),
        "groups": groups,
        "origin": str(path),
    }
    return HofCell(
        name,
        "swc",
        source,
        celsius=number(content, "celsius", path),
        v_init=number(content, "v_init_mV", path),
        dt=0.025,
        threshold=-20.0,
    )


def _group(values: dict[str, Any], where: str) -> dict[str, Any]:
    mechanisms = {}
    for name, settings in need(values, "mechanisms", where).items():
        at = f"{where}.mechanisms.{name}"
        if name not in _NAMES:
            raise InputError(f"{at}: unknown mechanism; the HL23 family has {', '.join(_NAMES)}.")
        mechanisms[_NAMES[name]] = _settings(name, numbers(settings, at), at)
    reversals = numbers(values.get("reversal_mV", {}), f"{where}.reversal_mV")
    return {
        "cm": number(values, "cm", where),
        "Ra": number(values, "Ra", where),
        "mechanisms": mechanisms,
        **reversals,
    }


def _settings(name: str, settings: dict[str, float], where: str) -> dict[str, float]:
    if name != "Ih":
        return settings
    for key, constant in _IH_RATES.items():
        if abs(settings.get(key, constant) - constant) > 1e-9:
            raise InputError(
                f"{where}.{key}: {settings[key]:g} is not the published "
                f"{constant:g}, the only one that nn_Ih has."
            )
    return {k: v for k, v in settings.items() if k not in _IH_RATES}
