"""A small training for the tests, also run as a program, so that it can be killed.

python toy.py FOLDER RECIPE [PAUSE_S]: trains in FOLDER, slowly where a pause is given.
"""

import sys
import time

import torch
from torch import nn

from noble_neuron.operators import NobleConfig, NobleFNO
from noble_neuron.training import TrainConfig, train
from noble_neuron.training.losses import relative_lp


class Toy:
    """Learn a filtered version of random steps; every loss draws noise, as a task may."""

    def __init__(self, n_samples=11, pause=0.0):
        self.n_samples, self.at_once, self.pause = n_samples, 2, pause
        draw = torch.Generator().manual_seed(3)
        self.t = torch.arange(41) * 0.5  # ms
        self.current = torch.zeros(n_samples, 41)
        self.current[:, 7:33] = torch.rand(n_samples, 1, generator=draw)
        self.latent = 0.5 + 3 * torch.rand(n_samples, 2, generator=draw)
        self.voltage = -70 + 5 * self.current.cumsum(-1) * self.latent[:, :1] / 20

    def loss(self, model, indices, device):
        time.sleep(self.pause)
        noisy = self.current[indices] + 1e-3 * torch.randn(len(indices), 1)
        v = model(noisy.to(device), self.latent[indices].to(device), self.t.to(device))
        return relative_lp(v, self.voltage[indices].to(device), 4).mean()

    @torch.no_grad()
    def validate(self, model, device):
        v = model(self.current.to(device), self.latent.to(device), self.t.to(device))
        return {"score": float(relative_lp(v, self.voltage.to(device), 2).mean())}


def model() -> nn.Module:
    torch.manual_seed(5)
    return NobleFNO(NobleConfig(window_ms=21.0, layers=2, hidden=6, modes=9))


def config(recipe: str, **changes) -> TrainConfig:
    settings = {"recipe": recipe, "epochs": 7, "batch_size": 4, "checkpoint_minutes": 0.0}
    if recipe == "modern":
        settings |= {"ema": 0.9, "clip": 0.3, "validate_every": 2}
    else:
        settings |= {"plateau_patience": 0}
    return TrainConfig(**settings | changes)


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, recipe, pause = sys.argv[1], sys.argv[2], float((sys.argv[3:] or ["0"])[0])
    train(model(), Toy(pause=pause), config(recipe), folder)
