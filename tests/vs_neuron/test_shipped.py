"""The whole-trace surrogates that ship, beside a training cell of theirs."""

import warnings

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")

from noble_neuron.errors import OutsideTraining
from noble_neuron.features.spiketrain import spike_times
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.run import seen, simulate
from noble_neuron.simulate.study import Study
from noble_neuron.surrogates import load

FACTORS = (-0.1, 0.7, 1.3, 1.8)  # times the cell's own threshold


@pytest.mark.parametrize("name", ["pvalb", "vip"])
def test_it_answers_as_the_cell_does(name):
    study, surrogate = Study.load(name), load(name)
    k = study.training[2]
    cell, i_thr = study.cells[k], study.features[k]["I_thr"]
    protocols = [noble_step(factor * i_thr) for factor in FACTORS]
    with cell.build() as live:
        full = np.array([simulate(live, p).v for p in protocols])
    current = np.array([seen(p, cell.dt)[0] for p in protocols])
    point = study.latents(surrogate.latent_space.names)[cell.name]
    with warnings.catch_warnings():
        warnings.simplefilter("error", OutsideTraining)
        own = surrogate.predict(current, np.tile(point, (len(protocols), 1)), cell.dt)
    own_times, times = (
        [spike_times(v, cell.dt, surrogate.threshold) for v in voltage] for voltage in (own, full)
    )
    assert [len(t) for t in times[:2]] == [0, 0] and len(times[3]) > len(times[2]) > 0
    for found, expected in zip(own_times, times, strict=True):
        assert abs(len(found) - len(expected)) <= 1 and found[:1] == pytest.approx(
            expected[:1], abs=1.0
        )
    for found, expected in zip(own[:2], full[:2], strict=True):
        assert np.abs(found - expected).max() < 2.0


@pytest.mark.parametrize("name", ["pvalb", "vip"])
def test_its_card_says_how_good_it_is(name):
    study, card = Study.load(name), load(name).card
    known = study.latents(card.latent_space.names)
    points = [known[study.cells[k].name] for k in study.training]
    np.testing.assert_allclose(card.latent_space.points, points)
    splits = {row["split"] for row in card.errors}
    assert {"held-out currents", "held-out cells", "new currents"} <= splits
