"""A streaming surrogate trained for seconds, judged on real traces beside the floor."""

import json
from dataclasses import replace

import numpy as np
import pytest

from noble_neuron.compare.streaming import HALVED, MORE, SURROGATE, evaluate_streaming, scaled
from noble_neuron.errors import InputError
from noble_neuron.operators import DenseConfig, OdeConfig
from noble_neuron.protocols.protocol import Protocol
from noble_neuron.protocols.stimuli import OrnsteinUhlenbeck, Step
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.suite import streaming_samples
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.surrogates import load_stream
from noble_neuron.surrogates.membrane import MembraneSurrogate
from noble_neuron.training.config import TrainConfig
from noble_neuron.training.fit_stream import StreamFitConfig, fit_stream

QUICK = TrainConfig(recipe="modern", epochs=2, batch_size=8, lr=3e-3, clip=0.3)


@pytest.fixture(scope="module")
def dataset(line, tmp_path_factory):
    path = tmp_path_factory.mktemp("stream") / "balls.h5"
    samples = streaming_samples(line.study, 12, 3, duration=120.0)
    return build_dataset(line.cells, samples, path, workers=1)


def fitted(line, dataset, folder, operator):
    config = StreamFitConfig(("I_thr", "max_rate"), operator, QUICK, threshold=-25.0)
    return fit_stream(dataset, line.latents, ["ball2"], folder, config)


def test_a_training_set_becomes_a_bundle(line, dataset, tmp_path):
    result = fitted(line, dataset, tmp_path, DenseConfig(memory=8, width=20))
    surrogate = load_stream(result.bundle)
    card = surrogate.card
    assert set(card.cells) == {"ball0", "ball1", "ball3"}
    assert card.threshold == -25.0 and card.solver_dt == 0.025 and card.ensemble == "balls"
    with Dataset.open(dataset) as data:
        peak = max(float(np.max(data.voltage(int(i)))) for i in result.split.train)
    assert card.v_range[1] == pytest.approx(peak, abs=15) and card.v_range[1] <= peak
    assert card.b_range[0] < 0 < card.b_range[1] and card.g_range[0] == 0
    assert result.split.unseen and result.finished
    point = surrogate.point("ball1")
    np.testing.assert_allclose(point, line.latents["ball1"])


def test_an_equation_becomes_a_membrane(line, dataset, tmp_path):
    result = fitted(line, dataset, tmp_path, OdeConfig(memory=8, width=16))
    assert isinstance(load_stream(result.bundle), MembraneSurrogate)


def test_one_cell_alone_has_no_latent_coordinates(line, tmp_path):
    one = replace(line.study, cells=line.cells[:1], features=line.study.features[:1], held_out=())
    samples = streaming_samples(one, 16, 3, duration=120.0)
    data = build_dataset(one.cells, samples, tmp_path / "one.h5", workers=1)
    config = StreamFitConfig(operator=OdeConfig(memory=8, width=16), training=QUICK)
    result = fit_stream(data, {"ball0": ()}, (), tmp_path / "fit", config)
    surrogate = load_stream(result.bundle)
    assert surrogate.latent_size == 0 and surrogate.card.cells == ("ball0",)
    for given in (None, "ball0", {}):
        assert surrogate.point(given).shape == (0,)
    assert surrogate.distance(surrogate.point(None)) == (0.0, 0.0)
    b = np.full((2, 400), 0.05)
    v = surrogate.run(b, np.zeros_like(b), np.zeros((2, 0)), np.array([-65.0, -65.0]), 0.05)
    assert np.isfinite(v).all() and (v[0] == v[1]).all()


def test_a_training_can_start_from_another_ones_weights(line, dataset, tmp_path):
    first = fitted(line, dataset, tmp_path / "first", OdeConfig(memory=8, width=16))
    still = replace(QUICK, epochs=1, lr=1e-12)
    config = StreamFitConfig(
        ("I_thr", "max_rate"), training=still, threshold=-25.0, start=str(first.bundle)
    )
    second = fit_stream(dataset, line.latents, ["ball2"], tmp_path / "second", config)
    own, other = (load_stream(r.bundle).model.state_dict() for r in (first, second))
    assert own.keys() == other.keys()
    for name in own:
        np.testing.assert_allclose(own[name], other[name], atol=1e-9)
    with pytest.raises(InputError, match="other cells or in other latent"):
        fit_stream(
            dataset, line.latents, ["ball1"], tmp_path / "third", replace(config, split_seed=2)
        )


@pytest.fixture(scope="module")
def judged(line, dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    result = fitted(line, dataset, folder, DenseConfig(memory=8, width=20))
    surrogate = load_stream(result.bundle)
    splits = {"held-out cells": result.split.unseen, "new": result.split.test}
    with Dataset.open(dataset) as data:
        truth = {int(i): np.asarray(data.voltage(int(i)))[4::4] for i in data.ok}
    answers = evaluate_streaming(
        surrogate,
        dataset,
        line.latents,
        splits,
        cells=line.cells,
        rivals={"the truth": lambda rows: np.stack([truth[int(i)] for i in rows])},
        floor_samples=3,
    )
    return answers, splits


def test_every_answer_is_judged_on_the_same_traces(judged):
    answers, splits = judged
    for split, rows in splits.items():
        for name in (SURROGATE, "the truth"):
            assert answers.figures(split, "all", name)[1] == len(rows)
        for name in (HALVED, MORE):
            assert answers.figures(split, "all", name)[1] == min(3, len(rows))


def test_the_truth_is_perfect_and_the_floor_better_than_seconds_of_training(judged):
    answers, _ = judged
    perfect, _ = answers.figures("held-out cells", "all", "the truth")
    assert perfect["gamma"] == pytest.approx(1) and perfect["below_mV"] == 0
    assert perfect["count_error"] == 0 and perfect["half_width_ms"] == 0
    own, floor = (
        answers.figures("held-out cells", "all", name)[0]["below_mV"]
        for name in (SURROGATE, HALVED)
    )
    assert 0 < floor < own


def test_every_figure_becomes_a_record_and_a_row(judged):
    answers, _ = judged
    records = answers.records()
    assert {r["split"] for r in records} == {"held-out cells", "new"}
    assert f"{SURROGATE}/all/below_mV" in {r["figure"] for r in records}
    json.dumps(records)
    assert HALVED in answers.table() and "new, all" in answers.table()


def test_more_input_is_more_of_everything():
    stimuli = (Step(0.2, 1.0, 5.0), OrnsteinUhlenbeck(0.1, 0.05, 3.0, 0.0, 10.0, 4))
    t = np.arange(0, 10, 0.1)
    plain = Protocol("steps 0", 10.0, stimuli)
    np.testing.assert_allclose(scaled(plain, 1.005).current(t), 1.005 * plain.current(t))


def test_more_conductance_too(line):
    barrage = next(
        s.protocol
        for s in streaming_samples(line.study, 20, 3, duration=120.0)
        if s.protocol.name.startswith("barrage ") and s.protocol.has_conductance
    )
    t = np.arange(0, 120, 0.1)
    for more, plain in zip(
        scaled(barrage, 1.005).conductance(t), barrage.conductance(t), strict=True
    ):
        np.testing.assert_allclose(more, 1.005 * plain)


def test_cells_without_a_latent_point_are_named(line, dataset, tmp_path):
    config = StreamFitConfig(("I_thr", "max_rate"), DenseConfig(memory=8, width=20), QUICK)
    known = {name: point for name, point in line.latents.items() if name != "ball3"}
    with pytest.raises(InputError, match="No latent point for ball3"):
        fit_stream(dataset, known, ["ball2"], tmp_path, config)
