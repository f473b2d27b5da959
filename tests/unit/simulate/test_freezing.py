"""Channels on dendrites, held as they are at rest: told by single synapses."""

import numpy as np
import pytest

from noble_neuron.cells.netpyne import load_netpyne
from noble_neuron.cells.spec import section_name
from noble_neuron.errors import InputError
from noble_neuron.nrn.session import session
from noble_neuron.simulate.dendrites import DT, EXCITING, STRONG, Bench, peaks
from noble_neuron.simulate.freezing import measure

STEMS, DENDRITES = ["dend_0", "dend_2"], ["dend_0", "dend_1", "dend_2"]


def cell(**channels):
    """A squid's soma; one dendrite that goes on, and one more."""
    secs = {"soma": {"geom": {"L": 20, "diam": 20, "nseg": 1}, "mechs": {"hh": {}}}}
    for name, parent, long in zip(
        DENDRITES, ("soma", "dend_0", "soma"), (150, 200, 250), strict=True
    ):
        secs[name] = {
            "geom": {"L": long, "diam": 1.5, "nseg": 5, "Ra": 120},
            "topol": {"parentSec": parent, "parentX": 1.0, "childX": 0},
            "mechs": {"pas": {"g": 1e-4, "e": -74}} | channels,
        }
    return load_netpyne({"secs": secs}, celsius=34, v_init=-74, threshold=-20)


def silent(label):
    return None


def test_without_channels_only_the_segments_err():
    found = measure(cell(), STEMS, DENDRITES, silent)
    assert found.frozen == () and found.small and 0 < found.error < 0.03


@pytest.mark.parametrize(
    ("channel", "gbar", "small"),
    [("nn_Im", 1e-4, True), ("nn_Kv3_1", 1e-3, True), ("nn_NaV", 1e-2, False)],
)
def test_a_channel_that_synapses_open_is_told_from_one_that_they_hardly_do(channel, gbar, small):
    found = measure(cell(**{channel: {"gbar": gbar}}), STEMS, DENDRITES, silent)
    assert [each.mechanism for each in found.frozen] == [channel]
    assert found.small == small
    assert (found.late > 1) == (not small)


def test_branches_without_a_synapse_are_not_measured():
    with pytest.raises(InputError, match="no synapse is on dend_2"):
        measure(cell(), ["dend_2"], ["dend_0"], silent)


def test_full_twins_on_the_bench_are_the_full_cell():
    answers = []
    spec = cell(nn_Kv3_1={"gbar": 1e-3})
    with session(34, DT):
        for tolerance in (None, 0.0):
            bench = Bench(spec, tolerance, lambda s: section_name(s) in STEMS, silent=True)
            assert not bench.soma.has_membrane("hh")
            bench.synapse((1, 0.7), EXCITING, STRONG, [20.0])
            bench.pulses(0.2, 1.0, [50.0])
            answers.append(bench.run(-70.0, 80.0))
            assert bench.copies == (0 if tolerance is None else 2)
            bench.close()
    amplitude, time = peaks(answers[0], [20.0], 30.0)
    assert amplitude[0] > 3 and 2 < time[0] < 15
    assert np.abs(answers[1] - answers[0]).max() < 2e-3
