"""Protocols and the suites made of them."""

import json
import pickle

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.protocols.protocol import Protocol, noble_step
from noble_neuron.protocols.stimuli import Step
from noble_neuron.protocols.suites import (
    STREAMING,
    AmplitudeDistribution,
    noble_suite,
    streaming_suite,
)
from noble_neuron.protocols.synapses import Barrage

PAPER = AmplitudeDistribution(low=-0.11, high=0.28, mode=0.025)  # nA, section 3.2


def test_the_papers_step():
    protocol = noble_step(0.1)
    assert protocol.window == (15.0, 415.0)
    t = protocol.grid(0.02)
    assert t.size == 25_751
    current = protocol.current(t)
    assert np.unique(current).tolist() == [0.0, 0.1]
    assert 0.02 * np.count_nonzero(current) == pytest.approx(400)
    assert not protocol.has_conductance


def test_a_protocol_comes_back_from_json():
    for protocol in [noble_step(-0.1, v_init=-70.0), *streaming_suite(60, 0.2, -0.1, 0.4, 3)]:
        text = json.dumps(protocol.to_dict(), allow_nan=False)
        assert Protocol.from_dict(json.loads(text)) == protocol
        assert pickle.loads(pickle.dumps(protocol)) == protocol


def test_conductance_and_current_stay_apart():
    suite = streaming_suite(200, 0.2, -0.1, 0.4, 3)
    for protocol in (p for p in suite if p.name.startswith("barrage")):
        t = protocol.grid(0.1)
        b, g = protocol.conductance(t)
        only = [s for s in protocol.stimuli if isinstance(s, Barrage)]
        assert g.max() > 0
        np.testing.assert_array_equal(g, only[0].conductance(t)[1])
        assert protocol.has_conductance
        if protocol.name.startswith("barrage and"):
            assert protocol.current(t).any()
        else:
            assert not protocol.current(t).any()


STEP = (Step(0.1, 15.0, 400.0),)
BAD = [
    (lambda: Protocol("p", 515.0, ()), "Protocol 'p' is empty"),
    (lambda: Protocol("p", 0.0, STEP), "Protocol 'p' lasts 0 ms"),
    (lambda: Protocol("p", -5.0, STEP), "Protocol 'p' lasts -5 ms"),
    (lambda: Protocol("p", float("nan"), STEP), "duration of protocol 'p' must be finite"),
    (lambda: Protocol("p", 100.0, STEP), "ends at 415 ms, after the protocol itself (100 ms)"),
    (lambda: Protocol("p", 515.0, (0.1,)), "Stimulus 0 of protocol 'p' is 0.1"),
    (lambda: Protocol("p", 515.0, STEP, v_init=float("inf")), "v_init of protocol 'p'"),
    (lambda: Protocol("p", 515.0, STEP, v_init=-0.07e4), "no membrane does"),
    (lambda: noble_step(float("nan")), "Step.amplitude must be finite: got nan"),
    (lambda: noble_step(None), "Step.amplitude must be a number: got None"),
    (lambda: noble_step(0.1).grid(0.03), "not a whole number of steps of 0.03 ms"),
    (lambda: noble_step(0.1).grid(0.0), "not a whole number of steps of 0.0 ms"),
    (lambda: Protocol.from_dict({"name": "p"}), "lacks the key 'duration'"),
    (lambda: AmplitudeDistribution(0.0, 0.3, 0.4), "low < mode < high"),
    (lambda: AmplitudeDistribution.fit([0.1, float("nan")], [0.3]), "finite thresholds"),
    (lambda: streaming_suite(3, float("nan"), -0.1, 0.4, 1), "i_thr > 0"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_input_is_refused_by_name(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert message in str(caught.value)


def test_amplitudes_follow_their_density():
    x = PAPER.sample(50_000, np.random.default_rng(0))
    assert PAPER.low <= x.min() and x.max() <= PAPER.high
    edges = np.linspace(PAPER.low, PAPER.high, 14)
    middles = (edges[1:] + edges[:-1]) / 2
    expected = PAPER.pdf(middles) * np.diff(edges) * x.size
    found, _ = np.histogram(x, edges)
    assert np.abs(found - expected).max() < 0.03 * x.size / 13 + 4 * np.sqrt(expected.max())
    fine = np.linspace(PAPER.low, PAPER.high, 100_001)
    assert PAPER.pdf(fine).sum() * (fine[1] - fine[0]) == pytest.approx(1, abs=1e-3)


def test_the_mode_is_where_it_is_put_and_the_upper_tail_is_the_heavier():
    fine = np.linspace(PAPER.low, PAPER.high, 20_001)
    assert fine[np.argmax(PAPER.pdf(fine))] == pytest.approx(PAPER.mode, abs=1e-4)
    for distance, ratio in ((0.05, 1.1), (0.1, 2), (0.13, 3)):
        assert PAPER.pdf(PAPER.mode + distance) > ratio * PAPER.pdf(PAPER.mode - distance)


def test_the_distribution_is_fitted_to_the_ensembles_own_curves():
    fitted = AmplitudeDistribution.fit(thresholds=[0.30, 0.34, 0.32], tops=[0.8, 0.61, 0.7])
    assert (fitted.low, fitted.mode, fitted.high) == pytest.approx((-0.11, 0.32, 0.61))
    assert AmplitudeDistribution(**json.loads(json.dumps(fitted.to_dict()))) == fitted


def test_suites_are_decided_by_their_seed():
    for make in (
        lambda seed: noble_suite(40, PAPER, seed),
        lambda seed: streaming_suite(40, 0.2, -0.1, 0.4, seed, v_init=(-90.0, -60.0)),
    ):
        assert make(1) == make(1)
        assert make(1) != make(2)


def test_a_longer_streaming_suite_begins_with_the_shorter_one():
    assert streaming_suite(50, 0.2, -0.1, 0.4, 7)[:20] == streaming_suite(20, 0.2, -0.1, 0.4, 7)


def test_the_streaming_suite_has_every_class_and_both_ways_to_start():
    suite = streaming_suite(300, 0.2, -0.1, 0.4, 1, v_init=(-90.0, -60.0))
    assert {p.name.rsplit(" ", 1)[0] for p in suite} == set(STREAMING)
    starts = [p.v_init for p in suite if p.v_init is not None]
    assert 100 < len(starts) < 200
    assert -90 <= min(starts) < max(starts) <= -60
    for protocol in suite:
        t = protocol.grid(0.5)
        assert np.isfinite(protocol.current(t)).all()
        assert (protocol.conductance(t)[1] >= 0).all()
