"""Untrained streaming surrogates of a toy family, for tests that need no skill."""

import numpy as np
import torch

from noble_neuron.features.latent import LatentSpace
from noble_neuron.operators import OdeConfig, OdeStream
from noble_neuron.surrogates import StreamCard
from noble_neuron.surrogates.membrane import MembraneSurrogate

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
        "g_range": (-0.01, 0.1),
        "v_range": (-1000.0, 1000.0),
        "lowest_peak": -28.0,
    }
    return StreamCard(**settings | changes)


def membrane(memory=24, width=40, **changes):
    """An ordinary differential equation with lively random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = OdeStream(OdeConfig(latent_size=2, memory=memory, width=width))
        with torch.no_grad():
            model.out.weight.mul_(4.0)
            model.inner.weight.mul_(3.0)
    return MembraneSurrogate(model, card(**changes))
