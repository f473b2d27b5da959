"""What a spike looks like, on a cell of one section."""

import pytest

from noble_neuron.errors import InputError
from noble_neuron.simulate.spiking import Spiking, spiking


def test_the_owners_threshold_is_kept_where_it_can_be():
    found = Spiking(foot=-50.0, peak=10.0, amplitude=0.2)
    assert found.threshold(-30.0) == -30.0  # in the lower half
    assert found.threshold(10.0) == found.threshold(0.0) == -30.0  # too high for a shunted spike
    assert found.threshold(-60.0) == -30.0  # below where spikes begin
    assert found.threshold(-45.0) == -45.0


def test_the_spikes_of_hodgkin_and_huxleys_membrane(small):
    found = spiking(small("ball"))
    assert -65.0 < found.foot < -40.0 and 20.0 < found.peak < 50.0
    assert 0.05 <= found.amplitude <= 0.4
    assert found.threshold(-20.0) == -20.0


def test_a_cell_that_never_fires_is_refused(small):
    with pytest.raises(InputError, match="makes leak fire"):
        spiking(small("passive", name="leak"))
