"""Scaling, hull and storage of the latent space."""

import json

import numpy as np
import pytest
from scipy.spatial import Delaunay

from noble_neuron.errors import InputError
from noble_neuron.features.latent import LatentSpace
from noble_neuron.types import Latent

SQUARE = LatentSpace.fit(
    ("I_thr", "s_thr"), ("nA", "Hz/nA"), [[0.2, 100], [0.4, 100], [0.2, 500], [0.4, 500]]
)


def cloud(cells, features, seed=0):
    names = tuple(f"f{k}" for k in range(features))
    table = np.random.default_rng(seed).normal(size=(cells, features)) * 10.0 ** np.arange(
        features
    )
    return LatentSpace.fit(names, ("",) * features, table)


def test_training_cells_fill_the_papers_range():
    space = cloud(50, 3)
    encoded = space.encode(space.points)
    np.testing.assert_allclose(encoded.min(axis=0), 0.5)
    np.testing.assert_allclose(encoded.max(axis=0), 3.5)
    np.testing.assert_allclose(SQUARE.encode([0.3, 300]), [2.0, 2.0])


def test_decode_undoes_encode_inside_and_out():
    space = cloud(20, 4)
    raw = 3 * np.random.default_rng(1).normal(size=(7, 4)) * 10.0 ** np.arange(4)
    np.testing.assert_allclose(space.decode(space.encode(raw)), raw, rtol=1e-12, atol=1e-12)


def test_the_scaler_is_stored_and_never_refitted():
    space = LatentSpace(("I_thr",), ("nA",), [0.0], [1.0], [[0.4], [0.6]])
    again = LatentSpace.from_dict(json.loads(json.dumps(space.to_dict(), allow_nan=False)))
    for field in ("low", "high", "points"):
        np.testing.assert_array_equal(getattr(again, field), getattr(space, field))
    assert (again.names, again.units) == (space.names, space.units)
    np.testing.assert_allclose(again.encode([[0.5]]), [[2.0]])


def test_distance_to_a_square_is_known():
    """Corners at 0.5 and 3.5 in encoded units; I_thr has 15 of them per nA."""
    raw = [[0.3, 300], [0.4, 500], [0.5, 300], [0.5, 500 + 400 / 3], [0.2, 99.99]]
    distances = SQUARE.distance(raw)
    np.testing.assert_allclose(distances, [0, 0, 1.5, np.hypot(1.5, 1), 0.01 * 3 / 400], atol=1e-8)
    assert SQUARE.contains(raw).tolist() == [True, True, False, False, False]


@pytest.mark.parametrize("features", [2, 3, 5])
def test_membership_agrees_with_a_triangulation(features):
    space = cloud(30, features)
    raw = space.decode(np.random.default_rng(2).uniform(0.3, 3.7, size=(60, features)))
    expected = Delaunay(space.encode(space.points)).find_simplex(space.encode(raw)) >= 0
    assert 0 < expected.sum() < 60
    assert space.contains(raw).tolist() == expected.tolist()


def test_mixtures_of_cells_are_inside_in_ten_dimensions():
    """Also for fewer cells than a simplex needs: 6 in 10 dimensions, a flat hull."""
    for cells in (6, 40):
        space = cloud(cells, 10)
        rng = np.random.default_rng(3)
        mixtures = rng.dirichlet(np.ones(cells), size=20) @ space.points
        assert space.contains(mixtures).all()
        assert space.contains(space.points).all()
        away = space.encode(mixtures) + rng.normal(size=(20, 10))
        assert not space.contains(space.decode(away)).any()


@pytest.mark.parametrize("cells, features", [(12, 3), (4, 10), (1, 0)])
def test_a_drawn_mixture_is_inside_and_follows_from_the_draw(cells, features):
    space = cloud(cells, features)
    points, again = (
        np.array([space.mixture(draw) for _ in range(20)])
        for draw in (np.random.default_rng(5), np.random.default_rng(5))
    )
    assert points.shape == (20, features)
    assert np.array_equal(points, again)
    assert space.contains(points).all()
    assert features == 0 or len(np.unique(points, axis=0)) == 20


def test_spacing_is_how_far_each_cell_lies_from_the_others():
    """A corner of a square of side 3 lies half a diagonal from the triangle of the others."""
    np.testing.assert_allclose(SQUARE.spacing, np.full(4, 3 / np.sqrt(2)), atol=1e-8)


def test_distance_is_where_the_nearest_point_is():
    """No convex mixture of the cells is nearer (checked on many), and one is as near."""
    space = cloud(12, 3)
    outside = space.decode(np.array([[4.5, 4.0, -1.0]]))
    hull, point = space.encode(space.points), space.encode(outside)[0]
    mixtures = np.random.default_rng(4).dirichlet(np.full(12, 0.15), size=200_000) @ hull
    nearest = np.linalg.norm(mixtures - point, axis=1).min()
    assert 0 <= nearest - space.distance(outside)[0] < 0.05


def test_a_row_is_picked_by_name_and_named_again():
    features = {"s_thr": 300.0, "AP1_width": 0.5, "I_thr": 0.3}
    row = SQUARE.row(features)
    assert row.tolist() == [0.3, 300.0]
    assert SQUARE.latent(row) == Latent(("I_thr", "s_thr"), (0.3, 300.0), ("nA", "Hz/nA"))


NAN = float("nan")
BAD = [
    (lambda: LatentSpace.fit(("a",), ("",), [[1.0], [1.0]]), "'a' does not vary over the cells"),
    (lambda: LatentSpace.fit(("a",), ("",), [[1.0], [NAN]]), "'a' is not a number for every cell"),
    (lambda: LatentSpace.fit(("a", "b"), ("",), [[1, 2], [3, 4]]), "2 names, 1 units"),
    (lambda: LatentSpace.fit(("a",), ("",), []), "empty table"),
    (
        lambda: SQUARE.encode([[0.3, 300, 1]]),
        "2 features (I_thr, s_thr): got points of shape (1, 3)",
    ),
    (lambda: SQUARE.distance([[0.3, NAN]]), "'s_thr' of point 0 is nan"),
    (lambda: SQUARE.row({"I_thr": 0.3}), "s_thr missing"),
    (lambda: LatentSpace.from_dict({"names": ["a"]}), "lacks the key 'units'"),
    (lambda: LatentSpace.from_dict({**SQUARE.to_dict(), "low": "x"}), "malformed"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[m for _, m in BAD])
def test_bad_input_is_refused_by_name(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert message in str(caught.value)
