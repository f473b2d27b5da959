"""What bare passive branches would draw from a soma, as a few modes; the handle on nn_Load.

The bare branches are linear in the soma's voltage, and only their sum counts: a one-port. Its
modes are found by projection on what the branches do under voltages that grow by e^(s t), for
some s from 0 to a time step's 1 / dt; there the few modes draw exactly what the branches draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from neuron import h

from ..errors import SimulationError
from . import mechanisms
from .cable import Cable

FEWEST, MOST = 10, 32  # modes; the most as in nn_Load
RESIDUE = 1e-6  # of the load, at any frequency that the time step has
SLOWEST = 0.02  # 1/ms, of the points between 0 and 1 / dt


@dataclass(frozen=True)
class Port:
    """A cable's load by a few modes.

    Attributes:
        table: Decay over a step, coupling, drive at rest of each mode, shape (modes, 3).
        basis: States of the modes by the nodes' voltages [nF^.5], shape (modes, nodes).
        direct: See `Cable` [uS].
        residue: Largest deviation of the admittance over the admittance, any frequency.
    """

    table: np.ndarray
    basis: np.ndarray
    direct: float
    residue: float


class Load:
    """Takes the load of branches off a segment."""

    def __init__(self, segment: Any) -> None:
        mechanisms.load()
        self._point = h.nn_Load(segment)
        self._cable: Cable | None = None
        self._held: tuple = ()

    def take(self, cable: Cable) -> None:
        """What the bare branches are, from the next start on."""
        self._cable, self._held = cable, ()

    def start(self, v: np.ndarray, dt: float) -> None:
        """Begin from these voltages of the nodes [mV], shape (nodes,)."""
        if not self._held or self._held[0] != dt:
            few = port(self._cable, dt)
            self._held = dt, few, h.Vector(few.table.ravel())  # NEURON knows its address only
        _, few, table = self._held
        self._point.start(table, h.Vector(few.basis @ v), few.direct, dt)


def port(cable: Cable, dt: float) -> Port:
    """As few modes as make the residue small; equal cables are reduced once.

    Raises:
        SimulationError: It takes more than nn_Load has room for.
    """
    parts = (cable.K, cable.c, cable.b, cable.drive)
    return _port(tuple(np.ascontiguousarray(part).tobytes() for part in parts), cable.direct, dt)


@lru_cache(maxsize=256)
def _port(parts: tuple[bytes, ...], direct: float, dt: float) -> Port:
    K, c, b, drive = (np.frombuffer(part) for part in parts)
    root, n = 1 / np.sqrt(c), len(c)
    A, p = root[:, None] * K.reshape(n, n) * root, root * b
    own, vectors = np.linalg.eigh(A)
    beta = vectors.T @ p
    exact = _admittance(own, beta, direct, dt)
    for points in range(FEWEST, MOST):
        s = [0.0, *np.geomspace(SLOWEST, 1 / dt, points - 1)]
        some = [vectors @ (beta / (own + each)) for each in s[: n - 1]]
        # The last is a voltage that is the same everywhere: what finitialize(v) sets.
        Q, _ = np.linalg.qr(np.column_stack([*some, 1 / root])[:, :n])
        rate, turn = np.linalg.eigh(Q.T @ A @ Q)
        Q = Q @ turn
        few = _admittance(rate, Q.T @ p, direct, dt)
        residue = float(np.abs(few / exact - 1).max())
        if residue < RESIDUE:
            break
    else:
        raise SimulationError(
            f"The load of {n} segments of a NobleCell's dendrites is not that of {MOST} modes "
            f"(residue {residue:.1e}): set tree_error=0."
        )
    table = np.column_stack([1 / (1 + dt * rate), Q.T @ p, Q.T @ (root * drive)])
    return Port(table, Q.T / root, direct, residue)


def _admittance(rate: np.ndarray, beta: np.ndarray, direct: float, dt: float) -> np.ndarray:
    """Over the frequencies that implicit Euler steps have [uS], shape (frequencies,)."""
    turn = np.concatenate([[0.0], np.geomspace(1e-5, np.pi, 60)])  # per step
    s = (1 - np.exp(-1j * turn)) / dt
    return direct - (beta**2 / (rate + s[:, None])).sum(1)
