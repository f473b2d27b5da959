"""Areas and resistances as NEURON has them, without asking NEURON."""

import numpy as np
import pytest
from neuron import h

from noble_neuron.nrn import passive, reduced
from noble_neuron.nrn.geometry import geometry_of, pieces

SHAPES = {
    "tapers and bends": [(0, 0, 0, 3), (30, 10, 5, 2), (80, 10, 5, 1), (110, -20, 40, 0.4)],
    "jumps in width": [(0, 0, 0, 2), (40, 0, 0, 2), (40, 0, 0, 0.5), (90, 0, 0, 0.5)],
    "far from the origin": [(2000.1, 900.3, -51.7, 1.1), (2060.9, 901, -50, 1.3)],
    "a cylinder": None,
}


def made(points, at=(0, 0, 0)):
    section = h.Section(name="dend")
    for *place, diameter in points or []:
        section.pt3dadd(*(x + shift for x, shift in zip(place, at, strict=True)), diameter)
    if points is None:
        section.L, section.diam = 70, 1.3
    section.Ra = 120
    return section


@pytest.mark.parametrize("nseg", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("points", SHAPES.values(), ids=SHAPES)
def test_segments_are_neurons(points, nseg):
    section = made(points)
    section.nseg = nseg
    area, resistance = pieces(geometry_of(section), nseg)
    assert area == pytest.approx([segment.area() for segment in section], rel=1e-9)
    expected = [*(segment.ri() for segment in section), section(1).ri()]
    assert section.Ra * resistance == pytest.approx(expected, rel=1e-9)


def test_uneven_diameters_stay_those_of_their_segments():
    section = made(None)
    section.nseg = 3
    for segment, diameter in zip(section, (3, 2, 1), strict=True):
        segment.diam = diameter
    area, resistance = pieces(geometry_of(section), 3)
    assert area == pytest.approx([segment.area() for segment in section], rel=1e-9)
    expected = [*(segment.ri() for segment in section), section(1).ri()]
    assert section.Ra * resistance == pytest.approx(expected, rel=1e-9)


def test_what_was_moved_is_recognised_and_what_was_changed_is_not():
    points = SHAPES["tapers and bends"]
    said = geometry_of(made(points))
    moved = made(points, at=(1234.5, -876.1, 33.3))
    assert geometry_of(moved) != said and geometry_of(moved, said) is said
    h.pt3dchange(1, 2.2, sec=moved)  # its diameter
    assert geometry_of(moved, said) != said
    longer = made([*points[:-1], (130, -20, 40, 0.4)])
    assert geometry_of(longer, said) != said


def test_cells_of_one_shape_share_the_search(monkeypatch):
    asked, of = [], reduced.Answer.of
    monkeypatch.setattr(reduced.Answer, "of", lambda *given: asked.append(given) or of(*given))
    soma, found, shapes = h.Section(name="soma"), [], []
    soma.L = soma.diam = 20
    for k in range(3):
        stem = made(SHAPES["tapers and bends"], at=(500 * k, 3.3 * k, 0))
        stem.connect(soma(0.5))
        stem.nseg = 9
        stem.insert("pas")
        shapes.append(geometry_of(stem))
        _, tree = passive.tree_of(soma, [stem], {stem: shapes[0]})
        before = len(asked)
        found.append(reduced.grid_for(tree, ((0, 0.5),), frozenset(), 0.02))
        assert (len(asked) == before) == (k > 0)
        h.disconnect(sec=stem)
    assert len(set(shapes)) == 3 and len(set(found)) == 1
    assert isinstance(found[0].error, float) and np.isfinite(found[0].error)
