"""A tree and its bare twin: the soma feels what the synapses add, and no load."""

import numpy as np
import pytest
from neuron import h

from noble_neuron.nrn import mechanisms
from noble_neuron.nrn.twin import Twin

ENDS, MIDDLE = (1, 0, 0.5), (0.5, 0.5, 0.5)


class Cell:
    """A squid's soma with three branches, on both its ends and on its middle."""

    def __init__(self, channels="pas", places=ENDS):
        self.places = places
        self.soma = h.Section(name="soma", cell=self)
        self.soma.L, self.soma.diam, self.soma.Ra = 20, 14, 140
        self.soma.insert("hh")
        self.trees = []
        self.grow(channels)

    def grow(self, channels):
        """Another tree of the same kind; returns its sections."""
        tree = []
        for k, (place, width) in enumerate(zip(self.places, (3.0, 2.0, 1.5), strict=True)):
            stem, tip = (h.Section(name=f"d{k}{n}", cell=self) for n in "ab")
            stem.connect(self.soma(place), 0)
            tip.connect(stem(1), 0)
            for section in (stem, tip):
                section.L, section.diam, section.nseg, section.Ra = 120, width, 3, 140
                section.insert(channels)
                section.cm = 0.9
            for segment in tip:
                segment.diam = width * (1.2 - 0.8 * segment.x)
                if channels == "pas":
                    segment.pas.g, segment.pas.e = 2e-4 * (1 + segment.x), -66
                else:
                    segment.hh.gnabar = 0.02 * segment.x
            tree += [stem, tip]
        self.trees.append(tree)
        return tree

    def attach(self, tree):
        """Synapses on a tree, and an electrode."""
        self.attached = []
        for k, (tip, time) in enumerate(((tree[1], 5), (tree[3], 12), (tree[5], 20))):
            synapse = h.AlphaSynapse(tip(0.9))
            synapse.onset, synapse.tau, synapse.gmax = time, 1.5, 0.02
            synapse.e = (0, 0, -80)[k]
            self.attached.append(synapse)
        self.attached.append(h.IClamp(tree[0](0.5)))
        self.attached[-1].delay, self.attached[-1].dur, self.attached[-1].amp = 25, 10, 0.6

    def run(self):
        v = h.Vector().record(self.soma(0.5)._ref_v)
        h.dt = 0.025
        h.finitialize(-65)
        while h.t < 45:
            h.fadvance()
        return np.array(v)


@pytest.mark.parametrize("channels", ["pas", "hh"])
def test_a_tree_less_a_bare_one_and_a_bare_one_are_the_tree(channels):
    mechanisms.load()
    # On the middle: trees on one end would share the soma's own resistance.
    plain = Cell(channels, MIDDLE)
    plain.attach(plain.trees[0])
    expected = plain.run()
    assert expected.max() > 0
    assert np.abs(expected - Cell(channels, MIDDLE).run()).max() > 10
    cell = Cell(channels, MIDDLE)
    cell.attach(cell.trees[0])
    turned = [h.nn_Bare(stem(0.5 / 3)) for stem in cell.grow(channels)[::2]]
    less = cell.run()
    twin = Twin(plain.soma)
    np.testing.assert_allclose(plain.run(), less, atol=1e-7)
    assert len(twin.copies) == 6
    cell.grow(channels)
    np.testing.assert_allclose(cell.run(), expected, atol=1e-7)
    np.testing.assert_allclose(cell.run(), expected, atol=1e-7)  # on every run
    del turned


@pytest.mark.parametrize("channels", ["pas", "hh"])
@pytest.mark.parametrize("threads", [1, 2])
def test_without_synapses_a_tree_is_no_load(channels, threads):
    alone = Cell()
    alone.trees.clear()
    pulse = h.IClamp(alone.soma(0.5))
    pulse.delay, pulse.dur, pulse.amp = 5, 20, 0.4
    expected = alone.run()
    assert expected.max() > 0
    cell = Cell(channels)
    pulse = h.IClamp(cell.soma(0.5))
    pulse.delay, pulse.dur, pulse.amp = 5, 20, 0.4
    twin = Twin(cell.soma)
    silent = [h.AlphaSynapse(tip(0.5)) for tip in cell.trees[0][1:4:2]]  # two branches of three
    context = h.ParallelContext()
    try:
        context.nthread(threads)
        np.testing.assert_allclose(cell.run(), expected, atol=1e-7)
        assert len(twin.copies) == 2 * len(silent)
    finally:
        context.nthread(1)


def test_a_twin_starts_from_the_voltages_of_its_tree():
    cell = Cell()
    tip = cell.trees[0][1]
    synapse = h.AlphaSynapse(tip(0.5))
    twin = Twin(cell.soma)

    def lower():
        tip.v = -80

    late = h.FInitializeHandler(0, lower)
    h.finitialize(-65)
    assert [segment.v for segment in twin.copies[tip]] == [-80.0] * 3
    del late, synapse


def test_a_change_of_geometry_in_a_run_is_refused():
    cell = Cell()
    cell.attach(cell.trees[0])
    twin = Twin(cell.soma)
    h.finitialize(-65)
    h.fadvance()
    cell.trees[0][0].diam = twin.copies[cell.trees[0][0]].diam = 2.0
    with pytest.raises(RuntimeError):
        h.fadvance()
    h.finitialize(-65)
    h.fadvance()


def test_what_changes_between_runs_counts():
    """A synapse on a branch that carried none, a longer tree, another conductance."""
    cell = Cell(places=MIDDLE)
    twin = Twin(cell.soma)
    cell.run()
    assert not twin.copies
    cell.attach(cell.trees[0])
    late = h.Section(name="late")
    late.connect(cell.trees[0][1](1), 0)
    late.insert("pas")
    cell.trees[0][2].insert("hh")
    for section in cell.trees[0]:
        for segment in section:
            segment.pas.g *= 3
    cell.run()
    assert late in twin.copies and len(twin.copies) == 7
    assert twin.copies[cell.trees[0][2]].has_membrane("hh")
    assert [s.pas.g for s in twin.copies[cell.trees[0][0]]] == [s.pas.g for s in cell.trees[0][0]]


def test_a_branch_that_carries_nothing_is_not_copied():
    cell = Cell()
    synapse = h.AlphaSynapse(cell.trees[0][1](0.5))
    twin = Twin(cell.soma)
    h.finitialize(-65)
    assert set(twin.copies) == set(cell.trees[0][:2])
    del synapse
    h.finitialize(-65)
    assert not twin.copies


def test_copies_live_as_long_as_their_twin():
    before = len(list(h.allsec()))
    cell = Cell()
    cell.attach(cell.trees[0])
    twin = Twin(cell.soma)
    h.finitialize(-65)
    assert len(list(h.allsec())) == before + 7 + 6 + 2
    del twin
    assert len(list(h.allsec())) == before + 7
    h.finitialize(-65)
