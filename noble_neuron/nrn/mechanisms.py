"""Our mechanisms come into NEURON: compiled once, loaded once, never over somebody else's."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from neuron import h

from ..errors import MechanismError
from .compiling import library, sources

# A hoc string, so that the answer lives as long as NEURON does, not as long as this module.
_MARK = "nn_library"


def names() -> list[str]:
    """Names of our mechanisms, as hoc knows them."""
    return [source.stem for source in sources()]


def load() -> None:
    """Make our mechanisms insertable; compiles them on first use. Silent, and idempotent.

    Raises:
        MechanismError: They cannot be compiled or loaded, or one of the names is taken.
    """
    if h.name_declared(_MARK):
        return
    taken = [name for name in names() if h.name_declared(name)]
    if taken:
        raise MechanismError(
            f"Duplicate mechanism library: another library than noble_neuron's has already "
            f"loaded {', '.join(taken)}, and NEURON cannot hold two mechanisms of one name. "
            f"NEURON loads the library in the folder it starts from: start from another "
            f"folder, or take noble_neuron's .mod files out of yours and run nrnivmodl again."
        )
    path = library()
    _load(path)
    h(f"strdef {_MARK}")
    setattr(h, _MARK, str(path))


def _load(path: Path) -> None:
    """Load one library; what NEURON prints is shown only as part of an error."""
    with tempfile.TemporaryFile() as said:
        with _redirected(said):
            try:
                loaded = bool(h.nrn_load_dll(str(path)))
            except RuntimeError:
                loaded = False
        if not loaded:
            said.seek(0)
            words = said.read().decode(errors="replace").strip()
            raise MechanismError(
                f"NEURON could not load {path}: {words or 'no reason given'}. If the file is "
                f"damaged, delete its folder; it is compiled again on the next use."
            )


@contextlib.contextmanager
def _redirected(file: IO[bytes]) -> Iterator[None]:
    """Send what C code writes to standard output and error into `file`."""
    kept = {fd: os.dup(fd) for fd in (1, 2)}
    try:
        for fd in kept:
            os.dup2(file.fileno(), fd)
        yield
    finally:
        for fd, copy in kept.items():
            os.dup2(copy, fd)
            os.close(copy)
