"""A spike's waveform: read between its points, placed around its peak, told of its past."""

import numpy as np
import pytest
import torch

from noble_neuron.operators.spike import (
    FADES,
    LOOKS,
    SpikeWaveform,
    channels,
    offsets,
    placed,
    read,
    told,
)
from noble_neuron.operators.timing import LIMIT, SpikeTiming

torch.set_num_threads(1)
INF = torch.inf


def test_a_waveform_is_read_between_its_points():
    def spike(t):
        return -60 + 90 * torch.exp(-((t / 0.25) ** 2))

    times = torch.linspace(-1.9, 3.9, 1000)[None]
    error = read(spike(offsets())[None], times) - spike(times)
    assert error.abs().max() < 0.02  # a straight line between points would be off by 0.2 mV
    ends = torch.tensor([[-2.0, 4.0]])
    torch.testing.assert_close(read(spike(offsets())[None], ends), spike(ends))


def test_waveforms_stand_around_their_peaks_alone():
    dt, times = 0.075, torch.tensor([[20.0, 40.0], [INF, INF], [30.0, INF]])
    t = torch.arange(800) * dt
    before = torch.zeros(3, 800)
    waves = torch.full((3, len(offsets())), 2.0) * torch.tensor([[1.0], [2.0], [3.0]])
    after = placed(before, waves, times, dt).numpy()
    assert (after[1] == 0).all()
    for row, peak, height in ((0, 20.0, 2.0), (0, 40.0, 4.0), (2, 30.0, 6.0)):
        since = (t - peak).numpy()
        np.testing.assert_allclose(after[row, (since > -1.4) & (since < 3.4)], height, rtol=1e-6)
    far = (np.abs(t.numpy()[None] - np.array([[20.0], [40.0]])) > 4.1).all(0)
    assert (after[0, far] == 0).all()
    np.testing.assert_allclose(np.abs(np.diff(after[0])).max(), 4.0 * dt / 0.5, rtol=1e-3)


def test_the_rise_to_a_close_spike_goes_over_the_one_before():
    dt, times = 0.025, torch.tensor([[20.0, 23.0]])
    waves = torch.stack((torch.full((241,), 1.0), torch.full((241,), 5.0)))
    out = placed(torch.zeros(1, 1600), waves, times, dt)[0]
    assert float(out[round(20.9 / dt)]) == pytest.approx(1.0, abs=1e-4)
    assert float(out[round(21.6 / dt)]) == pytest.approx(5.0, abs=1e-4)


def test_a_spike_at_either_end_is_cut():
    out = placed(torch.zeros(1, 100), torch.ones(2, 241), torch.tensor([[0.5, 7.0]]), 0.075)[0]
    assert out.shape == (100,) and out[-1] == 1 and out[0] > 0


def test_what_is_told_of_a_spike():
    """The current around it, the cell, the spikes before it: each checked by hand."""
    dt = 0.1
    drive = (torch.arange(600) * dt)[None, None].expand(2, 1, -1)  # the current is the time
    latent = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    times = torch.tensor([[10.0, 25.0, INF], [30.0, INF, INF]])
    out = told(drive, latent, times, dt)
    assert out.shape == (3, channels(1, 2))
    looks, fades = len(LOOKS), len(FADES)
    for row, at, point in ((0, 10.0, [1, 2]), (1, 25.0, [1, 2]), (2, 30.0, [3, 4])):
        np.testing.assert_allclose(out[row, :looks], at + np.array(LOOKS), atol=1e-3)
        assert out[row, looks : looks + 2].tolist() == point
    past = out[:, looks + 2 : looks + 2 + fades]
    assert (past[0] == 0).all() and (past[2] == 0).all()
    np.testing.assert_allclose(past[1], np.exp(-15.0 / np.array(FADES)), rtol=1e-5)
    np.testing.assert_allclose(out[:, -1].exp(), [400.0, 15.0, 400.0], rtol=1e-5)


def test_the_shapes_hold_what_the_spikes_are_made_of():
    torch.manual_seed(0)
    hidden = torch.randn(3, 241)
    waves = -60 + torch.randn(500, 3) @ hidden
    spike = SpikeWaveform(4, 8, 5)
    assert spike.known == 0
    spike.see(torch.randn(500, 4), waves, torch.ones(500))
    again = spike.average + spike.weights(waves) @ spike.shapes
    assert spike.known == 1
    torch.testing.assert_close(again, waves, rtol=0, atol=1e-3)


def test_a_correction_of_time_begins_at_zero_and_ends_at_its_limit():
    timing = SpikeTiming(4, 8)
    about = torch.randn(10, 4)
    assert (timing(about) == 0).all()
    torch.nn.init.constant_(timing.layers[-1].bias, 1e4)
    assert timing(about).max() <= LIMIT
