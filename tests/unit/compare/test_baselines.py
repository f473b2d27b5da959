"""Answers that know nothing of the dynamics."""

import numpy as np
import pytest

from noble_neuron.compare.baselines import TrainingTraces, spike_free, two_levels
from noble_neuron.errors import InputError

DT = 0.1  # ms


def test_the_oracle_keeps_levels_and_takes_spikes_out():
    v = np.full((1, 5150), -70.0)
    v[:, 150:4150] = -60.0
    v[:, 1000:4000:250] = 20.0
    v[:, 1001:4000:250] = 5.0
    assert np.abs(spike_free(v, DT)[0, 300:4000] + 60.0).max() == 0
    assert spike_free(v, DT).max() == -60.0


def test_two_levels_are_the_means():
    v = np.full((2, 100), -70.0)
    v[:, 20:80] = [[-50.0], [-60.0]]
    v[0, 30] = 0.0
    levels = two_levels(v, 1.0, (20.0, 80.0))
    assert levels[0, 40] == pytest.approx((-50 * 59 + 0) / 60)
    assert levels[1, 50] == -60 and levels[1, 5] == -70


@pytest.fixture
def seen():
    """Constant traces whose level is 10 cell + amplitude; two cells, one latent."""
    amplitude = np.tile([0.0, 0.1, 0.2, 0.3], 2)
    cell = np.repeat([0, 1], 4)
    level = 10.0 * cell + amplitude
    latent = np.where(cell == 0, 0.5, 3.5)[:, None]
    return TrainingTraces(np.repeat(level[:, None], 5, axis=1), amplitude, latent, cell)


def test_nearest_looks_at_current_and_latent(seen):
    found = seen.nearest(np.array([0.11, 0.29]), np.array([[0.6], [3.0]]))
    assert found[:, 0] == pytest.approx([0.1, 10.3])


def test_interpolation_meets_the_traces_and_lies_between_them(seen):
    at = seen.interpolated(np.array([0.2]), np.array([[0.5]]))[0, 0]
    assert at == pytest.approx(0.2, abs=1e-6)
    between = seen.interpolated(np.array([0.15]), np.array([[0.5]]))[0, 0]
    assert 0.1 < between < 0.2


def test_another_cell_is_another_cell(seen):
    found = seen.another_cell(np.array([0.1, 0.21]), np.array([0, 1]))
    assert found[:, 0] == pytest.approx([10.1, 0.2])


def test_traces_without_their_amplitudes_are_refused():
    with pytest.raises(InputError, match="one amplitude, latent and cell per trace"):
        TrainingTraces(np.zeros((2, 3)), np.zeros(1), np.zeros((2, 1)), np.zeros(2))
