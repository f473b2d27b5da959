"""Dendrites on fewer segments: what the soma feels stays within the stated error."""

import math
from dataclasses import replace

import numpy as np
import pytest
from neuron import h

from noble_neuron.errors import SomaWarning
from noble_neuron.nrn import mechanisms, passive
from noble_neuron.nrn.cable import Branch, Modes, assembled
from noble_neuron.nrn.frozen import Ih
from noble_neuron.nrn.geometry import Geometry
from noble_neuron.nrn.load import port
from noble_neuron.nrn.reduced import Tree, grid_for
from noble_neuron.nrn.twin import Twin

DT = 0.025  # ms


@pytest.fixture(autouse=True)
def cleared():
    """What an error's traceback still holds is no section of the next test's."""
    yield
    for section in list(h.allsec()):
        h.delete_section(sec=section)


def stick(nseg=41, length=300.0, **changes):
    """A sealed cylinder of 1 um on a soma's middle, by default a little over half as long as its
    length constant."""
    plain = Branch(
        -1, 0.5, Geometry((length, (1.0,))), 150.0, (1.0,) * nseg, (1e-4,) * nseg, (-70.0,) * nseg
    )
    return replace(plain, **changes)


def segments(grid):
    return sum(nseg for nseg, _ in grid.cuts)


class Neuron:
    """A soma with three branches: a long one that forks, a short one, and one that is bare."""

    def __init__(self, channels=("pas",), end=0.5):
        self.soma = h.Section(name="soma", cell=self)
        self.soma.L = self.soma.diam = 15
        self.soma.insert("hh")
        self.dend = [h.Section(name=f"dend_{k}", cell=self) for k in range(5)]
        for k, parent, at in (
            (0, None, end),
            (1, 0, 1),
            (2, 0, 1),
            (3, None, end),
            (4, None, 0.5),
        ):
            self.dend[k].connect((self.soma if parent is None else self.dend[parent])(at))
        for k, section in enumerate(self.dend):
            section.L, section.diam, section.Ra, section.nseg = 120 + 40 * k, 2 - 0.3 * k, 150, 11
            for channel in channels:
                section.insert(channel)
            for segment in section:
                segment.pas.g, segment.pas.e = 1e-4 * (1 + segment.x), -68
        self.held = []

    def synapse(self, k, x, start, weight=1e-3, e=0.0):
        point = h.Exp2Syn(self.dend[k](x))
        point.tau1, point.tau2, point.e = 0.3, 2, e
        source = h.NetStim()
        source.start, source.number = start, 1
        netcon = h.NetCon(source, point)
        netcon.weight[0], netcon.delay = weight, 1
        self.held += [point, source, netcon]
        return point

    def run(self, until=60.0):
        trace = h.Vector().record(self.soma(0.5)._ref_v)
        h.dt = DT
        h.finitialize(-65)
        while h.t < until - DT / 2:
            h.fadvance()
        return np.array(trace)


def test_a_sealed_cylinder_is_the_textbooks():
    cable = assembled([stick(201)], [(201, 1.0)], {})
    constant = math.sqrt(1e-4 / 4 / 150 / 1e-4) * 1e4  # um
    infinite = 1e-4 * math.pi * constant * 1e-8 * 1e6  # uS, of 1 um
    expected = infinite * math.tanh(300 / constant)
    assert Modes(cable).direct > expected
    drawn = cable.direct - cable.b @ np.linalg.solve(cable.K, cable.b)
    assert drawn == pytest.approx(expected, rel=1e-3)


def test_few_modes_draw_what_the_branches_draw():
    rng = np.random.default_rng(0)
    cable = assembled([stick(), stick(31, 150.0, at=1.0)], [(41, 1.0), (31, 1.0)], {1.0: 3.0})
    few, v = port(cable, DT), np.full(72, -60.0)
    states = few.basis @ v
    exact = np.linalg.inv(np.diag(cable.c / DT) + cable.K)
    for soma in rng.uniform(-90, 40, 300):
        v = exact @ (cable.c / DT * v + cable.b * soma + cable.drive)
        states = few.table[:, 0] * (states + DT * (few.table[:, 1] * soma + few.table[:, 2]))
        drawn = few.direct * soma - few.table[:, 1] @ states
        assert drawn == pytest.approx(cable.direct * soma - cable.b @ v, abs=1e-5)
    assert few.residue < 1e-6 and len(few.table) < 25


