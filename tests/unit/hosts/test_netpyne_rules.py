"""Whatever rules make a population: the swapped network has all but the somata's channels."""

import shutil
from copy import deepcopy

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")
pytest.importorskip("netpyne")

from netpyne import sim, specs
from neuron import h

import noble_neuron.hosts.netpyne_rules as noble
from noble_neuron.assets import library_dir
from noble_neuron.errors import InputError
from noble_neuron.surrogates import load_stream

from .nets import config, dendrite, made, network, run, soma

pytestmark = pytest.mark.usefixtures("as_found")
LATENTS = load_stream("pvalb").card.latent_space.names

PYTHON = """
from neuron import h

class Basket:
    def __init__(self, length=150.0):
        self.soma = h.Section(name="soma", cell=self)
        self.dend = [h.Section(name=f"dend[{k}]", cell=self) for k in range(2)]
        self.soma.L = self.soma.diam = 20
        self.soma.insert("hh")
        for k, section in enumerate(self.dend):
            section.connect(self.soma(k))
            section.L, section.diam, section.nseg = length, 2, 3
            section.insert("pas")
            section.g_pas, section.e_pas = 1e-4, -74
        self.basal = h.SectionList(self.dend)
        self.all = h.SectionList([self.soma, *self.dend])
"""

HOC = """
begintemplate nnt_Basket
public soma, dend, basal, all
objref basal, all
create soma, dend[2]
proc init() { local k
    basal = new SectionList()
    all = new SectionList()
    soma { L = 20  diam = 20  nseg = 3  insert hh  all.append() }
    for k = 0, 1 {
        connect dend[k](0), soma(k)
        dend[k] {
            L = 150  diam = 2  nseg = 3
            insert pas  g_pas = 1e-4  e_pas = -74
            basal.append()  all.append()
        }
    }
}
endtemplate nnt_Basket
"""

SWC = """
1 1 0 0 0 10 -1
2 1 0 10 0 10 1
3 1 0 -10 0 10 1
4 3 0 20 0 1 2
5 3 0 170 0 1 4
6 3 20 -20 0 1 3
7 3 20 -170 0 1 6
8 3 -20 -170 0 1 3
"""


def imported(params, folder, kind):
    """The basket cell of `network` as a file; its channels set by hand where a file has none."""
    file = folder / f"nnt_basket.{kind}"
    file.write_text({"py": PYTHON, "hoc": HOC, "swc": SWC.lstrip()}[kind])
    name = {"py": "Basket", "hoc": "nnt_Basket", "swc": "basket"}[kind]
    del params.cellParams["basket"]
    rule = params.importCellParams("basket", str(file), name, {"cellType": "basket"})
    if kind == "swc":
        for label, section in rule["secs"].items():
            section["mechs"] = (soma() if "soma" in label else dendrite())["mechs"]
        rule["secLists"]["basal"] = [label for label in rule["secs"] if "dend" in label]
    params.stimTargetParams["in->"]["sec"] = "basal"
    return params


@pytest.mark.parametrize("kind", ["py", "hoc", "swc"])
def test_imported_cells(tmp_path, kind):
    # Both before either is made: with a hoc file, NetPyNE deletes all sections in memory.
    before, params = (imported(network(), tmp_path, kind) for _ in range(2))
    native = made(before, False)
    rule = deepcopy(params.cellParams["basket"].todict())
    assert made(params) == native
    somata = {name for name in native[0]["secs"] if "soma" in name}
    assert somata and len(native[0]["secs"]) > len(somata)
    assert (params.cellParams["basket"]["secLists"]) == rule["secLists"] != {}
    for cell in sim.net.cells[:4]:
        assert noble.cell_of(cell).soma.nseg == 1
    sim.simulate()
    assert len(sim.simData["spkt"])


def several_rules(params):
    """Soma and one dendrite, a second dendrite by place, and a rule that has the last word."""
    rule = params.cellParams["basket"]
    params.cellParams["deep"] = {
        "conds": {"cellType": "basket", "xnorm": [0.0, 0.6]},
        "secs": {"dend_1": rule["secs"].pop("dend_1")},
        "secLists": {"dends": ["dend_0", "dend_1"]},
    }
    params.cellParams["tweak"] = {
        "conds": {"cellType": ["basket"], "pop": ["PV", "other"]},
        "secs": {"soma": {"mechs": {"pas": {"g": 1e-3}}}, "dend_0": {"geom": {"diam": 3}}},
    }
    rule["conds"] = {"cellType": "basket"}
    rule["secLists"]["dends"] = ["dend_0"]


def of_cell_model(params):
    params.cellParams["basket"]["conds"] = {"cellModel": "HH"}
    for tags in params.popParams.values():
        tags["cellModel"] = "HH"


def of_pop(params):
    rule = params.cellParams["basket"]
    rule["conds"] = {"pop": ["PV", "other"]}


