"""Values read from somebody's JSON, with errors that name the file and the key."""

from __future__ import annotations

import math
from typing import Any

from ..errors import InputError


def need(content: Any, key: str, where: Any) -> Any:
    """`content[key]`, which must be there."""
    if not isinstance(content, dict):
        raise InputError(
            f"{where}: expected an object with the key {key!r}, got {type(content).__name__}."
        )
    if key not in content:
        raise InputError(
            f"{where}: the key {key!r} is missing; "
            f"there is {', '.join(map(str, content)) or 'nothing'}."
        )
    return content[key]


def as_number(value: Any, where: str) -> float:
    """A finite number, or a string that is one, as the Allen files write them."""
    try:
        if isinstance(value, bool):
            raise ValueError
        result = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{where}: expected a number, got {value!r}.") from None
    if not math.isfinite(result):
        raise InputError(f"{where}: expected a finite number, got {value!r}.")
    return result


def number(content: Any, key: str, where: Any) -> float:
    """The number at `content[key]`."""
    return as_number(need(content, key, where), f"{where}, key {key}")


def numbers(content: Any, where: str) -> dict[str, float]:
    """All values of an object, each a number."""
    if not isinstance(content, dict):
        raise InputError(f"{where}: expected an object, got {type(content).__name__}.")
    return {key: as_number(value, f"{where}, key {key}") for key, value in content.items()}
