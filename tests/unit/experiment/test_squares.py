"""Finding the long square steps among a recording's sweeps."""

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.experiment.squares import find_step, long_squares
from noble_neuron.store.nwb import Sweep

DT = 0.1  # ms


def command(*parts, length=10000):
    """Current [nA] with (start, stop, level) parts [ms]."""
    t = np.arange(length) * DT
    current = np.zeros(length)
    for start, stop, level in parts:
        current[(t >= start - DT / 2) & (t < stop - DT / 2)] = level
    return current


def sweep(current, v=None):
    return Sweep("s", DT, np.full(len(current), -70.0) if v is None else v, current)


@pytest.mark.parametrize(
    "current, expected",
    [
        (command((200, 800, 0.1)), (200, 800, 0.1)),
        (command((200, 800, -0.01)), (200, 800, -0.01)),
        (command((10, 20, -0.05), (200, 800, 0.01)), (200, 800, 0.01)),  # a test pulse before
        (command((0, 1000, 0.05), (200, 800, 0.15)), (200, 800, 0.1)),  # on a holding current
        (command((200, 300, 0.1)), None),  # too short
        (command((200, 1000, 0.1)), None),  # never ends
        (command((200, 500, 0.1), (500, 800, 0.2)), None),  # a staircase
        (np.linspace(0, 1, 10000), None),  # a ramp
        (np.random.default_rng(0).normal(size=10000), None),
        (np.zeros(10000), None),
    ],
)
def test_steps(current, expected):
    found = find_step(current, DT)
    assert found == (expected if expected is None else pytest.approx(expected))


def test_squares_come_cut_shifted_and_in_order():
    levels = (0.2, -0.05, 0.1)
    v = np.linspace(-80, -60, 15000)
    sweeps = [sweep(command((200, 1200, a), length=15000), v) for a in levels]
    sweeps += [sweep(command((50, 400, 0.3))), sweep(np.zeros(10000))]
    squares = long_squares(sweeps, junction=14.0)
    assert [s.amplitude for s in squares] == [-0.05, 0.1, 0.2]
    for square in squares:
        assert square.window == pytest.approx((100, 500))  # the first 400 ms of 1000
        assert square.trace.t[-1] == pytest.approx(500 - DT)
        assert square.trace.v[0] == pytest.approx(v[1000] - 14)


def test_a_recording_without_long_squares_says_what_it_has():
    with pytest.raises(InputError, match="of 3 sweeps 2 have such a step, and at most 1 the same"):
        long_squares(
            [
                sweep(command((200, 800, 0.1))),
                sweep(command((100, 800, 0.1))),
                sweep(np.zeros(10000)),
            ]
        )
    with pytest.raises(InputError, match="junction potential must be a number"):
        long_squares([], junction=np.nan)
