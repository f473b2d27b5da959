"""Synapses on dendrites: a full cell beside a surrogate under the same dendrites."""

import numpy as np
import pytest
from neuron import h

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")

from noble_neuron.cells.builtin import ensemble
from noble_neuron.features.spiketrain import gamma
from noble_neuron.runtime import NobleCell

UNTIL = 500.0  # ms


@pytest.fixture(autouse=True)
def warm():
    before = h.celsius, h.dt
    h.celsius, h.dt = 34, 0.025
    yield
    h.celsius, h.dt = before


def driven(soma, synapses=40):
    """Excitation and inhibition all over the dendrites."""
    dendrites = sorted((s for s in soma.wholetree() if ".dend" in s.name()), key=str)
    rng, held = np.random.default_rng(1), []
    for k in range(synapses):
        synapse = h.Exp2Syn(dendrites[rng.integers(len(dendrites))](rng.random()))
        synapse.tau1, synapse.tau2, synapse.e = (0.3, 2, 0) if k % 4 else (0.5, 6, -80)
        source = h.NetStim()
        source.interval, source.number, source.start, source.noise = 12, 1e9, 0, 1
        source.noiseFromRandom123(3, k, 5)
        netcon = h.NetCon(source, synapse)
        netcon.weight[0], netcon.delay = 2e-3, 1
        held += [synapse, source, netcon]
    return held


def spikes(soma):
    times = h.Vector()
    detector = h.NetCon(soma(0.5)._ref_v, None, sec=soma)
    detector.threshold = -35
    detector.record(times)
    context = h.ParallelContext()
    context.set_maxstep(10)
    h.finitialize(-74)
    context.psolve(UNTIL)
    return np.array(times)


def test_its_spikes_are_the_full_cells():
    family = ensemble("pvalb")
    cell = family.cells[family.train[2]]
    with cell.build() as live:
        held = driven(live.soma)
        truth = spikes(live.soma)
        silent = len(truth)
        del held
    assert silent > 15
    with cell.build() as live:
        soma = live.soma
        held = driven(soma)
        for mechanism in list(soma.psection()["density_mechs"]):
            soma.uninsert(mechanism)
        surrogate = NobleCell("pvalb", latent=cell.name, soma=soma, own_tree=True)
        own = spikes(soma)
        assert not surrogate.twin.copies and len(held) == 120
        assert 0 < surrogate.twin.error <= 0.02
    assert abs(len(own) - len(truth)) <= 2
    assert gamma(own, truth, UNTIL) > 0.8
