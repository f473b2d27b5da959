"""A cell's character, on a compartment whose passive values are known."""

import math

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.characterise import characterise, passive_values
from noble_neuron.simulate.run import simulate

AREA = math.pi * 20.0**2 * 1e-8  # cm2


def test_passive_values_are_the_compartments_own(small):
    g, cm = 1e-4, 2.0  # S/cm2, uF/cm2
    with small("passive", g=g, e=-70.0, cm=cm).build() as live:
        values = passive_values(live)
    assert values["resting_voltage"] == pytest.approx(-70.0, abs=1e-3)
    assert values["input_resistance"] == pytest.approx(1e-6 / (g * AREA), rel=1e-3)  # MOhm
    assert values["membrane_time_constant"] == pytest.approx(1e-3 * cm / g, rel=0.01)  # ms


@pytest.fixture(scope="module")
def found():
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parent))
    from noble_neuron.cells.python import load_python

    try:
        cell = load_python(
            "small_cells:ball", {}, celsius=6.3, v_init=-65.0, dt=0.025, threshold=-20.0
        )
        with cell.build() as live:
            return cell, characterise(live, high=0.6, step=0.05)
    finally:
        sys.path.pop(0)


def test_threshold_current_fires_and_a_little_less_does_not(found):
    cell, character = found
    i_thr = character.values["I_thr"]
    spikes = []
    with cell.build() as live:
        for amplitude in (i_thr - 2e-4, i_thr):  # nA
            v = simulate(live, noble_step(amplitude)).v[600:16_600]
            spikes.append(np.sum((v[:-1] <= -20) & (v[1:] > -20)))
    assert spikes[0] == 0 < spikes[1]


def test_hodgkin_and_huxleys_cell_has_its_known_character(found):
    _, character = found
    values = character.values
    assert values["resting_voltage"] == pytest.approx(-65.0, abs=0.1)
    assert values["I_thr"] < values["I_rep"] < 0.2  # nA: one spike first, then a train
    assert 50 < values["max_rate"] < 120  # Hz, at 6.3 degC
    assert character.curve.amplitudes.tolist() == pytest.approx(np.arange(13) * 0.05)
    assert character.curve.counts[0] == 0
    low, high = sorted(character.features)
    assert (low, high) == (-0.1, pytest.approx(1.3 * values["I_thr"]))
    assert character.features[low]["spikecount"] == 1  # anode break, after the step
    assert character.features[high]["spikecount"] > 0


def test_a_silent_cell_has_no_threshold(small):
    character = characterise(small("passive", e=-70.0), high=0.04)
    assert math.isnan(character.values["I_thr"])
    assert math.isnan(character.values["s_thr"])
    assert character.values["max_rate"] == 0
    assert set(character.features) == {-0.1}


def test_an_empty_range_is_refused(small):
    with pytest.raises(InputError, match="low < high and step > 0"):
        characterise(small("ball"), low=0.5, high=0.5)
