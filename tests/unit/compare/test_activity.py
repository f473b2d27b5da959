"""Distances between runs whose difference is known."""

from dataclasses import replace

import numpy as np
import pytest

from noble_neuron.compare import activity
from noble_neuron.compare.activity import NetworkRun, Psp

DURATION = 2000.0  # ms


def run(trains, voltage=None, **changed):
    """A run of a population P of these trains."""
    n = len(trains)
    made = NetworkRun(
        duration=DURATION,
        dt=0.025,
        times=np.concatenate(trains)[::-1],  # in no order
        gids=np.repeat(np.arange(n) + 5, [len(t) for t in trains])[::-1],
        pops={"P": tuple(range(5, 5 + n)), "source": (0, 1)},
        artificial=("source",),
        voltage=np.zeros((1, 20000)) - 70 if voltage is None else voltage,
        voltage_gids=np.array([5]),
        record_dt=0.1,
        seconds={},
        memory={},
        about={},
        events=(),
        event_voltage={},
        event_settings={},
    )
    return replace(made, **changed)


def poisson(rate, n, seed):
    rng = np.random.default_rng(seed)
    numbers = rng.poisson(rate * DURATION / 1e3, n)
    return [np.sort(rng.uniform(0, DURATION, number)) for number in numbers]


def test_trains_are_each_cells_own_in_order():
    trains = poisson(20, 4, 1)
    trains[2] = np.zeros(0)
    found = run(trains).trains("P")
    assert all(np.array_equal(a, b) for a, b in zip(found, trains, strict=True))
    assert run(trains).populations == ("P",)


def test_a_run_is_no_distance_from_itself():
    one = run(poisson(30, 6, 2))
    assert set(activity.distances(one, one, "P").values()) == {0.0}


def test_each_distance_sees_its_own_change():
    trains = poisson(30, 6, 3)
    one = run(trains)
    fewer = activity.distances(one, run([t[::2] for t in trains]), "P")
    assert fewer["rate"] == pytest.approx(50, abs=2)
    assert fewer["cell_rate"] == pytest.approx(15, abs=2)
    exchanged = activity.distances(one, run(trains[::-1]), "P")
    assert exchanged["rate"] == exchanged["cv"] == 0 < exchanged["cell_rate"]
    regular = [np.linspace(1, DURATION - 1, len(t)) for t in trains]
    assert activity.distances(one, run(regular), "P")["cv"] > 0.7
    alike = activity.distances(one, run([trains[0]] * 6), "P")
    assert alike["correlation"] > 0.9 and alike["spectrum"] > 3


def test_silence_has_no_distance():
    silent = run([np.zeros(0)] * 3)
    found = activity.distances(silent, run(poisson(30, 3, 4)), "P")
    assert np.isnan([found[k] for k in ("rate", "cv", "correlation", "spectrum")]).all()
    assert found["cell_rate"] > 20
    figures = activity.figures(silent, "P")
    assert figures["rate"] == 0 and np.isnan(figures["cv"])


def test_spikes_on_the_same_input():
    trains = poisson(20, 4, 5)
    truth = run(trains)
    late = run([t + 1.0 for t in trains], truth.voltage + 2)
    found = activity.replayed(truth, late, "P", -35.0)
    assert found["gamma"] > 0.95 and found["count"] == found["excess"] == 0
    assert found["below"] == pytest.approx(2)
    lost = activity.replayed(truth, run([trains[0][:0], *trains[1:]]), "P", -35.0)
    share = 100 * len(trains[0]) / sum(map(len, trains))
    assert lost["count"] == pytest.approx(share) and lost["excess"] == pytest.approx(-share)
    assert lost["gamma"] == pytest.approx(0.75)


def events(size, drift=0.0, rest=-70.0):
    """A run with one event at 50 ms: an alpha function of this size on a resting cell."""
    t = np.arange(0, 200, 0.1) - 50
    v = rest + size * np.where(t > 0, t / 4 * np.exp(1 - t / 4), 0) + drift * t
    place = {"source": "E", "synapse": "AMPA", "section": "dend", "distance": 80.0}
    return run(
        [np.zeros(0)],
        events=({"gid": 5, "at": 50.0, **place},),
        event_voltage={5: v},
        event_settings={"apart": 150.0, "baseline": 10.0},
    )


def test_psps_and_their_errors():
    versions = {"full": events(2.0), "swapped": events(1.8)}
    (psp,) = activity.psps(versions, {5: "P"}, {"P": -35.0})
    assert isinstance(psp, Psp) and psp.amplitude("full") == pytest.approx(2, abs=0.01)
    assert psp.peak("full") == pytest.approx(4, abs=0.1)
    errors = activity.psp_errors([psp], "full", "swapped")
    assert errors["amplitude"] == pytest.approx(10, abs=0.1) and errors["peak"] == 0


@pytest.mark.parametrize(
    "other", [events(2.0, drift=0.02), events(60.0)], ids=["no rest", "a spike"]
)
def test_what_is_no_psp_is_left_out(other):
    assert activity.psps({"full": events(2.0), "swapped": other}, {5: "P"}, {"P": -35.0}) == ()
    assert np.isnan(activity.psp_errors((), "full", "swapped")["amplitude"])
