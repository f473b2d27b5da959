"""A NetPyNE model as it is and swapped: runs, figures and report, on a small network."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")
pytest.importorskip("netpyne")

from noble_neuron.cli import main
from noble_neuron.compare import activity, network_runs
from noble_neuron.compare.activity import NetworkRun
from noble_neuron.compare.network import compare_network
from noble_neuron.compare.network_runs import FULL, HALF, REPLAYED, SEED, SWAPPED
from noble_neuron.errors import ModelError, SimulationError
from noble_neuron.hosts.netpyne_run import RunSpec, run_model
from noble_neuron.simulate.workers import Job, Workers

MODELS = Path(__file__).resolve().parents[3] / "examples" / "models"
SWAP = {"PV": {"surrogate": "pvalb", "latent": "pvalb/2"}}  # the model that the cells are


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The example of PV cells, with fewer of them and for a shorter time."""
    folder = tmp_path_factory.mktemp("models") / "small"
    shutil.copytree(MODELS / "pv_network", folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in (
        ("cfg.py", "cfg.duration = 1000", "cfg.recordLFP = [[0, 0, 0]]\ncfg.duration = 200"),
        ("netParams.py", '"numCells": 12', '"numCells": 4'),
    ):
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))
    return folder


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("compared")


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def compared(model, out, said):
    return compare_network(model, SWAP, out, said.append)


