"""The shipped surrogate as a cell of NEURON, beside the full cell in the same circumstances."""

import warnings

import numpy as np
import pytest
from neuron import h

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")

from noble_neuron.cells.builtin import ensemble
from noble_neuron.errors import OutsideTraining, SomaWarning
from noble_neuron.features.spiketrain import gamma
from noble_neuron.runtime import NobleCell

UNTIL = 300.0  # ms


@pytest.fixture(autouse=True)
def warm():
    before = h.celsius, h.dt
    h.celsius, h.dt = 34, 0.025
    yield
    h.celsius, h.dt = before


def spikes(soma, threshold, drive):
    """Spike times under excitation, inhibition and a step of current [ms]; `drive` scales all."""
    held = []
    for k, (interval, decay, reversal, weight) in enumerate(
        ((0.8, 2.0, 0.0, 2.5e-3), (2.0, 6.0, -80.0, 1.5e-3))
    ):
        synapse, source = h.Exp2Syn(soma(0.5)), h.NetStim()
        synapse.tau1, synapse.tau2, synapse.e = 0.3, decay, reversal
        source.interval, source.number, source.start, source.noise = interval, 1e9, 0, 1
        source.noiseFromRandom123(3, k, 5)
        netcon = h.NetCon(source, synapse)
        netcon.weight[0], netcon.delay = drive * weight, 1.0
        held += [synapse, source, netcon]
    clamp, times = h.IClamp(soma(0.5)), h.Vector()
    clamp.delay, clamp.dur, clamp.amp = 150, 60, drive * 0.3
    detector = h.NetCon(soma(0.5)._ref_v, None, sec=soma)
    detector.threshold = threshold
    detector.record(times)
    context = h.ParallelContext()
    context.set_maxstep(10)
    h.finitialize(-70)
    context.psolve(UNTIL)
    return np.array(times)


@pytest.mark.parametrize(("name", "drive", "least"), [("pvalb", 1.0, 0.8), ("vip", 0.5, 0.5)])
def test_its_spikes_are_the_full_cells(name, drive, least):
    family = ensemble(name)
    cell = family.cells[family.train[2]]
    surrogate = NobleCell(name, latent=cell.name)
    with warnings.catch_warnings():
        warnings.simplefilter("error", OutsideTraining)
        own = spikes(surrogate.soma, surrogate.threshold, drive)
    with cell.build() as live:
        truth = spikes(live.soma, surrogate.threshold, drive)
    assert len(truth) > 8 and abs(len(own) - len(truth)) <= 1
    assert gamma(own, truth, UNTIL) > least
    assert surrogate.outside == {}


def test_neurons_default_threshold_is_warned_of():
    cell = NobleCell("pvalb")
    detector = h.NetCon(cell.soma(0.5)._ref_v, None, sec=cell.soma)
    detector.threshold = 10
    with pytest.warns(SomaWarning, match=r"waits for 10 mV, and spikes reach -2\d"):
        h.finitialize(-70)


def test_a_held_out_cell_warns():
    family = ensemble("pvalb")
    name = family.cells[family.test[0]].name
    features = family.features[family.test[0]]
    with pytest.warns(OutsideTraining, match="outside the hull of the training cells"):
        cell = NobleCell("pvalb", latent=features)
    assert cell.latent[0] == features["I_thr"] and name
