"""The search: real candidates on a real cell, small numbers, and what a restart finds."""

import json

import numpy as np
import pytest

from noble_neuron.assets import library_dir
from noble_neuron.cli import main
from noble_neuron.errors import InputError
from noble_neuron.evolution.grow import KINDS, Basket, grow
from noble_neuron.evolution.search import Archive, SearchConfig, evolve
from noble_neuron.evolution.select import Choice, choose, distances, held_out, qualified
from noble_neuron.evolution.spec import Parameter, SearchSpec, Target, Trials
from noble_neuron.simulate.study import Study

SPEC = library_dir() / "pvalb" / "search.json"


@pytest.mark.parametrize("name, kind", [("pvalb", "basket"), ("vip", "bipolar")])
def test_the_morphology_that_ships_is_the_one_the_script_grows(tmp_path, name, kind):
    grown = grow(tmp_path / "cell.swc", KINDS[kind]())
    assert grown.read_bytes() == (library_dir() / name / "morphology.swc").read_bytes()
    other = grow(tmp_path / "other.swc", KINDS[kind](seed=1))
    assert other.read_bytes() != grown.read_bytes()


def test_a_bipolar_cell_is_taller_than_wide(tmp_path):
    lines = grow(tmp_path / "cell.swc", KINDS["bipolar"]()).read_text().splitlines()
    points = np.array([line.split()[2:5] for line in lines if line[0] != "#"], float)
    width, height, depth = np.ptp(points, axis=0)
    assert height > 2 * max(width, depth)
    assert points[:, 1].min() < -100 and points[:, 1].max() > 100  # um, both poles


def test_calibre_is_conserved_at_bifurcations(tmp_path):
    """Kubota's rule: area above a fork = sum of the areas below, less one tip's."""
    rule = Basket()
    lines = grow(tmp_path / "cell.swc", rule).read_text().splitlines()
    points = {
        int(f[0]): (float(f[5]), int(f[6]))
        for f in map(str.split, lines)
        if not f[0].startswith("#")
    }
    children = {}
    for number, (_, parent) in points.items():
        children.setdefault(parent, []).append(number)
    forks = [n for n, below in children.items() if len(below) == 2 and n > 1]
    assert len(forks) > 10
    for fork in forks:
        above = np.pi * points[fork][0] ** 2
        below = sum(np.pi * points[n][0] ** 2 for n in children[fork])
        # The first points below lie one step further on.
        step = 2 * rule.step * 1.3 * rule.area_per_length
        assert below == pytest.approx(above + rule.tip_area, abs=step)


@pytest.mark.parametrize("log", [False, True])
def test_a_parameter_maps_there_and_back(log):
    p = Parameter("g", "active", ("soma.pas.g",), 1e-4, 0.3, log)
    assert p.value(0.0) == pytest.approx(1e-4) and p.value(1.0) == pytest.approx(0.3)
    assert p.unit(p.value(0.37)) == pytest.approx(0.37)


def test_a_specification_fills_every_path():
    spec = SearchSpec.read(SPEC)
    source = spec.source({"g_pas": 3e-4, "cm": 1.3})
    for group in ("soma", "axon", "dend"):
        assert source["groups"][group]["mechanisms"]["pas"]["g"] == 3e-4
        assert source["groups"][group]["cm"] == 1.3
    silent = spec.source({"g_pas": 3e-4}, passive_only=True)
    assert silent["groups"]["soma"]["mechanisms"]["nn_NaTg"]["gbar"] == 0.0
    assert spec.cell.source["groups"]["soma"]["mechanisms"]["nn_NaTg"]["gbar"] > 0


@pytest.mark.parametrize(
    "change, message",
    [
        ({"celsius": None}, "lacks or misnames a key|celsius"),
        (
            {
                "parameters": [
                    {"name": "x", "stage": "active", "paths": ["axo.pas.g"], "low": 1, "high": 2}
                ]
            },
            "axo.pas.g",
        ),
        (
            {
                "parameters": [
                    {"name": "x", "stage": "active", "paths": ["soma.pas.g"], "low": 2, "high": 1}
                ]
            },
            "bounds 2 ... 1",
        ),
        ({"targets": [{"feature": "I_thr", "meen": 1}]}, "meen"),
        ({"trials": {"passive": 0.1}}, "passive < 0 < ladder"),
        ({"trials": {"pasive": -0.1}}, "pasive"),
    ],
)
def test_a_bad_specification_says_what_is_wrong(tmp_path, change, message):
    data = json.loads(SPEC.read_text())
    data = {k: v for k, v in {**data, **change}.items() if v is not None}
    path = tmp_path / "search.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match=message):
        SearchSpec.read(path).source({"x": 1.5})


