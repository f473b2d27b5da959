"""Fine-tuning on a feature: it is eFEL's, the loss brings it nearer, and the rest stays."""

import numpy as np
import pytest
import torch

from noble_neuron.cli import main
from noble_neuron.errors import InputError
from noble_neuron.features import efel
from noble_neuron.operators import ClockedConfig
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.run import simulate
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.surrogates import bundle, weights
from noble_neuron.training.config import TrainConfig
from noble_neuron.training.differentiable import FEATURES
from noble_neuron.training.finetune import finetune
from noble_neuron.training.fit import FitConfig, fit

ONE = TrainConfig(epochs=1)


@pytest.fixture(scope="module")
def dataset(line, tmp_path_factory):
    """Ten currents for each of three cells, all but the first two below zero."""
    samples = [(k, noble_step(a)) for k in range(3) for a in np.linspace(0.02, -0.1, 10)]
    return build_dataset(
        line.cells[:3], samples, tmp_path_factory.mktemp("tune") / "data.h5", workers=1
    )


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("amplitude", (-0.1, 0.02))
def test_a_differentiable_feature_is_that_of_efel(line, name, amplitude):
    trace = simulate(line.cells[0], noble_step(amplitude))
    true = efel.extract(trace, 15.0, 415.0, line.surrogate.threshold, (name,))[name]
    if np.isnan(true):  # no sag above the resting potential
        assert name == "sag_amplitude" and amplitude > 0
        return
    voltage = torch.tensor(trace.v[None], requires_grad=True)
    found = FEATURES[name](voltage, trace.dt, 15.0, 415.0)
    assert found.shape == (1,)
    assert float(found.detach()) == pytest.approx(
        true, abs=5e-3
    )  # a point more or less at the ends
    found.sum().backward()
    assert torch.isfinite(voltage.grad).all() and voltage.grad.abs().sum() > 0


def error(folder, line, dataset, name="sag_amplitude") -> float:
    """Relative error of the feature over the training set's currents below zero."""
    surrogate = bundle.load(folder)
    with Dataset.open(dataset) as data:
        view, cells = data.decimated(3), data.table["cell"]
        rows = [k for k in range(20) if k % 10 > 1]
        true = torch.as_tensor(view.voltage(np.array(rows)))
        points = np.array([line.latents[str(cells[k])] for k in rows])
        got = torch.as_tensor(surrogate.predict(view.current(np.array(rows)), points, 0.075))
    true, got = (FEATURES[name](v, 0.075, 15.0, 415.0) for v in (true, got))
    return float((got - true).norm() / true.norm())


def test_the_loss_brings_the_feature_nearer(line, dataset, tmp_path):
    config = TrainConfig(recipe="modern", batch_size=4, lr=2e-3, epochs=6, clip=1.0)
    start = line.folder / "bundle"
    done = {
        weight: finetune(
            start,
            dataset,
            line.latents,
            ["ball2"],
            tmp_path / str(weight),
            weight=weight,
            config=config,
        )
        for weight in (0.0, 25.0)
    }
    before = error(start, line, dataset)
    alone, both = (error(done[w].bundle, line, dataset) for w in (0.0, 25.0))
    assert both < 0.8 * min(before, alone)
    card = bundle.load(done[25.0].bundle).card
    below = sum(k % 10 > 1 for k in done[25.0].split.train)
    assert (
        below < 16
        and f"on {below} traces with 25 times the error of sag_amplitude" in card.notes[-1]
    )
    assert not card.errors and card.step == (15.0, 400.0)
    log = (tmp_path / "25.0" / "finetuning" / "log.jsonl").read_text()
    again = finetune(
        start, dataset, line.latents, ["ball2"], tmp_path / "25.0", weight=25.0, config=config
    )
    assert again.split == done[25.0].split
    assert (tmp_path / "25.0" / "finetuning" / "log.jsonl").read_text() == log


def test_of_a_clocked_operator_only_the_shape_is_trained(line, dataset, tmp_path):
    small = FitConfig(
        latent=("I_thr", "max_rate"),
        operator=ClockedConfig(layers=1, hidden=8, modes=16),
        **dict.fromkeys(
            (
                "training",
                "clock_training",
                "first_training",
                "later_training",
                "spike_training",
            ),
            ONE,
        ),
    )
    start = fit(dataset, line.latents, ["ball2"], tmp_path / "start", small).bundle
    end = finetune(start, dataset, line.latents, ["ball2"], tmp_path / "end", config=ONE).bundle
    before, after = (weights.tensors(bundle.load(folder).model) for folder in (start, end))
    changed = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"shape"}


def test_what_cannot_be_is_refused(line, dataset, tmp_path):
    start, rest = line.folder / "bundle", (dataset, line.latents, ["ball2"], tmp_path)
    with pytest.raises(InputError, match="'sag'; did you mean|No differentiable 'sag'"):
        finetune(start, *rest, feature="sag")
    above = [(k, noble_step(a)) for k in range(3) for a in np.linspace(0.01, 0.08, 10)]
    path = build_dataset(line.cells[:3], above, tmp_path / "above.h5", workers=1)
    with pytest.raises(InputError, match="No sample of .* has sag_amplitude"):
        finetune(start, path, line.latents, ["ball2"], tmp_path / "out")


def test_the_command_does_the_same(line, dataset, tmp_path):
    study, start = line.folder / "study.json", line.folder / "bundle"
    words = ["finetune", dataset, study, "--start", start, "--out", tmp_path, "--epochs", 1]
    assert main([str(word) for word in words]) == 0
    card = bundle.load(tmp_path / "bundle").card
    assert "with 25 times the error of sag_amplitude" in card.notes[-1]
    assert "epochs 1," in card.notes[-1]
