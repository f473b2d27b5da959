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


class Probe:
    """One event through each of some connections of a cell that hears nothing else.

    Args:
        sim: NetPyNE's.
        cell: A cell of `sim.net`, whose stimulation is silent.
        chosen: Of its connections.
        times: Of the events [ms].

    Attributes:
        about: Of each event: when it is, where it seems to come from, and where it acts.
    """

    def __init__(self, sim: Any, cell: Any, chosen: list[dict], times: list[float]) -> None:
        self.about: list[dict[str, Any]] = []
        self._events = []
        for conn in cell.conns:
            if _netcon(conn):
                conn["hObj"].active(any(conn is one for one in chosen))
        for conn, time in zip(chosen, times, strict=True):
            self._events.append((conn["hObj"], time))
            self.about.append({"gid": int(cell.gid), "at": time, **_said(sim, conn)})
        self._queue = h.FInitializeHandler(1, self._send)

    def _send(self) -> None:
        for netcon, time in self._events:
            netcon.event(time)


def chosen(sim: Any, cell: Any, most: int, first: int = 0) -> list[dict]:
    """Connections of a cell to probe: of each source and synapse those nearest and farthest out.

    Args:
        sim: NetPyNE's.
        cell: A cell of `sim.net`.
        most: How many, at most.
        first: Where to begin among the kinds of connections, so that cells may share them.
    """
    kinds: dict[tuple, list[dict]] = {}
    for conn in cell.conns:
        if _netcon(conn):
            kinds.setdefault((_source(sim, conn), conn.get("synMech")), []).append(conn)
    found = []
    for conns in kinds.values():
        distances = [_distance(conn) for conn in conns]
        ends = {int(np.argmin(distances)): None, int(np.argmax(distances)): None}
        found.append([conns[k] for k in ends])
    found = found[first % len(found) :] + found[: first % len(found)] if found else []
    ordered = [c for k in (0, 1) for conns in found for c in conns[k : k + 1]]
    return ordered[:most]


def quiet(sim: Any) -> None:
    """No stimulation of any cell: neither events nor currents."""
    for cell in sim.net.cells:
        for stim in getattr(cell, "stims", ()):
            _silence(stim.get("hObj"))


def _silence(stim: Any) -> None:
    """A source that never fires, or an electrode without current."""
    for name, value in (("start", 1e9), ("amp", 0.0)):
        if hasattr(stim, name):
            try:
                setattr(stim, name, value)
            except (TypeError, ValueError):  # a voltage clamp's amp is an array: it stays
                continue


def _netcon(conn: Any) -> bool:
    """Whether a connection is by events; gap junctions have no NetCon."""
    made = conn.get("hObj") if isinstance(conn, dict) else None
    return made is not None and hasattr(made, "event") and made.postseg() is not None


def _source(sim: Any, conn: dict) -> str:
    if conn["preGid"] == "NetStim":
        return str(conn.get("preLabel", "NetStim"))
    gid = int(conn["preGid"])
    return next((label for label, pop in sim.net.pops.items() if gid in pop.cellGids), str(gid))


def _distance(conn: dict) -> float:
    """From the synapse to the cell's root section [um]."""
    here = conn["hObj"].postseg()
    root = here.sec
    while root.parentseg() is not None:
        root = root.parentseg().sec
    return float(h.distance(root(0.5), here))


def _said(sim: Any, conn: dict) -> dict[str, Any]:
    return {
        "source": _source(sim, conn),
        "synapse": str(conn.get("synMech")),
        "section": str(conn.get("sec")),
        "distance": _distance(conn),
    }