def from_cells_list(params):
    """Cell types of their own, one of which another rule makes."""
    params.cellParams["chandelier"] = {"secs": {"soma": soma(), "dend_0": dendrite()}}
    cells = [{"cellType": "basket", "x": 10}, {"cellType": "chandelier", "ynorm": 0.5}]
    params.popParams["PV"] = {"cellType": "none", "cellsList": cells}


def diverse(params):
    """Two kinds of one cell type, by fractions; the second by another name of the soma."""
    params.cellParams["basket"]["conds"] = {"cellType": "basket"}
    params.cellParams["basket"]["diversityFraction"] = 0.5
    params.cellParams["small"] = {
        "conds": {"cellType": "basket"},
        "diversityFraction": 0.5,
        "secs": {"soma": soma(), "dend_0": dendrite(geom={"L": 70, "diam": 1})},
        "secLists": {"dends": ["dend_0"]},
    }
    params.popParams["more"] = {"cellType": "basket", "numCells": 2}
    for tags in params.popParams.values():
        tags["diversity"] = True


def names(params):
    """Numbered names, custom lists, and a section list that another rule's cell would not have."""
    params.cellParams["basket"]["secs"] = {
        "soma_0": soma(),
        "dend_3": dendrite("soma_0"),
        "apic_0": dendrite("dend_3"),
    }
    params.cellParams["basket"]["secLists"] = {
        "basal": ["dend_3"],
        "apical": ["apic_0"],
        "all": ["soma_0", "dend_3", "apic_0"],
        "perisomatic": ["soma_0", "dend_3"],
    }
    target = params.stimTargetParams["in->"]
    for sec in ("soma_0", "apical", "perisomatic", "all", ["dend_3", "apic_0"], "dend_3"):
        params.stimTargetParams[f"in->{sec}"] = {**target, "sec": sec, "synsPerConn": 2}
    target["sec"] = "basal"
    params.connParams["PV->PV"]["sec"] = "perisomatic"


def grid(params):
    params.popParams["PV"] = {"cellType": "basket", "gridSpacing": 60, "yRange": [0, 0]}


def density(params):
    params.popParams["PV"] = {"cellType": "basket", "density": 4000, "ynormRange": [0.1, 0.9]}


def neuroml(params):
    """As NetPyNE's NeuroML importer leaves them."""
    for tags in params.popParams.values():
        tags["originalFormat"] = "NeuroML2"


def shaped(params):
    params.defineCellShapes, params.rotateCellsRandomly = True, True


def functions(params):
    """Numbers drawn for each cell, and weights that depend on the place along a section."""
    rule = params.cellParams["basket"]
    rule["vars"] = {"size": "uniform(100, 200)"}
    rule["secs"]["dend_0"]["geom"]["L"] = "size"
    rule["secs"]["dend_1"]["mechs"]["pas"]["g"] = "1e-4*(1 + dist_path/100)"
    rule["secs"]["dend_0"]["weightNorm"] = [0.5, 1.0, 2.0]


FORMS = (
    several_rules,
    of_cell_model,
    of_pop,
    from_cells_list,
    diverse,
    names,
    grid,
    density,
    neuroml,
    shaped,
    functions,
)


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.__name__)
def test_forms_of_rules(form):
    params = network()
    form(params)
    native = made(params, False)
    params = network()
    form(params)
    assert made(params) == native
    for cell in sim.net.cells:
        if cell.tags["pop"] == "PV":
            assert "hh" not in [m.name() for m in noble.cell_of(cell).soma(0.5)]
        else:
            with pytest.raises(InputError, match="no surrogate"):
                noble.cell_of(cell)
    sim.cfg.duration = 20
    sim.simulate()