def test_a_search_cut_off_in_the_middle_of_a_line_goes_on_to_the_same_archive(tmp_path):
    spec, config = SearchSpec.read(SPEC), SearchConfig(4, 2, 2, 2, seed=5)
    whole = evolve(spec, tmp_path / "whole", config, workers=2)
    part = tmp_path / "part"
    part.mkdir()
    text = (tmp_path / "whole" / "archive.jsonl").read_bytes()
    (part / "archive.jsonl").write_bytes(text[: len(text) * 2 // 3])
    (part / "search.json").write_bytes((tmp_path / "whole" / "search.json").read_bytes())
    resumed = evolve(spec, part, config, workers=1)
    without_time = [
        {
            k: {key: v for key, v in row.items() if key != "seconds"}
            for k, row in archive.rows.items()
        }
        for archive in (whole, resumed)
    ]
    assert without_time[0] == without_time[1]
    assert {row["stage"] for row in whole.rows.values()} == {"passive", "active", "last"}
    assert any(row["z"] for row in whole.whole_models())
    assert Archive(part / "archive.jsonl").rows == resumed.rows
    with pytest.raises(InputError, match="another specification, seed"):
        evolve(spec, part, SearchConfig(4, 2, 2, 2, seed=6), workers=1)
    with pytest.raises(InputError, match="of 60 models qualify and differ"):
        choose(spec, [], Choice(), workers=1)


def row(z, untonic=0.0, values=None):
    return {"z": z, "features": {"untonic": untonic}, "values": values}


def test_only_good_tonic_models_qualify_best_first():
    spec = SearchSpec("s", None, (), (), Trials())
    good, better = row([1.0, 2.9]), row([0.5, -0.5])
    bad = [row([3.1, 0.0]), row([2.5, 2.5]), row([0.1, 0.1], untonic=0.2), row(None)]
    assert qualified(spec, [good, *bad, better]) == [better, good]


def test_distances_are_in_bounds_and_in_sds():
    p = Parameter("a", "active", ("soma.pas.g",), 0.0, 10.0)
    target = Target("f", "active", 0.0, 1.0, "mV", "")
    spec = SearchSpec("s", None, (p,), (target,))
    one, two = row([0.0], values={"a": 2.0}), row([1.5], values={"a": 7.0})
    assert distances(spec, one, two) == pytest.approx((0.5, 1.5))


def test_held_out_models_are_drawn_by_seed_half_of_them_at_the_edge():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(60, 2))
    taken = [{"measured": {"I_thr": a, "s_thr": b}} for a, b in plane]
    drawn = held_out(taken, Choice(seed=3))
    assert len(set(drawn)) == 10 and drawn == held_out(taken, Choice(seed=3))
    assert drawn != held_out(taken, Choice(seed=4))
    z = (plane - plane.mean(0)) / plane.std(0)
    far = set(np.argsort(-np.linalg.norm(z, axis=1))[:15].tolist())
    assert len(far & set(drawn)) >= 5


def value_at(source, path):
    """What a specification's path (group.mechanism.key or group.key) names in a cell's source."""
    group, *rest = path.split(".")
    at = source["groups"][group]
    for key in ["mechanisms"] * (len(rest) == 2) + rest:
        at = at[key]
    return at


def test_the_command_finds_models_that_the_other_commands_can_use(tmp_path, capsys):
    """A search in the neighbourhood of a shipped model, from the command line to a study."""
    spec = json.loads(SPEC.read_text())
    source = json.loads((SPEC.parent / "hof.json").read_text())["models"][0]
    for parameter in spec["parameters"]:
        known = value_at(source, parameter["paths"][0])
        margin = 1e-3 * (abs(known) or 1.0)
        parameter.update(low=known - margin, high=known + margin)
    (tmp_path / "search.json").write_text(json.dumps(spec))
    (tmp_path / "morphology.swc").write_bytes((SPEC.parent / "morphology.swc").read_bytes())
    few = ["--offspring", "2", "--passive-generations", "2", "--generations", "2"]
    few += ["--last-generations", "2", "--models", "1", "--hold-out", "0"]
    command = ["evolve", str(tmp_path / "search.json"), "--out", str(tmp_path / "found"), *few]
    assert main(command) == 0, capsys.readouterr().err
    study = Study.load(tmp_path / "found")
    own = Study.load("pvalb").features[0]
    assert len(study.cells) == 1
    assert study.features[0]["I_thr"] == pytest.approx(own["I_thr"], rel=0.02)
    assert study.features[0]["resting_voltage"] == pytest.approx(own["resting_voltage"], abs=0.2)
