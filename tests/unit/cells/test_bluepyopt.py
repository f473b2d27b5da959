"""BluePyOpt's files in both dialects, and what is wrong with them."""

import json
import math

import pytest
from neuron import h

from noble_neuron.cells import load_bluepyopt
from noble_neuron.errors import InputError

EXP = "(-0.8696 + 2.087*math.exp(({distance})*0.0031))*{value}"


def frozen(name, value, **rest):
    return {"param_name": name, "value": value, "type": "section", "dist_type": "uniform", **rest}


def example():
    """The dialect of BluePyOpt's examples."""
    parameters = [
        {"param_name": "celsius", "value": 34, "type": "global"},
        {"param_name": "v_init", "value": -70, "type": "global"},
        frozen("g_pas", 1e-4, sectionlist="all"),
        frozen("Ra", 100, sectionlist="all"),
        frozen("cm", 1, sectionlist="all"),
        frozen("cm", 2, sectionlist="basal"),
        frozen("ena", 50, sectionlist="somatic"),
        {
            "param_name": "gnabar_hh",
            "sectionlist": "somatic",
            "type": "range",
            "dist_type": "uniform",
            "bounds": [0, 1],
        },
        {
            "param_name": "gbar_nn_Ih",
            "sectionlist": "basal",
            "type": "range",
            "dist_type": "exp",
            "dist": EXP,
            "bounds": [0, 1],
        },
    ]
    mechanisms = {"all": ["pas"], "somatic": ["hh"], "basal": ["nn_Ih"], "apical": []}
    return parameters, mechanisms


def package():
    """The same cell in the dialect of the e-model packages."""
    parameters = {
        "__comment": "",
        "global": [{"name": "celsius", "val": 34}, {"name": "v_init", "val": -70}],
        "distribution_decay": [{"name": "rate", "val": [0, 1]}],
        "all": [
            {"name": "g_pas", "val": 1e-4},
            {"name": "Ra", "val": 100},
            {"name": "cm", "val": 1},
        ],
        "somatic": [{"name": "ena", "val": 50}, {"name": "gnabar_hh", "val": [0, 1]}],
        "basal": [
            {"name": "cm", "val": 2},
            {"name": "gbar_nn_Ih", "val": [0, 1], "dist": "decay"},
        ],
    }
    distributions = {
        "uniform": {"fun": "{value}"},
        "decay": {"fun": "{value}*math.exp({distance}*{rate})", "parameters": ["rate"]},
    }
    mechanisms = {
        "all": {"mech": ["pas"]},
        "somatic": {"mech": ["hh"]},
        "basal": {"mech": ["nn_Ih"]},
    }
    return {"parameters": parameters, "distributions": distributions, "mechanisms": mechanisms}


def saved(folder, **contents):
    for name, value in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    return [folder / f"{name}.json" for name in contents]


def built(swc, parameters, mechanisms, hall, **settings):
    files = saved(swc.parent, parameters=parameters, mechanisms=mechanisms, hall=hall)
    return load_bluepyopt(files[0], files[1], swc, files[2], **settings)


def test_example_dialect(swc):
    named = {"gnabar_hh.somatic": 0.2, "gbar_nn_Ih.basal": 1e-5}
    cells = built(swc, *example(), [named, [0.3, 2e-5]])
    assert [c.name for c in cells] == ["small_0", "small_1"]
    assert [(c.celsius, c.v_init, c.hof) for c in cells] == [(34, -70, 0), (34, -70, 1)]
    for cell, sodium, ih in zip(cells, (0.2, 0.3), (1e-5, 2e-5), strict=True):
        with cell.build() as live:
            soma = live.soma(0.5)
            assert (soma.hh.gnabar, soma.ena, soma.cm, soma.pas.g) == (sodium, 50, 1, 1e-4)
            for section in (s for s in live.sections if ".dend" in s.name()):
                for x in section:
                    distance = h.distance(soma, x)
                    expected = (-0.8696 + 2.087 * math.exp(distance * 0.0031)) * ih
                    assert x.nn_Ih.gbar == pytest.approx(expected, rel=1e-12)
                    assert x.cm == 2  # the later row overrides
            axon = [s for s in live.sections if ".axon" in s.name()]
            assert len(axon) == 2 and axon[0].L == 30  # replaced


