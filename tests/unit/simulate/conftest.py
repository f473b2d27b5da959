"""Puts the folder of `small_cells` where this process and its workers import from."""

from pathlib import Path

import pytest

NEURON = {"celsius": 6.3, "v_init": -65.0, "dt": 0.025, "threshold": -20.0}


@pytest.fixture
def small(monkeypatch):
    """Describe a small cell by the name of its function in `small_cells`."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    from noble_neuron.cells.python import load_python

    def cell(function, name=None, **arguments):
        return load_python(f"small_cells:{function}", arguments, name=name or function, **NEURON)

    return cell


@pytest.fixture
def nothing_left():
    """NEURON as it was: globals, solver and sections."""
    from neuron import h

    def state():
        return (
            h.celsius,
            h.dt,
            h.CVode().active(),
            h.secondorder,
            len(list(h.allsec())),
            int(h.List("IClamp").count()),
        )

    before = state()
    yield
    assert state() == before
