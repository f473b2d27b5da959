"""b and G of the coming chunk: exact for one synapse, cautious where something has arrived."""

import numpy as np
import pytest

from noble_neuron.runtime.forecast import continued

DT = 0.025  # ms
T = np.arange(20) * DT
PAST, FUTURE = slice(0, 10), slice(10, 20)


@pytest.mark.parametrize("tau", [0.3, 2.0, 100.0])
def test_a_decaying_synapse_is_continued_exactly(tau):
    g = np.array([0.01 * np.exp(-T / tau), 0.002 - 0.03 * np.exp(-T / tau)])
    assert np.abs(continued(g[:, PAST]) - g[:, FUTURE]).max() < 1e-12


@pytest.mark.parametrize("since", [0.05, 2.0])
def test_better_than_holding_for_a_difference_of_exponentials(since):
    """While it rises and while it falls; not where it turns, 0.67 ms after the event."""
    g = (np.exp(-(T + since) / 2.0) - np.exp(-(T + since) / 0.3))[None]
    ahead, held = continued(g[:, PAST]), g[:, 9:10]
    assert np.abs(ahead - g[:, FUTURE]).max() < 0.5 * np.abs(held - g[:, FUTURE]).max()


@pytest.mark.parametrize(
    "past",
    [
        [0.0] * 10,  # nothing
        [0.3] * 10,  # a tonic current
        [0.0] * 9 + [0.3],  # a step in the last step
        [0.0, 0.1] * 5,  # noise
        [0.4, 0.3],  # too short to tell
        [0.4],
    ],
)
def test_held_where_nothing_is_known(past):
    past = np.array([past])
    assert np.array_equal(continued(past), np.full(past.shape, past[0, -1]))


def test_growth_is_continued_as_a_line_at_most():
    past = np.array([[0.0, 1.0, 2.5]])
    assert np.allclose(continued(past), [[4.0, 5.5, 7.0]])


def test_rows_do_not_mix():
    past = np.random.default_rng(0).uniform(size=(5, 4))
    rows = [continued(past[k : k + 1])[0] for k in range(5)]
    assert np.array_equal(continued(past), rows)
