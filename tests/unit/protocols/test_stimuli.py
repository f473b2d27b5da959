"""Every stimulus, one list: the same waveform at any dt, from any copy, in any process."""

import json
import pickle

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.protocols.protocol import STIMULI, Protocol
from noble_neuron.protocols.stimuli import OrnsteinUhlenbeck, Ramp, Sampled, Step, WhiteNoise
from noble_neuron.protocols.stimuli import from_dict as stimulus_from_dict
from noble_neuron.protocols.synapses import Barrage, ampa, gaba_a

EVERY = [
    Step(0.1, 15.0, 400.0),
    Step(0.0, 0.0, 515.0),
    Ramp(-0.1, 0.3, 20.0, 333.0),
    OrnsteinUhlenbeck(0.05, 0.1, 7.0, 13.3, 400.0, seed=3),
    WhiteNoise(0.05, 0.2, 13.3, 400.0, seed=3, interval=0.7),
    Sampled((0.0, 0.1, -0.1, 0.2), 50.0, 30.0),
    Barrage(ampa(900.0, 0.001), gaba_a(300.0, 0.002), 20.0, 400.0, seed=5),
]
SEEDED = [s for s in EVERY if hasattr(s, "seed")]


def ident(stimulus):
    return type(stimulus).__name__


def answer(stimulus, t):
    """Current, b and G [nA, nA, uS] as rows."""
    return np.stack([stimulus.current(t), *stimulus.conductance(t)])


def test_the_list_has_every_stimulus():
    assert {type(s) for s in EVERY} == set(STIMULI.values())


@pytest.mark.parametrize("stimulus", EVERY, ids=ident)
def test_json_and_pickle_give_the_same_stimulus(stimulus):
    text = json.dumps(stimulus.to_dict(), allow_nan=False)
    assert stimulus_from_dict(json.loads(text), STIMULI) == stimulus
    assert pickle.loads(pickle.dumps(stimulus)) == stimulus


@pytest.mark.parametrize("stimulus", EVERY, ids=ident)
@pytest.mark.parametrize("dt", [0.02, 0.025, 0.05, 0.1])
def test_the_waveform_does_not_know_dt(stimulus, dt):
    """Asked on a coarse grid, and at the same times within a grid of 0.005 ms."""
    coarse = dt * np.arange(round(500 / dt) + 1)  # ms
    every = round(dt / 0.005)
    fine = 0.005 * np.arange(round(500 / 0.005) + 1)[::every]
    np.testing.assert_allclose(answer(stimulus, coarse), answer(stimulus, fine), atol=1e-9)


@pytest.mark.parametrize("stimulus", EVERY, ids=ident)
def test_asking_piece_by_piece_changes_nothing(stimulus):
    t = 0.025 * np.arange(20001)
    whole = answer(stimulus, t)
    pieces = np.hstack([answer(stimulus, part) for part in np.array_split(t, 7)])
    np.testing.assert_array_equal(whole, pieces)


@pytest.mark.parametrize("stimulus", EVERY, ids=ident)
def test_nothing_before_onset_and_no_current_after_offset(stimulus):
    t = 0.025 * np.arange(24001)
    before, after = t < stimulus.onset - 1e-5, t > stimulus.offset + 1e-5
    assert not answer(stimulus, t[before]).any()
    assert not stimulus.current(t[after]).any()


@pytest.mark.parametrize("stimulus", SEEDED, ids=ident)
def test_the_seed_decides(stimulus):
    t = 0.025 * np.arange(20001)
    other = stimulus_from_dict({**stimulus.to_dict(), "seed": stimulus.seed + 1}, STIMULI)
    np.testing.assert_array_equal(answer(stimulus, t), answer(stimulus, t))
    assert not np.allclose(answer(stimulus, t), answer(other, t))


@pytest.mark.parametrize("dt", [0.02, 0.025, 0.1])
def test_a_step_is_on_for_exactly_its_samples(dt):
    """Grid times such as 0.1 * 150 = 15.000000000000002 must not move an edge."""
    t = dt * np.arange(round(515 / dt) + 1)
    on = np.flatnonzero(Step(0.2, 15.0, 400.0).current(t))
    assert on[0] == round(15 / dt)
    assert on[-1] == round(415 / dt) - 1


def test_ou_has_its_mean_sd_and_correlation_time():
    mean, sd, tau = 0.1, 0.05, 5.0  # nA, nA, ms
    t = 0.025 * np.arange(800_000)  # 20 s: 2000 independent stretches
    x = OrnsteinUhlenbeck(mean, sd, tau, 0.0, 20_000.0, seed=1).current(t) - mean
    lag = round(tau / 0.025)
    assert abs(x.mean()) < 4 * sd * np.sqrt(2 * tau / 20_000)
    assert x.std() == pytest.approx(sd, rel=0.06)
    assert np.mean(x[lag:] * x[:-lag]) / x.var() == pytest.approx(np.exp(-1), abs=0.06)


