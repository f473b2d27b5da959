"""Cells between two models of a hall of fame."""

from dataclasses import replace

import pytest

from noble_neuron.cells.mixed import mixed
from noble_neuron.cells.spec import HofCell
from noble_neuron.errors import InputError


def ball(folder, number: int) -> HofCell:
    """A ball whose leak goes with its number."""
    morphology = folder / "ball.swc"
    morphology.write_text("1 1 0 0 0 10 -1\n2 1 0 10 0 10 1\n3 1 0 -10 0 10 1\n")
    leak, channels = {"g": 1e-3 * (1 + 0.4 * number), "e": -78.0}, {"nn_Kv3_1": {"gbar": 0.4}}
    soma = {"cm": 1.0, "ek": -90.0, "mechanisms": {"pas": leak, **channels}}
    source = {"morphology": str(morphology), "axon": "none", "Ra": 100.0, "groups": {"soma": soma}}
    return HofCell(f"ball{number}", "swc", source, 34.0, -78.0, 0.025, -20.0, hof=number)


@pytest.fixture
def parents(tmp_path):
    return ball(tmp_path, 0), ball(tmp_path, 3)


def leak(cell):
    return cell.source["groups"]["soma"]["mechanisms"]["pas"]


@pytest.mark.parametrize("share", [-0.2, 0.0, 0.3, 1.0])
def test_conductances_mix_as_logarithms_and_potentials_as_they_are(parents, share):
    one, other = parents
    other = replace(other, v_init=-70.0)
    leak(other)["e"] = -68.0
    cell = mixed(one, other, share, "between")
    assert leak(cell)["g"] == pytest.approx(
        leak(one)["g"] ** (1 - share) * leak(other)["g"] ** share
    )
    assert leak(cell)["e"] == pytest.approx(-78.0 + 10.0 * share)
    assert cell.v_init == pytest.approx(-78.0 + 8.0 * share)
    assert (cell.name, cell.hof, cell.threshold) == ("between", None, one.threshold)
    assert cell.source["morphology"] == one.source["morphology"]


def test_a_mixture_is_a_cell_that_builds(parents):
    with mixed(*parents, 0.5, "between").build() as live:
        expected = 1e-3 * (1.0 * 2.2) ** 0.5
        assert live.soma(0.5).pas.g == pytest.approx(expected)


def test_cells_that_differ_in_more_than_numbers_are_refused(parents):
    one, other = parents
    soma = other.source["groups"]["soma"]
    del soma["mechanisms"]["nn_Kv3_1"]
    with pytest.raises(InputError, match="ball0 and ball3 cannot be mixed: nn_Kv3_1 of source"):
        mixed(one, other, 0.5, "between")
    with pytest.raises(InputError, match="cannot be mixed: celsius is 34.0 and 30.0"):
        mixed(one, replace(one, celsius=30.0), 0.5, "between")
    with pytest.raises(InputError, match="cannot be mixed: source/axon is 'none' and 'stub'"):
        mixed(one, replace(one, source={**one.source, "axon": "stub"}), 0.5, "between")
    with pytest.raises(InputError, match="share of a mixture must be a finite number, got nan"):
        mixed(one, one, float("nan"), "between")
