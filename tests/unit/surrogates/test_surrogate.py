import warnings

import numpy as np
import pytest
import torch

from noble_neuron.errors import InputError, OutsideTraining
from noble_neuron.features.latent import LatentSpace
from noble_neuron.operators import NobleConfig, NobleFNO
from noble_neuron.surrogates import Card, Surrogate
from noble_neuron.surrogates.grid import current_onto, voltage_onto

DT, ONSET, DURATION, TOTAL = 0.5, 5.0, 30.0, 45.0  # ms
POINTS = np.array([[0.05, 100.0], [0.11, 300.0], [0.07, 420.0]])
INSIDE = POINTS.mean(axis=0)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def surrogate(step=(ONSET, DURATION), **limits):
    space = LatentSpace.fit(("I_thr", "s_thr"), ("nA", "Hz/nA"), POINTS)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = NobleFNO(NobleConfig(window_ms=50.0, layers=2, hidden=5, modes=7))
    card = Card(
        ensemble="toy",
        latent_space=space,
        dt=DT,
        current_range=(-0.11, 0.28),
        celsius=34.0,
        v_init=-80.0,
        threshold=-20.0,
        junction_potential=-14.0,
        licence="MIT",
        step=step,
        **limits,
    )
    return Surrogate(model, card)


def step(amplitude, total=TOTAL, dt=DT, onset=ONSET):
    t = np.arange(round(total / dt)) * dt
    return np.where((t >= onset) & (t < onset + DURATION), amplitude, 0.0)


def quietly(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return surrogate().predict(*args, **kwargs)


def test_many_traces_in_small_batches_are_the_same_traces():
    current = np.stack([step(a) for a in np.linspace(-0.1, 0.25, 7)])
    latent = np.tile(INSIDE, (7, 1))
    whole, parts = (quietly(current, latent, DT, batch=b) for b in (7, 3))
    assert whole.shape == (7, 90) and whole.dtype == np.float32
    np.testing.assert_allclose(parts, whole, atol=1e-4)


def test_one_current_for_many_cells_and_one_cell_for_many_currents():
    current = step(0.2)
    cells = quietly(current, POINTS, DT)
    assert cells.shape == (3, 90)
    np.testing.assert_allclose(quietly(current, POINTS[1], DT), cells[1:2], atol=1e-4)
    assert quietly(np.stack([current, step(0.1)]), INSIDE, DT).shape == (2, 90)


def test_zero_current_is_answered_without_a_warning():
    assert np.isfinite(quietly(np.zeros(90), INSIDE, DT)).all()


@pytest.mark.parametrize("total", [20.0, 36.5, 44.0])
def test_the_answer_does_not_depend_on_the_duration_asked_for(total):
    part, whole = quietly(step(0.2, total), INSIDE, DT), quietly(step(0.2), INSIDE, DT)
    np.testing.assert_allclose(part, whole[:, : part.shape[1]], atol=1e-4)


@pytest.mark.parametrize("dt, worst", [(0.1, 0.02), (1.0, 0.3)])
def test_another_grid_gives_the_same_voltage_at_the_same_times(dt, worst):
    there = quietly(step(0.2, dt=dt), INSIDE, dt)[0]
    here = quietly(step(0.2), INSIDE, DT)[0]
    t = np.arange(len(there)) * dt
    shared = np.interp(t, np.arange(len(here)) * DT, here)
    on_both = np.isclose(t / DT, np.round(t / DT)) & (t < TOTAL - DT)
    assert on_both.sum() > 40
    assert np.abs(there - shared)[on_both].max() < worst  # mV


def test_no_charge_is_lost_between_grids():
    draw = np.random.default_rng(0)
    current = draw.normal(size=(2, 97))
    for new_dt in (0.075, 0.2, 1.3):
        steps = int(np.ceil(97 * 0.3 / new_dt))
        moved = current_onto(current, 0.3, new_dt, steps)
        np.testing.assert_allclose(moved.sum(1) * new_dt, current.sum(1) * 0.3)


def test_a_smooth_voltage_keeps_its_values_between_grids():
    def wave(dt):
        return np.sin(np.arange(round(40 / dt)) * dt)[None]

    moved = voltage_onto(wave(0.3), 0.3, 0.07, 500)
    np.testing.assert_allclose(moved, wave(0.07)[:, :500], atol=1e-3)


def test_a_latent_point_outside_the_hull_warns_and_names_the_distance():
    outside = np.array([0.17, 300.0])
    distance = surrogate().latent_space.distance(outside)[0]
    with pytest.warns(OutsideTraining, match=f"I_thr 0.17.* by {distance:.3g} encoded units"):
        surrogate().predict(step(0.2), outside, DT)


def test_a_current_outside_the_range_warns():
    with pytest.warns(OutsideTraining, match="0 to 0.5 nA.*trained on -0.11 to 0.28 nA"):
        surrogate().predict(step(0.5), INSIDE, DT)


@pytest.mark.parametrize(
    "current", [step(0.2, onset=9.0), 0.1 * np.sin(np.arange(90)), np.full(90, 0.1)]
)
def test_a_current_of_another_shape_warns_where_only_steps_were_trained_on(current):
    with pytest.warns(OutsideTraining, match="1 of 1 currents are no square step from 5 to 35"):
        surrogate().predict(current, INSIDE, DT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        surrogate(step=None).predict(current, INSIDE, DT)


NAN = np.where(np.arange(90) == 17, np.nan, 0.1)


@pytest.mark.parametrize(
    "current, latent, dt, match",
    [
        (NAN, INSIDE, DT, "current is nan at row 0, step 17"),
        (step(0.2), np.array([np.nan, 200.0]), DT, "'I_thr' of point 0 is nan"),
        (step(0.2, 51.0), INSIDE, DT, "at most 50 ms: got 102 of 0.5 ms"),
        (step(0.2), INSIDE[:1], DT, r"latent of shape \(n, 2\), namely I_thr, s_thr"),
        (np.zeros((2, 90)), POINTS, DT, r"got \(2, 90\) and \(3, 2\)"),
        (np.zeros((1, 0)), INSIDE, DT, r"got \(1, 0\)"),
        (step(0.2), INSIDE, 0.0, "dt must be a positive number of ms, got 0.0"),
    ],
)
def test_what_cannot_be_answered_is_one_clear_error(current, latent, dt, match):
    with pytest.raises(InputError, match=match):
        surrogate().predict(current, latent, dt)


def test_a_current_beyond_the_cells_own_range_warns_though_others_were_trained_there():
    weak, strong = np.array([0.051, 200.0]), np.array([0.1, 300.0])
    toy = surrogate(reach=2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        toy.predict(step(0.19), strong, DT)
    with pytest.warns(OutsideTraining, match="3.73 times the cell's I_thr.*up to 2 times"):
        toy.predict(step(0.19), np.array([weak, strong]), DT)


@pytest.mark.parametrize("amplitude", [0.0, -0.05])
def test_a_step_below_the_lowest_one_trained_on_warns_though_the_range_holds_zero(amplitude):
    toy = surrogate(lowest=0.02)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        toy.predict(step(0.03), INSIDE, DT)
    with pytest.warns(OutsideTraining, match="trained on amplitudes from 0.02 nA"):
        toy.predict(step(amplitude), INSIDE, DT)
