"""Cells from hoc templates."""

import pickle

import pytest
from neuron import h

from noble_neuron.cells import load_hoc
from noble_neuron.errors import CellError, InputError

SETTINGS = {"celsius": 6.3, "v_init": -65.0, "dt": 0.025, "threshold": 0.0}
TEMPLATE = """
begintemplate NAME
public soma, dend
create soma, dend[2]
proc init() { local k
  celsius = 20
  soma { L = $1  diam = 20  insert hh }
  for k = 0, 1 { connect dend[k](0), soma(1) }
  if ($1 < 0) { execerror("length", "negative") }
}
endtemplate NAME
"""


def written(tmp_path, name, text=TEMPLATE):
    path = tmp_path / f"{name}.hoc"
    path.write_text(text.replace("NAME", name))
    return path


def test_template(tmp_path):
    cell = load_hoc(written(tmp_path, "CellA"), "CellA", [31.0], **SETTINGS)
    cell = pickle.loads(pickle.dumps(cell))
    for _ in range(2):
        with cell.build() as live:
            assert live.soma.L == 31.0 and len(live.sections) == 3
            assert h.celsius != 20
        assert not list(h.allsec())
    with cell.build() as one, cell.build() as two:
        assert one.soma != two.soma and len(list(h.allsec())) == 6


def test_loads_its_neighbours(tmp_path):
    """A file finds what lies beside it, wherever we are."""
    written(tmp_path, "CellB")
    path = tmp_path / "all.hoc"
    path.write_text('load_file("CellB.hoc")\n')
    with load_hoc(path, "CellB", [5.0], **SETTINGS).build() as live:
        assert live.soma.L == 5.0


def test_array_soma_and_other_name(tmp_path):
    text = "begintemplate NAME\npublic body\ncreate body[1]\nproc init() {}\nendtemplate NAME\n"
    path = written(tmp_path, "CellC", text)
    with load_hoc(path, "CellC", **SETTINGS, soma="body").build() as live:
        assert live.soma.name().endswith("body[0]")


def test_a_failing_template_leaves_nothing(tmp_path):
    cell = load_hoc(written(tmp_path, "CellD"), "CellD", [-1.0], **SETTINGS)
    with pytest.raises(CellError, match="the template CellD of .*CellD.hoc failed"):
        cell.build()
    assert not list(h.allsec())


def test_another_template_of_one_name(tmp_path):
    load_hoc(written(tmp_path, "CellE"), "CellE", [5.0], **SETTINGS).build().destroy()
    (tmp_path / "other").mkdir()
    other = written(tmp_path / "other", "CellE", TEMPLATE + "// another\n")
    with pytest.raises(CellError, match="hoc already has another template CellE, from"):
        load_hoc(other, "CellE", [5.0], **SETTINGS).build()


def test_bad_files(tmp_path):
    with pytest.raises(InputError, match="Cannot read the hoc file .*gone.hoc"):
        load_hoc(tmp_path / "gone.hoc", "X", **SETTINGS)
    with pytest.raises(InputError, match="CellF.hoc (is not valid|defines no)"):
        load_hoc(written(tmp_path, "CellF", "x = (\n"), "CellF", **SETTINGS).build()
    with pytest.raises(InputError, match="CellG.hoc defines no template CellG"):
        load_hoc(written(tmp_path, "CellG", "{}\n"), "CellG", **SETTINGS).build()
    with pytest.raises(CellError, match="the name IClamp is already taken"):
        load_hoc(written(tmp_path, "IClamp"), "IClamp", **SETTINGS).build()
