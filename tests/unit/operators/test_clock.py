"""The clock: averages with closed forms, spikes where the phase says."""

import math

import numpy as np
import pytest
import torch

from noble_neuron.errors import InputError
from noble_neuron.operators import ClockedConfig, ClockedNoble
from noble_neuron.operators.clock import SpikeClock, averages, spans, ticks

torch.set_num_threads(1)


def step(dt, onset, duration, amplitude, total):
    t = torch.arange(round(total / dt)) * dt
    return (amplitude * ((t >= onset - 1e-6) & (t < onset + duration - 1e-6)).float())[None]


@pytest.fixture
def small():
    torch.manual_seed(3)
    return ClockedNoble(
        ClockedConfig(latent_size=3, window_ms=60.0, clock_hidden=16, layers=2, hidden=6, modes=16)
    )


@pytest.mark.parametrize("dt", [0.025, 0.075, 0.11])
def test_ticks_lose_no_charge(dt):
    current = torch.rand(2, 451)
    means = ticks(current, dt, 1.5)
    torch.testing.assert_close(means.sum(-1) * 1.5, current.sum(-1) * dt, rtol=1e-5, atol=1e-5)


def test_the_average_of_a_step_is_its_exponential_rise():
    drive = ticks(step(0.075, 15.0, 45.0, 0.3, 60.0), 0.075, 1.5)
    slow = averages(drive, 1.5, (10.0, 40.0))[0]
    middle = np.arange(40) * 1.5 + 0.75
    for k, tau in ((1, 10.0), (2, 40.0)):
        expected = np.where(middle > 15, 0.3 * (1 - np.exp(-(middle - 15) / tau)), 0.0)
        np.testing.assert_allclose(slow[:, k], expected, atol=2e-6)


def test_spikes_stand_where_the_phase_passes_whole_numbers():
    clock = SpikeClock(2, 4, step_ms=1.5, memory_ms=(5.0,), current_scale=1.0)
    rate = 0.0371  # spikes per ms
    phase = torch.arange(41)[None] * 1.5 * torch.tensor([[rate], [0.0]])
    times = clock.spike_times(phase)
    np.testing.assert_allclose(times[0], [1 / rate, 2 / rate], rtol=1e-5)
    assert torch.isinf(times[1]).all()


def test_a_later_step_fires_later_by_as_much(small):
    latent = torch.tensor([[1.0, 2.0, 3.0]])
    t = torch.arange(800) * 0.075
    with torch.no_grad():
        for parameter in small.clock.rate[-1].parameters():
            parameter.mul_(8)  # untrained, it would hardly distinguish one current from another
        early = small.phase(step(0.075, 7.5, 30.0, 3.0, 60.0), latent, t)[0].diff()
        late = small.phase(step(0.075, 15.0, 30.0, 3.0, 60.0), latent, t)[0].diff()
    torch.testing.assert_close(late[6:], early[:-6], rtol=1e-3, atol=2e-5)
    assert early.max() > 1.2 * early.min()


def test_spans_are_measured_from_the_neighbouring_spikes():
    times = torch.tensor([[2.0, 5.0, torch.inf], [torch.inf] * 3])
    since, until = spans(times, torch.tensor([1.0, 2.0, 4.0, 7.0]))
    assert since[0].tolist() == [torch.inf, 0.0, 2.0, 2.0]
    assert until[0].tolist() == [1.0, 3.0, 1.0, torch.inf]
    assert torch.isinf(since[1]).all() and torch.isinf(until[1]).all()
    since, until = spans(torch.zeros(2, 0), torch.tensor([1.0, 2.0, 4.0]))
    assert torch.isinf(since).all() and torch.isinf(until).all()


def test_shape_of_the_answer_and_gradient_of_every_weight(small):
    current, latent = torch.rand(2, 797), torch.rand(2, 3) * 3
    t = torch.arange(797) * 0.075
    assert small(current, latent, t).shape == (2, 797)
    times = torch.tensor([[20.0, 40.0], [torch.inf, torch.inf]])
    small.spike.see(small.told(current, latent, t, times), torch.rand(2, 241), torch.ones(2))
    small.voltage(current, latent, t, times).square().sum().backward()
    small.phase(current, latent, t).square().sum().backward()
    about = small.told_of_time(current, latent, t, times)
    for timing in (small.first, small.later):
        torch.nn.init.ones_(timing.layers[-1].weight)  # zero, it passes no gradient on
        timing(about).square().sum().backward()
    idle = [n for n, p in small.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert not idle


def test_a_finer_grid_gives_the_same_voltage(small):
    latent, times = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[20.0, 41.3]])
    with torch.no_grad():
        coarse, fine = (
            small.voltage(
                step(dt, 15.0, 30.0, 0.3, 60.0), latent, torch.arange(round(60 / dt)) * dt, times
            )[0]
            for dt in (0.075, 0.025)
        )
    error = (fine[::3] - coarse).abs()
    assert error.median() < 0.02 * coarse.std() and coarse.std() > 0.05


def test_too_long_a_current_is_refused(small):
    with pytest.raises(InputError, match="spans 60 ms"):
        small(torch.zeros(1, 1000), torch.ones(1, 3), torch.arange(1000) * 0.075)


