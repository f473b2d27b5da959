"""Group parameters arrive in every segment, and what does not exist is refused."""

import math

import pytest
from neuron import h

from noble_neuron.cells import HofCell
from noble_neuron.errors import InputError


def cell(swc, soma=None, dend=None):
    pas = {"pas": {"g": 1e-4, "e": -70.0}}
    groups = {
        "soma": soma or {"mechanisms": pas},
        "dend": dend or {"mechanisms": pas},
        "axon": {"mechanisms": {}},
        "apic": {"mechanisms": {"unused": {}}},
    }
    source = {
        "morphology": str(swc),
        "axon": "stub",
        "nseg_um": 10,
        "Ra": 150.0,
        "groups": groups,
        "origin": "cell.json",
    }
    return HofCell("c", "swc", source, 34.0, -70.0, 0.025, -20.0)


def test_values_reach_every_segment(swc):
    soma = {
        "cm": 2.0,
        "Ra": 90.0,
        "ena": 55.0,
        "ek": -100.0,
        "mechanisms": {"nn_NaTg": {"gbar": 0.3, "vshifth": 10.0}, "pas": {"g": 2e-4}},
    }
    dend = {"cm": 1.5, "ek": -100.0, "mechanisms": {"nn_Ih": {"gbar": 1e-5}}}
    with cell(swc, soma, dend).build() as live:
        middle = live.soma(0.5)
        assert (middle.cm, live.soma.Ra, middle.ena) == (2.0, 90.0, 55.0)
        assert (middle.nn_NaTg.gbar, middle.nn_NaTg.vshifth, middle.pas.g) == (0.3, 10.0, 2e-4)
        assert not h.ismembrane("k_ion", sec=live.soma)  # a reversal inserts no ion
        dendrites = [s for s in live.sections if ".dend" in s.name()]
        assert len(dendrites) == 3
        for section in dendrites:
            assert section.Ra == 150.0
            assert [(x.nn_Ih.gbar, x.cm) for x in section] == [(1e-5, 1.5)] * section.nseg


def test_formula_follows_distance(swc):
    ih = {"gbar": {"formula": "(-0.87 + 2.09*math.exp({distance}*0.003))*{value}", "value": 1e-5}}
    with cell(swc, dend={"mechanisms": {"nn_Ih": ih}}).build() as live:
        values = set()
        for section in live.sections:
            if ".dend" not in section.name():
                continue
            for x in section:
                distance = h.distance(live.soma(0.5), x)
                expected = (-0.87 + 2.09 * math.exp(distance * 0.003)) * 1e-5
                assert x.nn_Ih.gbar == pytest.approx(expected, rel=1e-12)
                values.add(round(x.nn_Ih.gbar, 12))
        assert len(values) > 5


@pytest.mark.parametrize(
    "soma, match",
    [
        ({"mechanisms": {"nn_NaTgg": {}}}, "no mechanism 'nn_NaTgg' .nearest: 'nn_NaTg'"),
        ({"mechanisms": {"IClamp": {}}}, "no mechanism 'IClamp'"),
        ({"mechanisms": {"pas": {"gbar": 1}}}, "'pas' has no parameter 'gbar'; it has g, e"),
        ({"mechanisms": {}, "gpas": 1}, "unknown key 'gpas'"),
    ],
)
def test_unknown_names(swc, soma, match):
    with pytest.raises(InputError, match=f"cell.json, group soma: .*{match}"):
        cell(swc, soma).build()
