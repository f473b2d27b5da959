"""The unfinished training set: a folder of shards, one per block of samples.

A shard is written whole (or not at all) by whoever computed it, so a build can be killed at
any moment and goes on from the shards that are there. Layout of a shard: length of the header
as 8 bytes, little endian; the header, JSON; the voltages as float32, one after another.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import StoreError
from ..files import written_whole

_LENGTH = 8  # bytes
_FLOAT = np.dtype("<f4")


@dataclass(frozen=True)
class Shard:
    """What one shard holds.

    Attributes:
        path: Its file.
        outcomes: One dict per sample: row, points, reason (empty if it went well).
        starts: Where each sample's voltage begins in the file [bytes].
    """

    path: Path
    outcomes: list[dict[str, Any]]
    starts: list[int]

    def voltage(self, k: int) -> np.ndarray:
        """Voltage of the shard's sample `k` [mV], float32, shape (points,)."""
        with open(self.path, "rb") as file:
            file.seek(self.starts[k])
            v = np.fromfile(file, _FLOAT, self.outcomes[k]["points"])
        if len(v) != self.outcomes[k]["points"]:
            raise StoreError(f"{self.path} is truncated. Delete it and run the same build again.")
        return v


def write_shard(path: Path, rows: Iterable[int], answers: Iterable[np.ndarray | str]) -> None:
    """Write one block: for each sample its row and its voltage [mV], or why there is none."""
    outcomes, traces = [], []
    for row, answer in zip(rows, answers, strict=True):
        failed = isinstance(answer, str)
        traces.append(b"" if failed else np.asarray(answer, _FLOAT).tobytes())
        outcomes.append(
            {
                "row": int(row),
                "points": len(traces[-1]) // _FLOAT.itemsize,
                "reason": answer if failed else "",
            }
        )
    header = json.dumps(outcomes).encode()
    with written_whole(path) as temporary, open(temporary, "wb") as file:
        file.write(len(header).to_bytes(_LENGTH, "little"))
        file.write(header)
        for trace in traces:
            file.write(trace)


def read_shard(path: Path) -> Shard | None:
    """The shard at `path`; None if there is none, or if it is not whole."""
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(_LENGTH), "little")
            outcomes = json.loads(file.read(length))
            size = os.fstat(file.fileno()).st_size
    except (OSError, ValueError, MemoryError, OverflowError):
        return None
    sizes = [o["points"] * _FLOAT.itemsize for o in outcomes]
    starts = [_LENGTH + length + sum(sizes[:k]) for k in range(len(sizes))]
    return Shard(path, outcomes, starts) if size == _LENGTH + length + sum(sizes) else None