@pytest.mark.parametrize(
    "setting",
    [
        {"thresholds": ((0, 0.5, 0.3),)},
        {"clock_ms": 0.0},
        {"memory_ms": (3.0, -1.0)},
        {"layers": 0},
        {"onset_ms": 0.0},
    ],
)
def test_settings_are_checked(setting):
    with pytest.raises(InputError, match=next(iter(setting))):
        ClockedConfig(**setting)


def test_firing_begins_at_each_cells_own_threshold():
    clock = SpikeClock(2, 4, 1.5, (5.0,), current_scale=0.25, thresholds=((1, 0.3, 0.5),))
    latent = torch.tensor([[0.0, -2.0], [0.0, 2.0]])  # thresholds of 0.3 and 0.5 nA
    for amplitude, fires in ((0.298, (0, 0)), (0.302, (1, 0)), (0.51, (1, 1))):
        drive = torch.full((2, 300, 2), amplitude / 0.25)
        with torch.no_grad():
            turned = clock.turn(drive, latent)[:, -1] - clock.START
        assert tuple((turned > 1).int().tolist()) == fires
        assert (turned[torch.tensor(fires) == 0] < 0.05).all()


def test_the_distance_from_a_threshold_is_magnified():
    clock = SpikeClock(2, 4, 1.5, (5.0,), current_scale=0.25, thresholds=((1, 0.3, 0.5),))
    drive, latent = torch.tensor([[[0.303 / 0.25, 0.0]]]), torch.tensor([[0.0, -2.0]])
    seen = clock._magnified(clock._distance(drive, latent, clock.thresholds[0])).flatten()
    np.testing.assert_allclose(seen, [0.01, np.arcsinh(1.0) / 5, np.tanh(5.0)], atol=1e-4)


def test_a_spike_under_way_when_the_current_ends_is_finished():
    """The phase runs on at its last pace for 0.9 ms, then stands."""
    clock = SpikeClock(2, 4, 1.25, (5.0,), current_scale=0.25, thresholds=((1, 0.3, 0.5),))
    latent = torch.tensor([[0.0, -2.0]])  # I_thr 0.3 nA
    with torch.no_grad():
        for p in clock.parameters():
            p.zero_()  # a constant pace: softplus(0)
        on = torch.zeros(1, 80)
        on[:, :40] = 0.4  # nA, to 50 ms
        phase = clock(on, latent, 1.25)[0]
        still = clock(torch.zeros(1, 80), latent, 1.25)[0]
    pace = np.log(2) * clock.RATE  # 1/ms
    assert float(phase[40]) == pytest.approx(0.5 + 50 * pace, rel=1e-5)
    assert float(phase[41] - phase[40]) == pytest.approx(0.9 * pace, rel=1e-4)
    assert float(phase[-1] - phase[41]) == pytest.approx(0.0, abs=1e-6)
    assert float(still[-1]) == pytest.approx(0.5, abs=1e-6)


def test_just_above_its_threshold_a_cell_fires_as_a_little_further_above():
    """Up to 0.3 % above I_thr only the current itself tells; below I_thr nothing moves."""
    clock = SpikeClock(2, 8, 1.25, (5.0,), current_scale=0.25, thresholds=((1, 0.3, 0.5),))
    latent = torch.tensor([[0.0, -2.0]])  # I_thr 0.3 nA
    with torch.no_grad():
        clock.straight.weight[0, -1] = 5.0  # what is nearly a yes or no at the threshold
        below, at, above = (
            float(clock(torch.full((1, 80), 0.3 * (1 + d)), latent, 1.25)[0, -1])
            for d in (-0.002, 0.0005, 0.0029)
        )
    assert below == pytest.approx(0.5, abs=0.01)
    assert at > 1.0 and at == pytest.approx(above, rel=0.02)


def test_a_current_above_threshold_fires_once_within_the_slowest_onset():
    """However slow the learned pace; afterwards, and below, that pace alone counts."""
    latent = torch.tensor([[0.0, -2.0]])  # I_thr 0.3 nA
    step = torch.zeros(1, 160)
    step[:, 20:] = 0.302  # nA, from 25 ms on

    def phase(current, onset_ms, weight):
        thresholds = ((1, 0.3, 0.5),)
        clock = SpikeClock(2, 4, 1.25, (5.0,), 0.25, thresholds, onset_ms)
        with torch.no_grad():
            for p in clock.parameters():
                p.zero_()
            clock.straight.bias.fill_(weight)
            return clock(current, latent, 1.25)[0]

    learned = phase(step, math.inf, -8.0)
    assert learned[-1] < 0.51
    lifted = phase(step, 50.0, -8.0)
    assert float(lifted[20]) == pytest.approx(0.5, abs=1e-6)
    assert float(lifted[20 + 40]) == pytest.approx(1.0, abs=1e-3)  # 50 ms after the rise
    assert float(lifted[-1] - lifted[61]) == pytest.approx(
        float(learned[-1] - learned[61]), abs=1e-6
    )
    assert float(phase(step * 0.99, 50.0, -8.0)[-1]) == pytest.approx(0.5, abs=1e-3)
    torch.testing.assert_close(phase(step, 50.0, 1.0), phase(step, math.inf, 1.0))
