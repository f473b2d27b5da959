"""A small real line: four one-compartment cells, a training set, a briefly trained operator."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch

from noble_neuron.cells.spec import HofCell
from noble_neuron.features import fi
from noble_neuron.features.latent import LatentSpace
from noble_neuron.operators import NobleConfig, NobleFNO
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.run import simulate
from noble_neuron.simulate.study import Study
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.surrogates import Card, bundle

THRESHOLD = -20.0  # mV
CURRENTS = (-0.1, 0.05, 0.15, 0.2, 0.3)  # nA
FACTOR = 3


def one_compartment(folder, number: int) -> HofCell:
    """A fast-spiking ball; `number` sets its leak and its potassium conductance."""
    morphology = folder / "ball.swc"
    if not morphology.exists():
        morphology.write_text("1 1 0 0 0 10 -1\n2 1 0 10 0 10 1\n3 1 0 -10 0 10 1\n")
    soma = {
        "cm": 1.0,
        "ek": -90.0,
        "ena": 50.0,
        "mechanisms": {
            "pas": {"g": 1e-3 * (1 + 0.4 * number), "e": -78.0},
            "nn_NaTg": {"gbar": 0.5, "vshifth": 10.0, "slopem": 9.0},
            "nn_Kv3_1": {"gbar": 0.4 + 0.1 * number},
        },
    }
    source = {"morphology": str(morphology), "axon": "none", "Ra": 100.0, "groups": {"soma": soma}}
    return HofCell(
        f"ball{number}", "swc", source, 34.0, -78.0, 0.025, THRESHOLD, ensemble="balls", hof=number
    )


def latent_of(cell: HofCell) -> tuple[float, float]:
    """I_thr [nA] and the rate at the top of the currents [Hz]."""
    with cell.build() as live:

        def respond(amplitude):
            return simulate(live, noble_step(amplitude))

        i_thr = fi.threshold_current(respond, -0.02, 0.4, 1e-3, threshold=THRESHOLD)
        rate = fi.fi_curve(respond, [CURRENTS[-1]], threshold=THRESHOLD).rates[0]
    return i_thr, float(rate)


def fitted(dataset: Dataset, space: LatentSpace, latents, rows) -> NobleFNO:
    """A few steps of Adam: enough to be a real surrogate, not to be a good one."""
    torch.manual_seed(0)
    view = dataset.decimated(FACTOR)
    voltage = torch.as_tensor(view.voltage(rows))
    current = torch.as_tensor(view.current(rows))
    names = dataset.table["cell"][rows]
    points = torch.as_tensor(space.encode(np.array([latents[n] for n in names])))
    model = NobleFNO(NobleConfig(layers=2, hidden=8, modes=128, amplitude_frequencies=5))
    t = torch.arange(voltage.shape[1]) * dataset.dt(0) * FACTOR
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(12):
        answer = model(current, points.float(), t)
        loss = (answer - voltage).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def make(folder) -> SimpleNamespace:
    """Cells, latents, study, training set, split and surrogate, in `folder`."""
    torch.set_num_threads(1)
    cells = [one_compartment(folder, k) for k in range(4)]
    latents = {cell.name: latent_of(cell) for cell in cells}
    training = ("ball0", "ball1", "ball3")
    names = ("I_thr", "max_rate")
    study = Study(
        "balls",
        tuple(cells),
        tuple(dict(zip(names, latents[cell.name], strict=True)) for cell in cells),
        held_out=(2,),
    )
    study.save(folder / "study.json")
    samples = [(k, noble_step(a)) for k in range(4) for a in CURRENTS]
    path = build_dataset(cells, samples, folder / "balls.h5", workers=1)
    space = LatentSpace.fit(names, ("nA", "Hz"), np.array([latents[name] for name in training]))
    with Dataset.open(path) as dataset:
        of_training = np.isin(dataset.table["cell"], training)
        held_out = np.arange(len(dataset)) % len(CURRENTS) == 3
        splits = {
            "held-out currents": np.flatnonzero(of_training & held_out),
            "held-out cells": np.flatnonzero(~of_training),
        }
        trained_on = np.flatnonzero(of_training & ~held_out)
        model = fitted(dataset, space, latents, trained_on)
    card = Card(
        ensemble="balls",
        latent_space=space,
        dt=0.025 * FACTOR,
        current_range=(-0.1, 0.3),
        celsius=34.0,
        v_init=-78.0,
        threshold=THRESHOLD,
        junction_potential=0.0,
        licence="BSD-3-Clause",
        step=(15.0, 400.0),
    )
    bundle.save(folder / "bundle", model, card)
    return SimpleNamespace(
        folder=folder,
        cells=cells,
        latents=latents,
        dataset=path,
        study=study,
        splits=splits,
        trained_on=trained_on,
        surrogate=bundle.load(folder / "bundle"),
    )
