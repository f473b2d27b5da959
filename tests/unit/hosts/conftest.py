"""NetPyNE leaves its network, the variable step and its hParams behind."""

import pytest


@pytest.fixture
def as_found():
    sim = pytest.importorskip("netpyne.sim")
    from neuron import h

    h.load_file("stdrun.hoc")
    before = h.celsius, h.dt, h.steps_per_ms, h.v_init
    yield
    if hasattr(getattr(sim, "net", None), "params"):
        sim.clearAll()
    h.CVode().active(False)
    h.celsius, h.dt, h.steps_per_ms, h.v_init = before
