"""Maps over the latent plane: values are the surrogate's own, and only where cells are."""

import numpy as np
import pytest

from noble_neuron.compare.maps import completed, feature_maps, measured, within_reach
from noble_neuron.errors import InputError
from noble_neuron.features.latent import LatentSpace
from noble_neuron.protocols.protocol import noble_step

SPACE = LatentSpace.fit(
    ("a", "b", "c"), ("nA", "", ""), [[0, 0, 0], [1, 0, 2], [0, 1, 4], [1, 1, 6]]
)


def test_regression_finds_a_plane_exactly():
    found = completed(SPACE, np.array([[0.5, 0.5], [0.25, 0.0]]), ("a", "b"))
    assert found == pytest.approx(np.array([[0.5, 0.5, 3.0], [0.25, 0.0, 0.5]]))


def test_nearest_takes_the_nearest_cell_and_keeps_the_plane():
    found = completed(SPACE, np.array([[0.9, 0.2]]), ("a", "b"), "nearest")
    assert found == pytest.approx(np.array([[0.9, 0.2, 2.0]]))


def test_other_planes_and_rules_are_refused():
    with pytest.raises(InputError, match="two of a, b, c: got a, d"):
        completed(SPACE, np.zeros((1, 2)), ("a", "d"))
    with pytest.raises(InputError, match="regression or nearest: got 'mean'"):
        completed(SPACE, np.zeros((1, 2)), ("a", "b"), "mean")


def test_a_map_holds_the_surrogates_answers_where_cells_are(line):
    names = ("steady_state_voltage", "voltage_base")
    maps = feature_maps(line.surrogate, [0.2, -0.05], names, size=4)
    assert maps.plane == ("I_thr", "max_rate")
    assert maps.labels == ("step 0.2 nA", "step -0.05 nA")
    assert maps.supported.any() and not maps.supported.all()
    for name in names:
        assert np.isnan(maps.values[name][~maps.supported]).all()
        assert np.isfinite(maps.values[name][maps.supported]).all()
    a, j, i = np.argwhere(maps.supported)[0]
    point = np.array([[maps.x[i], maps.y[j]]])
    own = measured(line.surrogate, [noble_step((0.2, -0.05)[a])], point, names)
    assert maps.values["voltage_base"][a, j, i] == pytest.approx(own["voltage_base"][0], abs=1e-3)


def test_currents_beyond_the_trained_range_have_no_support(line):
    points = line.surrogate.latent_space.points
    assert within_reach(line.surrogate, noble_step(0.25), points).all()
    assert not within_reach(line.surrogate, noble_step(0.5), points).any()
    maps = feature_maps(line.surrogate, [0.5], ("spikecount",), size=2)
    assert not maps.supported.any()
