"""A model's own traces as a recording: its features come back, and its place is found."""

import json

import numpy as np
import pytest

from noble_neuron import load_surrogate
from noble_neuron.cli import main
from noble_neuron.errors import InputError
from noble_neuron.experiment.measured import characterise_recording
from noble_neuron.experiment.placing import place
from noble_neuron.experiment.recording import place_recording
from noble_neuron.experiment.squares import long_squares
from noble_neuron.features.latent import LatentSpace
from noble_neuron.simulate.study import Study
from noble_neuron.store.nwb import read_sweeps

from .recordings import write_nwb

CELL = 0  # of pvalb: a training cell, so that its place is known


@pytest.fixture(scope="module")
def study():
    return Study.load("pvalb")


@pytest.fixture(scope="module")
def recording(study, tmp_path_factory):
    i_thr = study.features[CELL]["I_thr"]
    start = 0.02 * np.floor(i_thr / 0.02)
    amplitudes = [-0.05, -0.03, *np.round(start + 0.02 * np.arange(9), 3)]
    path = tmp_path_factory.mktemp("recording") / "cell.nwb"
    return write_nwb(path, study.cells[CELL], amplitudes)


@pytest.fixture(scope="module")
def cell(recording, study):
    squares = long_squares(read_sweeps(recording))
    return characterise_recording(squares, study.cells[CELL].threshold)


def test_features_are_the_models_within_their_errors(cell, study):
    own = study.features[CELL]
    for name in ("I_thr", "s_thr", "mean_frequency", "inv_first_ISI", "time_to_first_spike"):
        one = cell.features[name]
        assert abs(one.value - own[name]) < 3 * one.error, (name, one, own[name])
    assert cell.features["AP1_width"].value == pytest.approx(own["AP1_width"], rel=0.03)
    assert cell.features["resting_voltage"].value == pytest.approx(own["resting_voltage"], abs=0.2)
    assert cell.features["input_resistance"].value == pytest.approx(
        own["input_resistance"], rel=0.08
    )  # of steps of 30 and 50 pA, not 20
    assert cell.spacing == pytest.approx(0.02) and cell.duration == pytest.approx(400)
    assert cell.features["I_thr"].error == pytest.approx(0.02 / np.sqrt(12))


def test_a_junction_potential_moves_voltages_and_nothing_else(recording, cell, study):
    squares = long_squares(read_sweeps(recording), junction=14.0)
    moved = characterise_recording(squares, study.cells[CELL].threshold - 14.0)
    for name, one in cell.features.items():
        voltage = name in (
            "resting_voltage",
            "voltage_base",
            "AP1_peak",
            "steady_state_voltage_stimend",
        )
        expected = one.value - 14.0 * voltage
        assert moved.features[name].value == pytest.approx(expected, rel=1e-6, abs=1e-9), name


def test_its_place_is_its_own(recording, study):
    found = place_recording(recording, load_surrogate("pvalb"), cells=6)
    where, own = found.placement, study.features[CELL]
    assert where.distance < np.median(where.usual)
    names = dict(zip(where.names, range(len(where.names)), strict=True))
    for name in ("I_thr", "AP1_width", "resting_voltage", "mean_AP_amplitude"):
        k = names[name]
        assert abs(where.point[k] - own[name]) < 0.5 * where.sd[k], name
    # Right above threshold the rate rises too steeply for a place known to 6 pA.
    firing = found.ensemble.amplitudes > 1.1 * own["I_thr"]
    counts = np.median(found.ensemble.counts[:, firing], axis=0)
    assert firing.sum() > 2 and counts == pytest.approx(found.recorded[firing], abs=4)
    assert any("as recorded" in note for note in found.notes)


def test_the_command_prints_the_place_and_writes_it(recording, tmp_path, capsys):
    out = tmp_path / "place.json"
    assert main(["place", str(recording), "--cells", "4", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "Its place in the latent space" in printed and "pvalb/" in printed
    written = json.loads(out.read_text())
    assert written["name of the nearest training cell"] == f"pvalb/{CELL}"
    assert written["placement"]["features"]["I_thr"]["beyond the range"] == 0
    assert len(written["points"]) == 4


SPACE = LatentSpace.fit(
    ("I_thr", "s_thr"),
    ("nA", "Hz/nA"),
    np.column_stack([np.linspace(0.2, 0.4, 12), 400 + 100 * np.sin(np.arange(12))]),
)


def test_a_cell_in_the_hull_stays_where_it_is():
    inside = SPACE.points[:4].mean(axis=0)
    found = place(SPACE, dict(zip(SPACE.names, inside, strict=True)), {"I_thr": 1e-6})
    np.testing.assert_allclose(found.point, inside, rtol=1e-6)
    assert found.distance == pytest.approx(0, abs=1e-6) and not found.beyond.any()
    assert not found.extrapolated
    np.testing.assert_allclose(found.around.mean, inside, rtol=0.02)


def test_a_cell_beyond_is_put_on_the_edge_and_says_how_far():
    found = place(SPACE, {"I_thr": 0.5, "s_thr": 400.0}, {"I_thr": 0.005})
    assert found.beyond == pytest.approx([0.1, 0.0])
    assert found.point[0] <= 0.4 + 1e-9 and found.distance > 1
    assert found.extrapolated and found.around.mean[0] < 0.41
    assert found.z[0] == pytest.approx((0.5 - 0.3) / SPACE.points[:, 0].std(ddof=1))


def test_what_was_not_measured_is_as_open_as_the_family_is():
    sure = place(SPACE, {"I_thr": 0.3, "s_thr": 400.0}, {"I_thr": 0.001, "s_thr": 1.0})
    half = place(SPACE, {"I_thr": 0.3}, {"I_thr": 0.001})
    assert half.point_sd[1] > 5 * sure.point_sd[1]
    assert np.isnan(half.measured[1])
    with pytest.raises(InputError, match="None of the latent features"):
        place(SPACE, {"AP1_width": 0.8})


def test_a_silent_recording_is_refused(study, tmp_path):
    path = write_nwb(tmp_path / "silent.nwb", study.cells[CELL], [-0.05, 0.05, 0.1])
    with pytest.raises(InputError, match="No sweep fires"):
        place_recording(path, load_surrogate("pvalb"))
