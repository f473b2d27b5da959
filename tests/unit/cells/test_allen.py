"""The Allen loader on a small file of its form, and every way the file can be wrong."""

import json
import pickle

import pytest
from neuron import h

from noble_neuron.cells import load_allen, load_allen_model
from noble_neuron.errors import InputError


def row(section, name, value, mechanism=""):
    return {"section": section, "name": name, "value": str(value), "mechanism": mechanism}


def content():
    passive = [
        row(g, n, v)
        for g in ("soma", "axon", "dend", "apic")
        for n, v in (("cm", 1.5), ("Ra", 120), ("g_pas", 1e-4), ("e_pas", -88))
    ]
    active = [
        row("soma", "gbar_NaV", 0.05, "NaV"),
        row("soma", "gbar_K_Tst", 0.5, "K_Tst"),
        row("soma", "gbar_Ca_LVA", 1e-3, "Ca_LVA"),
        row("soma", "gbar_SK", 0.1, "SK"),
        row("soma", "gamma_CaDynamics", 0.001, "CaDynamics"),
        row("dend", "gbar_Im_v2", 1e-5, "Im_v2"),
        row("axon", "gbar_Kd", 0.01, "Kd"),
    ]
    erev = [{"section": g, "ena": 53, "ek": -107} for g in ("soma", "axon", "dend")]
    return {
        "passive": [{"ra": 120}],
        "fitting": [{"junction_potential": -14.0}],
        "conditions": [{"celsius": 34, "v_init": -80, "erev": erev}],
        "genome": passive + active,
    }


@pytest.fixture
def folder(tmp_path, swc):
    """A folder of two models around the small reconstruction."""
    swc.rename(tmp_path / "reconstruction.swc")
    (tmp_path / "hof").mkdir()
    for k in (0, 10, 2):
        save(tmp_path, content(), k)
    return tmp_path


def save(folder, value, k=0):
    path = folder / "hof" / f"hof_param_7_{k}.json"
    path.write_text(json.dumps(value))
    return path


def test_reads_all_in_order(folder):
    cells = load_allen(folder)
    assert [c.hof for c in cells] == [0, 2, 10]
    cell = pickle.loads(pickle.dumps(cells[1]))
    assert (cell.name, cell.ensemble) == ("allen_7_2", "allen_7")
    assert (cell.celsius, cell.v_init, cell.dt) == (34, -80, 0.02)
    assert (cell.threshold, cell.junction_potential) == (-20, -14)


def test_builds_by_the_rule(folder):
    with load_allen(folder)[0].build() as live:
        soma = live.soma(0.5)
        assert (soma.nn_NaV.gbar, soma.nn_K_T.gbar, soma.nn_SK.gbar) == (0.05, 0.5, 0.1)
        assert (soma.nn_Ca_LVA.gbar, soma.nn_CaDynamics.gamma) == (1e-3, 0.001)
        assert (soma.cm, live.soma.Ra, soma.pas.e, soma.ena, soma.ek) == (1.5, 120, -88, 53, -107)
        axon = [s for s in live.sections if ".axon" in s.name()]
        assert [(s.L, s.diam, s.nseg) for s in axon] == [(30, 1, 1)] * 2
        assert axon[1](0.5).nn_Kd.gbar == 0.01
        dend = [s for s in live.sections if ".dend" in s.name()]
        assert all(x.nn_Im_v2.gbar == 1e-5 and x.pas.g == 1e-4 for s in dend for x in s)
        assert not any(h.ismembrane("na_ion", sec=s) for s in dend)


def edited(change):
    value = content()
    change(value)
    return value


@pytest.mark.parametrize(
    "change, match",
    [
        (
            lambda v: v["genome"].append(row("soma", "gbar_Foo", 1, "Foo")),
            r"genome\[23\] \(gbar_Foo of soma\): unknown mechanism 'Foo'; .* has CaDynamics",
        ),
        (
            lambda v: v["genome"].append(row("soma", "gbar_Ih", "1e-5x", "Ih")),
            r"genome\[23\] \(gbar_Ih of soma\): expected a number, got '1e-5x'",
        ),
        (
            lambda v: v["genome"].append(row("soma", "gbar_Ih", "nan", "Ih")),
            r"genome\[23\] \(gbar_Ih of soma\): expected a finite number, got 'nan'",
        ),
        (
            lambda v: v["genome"].append(row("soma", "cm", 2)),
            r"genome\[23\] \(cm of soma\): this row is given twice",
        ),
        (lambda v: v["genome"].append(row("somma", "cm", 2)), "unknown section group"),
        (lambda v: v["genome"].append(row("soma", "gbar", 2, "Ih")), "ending in _Ih"),
        (lambda v: v["genome"][0].pop("value"), r"genome\[0\] .*: the key 'value' is missing"),
        (lambda v: v.pop("genome"), "the key 'genome' is missing"),
        (lambda v: v["conditions"][0].pop("celsius"), r"conditions\[0\]: the key 'celsius'"),
        (lambda v: v["conditions"][0].update(v_init="cold"), "key v_init: expected a number"),
        (lambda v: v.update(passive=[]), "key passive: expected a list of one object"),
    ],
)
def test_bad_files(folder, change, match):
    path = save(folder, edited(change))
    with pytest.raises(InputError, match=f"{path.name}.*{match}"):
        load_allen(folder)


def test_unknown_parameter_is_found_when_built(folder):
    save(folder, edited(lambda v: v["genome"].append(row("soma", "gmax_Ih", 1, "Ih"))))
    with pytest.raises(InputError, match="hof_param_7_0.json, group soma: .*no parameter 'gmax'"):
        load_allen(folder)[0].build()


def test_missing_and_broken_files(folder, tmp_path):
    with pytest.raises(InputError, match="No hof/hof_param_<cell>_<k>.json in .*nowhere"):
        load_allen(tmp_path / "nowhere")
    with pytest.raises(InputError, match="No such Allen parameter file"):
        load_allen_model(folder / "gone.json", folder / "reconstruction.swc")
    save(folder, content()).write_text("{")
    with pytest.raises(InputError, match="hof_param_7_0.json is not valid JSON"):
        load_allen(folder)
    (folder / "hof" / "hof_param_8_0.json").write_text("{}")
    with pytest.raises(InputError, match="are both number 0"):
        load_allen(folder)
    (folder / "hof" / "hof_param_8_0.json").unlink()
    save(folder, content())
    (folder / "reconstruction.swc").unlink()
    with pytest.raises(InputError, match="No such morphology file: .*reconstruction.swc"):
        load_allen(folder)