def test_the_runs_are_what_they_say(compared):
    full, swapped, half = (compared.runs[name] for name in (FULL, SWAPPED, HALF))
    assert full.dt == swapped.dt == 0.025 and half.dt == 0.0125
    assert full.populations == ("PV",) and full.artificial == ("excitation",)
    assert full.pops == swapped.pops and len(full.pops["PV"]) == 4
    assert 2000 <= full.voltage.shape[1] <= 2001 and list(full.voltage_gids) == list(
        full.pops["PV"]
    )
    assert sum(map(len, full.trains("PV"))) > 15
    assert 0.01 < np.abs(full.voltage - swapped.voltage).max()
    drive = [run.trains("excitation") for run in (full, swapped, compared.runs[SEED])]
    assert all((a == b).all() for a, b in zip(drive[0], drive[1], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(drive[0], drive[2], strict=True))


def test_every_distance_stands_beside_its_floor(compared):
    for key in activity.DISTANCES:
        values = {run: compared.distances["PV"][run][key] for run in (SWAPPED, HALF, SEED)}
        assert all(np.isfinite(x) and x >= 0 for x in values.values()), (key, values)
        assert compared.floor("PV", key) == max(values[HALF], values[SEED])
    by = compared.replay["PV"]
    assert by[network_runs.REPLAYED_HALF]["gamma"] > 0.9
    assert by[REPLAYED]["gamma"] > 0.8 > 0.5 > by[SEED]["gamma"]
    assert by[network_runs.REPLAYED_HALF]["below"] < 1 > by[REPLAYED]["below"]


def kept(out, name):
    """The file of a run."""
    (file,) = (out / "runs").glob(f"{name}-{'[0-9a-f]' * 12}.npz")
    return file


def test_on_its_own_input_the_full_model_is_itself(compared, model, out):
    """Replay changes nothing: the same cells, fed their partners' recorded spikes."""
    full = kept(out, FULL)
    again = out / "again.npz"
    spec = RunSpec(str(model), ("PV",), inputs=str(full))
    with Workers(1, fresh=True) as pool:
        pool.submit(Job("again", run_model, (spec, str(again), str(out / "again.log"))))
        (outcome,) = pool.outcomes()
    assert outcome.kind == "done", outcome.text
    first, second = NetworkRun.read(full), NetworkRun.read(again)
    for a, b in zip(first.trains("PV"), second.trains("PV"), strict=True):
        assert np.array_equal(a, b)
    assert np.array_equal(first.voltage, second.voltage)


def test_single_events_come_from_rest_one_by_one(compared):
    found = {(p.source, p.synapse) for p in compared.psps}
    assert found == {("excitation", "AMPA"), ("PV", "GABA"), ("background", "AMPA")}
    for psp in compared.psps:
        assert psp.pop == "PV" and (psp.distance > 1 or psp.section == "soma_0")
        assert abs(psp.voltage[FULL][0]) < 0.05
        assert psp.amplitude(FULL) * (1 if psp.synapse == "AMPA" else -1) > 0.05
        assert 1 < psp.peak(FULL) < 30
        assert psp.amplitude(HALF) == pytest.approx(psp.amplitude(FULL), rel=0.03)
        assert psp.amplitude(SWAPPED) == pytest.approx(psp.amplitude(FULL), rel=0.3)
    excitation = [p for p in compared.psps if p.source == "excitation"]
    far, near = max(excitation, key=_place), min(excitation, key=_place)
    assert far.peak(FULL) > near.peak(FULL) and far.amplitude(FULL) < near.amplitude(FULL)

    errors = compared.psp_errors("PV")
    assert errors[HALF]["amplitude"] < 3 and errors[SWAPPED]["largest"] < 30
    assert errors[SWAPPED]["amplitude"] > errors[HALF]["amplitude"]


def _place(psp):
    return psp.distance


def test_the_report_is_one_file(compared, out):
    path = compared.save_html(out / "report.html")
    text = path.read_text()
    assert text.startswith("<!doctype html>") and "recurrent network is chaotic" in text
    assert re.findall(r"(?:src|href)=[\"']?(\w+)", text) == ["data"] * 6
    table = compared.table()
    for word in ("Distance from the full network", "Gamma (2 ms)", "[MB]"):
        assert word in table and word in text


def test_what_a_swap_refuses_is_told(compared):
    assert any("recordLFP" in note for note in compared.notes)


def test_nothing_is_left_in_the_model(compared, model):
    assert {path.name for path in model.iterdir()} == {
        path.name for path in (MODELS / "pv_network").iterdir() if path.is_file()
    }


def test_finished_runs_are_kept_and_others_are_made(compared, model, out, said, monkeypatch):
    assert any(text.startswith("running: swapped") for text in said)
    asked = []

    def made(wanted, count, say):
        asked.extend(run.name for run in wanted)
        return {}

    monkeypatch.setattr(network_runs, "_made", made)
    again = compare_network(model, SWAP, out)
    assert not asked and str(again.distances) == str(compared.distances)
    other = {"PV": {"surrogate": "pvalb", "latent": "pvalb/4"}}
    with pytest.raises(FileNotFoundError):  # nothing was made, as `made` makes nothing
        compare_network(model, other, out)
    assert {name for name in asked if name.startswith("swapped")} == {
        SWAPPED,
        REPLAYED,
    }
    assert FULL not in asked and SEED not in asked


def test_what_a_run_stores_is_plain(compared, out):
    with np.load(kept(out, SWAPPED), allow_pickle=False) as stored:
        about = json.loads(str(stored["about"]))
    assert len(about["latents"]) == 4 and about["thresholds"]["PV"] == -35.0
    assert set(about["seconds"]) == {"load", "build", "run"}
    assert about["memory"]["peak"] > about["memory"]["before"] > 20


def test_a_swap_that_the_settings_refuse_says_so_before_the_full_run(model, tmp_path):
    """The surrogate's own words, which come through hoc, and not hoc's."""
    folder = tmp_path / "variable"
    shutil.copytree(model, folder)
    with open(folder / "cfg.py", "a") as file:
        file.write("cfg.cvode_active = True\n")
    with pytest.raises(SimulationError, match="^cfg.cvode_active is on") as caught:
        compare_network(folder, SWAP, tmp_path / "out")
    assert not isinstance(caught.value, ModelError)
    assert [path.name[:8] for path in (tmp_path / "out" / "logs").iterdir()] == ["swapped-"]
    assert not (tmp_path / "out" / "runs").exists()


def test_the_command_line(compared, model, out, capsys):
    arguments = ["compare-network", str(model), "--out", str(out), "--replace"]
    assert main([*arguments, "PV=pvalb", "--latent", "pvalb/2"]) == 0
    printed = capsys.readouterr()
    assert "Distance from the full network" in printed.out
    assert "6 of 6 runs are kept" in printed.err and "report.html" in printed.err
    assert main([*arguments, "PV"]) == 2
    assert "write POPULATION=SURROGATE" in capsys.readouterr().err
