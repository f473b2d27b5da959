"""Our runs of a passive compartment against its exact solution."""

from pathlib import Path

import numpy as np
import pytest

from noble_neuron.protocols.protocol import Protocol
from noble_neuron.protocols.stimuli import Ramp, Step
from noble_neuron.protocols.synapses import Barrage, ampa, gaba_a
from noble_neuron.simulate.run import simulate

SIZE, CM, G, E = 20.0, 1.0, 1e-4, -70.0  # um, uF/cm2, S/cm2, mV
AREA = np.pi * SIZE**2 * 1e-8  # cm2
CAPACITANCE = 1e3 * CM * AREA  # nF
LEAK = 1e6 * G * AREA  # uS


@pytest.fixture
def cell(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "unit" / "simulate"))
    from noble_neuron.cells.python import load_python

    return load_python(
        "small_cells:passive",
        {"g": G, "e": E, "cm": CM, "size": SIZE},
        celsius=6.3,
        v_init=E,
        dt=0.025,
        threshold=-20.0,
    )


def exact(protocol, t, dt):
    """Solution of C v' = I + b - g v - g_leak (v - E), I, b and g constant within each dt/8."""
    fine = dt / 8  # ms
    middles = (np.arange(round(t[-1] / fine)) + 0.5) * fine
    current = protocol.current(middles)
    b, g = protocol.conductance(middles)
    total = g + LEAK  # uS
    target = (current + b + LEAK * E) / total  # mV
    keep = np.exp(-fine * total / CAPACITANCE)
    v = np.empty(len(middles) + 1)
    v[0] = E
    for k in range(len(middles)):
        v[k + 1] = target[k] + (v[k] - target[k]) * keep[k]
    return v[::8]


STIMULI = {
    "step": Step(-0.01, 5.0, 60.0),
    "ramp": Ramp(0.0, 0.02, 5.0, 60.0),
    "conductance": Barrage(ampa(300, 0.002), gaba_a(200, 0.002), 5.0, 60.0, seed=4),
}


@pytest.mark.parametrize("kind", STIMULI)
def test_voltage_is_the_exact_solution_to_first_order(cell, kind):
    protocol = Protocol(kind, 100.0, (STIMULI[kind],))
    errors = []
    for dt in (0.025, 0.0125):  # ms
        trace = simulate(cell, protocol, dt=dt)
        truth = exact(protocol, trace.t, dt)
        errors.append(np.abs(trace.v - truth).max())
        assert np.ptp(truth) > 2  # mV: there is something to follow
    tolerance = 0.15 if kind == "conductance" else 0.01  # mV
    assert errors[0] < tolerance
    # Implicit Euler: half the step, half the error; not so if the input came a step late.
    assert errors[1] == pytest.approx(errors[0] / 2, rel=0.15)


def test_step_follows_the_textbook(cell):
    amplitude, onset, duration = -0.01, 5.0, 60.0  # nA, ms
    trace = simulate(cell, Protocol("step", 65.0, (Step(amplitude, onset, duration),)))
    tau = CAPACITANCE / LEAK  # ms
    since = np.maximum(trace.t - onset, 0)
    textbook = E + amplitude / LEAK * (1 - np.exp(-since / tau))
    assert np.abs(trace.v - textbook).max() < 0.01  # mV
