"""NetPyNE leaves its network, the variable step and its hParams behind."""

import gc

import pytest


@pytest.fixture(scope="module")
def few_to_collect():
    """NetPyNE collects garbage whenever it clears a network, and torch's modules are many."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def as_found(few_to_collect):
    sim = pytest.importorskip("netpyne.sim")
    from neuron import h

    h.load_file("stdrun.hoc")
    before = h.celsius, h.dt, h.steps_per_ms, h.v_init
    yield
    if hasattr(getattr(sim, "net", None), "params"):
        sim.clearAll()
    sim.fih = []  # cleared cells would be asked for their voltages at the next initialisation
    h.CVode().active(False)
    h.celsius, h.dt, h.steps_per_ms, h.v_init = before
