"""Cells from Python callables, which have to be found again in another process."""

import importlib.util
import pickle
import sys
from pathlib import Path

import pytest
from neuron import h

from noble_neuron.cells import load_python
from noble_neuron.errors import CellError, InputError

SETTINGS = {"celsius": 6.3, "v_init": -65.0, "dt": 0.025, "threshold": 0.0}


@pytest.fixture
def makes_cells(monkeypatch):
    """The module beside this file, importable by its plain name."""
    path = Path(__file__).with_name("makes_cells.py")
    spec = importlib.util.spec_from_file_location("makes_cells", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "makes_cells", module)
    spec.loader.exec_module(module)
    yield module
    module.kept.clear()


def test_function_with_arguments(makes_cells):
    cell = load_python(makes_cells.ball, {"diameter": 12.0}, **SETTINGS)
    again = pickle.loads(pickle.dumps(cell))
    assert again.source["callable"] == "makes_cells:ball" and again.name == "ball"
    with again.build() as live:
        assert live.soma.diam == 12.0 and len(live.sections) == 1


def test_class_keeps_its_sections_and_the_caller_its_temperature(makes_cells):
    with load_python("makes_cells:Stick", {"length": 55.0}, **SETTINGS).build() as live:
        assert [s.name().split(".")[-1] for s in live.sections] == ["soma", "dend"]
        assert live.sections[1].L == 55.0 and h.celsius != 12.0


def test_a_failing_function_leaves_nothing(makes_cells):
    with pytest.raises(CellError, match="Cell fails could not be built: no luck"):
        load_python(makes_cells.fails, **SETTINGS).build()
    assert not list(h.allsec())


@pytest.mark.parametrize(
    "name, match",
    [
        ("two_somata", "1 of 2 sections are not connected to the soma: dend"),
        ("nothing", "returned None; it has to return its sections"),
        ("headless", "expected one section named 'soma' .* found 0.*begin with: trunk"),
    ],
)
def test_what_is_no_cell(makes_cells, name, match):
    with pytest.raises(CellError, match=match):
        load_python(f"makes_cells:{name}", **SETTINGS).build()


def test_soma_of_another_name(makes_cells):
    with load_python("makes_cells:headless", **SETTINGS, soma="trunk").build() as live:
        assert live.soma.name() == "trunk"


@pytest.mark.parametrize(
    "function, match",
    [
        (lambda: None, "cannot be imported by name in a worker"),
        ("no.such.module:f", "cannot import no.such.module"),
        ("math:nothing", "the module math has no nothing"),
        ("math:pi", "is not callable"),
        ("math.pi", "is named 'module:function'"),
    ],
)
def test_what_cannot_be_found_again(function, match):
    with pytest.raises(InputError, match=match):
        load_python(function, **SETTINGS)
