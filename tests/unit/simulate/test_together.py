"""Copies in one run answer as one by one."""

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.protocols.protocol import Protocol, noble_step
from noble_neuron.protocols.stimuli import OrnsteinUhlenbeck
from noble_neuron.simulate.run import simulate
from noble_neuron.simulate.together import Copies, together


def test_copies_have_the_voltages_of_single_runs(line):
    from neuron import h

    noise = Protocol("OU", 515.0, (OrnsteinUhlenbeck(0.1, 0.1, 5.0, 0.0, 515.0, 3),))
    protocols = [noble_step(0.2), noble_step(-0.05), noise]
    before = sum(1 for _ in h.allsec())
    found = together(line.cells[0], protocols)
    assert sum(1 for _ in h.allsec()) == before
    for voltage, protocol in zip(found, protocols, strict=True):
        np.testing.assert_array_equal(voltage, simulate(line.cells[0], protocol).v)
    assert found[0].max() > line.cells[0].threshold > found[1].max()


def test_other_numbers_and_durations_are_refused(line):
    with Copies(line.cells[0], 2) as copies:
        with pytest.raises(InputError, match="2 copies need as many protocols"):
            copies.run([noble_step(0.1)])
        short = Protocol("short", 100.0, noble_step(0.1).stimuli[0].__class__(0.1, 10.0, 50.0))
        with pytest.raises(InputError, match="of 100 ms, 515 ms"):
            copies.run([noble_step(0.1), short])
