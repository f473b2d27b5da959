"""Protocols around a measured input."""

import json

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.protocols.protocol import Protocol
from noble_neuron.protocols.received import NOTHING, Received, received_suite
from noble_neuron.protocols.suites import class_of
from noble_neuron.protocols.synapses import Synapses

MEASURED = Received(
    Synapses(1000.0, 2e-3, 0.4, 1.6, 3.0), Synapses(400.0, 1e-3, 0.6, 4.0, -80.0), 0.05, 0.01, 5.0
)


def test_the_suite_lies_around_what_was_measured():
    suite = received_suite(200, [MEASURED], 1, duration=400.0)
    assert {class_of(p.name) for p in suite} == {"received"}
    g = [p.conductance(p.grid(0.1))[1].mean() for p in suite]
    b = [p.conductance(p.grid(0.1))[0].mean() for p in suite]
    mean = 1e-3 * (
        MEASURED.excitation.rate * MEASURED.excitation.area
        + MEASURED.inhibition.rate * MEASURED.inhibition.area
    )  # uS
    assert min(g) < 0.6 * mean and max(g) > 1.8 * mean
    assert np.median(g) == pytest.approx(0.8 * mean, rel=0.25)
    assert np.min(b) < 0 and np.mean(b) < 0  # inhibition reverses far below zero
    currents = [p.current(p.grid(0.1)).mean() for p in suite]
    assert np.median(currents) == pytest.approx(0.05, rel=0.2)


def test_without_a_current_there_is_none():
    quiet = Received(MEASURED.excitation, MEASURED.inhibition)
    (protocol,) = received_suite(1, [quiet], 1, duration=100.0)
    assert not protocol.current(protocol.grid(0.1)).any()
    assert NOTHING.is_silent and not quiet.is_silent


def test_a_suite_depends_on_its_seed_alone():
    twice = [received_suite(5, [MEASURED], 4, v_init=(-90.0, -60.0)) for _ in range(2)]
    assert twice[0] == twice[1] != received_suite(5, [MEASURED], 5, v_init=(-90.0, -60.0))
    starts = [p.v_init for p in received_suite(30, [MEASURED], 4, v_init=(-90.0, -60.0))]
    assert 5 < starts.count(None) < 25
    assert all(-90 <= v <= -60 for v in starts if v is not None)


def test_it_comes_back_from_json():
    text = json.dumps(MEASURED.to_dict(), allow_nan=False)
    assert Received.from_dict(json.loads(text)) == MEASURED
    (protocol,) = received_suite(1, [MEASURED], 1)
    assert Protocol.from_dict(json.loads(json.dumps(protocol.to_dict()))) == protocol


def test_what_does_not_fit_is_said():
    with pytest.raises(InputError, match="Stored input of a cell does not fit"):
        Received.from_dict({"excitation": {}})
    with pytest.raises(InputError, match="at least one cell"):
        received_suite(3, [], 1)
