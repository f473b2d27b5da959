"""The AdEx: rates in closed form, and a fit that finds a neuron again."""

from dataclasses import replace

import numpy as np
import pytest

from noble_neuron.compare.adex import AdEx, fit, run
from noble_neuron.errors import InputError
from noble_neuron.features.agreement import judge
from noble_neuron.features.spiketrain import spike_times

NEURON = AdEx(
    C=0.1,
    gL=0.01,
    EL=-70.0,
    DT=2.0,
    VT=-50.0,
    Vr=-60.0,
    a=0.002,
    bw=0.05,
    tau_w=30.0,
    t_ref=2.0,
    V_cut=-35.0,
    peak=0.0,
)


def noisy(n=12, steps=5000, seed=0):
    """Filtered noise and a conductance that comes and goes, every 0.1 ms."""
    rng = np.random.default_rng(seed)
    slow = np.repeat(rng.normal(0.25, 0.15, (n, steps // 50)), 50, axis=1)
    g = np.repeat(rng.uniform(0, 0.004, (n, steps // 100)), 100, axis=1)
    return slow - 70 * g, g


def test_without_its_extras_it_fires_as_the_leaky_one():
    """T = t_ref + tau ln((RI + EL - Vr) / (RI + EL - V_cut)), the exponential out of reach."""
    leaky = replace(NEURON, DT=0.01, VT=0.0, a=0.0, bw=0.0, V_cut=-50.0)
    b = np.full((1, 10_000), 0.35)
    times = spike_times(run(leaky, b, 0 * b, 0.1, np.array([-70.0]))[0], 0.1, -50.0)
    drive, tau = 0.35 / leaky.gL, leaky.C / leaky.gL
    period = leaky.t_ref + tau * np.log((drive - 70 + 60) / (drive - 70 + 50))
    assert np.diff(times)[3:].mean() == pytest.approx(period, abs=0.15)


def test_adaptation_slows_it():
    b = np.full((1, 10_000), 0.5)
    start = np.array([-70.0])
    plain, adapting = (
        np.diff(spike_times(run(n, b, 0 * b, 0.1, start)[0], 0.1, -35.0))
        for n in (replace(NEURON, a=0.0, bw=0.0), NEURON)
    )
    assert plain[-1] == pytest.approx(plain[1], rel=0.02)
    assert adapting[-1] > 1.3 * adapting[0]


def test_it_rests_without_input():
    b = np.zeros((2, 10_000))
    v = run(NEURON, b, b, 0.1, np.array([-70.0, -90.0]))
    np.testing.assert_allclose(v[:, -1], -70.0, atol=1e-3)


def test_a_conductance_pulls_to_its_reversal():
    """b = G E with G far above the leak."""
    g = np.full((1, 3000), 0.5)
    v = run(NEURON, -80 * g, g, 0.1, np.array([-70.0]))
    assert v[0, -1] == pytest.approx((0.5 * -80 - 0.01 * 70) / 0.51, abs=0.3)


def test_a_fit_finds_a_neuron_again():
    b, g = noisy()
    v = run(NEURON, b, g, 0.1, np.full(len(b), -70.0))
    found = fit(b[:9], g[:9], v[:9], 0.1, -35.0, evaluations=1200, seed=0, traces=6)
    new = run(found, b[9:], g[9:], 0.1, np.full(3, -70.0))
    other = replace(NEURON, VT=-47.0, bw=0.1)
    rival = run(other, b[9:], g[9:], 0.1, np.full(3, -70.0))
    own, off = (judge(x, v[9:], 0.1, -35.0) for x in (new, rival))
    assert own["gamma"] > 0.5 and own["gamma"] > off["gamma"] + 0.1
    again = fit(b[:9], g[:9], v[:9], 0.1, -35.0, evaluations=96, seed=3, traces=3)
    assert again == fit(b[:9], g[:9], v[:9], 0.1, -35.0, evaluations=96, seed=3, traces=3)


def test_bad_input_is_named():
    with pytest.raises(InputError, match="Vr and EL < V_cut < peak"):
        replace(NEURON, Vr=-30.0)
    with pytest.raises(InputError, match="whole multiples of 0.05 ms"):
        run(NEURON, np.zeros((1, 9)), np.zeros((1, 9)), 0.07, np.zeros(1))
    b, g = noisy(4, 1000)
    with pytest.raises(InputError, match="none of these does"):
        fit(b, g, np.full(b.shape, -70.0), 0.1, -35.0, 96, 0)
