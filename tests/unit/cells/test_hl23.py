"""The HL23 loader on a small file of its form."""

import json

import pytest

from noble_neuron.cells import load_hl23
from noble_neuron.errors import InputError

IH = {
    "gbar": 2e-5,
    "shift1": 154.9,
    "shift2": 11.9,
    "shift3": 0.0,
    "shift4": 33.1,
    "shift5": 6.43,
    "shift6": 193.0,
}


def content():
    def group(**mechanisms):
        pas = {"g": 1e-4, "e": -80.0}
        return {
            "Ra": 100.0,
            "cm": 2.0,
            "mechanisms": mechanisms | {"pas": pas},
            "reversal_mV": {"ek": -85.0, "ena": 50.0},
        }

    sodium = {"gbar": 0.3, "vshifth": 10.0, "vshiftm": 0.0, "slopeh": 6.0, "slopem": 9.0}
    return {
        "cell": "small",
        "celsius": 34,
        "v_init_mV": -80,
        "Ra_ohm_cm": 100,
        "sections": {
            "soma": group(NaTg=sodium, Ih=dict(IH), Ca_LVA={"gbar": 1e-3}),
            "axon": group(SK={"gbar": 0.1}),
            "dend": group(Ih=dict(IH)),
        },
    }


def saved(swc, value):
    path = swc.with_name("small_params.json")
    path.write_text(json.dumps(value))
    return path


def test_builds_by_the_rule(swc):
    cell = load_hl23(saved(swc, content()))
    assert (cell.celsius, cell.v_init, cell.dt, cell.junction_potential) == (34, -80, 0.025, 0)
    with cell.build() as live:
        soma = live.soma(0.5)
        assert (soma.nn_NaTg.gbar, soma.nn_NaTg.slopem, soma.nn_Ih.gbar) == (0.3, 9.0, 2e-5)
        assert soma.nn_Ca_LVA_HL23.gbar == 1e-3 and (soma.ena, soma.cm) == (50.0, 2.0)
        axon = [s for s in live.sections if ".axon" in s.name()]
        assert len(axon) == 2 and axon[0](0.5).nn_SK_HL23.gbar == 0.1
        assert axon[0].diam != 1  # measured, not a stub of 1 um


@pytest.mark.parametrize(
    "change, match",
    [
        (
            lambda v: v["sections"]["soma"]["mechanisms"].update(Foo={}),
            r"sections.soma.mechanisms.Foo: unknown mechanism",
        ),
        (
            lambda v: v["sections"]["soma"]["mechanisms"]["NaTg"].update(gbar="much"),
            r"mechanisms.NaTg, key gbar: expected a number, got 'much'",
        ),
        (
            lambda v: v["sections"]["soma"]["mechanisms"]["Ih"].update(shift1=150.0),
            "Ih.shift1: 150 is not the published 154.9",
        ),
        (lambda v: v["sections"]["soma"].pop("cm"), "sections.soma: the key 'cm' is missing"),
        (lambda v: v.pop("celsius"), "the key 'celsius' is missing"),
    ],
)
def test_bad_files(swc, change, match):
    value = content()
    change(value)
    with pytest.raises(InputError, match=f"small_params.json.*{match}"):
        load_hl23(saved(swc, value))


def test_missing_morphology(swc):
    path = saved(swc, content())
    swc.unlink()
    with pytest.raises(InputError, match="No such morphology file: .*small.swc"):
        load_hl23(path)
