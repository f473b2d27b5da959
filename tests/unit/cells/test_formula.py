"""Formulas from files: arithmetic is read, anything else is refused."""

import math

import pytest

from noble_neuron.cells.formula import Formula
from noble_neuron.errors import InputError


@pytest.mark.parametrize("distance", [0.0, 33.3, 500.0])
def test_published_formulas(distance):
    exponential = Formula("(-0.8696 + 2.087*math.exp(({distance})*0.0031))*{value}")
    expected = (-0.8696 + 2.087 * math.exp(distance * 0.0031)) * 2e-5
    assert exponential(distance=distance, value=2e-5) == pytest.approx(expected, rel=1e-14)
    decay = Formula("math.exp({distance}*{constant})*{value}")
    assert decay.names == {"distance", "constant", "value"}
    assert decay(distance=distance, constant=-0.01, value=3) == pytest.approx(
        3 * math.exp(-0.01 * distance)
    )


def test_a_negative_value_in_braces_keeps_its_sign():
    assert Formula("{distance}**2 - {value}")(distance=-3, value=-1) == 10


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').getcwd()",
        "math.exp.__class__",
        "[1]",
        "x if y else z",
        "'a'",
        "open(1)",
        "1; 2",
        "",
        "math.exp({distance",
        "{distance} < 3",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(InputError):
        Formula(text)


def test_missing_names_and_bad_values():
    with pytest.raises(InputError, match="needs value"):
        Formula("{value}*2")(distance=1.0)
    with pytest.raises(InputError, match="fails"):
        Formula("1/{distance}")(distance=0.0)
    with pytest.raises(InputError, match="fails"):
        Formula("math.exp({distance})")(distance=1e6)
    with pytest.raises(InputError, match="not finite"):
        Formula("{distance}*1e300*1e300")(distance=1.0)
