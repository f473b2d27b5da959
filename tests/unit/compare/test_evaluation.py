"""Evaluation on a real, small training set."""

import json

import numpy as np
import pytest

from noble_neuron.compare import metrics
from noble_neuron.compare.evaluation import FLOOR, SURROGATE, evaluate
from noble_neuron.compare.tables import number, records_tables
from noble_neuron.errors import InputError
from noble_neuron.protocols.protocol import Protocol
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.store.hdf5 import Dataset


@pytest.fixture(scope="module")
def result(line):
    return evaluate(
        line.surrogate,
        line.dataset,
        line.latents,
        line.splits,
        line.trained_on,
        cells=line.cells,
        floor_samples=3,
    )


def test_every_answer_is_scored_on_the_same_samples(result, line):
    for split, rows in line.splits.items():
        answers = result.scores[split]
        assert {
            SURROGATE,
            FLOOR,
            "nearest training trace",
            "interpolated traces",
            "another cell",
            "spike-free oracle",
            "two-level oracle",
        } == set(answers)
        for name, groups in answers.items():
            assert groups["all"].n == (min(3, len(rows)) if name == FLOOR else len(rows)), name
        assert list(result.samples[split]["row"]) == list(rows)


def test_the_floor_is_below_an_operator_trained_for_seconds(result):
    for answers in result.scores.values():
        floor, own = (answers[n]["firing"].values for n in (FLOOR, SURROGATE))
        for figure in ("mean_AP_amplitude", "AP1_width"):
            assert 0 < floor[figure] < own[figure], figure


def test_the_nearest_trace_knows_how_to_fire(result):
    answers = result.scores["held-out currents"]
    nearest = answers["nearest training trace"]["firing"].values
    assert nearest["spikecount_mean"] < 100
    assert answers["spike-free oracle"]["firing"].values["spikecount"] == 100


def test_a_cell_outside_the_hull_is_counted(result, line):
    inside = line.surrogate.latent_space.contains(np.array([line.latents["ball2"]]))[0]
    n = len(line.splits["held-out cells"])
    assert result.outside == {"held-out currents": 0, "held-out cells": 0 if inside else n}


def test_records_name_figure_unit_and_split(result):
    records = result.records()
    one = next(r for r in records if r["figure"] == "surrogate/firing/spikecount_mean")
    assert one["unit"] == "%" and one["split"] == "held-out currents" and one["n"] > 0
    assert all(np.isfinite(r["value"]) for r in records)


def test_the_table_has_each_answer_and_figure(result):
    text = result.table()
    for name in (SURROGATE, FLOOR, "spike-free oracle", *(h for h, _ in metrics.FIGURES.values())):
        for word in name.replace("-", " ").split():  # heads are folded
            assert word in text, name


def test_a_cell_without_latent_is_named(line):
    with pytest.raises(InputError, match="No latent point for ball2"):
        evaluate(
            line.surrogate,
            line.dataset,
            {k: v for k, v in line.latents.items() if k != "ball2"},
            line.splits,
            line.trained_on,
        )


def test_an_empty_split_is_refused(line):
    with pytest.raises(InputError, match="empty"):
        evaluate(line.surrogate, line.dataset, line.latents, {"none": []}, line.trained_on)


def test_the_card_keeps_the_figures_and_the_report_shows_them(result):
    tables = records_tables(json.loads(json.dumps(result.records())))
    titles = [table.title for table in tables]
    assert "held-out currents, firing currents" in titles and len(titles) == len(set(titles))
    shown = result.scores["held-out currents"][SURROGATE]["firing"]
    table = tables[titles.index("held-out currents, firing currents")]
    row = next(row for row in table.rows if row[0] == SURROGATE)
    assert row[1] == str(shown.n) and number(shown.values["voltage_l2"]) in row
    assert records_tables({}) == []


def test_another_dataset_is_judged_with_what_the_training_set_knows(line, tmp_path):
    """On a trace simulated again, the nearest training trace of the first set is the truth."""
    with Dataset.open(line.dataset) as data:
        known = next(int(i) for i in line.trained_on if data.current(int(i)).max() > 0.1)
        protocol = Protocol.from_dict(json.loads(data.table["protocol"][known]))
        cell = [c.name for c in line.cells].index(str(data.table["cell"][known]))
    again = build_dataset(line.cells, [(cell, protocol)], tmp_path / "again.h5", workers=1)
    judged = evaluate(
        line.surrogate,
        again,
        line.latents,
        {"again": [0]},
        line.trained_on,
        training_set=line.dataset,
    )
    answers = judged.scores["again"]
    assert answers["nearest training trace"]["all"].values["voltage_l2"] == 0
    assert answers[SURROGATE]["all"].values["voltage_l2"] > 0
