"""Every spike crosses its threshold once, though its prediction may err by a few steps."""

import numpy as np
import pytest

from noble_neuron.runtime.display import once

THRESHOLD = np.array([0.0])
LOW, HIGH = -30.0, 30.0


def crossings(*chunks) -> int:
    """Upward crossings in the concatenated chunks."""
    v = np.concatenate(chunks)
    return int(((v[1:] > 0) & (v[:-1] <= 0)).sum())


def case(shown, true, ahead):
    shown, true, ahead = (np.array([x], dtype=float) for x in (shown, true, ahead))
    return shown[0], once(shown, true, ahead, THRESHOLD)[0], ahead[0]


def test_a_right_prediction_is_shown_as_it_is():
    shown, next_, ahead = case([LOW, HIGH], [LOW, HIGH], [HIGH, LOW])
    assert np.array_equal(next_, ahead)


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_a_spike_shown_too_early_stays(delay):
    ahead = [LOW] * delay + [HIGH] * (4 - delay)
    shown, next_, ahead = case([LOW, LOW, LOW, HIGH], [LOW] * 4, ahead)
    assert crossings(shown, ahead) == 2
    assert crossings(shown, next_) == 1
    assert np.array_equal(next_[delay:], ahead[delay:])


def test_a_spike_that_never_comes_is_let_go():
    _, next_, ahead = case([LOW, HIGH], [LOW, LOW], [LOW, LOW])
    assert np.array_equal(next_, ahead)


def test_a_spike_that_came_and_went_unseen_is_shown():
    shown, next_, _ = case([LOW] * 3, [LOW, HIGH, LOW], [LOW] * 3)
    assert crossings(shown, next_) == 1 and next_[0] > 0 > next_[1]


def test_a_late_spike_is_shown_at_once():
    shown, next_, ahead = case([LOW] * 3, [LOW, LOW, HIGH], [HIGH, HIGH, LOW])
    assert np.array_equal(next_, ahead) and crossings(shown, next_) == 1


def test_rows_do_not_mix():
    shown, true = np.array([[LOW, HIGH], [LOW, LOW]]), np.array([[LOW, LOW], [LOW, LOW]])
    ahead = np.array([[LOW, HIGH], [LOW, HIGH]])
    answer = once(shown, true, ahead, np.array([0.0, 0.0]))
    assert answer[0, 0] > 0 and answer[1, 0] == LOW
    assert np.array_equal(ahead, [[LOW, HIGH], [LOW, HIGH]])  # the prediction itself is kept


def test_a_cell_without_spikes():
    shown = true = ahead = np.full((1, 3), 50.0)
    assert once(shown, true, ahead, np.array([np.inf])) is ahead
