"""Where the files that ship with the package are, and where the user's cache is."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    """A top-level folder: inside an installed package, or one level up in a checkout."""
    for root in (_PACKAGE, _PACKAGE.parent):
        if (root / name).is_dir():
            return root / name
    raise InputError(
        f"The folder {name}/ is missing from this installation of noble_neuron "
        f"(looked in {_PACKAGE} and {_PACKAGE.parent}). Reinstall the package."
    )


def mod_dir() -> Path:
    """Folder of the NMODL sources."""
    return _shipped("mod")


def hoc_dir() -> Path:
    """Folder of the hoc sources."""
    return _shipped("hoc")


def library_dir() -> Path:
    """Folder of the built-in ensembles: one sub-folder each (cells, split, bundle)."""
    return _PACKAGE / "library"


def cache_dir() -> Path:
    """The user's cache; `NOBLE_NEURON_CACHE` moves it. Created by whoever writes."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "noble_neuron"
    return Path(os.environ.get("NOBLE_NEURON_CACHE", default))
