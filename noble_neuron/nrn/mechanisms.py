"""Our mechanisms come into NEURON: compiled once, loaded once, never over somebody else's."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from neuron import h

from ..errors import MechanismError
from .compiling import library, sources

# A hoc string, so that the answer lives as long as NEURON does, not as long as this module.
_MARK = "nn_library"
_DECLARED = re.compile(r"(?:^|\{)\s*(?:SUFFIX|POINT_PROCESS|ARTIFICIAL_CELL)\s+(\w+)", re.M)
_CURRENT = re.compile(r"(?:NONSPECIFIC|ELECTRODE)_CURRENT|USEION\s+(\w+)[^\n]*WRITE[^\n]*\bi\1\b")
_ELECTRODE = re.compile(r"\bELECTRODE_CURRENT\b")
_COMMENT = re.compile(r"COMMENT.*?ENDCOMMENT|[:?][^\n]*", re.S)
# Libraries of other people's folders that this process has loaded, and the folders.
_loaded: dict[str, str] = {}


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


def load_folder(folder: str | os.PathLike) -> None:
    """Make the mechanisms of somebody's mod files insertable, beside ours. Idempotent.

    Raises:
        MechanismError: No mod files, they cannot be compiled, or a name is taken.
    """
    folder = Path(folder)
    found = [name for source in sources(folder) for name in _names_in(source)]
    if not found:
        raise MechanismError(f"No mechanisms in {folder}: it holds no .mod file.")
    path = library(folder)
    if str(path) in _loaded:
        return
    taken = [name for name in found if h.name_declared(name)]
    if taken:
        raise MechanismError(
            f"Duplicate mechanism library: {folder} defines {', '.join(taken)}, which NEURON "
            f"already has, perhaps from another model or from the folder it started in. Build "
            f"this cell in a process of its own, or rename the mechanisms."
        )
    _load(path)
    _loaded[str(path)] = str(folder.absolute())


def folders() -> list[str]:
    """What `load_folder` has loaded in this process."""
    return list(_loaded.values())


def carries_current(mechanism: str) -> bool:
    """Whether a density mechanism that NEURON knows has a current of its own.

    Its NMODL text tells, which NEURON keeps. Without one, as from the channel builder, it has.
    """
    kind = h.MechanismType(0)
    kind.select(mechanism)
    text = _COMMENT.sub("", kind.code())
    return not text or bool(_CURRENT.search(text))


def is_electrode(point_process: str) -> bool:
    """Whether the current of a point process depolarises where it is positive."""
    kind = h.MechanismType(1)
    kind.select(point_process)
    return bool(_ELECTRODE.search(_COMMENT.sub("", kind.code())))


def _names_in(source: Path) -> list[str]:
    """Names that an NMODL file declares."""
    text = re.sub(r"COMMENT.*?ENDCOMMENT", "", source.read_text(errors="replace"), flags=re.S)
    return _DECLARED.findall(text)


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
