"""Norms and feature errors, on traces whose errors are known by hand."""

import numpy as np
import pytest

from noble_neuron.compare import metrics

DT = 0.05  # ms
WINDOW = (15.0, 415.0)  # ms
THRESHOLD = -20.0  # mV


def train(times, peak=20.0, rest=-70.0, after=-70.0):
    """A trace with triangular spikes, 1 ms wide at half height, at `times` [ms]."""
    t = np.arange(0, 515, DT)
    v = np.where(t < WINDOW[1], rest, after).astype(float)
    for time in times:
        v = np.maximum(v, rest + (peak - rest) * (1 - np.abs(t - time)).clip(0))
    return v


def scored(answer, truth):
    answer, truth = np.array(answer), np.array(truth)
    found = [metrics.features(x, DT, WINDOW, THRESHOLD) for x in (answer, truth)]
    return metrics.score(answer, truth, *found, WINDOW[1] - WINDOW[0])


def test_relative_error_is_equation_4():
    truth = np.array([[3.0, -4.0], [1.0, 0.0]])
    answer = np.array([[3.0, -3.0], [1.0, 2.0]])
    assert metrics.relative_error(answer, truth) == pytest.approx([1 / 5, 2.0])
    l4 = (3.0**4 + 4.0**4) ** 0.25
    assert metrics.relative_error(answer, truth, p=4)[0] == pytest.approx(1 / l4)


def test_relative_error_forgives_an_offset_that_the_mean_subtracted_one_does_not():
    truth = -80 + np.sin(np.arange(1000) / 10.0)[None]
    flat = np.full_like(truth, truth.mean())
    assert metrics.relative_error(flat, truth)[0] < 0.01
    assert metrics.mean_subtracted_l2(flat, truth) == pytest.approx(1.0)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 3\) and \(1, 2\)"):
        metrics.relative_error(np.zeros((1, 3)), np.zeros((1, 2)))


def test_the_truth_itself_scores_nothing_wrong():
    truth = [train([50, 150, 250]), train([])]
    groups = scored(truth, truth)
    for name in (
        "voltage_l2",
        "spikecount",
        "AP1_width",
        "mean_AP_amplitude",
        "steady_state_voltage",
        "time_to_first_spike",
        "spikecount_mean",
    ):
        assert groups["firing"].values[name] == pytest.approx(0.0), name
    assert groups["firing"].n == groups["silent"].n == 1
    assert groups["all"].values["count_right"] == 100
    assert groups["firing"].values["missed_onsets"] == 0
    assert np.isnan(groups["silent"].values["missed_onsets"])
    assert groups["silent"].values["false_spikes"] == 0


def test_counts_times_and_amplitudes():
    truth = [train([50, 150, 250, 350]), train([100, 200])]
    answer = [train([52, 150, 250], peak=11.0), train([103, 200, 300])]
    firing = scored(answer, truth)["firing"].values
    assert firing["spikecount"] == pytest.approx(100 * np.sqrt(2 / 20))
    assert firing["spikecount_mean"] == pytest.approx(100 * (1 / 4 + 1 / 2) / 2)
    assert firing["time_to_first_spike"] == pytest.approx((2 + 3) / 2, abs=0.01)
    assert firing["mean_AP_amplitude"] == pytest.approx(100 * 9 / np.hypot(90, 90), abs=0.5)


def test_silence_is_not_rewarded():
    groups = scored([train([])], [train([50, 150, 250])])
    firing = groups["firing"]
    assert firing.values["missed_onsets"] == 1 and firing.values["count_right"] == 0
    for name in ("spikecount", "AP1_width", "mean_AP_amplitude", "spikecount_mean"):
        assert firing.values[name] == pytest.approx(100.0), name
    first = 50 - WINDOW[0]
    assert firing.values["time_to_first_spike"] == pytest.approx(400 - first, abs=0.2)


def test_spikes_where_the_truth_is_silent_are_counted():
    silent = scored([train([50, 60])], [train([])])["silent"]
    assert silent.values["false_spikes"] == 2 and silent.values["count_right"] == 0
    assert np.isnan(silent.values["spikecount"])


def test_steady_state_voltage_is_the_one_after_the_stimulus():
    group = scored([train([], after=-63.0)], [train([], after=-70.0)])["silent"]
    assert group.values["steady_state_voltage"] == pytest.approx(10.0, abs=0.1)
