"""From a training set to a bundle."""

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.operators import NobleConfig
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.surrogates import bundle
from noble_neuron.training.config import TrainConfig
from noble_neuron.training.fit import FitConfig, fit

SMALL = FitConfig(
    latent=("I_thr", "max_rate"),
    training=TrainConfig(epochs=2),
    operator=NobleConfig(layers=1, hidden=4, modes=16),
)


@pytest.fixture(scope="module")
def dataset(line, tmp_path_factory):
    """Ten currents for each of three cells."""
    samples = [(k, noble_step(a)) for k in range(3) for a in np.linspace(-0.1, 0.3, 10)]
    return build_dataset(
        line.cells[:3], samples, tmp_path_factory.mktemp("fit") / "data.h5", workers=1
    )


def test_the_bundle_says_what_it_was_trained_on(line, dataset, tmp_path):
    result = fit(dataset, line.latents, ["ball2"], tmp_path, SMALL)
    assert result.finished and np.isfinite(result.score)
    card = bundle.load(result.bundle).card
    assert card.ensemble == "balls" and card.threshold == -20 and card.v_init == -78
    assert card.step == (15.0, 400.0) and card.dt == pytest.approx(0.075)
    assert card.latent_space.names == ("I_thr", "max_rate")
    assert len(card.latent_space.points) == 2
    low, high = card.current_range
    assert -0.1 - 1e-6 <= low <= 0 < high <= 0.3 + 1e-6
    parts = [result.split.train, result.split.validation, result.split.test, result.split.unseen]
    assert [len(part) for part in parts] == [16, 2, 2, 10]


def test_the_split_of_a_folder_is_never_drawn_again(line, dataset, tmp_path):
    first = fit(dataset, line.latents, ["ball2"], tmp_path, SMALL)
    again = fit(dataset, line.latents, ["ball2"], tmp_path, SMALL)
    assert again.split == first.split
    with pytest.raises(InputError, match="another training set, seed or choice"):
        fit(dataset, line.latents, ["ball1"], tmp_path, SMALL)


def test_too_few_currents_are_refused(line, tmp_path):
    with pytest.raises(InputError, match="at least ten currents per cell"):
        fit(line.dataset, line.latents, ["ball2"], tmp_path, SMALL)


def test_a_cell_without_latent_is_named(line, dataset, tmp_path):
    with pytest.raises(InputError, match="ball1"):
        fit(dataset, {"ball0": line.latents["ball0"]}, ["ball2"], tmp_path, SMALL)
