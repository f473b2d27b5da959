"""The clocked operator learns a firing rule it is shown, and writes a bundle that reloads."""

import numpy as np
import pytest
import torch

from noble_neuron.operators import ClockedConfig, ClockedNoble
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.surrogates import bundle
from noble_neuron.training.clocked import (
    ClockTask,
    DetailTask,
    SpikedTraces,
    padded,
    peak_times,
    slowest_onset,
)
from noble_neuron.training.config import TrainConfig
from noble_neuron.training.fit import FitConfig, fit
from noble_neuron.training.loop import train
from noble_neuron.training.whole_trace import Traces

torch.set_num_threads(1)


def test_peaks_are_found_between_grid_points():
    t = np.arange(0, 40, 0.025)
    centres = (10.013, 30.008)
    v = -70 + sum(100 * np.exp(-(((t - c) / 0.2) ** 2)) for c in centres)
    np.testing.assert_allclose(peak_times(v, 0.025, -20.0), centres, atol=1e-3)
    assert peak_times(np.full(100, -70.0), 0.025, -20.0).size == 0


def integrator(amplitudes):
    """A perfect integrator that starts half full: 0.4 spikes per ms and nA above 0.1 nA."""
    t = np.arange(800) * 0.075
    current = amplitudes[:, None] * ((t >= 9.99) & (t < 50))[None]
    rate = 0.4 * np.clip(amplitudes - 0.1, 0, None)
    trains = [
        10 + (np.arange(1, int(40 * r + 0.5) + 1) - 0.5) / r if r else np.zeros(0) for r in rate
    ]
    data = Traces(
        current.astype(np.float32),
        np.zeros_like(current, np.float32),
        np.full((len(amplitudes), 1), 2.0, np.float32),
        0.075,
    )
    return SpikedTraces(data, padded(trains))


def test_the_slowest_onset_is_counted_from_the_rise_above_threshold():
    """An integrator's first spike comes 0.5 / (0.4 (I - 0.1)) ms after the current's onset."""
    data = integrator(np.array([0.0, 0.09, 0.14, 0.3]))
    i_thr = np.full(4, 0.1)
    assert slowest_onset(data, i_thr, 1.25) == pytest.approx(0.5 / (0.4 * 0.04), abs=0.1)
    assert slowest_onset(data, i_thr * 0.8, 1.25) is None  # 0.09 nA stays silent above that
    assert slowest_onset(data, i_thr * 5, 1.25) is None  # nothing is above that


def test_the_clock_learns_when_an_integrator_fires(tmp_path):
    torch.manual_seed(0)
    noble = ClockedNoble(
        ClockedConfig(latent_size=1, window_ms=60.0, clock_hidden=32, layers=1, hidden=4, modes=8)
    )
    rng = np.random.default_rng(0)
    task = ClockTask(
        noble, integrator(rng.uniform(-0.1, 0.8, 192)), integrator(rng.uniform(-0.1, 0.8, 64))
    )
    with torch.no_grad():
        before = task.validate(noble.clock, torch.device("cpu"))
    config = TrainConfig(
        recipe="modern", epochs=120, batch_size=32, lr=1e-2, clip=1.0, validate_every=20
    )
    train(noble.clock, task, config, tmp_path)
    after = task.validate(noble.clock, torch.device("cpu"))
    assert after["turns"] < 0.3 * before["turns"] and after["turns"] < 0.1
    assert after["miscount"] == 0


def test_the_detail_learns_what_the_shape_leaves(tmp_path):
    """An untrained shape branch beside spikes whose width depends on the latent point."""
    torch.manual_seed(0)
    noble = ClockedNoble(
        ClockedConfig(latent_size=1, window_ms=60.0, clock_hidden=4, layers=1, hidden=4, modes=8)
    )
    rng = np.random.default_rng(0)

    def traces(n):
        t, latent = np.arange(800) * 0.075, rng.uniform(0.5, 3.5, (n, 1))
        times = np.sort(rng.uniform(2.0, 55.0, (n, 3)), axis=1)
        age = t[None, None] - times[..., None]
        volts = -65 + 80 * np.exp(-((age / (0.2 * latent[..., None])) ** 2)).max(1)
        parts = (np.zeros_like(volts), volts, latent)
        return SpikedTraces(
            Traces(*(x.astype(np.float32) for x in parts), 0.075), times.astype(np.float32)
        )

    task = DetailTask(noble, traces(24), traces(8))
    config = TrainConfig(recipe="modern", epochs=60, batch_size=256, lr=1e-2)
    train(noble.detail, task, config, tmp_path)
    figures = task.validate(noble.detail, torch.device("cpu"))
    assert figures["rmse_mV"] < 0.1 * figures["rmse_without_mV"]


def test_the_detail_of_silent_traces_is_left_alone(tmp_path):
    noble = ClockedNoble(ClockedConfig(latent_size=1, window_ms=60.0, layers=1, hidden=4, modes=8))
    silent = integrator(np.zeros(4))
    assert DetailTask(noble, silent, silent).n_samples == 0


def test_a_clocked_bundle_from_real_traces(line, tmp_path):
    samples = [(k, noble_step(a)) for k in range(3) for a in np.linspace(-0.1, 0.3, 10)]
    data = build_dataset(line.cells[:3], samples, tmp_path / "data.h5", workers=1)
    config = FitConfig(
        latent=("I_thr", "max_rate"),
        operator=ClockedConfig(clock_hidden=8, layers=1, hidden=4, modes=16),
        training=TrainConfig(epochs=1),
        clock_training=TrainConfig(epochs=2),
    )
    result = fit(data, line.latents, ["ball2"], tmp_path / "out", config)
    assert result.finished and np.isfinite(result.score)
    surrogate = bundle.load(result.bundle)
    t = np.arange(6867) * surrogate.card.dt
    current = 0.2 * ((t >= 15) & (t < 415))
    point = np.array(line.latents["ball0"])
    voltage = surrogate.predict(current, point, surrogate.card.dt)
    assert voltage.shape == (1, 6867) and np.isfinite(voltage).all()


@pytest.mark.parametrize("times", [np.zeros((1, 1), np.float32)])
def test_every_trace_needs_its_spike_times(times):
    traces = Traces(
        np.zeros((2, 5), np.float32),
        np.zeros((2, 5), np.float32),
        np.zeros((2, 1), np.float32),
        0.075,
    )
    with pytest.raises(ValueError, match="spike times of 1"):
        SpikedTraces(traces, times)