def test_two_populations_of_one_rule_by_two_surrogates(tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(library_dir() / "pvalb" / "stream", folder)
    params = network()
    params.popParams["third"] = {"cellType": "basket", "numCells": 1}
    noble.replace(params, "PV", surrogate="pvalb", seed=3)
    assert noble.replace(params, "other", surrogate=str(folder), shift=-5) == ["basket_other"]
    made(params, False)
    told = [(cell.tags["pop"], cell.tags.get("surrogate")) for cell in sim.net.cells]
    assert told == [("PV", "pvalb")] * 4 + [("other", str(folder))] * 2 + [("third", None)]
    assert [noble.cell_of(cell).shift for cell in sim.net.cells[:6]] == [0] * 4 + [-5] * 2
    # Without NetPyNE's own structure of the cells, the rules tell which surrogate it is.
    made(params, False, createPyStruct=False)
    assert [noble.cell_of(cell).shift for cell in sim.net.cells[:6]] == [0] * 4 + [-5] * 2


def test_a_later_rule_keeps_the_last_word():
    params = network()
    several_rules(params)
    assert noble.replace(params, "PV", surrogate="pvalb") == ["basket_PV", "tweak_PV"]
    assert list(params.cellParams) == ["basket", "basket_PV", "deep", "tweak", "tweak_PV"]


def test_rules_of_other_layers_are_left_alone():
    params = network()
    rule = params.cellParams.pop("basket")
    layers = {"2": [0.1, 0.3], "4": [0.3, 0.5], "5": [0.5, 0.8]}
    for layer, within in layers.items():
        conditions = {"cellType": "basket", "ynorm": within}
        params.cellParams[f"basket{layer}"] = {**deepcopy(rule), "conds": conditions}
    params.popParams["PV"]["ynormRange"] = [0.6, 0.7]
    params.popParams["other"]["ynormRange"] = [0.2, 0.7]
    assert noble.replace(params, "PV", surrogate="pvalb") == ["basket5_PV"]
    assert params.cellParams["basket5"]["conds"]["pop"] == ["other"]
    made(params, False)
    told = [cell.tags.get("surrogate") for cell in sim.net.cells]
    assert told == ["pvalb"] * 4 + [None] * 2


def test_a_label_that_is_taken():
    params = network()
    params.cellParams["basket_PV"] = {"conds": {"cellType": "else"}, "secs": {"soma": soma()}}
    assert noble.replace(params, "PV", surrogate="pvalb") == ["basket_PV_"]


def test_conditions_on_the_rules_label_still_hold():
    trace = {"sec": "soma", "loc": 0.5, "var": "v", "conds": {"label": "basket"}}
    swapped = swap(network())
    for params in (network(), swapped):
        sim.create(params, config(recordTraces={"V": trace}, recordCells=["all"]))
        assert len(sim.simData["V"]) == 6


def test_a_second_time_is_refused_and_changes_nothing():
    params = network()
    noble.replace(params, "PV", surrogate="pvalb")
    before = deepcopy(dict(params.cellParams))
    with pytest.raises(InputError, match="'PV' have been swapped before, .*by surrogate 'pvalb'"):
        noble.replace(params, "PV", surrogate="pvalb")
    assert dict(params.cellParams) == before


def test_a_copy_taken_before_is_as_it_was():
    params = network()
    kept = specs.NetParams(deepcopy(params.todict()))
    native = run(network())
    swapped = run(swap(params))
    assert swapped != native
    assert run(kept) == native


def swap(params):
    noble.replace(params, "PV", surrogate="pvalb", seed=3)
    return params


def test_a_population_defined_afterwards_is_refused_if_no_rule_is_left_for_it(capfd):
    params = swap(network())
    params.popParams["drive"] = {"cellModel": "NetStim", "numCells": 1, "rate": 10}
    params.popParams["late"] = {"cellType": "basket", "cellModel": "HH", "numCells": 1}
    with pytest.raises(RuntimeError):
        sim.create(params, config())
    assert "Population 'late' was defined after 'PV'" in capfd.readouterr().err
    params.cellParams["own"] = {"conds": {"pop": "late"}, "secs": {"soma": soma()}}
    sim.create(params, config())
    assert [len(cell.secs) for cell in sim.net.cells if cell.tags["pop"] == "late"] == [1]


def test_tags_of_a_cells_list_are_its_latents():
    space = load_stream("pvalb").card.latent_space
    given = [dict(zip(LATENTS, map(float, row), strict=True)) for row in space.points[[3, 8]]]
    params = network()
    params.popParams["PV"] = {"cellType": "basket", "cellsList": given}
    noble.replace(params, "PV", surrogate="pvalb", latent="tags")
    made(params, False)
    found = np.array([noble.cell_of(cell).latent for cell in sim.net.cells[:2]])
    assert (found == space.points[[3, 8]]).all()


def test_cells_that_no_rule_with_a_soma_makes_are_refused(capfd):
    params = network(cells=6)
    params.cellParams["basket"]["conds"] = {"cellType": "basket", "xnorm": [0.0, 0.5]}
    params.cellParams["rest"] = {
        "conds": {"cellType": "basket", "xnorm": [0.5, 1.0]},
        "secs": {"left": {"geom": {"L": 10, "diam": 5}}, "right": {"geom": {"L": 10, "diam": 5}}},
    }
    params.stimTargetParams.clear()
    params.connParams.clear()
    made(swap(params), False)
    sim.setupRecording()
    with pytest.raises(RuntimeError) as caught:
        sim.runSim()
    said = str(caught.value) + capfd.readouterr().err
    assert "of population 'PV' is no surrogate: no rule with a soma applies to it" in said


def test_the_initial_voltage_of_the_soma_is_kept():
    params = network(others=0)
    params.stimTargetParams.clear()
    params.cellParams["basket"]["secs"]["soma"]["vinit"] = -66
    swap(params)
    sim.create(params, config())
    sim.preRun()
    h.finitialize(-74)
    assert {noble.cell_of(cell).soma(0.5).v for cell in sim.net.cells} == {-66}
