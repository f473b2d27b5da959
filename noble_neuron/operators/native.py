"""C++ of our own, compiled once per machine into the user's cache."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from ..assets import cache_dir
from ..errors import MechanismError
from ..files import sha256, written_whole

FLAGS = ("-O3", "-march=native", "-ffp-contract=fast", "-std=c++17", "-shared", "-fPIC")


def compiled(source: Path) -> Path:
    """The library of a source file; compiled if nobody has, seconds.

    Raises:
        MechanismError: No compiler, or it failed.
    """
    setting = (*FLAGS, sys.platform, _processor())
    key = sha256(source.read_bytes(), *(x.encode() for x in setting))[:16]
    path = cache_dir() / "native" / f"{source.stem}-{key}.so"
    if not path.exists():
        _compile(source, path)
    return path


def _processor() -> str:
    """What code for this very processor depends on: a home may be shared by several kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((x for x in lines if x.startswith(("flags", "Features"))), platform.machine())


def _compile(source: Path, path: Path) -> None:
    names = (os.environ.get("CXX"), "g++", "c++", "clang++")
    compiler = next((n for n in names if n and shutil.which(n)), None)
    if compiler is None:
        raise MechanismError(
            f"Training is compiled on first use, and there is no C++ compiler in PATH (looked "
            f"for {', '.join(filter(None, names))}). Install one: 'apt install g++', 'conda "
            f"install cxx-compiler' or 'xcode-select --install'."
        )
    with written_whole(path) as temporary:
        # Not every compiler has OpenMP; without it one core does the work.
        for threads in (("-fopenmp",), ()):
            command = [compiler, *FLAGS, *threads, str(source), "-o", str(temporary)]
            answer = subprocess.run(command, text=True, capture_output=True, check=False)
            if not answer.returncode:
                return
        raise MechanismError(
            f"Compiling {source.name} with {compiler} failed (exit status {answer.returncode}). "
            f"Its last words:\n{answer.stderr.strip()[-1000:]}"
        )
