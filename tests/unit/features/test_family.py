"""What a family allows: against the exact answer where there is one, and on cells left out."""

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.features.family import LEVELS, Family
from noble_neuron.simulate.study import Study

NAMES = ("I_thr", "s_thr", "AP1_width", "AHP_depth", "input_resistance")


def gaussian(n, seed=0):
    """A family of three features, b = 2 a + noise of SD 0.5, c apart."""
    a, noise, c = np.random.default_rng(seed).normal(size=(3, n))
    return Family(("a", "b", "c"), np.column_stack([a, 2 * a + 0.5 * noise, 10 + 3 * c]))


def pvalb():
    study = Study.load("pvalb")
    table = np.array(list(study.latents(NAMES).values()))
    return table[list(study.training)], table[list(study.held_out)]


def test_a_gaussian_family_gives_the_conditional_gaussian():
    found = gaussian(400).given({"a": 1.0})
    assert found.mean == pytest.approx([1.0, 2.0, 10.0], abs=0.3)
    assert found.sd == pytest.approx([0.0, 0.5, 3.0], rel=0.15)
    low, high = found.interval(0.95)[1]
    assert (low, high) == pytest.approx((2 - 0.98, 2 + 0.98), abs=0.25)


def test_what_is_given_exactly_every_sample_has():
    samples = gaussian(40).given({"a": 0.7, "c": 9.0}).sample(50, seed=1)
    np.testing.assert_allclose(samples[:, [0, 2]], [[0.7, 9.0]] * 50, rtol=1e-12)
    assert np.ptp(samples[:, 1]) > 0.5


def test_an_error_of_measurement_is_weighed_against_the_familys_spread():
    family = gaussian(400)
    equal = family.given({"a": 2.0}, {"a": 1.0})  # as uncertain as the family is wide
    assert equal.mean[0] == pytest.approx(1.0, abs=0.15)
    assert equal.sd[0] == pytest.approx(0.71, rel=0.15)
    useless, nothing = family.given({"a": 2.0}, {"a": 1e3}), family.given({})
    np.testing.assert_allclose(useless.mean, nothing.mean, atol=0.05)
    np.testing.assert_allclose(useless.sd, nothing.sd, rtol=0.1)


def test_samples_keep_what_hangs_together_in_the_family():
    a, noise = np.random.default_rng(0).normal(size=(2, 60))
    family = Family(("a", "b", "c"), np.column_stack([a, noise, a - noise]))
    samples = family.given({"a": 0.0}).sample(200, seed=2)
    assert np.corrcoef(samples[:, 1], samples[:, 2])[0, 1] == pytest.approx(-1.0, abs=1e-9)


@pytest.mark.parametrize("known", [NAMES[:1], NAMES[:2]])
def test_intervals_hold_cells_that_are_left_out_as_often_as_they_say(known):
    training, _ = pvalb()
    others = [k for k, name in enumerate(NAMES) if name not in known]
    held = np.zeros(len(LEVELS))
    for k, cell in enumerate(training):
        rest = Family(NAMES, np.delete(training, k, axis=0))
        found = rest.given({name: cell[NAMES.index(name)] for name in known})
        for j, level in enumerate(LEVELS):
            low, high = found.interval(level)[others].T
            held[j] += np.mean((cell[others] >= low) & (cell[others] <= high)) / len(training)
    np.testing.assert_allclose(held, LEVELS, atol=0.06)


def test_a_point_far_from_all_cells_says_so_and_is_less_sure():
    family = gaussian(40)
    near, far = family.given({"a": 0.0}), family.given({"a": 8.0})
    assert far.outside and not near.outside
    assert far.sd[1] > 1.3 * near.sd[1]


@pytest.mark.parametrize(
    "values, errors, message",
    [
        ({"AP1_with": 0.8}, None, "did you mean AP1_width"),
        ({"I_thr": np.nan}, None, "must be numbers"),
        ({"I_thr": 0.4}, {"I_thr": -1.0}, "not negative"),
        ({"I_thr": 0.4}, {"I_rep": 1.0}, "no 'I_rep'"),
    ],
)
def test_bad_questions(values, errors, message):
    with pytest.raises(InputError, match=message):
        Family(NAMES, pvalb()[0]).given(values, errors)


def test_a_family_of_a_few_cells_is_refused():
    with pytest.raises(InputError, match="needs 10 cells or more"):
        Family(("a",), np.arange(9.0)[:, None])
