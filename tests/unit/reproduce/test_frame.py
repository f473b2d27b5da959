"""The list, the command, and what it writes."""

import json
import re

import pytest

from noble_neuron.cli import main
from noble_neuron.errors import InputError
from noble_neuron.features.efel import PAPER_FEATURES
from noble_neuron.reproduce.bench import Bench
from noble_neuron.reproduce.items import ITEMS, find
from noble_neuron.reproduce.outcome import finite
from noble_neuron.reproduce.run import command, reproduce


def test_every_item_has_its_module_and_both_scales():
    for item in ITEMS:
        module = __import__(f"noble_neuron.reproduce.{item.name}", fromlist=["run"])
        assert set(module.SIZES) - {"small"} == {"quick", "full"}
        assert callable(module.run)


def test_items_are_found_by_name_figure_or_all():
    assert [item.name for item in find(["maps", "figure4"])] == ["ensembles", "maps"]
    assert find(["all"]) == ITEMS
    with pytest.raises(InputError, match="'acuracy'; did you mean accuracy"):
        find(["acuracy"])


def test_without_a_name_it_lists(capsys):
    assert main(["reproduce"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [item.name for item in ITEMS]


def test_an_unknown_scale_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(InputError, match="quick, small, full: got 'fast'"):
        reproduce(["maps"], tmp_path / "out", "fast")
    assert not (tmp_path / "out").exists()


def test_a_scale_that_an_item_lacks_is_named(tmp_path):
    with pytest.raises(InputError, match="no scale 'small', only quick, full"):
        reproduce(["maps"], tmp_path / "out", "small")


def test_the_command_repeats_the_call(tmp_path):
    bench = Bench("my.json", "pvalb", "full", tmp_path)
    said = command("maps", bench)
    assert said == "noble-neuron reproduce maps --scale full --cells my.json"


def test_values_that_are_no_number_are_not_recorded():
    rows = [{"figure": "a", "value": 1.0}, {"figure": "b", "value": float("nan")}]
    assert [row["figure"] for row in finite(rows)] == ["a"]


def test_an_item_writes_records_and_a_page_that_needs_no_other(line, tmp_path, monkeypatch):
    from noble_neuron.reproduce import maps

    monkeypatch.setattr(maps, "SIZES", {"quick": maps.Sizes(3, 2)})
    out = tmp_path / "out"
    found = reproduce(
        ["maps"],
        out,
        surrogate=str(line.folder / "bundle"),
        cells=str(line.folder / "study.json"),
        workers=1,
    )
    rows = json.loads((out / "maps.json").read_text())
    assert len(rows) == len(found["maps"].records) > 0
    assert all(row["scale"] == "quick" and "--surrogate" in row["command"] for row in rows)
    page = (out / "maps.html").read_text()
    assert not re.search(r"(src|href)=[\"']?(https?:|/)", page)
    data = json.loads(re.search(r"id=map-data>(.*?)</script>", page, flags=re.S)[1])
    assert tuple(data["features"]) == PAPER_FEATURES
    assert data["axes"] == ["I_thr [nA]", "max_rate [Hz]"]
    assert len(data["full"][0]) == len(data["labels"]) == 3
    assert len(data["full"][0][0]) == len(data["cells"]) == 3
