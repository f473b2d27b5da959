"""Figures of answers whose errors are known."""

import numpy as np
import pytest

from noble_neuron.features.agreement import judge


def spiking(times, steps=10_000):
    """A flat line at -70 mV with triangular spikes to 10 mV, every 0.1 ms."""
    v = np.full(steps, -70.0, np.float32)
    for time in times:
        k = round(time / 0.1)
        v[k - 4 : k + 5] += 80 * np.array([1, 2, 3, 4, 5, 4, 3, 2, 1], np.float32) / 5
    return v


def test_figures_of_known_answers():
    regular = np.arange(20.0, 980.0, 24.0)
    truth = np.stack([spiking(regular), spiking([])])
    same = judge(truth, truth, 0.1, -20.0)
    assert same == pytest.approx(
        {
            **dict.fromkeys(("gamma", "gamma_4ms", "spike_synchrony", "count_ratio"), 1),
            **dict.fromkeys(("interval_error", "count_error", "below_mV", "peak_mV"), 0),
            "false_spikes": 0,
        }
    )
    worse = np.stack([spiking(regular + 1.0) * 0.9, spiking([500.0])])
    found = judge(worse, truth, 0.1, -20.0)
    assert found["gamma"] == pytest.approx(1) and found["false_spikes"] == 1
    assert found["count_ratio"] == pytest.approx(41 / 40)
    assert found["peak_mV"] == pytest.approx(-1.0, abs=1e-4)
    assert found["below_mV"] == pytest.approx(7.0 / 2, abs=0.1)  # 7 mV in one, none in the other
    late = judge(np.stack([spiking(regular + 3.0), truth[1]]), truth, 0.1, -20.0)
    assert late["gamma"] < 0 and late["gamma_4ms"] == pytest.approx(1)
    assert late["spike_synchrony"] == 1 and late["interval_error"] == pytest.approx(0, abs=1e-6)
    fewer = judge(np.stack([spiking(regular[::2]), truth[1]]), truth, 0.1, -20.0)
    assert fewer["count_error"] == pytest.approx(0.5)
    assert fewer["interval_error"] == pytest.approx(1.0)


def test_what_no_trace_can_tell_is_not_a_number():
    silent = np.full((2, 500), -70.0)
    found = judge(silent, silent, 0.1, -20.0)
    assert found["below_mV"] == 0 and found["false_spikes"] == 0
    assert np.isnan([found[k] for k in ("gamma", "count_ratio", "peak_mV")]).all()
