"""Streaming training sets: every class, each cell by its own threshold, decided by the seed."""

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.protocols.protocol import Protocol
from noble_neuron.protocols.suites import STREAMING, class_of
from noble_neuron.simulate.study import Study
from noble_neuron.simulate.suite import STREAM_HIGH, STREAM_LOW, V_INIT, streaming_samples


def study(*thresholds):
    """Cells that only their thresholds [nA] tell apart; nothing is simulated."""
    names = [f"cell{k}" for k in range(len(thresholds))]
    return Study("some", tuple(names), tuple({"I_thr": x} for x in thresholds), ())


def largest(protocol: Protocol) -> float:
    """Largest injected current [nA]."""
    return float(np.abs(protocol.current(protocol.grid(0.5))).max())


def test_every_cell_gets_every_class_and_its_own_draw():
    samples = streaming_samples(study(0.2, 0.5), 200, seed=3)
    assert [s.cell for s in samples] == [0] * 200 + [1] * 200
    for cell in (0, 1):
        kinds = [class_of(s.protocol.name) for s in samples if s.cell == cell]
        assert set(kinds) == set(STREAMING)
    assert len({s.seed for s in samples}) == 2
    assert samples[0].protocol.stimuli != samples[200].protocol.stimuli
    assert {s.protocol.duration for s in samples} == {1000.0}


def test_they_are_decided_by_the_seed():
    one, two = study(0.2), study(0.2, 0.5)
    assert streaming_samples(one, 9, seed=3) == streaming_samples(one, 9, seed=3)
    assert streaming_samples(one, 9, seed=3) != streaming_samples(one, 9, seed=4)
    # More of them, or more cells, leave the first as they were.
    assert streaming_samples(two, 30, seed=3)[:9] == streaming_samples(one, 9, seed=3)


def test_currents_and_conductances_go_with_the_threshold():
    small, large = (streaming_samples(study(x), 150, seed=5) for x in (0.2, 0.4))
    for a, b in zip(small, large, strict=True):
        assert a.protocol.v_init == b.protocol.v_init
        assert largest(b.protocol) == pytest.approx(2 * largest(a.protocol))
        t = a.protocol.grid(5.0)
        for x, y in zip(a.protocol.conductance(t), b.protocol.conductance(t), strict=True):
            assert abs(x).mean() < abs(y).mean() or not x.any()
    steps = [s.protocol for s in small if class_of(s.protocol.name) == "one step"]
    amplitudes = [p.stimuli[0].amplitude / 0.2 for p in steps]
    assert STREAM_LOW <= min(amplitudes) < 0.2 and 1 < max(amplitudes) <= STREAM_HIGH
    assert len({p.stimuli[0].onset for p in steps}) == len(steps)


def test_drives_go_with_a_rate_where_one_is_asked_for():
    """To fire at 102 Hz a cell of I_thr 0.17 nA and 600 Hz/nA needs twice its I_thr."""
    cell = Study("some", ("cell",), ({"I_thr": 0.17, "s_thr": 600.0},), ())
    plain, fast = (streaming_samples(cell, 60, seed=5, rate=rate) for rate in (None, 102.0))
    for a, b in zip(plain, fast, strict=True):
        assert largest(b.protocol) == pytest.approx(2 / STREAM_HIGH * largest(a.protocol))
    with pytest.raises(InputError, match="above 0 Hz: got -1.0"):
        streaming_samples(cell, 5, seed=5, rate=-1.0)


def test_half_start_from_any_voltage():
    starts = [s.protocol.v_init for s in streaming_samples(study(0.2), 300, seed=1)]
    drawn = [v for v in starts if v is not None]
    assert 110 < len(drawn) < 190
    assert V_INIT[0] <= min(drawn) < -95 and -55 < max(drawn) <= V_INIT[1]


def test_bad_input_is_refused_by_name():
    with pytest.raises(InputError, match="at least one current per cell: got 0"):
        streaming_samples(study(0.2), 0, seed=1)
    with pytest.raises(InputError, match="'my step' is of no class"):
        class_of("my step")
