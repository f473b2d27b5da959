"""One block of a training set, run in a worker process and written as one shard."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..cells.spec import HofCell, LiveCell
from ..errors import NobleError
from ..store.shards import write_shard
from .plan import Block
from .run import simulate

# The cell built last: samples of one cell follow each other.
_built: list[LiveCell] = []


def run_block(
    block: Block, given_up: dict[int, str], path: Path, beat: Callable[[int], None]
) -> dict[int, str]:
    """Simulate a block and write its shard.

    Args:
        block: What to run.
        given_up: Row -> why it must not be tried again.
        path: The shard.
        beat: Told the row before each simulation, None before the shard is written.

    Returns:
        Row -> reason, for each missing row.

    Raises:
        StoreError: The shard could not be written.
    """
    answers: list[np.ndarray | str] = []
    for row, protocol in zip(block.rows, block.protocols, strict=True):
        beat(row)
        answers.append(
            given_up[row] if row in given_up else _answer(block.cell, protocol, block.record_dt)
        )
    beat(None)
    write_shard(path, block.rows, answers)
    return {row: a for row, a in zip(block.rows, answers, strict=True) if isinstance(a, str)}


def _answer(cell: HofCell, protocol, record_dt: float) -> np.ndarray | str:
    """Voltage [mV] as float32, or why there is none."""
    try:
        return simulate(_live(cell), protocol, record_dt=record_dt).v.astype(np.float32)
    except NobleError as error:
        return str(error)
    except Exception as error:
        # Whatever NEURON objects to, this row is missing and the next one starts afresh.
        traceback.print_exc()
        release()
        return f"{type(error).__name__}: {error}"


def _live(cell: HofCell) -> LiveCell:
    """The cell, built; kept from the last call if it is the same one."""
    if not _built or _built[0].cell != cell:
        release()
        _built.append(cell.build())
    return _built[0]


def release() -> None:
    """Destroy the cell that this process keeps built, if any."""
    while _built:
        _built.pop().destroy()
