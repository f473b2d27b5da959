"""A cell from any Python callable that makes sections."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any

from ..errors import CellError, InputError
from .spec import HofCell


def load_python(
    function: Callable[..., Any] | str,
    arguments: dict[str, Any] | None = None,
    *,
    celsius: float,
    v_init: float,
    dt: float,
    threshold: float,
    junction_potential: float = 0.0,
    name: str | None = None,
    soma: str = "soma",
    mechanisms: str | os.PathLike | None = None,
) -> HofCell:
    """Describe a cell that a function or class makes.

    Args:
        function: A function or class, or its "module:name". Workers import it by that name,
            so it has to live in a module that they can import. Whatever it returns (sections,
            a list or dict of them, an object that holds them) is kept as long as the cell;
            every section it makes belongs to the cell.
        arguments: Keyword arguments, plain values.
        celsius: Temperature of the model [degC].
        v_init: Initial voltage [mV].
        dt: Fixed step [ms].
        threshold: Spike-detection threshold [mV].
        junction_potential: What the model's voltage has been shifted by [mV].
        name: Name of the cell; the function's by default.
        soma: Name of the soma's section.
        mechanisms: Folder of the model's mod files, if it needs any.

    Raises:
        InputError: The callable cannot be imported by name.
    """
    target = function if isinstance(function, str) else _target(function)
    _import(target)
    source: dict[str, Any] = {"callable": target, "arguments": dict(arguments or {}), "soma": soma}
    if mechanisms is not None:
        source["mechanisms"] = str(mechanisms)
    return HofCell(
        name or target.rpartition(":")[2],
        "python",
        source,
        celsius,
        v_init,
        dt,
        threshold,
        junction_potential,
    )


def build(cell: HofCell) -> Any:
    """Loader "python": what the callable returns."""
    function = _import(cell.source["callable"])
    made = function(**cell.source["arguments"])
    if made is None:
        raise CellError(
            f"Cell {cell.name}: {cell.source['callable']} returned None; it has to "
            f"return its sections, or they vanish with its variables."
        )
    return made


def _target(function: Callable[..., Any]) -> str:
    """The "module:name" that finds this callable again in another process."""
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None)
    if not module or not name or "<" in name or module == "__main__":
        raise InputError(
            f"{function!r} cannot be imported by name in a worker process; "
            f"define it at the top of a module of its own."
        )
    target = f"{module}:{name}"
    if _import(target) is not function:
        raise InputError(f"{target} is not {function!r}; a worker would find another object.")
    return target


def _import(target: str) -> Callable[..., Any]:
    module, separator, name = target.partition(":")
    if not separator or not module or not name:
        raise InputError(f"A Python cell is named 'module:function'; got {target!r}.")
    try:
        found: Any = importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"{target!r}: cannot import {module}: {error}") from error
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise InputError(f"{target!r}: the module {module} has no {name}.")
    if not callable(found):
        raise InputError(f"{target!r} is not callable.")
    return found
