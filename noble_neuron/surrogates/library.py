"""The bundles that ship with the package."""

from __future__ import annotations

from pathlib import Path

from ..assets import library_dir
from ..errors import BundleError


def names() -> tuple[str, ...]:
    """Ensembles that have a bundle, sorted."""
    return tuple(sorted(card.parents[1].name for card in library_dir().glob("*/bundle/card.json")))


def find(name_or_folder: str | Path) -> Path:
    """The bundle's folder: a built-in name, or a folder of the user's own."""
    if str(name_or_folder) in names():
        return library_dir() / str(name_or_folder) / "bundle"
    folder = Path(name_or_folder)
    if folder.is_dir():
        return folder
    known = ", ".join(names()) or "none"
    raise BundleError(
        f"No bundle {str(name_or_folder)!r}: it is no folder, and no built-in surrogate ({known})."
    )
