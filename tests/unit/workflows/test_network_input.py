"""Cells and input as they are read out of a network's run; several cells of a diverse rule."""

import numpy as np
import pytest

from noble_neuron.protocols.suites import class_of
from noble_neuron.simulate.study import Study
from noble_neuron.workflows.network_input import _cells, _received
from noble_neuron.workflows.surrogate_for import _free, _latent

SECS = {
    "trunk": {"geom": {"L": 20, "diam": 20}, "mechs": {"hh": {}}, "threshold": 0.0},
    "branch": {
        "geom": {"L": 100, "diam": 2},
        "topol": {"parentSec": "trunk", "parentX": 1.0, "childX": 0.0},
        "mechs": {"pas": {"g": 1e-4, "e": -70}},
    },
}
ABOUT = {
    "globals": {},
    "soma": "trunk",
    "celsius": 34.0,
    "v_init": -70.0,
    "dt": 0.05,
    "threshold": 0.0,
}


def several(n):
    """Cells that differ by a diameter."""
    secs = [
        {**SECS, "branch": {**SECS["branch"], "geom": {"L": 100, "diam": 1.0 + k}}}
        for k in range(n)
    ]
    return _cells("PV", {**ABOUT, "cells": secs}, None)


def test_a_soma_of_any_name_becomes_one(tmp_path):
    (cell,) = several(1)
    assert cell.name == "PV" and cell.dt == 0.025  # traces are kept no coarser
    with cell.build() as live:
        assert live.soma.name().endswith("soma") and len(live.sections) == 2
        assert live.soma.children()[0].name().endswith("branch")


def test_of_many_cells_a_dozen_are_taken():
    cells = several(30)
    assert len(cells) == 12 and len({cell.name for cell in cells}) == 12
    assert (cells[0].hof, cells[-1].hof) == (0, 29)


def test_the_cells_own_spikes_are_left_out_of_its_current():
    every, steps = 0.2, 1000
    current = np.full((1, steps), 0.1)
    spikes = np.array([60.0, 120.0])
    for time in spikes:
        current[0, round(time / every) : round((time + 3) / every)] = -2.0
    arrays = {
        "current": current,
        **{f"{n}_{x}": np.zeros((1, steps)) for n in ("excitation", "inhibition") for x in "gb"},
        "received_gids": np.array([7]),
        "spike_times": np.array([5.0, *spikes]),
        "spike_gids": np.array([3, 7, 7]),
    }
    (received,), (rate,) = _received(arrays, {"every": every}, every * steps)
    assert received.mean == pytest.approx(0.1) and received.sd == pytest.approx(0.0, abs=1e-9)
    assert rate == pytest.approx(2 / 0.16)
    assert not received.excitation.rate and not received.inhibition.rate
    assert not received.is_silent


def study(features):
    return Study("PV", several(len(features)), tuple(features), ())


def test_cells_are_told_apart_by_what_all_of_them_have():
    nan = float("nan")
    many = study(
        [
            {"I_thr": 0.2, "s_thr": 300.0, "AP1_width": nan, "resting_voltage": -70.0},
            {"I_thr": 0.3, "s_thr": 250.0, "AP1_width": 0.5, "resting_voltage": -70.0},
        ]
    )
    assert _latent(many) == ("I_thr", "s_thr")
    assert _latent(study([{"I_thr": 0.2, "s_thr": 300.0}])) == ()


def test_steps_reach_a_rate_that_the_cell_can_fire_at():
    features = {"I_thr": 0.2, "s_thr": 400.0}
    both = study([{**features, "max_rate": 300.0}, {**features, "max_rate": 50.0}])
    samples = _free(both, 60, 1, 1000.0)
    assert [sample.cell for sample in samples] == [0] * 60 + [1] * 60
    tops = [
        max(
            stimulus.amplitude
            for sample in samples
            if sample.cell == cell and "step" in class_of(sample.protocol.name)
            for stimulus in sample.protocol.stimuli
            if hasattr(stimulus, "amplitude")
        )
        for cell in (0, 1)
    ]
    assert 0.35 < tops[0] <= 0.2 + 100 / 400 and 0.22 < tops[1] <= 0.2 + 40 / 400
