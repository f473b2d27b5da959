"""The generic channel takes the fixed-step one's place, and gives it back."""

import numpy as np
import pytest
from neuron import h

from noble_neuron.nrn import mechanisms
from noble_neuron.nrn.session import session
from noble_neuron.nrn.solvers import generic_solvers


@pytest.fixture
def cable() -> tuple[list[h.Section], h.IClamp]:
    """Two sections; the channel's density differs from segment to segment, one has none."""
    mechanisms.load()
    axon, bare = h.Section(name="axon"), h.Section(name="bare")
    axon.L, axon.diam, axon.nseg = 200, 4, 5  # um
    bare.L, bare.diam = 50, 1
    bare.connect(axon(1))
    for section in (axon, bare):
        section.insert("pas")
        section.e_pas = -70
    axon.insert("nn_NaV")
    axon.ena = 53
    for segment in axon:
        segment.nn_NaV.gbar = 0.1 + segment.x / 10
    clamp = h.IClamp(axon(0))
    clamp.delay, clamp.dur, clamp.amp = 1, 20, 0.4  # ms, ms, nA
    return [axon, bare], clamp


def voltage(section: h.Section) -> np.ndarray:
    vector = h.Vector().record(section(0.5)._ref_v)
    with session(34, dt=0.02):
        h.finitialize(-70)
        h.continuerun(5)
    return np.array(vector)


def test_same_channel_and_back_again(cable):
    sections, _ = cable
    own = voltage(sections[0])
    with generic_solvers():
        assert not h.ismembrane("nn_NaV", sec=sections[0])
        assert not h.ismembrane("nn_NaV_sparse", sec=sections[1])
        generic = voltage(sections[0])
    again = voltage(sections[0])
    assert own.max() > 0
    np.testing.assert_allclose(generic, own, atol=1e-6)
    np.testing.assert_array_equal(again, own)
    assert [segment.nn_NaV.gbar for segment in sections[0]] == pytest.approx(
        [0.11, 0.13, 0.15, 0.17, 0.19]
    )


def test_lets_cvode_in(cable):
    sections, _ = cable
    fixed = voltage(sections[0])
    with generic_solvers(), session(34, cvode_atol=1e-5):
        h.finitialize(-70)
        h.continuerun(5)
        assert sections[0](0.5).v == pytest.approx(fixed[-1], abs=0.5)
        assert sections[0].ena == 53
    assert h.ismembrane("nn_NaV", sec=sections[0])


def test_back_again_after_an_error(cable):
    sections, _ = cable
    with pytest.raises(ZeroDivisionError), generic_solvers():
        raise ZeroDivisionError
    assert h.ismembrane("nn_NaV", sec=sections[0])
    assert not h.ismembrane("nn_NaV_sparse", sec=sections[0])