def test_a_place_needs_segments_where_it_lies_and_nobody_else():
    branches = (stick(21), stick(21, parent=0, at=1.0), stick(21, parent=0, at=1.0))
    tree = Tree(branches, (), ())
    coarse, fine = (grid_for(tree, ((1, 0.5 / 21),), frozenset(), t) for t in (0.1, 0.01))
    assert segments(coarse) < segments(fine) < 63
    assert coarse.error < 0.1 and fine.error < 0.01
    assert grid_for(tree, (), frozenset(), 0.01).cuts == ((1, 1.0),) * 3
    assert grid_for(tree, (), frozenset([2]), 0.01).cuts[2] == (21, 1.0)
    assert grid_for(tree, ((1, 0.5 / 21),), frozenset(), 1e-9).error <= 1e-9


@pytest.mark.parametrize("end", [0.5, 1])
@pytest.mark.parametrize("tolerance", [0.05, 0.01])
def test_the_stated_error_holds_in_a_simulation(tolerance, end):
    """The full tree with the synapses; and one without, beside a reduced one that has them."""
    starts = (100, 160, 220, 280)
    responses = {}
    for kind in ("bare", "full", "reduced"):
        cell = Neuron(end=end)
        twin = Twin(cell.soma, 0.0 if kind != "reduced" else tolerance)
        for (k, x, e), start in zip(
            ((0, 0.3, 0), (1, 0.9, 0), (2, 0.2, -90), (3, 0.6, 0)), starts, strict=True
        ):
            cell.synapse(k, x, start if kind != "bare" else 1e9, e=e)
        responses[kind] = cell.run(340)
    full, own = (responses[kind] - responses["bare"] for kind in ("full", "reduced"))
    for start in starts:
        part = slice(round(start / DT), round((start + 50) / DT))
        peak, reduced = (np.abs(each[part]).max() for each in (full, own))
        assert peak > 0.05
        assert reduced == pytest.approx(peak, rel=tolerance)
        late = np.abs(full[part]).argmax() - np.abs(own[part]).argmax()
        assert abs(late) * DT <= 0.3
    assert 0 < twin.error <= tolerance
    assert sum(section.nseg for section in cell.dend) < 45


def test_names_and_places_stay():
    cell = Neuron()
    places = [(0, 0.1), (1, 0.95), (1, 0.4), (3, 0.7)]
    points = [cell.synapse(k, x, 5) for k, x in places]
    before = [(str(section), section.L, section.diam) for section in cell.dend]
    twin = Twin(cell.soma, 0.05)
    cell.run(10)
    for _ in range(2):
        for point, (k, x) in zip(points, places, strict=True):
            segment = point.get_segment()
            assert segment.sec == cell.dend[k]
            assert abs(segment.x - x) <= 0.5 / segment.sec.nseg + 0.5 / 11
        assert [(str(section), section.L, section.diam) for section in cell.dend] == before
        grid = [section.nseg for section in cell.dend]
        assert grid[4] == 1 and max(grid) < 11
        cell.run(10)  # nothing changes any more
    assert not twin.copies


def test_a_branch_without_activity_is_no_load():
    alone = Neuron()
    alone.dend.clear()
    runs = []
    for cell in (alone, Neuron(end=1)):
        pulse = h.IClamp(cell.soma(0.5))
        pulse.delay, pulse.dur, pulse.amp = 5, 20, 0.4
        twin = Twin(cell.soma, 0.05)
        for k in range(len(cell.dend)):
            cell.synapse(k, 0.5, 1e9)
        runs.append(cell.run(40))
    assert runs[0].max() > 0
    np.testing.assert_allclose(*runs, atol=1e-4)
    del twin


