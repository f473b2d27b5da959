import pytest
import torch

from noble_neuron.errors import InputError
from noble_neuron.training import TrainConfig
from noble_neuron.training.losses import relative_lp
from noble_neuron.training.schedules import schedule


def test_the_plateau_is_torchs():
    scores = [5, 4, 4, 4.0001, 3.9999, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3]
    config = TrainConfig(plateau_factor=0.4, plateau_patience=2)
    ours = schedule(config, 0)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=config.lr)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.4, patience=2)
    for step, score in enumerate(scores):
        ours.heard(score)
        theirs.step(score)
        assert ours.at(step) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert ours.at(0) < 0.1 * config.lr


def test_the_modern_rate_rises_to_lr_and_falls_to_zero():
    config = TrainConfig(recipe="modern", lr=0.01, warmup=0.1)
    rates = [schedule(config, 200).at(step) for step in range(200)]
    assert rates.index(max(rates)) in (19, 20) and max(rates) == pytest.approx(0.01)
    assert all(a < b for a, b in zip(rates[:19], rates[1:20], strict=True))
    assert all(a > b for a, b in zip(rates[20:-1], rates[21:], strict=True))
    assert rates[-1] < 1e-5


def test_relative_lp_is_equation_4():
    true = torch.tensor([[3.0, -4.0], [1.0, 1.0]])
    off = torch.tensor([[3.0, -3.0], [1.0, 3.0]])
    assert relative_lp(off, true, 2).tolist() == pytest.approx([1 / 5, 2 / 2**0.5])
    assert relative_lp(off, true, 4).tolist() == pytest.approx([1 / 337**0.25, 2 / 2**0.25])


@pytest.mark.parametrize(
    "wrong, match",
    [
        ({"recipe": "best"}, "recipe must be one of .*got 'best'"),
        ({"epochs": 0}, "epochs must be a whole number of 1 or more, got 0"),
        ({"lr": float("nan")}, "lr must be a positive number, got nan"),
        ({"ema": 1.5}, "ema must be between 0 and 1, or None, got 1.5"),
        ({"max_minutes": -1}, "max_minutes must be a positive number or None, got -1"),
    ],
)
def test_settings_cannot_lie(wrong, match):
    with pytest.raises(InputError, match=match):
        TrainConfig(**wrong)
