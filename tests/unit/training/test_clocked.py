"""The clocked operator learns a firing rule it is shown, and writes a bundle that reloads."""

import numpy as np
import pytest
import torch

from noble_neuron.operators import ClockedConfig, ClockedNoble
from noble_neuron.operators.spike import offsets
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.surrogates import bundle
from noble_neuron.training.clocked import (
    ClockTask,
    SpikedTraces,
    SpikeTask,
    TimingTask,
    gather_times,
    gather_waves,
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


def test_the_timing_learns_what_the_clock_leaves(tmp_path):
    """A clock too steep by half, that creeps without a current, beside an integrator."""
    torch.manual_seed(0)
    noble = ClockedNoble(ClockedConfig(latent_size=1, window_ms=60.0, layers=1, hidden=4, modes=8))
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for p in noble.clock.parameters():
            p.zero_()
        noble.clock.straight.weight[0, 0] = 3.27  # at 0.28 nA the integrator's pace
        noble.clock.straight.bias.fill_(-3.0)
    data = [integrator(rng.uniform(0.27, 0.29, n)) for n in (96, 32)]
    config = TrainConfig(recipe="modern", epochs=150, batch_size=32, lr=1e-2)
    for part, first in (("first", True), ("later", False)):
        task = TimingTask(noble, *data, first=first)
        train(getattr(noble, part), task, config, tmp_path / part)
        figures = task.validate(getattr(noble, part), torch.device("cpu"))
        assert figures["before_ms"] > 0.2
        assert figures["error_ms"] < 0.1 * figures["before_ms"]
    traces = data[1].traces
    current, latent, _ = traces.batch(np.arange(32), torch.device("cpu"))
    with torch.no_grad():
        times = noble.spike_times(current, latent, traces.times(torch.device("cpu")))
    true = torch.as_tensor(data[1].times)[:, : times.shape[1]]
    assert (times - true).abs().max() < 0.2


def spiking(n, rng):
    """Traces at -65 mV with spikes whose width is the latent point's."""
    t, latent = np.arange(800) * 0.075, rng.uniform(0.5, 3.5, (n, 1))
    times = np.sort(rng.uniform(0.0, 9.0, (n, 3)), axis=1) + np.array([[4.0, 20.0, 36.0]])

    def volts(at):
        age = at[:, None] - times[..., None]
        return -65 + 80 * np.exp(-((age / (0.2 * latent[..., None])) ** 2)).max(1)

    around = offsets().numpy()
    waves = -65 + 80 * np.exp(-((around / (0.2 * latent)) ** 2))
    voltage = volts(np.broadcast_to(t, (n, len(t))))
    traces = Traces(
        *(x.astype(np.float32) for x in (np.zeros_like(voltage), voltage, latent)), 0.075
    )
    which = np.stack(np.indices((n, 3)).reshape(2, -1), 1)
    return SpikedTraces(
        traces, times.astype(np.float32), which, np.repeat(waves, 3, 0).astype(np.float32)
    )


def test_the_waveform_learns_the_spikes_of_each_cell(tmp_path):
    torch.manual_seed(0)
    noble = ClockedNoble(ClockedConfig(latent_size=1, window_ms=60.0, layers=1, hidden=4, modes=8))
    rng = np.random.default_rng(0)
    data = [spiking(n, rng) for n in (48, 16)]
    task = SpikeTask(noble, *data)
    config = TrainConfig(recipe="modern", epochs=80, batch_size=32, lr=1e-2)
    train(noble.spike, task, config, tmp_path)
    figures = task.validate(noble.spike, torch.device("cpu"))
    assert figures["rmse_mV"] < 0.1 * figures["rmse_average_mV"]
    traces = data[1].traces
    current, latent, voltage = traces.batch(np.arange(16), torch.device("cpu"))
    t, times = traces.times(torch.device("cpu")), torch.as_tensor(data[1].times)
    with torch.no_grad():
        got = noble.voltage(current, latent, t, times)
    since = t - times[..., None]
    near = ((since > -1.4) & (since < 3.4)).any(1)
    assert (got - voltage)[near].square().mean().sqrt() < 1.0


def test_waveforms_are_read_from_the_raw_traces(line, tmp_path):
    samples = [(0, noble_step(a)) for a in (0.0, 0.3)]
    path = build_dataset(line.cells[:1], samples, tmp_path / "data.h5", workers=1)
    with Dataset.open(path) as data:
        times = gather_times(data, [0, 1], -20.0)
        which, waves = gather_waves(data, [0, 1], times, factor=1)
        few, _ = gather_waves(data, [0, 1], times, factor=1, most=3)
        raw, dt = data.voltage(1), data.dt(1)
    assert np.isinf(times[0]).all() and (which[:, 0] == 1).all() and len(which) > 5
    assert len(few) == 3
    around = offsets().numpy()
    for (_, k), wave in zip(which, waves, strict=True):
        assert abs(around[wave.argmax()]) < 0.03
        place = round(float(times[1, k] - 1.0) / dt)  # a point of the trace, 1 ms before the peak
        mine = np.interp(place * dt - times[1, k], around, wave)
        assert mine == pytest.approx(raw[place], abs=0.2)


def test_silent_traces_train_neither_waveform_nor_timing():
    noble = ClockedNoble(ClockedConfig(latent_size=1, window_ms=60.0, layers=1, hidden=4, modes=8))
    silent = integrator(np.zeros(4))
    assert SpikeTask(noble, silent, silent).n_samples == 0
    assert TimingTask(noble, silent, silent, first=False).n_samples == 0


def test_a_clocked_bundle_from_real_traces(line, tmp_path):
    samples = [(k, noble_step(a)) for k in range(3) for a in np.linspace(-0.1, 0.3, 10)]
    data = build_dataset(line.cells[:3], samples, tmp_path / "data.h5", workers=1)
    config = FitConfig(
        latent=("I_thr", "max_rate"),
        operator=ClockedConfig(clock_hidden=8, layers=1, hidden=4, modes=16),
        training=TrainConfig(epochs=1),
        clock_training=TrainConfig(epochs=2),
        first_training=TrainConfig(epochs=2),
        later_training=TrainConfig(epochs=2),
        spike_training=TrainConfig(epochs=2),
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
