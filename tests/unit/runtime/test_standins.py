"""Every Stepper keeps the contract: state in and out, rows apart, arguments left alone."""

import numpy as np
import pytest

from noble_neuron.contracts import Stepper
from noble_neuron.runtime.standins import HodgkinHuxley, PassiveCell, linoid

STEPPERS = {
    "passive": (PassiveCell(0.0126), [(0.004, -70.0), (0.002, -60.0), (0.008, -65.0)]),
    "squid": (
        HodgkinHuxley(1256.6),
        [(0.12, 0.036, 0.0003), (0.10, 0.036, 0.0003), (0.12, 0.03, 0.0005)],
    ),
}


@pytest.fixture(params=STEPPERS)
def started(request):
    stepper, latent = STEPPERS[request.param]
    latent = np.array(latent)
    return stepper, latent, stepper.start(latent, np.array([-70.0, -65.0, -50.0]))


def inputs(points):
    rng = np.random.default_rng(1)
    return rng.uniform(-0.2, 0.3, (3, points)), rng.uniform(-0.002, 0.02, (3, points))


@pytest.mark.parametrize("points", [5, 10])
def test_shapes_and_untouched_arguments(started, points):
    stepper, latent, state = started
    given = state.copy(), *(x.copy() for x in inputs(points))
    b, g = inputs(points)
    v, after = stepper.advance(state, latent, b, g)
    assert isinstance(stepper, Stepper)
    assert v.shape == (3, points) and after.shape == state.shape
    for now, before in zip((state, b, g), given, strict=True):
        assert np.array_equal(now, before)
    assert not np.array_equal(after, state)


def test_a_row_does_not_depend_on_its_batch(started):
    stepper, latent, state = started
    b, g = inputs(10)
    together, _ = stepper.advance(state, latent, b, g)
    for k in range(3):
        row = slice(k, k + 1)
        alone, _ = stepper.advance(state[row], latent[row], b[row], g[row])
        assert np.array_equal(alone[0], together[k])


def test_two_halves_are_one_whole(started):
    """Nothing is remembered but the state."""
    stepper, latent, state = started
    b, g = inputs(10)
    first, middle = stepper.advance(state, latent, b, g)
    stepper.advance(state, latent, -b, g)  # somebody else's call
    second, _ = stepper.advance(middle, latent, b, g)
    again, middle = stepper.advance(state, latent, b, g)
    assert np.array_equal(again, first)
    assert np.array_equal(stepper.advance(middle, latent, b, g)[0], second)


def test_linoid_is_smooth_where_it_is_0_over_0():
    x = np.array([-1e-3, -1e-7, 0.0, 1e-7, 1e-3])
    assert np.abs(linoid(x, np.exp(-x)) - (1 + x / 2)).max() < 1e-6
