import numpy as np
import pytest
import torch

from noble_neuron.errors import InputError
from noble_neuron.operators import NobleConfig, NobleFNO
from noble_neuron.store.hdf5 import Dataset, write
from noble_neuron.store.schema import OK, Row
from noble_neuron.training import TrainConfig, train
from noble_neuron.training.losses import relative_lp
from noble_neuron.training.whole_trace import Traces, WholeTraceTask, gather

DT, STEPS = 0.5, 61  # ms, points


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def traces(n, seed):
    """A passive cell under steps: V relaxes to E + R I with the time constant tau."""
    draw = np.random.default_rng(seed)
    amplitude = draw.uniform(-0.1, 0.3, n)  # nA
    latent = draw.uniform(0.5, 3.5, (n, 2)).astype(np.float32)
    current = np.zeros((n, STEPS), np.float32)
    current[:, 10:45] = amplitude[:, None]
    v = np.full((n, STEPS), -70.0, np.float32)
    for k in range(STEPS - 1):
        target = -70 + 30 * latent[:, 0] * current[:, k]  # mV
        v[:, k + 1] = v[:, k] + DT / (1 + latent[:, 1]) * (target - v[:, k])
    return Traces(current, v, latent, DT)


def test_the_operator_learns_a_passive_cell_that_it_has_not_seen(tmp_path):
    training, validation = traces(96, 0), traces(24, 1)
    mean, sd = training.scale()
    torch.manual_seed(0)
    config = NobleConfig(window_ms=32.0, layers=2, hidden=12, modes=24, v_mean=mean, v_sd=sd)
    model = NobleFNO(config)
    recipe = TrainConfig(recipe="modern", epochs=40, batch_size=16, lr=0.01, clip=1.0)
    result = train(model, WholeTraceTask(training, validation), recipe, tmp_path)
    flat = relative_lp(
        torch.full_like(torch.tensor(validation.voltage), mean),
        torch.tensor(validation.voltage),
        4,
    ).mean()
    assert result.score < 0.15 * float(flat)


def test_the_loss_is_the_mean_over_its_samples():
    task = WholeTraceTask(traces(7, 0), traces(3, 1), p=4)
    task.at_once = 2
    model = NobleFNO(NobleConfig(window_ms=32.0, layers=1, hidden=5, modes=7))
    with torch.no_grad():
        one_by_one = [task.loss(model, torch.tensor([i]), "cpu") for i in range(3)]
        together = task.loss(model, torch.arange(3), "cpu")
    assert float(together) == pytest.approx(float(torch.stack(one_by_one).mean()), rel=1e-5)
    same = WholeTraceTask(traces(3, 1), traces(3, 1))
    with torch.no_grad():
        assert task.validate(model, "cpu")["score"] == pytest.approx(
            float(same.loss(model, torch.arange(3), "cpu")), rel=1e-5
        )


def test_the_scale_is_the_voltages():
    data = traces(5, 2)
    assert data.scale() == pytest.approx((data.voltage.mean(), data.voltage.std()), rel=1e-4)


def stored(path, data, short=None):
    """The traces as a training set on disk; one of them a point short."""
    lengths = [STEPS - (i == short) for i in range(len(data))]
    samples = [
        (data.voltage[i, :n], data.current[i, :n], np.zeros(n), np.zeros(n))
        for i, n in enumerate(lengths)
    ]
    rows = [
        Row("toy", i, "{}", 0, DT, DT, 34.0, -70.0, "9", OK, "", n) for i, n in enumerate(lengths)
    ]
    write(path, rows, [{}], {}, iter(samples))
    return Dataset.open(path)


@pytest.mark.parametrize("mapped", [False, True])
def test_samples_are_gathered_in_the_order_asked_for(tmp_path, mapped):
    data, chosen = traces(9, 3), [4, 1, 7]
    with stored(tmp_path / "toy.h5", data) as dataset:
        folder = tmp_path / "maps" if mapped else None
        got = gather(dataset, chosen, data.latent[chosen], folder)
        thinner = gather(dataset.decimated(3), chosen, data.latent[chosen])
    assert isinstance(got.voltage, np.memmap) == mapped and got.dt == DT
    assert np.array_equal(got.voltage, data.voltage[chosen])
    assert np.array_equal(got.current, data.current[chosen])
    assert thinner.dt == 3 * DT and thinner.voltage.shape == (3, 21)


def test_samples_of_several_lengths_are_refused(tmp_path):
    data = traces(9, 3)
    with stored(tmp_path / "toy.h5", data, short=1) as dataset:
        with pytest.raises(InputError, match="Sample 1 has 60 points, sample 4 has 61"):
            gather(dataset, [4, 1], data.latent[:2])
        with pytest.raises(InputError, match="the list is empty"):
            gather(dataset, [], data.latent[:0])
