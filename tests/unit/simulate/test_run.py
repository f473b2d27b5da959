"""One simulation: what is injected, what is recorded, what is refused."""

import numpy as np
import pytest
from neuron import h

from noble_neuron.errors import InputError, SimulationError
from noble_neuron.protocols.protocol import Protocol, noble_step
from noble_neuron.protocols.stimuli import OrnsteinUhlenbeck, Ramp, Step
from noble_neuron.protocols.synapses import Barrage, ampa, gaba_a
from noble_neuron.simulate.run import seen, simulate

pytestmark = pytest.mark.usefixtures("nothing_left")

BARRAGE = Barrage(ampa(800, 0.004), gaba_a(400, 0.003), onset=5, duration=30, seed=2)
BARRAGE_EARLY = Barrage(ampa(800, 0.004), gaba_a(400, 0.003), onset=0, duration=10, seed=2)
NOISE = OrnsteinUhlenbeck(mean=0.1, sd=0.05, tau=3, onset=5, duration=30, seed=1)


def test_a_step_is_exactly_neurons_own_clamp(small):
    amplitude, onset, duration, end = 0.1, 5.0, 30.0, 40.0  # nA, ms
    with small("ball").build() as live:
        ours = simulate(live, Protocol("step", end, (Step(amplitude, onset, duration),)))
        clamp = h.IClamp(live.soma(0.5))
        clamp.delay, clamp.dur, clamp.amp = onset, duration, amplitude
        v = h.Vector().record(live.soma(0.5)._ref_v)
        h.load_file("stdrun.hoc")
        before, h.celsius, h.dt = (h.celsius, h.dt), 6.3, 0.025
        h.finitialize(-65)
        h.continuerun(end)
        theirs = v.as_numpy().copy()
        h.celsius, h.dt = before
        del clamp, v
    assert np.array_equal(ours.v, theirs)
    assert ours.v.max() > 0


def test_a_played_current_lands_on_the_solvers_steps(small):
    # A ramp that does not rise is a step, but takes the road of played vectors.
    step = Protocol("step", 40.0, (Step(0.1, 5.0, 30.0),))
    flat = Protocol("flat", 40.0, (Ramp(0.1, 0.1, 5.0, 30.0),))
    with small("ball").build() as live:
        difference = simulate(live, step).v - simulate(live, flat).v
    assert np.abs(difference).max() < 1e-9


@pytest.mark.parametrize("stimulus", [NOISE, BARRAGE], ids=["current", "conductance"])
def test_another_dt_in_between_changes_nothing(small, stimulus):
    protocol = Protocol("noise", 40.0, (stimulus,))
    with small("ball").build() as live:
        first = simulate(live, protocol)
        finer = simulate(live, protocol, dt=0.01)
        again, finer_again = simulate(live, protocol), simulate(live, protocol, dt=0.01)
    fresh = simulate(small("ball"), protocol, dt=0.01)
    assert np.array_equal(first.v, again.v)
    assert np.array_equal(finer.v, finer_again.v)
    assert np.array_equal(finer.v, fresh.v)
    # The same experiment, so the same answer to within the solver's error.
    assert (
        np.abs(first.v - np.interp(first.t, finer.t, finer.v)).mean() < 1.0
    )  # mV; a corrupted run is off by tens


def test_a_vector_that_somebody_still_plays_elsewhere_changes_nothing(small):
    protocol = Protocol("noise", 40.0, (NOISE,))
    with small("ball").build() as live:
        first = simulate(live, protocol)
        clamp = h.IClamp(live.soma(0.5))
        stray = h.Vector(np.zeros(100))
        stray.play(clamp._ref_amp, 0.1)
        again = simulate(live, protocol)
        stray.play_remove()
        del clamp, stray
    assert np.array_equal(first.v, again.v)


def test_record_dt_takes_every_nth_step(small):
    with small("ball").build() as live:
        fine = simulate(live, noble_step(0.1))
        coarse = simulate(live, noble_step(0.1), record_dt=0.1)
    assert np.array_equal(coarse.v, fine.v[::4])
    assert coarse.t[-1] == pytest.approx(515.0)
    with pytest.raises(InputError, match="record_dt=0.03 ms is not a multiple"):
        simulate(small("ball"), noble_step(0.1), record_dt=0.03)


def test_protocols_v_init_replaces_the_cells(small):
    cell = small("ball")
    assert simulate(cell, noble_step(0.0)).v[0] == -65.0
    assert simulate(cell, noble_step(0.0, v_init=-80.0)).v[0] == -80.0


def test_variable_step_agrees_with_a_small_fixed_one(small):
    protocol = Protocol("step", 40.0, (Step(0.1, 5.0, 30.0),))
    with small("ball").build() as live:
        fixed = simulate(live, protocol, dt=0.0025, record_dt=0.025)
        variable = simulate(live, protocol, cvode_atol=1e-5)
    assert len(fixed.v) == len(variable.v)
    assert np.abs(fixed.v - variable.v).mean() < 0.2


def test_divergence_names_cell_protocol_and_time(small):
    hot = small("passive", name="hot", e=1e6)
    with pytest.raises(SimulationError, match=r"hot under step 0.1 nA diverged: .* mV at 0.025"):
        simulate(hot, noble_step(0.1))


def test_seen_is_the_mean_over_each_interval():
    ramp = Protocol("ramp", 10.0, (Ramp(0.0, 1.0, 0.0, 10.0), BARRAGE_EARLY))
    fine, coarse = seen(ramp, 0.025), seen(ramp, 0.025, stride=4)
    for one, other in zip(fine, coarse, strict=True):
        assert other[:-1] == pytest.approx(one[:400].reshape(-1, 4).mean(1))
    assert coarse[0][0] == pytest.approx(0.1 * 0.05)  # nA/ms x the middle of 0-0.1 ms
