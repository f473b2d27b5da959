"""Results of single cells, kept one line each as they come, so that a killed run goes on."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from .. import __version__
from ..cells.spec import HofCell
from ..errors import StoreError
from ..files import sha256


class Kept:
    """JSON lines of {"key", "value"}; a key stands for a cell and all settings of its run.

    A line half written, or of another cell or other settings, is as if it were not there.
    The code and files that a cell is built from are not in the key: delete the file after
    changing them.

    Args:
        path: The file, made with the first line; None keeps nothing.
        settings: What the results depend on beside the cell; plain values.
    """

    def __init__(self, path: str | os.PathLike | None, settings: dict) -> None:
        self.path, self._settings = None if path is None else Path(path), settings
        self._known: dict[str, dict[str, float]] = {}
        if self.path is not None and self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    row = json.loads(line)
                    self._known[row["key"]] = row["value"]
                except (ValueError, KeyError, TypeError):
                    continue

    def get(self, cell: HofCell) -> dict[str, float] | None:
        """The cell's result, if it is there."""
        return self._known.get(self._key(cell))

    def add(self, cell: HofCell, value: dict[str, float]) -> None:
        """Keep a result; a run killed after this finds it again."""
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # A line that a killed run left half written must not swallow this one.
            with open(self.path, "a", encoding="utf-8") as file:
                file.write("\n" + json.dumps({"key": self._key(cell), "value": value}) + "\n")
        except OSError as error:
            raise StoreError(f"Cannot write {self.path}: {error.strerror}.") from error

    def _key(self, cell: HofCell) -> str:
        about = {"cell": asdict(cell), "settings": self._settings, "version": __version__}
        return sha256(json.dumps(about, sort_keys=True, default=str).encode())
