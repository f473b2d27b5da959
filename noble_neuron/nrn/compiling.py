"""NMODL sources become a shared library, once per machine and NEURON, in the user's cache."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import neuron
from neuron import h

from ..assets import cache_dir, mod_dir
from ..errors import MechanismError
from ..files import sha256, written_whole

# Open MPI and PMI announce a parallel job through these; a compiler run must not join it.
_MPI_PREFIXES = ("OMPI_", "PMIX_", "PMI_")


def sources(folder: Path | None = None) -> list[Path]:
    """NMODL files of a folder, sorted; ours (the default) are named after their mechanisms."""
    return sorted((folder or mod_dir()).glob("*.mod"))


def _with_included(folder: Path | None) -> list[Path]:
    """The sources and what they may include: .inc files, and headers of VERBATIM blocks."""
    place = folder or mod_dir()
    return sources(folder) + sorted(
        p for end in ("inc", "h", "hpp") for p in place.glob(f"*.{end}")
    )


def library(folder: Path | None = None) -> Path:
    """The compiled library of a folder (ours by default) for this NEURON.

    It is compiled if nobody has.

    Any number of processes may call this at once: one compiles, the others wait, and a
    file appears under its final name only when it is complete.

    Raises:
        MechanismError: No compiler, the compilation failed, or the cache is not writable.
    """
    path = cache_dir() / "mechanisms" / _key(folder) / f"libnrnmech{_suffix()}"
    if path.exists():
        return path
    with _locked(path.parent):
        if not path.exists():
            _compile(path, folder)
    return path


def _key(folder: Path | None = None) -> str:
    """Names all that a compiled library depends on."""
    files = _with_included(folder)
    texts = [part for s in files for part in (s.name.encode(), s.read_bytes())]
    setting = (neuron.__version__, h.neuronhome(), sys.version, platform.platform())
    return sha256(*texts, *(x.encode() for x in setting))[:16]


def _suffix() -> str:
    return ".dylib" if sys.platform == "darwin" else ".so"


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; file systems without locks do without (renames are atomic)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / "lock", "w")  # noqa: SIM115  closed below
    except OSError as error:
        raise MechanismError(
            f"Compiled mechanisms cannot be kept in {folder}: {error.strerror}. Set "
            f"NOBLE_NEURON_CACHE to a folder that can be written."
        ) from error
    with lock:
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compile(path: Path, origin: Path | None) -> None:
    """Run nrnivmodl on copies of the sources, away from the user's folder."""
    tool, environment = _nrnivmodl()
    with tempfile.TemporaryDirectory(prefix="noble_neuron-") as folder:
        for source in _with_included(origin):
            shutil.copy(source, folder)
        answer = subprocess.run(
            [str(tool), "."],
            cwd=folder,
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            errors="replace",
            check=False,
        )
        built = list(Path(folder).glob(f"*/{path.name}"))
        if answer.returncode or not built:
            last = "\n".join(answer.stdout.strip().splitlines()[-12:])
            raise MechanismError(
                f"Compiling {origin or mod_dir()} with {tool} failed (exit status "
                f"{answer.returncode}). Its last words:\n{last}"
            )
        with written_whole(path) as temporary:
            shutil.copyfile(built[0], temporary)


def _nrnivmodl() -> tuple[Path, dict[str, str]]:
    """NEURON's compiler driver and the environment it needs.

    The running NEURON's own comes first, so that versions cannot mix; it works from
    Python and from bare nrniv alike.
    """
    root = Path(h.neuronhome()).parents[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(_MPI_PREFIXES)}
    own = root / "bin" / "nrnivmodl"
    beside = Path(sys.executable).parent / "nrnivmodl"
    found = next((p for p in (own, beside) if p.exists()), shutil.which("nrnivmodl"))
    if found is None:
        raise MechanismError(
            f"nrnivmodl, which compiles mechanisms, is missing (looked in {own.parent}, "
            f"{beside.parent} and PATH). Reinstall NEURON: pip install neuron."
        )
    environment |= _build_tools(environment)
    if found == own:
        environment |= {"NRNHOME": str(root), "NEURONHOME": h.neuronhome()}
    return Path(found), environment


def _build_tools(environment: dict[str, str]) -> dict[str, str]:
    """CC and CXX, taken from the user or found in PATH.

    A NEURON wheel names the compilers of the machine that built it, so they must be said.
    """
    choices = {"CC": ("gcc", "cc", "clang"), "CXX": ("g++", "c++", "clang++")}
    tools = {}
    for variable, names in choices.items():
        if environment.get(variable):
            continue
        name = next((n for n in names if shutil.which(n)), None)
        if name is None:
            raise MechanismError(_missing(f"none of {', '.join(names)}"))
        tools[variable] = name
    if shutil.which("make") is None:
        raise MechanismError(_missing("no make"))
    return tools


def _missing(what: str) -> str:
    return (
        f"NEURON mechanisms are compiled on first use, and there is {what} in PATH. Install "
        f"a C++ compiler and make: 'apt install g++ make', 'conda install cxx-compiler make' "
        f"or 'xcode-select --install'."
    )
