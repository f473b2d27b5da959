"""Networks of exact stand-ins behind clamps against the same networks of NEURON's own cells.

What differs is the runtime alone: the clamp, the meter, the chunks. networks.py says what each
network is; seeds and time step are the same on both sides.
"""

import dataclasses

import numpy as np
import pytest
from neuron import h

from noble_neuron.errors import SomaWarning
from noble_neuron.runtime import NobleCell
from noble_neuron.runtime.standins import HodgkinHuxley

from . import networks

DT = 0.025  # ms
DURATION = 150.0  # ms
EXACT = [name for name in networks.NETWORKS if name != "dendrites"]


@pytest.fixture(autouse=True)
def plain_neuron():
    before = h.celsius, h.dt
    h.celsius, h.dt = 6.3, DT
    yield
    h.celsius, h.dt = before
    networks.forget_junctions()


@pytest.fixture(scope="module")
def truth():
    """Spikes of NEURON's own cells, run once per network and step."""
    known = {}

    def spikes(name, dt=DT):
        if (name, dt) not in known:
            h.dt = dt
            known[name, dt] = networks.NETWORKS[name](networks.native()).run(DURATION)
        return known[name, dt]

    return spikes


@pytest.mark.parametrize("name", EXACT)
def test_no_spike_moves_with_a_chunk_of_a_quarter_millisecond(truth, name):
    answer = networks.NETWORKS[name](networks.standin(chunk=0.25)).run(DURATION)
    compared = networks.compare(truth(name), answer, DT)
    assert compared.spikes >= 6  # there is something to move
    assert compared.moved == 0, compared


@pytest.mark.parametrize("name", ["NMDA", "twenty cells"])
def test_no_spike_moves_with_a_chunk_of_a_tenth(truth, name):
    answer = networks.NETWORKS[name](networks.standin(chunk=0.1)).run(DURATION)
    assert networks.compare(truth(name), answer, DT).moved == 0


def test_a_network_that_forgets_nothing():
    """One step of one spike would grow into another raster: NEURON at half its step does."""
    build = networks.random_twenty
    truth = build(networks.native()).run(600.0)
    answer = build(networks.standin(chunk=0.1)).run(600.0)
    compared = networks.compare(truth, answer, DT)
    assert compared.spikes > 800
    assert compared.moved == 0 and compared.shift == 0
    h.dt = DT / 2
    assert networks.compare(truth, build(networks.native()).run(600.0), DT).moved > 100


def test_another_time_step(truth):
    truth = truth("barrage", 0.05)
    h.dt = 0.05
    answer = networks.barrage(networks.standin(chunk=0.25)).run(DURATION)
    compared = networks.compare(truth, answer, 0.05)
    assert compared.spikes >= 6 and compared.moved == 0


def test_a_long_chunk_does_move_spikes(truth):
    """Guards the comparison: it sees the lag of 1 ms that short chunks avoid."""
    answer = networks.random_twenty(networks.standin(chunk=1.0)).run(DURATION)
    assert networks.compare(truth("twenty cells"), answer, DT).moved > 10


@dataclasses.dataclass(frozen=True)
class CurrentOnly(HodgkinHuxley):
    """The squid cell, told the attached current of the last voltage, and no conductance."""

    def advance(self, state, latent, b, g):
        return super().advance(state, latent, b - g * state[:, :1], 0 * g)


def test_the_current_alone_is_not_enough(truth):
    """Why the conductance is metered too: strong shunts make a held current diverge."""
    stepper = CurrentOnly(networks.AREA, chunk=0.25)
    answer = networks.barrage(lambda latent: NobleCell(stepper, latent)).run(DURATION)
    assert networks.compare(truth("barrage"), answer, DT).moved > 3


@dataclasses.dataclass(frozen=True)
class Remembering(HodgkinHuxley):
    """Keeps every answer: first a prediction, then correction and prediction in turn."""

    answers: list = dataclasses.field(default_factory=list, compare=False)

    def advance(self, state, latent, b, g):
        v, state = super().advance(state, latent, b, g)
        self.answers.append(v[0])
        return v, state


@pytest.mark.parametrize("name", ["barrage", "step of current"])
def test_corrected_voltage_is_neurons_own(name):
    """Predictions err by millivolts at times; the state they are corrected to does not."""
    net = networks.NETWORKS[name](networks.native())
    own = h.Vector().record(net.cells[0].soma(0.5)._ref_v)
    net.run(DURATION)
    own = own.as_numpy().copy()[1:]
    stepper = Remembering(networks.AREA, chunk=0.25)
    net = networks.NETWORKS[name](lambda latent: NobleCell(stepper, latent))
    net.run(DURATION)
    predicted, corrected = (np.concatenate(stepper.answers[k::2]) for k in (0, 1))
    assert np.abs(corrected - own[: len(corrected)]).max() < 1e-5  # mV
    assert np.abs(predicted[: len(own)] - own).max() > 0.1  # mV


@pytest.mark.parametrize("chunk, most", [(0.1, 0.1), (0.25, 1.0)])
def test_dendrites_lag(truth, chunk, most):
    """A cable answers the voltage shown, not the corrected one: known, warned of, bounded."""
    with pytest.warns(SomaWarning, match="own_tree=True"):
        answer = networks.dendrites(networks.standin(chunk)).run(DURATION)
    compared = networks.compare(truth("dendrites"), answer, DT)
    assert len(answer[0]) == compared.spikes
    assert 0 < compared.shift < most  # ms
