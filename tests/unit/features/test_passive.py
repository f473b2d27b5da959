"""Passive features of a one-compartment cell with and without sag: closed forms."""

import csv
from pathlib import Path

import numpy as np
import pytest

from noble_neuron.errors import InputError
from noble_neuron.features.passive import input_resistance, membrane_time_constant, sag_ratio
from noble_neuron.types import Trace

ALLEN = Path(__file__).parents[4] / "shared" / "data" / "allen_pvalb_485184849"
ONSET, OFFSET = 100.0, 500.0  # ms


def passive(amplitude, resistance=120.0, tau=9.0, sag=0.0):
    """v = rest + I R (1 - exp(-t / tau)), less a slow sag of `sag` of the deflection."""
    t = 0.025 * np.arange(24_001)
    since = np.clip(t - ONSET, 0, None)
    slow = 1 - sag * (1 - np.exp(-since / 60))
    v = -75 + amplitude * resistance * (1 - np.exp(-since / tau)) * slow
    return Trace(t, v)


def test_resistance_and_time_constant_are_those_put_in():
    trace = passive(-0.1)
    assert input_resistance(trace, -0.1, ONSET, OFFSET) == pytest.approx(120, rel=1e-4)
    assert membrane_time_constant(trace, ONSET, OFFSET) == pytest.approx(9.0, rel=1e-3)
    assert sag_ratio(trace, ONSET, OFFSET) == pytest.approx(0, abs=1e-6)


def test_sag_is_the_part_that_is_lost():
    trace = passive(-0.1, sag=0.2)
    late = -0.1 * 120 * 0.8
    peak = trace.v.min() + 75
    assert sag_ratio(trace, ONSET, OFFSET) == pytest.approx((peak - late) / peak, abs=2e-3)


def test_a_depolarised_answer_has_no_sag_and_no_time_constant():
    trace = passive(0.1)
    assert np.isnan(sag_ratio(trace, ONSET, OFFSET))
    assert np.isnan(membrane_time_constant(trace, ONSET, OFFSET))


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="-0.1 nA is usual"):
        input_resistance(passive(-0.1), 0.0, ONSET, OFFSET)
    with pytest.raises(InputError, match="covers 0-600 ms"):
        input_resistance(passive(-0.1), -0.1, 700.0, 900.0)


def test_published_input_resistances_are_reproduced():
    if not ALLEN.is_dir():
        pytest.skip(f"reference data not here: {ALLEN.name} beside the repository's shared/")
    traces = np.load(ALLEN / "golden.npz")
    with open(ALLEN / "threshold_summary.csv") as file:
        expected = {int(row["hof"]): float(row["Rin_MOhm"]) for row in csv.DictReader(file)}
    hyper = np.flatnonzero(traces["amp_nA"] < 0)
    assert hyper.size == 6
    for k in hyper:
        found = input_resistance(Trace(traces["t_ms"], traces["v_mV"][k]), -0.1, 15.0, 415.0)
        assert found == pytest.approx(expected[int(traces["hof"][k])], rel=5e-3)
