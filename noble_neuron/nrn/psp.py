"""What a soma feels of standard synapses on passive branches, by the linear system of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .cable import Branch, Cut, Modes, assembled, nodes_of, segment_of

STEP, SPAN = 0.2, 40.0  # ms
RISE, DECAY = 0.3, 2.0  # ms, of the standard synapse
PEAK = 1e-3  # uS, its conductance; what its own shunt takes of it counts
LOCAL = (0.3, 3.0)  # 1/ms, between which a local impedance counts: of the synapse's two phases
Place = tuple[int, float]  # branch, and where on it


def wave_of(branches: Sequence[Branch], ends: dict[float, float]) -> np.ndarray:
    """The soma's own response to a synapse's current there, as all of its branches shape it
    [mV/nA]; from the end of each step on, shape (steps, steps)."""
    own = [(branch.nseg, 1.0) for branch in branches]
    wave = _at_soma(Modes(assembled(branches, own, ends)))
    since = np.arange(len(wave)) - np.arange(len(wave))[:, None]
    return np.where(since < 0, 0.0, STEP * wave[since])


@dataclass(frozen=True)
class Answer:
    """What the soma feels of standard synapses at the places.

    Attributes:
        peak: Amplitudes [mV/nA], of pairs, and on the diagonal of single places, by the shunt of a
            slow and of a fast local impedance, shape (2, places, places).
        time: Of the single places' peaks [ms].
        rest: Share of the soma's voltage that they have when nothing changes; with it the driving
            forces.
    """

    peak: np.ndarray
    time: np.ndarray
    rest: np.ndarray

    @classmethod
    def of(
        cls,
        branches: Sequence[Branch],
        cuts: Sequence[Cut],
        ends: dict[float, float],
        places: Sequence[Place],
        wave: np.ndarray,
    ) -> Answer:
        """From the linear system; `wave` is what `wave_of` says of the whole tree."""
        modes, first = Modes(assembled(branches, cuts, ends)), nodes_of(cuts)
        nodes = np.array([first[k] + segment_of(x, cuts[k][0]) for k, x in places])
        response = _responses(modes, nodes, wave)
        shunts = [PEAK * modes.impedance(nodes, s) for s in LOCAL]
        peak, time = _peaks(response)
        rest = modes.shape[nodes] @ (modes.beta / modes.rate)
        return cls(np.array([_pairs(peak, shunt) for shunt in shunts]), time, rest)

    def some(self, places: Sequence[int]) -> Answer:
        """Of some of the places."""
        return Answer(self.peak[:, places][:, :, places], self.time[places], self.rest[places])


def _current() -> np.ndarray:
    t = np.arange(0, SPAN, STEP)
    current = np.exp(-t / DECAY) - np.exp(-t / RISE)
    return current / current.max()


def _at_soma(modes: Modes) -> np.ndarray:
    """Voltage of a soma without membrane of its own, by the synapse's current into it."""
    decay, wave = 1 / (1 + STEP * modes.rate), []
    conductance = modes.direct - (modes.beta**2 * STEP * decay).sum()
    state = np.zeros(len(decay))
    for current in _current():
        wave.append((current + modes.beta @ (decay * state)) / conductance)
        state = decay * (state + STEP * modes.beta * wave[-1])
    return np.array(wave)


def _responses(modes: Modes, nodes: np.ndarray, wave: np.ndarray) -> np.ndarray:
    """Voltage of nodes under that of the soma: by reciprocity, what their currents do there."""
    decay = np.exp(np.log(1 / (1 + STEP * modes.rate))[:, None] * np.arange(1, len(wave) + 1))
    return (modes.shape[nodes] * modes.beta) @ (decay @ wave)


def _peaks(response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Amplitudes and times [ms], between the steps by a parabola."""
    rows, at = np.arange(len(response)), response.argmax(1).clip(1, response.shape[1] - 2)
    before, peak, after = (response[rows, at + k] for k in (-1, 0, 1))
    shift = (before - after) / np.minimum(2 * (before - 2 * peak + after), -1e-30)
    return peak - (before - after) * shift / 4, STEP * (at + shift)


def _pairs(single: np.ndarray, shunt: np.ndarray) -> np.ndarray:
    """Amplitudes when both synapses of a pair shunt each other, in the stationary state."""
    own = np.diag(shunt)
    determinant = np.outer(1 + own, 1 + own) - shunt**2
    first = single[:, None] * (1 + own[None, :] - shunt)
    pairs = (first + first.T) / determinant
    np.fill_diagonal(pairs, single / (1 + own))
    return pairs
