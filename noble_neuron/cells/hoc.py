"""A cell from a hoc template: a file, a template in it, and the template's arguments."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from neuron import h

from ..errors import CellError, InputError
from ..files import sha256
from .spec import HofCell

# hoc forgets neither a template nor its name, so neither may we: template -> (file, digest).
_defined: dict[str, tuple[Path, str]] = {}


def load_hoc(
    file: str | os.PathLike,
    template: str,
    arguments: Sequence[float | str] = (),
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
    """Describe a cell that a hoc template makes.

    Args:
        file: The hoc file. It runs in its own folder, so that it finds what it loads.
        template: Name of the template in it.
        arguments: Numbers and strings passed to the template; a path among them is absolute
            or relative to the file's folder.
        celsius: Temperature of the model [degC].
        v_init: Initial voltage [mV].
        dt: Fixed step [ms].
        threshold: Spike-detection threshold [mV].
        junction_potential: What the model's voltage has been shifted by [mV].
        name: Name of the cell; the template's by default.
        soma: The template's name of its soma.
        mechanisms: Folder of the model's mod files, if it needs any.
    """
    path = Path(file)
    _read(path)
    source: dict[str, Any] = {
        "file": str(path),
        "template": template,
        "arguments": list(arguments),
        "soma": soma,
    }
    if mechanisms is not None:
        source["mechanisms"] = str(mechanisms)
    return HofCell(
        name or template, "hoc", source, celsius, v_init, dt, threshold, junction_potential
    )


def build(cell: HofCell) -> Any:
    """Loader "hoc": an instance of the template."""
    path = Path(cell.source["file"]).absolute()
    template = cell.source["template"]
    with _inside(path.parent):
        _define(path, template)
        try:
            return getattr(h, template)(*cell.source["arguments"])
        except RuntimeError as error:
            raise CellError(
                f"Cell {cell.name}: the template {template} of {path} failed: {error}"
            ) from error


def _define(path: Path, template: str) -> None:
    """Run the file unless this very file has defined the template already."""
    digest = sha256(_read(path))
    if template in _defined:
        other, known = _defined[template]
        if known != digest:
            raise CellError(
                f"{path}: hoc already has another template {template}, from "
                f"{other}; build the two in separate processes."
            )
        return
    if h.name_declared(template):
        raise CellError(
            f"{path}: the name {template} is already taken in hoc; build this "
            f"cell in a process of its own, or rename the template."
        )
    try:
        h.load_file(1, path.name)
    except RuntimeError as error:
        raise InputError(f"{path} is not valid hoc: {error}") from error
    if not h.name_declared(template):
        raise InputError(f"{path} defines no template {template} that hoc could read.")
    _defined[template] = path, digest


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read the hoc file {path}: {error.strerror}.") from error


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in `folder`: hoc resolves the files it loads against the current one."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
