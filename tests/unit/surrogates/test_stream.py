"""A streaming surrogate: a bundle that reloads, and a stepper of NEURON's time steps."""

import numpy as np
import pytest
import torch

from noble_neuron.contracts import Membrane, Stepper, Trained
from noble_neuron.errors import BundleError, InputError
from noble_neuron.features.latent import LatentSpace
from noble_neuron.operators import DenseConfig, DenseStream
from noble_neuron.surrogates import StreamSurrogate, load, load_stream, save
from noble_neuron.surrogates.membrane import MembraneSurrogate

from . import toys
from .toys import POINTS, card


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


def test_an_equation_is_one_that_neuron_can_solve(tmp_path):
    own = toys.membrane()
    again = load_stream(save(tmp_path / "toy", own.model, own.card))
    assert isinstance(again, MembraneSurrogate) and isinstance(again, Membrane)
    np.testing.assert_array_equal(again.exported(), own.exported())
    net, c = own.exported(), own.model.config
    assert len(net) == 32 + (1 + c.memory) * 64 + (1 + 64) * (64 + 64)  # layers filled up to 64
    alone, _ = own.of_cells(POINTS[[1]])
    np.testing.assert_array_equal(own.of_cells(POINTS)[0][1], alone[0])


def test_the_memory_at_the_start_is_the_operators_own():
    own = toys.membrane()
    state = own.start(POINTS, np.array([-80.0, -70.0, -60.0]))
    memory = own.memory(POINTS, np.array([-80.0, -70.0, -60.0]))
    np.testing.assert_allclose(memory, state[:, -own.model.config.memory :], atol=1e-6)


@pytest.mark.parametrize("substeps", [4, 2, 1])
def test_neuron_solves_the_equation_that_the_operator_answers(substeps):
    """In NEURON at 0.025, 0.05 and 0.1 ms, under a step of current."""
    from neuron import h

    from noble_neuron.runtime import NobleCell

    dt = 0.1 / substeps
    own = toys.membrane()
    cell = NobleCell(own, "toy/1")
    clamp = h.IClamp(cell.soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 10, 30, 0.3
    trace = h.Vector().record(cell.soma(0.5)._ref_v)
    before = h.celsius, h.dt
    try:
        h.celsius, h.dt = 34, dt
        h.ParallelContext().set_maxstep(10)
        h.finitialize(-75)
        h.ParallelContext().psolve(60)
    finally:
        h.celsius, h.dt = before
    v = np.array(trace)[substeps::substeps]
    t = (np.arange(600 * substeps) + 0.5) * dt
    b = 0.3 * ((t > 10) & (t < 40))[None]
    answer = own.run(b, np.zeros_like(b), POINTS[[1]], np.array([-75.0]), dt)[0]
    np.testing.assert_allclose(v, answer[substeps - 1 :: substeps], atol=1e-3)
    assert np.ptp(v) > 5


def test_no_name_is_a_typical_cell(surrogate):
    """The training cell nearest to the median of all, (0.15, 300), in encoded units."""
    card_ = card(
        latent_space=LatentSpace.fit(
            ("I_thr", "s_thr"), ("nA", "Hz/nA"), np.vstack([POINTS, [[0.16, 310.0]]])
        ),
        cells=("toy/0", "toy/1", "toy/2", "toy/3"),
    )
    found = StreamSurrogate(surrogate.model, card_).point(None)
    np.testing.assert_array_equal(found, [0.16, 310.0])
