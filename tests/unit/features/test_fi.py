"""The F-I curve of a leaky integrate-and-fire neuron, whose answers are closed forms."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq

from noble_neuron.errors import InputError
from noble_neuron.features.fi import (
    FICurve,
    block_current,
    fi_curve,
    repetitive_current,
    slope,
    threshold_current,
    threshold_slope,
)
from noble_neuron.types import Trace

ALLEN = Path(__file__).parents[4] / "shared" / "data" / "allen_pvalb_485184849"
ONSET, DURATION, DT = 15.0, 400.0, 0.05  # ms
SEEN = {"threshold": -20.0}


class Lif:
    """tau dv/dt = -v + R I; a spike at v_th, then t_ref of rest. Counts how often it is asked."""

    def __init__(self, rheobase=0.2, tau=20.0, t_ref=2.0, block=np.inf):
        self.rheobase, self.tau, self.t_ref, self.block = rheobase, tau, t_ref, block
        self.asked = []

    def first(self, amplitude):
        """Latency [ms] = tau ln(I / (I - I_rheobase))."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.tau * np.log(amplitude / (amplitude - self.rheobase))

    def smooth_rate(self, amplitude):
        """Periods that fit between the first spike and the end, over the duration [Hz]."""
        first = self.first(amplitude)
        return 1e3 * (DURATION - first) / (first + self.t_ref) / DURATION

    @property
    def threshold(self):
        """The first spike comes just at the end of the step."""
        return self.rheobase / (1 - np.exp(-DURATION / self.tau))

    def spikes(self, amplitude):
        if amplitude <= self.rheobase:
            return np.zeros(0)
        first = self.first(amplitude)
        times = np.arange(first, DURATION, first + self.t_ref)
        return ONSET + (times[:2] if amplitude > self.block else times)

    def __call__(self, amplitude):
        self.asked.append(amplitude)
        return drawn(self.spikes(amplitude))


def drawn(spikes):
    """A trace that crosses -20 mV upwards exactly at `spikes` [ms]."""
    t = DT * np.arange(round(515 / DT) + 1)
    v = np.full(t.size, -70.0)
    for spike in spikes:
        v = np.maximum(v, 30.0 - 50.0 * np.abs(t - spike - 1.0))
    return Trace(t, v)


def test_counts_and_rates_are_those_of_the_closed_form():
    lif = Lif()
    curve = fi_curve(lif, [0.4, 0.1, 0.25, 0.3], **SEEN)
    assert curve.amplitudes.tolist() == [0.1, 0.25, 0.3, 0.4]
    expected = [0, *(np.floor(lif.smooth_rate(a) * 0.4) + 1 for a in (0.25, 0.3, 0.4))]
    assert curve.counts.tolist() == expected
    np.testing.assert_allclose(curve.rates, np.array(expected) / 0.4)
    np.testing.assert_allclose(
        curve.smooth_rates[1:], lif.smooth_rate(curve.amplitudes[1:]), rtol=1e-3
    )
    assert curve.repetitive.tolist() == [False, True, True, True]


@pytest.mark.parametrize("tau", [20.0, 100.0])
@pytest.mark.parametrize("rheobase", [0.0312, 0.2, 0.3271])
def test_threshold_is_within_its_tolerance(rheobase, tau):
    lif = Lif(rheobase, tau)
    found = threshold_current(lif, 0.0, 0.6, **SEEN)
    assert 0 <= found - lif.threshold <= 2e-4  # an amplitude that was seen to fire
    assert len(lif.asked) <= 1 + 0.6 / 0.02 + 7


def test_threshold_does_not_depend_on_where_the_scan_starts():
    found = {threshold_current(Lif(), low, high, **SEEN) for low, high in
             [(-0.1, 0.6), (0.0, 0.21), (0.013, 0.5), (0.155, 1.0)]}  # fmt: skip
    assert len(found) == 1


def test_a_bistable_onset_follows_the_stated_rule():
    """Fires in 0.2585-0.2615 (over the multiple 0.26) and from 0.333 on; an island over
    0.3105-0.3115 touches no multiple of 20 pA."""

    def respond(amplitude):
        islands = 0.2585 <= amplitude <= 0.2615 or 0.3105 <= amplitude <= 0.3115
        return drawn([50.0] if islands or amplitude >= 0.333 else [])

    for low in (0.0, 0.1, 0.2400001):
        assert 0 <= threshold_current(respond, low, 0.6, **SEEN) - 0.2585 <= 2e-4
    assert 0 <= threshold_current(respond, 0.28, 0.6, **SEEN) - 0.333 <= 2e-4


def test_a_spike_after_the_step_is_not_firing():
    def respond(amplitude):
        return drawn([450.0] if amplitude < 0.3 else [50.0, 450.0])

    assert threshold_current(respond, 0.0, 0.6, **SEEN) == pytest.approx(0.3, abs=2e-4)


def test_a_silent_cell_has_no_threshold_and_no_slope():
    def silent(amplitude):
        return drawn([])

    assert np.isnan(threshold_current(silent, 0.0, 0.3, **SEEN))
    assert np.isnan(repetitive_current(silent, 0.0, 0.3, **SEEN))
    assert np.isnan(threshold_slope(silent, 0.2, 0.3, **SEEN))
    assert np.isnan(threshold_slope(silent, float("nan"), 0.3, **SEEN))
    curve = fi_curve(silent, [0.1, 0.2], **SEEN)
    assert np.isnan(slope(curve)) and np.isnan(block_current(curve))


