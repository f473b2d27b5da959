"""NetPyNE cell rules as plain dicts."""

import json
import pickle

import numpy as np
import pytest
from neuron import h

from noble_neuron.cells import load_netpyne
from noble_neuron.errors import InputError


def rule():
    hh = {"gnabar": 0.12, "gkbar": 0.036, "gl": 0.0003, "el": -54.3}
    return {
        "conds": {"cellType": "PYR"},
        "globals": {"celsius": 6.3},
        "secs": {
            "soma": {
                "geom": {"diam": 18.8, "L": 18.8, "Ra": 123.0, "cm": 1.1},
                "topol": {},
                "mechs": {"hh": hh},
                "ions": {"na": {"e": 55.0, "i": 11.0, "o": 140.0}},
                "vinit": -65.0,
                "threshold": -10.0,
            },
            "dend": {
                "geom": {
                    "nseg": 3,
                    "Ra": 150.0,
                    "cm": 1.0,
                    "pt3d": [[0, 0, 0, 2.0], [0, 50, 0, 1.0], [0, 100, 0, 0.5]],
                },
                "topol": {"parentSec": "soma", "parentX": 1.0, "childX": 0},
                "mechs": {"pas": {"g": [1e-5, 2e-5, 3e-5], "e": -70.0}},
            },
        },
        "secLists": {"all": ["soma", "dend"]},
    }


def test_builds_the_rule():
    cell = load_netpyne(rule(), name="PYR")
    assert (cell.celsius, cell.v_init, cell.threshold) == (6.3, -65.0, -10.0)
    before = h.nai0_na_ion
    with pickle.loads(pickle.dumps(cell)).build() as live:
        soma, dend = live.sections
        assert (soma.L, soma.diam, soma.Ra, soma.cm) == (18.8, 18.8, 123.0, 1.1)
        assert (soma(0.5).hh.gnabar, soma.ena, h.nai0_na_ion) == (0.12, 55.0, 11.0)
        assert dend.parentseg() == soma(1) and dend.n3d() == 3 and dend.L == pytest.approx(100)
        assert [x.pas.g for x in dend] == [1e-5, 2e-5, 3e-5]
    assert h.nai0_na_ion == before


def test_json_numpy_and_other_soma(tmp_path):
    value = rule()
    value["secs"]["soma_0"] = value["secs"].pop("soma")
    value["secs"]["dend"]["topol"]["parentSec"] = "soma_0"
    (tmp_path / "rule.json").write_text(json.dumps(value))
    with load_netpyne(tmp_path / "rule.json").build() as live:
        assert live.soma.name().endswith("soma_0")
    value["secs"]["soma_0"]["geom"]["diam"] = np.float64(10.0)
    with load_netpyne(value, v_init=-70.0, threshold=0.0, celsius=20.0).build() as live:
        assert live.soma.diam == 10.0
        assert (live.cell.v_init, live.cell.threshold, live.cell.celsius) == (-70, 0, 20)


def edit(path, value):
    changed = rule()
    at = changed
    for key in path[:-1]:
        at = at.setdefault(key, {})
    if value is None:
        at.pop(path[-1])
    else:
        at[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    "path, value, match",
    [
        (("secs",), None, "NetPyNE rule netpyne_cell: the key 'secs' is missing"),
        (("secs",), {}, "secs is empty"),
        (("secs",), {"dend": {}}, "no section is named soma or soma_0"),
        (("secs", "soma", "geom", "L"), "dist*3", "secs.soma.geom.L: expected a number"),
        (("secs", "soma", "mechs", "hh", "gl"), "0.1*x", "mechs.hh.gl: expected a number"),
        (("secs", "soma", "geom", "rallbranch"), 2, "secs.soma.geom: unknown key 'rallbranch'"),
        (("secs", "soma", "mechss"), {}, "secs.soma: unknown key 'mechss'"),
        (("secs", "soma", "pointps"), {"a": {"mod": "IClamp"}}, "secs.soma.pointps: a hall"),
        (("secs", "dend", "topol", "parentSec"), "some", "parentSec 'some' is not a section"),
        (("secs", "dend", "vinit"), -60.0, "its sections have different vinit"),
        (("secs", "dend", "ions"), {"na": {"i": 9.0}}, "ions.na.i: 9.0, but another section"),
        (("secs", "soma", "threshold"), None, "does not state threshold; pass threshold="),
        (("globals",), {}, "does not state celsius"),
        (("secs", "soma", "geom", "L"), object(), "numbers, strings, lists and dicts only"),
    ],
)
def test_bad_rules(path, value, match):
    with pytest.raises(InputError, match=match):
        load_netpyne(edit(path, value))


@pytest.mark.parametrize(
    "path, value, match",
    [
        (("secs", "soma", "mechs", "hhh"), {}, "secs.soma.mechs: NEURON has no mechanism 'hhh'"),
        (("secs", "soma", "mechs", "hh", "g"), 1.0, "mechanism 'hh' has no parameter 'g'"),
        (("secs", "dend", "mechs", "pas", "g"), [1.0, 2.0], "pas.g: 2 values for 3 segments"),
        (("globals", "no_such"), 1.0, "NEURON has no global 'no_such'"),
        (("secs", "soma", "ions"), {"na": {"x": 1.0}}, "ions.na: unknown key 'x'"),
    ],
)
def test_what_only_neuron_knows(path, value, match):
    with pytest.raises(InputError, match=match):
        load_netpyne(edit(path, value)).build()
