"""Whatever happens inside a session, the caller's NEURON comes back as it was."""

import pytest
from neuron import h

from noble_neuron.errors import InputError, SimulationError
from noble_neuron.nrn import mechanisms
from noble_neuron.nrn.session import session

h.load_file("stdrun.hoc")
GLOBALS = ("celsius", "dt", "steps_per_ms", "secondorder", "v_init")


def world() -> dict[str, float]:
    cvode = h.CVode()
    return {name: getattr(h, name) for name in GLOBALS} | {
        "active": cvode.active(),
        "atol": cvode.atol(),
        "local": cvode.use_local_dt(),
        "threads": h.ParallelContext().nthread(),
    }


@pytest.fixture
def odd_world():
    """Globals that no session would choose, put back after the test."""
    before = world()
    h.celsius, h.dt, h.steps_per_ms, h.secondorder, h.v_init = 12.5, 0.1, 10, 2, -61
    h.CVode().atol(1e-2)
    h.CVode().active(1)
    h.ParallelContext().nthread(2)
    yield world()
    h.ParallelContext().nthread(before["threads"])
    h.CVode().active(before["active"])
    h.CVode().atol(before["atol"])
    for name in GLOBALS:
        setattr(h, name, before[name])


def test_sets_and_restores(odd_world):
    with session(34, dt=0.02, v_init=-80):
        inside = world()
    assert inside == {
        "celsius": 34,
        "dt": 0.02,
        "steps_per_ms": 50,
        "secondorder": 0,
        "v_init": -80,
        "active": 0,
        "atol": 1e-2,
        "local": 0,
        "threads": 1,
    }
    assert world() == odd_world


def test_restores_after_an_error(odd_world):
    with pytest.raises(ZeroDivisionError), session(34, dt=0.02):
        raise ZeroDivisionError
    assert world() == odd_world


def test_restores_the_local_step():
    cvode = h.CVode()
    cvode.use_local_dt(1)
    try:
        before = world()
        with session(34):
            assert world()["active"] == 0
        assert world() == before
        with session(34, cvode_atol=1e-3):
            assert world()["local"] == 0 and world()["active"] == 1
        assert world() == before
    finally:
        cvode.use_local_dt(0)
        cvode.active(0)


def test_variable_step(odd_world):
    section = h.Section(name="passive")
    section.insert("pas")
    with session(34, dt=0.02, cvode_atol=1e-5):
        assert world()["active"] == 1 and world()["atol"] == 1e-5
        h.finitialize(-65)
        h.continuerun(20)
        assert h.dt != 0.02
    assert world() == odd_world


def test_keeps_stdruns_step():
    """Its run() derives dt from steps_per_ms; ours must survive that."""
    section = h.Section(name="passive")
    section.insert("pas")
    with session(34, dt=0.02):
        h.tstop = 1
        h.run()
        assert h.dt == pytest.approx(0.02, rel=1e-12)


def test_nested_session_of_the_same_temperature():
    with session(34, dt=0.02):
        with session(34, dt=0.005):
            assert h.dt == 0.005
        assert h.dt == 0.02


def test_nested_session_of_another_temperature():
    with session(34, dt=0.02):
        with pytest.raises(SimulationError, match="Another NEURON temperature than the cell's"):
            with session(37):
                pass
        assert h.celsius == 34
    with session(37):
        assert h.celsius == 37


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("dt", 0.1, "0.02 ms and is now 0.1 ms"),
        ("celsius", 21, "34 degC and is now 21 degC"),
    ],
)
def test_notices_a_changed_global(name, value, said):
    before = world()
    with pytest.raises(SimulationError, match=f"h.{name} was changed.*{said}"):
        with session(34, dt=0.02):
            setattr(h, name, value)
    assert world() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"celsius": float("nan")},
        {"celsius": 34, "dt": 0.0},
        {"celsius": 34, "dt": float("inf")},
        {"celsius": 34, "v_init": float("nan")},
        {"celsius": 34, "cvode_atol": -1e-3},
    ],
)
def test_refuses_unusable_values(wrong):
    before = world()
    with pytest.raises(InputError, match=f"as {list(wrong)[-1]}"), session(**wrong):
        pass
    assert world() == before


def test_fixed_step_channel_refuses_cvode():
    mechanisms.load()
    section = h.Section(name="channel")
    section.insert("nn_NaV")
    before = world()
    with pytest.raises(SimulationError, match="run inside `generic_solvers"):
        with session(34, cvode_atol=1e-3):
            pass
    assert world() == before


def test_generic_channel_runs_under_cvode():
    """A depolarised membrane fires once, at the same time with either step."""
    mechanisms.load()
    section = h.Section(name="membrane")
    section.L = section.diam = 20
    section.insert("pas")
    section.insert("nn_NaV_sparse")
    section.gbar_nn_NaV_sparse, section.ena, section.e_pas = 0.3, 53, -70
    clamp = h.IClamp(section(0.5))
    clamp.delay, clamp.dur, clamp.amp = 1, 20, 0.3  # ms, ms, nA
    spikes = {}
    for atol in (None, 1e-6):
        times = h.Vector()
        detector = h.NetCon(section(0.5)._ref_v, None, sec=section)
        detector.threshold = -20
        detector.record(times)
        with session(34, dt=0.0025, cvode_atol=atol):
            h.finitialize(-70)
            h.continuerun(10)
        spikes[atol] = list(times)
    assert len(spikes[None]) == len(spikes[1e-6]) == 1
    assert spikes[None][0] == pytest.approx(spikes[1e-6][0], abs=0.02)
