"""Cells, features and held-out cells as one file."""

import json

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.simulate.study import Study, find_cells, measure
from noble_neuron.simulate.suite import amplitudes, noble_samples


def test_a_study_comes_back_from_its_file(line, tmp_path):
    again = Study.load(line.folder / "study.json")
    assert again == line.study
    assert again.roles["ball2"] == "held out" and again.training == (0, 1, 3)
    assert again.latents(["I_thr"])["ball0"] == (line.latents["ball0"][0],)


def test_a_missing_feature_survives_as_nan_and_is_named_when_asked_for(line, tmp_path):
    rows = tuple({**f, "I_block": float("nan")} for f in line.study.features)
    Study("balls", line.study.cells, rows, ()).save(tmp_path / "study.json")
    again = Study.load(tmp_path / "study.json")
    assert np.isnan(again.features[0]["I_block"])
    with pytest.raises(InputError, match="ball0 has no I_block; it has I_thr, max_rate"):
        again.latents(["I_block"])


@pytest.mark.parametrize(
    "text, said",
    [
        ("{}", "is no study"),
        ("[", "not valid JSON"),
        ('{"format": "noble_neuron study 1"}', "'cells'"),
    ],
)
def test_a_damaged_study_is_named(tmp_path, text, said):
    path = tmp_path / "study.json"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as error:
        Study.load(path)
    assert str(path) in str(error.value)


def test_cells_are_found_by_one_word(line):
    name, cells = find_cells(str(line.folder / "study.json"))
    assert name == "balls" and len(cells) == 4
    for what, said in [
        ("nonsense", "no built-in ensemble"),
        ("no_module:x", "cannot be imported"),
        ("json:dumps", "json:dumps"),
        (str(line.folder), "No hof/"),
    ]:
        with pytest.raises(InputError, match=said):
            find_cells(what)


def test_a_cell_that_fires_by_itself_is_left_out_and_told(line):
    told = []
    source = json.loads(json.dumps(line.cells[0].source))
    source["groups"]["soma"]["mechanisms"]["pas"]["e"] = -40.0
    from dataclasses import replace

    restless = replace(line.cells[0], name="restless", source=source)
    study = measure(
        "two", [restless, line.cells[1]], high=0.2, step=0.1, workers=1, told=told.append
    )
    assert [cell.name for cell in study.cells] == ["ball1"]
    assert study.features[0]["I_thr"] == pytest.approx(line.latents["ball1"][0], abs=1e-3)
    assert len(told) == 1 and "restless" in told[0] and "already fires" in told[0]


def test_a_killed_measurement_goes_on_with_what_it_has(line, tmp_path):
    """Features already kept are not measured again: here they are marked, to be known again."""
    from noble_neuron.simulate.kept import Kept

    span, path = {"low": 0.0, "high": 0.2, "step": 0.1}, tmp_path / "part.jsonl"
    marked = {"I_thr": 0.123, "I_block": float("nan")}
    Kept(path, span).add(line.cells[0], marked)
    Kept(path, {**span, "step": 0.05}).add(line.cells[1], marked)  # of other settings
    with path.open("a") as file:
        file.write('{"key": "half wr')
    cells = line.cells[:2]
    study = measure("two", cells, high=0.2, step=0.1, workers=1, keep=path)
    assert study.features[0]["I_thr"] == 0.123 and np.isnan(study.features[0]["I_block"])
    assert study.features[1]["I_thr"] == pytest.approx(line.latents["ball1"][0], abs=1e-3)
    assert Kept(path, span).get(line.cells[1]) == pytest.approx(study.features[1], nan_ok=True)


def test_two_cells_of_one_name_are_refused(line):
    with pytest.raises(InputError, match="same name"):
        measure("twins", [line.cells[0], line.cells[0]])


def test_samples_cover_the_cells_range_and_follow_the_seed(line):
    rows = tuple({"I_thr": 0.1, "I_block": float("nan"), "measured_to": 0.4} for _ in range(4))
    study = Study("balls", line.study.cells, rows, (2,))
    samples = noble_samples(study, 5, seed=3)
    assert [s.cell for s in samples] == [k for k in range(4) for _ in range(5)]
    drawn = [s.protocol.stimuli[0].amplitude for s in samples]
    assert len(set(drawn)) == 20 and max(drawn) <= 0.2
    assert samples == noble_samples(study, 5, seed=3)
    assert samples != noble_samples(study, 5, seed=4)


def test_zero_and_hyperpolarising_currents_are_in_every_cells_share(line):
    rows = tuple({"I_thr": 0.43, "I_block": float("nan"), "measured_to": 1.0} for _ in range(4))
    samples = noble_samples(Study("balls", line.study.cells, rows, (2,)), 100, seed=3)
    drawn = np.array([s.protocol.stimuli[0].amplitude for s in samples]).reshape(4, 100)
    assert drawn.shape == (4, 100) and len(np.unique(drawn)) == 400
    assert ((drawn < 0).sum(axis=1) >= 1).all() and drawn.min() >= -0.11
    assert ((drawn > 0.43).sum(axis=1) > 40).all()


@pytest.mark.parametrize(
    "block, measured_to, top",
    [(float("nan"), 0.9, 0.4), (0.4, 0.9, 0.34), (float("nan"), 0.3, 0.3)],
)
def test_currents_end_at_twice_the_threshold_or_before_the_block(block, measured_to, top):
    features = {"I_thr": 0.2, "I_block": block, "measured_to": measured_to}
    assert amplitudes(features).high == pytest.approx(top)
    assert amplitudes(features).mode == 0.2