def test_repetitive_firing_starts_at_the_fourth_spike():
    lif = Lif(tau=100.0)
    exact = brentq(lambda a: lif.smooth_rate(a) * 0.4 - 3, lif.threshold, 1.0)
    found = repetitive_current(lif, lif.threshold, 1.0, **SEEN)
    assert 0 <= found - exact <= 6.25e-4 + 1e-5


def test_a_burst_that_falls_silent_is_not_repetitive():
    lif = Lif()

    def respond(amplitude):
        spikes = lif.spikes(amplitude)  # from 0.23 nA on, 6 are over in the first 250 ms
        return drawn(spikes if amplitude > 0.27 else spikes[:6])

    assert fi_curve(respond, [0.25], **SEEN).counts[0] == 6
    found = repetitive_current(respond, 0.23, 0.6, **SEEN)
    assert 0 <= found - 0.27 <= 6.25e-4


def test_slope_is_the_least_squares_slope_of_the_closed_form():
    lif = Lif()
    i_thr = threshold_current(lif, 0.0, 0.6, **SEEN)
    i_rep = repetitive_current(lif, i_thr, 0.6, **SEEN)
    amplitudes = np.linspace(i_rep, i_rep + 0.12, 9)
    exact = np.polyfit(amplitudes, lif.smooth_rate(amplitudes), 1)[0]
    assert threshold_slope(lif, i_thr, 0.6, **SEEN) == pytest.approx(exact, rel=2e-3)


def test_the_smooth_rate_conditions_the_slope():
    """Cells that differ by 1 % in membrane time constant: plain counts scatter the slope
    by several Hz/nA about the exact one, the smooth count does not."""
    amplitudes = np.linspace(0.22, 0.34, 9)
    errors = []
    for tau in np.linspace(20.0, 20.2, 12):
        lif = Lif(tau=tau)
        curve = fi_curve(lif, amplitudes, **SEEN)
        exact = np.polyfit(amplitudes, lif.smooth_rate(amplitudes), 1)[0]
        plain = np.polyfit(amplitudes, curve.rates, 1)[0]
        errors.append((slope(curve) - exact, plain - exact))
    smooth, plain = np.std(errors, axis=0)
    assert plain > 2  # Hz/nA
    assert smooth < plain / 10


def test_block_is_where_the_rate_halves():
    lif = Lif(block=0.47)
    curve = fi_curve(lif, np.arange(0.2, 0.61, 0.02), **SEEN)
    assert block_current(curve) == pytest.approx(0.48)
    assert np.isnan(block_current(fi_curve(Lif(), np.arange(0.2, 0.61, 0.02), **SEEN)))


def test_the_slope_window_ends_at_the_peak():
    lif = Lif(block=0.251)
    curve = fi_curve(lif, [0.21, 0.23, 0.25, 0.27, 0.29], **SEEN)
    used = curve.amplitudes[:3]
    exact = np.polyfit(used, lif.smooth_rate(used), 1)[0]
    assert slope(curve) == pytest.approx(exact, rel=2e-3)


BAD = [
    (lambda: threshold_current(Lif(), 0.3, 0.6, **SEEN), "already fires at the lowest amplitude"),
    (lambda: threshold_current(Lif(), 0.6, 0.3, **SEEN), "low < high"),
    (lambda: threshold_current(Lif(), 0.0, float("nan"), **SEEN), "low < high"),
    (lambda: threshold_current(Lif(), 0.0, 0.3, 0.0, **SEEN), "0 < tolerance <= grid"),
    (lambda: fi_curve(Lif(), [0.1, float("nan")], **SEEN), "finite amplitudes"),
    (lambda: fi_curve(Lif(), [], **SEEN), "finite amplitudes"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_input_is_refused_by_name(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert message in str(caught.value)


def test_published_table_of_slopes_and_blocks_is_reproduced():
    """40 Allen cells: with plain rates and >= 4 spikes as repetitive, `slope` and
    `block_current` are the table's s_thr and I_block."""
    if not ALLEN.is_dir():
        pytest.skip(f"reference data not here: {ALLEN.name} beside the repository's shared/")
    with open(ALLEN / "threshold_summary.csv") as file:
        summary = list(csv.DictReader(file))
    with open(ALLEN / "fi_curves.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] != "hyper"]
    for cell in summary:
        mine = {float(r["amp_nA"]): int(r["nspikes"]) for r in rows if r["hof"] == cell["hof"]}
        amplitudes = np.array(sorted(mine))
        counts = np.array([mine[a] for a in amplitudes])
        curve = FICurve(amplitudes, counts, counts, counts >= 4, DURATION)
        assert slope(curve) == pytest.approx(float(cell["s_thr_Hz_per_nA"]), rel=1e-4), cell["hof"]
        block = float(cell["I_block_nA"] or "nan")
        assert block_current(curve) == pytest.approx(block, nan_ok=True), cell["hof"]
