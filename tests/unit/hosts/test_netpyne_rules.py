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
    native = made(imported(network(), tmp_path, kind), False)
    params = imported(network(), tmp_path, kind)
    rule = deepcopy(params.cellParams["basket"].todict())
    assert made(params) == native
    somata = {name for name in native[0]["secs"] if "soma" in name}
    assert somata and len(native[0]["secs"]) > len(somata)
    assert (params.cellParams["basket"]["secLists"]) == rule["secLists"] != {}
    for cell in sim.net.cells[:4]:
        assert noble.cell_of(cell).soma.nseg == 1
    sim.simulate()
    assert len(sim.simData["spkt"])
