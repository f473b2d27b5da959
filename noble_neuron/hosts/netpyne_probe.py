"""Single synaptic events in the cells of a NetPyNE network, everything else silent."""

from __future__ import annotations

from typing import Any

import numpy as np
from neuron import h

SETTLE, APART = 200.0, 150.0  # ms until the first event of a cell, and between two
BASELINE = 10.0  # ms before an event, whose mean is the rest
PROBED, PROBES = 3, 4  # cells of a population, at most, and events of each


class Probes:
    """One event through each of some connections of some cells, one after the other.

    Made after the network has run: its cells are deaf from then on.

    Args:
        sim: NetPyNE's.
        cells: Cells of `sim.net`.
        record: Between two samples of their voltage [ms].

    Attributes:
        about: Of each event: its cell and time, where it seems to come from, where it acts.
        gids: Of the cells.
    """

    def __init__(self, sim: Any, cells: list[Any], record: float) -> None:
        self.about: list[dict[str, Any]] = []
        self.gids = [int(cell.gid) for cell in cells]
        self._sim, self._events = sim, []
        self._voltages = [h.Vector().record(_root(cell)(0.5)._ref_v, record) for cell in cells]
        for cell in sim.net.cells:
            for stim in getattr(cell, "stims", ()):
                _silence(stim.get("hObj"))
        for k, cell in enumerate(cells):
            for n, conn in enumerate(_chosen(sim, cell, k * PROBES)):
                self._add(cell, conn, SETTLE + n * APART)
            for conn in filter(_by_events, cell.conns):
                conn["hObj"].active(False)

    def _add(self, cell: Any, conn: dict, time: float) -> None:
        """A connection like the one given, without a source."""
        old = conn["hObj"]
        new = h.NetCon(None, old.syn())
        for k in range(int(old.wcnt())):
            new.weight[k] = old.weight[k]
        self._events.append((new, time))
        place = {"section": str(conn.get("sec")), "distance": _distance(cell, old.postseg())}
        source = {"source": _source(self._sim, conn), "synapse": str(conn.get("synMech"))}
        self.about.append({"gid": int(cell.gid), "at": time, **source, **place})

    def run(self) -> np.ndarray:
        """Voltage of each cell [mV], shape (cells, steps)."""
        queue = h.FInitializeHandler(1, self._send)
        h.finitialize(float(self._sim.cfg.hParams["v_init"]))
        self._sim.pc.psolve(SETTLE + PROBES * APART)
        del queue
        return np.array([np.array(v) for v in self._voltages])

    def _send(self) -> None:
        for netcon, time in self._events:
            netcon.event(time)


def _chosen(sim: Any, cell: Any, first: int) -> list[dict]:
    """Connections to probe: of each source and synapse those nearest and farthest out.

    Args:
        sim: NetPyNE's.
        cell: A cell of `sim.net`.
        first: Where to begin among the kinds of connections, so that cells may share them.
    """
    kinds: dict[tuple, list[dict]] = {}
    for conn in filter(_by_events, cell.conns):
        kinds.setdefault((_source(sim, conn), conn.get("synMech")), []).append(conn)
    ends = []
    for conns in kinds.values():
        distances = [_distance(cell, conn["hObj"].postseg()) for conn in conns]
        both = dict.fromkeys((int(np.argmin(distances)), int(np.argmax(distances))))
        ends.append([conns[k] for k in both])
    start = first % len(ends) if ends else 0
    turned = ends[start:] + ends[:start]
    return [c for k in (0, 1) for conns in turned for c in conns[k : k + 1]][:PROBES]


def _silence(stim: Any) -> None:
    """A source that never fires, or an electrode without current."""
    for name, value in (("start", 1e9), ("amp", 0.0)):
        if hasattr(stim, name):
            try:
                setattr(stim, name, value)
            except (TypeError, ValueError):  # a voltage clamp's amp is an array: it stays
                continue


def _by_events(conn: Any) -> bool:
    """Gap junctions have no NetCon, and connections to point neurons no segment."""
    made = conn.get("hObj") if isinstance(conn, dict) else None
    return made is not None and hasattr(made, "event") and made.postseg() is not None


def _source(sim: Any, conn: dict) -> str:
    if conn["preGid"] == "NetStim":
        return str(conn.get("preLabel", "NetStim"))
    gid = int(conn["preGid"])
    return next((label for label, pop in sim.net.pops.items() if gid in pop.cellGids), str(gid))


def _root(cell: Any) -> Any:
    return next(s for s in cell.secs.values() if not s.get("topol"))["hObj"]


def _distance(cell: Any, segment: Any) -> float:
    """From the soma's middle [um]."""
    return float(h.distance(_root(cell)(0.5), segment))