def test_a_load_begins_from_the_voltages_of_its_branches():
    """Voltages that somebody sets at initialisation; the full twin is the reference."""
    runs = []
    for tolerance in (0.0, 1e-9):
        cell = Neuron()
        twin = Twin(cell.soma, tolerance)
        cell.synapse(1, 0.5, 10, weight=5e-3)

        def lower(section=cell.dend[1]):
            for segment in section:
                segment.v = -65 - 20 * segment.x

        late = h.FInitializeHandler(0, lower)
        runs.append(cell.run(30))
        del late, twin
    np.testing.assert_allclose(*runs, atol=0.02)


def test_active_branches_stay_as_they_are():
    cell = Neuron(channels=("pas", "hh"))
    cell.synapse(0, 0.3, 5)
    twin = Twin(cell.soma, 0.05)
    cell.run(10)
    assert set(twin.copies) == {cell.dend[k] for k in (0, 1, 2)}
    assert all(section.nseg == 11 for section in cell.dend)
    assert all(section.has_membrane("hh") for section in cell.dend[:3])


def test_channels_that_nobody_needs_are_taken_out():
    """Of the bare active branches, one is kept and at another's tip a NetCon listens."""
    cell = Neuron(channels=("pas", "hh"))
    listener = h.NetCon(cell.dend[2](0.95)._ref_v, None, sec=cell.dend[2])
    twin = Twin(cell.soma, 0.05, keep=[cell.dend[3]])
    cell.run(10)
    active = [section.has_membrane("hh") for section in cell.dend]
    assert active == [True, True, True, True, False]
    assert cell.dend[4].nseg == 11 and cell.dend[4].has_membrane("pas")
    assert listener.preseg() == cell.dend[2](0.95)
    passive_cell = Neuron()
    heard = h.NetCon(passive_cell.dend[2](0.95)._ref_v, None, sec=passive_cell.dend[2])
    other = Twin(passive_cell.soma, 0.05)
    passive_cell.run(10)
    assert [section.nseg for section in passive_cell.dend] == [1, 1, 11, 1, 1]
    assert heard.preseg().sec == passive_cell.dend[2]
    del twin, other


def test_what_is_looked_at_keeps_its_segments():
    cell = Neuron()
    cell.synapse(0, 0.3, 5)
    tip = cell.dend[2]
    trace = h.Vector().record(tip(0.1)._ref_v)
    twin = Twin(cell.soma, 0.05, keep=[tip])
    assert len(cell.run(10)) == len(trace) == 401
    assert tip.nseg == 11 and cell.dend[1].nseg == 1
    del twin


def test_who_comes_late_is_told():
    cell = Neuron()
    cell.synapse(0, 0.3, 5)
    twin = Twin(cell.soma, 0.05)
    cell.run(10)
    cell.synapse(1, 0.9, 5)
    with pytest.warns(SomaWarning, match=r"dend_1: Exp2Syn.* 1 passive segments"):
        cell.run(10)
    assert cell.dend[1].nseg == 1
    del twin


def test_a_frozen_conductance_is_the_mechanisms_own():
    mechanisms.load()
    section = h.Section(name="dend")
    section.insert("nn_Ih")
    section.cm = 0.8
    gate = Ih.share
    for v in (-154.9, -80.0, -50.0):
        h.finitialize(v)
        assert section(0.5).nn_Ih.m == pytest.approx(gate(v), rel=1e-9)
    _, ((branch,),) = passive.read([section_on_a_soma(section)], [-80.0], {})
    passive.put(section, branch, (1, 1.0))
    assert not section.has_membrane("nn_Ih")
    assert section(0.5).pas.g == pytest.approx(1e-5 * gate(-80.0))
    assert section(0.5).pas.e == pytest.approx(-45)


def section_on_a_soma(section, keep=[]):  # noqa: B006 (the soma has to live)
    keep.append(h.Section(name="soma"))
    section.connect(keep[-1](0.5))
    return section


@pytest.mark.parametrize("threads", [1, 2])
def test_a_time_step_that_changes_is_refused(threads):
    cell = Neuron()
    cell.synapse(0, 0.3, 5)
    twin = Twin(cell.soma, 0.05)
    context = h.ParallelContext()
    try:
        context.nthread(threads)
        cell.run(1)
        h.dt = DT / 2
        with pytest.raises(RuntimeError):
            h.fadvance()
            h.fadvance()
    finally:
        context.nthread(1)
        h.dt = DT
    del twin
