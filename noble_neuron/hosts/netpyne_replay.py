"""Cells of a NetPyNE network by themselves: spikes of an earlier run in place of their partners'.

In a network everything follows from everything else, so two runs that differ by a rounding soon
have other spikes. To compare cells spike by spike they must get the same input: here every
connection to them is NetPyNE's own, with its synapse, weight, delay and plasticity, but listens
to a gid at which recorded spikes are played. Gap junctions stay live.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from neuron import h


class Redirected:
    """A ParallelContext whose connections to some cells listen to other gids.

    Args:
        context: NetPyNE's own, `sim.pc`.
        cells: gids of the cells.
        offset: Added to the gid that one of them is connected to.
    """

    def __init__(self, context: Any, cells: Iterable[int], offset: int) -> None:
        self._context, self._cells, self._offset = context, frozenset(cells), offset

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def gid_connect(self, gid: int, target: Any) -> Any:
        """The NetCon that NetPyNE asks for."""
        owner = _owner(target)
        other = owner in self._cells and gid != owner  # its own spikes stay its own
        return self._context.gid_connect(int(gid) + self._offset * other, target)


def _owner(target: Any) -> int | None:
    """gid of the NetPyNE cell that a point process sits on."""
    segment = target.get_segment()
    cell = None if segment is None else segment.sec.cell()
    return getattr(cell, "gid", None)


class Player:
    """Plays spikes at gids that no cell has; hold it as long as the simulation."""

    def __init__(self, times: np.ndarray, gids: np.ndarray, offset: int) -> None:
        order = np.argsort(times, kind="stable")
        self._times = h.Vector(np.asarray(times, dtype=float)[order])
        self._gids = h.Vector(np.asarray(gids, dtype=float)[order] + offset)
        self._pattern = h.PatternStim()
        self._pattern.play(self._times, self._gids)
