"""What channels conduct in the steady state, told by the channels themselves."""

import numpy as np
import pytest
from neuron import h

from noble_neuron.errors import InputError
from noble_neuron.nrn import mechanisms
from noble_neuron.nrn.frozen import EXTREMES, TYPICAL, VOLTAGES, Frozen, Ih, held, probed


def dendrite(mechanism, nseg=3):
    mechanisms.load()
    section = h.Section(name="dend")
    section.nseg = nseg
    section.insert(mechanism)
    return section


def test_a_known_channel_is_found_as_it_is_known():
    section = dendrite("nn_Ih")
    for k, segment in enumerate(section):
        segment.nn_Ih.gbar = 1e-5 * k  # one of them has none
    (found,) = probed("nn_Ih", list(section))
    assert (found.mechanism, found.conductance) == ("nn_Ih", "gbar_nn_Ih")
    assert found.others == (("ehcn_nn_Ih", -45.0),)
    for segment in section:
        for v in VOLTAGES:
            assert found.leak(segment, v) == pytest.approx(Ih().leak(segment, v), rel=1e-9)
    assert Frozen(**{**found.plain(), "leaks": [list(each) for each in found.leaks]}) == found


def test_each_set_of_parameters_is_told_apart_and_its_ion_is_one():
    section = dendrite("nn_Kv3_1", nseg=4)
    section.ek = -90
    for segment, shift in zip(section, (0.0, 0.0, -10.0, 3.0), strict=True):
        segment.nn_Kv3_1.gbar, segment.nn_Kv3_1.vshift = 1e-3, shift
    middles = list(section)
    found = probed("nn_Kv3_1", middles[:3])
    assert len(found) == 2
    g, e = held("nn_Kv3_1", middles[2], found).leak(middles[2], TYPICAL)
    h.finitialize(TYPICAL)
    assert e == pytest.approx(-90)
    assert g * (TYPICAL - e) == pytest.approx(middles[2].ik, rel=1e-9)
    assert held("nn_Kv3_1", middles[0], found) is found[0]
    assert held("nn_Kv3_1", middles[3], found) is None
    section.ek = -77
    assert held("nn_Kv3_1", middles[0], found) is None


def test_what_has_no_conductance_of_its_own_is_refused():
    with pytest.raises(InputError, match="hh is in proportion to none of its parameters"):
        probed("hh", list(dendrite("hh")))
    section = dendrite("nn_Kv3_1")
    for segment in section:
        segment.nn_Kv3_1.gbar = 0
    assert probed("nn_Kv3_1", list(section)) == []


def test_ih_is_most_open_where_it_is_most_negative():
    shares = [Ih.share(v) for v in (EXTREMES[0], TYPICAL, EXTREMES[1])]
    assert np.all(np.diff(shares) < 0) and shares[0] < 0.1