def test_white_noise_holds_each_value_and_forgets_it():
    noise = WhiteNoise(0.1, 0.2, 0.0, 2000.0, seed=1, interval=0.5)
    x = noise.current(0.025 * np.arange(80_000)).reshape(-1, 20)
    np.testing.assert_array_equal(x, np.repeat(x[:, :1], 20, axis=1))
    held = x[:, 0] - 0.1
    assert held.std() == pytest.approx(0.2, rel=0.06)
    assert abs(np.corrcoef(held[1:], held[:-1])[0, 1]) < 0.07


def test_one_synaptic_event_peaks_at_its_weight_and_has_its_area():
    synapses = gaba_a(0.0, 0.003)
    t = 0.001 * np.arange(200_000)  # ms
    g = synapses.conductance(t, np.array([10.0]))
    assert g.max() == pytest.approx(0.003, rel=1e-6)
    assert g[t < 10].max() == 0
    assert g.sum() * 0.001 == pytest.approx(synapses.area, rel=1e-3)


def test_a_barrage_is_the_sum_of_its_events():
    """Against the sum written out, event by event."""
    barrage = Barrage(ampa(0.0, 0.001), gaba_a(500.0, 0.002), 10.0, 300.0, seed=2)
    t = 0.1 * np.arange(4000)
    events = barrage._events(500.0, 1)
    rise, decay = 0.5, 7.0  # ms
    since = np.maximum(t[:, None] - 10.0 - events, 0.0)
    shapes = np.exp(-since / decay) - np.exp(-since / rise)
    unit = np.exp(-0.001 * np.arange(20_000) / decay) - np.exp(-0.001 * np.arange(20_000) / rise)
    b, g = barrage.conductance(t)
    np.testing.assert_allclose(g, 0.002 * shapes.sum(axis=1) / unit.max(), rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(b, -80.0 * g)
    assert not barrage.current(t).any()


def test_a_barrage_has_its_mean_conductance():
    rate, duration = 2000.0, 20_000.0  # Hz, ms
    synapses = ampa(rate, 0.001)
    barrage = Barrage(synapses, gaba_a(0.0, 0.0), 0.0, duration, seed=1)
    _, g = barrage.conductance(0.1 * np.arange(200_000))
    assert g.mean() == pytest.approx(1e-3 * rate * synapses.area, rel=0.03)


BAD = [
    (lambda: Step(float("nan"), 15.0, 400.0), "Step.amplitude must be finite: got nan"),
    (lambda: Step(float("inf"), 15.0, 400.0), "Step.amplitude must be finite: got inf"),
    (lambda: Step("0.1", 15.0, 400.0), "Step.amplitude must be a number: got '0.1'"),
    (lambda: Step(0.1, -1.0, 400.0), "Step.onset must be at least 0: got -1"),
    (lambda: Step(0.1, 15.0, -400.0), "Step.duration must be above 0: got -400"),
    (lambda: Step(0.1, 15.0, 0.0), "Step.duration must be above 0: got 0"),
    (lambda: Ramp(0.0, float("nan"), 0.0, 10.0), "Ramp.stop must be finite"),
    (lambda: OrnsteinUhlenbeck(0, -0.1, 5, 0, 10, 1), "OrnsteinUhlenbeck.sd must be at least 0"),
    (lambda: OrnsteinUhlenbeck(0, 0.1, 0, 0, 10, 1), "OrnsteinUhlenbeck.tau must be above 0"),
    (lambda: OrnsteinUhlenbeck(0, 0.1, 5, 0, 10, 1.5), "seed must be a whole number"),
    (lambda: WhiteNoise(0, 0.1, 0, 10, 1, 0), "WhiteNoise.interval must be above 0"),
    (lambda: Sampled((0.1, float("nan")), 0.1), "Sampled.samples is nan at sample 1"),
    (lambda: Sampled((0.1,), 0.1), "two or more samples: got 1"),
    (lambda: Sampled(("a", "b"), 0.1), "Sampled.samples must be numbers"),
    (lambda: gaba_a(-1.0, 0.001), "Synapses.rate must be at least 0"),
    (lambda: Barrage(1.0, gaba_a(1, 1), 0, 10, 1), "Barrage.excitatory must be Synapses: got 1.0"),
    (lambda: stimulus_from_dict({"type": "Stepp"}, STIMULI), "'Stepp'; did you mean Step?"),
    (lambda: stimulus_from_dict({"type": "Step"}, STIMULI), "A stored Step does not fit"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_input_is_refused_by_name(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert message in str(caught.value)


def test_overlapping_stimuli_add():
    t = np.arange(0.0, 100.0, 0.1)
    both = Protocol("two", 100.0, (Step(0.1, 10.0, 50.0), Step(0.2, 30.0, 50.0)))
    assert both.current(t)[[50, 200, 400, 700, 900]] == pytest.approx([0, 0.1, 0.3, 0.2, 0])
