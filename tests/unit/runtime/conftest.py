"""NEURON as each runtime test expects it, and as the others left it."""

import gc

import pytest
from neuron import h

h.load_file("stdrun.hoc")


@pytest.fixture(autouse=True)
def plain_neuron():
    gc.collect()  # cells of an earlier test, kept by the traceback of a refusal
    context, cvode = h.ParallelContext(), h.CVode()
    before = h.celsius, h.dt, h.steps_per_ms
    h.celsius, h.dt, h.steps_per_ms = 6.3, 0.025, 40
    context.set_maxstep(10)
    yield
    context.nthread(1)
    cvode.active(0)
    h.secondorder = 0
    h.celsius, h.dt, h.steps_per_ms = before
