"""The clamp and meter alone: prescribed voltages in, b and G of what is attached out."""

from pathlib import Path

import numpy as np
import pytest
from neuron import h

from noble_neuron.nrn import mechanisms
from noble_neuron.nrn.clamp import Board, Clamp

from . import rings

DT = 0.025  # ms
STEPS = 40
MOD = Path(__file__).parents[2] / "vs_neuron" / "mod"
mechanisms.load()


class Bench:
    """One soma under a prescribed voltage: a slow wave with a jump, 1 ms long."""

    def __init__(self, area_factor=1.0, cm=1.0, v=None) -> None:
        self.soma = h.Section(name="soma")
        self.soma.L = self.soma.diam = 20 * np.sqrt(area_factor)
        self.soma.cm = cm
        t = np.arange(1, STEPS + 1) * DT
        self.v = -65 + 15 * np.sin(6 * t) + 30 * (t > 0.5) if v is None else v
        self._clamp = Clamp(self.soma(0.5))

    def run(self) -> Board:
        """The board after one chunk."""
        board = Board(1, STEPS)
        start = h.FInitializeHandler(1, lambda: self._clamp.bind(board, 0, DT))
        board.show(self.v[None])
        seen = h.Vector().record(self.soma(0.5)._ref_v)
        h.finitialize(-65)
        rings.psolve(STEPS * DT)
        assert np.abs(seen.as_numpy()[1:] - self.v).max() < 2e-3  # mV
        del start
        return board


def test_nothing_attached():
    board = Bench().run()
    assert np.abs(board.b).max() < 1e-8  # nA
    assert np.abs(board.g).max() < 1e-10  # uS


def test_current_clamp():
    bench = Bench()
    clamp = h.IClamp(bench.soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 0.2, 0.4, 0.3
    board = bench.run()
    middles = (np.arange(STEPS) + 0.5) * DT
    expected = np.where((middles > 0.2) & (middles < 0.6), 0.3, 0)
    assert np.abs(board.b[0] - expected).max() < 1e-8
    assert np.abs(board.g).max() < 1e-10


@pytest.mark.parametrize("area_factor, cm", [(1, 1), (100, 1), (0.01, 1), (1, 10), (1, 0.01)])
def test_tonic_conductance_whatever_the_host(area_factor, cm):
    """There from the first step; neither capacitance nor area of the host is in the answer."""
    bench = Bench(area_factor, cm)
    tonic = h.nn_Conductance(bench.soma(0.5))
    tonic.g, tonic.b = 0.02, 0.02 * -80
    board = bench.run()
    assert np.abs(board.g - 0.02).max() < 1e-6  # uS
    assert np.abs(board.b - 0.02 * -80).max() < 1e-4  # nA


def test_conductances_add_up():
    """A synapse, a second one, an electrode with its own conductance."""
    bench = Bench()
    parts = [h.nn_Conductance(bench.soma(0.5)) for _ in range(2)]
    for part, g, e in zip(parts, (0.01, 0.03), (0.0, -70.0), strict=True):
        part.g, part.b = g, g * e
    electrode = h.SEClamp(bench.soma(0.5))
    electrode.dur1, electrode.amp1, electrode.rs = 1e9, -50, 20  # ms, mV, MOhm
    board = bench.run()
    g = 0.01 + 0.03 + 1 / 20
    assert np.abs(board.g - g).max() < 1e-6
    assert np.abs(board.b - (0.03 * -70 + -50 / 20)).max() < 1e-4


def test_nmda_has_a_negative_slope():
    """b - g v is the current at the voltage, and g its slope there."""
    mechanisms.load_folder(MOD)
    bench = Bench(v=np.full(STEPS, -40.0))
    synapse = h.nntest_Nmda(bench.soma(0.5))
    synapse.tau = 1e9
    event = h.NetCon(None, synapse)
    event.weight[0] = 0.01
    start = h.FInitializeHandler(1, lambda: event.event(0))

    def current(v):
        return -0.01 * v / (1 + np.exp(-0.062 * v) / 3.57)

    board = bench.run()
    slope = (current(-39.99) - current(-40.01)) / 0.02
    assert board.g[0, -1] == pytest.approx(-slope, abs=1e-6) and board.g[0, -1] < -0.001
    assert board.b[0, -1] + 40 * board.g[0, -1] == pytest.approx(current(-40), abs=1e-6)
    del start


@pytest.mark.parametrize("place", [0, 0.5, 1])
def test_a_cable_wherever_it_is_connected(place):
    """Axial current as the dendrite's own voltage tells it; g as a change of voltage tells it."""

    def cable(nudge):
        bench = Bench()
        bench.v[20] += nudge
        dendrite = h.Section(name="dendrite")
        dendrite.connect(bench.soma(place))
        dendrite.L, dendrite.diam, dendrite.Ra, dendrite.nseg = 100, 2, 150, 1
        dendrite.insert("pas")
        v = h.Vector().record(dendrite(0.5)._ref_v)
        board = bench.run()
        return bench, dendrite, board, v.as_numpy()[1:].copy()

    bench, dendrite, board, v = cable(0.0)
    resistance = dendrite(0.5).ri() + (bench.soma(0.5).ri() if place != 0.5 else 0)
    if place == 0:  # ri() of soma(0.5) is towards 0, of soma(1) towards 0.5
        resistance = dendrite(0.5).ri() + bench.soma(0.5).ri()
    axial = (v - bench.v) / resistance  # nA into the soma
    delivered = board.b[0] - board.g[0] * bench.v
    assert np.abs(axial).max() > 0.1
    assert np.abs(delivered - axial).max() < 1e-4 * np.abs(axial).max()
    *_, nudged, _ = cable(1.0)
    assert nudged.b[0, 20] == pytest.approx(board.b[0, 20], abs=1e-7)
    assert nudged.b[0, 21] != pytest.approx(board.b[0, 21], abs=1e-3)  # the cable remembers


def test_a_soma_in_the_middle_of_a_tree():
    """Its parent is eliminated as well as its children."""
    boards = []
    for parent_first in (False, True):
        bench = Bench()
        upper, lower = h.Section(name="upper"), h.Section(name="lower")
        for section in (upper, lower):
            section.L, section.diam, section.nseg = 100, 2, 3
            section.insert("pas")
        if parent_first:
            bench.soma.connect(upper(0), 0)
        else:
            upper.connect(bench.soma(0), 0)
        lower.connect(bench.soma(1))
        boards.append(bench.run())
    child, parent = boards
    assert np.abs(child.g).min() > 1e-3
    assert np.abs(parent.g - child.g).max() < 1e-9
    assert np.abs(parent.b - child.b).max() < 1e-6


def test_a_board_has_its_rows_only():
    soma = h.Section(name="soma")
    with pytest.raises(RuntimeError):
        Clamp(soma(0.5)).bind(Board(2, 4), 2, DT)
