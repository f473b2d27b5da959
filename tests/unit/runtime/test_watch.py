"""What lies beyond the training is counted per cell, said once, and refused where asked."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from neuron import h

from noble_neuron.contracts import Limits
from noble_neuron.errors import InputError, OutsideTraining, SimulationError
from noble_neuron.nrn import mechanisms
from noble_neuron.runtime import NobleCell
from noble_neuron.runtime.standins import PassiveCell

from . import rings

mechanisms.load()
LEAK = (0.01, -65.0)  # uS, mV


@dataclass(frozen=True)
class Limited(PassiveCell):
    """A passive cell that says what it was trained on; a leak above 0.02 uS lies outside."""

    limits: Limits = Limits((-0.1, 0.2), (0.0, 0.005), (-90.0, -40.0), -70.0)

    def point(self, given):
        return np.array(LEAK if isinstance(given, str) else [given["leak"], given["reversal"]])

    def distance(self, latent):
        return max(0.0, latent[0] - 0.02), 0.5


def driven(amplitude, stepper=None, **kwargs):
    """A cell under a step from 2 to 4 ms."""
    cell = NobleCell(stepper or Limited(capacitance=0.1), LEAK, **kwargs)
    clamp = h.IClamp(cell.soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 2, 2, amplitude
    return cell, clamp


def test_a_current_beyond_the_training_is_counted_and_said_once():
    cell, _clamp = driven(0.3, gid=7)
    with pytest.warns(OutsideTraining, match=r"NobleCell\[7\]: current of 0.3 nA at 2.0") as said:
        h.finitialize(-65)
        rings.psolve(10)
    assert len(said) == 1 and "-0.1 to 0.2 nA" in str(said[0].message)
    met = cell.outside["current"]
    assert met.count == 8 and set(cell.outside) == {"current"}  # 2 ms in chunks of 0.25 ms
    assert met.time == pytest.approx(2.025, abs=0.026) and met.value == pytest.approx(0.3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _clamp.amp = 0.1
        h.finitialize(-65)
        rings.psolve(10)
    assert not cell.outside


def test_current_counts_at_the_reference_voltage():
    """A leak of 0.004 uS to 0 mV is 0.28 nA at -70 mV, whatever it delivers."""
    cell, _clamp = driven(0.0)
    cell.soma.insert("pas")
    area = cell.soma(0.5).area() * 1e-8  # cm2
    cell.soma.g_pas, cell.soma.e_pas = 0.004e-6 / area, 0.0
    with pytest.warns(OutsideTraining, match="current of 0.28 nA"):
        h.finitialize(-65)
        rings.psolve(1)
    assert "conductance" not in cell.outside
    cell.soma.g_pas, cell.soma.e_pas = 0.006e-6 / area, -70.0
    with pytest.warns(OutsideTraining, match="conductance of 0.006 uS"):
        h.finitialize(-65)
        rings.psolve(1)
    assert "current" not in cell.outside


def test_a_strict_cell_refuses(capfd):
    cell, _clamp = driven(0.3, strict=True)
    h.finitialize(-65)
    with pytest.raises(RuntimeError) as error:
        rings.psolve(10)
    assert "current of 0.3 nA" in rings.said(error, capfd)
    assert cell.outside["current"].count == 1


def test_a_latent_outside_the_hull_is_said_or_refused():
    stepper = Limited(capacitance=0.1)
    with pytest.warns(OutsideTraining, match=r"0.01 encoded units outside .*0.5 in the median"):
        NobleCell(stepper, (0.03, -65.0))
    with pytest.raises(SimulationError, match="outside the hull"):
        NobleCell(stepper, (0.03, -65.0), strict=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        NobleCell(stepper, (0.02, -65.0))


def test_a_latent_by_name():
    stepper = Limited(capacitance=0.1)
    assert tuple(NobleCell(stepper, "one").latent) == LEAK
    cell = NobleCell(stepper, {"leak": 0.02, "reversal": -60.0})
    assert tuple(cell.latent) == (0.02, -60.0)
    with pytest.raises(InputError, match="knows no names"):
        NobleCell(PassiveCell(capacitance=0.1), "one")


def test_a_shift_moves_all_voltages_alike():
    """Shifted by -14 mV, with reversals shifted too, a cell does the same 14 mV lower."""

    def voltage(shift):
        cell = NobleCell(PassiveCell(capacitance=0.1), LEAK, shift=shift)
        synapse = h.AlphaSynapse(cell.soma(0.5))
        synapse.onset, synapse.tau, synapse.gmax, synapse.e = 1, 0.5, 0.01, shift
        trace = h.Vector().record(cell.soma(0.5)._ref_v)
        h.finitialize(-60 + shift)
        rings.psolve(8)
        return trace.as_numpy().copy()

    own = voltage(0.0)
    np.testing.assert_allclose(voltage(-14.0), own - 14.0, atol=1e-5)
    assert np.ptp(own) > 3.0


def test_a_shift_moves_threshold_and_peaks():
    cell = NobleCell(rings.SQUID, rings.CLASSIC, shift=-10.0)
    assert cell.threshold == rings.SQUID.threshold - 10.0
    assert cell.lowest_peak == rings.SQUID.lowest_peak - 10.0
    with pytest.raises(InputError, match="shift must be a finite number"):
        NobleCell(rings.SQUID, rings.CLASSIC, shift=math.nan)


@pytest.mark.parametrize("value", [-0.1, 1.0, math.nan, "0.02"])
def test_a_trees_error_is_a_share(value):
    with pytest.raises(InputError, match="tree_error"):
        NobleCell(rings.SQUID, rings.CLASSIC, own_tree=True, tree_error=value)
