"""More training cells by mixing the training models of a study."""

from dataclasses import replace

import pytest

from noble_neuron.errors import InputError
from noble_neuron.simulate.mixing import BEYOND, mix, mixtures
from noble_neuron.simulate.study import Study


def test_parents_are_training_models_and_the_draw_is_the_seeds(line):
    cells = mixtures(line.study, 40, seed=3)
    origins = [cell.source["origin"].split() for cell in cells]
    assert {name for o in origins for name in (o[1], o[4])} == {"ball0", "ball1", "ball3"}
    shares = [float(o[3]) for o in origins]
    assert -BEYOND <= min(shares) < 0 and 1 < max(shares) <= 1 + BEYOND
    assert mixtures(line.study, 10, seed=3) == cells[:10]
    assert mixtures(line.study, 10, seed=4) != cells[:10]


def test_too_few_models_are_refused(line):
    lonely = Study("balls", line.study.cells[:2], line.study.features[:2], held_out=(1,))
    with pytest.raises(InputError, match="2 training models: asked for 5 from 1 of balls"):
        mixtures(lonely, 5, 0)


def test_mixtures_join_the_training_cells_with_measured_features(line):
    rows = tuple({**f, "measured_to": 0.3} for f in line.study.features)
    study = replace(line.study, features=rows)
    more = mix(study, 2, seed=1, workers=1)
    assert more.cells[:4] == study.cells and more.features[:4] == rows
    assert [c.name for c in more.cells[4:]] == ["balls/mix0", "balls/mix1"]
    assert more.roles["balls/mix0"] == "training" and more.roles["ball2"] == "held out"
    for features in more.features[4:]:
        assert 0.0 < features["I_thr"] < 0.3 and features["max_rate"] > 0


def test_a_mixture_without_a_feature_of_all_models_is_left_out_and_told(line):
    rows = tuple({**f, "measured_to": 0.3, "no_such": 1.0} for f in line.study.features)
    told = []
    more = mix(replace(line.study, features=rows), 1, seed=1, workers=1, told=told.append)
    assert more.cells == line.study.cells
    assert told == ["balls/mix0 left out: it has no no_such."]
