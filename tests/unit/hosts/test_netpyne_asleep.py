"""Branches that carry nothing: no section of NEURON's until somebody asks for it."""

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")
pytest.importorskip("netpyne")

from netpyne import sim
from neuron import h

import noble_neuron.hosts.netpyne_rules as noble

from .nets import config, network, run, spikes

pytestmark = pytest.mark.usefixtures("as_found")
TRACE = {"V_dend": {"sec": "dend_0", "loc": 0.5, "var": "v"}}


def at_the_soma(shaped=True):
    """All input at the somata; the dendrites carry nothing."""
    params = network()
    params.stimTargetParams["in->"]["sec"] = "soma"
    rule = params.cellParams["basket"]["secs"]
    rule["tip"] = {
        "geom": {"L": 50, "diam": 1, "pt3d": [(0, 160, 0, 1), (0, 210, 0, 1)]},
        "topol": {"parentSec": "dend_1", "parentX": 1, "childX": 0},
        "mechs": {"pas": {"g": 1e-4, "e": -74}},
    }
    for name in ("dend_0", "dend_1") if shaped else ():
        rule[name]["geom"]["pt3d"] = [(0, 10, 0, 2), (0, 90, 0, 2), (0, 160, 0, 2)]
    noble.replace(params, "PV", surrogate="pvalb", seed=3)
    return params


def dendrites(cell):
    """Those of a cell that NEURON has."""
    return {s.name().rpartition(".")[2] for s in h.allsec() if s.cell() is cell} - {"soma"}


def test_a_branch_that_carries_nothing_is_no_section_until_asked_for():
    expected = run(at_the_soma(), recordTraces=TRACE, recordCells=["all"])
    cells = [cell for cell in sim.net.cells if cell.tags["pop"] == "PV"]
    assert sum(map(len, expected.values())) > 20
    assert all(dendrites(cell) == {"dend_0"} for cell in cells)  # which is recorded
    assert len(sim.simData["V_dend"]["cell_0"]) == 60 / 0.1 + 1
    assert run(at_the_soma()) == expected
    cells = [cell for cell in sim.net.cells if cell.tags["pop"] == "PV"]
    assert not any(dendrites(cell) for cell in cells)
    entry = cells[0].secs["dend_1"]
    assert "hObj" not in dict(entry) and "hObj" in entry and entry["geom"]["L"] == 150
    section = entry["hObj"]
    assert section.name().endswith("dend_1") and section.cell() is cells[0]
    assert (section.L, section.Ra) == pytest.approx((150, 120))
    assert section(0.5).pas.g == pytest.approx(1e-4, rel=0.01)  # of fewer segments
    assert section(0.5).diam == pytest.approx(2) and entry.hObj is section
    recorded = h.Vector().record(section(0.5)._ref_v)
    sim.simulate()
    assert spikes() == expected
    assert section.parentseg().sec == cells[0].secs["soma"]["hObj"]
    assert dendrites(cells[0]) == {"dend_1"} and not dendrites(cells[1])
    assert np.ptp(np.array(recorded)) > 1


def test_a_voltage_to_begin_with_wakes_nobody(tmp_path):
    """As NeuroML and imported cells have one; before each run NetPyNE sets it."""

    def params():
        made = at_the_soma()
        for rule in made.cellParams.values():
            for section in rule["secs"].values():
                section["vinit"] = -74
        return made

    expected = run(at_the_soma())
    assert run(params(), filename=str(tmp_path / "net"), saveJson=True) == expected
    assert not dendrites(sim.net.cells[0])
    assert sim.net.cells[0].secs["tip"]["vinit"] == -74
    tip = sim.net.cells[0].secs["tip"]["hObj"]
    sim.simulate()
    assert spikes() == expected and "vinit" in sim.net.cells[0].secs["tip"]
    assert tip.parentseg().sec == sim.net.cells[0].secs["dend_1"]["hObj"]
    assert '"vinit": -74' in (tmp_path / "net_data.json").read_text()


def test_who_holds_a_section_keeps_its_branch():
    sim.create(at_the_soma(), config())
    held = sim.net.cells[0].secs["dend_1"].hObj
    recorded = h.Vector().record(held(0.5)._ref_v)
    sim.simulate()
    assert dendrites(sim.net.cells[0]) == {"dend_1", "tip"}
    assert not dendrites(sim.net.cells[1])
    assert held.children() == [sim.net.cells[0].secs["tip"]["hObj"]]
    assert np.ptp(np.array(recorded)) > 1


def test_without_points_in_space_a_section_stays():
    sim.create(at_the_soma(shaped=False), config())
    h.celsius, h.dt = 34, 0.025
    h.finitialize(-74)
    assert dendrites(sim.net.cells[0]) == {"dend_0", "dend_1", "tip"}


@pytest.mark.filterwarnings("ignore")  # of NetPyNE's own style files
def test_plots_and_files_know_all_sections(tmp_path):
    expected = run(at_the_soma())
    names = set(sim.net.cells[0].secs)
    file = tmp_path / "net"
    sim.cfg.filename, sim.cfg.saveJson = str(file), True
    sim.saveData()
    assert not dendrites(sim.net.cells[0])
    sim.analysis.plotShape(includePost=[0], showFig=False, saveFig=str(tmp_path / "shape.png"))
    assert dendrites(sim.net.cells[0]) == names - {"soma"}
    sim.simulate()
    assert spikes() == expected
    sim.clearAll()
    sim.fih = []  # what it has left would look for its cells
    sim.load(str(file) + "_data.json", simConfig=config())
    assert set(sim.net.cells[0].secs) == names
    sim.simulate()
    again = spikes()
    assert all(again.get(gid) == expected.get(gid) for gid in range(4))


def test_asked_for_within_a_run_it_is_there_and_takes_no_part():
    expected, asked = run(at_the_soma()), []

    def ask(t):
        asked.append(sim.net.cells[0].secs["dend_1"]["hObj"].parentseg())

    sim.create(at_the_soma(), config())
    sim.runSimWithIntervalFunc(20, ask)
    sim.gatherData()
    assert spikes() == expected and set(asked) == {None}


def test_asked_for_while_another_branch_is_cut_off_the_run_says_so(capfd):
    """NEURON then computes the couplings anew, in which that cut is."""
    sim.create(at_the_soma(), config(recordTraces=TRACE, recordCells=["all"]))
    with pytest.raises(RuntimeError):
        sim.runSimWithIntervalFunc(20, lambda t: sim.net.cells[0].secs["tip"]["hObj"])
    assert "has changed in a run" in capfd.readouterr().err
