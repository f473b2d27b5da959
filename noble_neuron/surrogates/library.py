"""The bundles that ship with the package."""

from __future__ import annotations

from pathlib import Path

from ..assets import library_dir
from ..errors import BundleError

WHOLE_TRACE, STREAMING = "bundle", "stream"  # folders of an ensemble


def names(kind: str = WHOLE_TRACE) -> tuple[str, ...]:
    """Ensembles that have a bundle of this kind, sorted."""
    return tuple(
        sorted(card.parents[1].name for card in library_dir().glob(f"*/{kind}/card.json"))
    )


def find(name_or_folder: str | Path, kind: str = WHOLE_TRACE) -> Path:
    """The bundle's folder: a built-in name, or a folder of the user's own."""
    if str(name_or_folder) in names(kind):
        return library_dir() / str(name_or_folder) / kind
    folder = Path(name_or_folder)
    if folder.is_dir():
        return folder
    known = ", ".join(names(kind)) or "none"
    raise BundleError(
        f"No bundle {str(name_or_folder)!r}: it is no folder, and no built-in surrogate ({known})."
    )