def test_package_dialect_and_final_json(swc):
    final = {
        "L23": {
            "score": 1.0,
            "params": {
                "gnabar_hh.somatic": 0.2,
                "gbar_nn_Ih.basal": 1e-5,
                "rate.distribution_decay": -0.01,
            },
        }
    }
    (cell,) = built(swc, package(), package(), final, replace_axon=False, name="L23")
    with cell.build() as live:
        soma = live.soma(0.5)
        assert (soma.hh.gnabar, soma.ena) == (0.2, 50)
        for section in (s for s in live.sections if ".dend" in s.name()):
            for x in section:
                expected = 1e-5 * math.exp(-0.01 * h.distance(soma, x))
                assert x.nn_Ih.gbar == pytest.approx(expected, rel=1e-12) and x.cm == 2
        assert sum(".axon" in s.name() for s in live.sections) == 3  # as imported


def test_morphology_description(swc):
    value = {"morphology_path": swc.name, "do_replace_axon": False, "nseg_frequency": 10}
    parameters, mechanisms, hall, shape = saved(
        swc.parent,
        parameters=example()[0],
        mechanisms=example()[1],
        hall=[[0.1, 1e-5]],
        shape=value,
    )
    (cell,) = load_bluepyopt(parameters, mechanisms, shape, hall)
    with cell.build() as live:
        assert sum(".axon" in s.name() for s in live.sections) == 3
        assert all(s.nseg == 1 + 2 * int(s.L / 10) for s in live.sections)
    shape.write_text(json.dumps(value | {"morph_modifiers": ["f"]}))
    with pytest.raises(InputError, match="shape.json, key morph_modifiers"):
        load_bluepyopt(parameters, mechanisms, shape, hall)


def with_row(**changes):
    parameters, mechanisms = example()
    parameters[-1] = parameters[-1] | changes
    return parameters, mechanisms


@pytest.mark.parametrize(
    "files, hall, match",
    [
        (example(), [[0.1]], "hall.json, model 0: 1 values for 2 free parameters"),
        (example(), [{"gnabar_hh.somatic": 1}], "no value for 'gbar_nn_Ih.basal'"),
        (example(), [{"g.somatic": 1}], "unknown parameter 'g.somatic'"),
        (example(), [["a", 1]], "key gnabar_hh.somatic: expected a number, got 'a'"),
        (example(), [], "hall.json: expected a list of models"),
        (example(), {"L23": {"score": 1}}, "hall.json, key L23: the key 'params' is missing"),
        ((example()[0][1:], example()[1]), [[1, 1]], "no global parameter 'celsius'"),
        ((example()[0] + example()[0][2:3], example()[1]), [[1, 1]], "g_pas.all is given twice"),
        (with_row(dist="{value}*{depth}"), [[1, 1]], "needs depth; only {distance}"),
        (with_row(dist="open('x')"), [[1, 1]], r"parameters.json\[8\].*holds .open"),
        (
            with_row(dist_type="step", dist="{value} if {distance} > 3 else 0"),
            [[1, 1]],
            r"parameters.json\[8\]",
        ),
        (with_row(sectionlist="dendritic"), [[1, 1]], "unknown section list 'dendritic'"),
        (with_row(param_name="gbar_Foo"), [[1, 1]], "'gbar_Foo' belongs to no mechanism of dend"),
        (with_row(type="meta"), [[1, 1]], "type 'meta' are not read"),
        (with_row(param_name="Ra"), [[1, 1]], "Ra cannot vary within a section"),
    ],
)
def test_bad_files(swc, files, hall, match):
    with pytest.raises(InputError, match=match):
        built(swc, *files, hall)


def test_missing_mechanism_is_named(swc):
    parameters, mechanisms = example()
    mechanisms["somatic"].append("NaTs2_t")
    (cell,) = built(swc, parameters, mechanisms, [[0.1, 1e-5]])
    with pytest.raises(
        InputError,
        match="parameters.json, group soma: .*no mechanism 'NaTs2_t'.*"
        "name the folder of its mod files",
    ):
        cell.build()
