"""A streaming surrogate: a bundle that reloads, and a stepper of NEURON's time steps."""

import numpy as np
import pytest
import torch

from noble_neuron.contracts import Stepper, Trained
from noble_neuron.errors import BundleError, InputError
from noble_neuron.features.latent import LatentSpace
from noble_neuron.operators import DenseConfig, DenseStream
from noble_neuron.surrogates import StreamCard, StreamSurrogate, load, load_stream, save

POINTS = np.array([[0.1, 200.0], [0.2, 300.0], [0.15, 400.0]])


def card(**changes):
    settings = {
        "ensemble": "toy",
        "latent_space": LatentSpace.fit(("I_thr", "s_thr"), ("nA", "Hz/nA"), POINTS),
        "cells": ("toy/0", "toy/1", "toy/2"),
        "celsius": 34.0,
        "threshold": -35.0,
        "junction_potential": 0.0,
        "licence": "MIT",
        "solver_dt": 0.025,
        "b_range": (-1.0, 2.0),
        "g_range": (0.0, 0.1),
        "v_range": (-120.0, 10.0),
        "lowest_peak": -28.0,
    }
    return StreamCard(**settings | changes)


@pytest.fixture
def surrogate():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = DenseStream(DenseConfig(latent_size=2, memory=8, width=24))
    return StreamSurrogate(model, card())


def driven(surrogate, cells, dt, chunks=30, seed=0):
    """Voltages of some cells under random input, shape (cells, steps)."""
    rng = np.random.default_rng(seed)
    latent = POINTS[np.arange(cells) % 3]
    state = surrogate.start(latent, np.linspace(-90, -55, cells))
    steps = round(surrogate.chunk / dt)
    b = np.repeat(rng.normal(0.1, 0.3, (cells, chunks * 10)), steps // 10, axis=1)
    g = np.repeat(rng.uniform(0, 0.02, (cells, chunks * 10)), steps // 10, axis=1)
    answers = []
    for k in range(chunks):
        part = slice(k * steps, (k + 1) * steps)
        v, state = surrogate.advance(state, latent, b[:, part], g[:, part])
        answers.append(v)
    return np.concatenate(answers, axis=1)


def test_it_is_a_stepper_that_was_trained(surrogate):
    assert isinstance(surrogate, Stepper) and isinstance(surrogate, Trained)
    assert surrogate.time_steps == (0.025, 0.05, 0.1) and surrogate.chunk == 1.0


def test_a_bundle_reloads_to_the_same_answers(surrogate, tmp_path):
    again = load_stream(save(tmp_path / "toy", surrogate.model, surrogate.card))
    np.testing.assert_array_equal(driven(again, 3, 0.1), driven(surrogate, 3, 0.1))
    assert again.card.to_dict() == surrogate.card.to_dict()


def test_a_finer_step_shows_the_same_course(surrogate):
    """Input constant over 0.1 ms: the answer at 0.025 ms passes through that at 0.1 ms."""
    coarse, fine = (driven(surrogate, 3, dt) for dt in (0.1, 0.025))
    np.testing.assert_allclose(fine[:, 3::4], coarse, atol=1e-3)
    assert coarse.std() > 0.5


def test_a_cell_answers_the_same_in_any_company(surrogate):
    rng = np.random.default_rng(1)
    latent, v = POINTS[[0]], np.array([-70.0])
    many = np.repeat(latent, 40, axis=0)
    b, g = rng.normal(0, 0.3, (1, 10)), rng.uniform(0, 0.02, (1, 10))
    alone, _ = surrogate.advance(surrogate.start(latent, v), latent, b, g)
    state = surrogate.start(many, np.repeat(v, 40))
    state[1:] += rng.normal(0, 1, state[1:].shape).astype(np.float32)
    among, _ = surrogate.advance(state, many, np.repeat(b, 40, 0), np.repeat(g, 40, 0))
    np.testing.assert_array_equal(among[0], alone[0])
    assert not np.array_equal(among[1], alone[0])


def test_points_by_name(surrogate):
    np.testing.assert_array_equal(surrogate.point("toy/1"), POINTS[1])
    np.testing.assert_array_equal(surrogate.point({"s_thr": 250.0, "I_thr": 0.12}), [0.12, 250.0])
    with pytest.raises(InputError, match="'toy/9' is no training cell of 'toy'"):
        surrogate.point("toy/9")
    with pytest.raises(InputError, match="s_thr missing"):
        surrogate.point({"I_thr": 0.12})


def test_distance_is_counted_from_the_training_cells(surrogate):
    assert surrogate.distance(POINTS[2])[0] == 0 and surrogate.distance(POINTS.mean(0))[0] == 0
    distance, usual = surrogate.distance(np.array([0.3, 300.0]))
    assert distance == pytest.approx(3.0) and usual > 0  # (0.3 - 0.2) / 0.1 of 3 units


def test_a_bundle_of_the_other_kind_is_named(surrogate, tmp_path):
    folder = save(tmp_path / "toy", surrogate.model, surrogate.card)
    with pytest.raises(BundleError, match="'stream_dense'.*NobleCell"):
        load(folder)
    with pytest.raises(BundleError, match="'noble_clocked'.*load_surrogate"):
        load_stream(load_folder())


def load_folder():
    """The folder of the whole-trace surrogate that ships."""
    from noble_neuron.surrogates import library

    return library.library_dir() / "pvalb" / library.WHOLE_TRACE


def test_a_card_names_every_training_cell():
    with pytest.raises(InputError, match="names 1 training cells, and its latent space has 3"):
        card(cells=("toy/0",))
