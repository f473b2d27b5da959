"""A trained membrane inside NEURON: its own arithmetic, solved with whatever is attached."""

import warnings

import numpy as np
import pytest
from neuron import h

from noble_neuron.errors import OutsideTraining
from noble_neuron.nrn import mechanisms
from noble_neuron.runtime import NobleCell

from . import rings
from .membranes import Toy

mechanisms.load()
TOY = Toy()
POINTS = np.array([[0.5, 1.0], [2.0, -1.0], [1.0, 0.3]])


@pytest.fixture(autouse=True)
def warm(plain_neuron):
    h.celsius = 34


def at(dt):
    h.dt, h.steps_per_ms = dt, 1 / dt


def stepped(cell, amplitude=0.3):
    clamp = h.IClamp(cell.soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 10, 30, amplitude
    return clamp


def course(cell, v_init=-75.0, until=60.0):
    """Voltage after each step [mV]."""
    trace = h.Vector().record(cell.soma(0.5)._ref_v)
    h.finitialize(v_init)
    rings.psolve(until)
    return np.array(trace)[1:]


@pytest.mark.parametrize("dt", [0.025, 0.05, 0.1])
def test_neuron_solves_what_the_operator_answers(dt):
    at(dt)
    cell = NobleCell(TOY, POINTS[1])
    clamp = stepped(cell)
    v = course(cell)
    t = (np.arange(len(v)) + 0.5) * dt
    b = clamp.amp * ((t > 10) & (t < 40))[None]
    own = TOY.run(b, np.zeros_like(b), POINTS[[1]], np.array([-75.0]), dt)[0]
    np.testing.assert_allclose(v, own, atol=5e-3)
    assert np.ptp(v) > 10


def test_a_conductance_counts_as_one():
    """The voltage under a tonic conductance, against the operator's own answer to b and G."""
    cell = NobleCell(TOY, POINTS[2])
    conductance = h.nn_Conductance(cell.soma(0.5))
    conductance.b, conductance.g = -0.3, 0.005  # nA and uS
    v = course(cell)
    steps = len(v)
    own = TOY.run(
        np.full((1, steps), -0.3),
        np.full((1, steps), 0.005),
        POINTS[[2]],
        np.array([-75.0]),
        0.025,
    )[0]
    early = slice(0, 600)  # later a toy's rounding grows, as a chaotic cell's does
    np.testing.assert_allclose(v[early], own[early], atol=1e-3)
    assert np.ptp(own[early]) > 10


def test_the_hosts_size_and_capacitance_do_not_count():
    plain = NobleCell(TOY, POINTS[0])
    _one = stepped(plain)
    expected = course(plain)
    other = NobleCell(TOY, POINTS[0])
    other.soma.L, other.soma.diam, other.soma.cm = 55, 7, 3.0
    _two = stepped(other)
    np.testing.assert_allclose(course(other), expected, atol=1e-9)


def test_cells_do_not_depend_on_their_company():
    alone = NobleCell(TOY, POINTS[1])
    _one = stepped(alone)
    expected = course(alone)
    others = [NobleCell(TOY, POINTS[k % 3]) for k in range(20)]
    clamps = [stepped(cell, 0.02 * k) for k, cell in enumerate(others)]
    assert len(clamps) == 20
    np.testing.assert_array_equal(course(alone), expected)
    h.ParallelContext().nthread(3)
    np.testing.assert_array_equal(course(alone), expected)


def test_cells_of_two_operators_in_turn_answer_as_alone():
    other = Toy(memory=20, seed=6)
    kinds = [(TOY, POINTS[0]), (other, POINTS[1]), (TOY, POINTS[2]), (other, POINTS[0])] * 3
    expected = []
    for kind, point in kinds[:4]:
        cell = NobleCell(kind, point)
        _clamp = stepped(cell)
        expected.append(course(cell))
    cells = [NobleCell(kind, point) for kind, point in kinds]
    clamps = [stepped(cell) for cell in cells]
    traces = [h.Vector().record(cell.soma(0.5)._ref_v) for cell in cells]
    course(cells[0])
    for k, trace in enumerate(traces):
        np.testing.assert_array_equal(np.array(trace)[1:], expected[k % 4])
    assert len(clamps) == 12 and np.ptp(expected, axis=0).max() > 1


def test_a_run_that_broke_off_within_a_step_leaves_nothing_waiting(capfd):
    cells = [NobleCell(TOY, POINTS[k % 3], strict=k == 5) for k in range(7)]
    clamps = [stepped(cell) for cell in cells]
    expected = course(cells[6])
    clamps[5].amp, clamps[5].delay = 2.5, 0.0
    with pytest.raises(RuntimeError) as error:  # in the first grid step, by the sixth of seven
        course(cells[6])
    assert "A strict NobleCell" in rings.said(error, capfd)
    clamps[5].amp, clamps[5].delay = 0.3, 10.0
    np.testing.assert_array_equal(course(cells[6]), expected)


def test_a_shift_moves_all_voltages_alike():
    own, low = NobleCell(TOY, POINTS[1]), NobleCell(TOY, POINTS[1], shift=-14.0)
    held = [stepped(own), stepped(low)]
    expected = course(own)
    np.testing.assert_allclose(course(low, -89.0), expected - 14.0, atol=2e-3)
    assert held and np.ptp(expected) > 10


def test_savestate_needs_nothing_of_ours():
    cell = NobleCell(TOY, POINTS[1])
    _clamp = stepped(cell)
    whole = course(cell)
    trace = h.Vector().record(cell.soma(0.5)._ref_v)
    h.finitialize(-75)
    rings.psolve(25.0)
    saved = h.SaveState()
    saved.save()
    rings.psolve(33.0)
    h.finitialize(-60)
    saved.restore()
    h.frecord_init()
    rings.psolve(60.0)
    rest = np.array(trace)
    np.testing.assert_array_equal(rest[1:], whole[1000:])


def test_what_lies_beyond_the_training_is_counted_and_said():
    cell = NobleCell(TOY, POINTS[1], gid=4)
    _clamp = stepped(cell, 2.5)
    with pytest.warns(OutsideTraining, match=r"NobleCell\[4\]: current of 2.5 nA at 10.") as said:
        course(cell)
    assert len(said) == 1
    met = cell.outside["current"]
    assert met.count == 300 and met.value == pytest.approx(2.5, rel=1e-3)
    assert 10.0 < met.time <= 10.1 and set(cell.outside) == {"current"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _clamp.amp = 0.3
        course(cell)
    assert cell.outside == {}


def test_a_conductance_beyond_the_training_is_metered():
    cell = NobleCell(TOY, POINTS[1])
    conductance = h.nn_Conductance(cell.soma(0.5))
    conductance.b, conductance.g = -75 * 0.15, 0.15
    with pytest.warns(OutsideTraining, match="conductance of 0.15 uS"):
        course(cell)
    assert cell.outside["conductance"].value == pytest.approx(0.15, rel=1e-6)


def test_a_strict_cell_refuses(capfd):
    cell = NobleCell(TOY, POINTS[1], strict=True)
    _clamp = stepped(cell, 2.5)
    with pytest.raises(RuntimeError) as error:
        course(cell)
    assert "current of 2.5 nA at 10." in rings.said(error, capfd)


@pytest.mark.parametrize("what", ["step", "order", "new"])
def test_what_changes_under_it_is_refused(what, capfd):
    cell = NobleCell(TOY, POINTS[1])
    h.finitialize(-75)
    rings.psolve(1)
    if what == "step":
        h.dt = 0.05
    elif what == "order":
        h.secondorder = 2
    else:
        late = NobleCell(TOY, POINTS[0])
    with pytest.raises(RuntimeError) as error:
        h.fadvance()
    words = {"step": "h.dt has changed", "order": "secondorder", "new": "is new since"}[what]
    assert words in rings.said(error, capfd)
    assert cell.soma and (what != "new" or late.soma)


def test_a_membrane_too_large_for_the_mechanism_is_refused():
    cell = NobleCell(Toy(memory=136), POINTS[1])
    with pytest.raises(RuntimeError):
        h.finitialize(-75)
    assert cell.soma
