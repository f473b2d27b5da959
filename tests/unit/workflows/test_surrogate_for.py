"""From a NetPyNE network to a surrogate in it, at toy size: killed, and gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="training needs torch and neuraloperator")
pytest.importorskip("netpyne")

import toy_network

import noble_neuron.hosts.netpyne_rules as noble
from noble_neuron.cli import main
from noble_neuron.errors import InputError
from noble_neuron.surrogates import load_stream
from noble_neuron.workflows.expectation import Expectation
from noble_neuron.workflows.surrogate_for import Effort

ROOT = Path(__file__).resolve().parents[3]
STAGES = ["network", "F-I curves", "training set", "pilot", "training", "judging"]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("surrogate")


@pytest.fixture(scope="module")
def killed(out):
    """Made in a process that is killed when the first training has been validated once."""
    process = subprocess.Popen(
        [sys.executable, toy_network.__file__, str(out)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    log, until = out / "pilot" / "stream" / "log.jsonl", time.monotonic() + 300
    while not log.exists():
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    names = ("network.npz", "study.json", "traces.h5")
    return {name: (out / name).stat().st_mtime_ns for name in names}


@pytest.fixture(scope="module")
def said():
    return []


@pytest.fixture(scope="module")
def made(out, killed, said):
    assert not (out / "result.json").exists()
    return toy_network.make(out, say=said.append)


def test_a_killed_one_goes_on(made, out, killed):
    assert {name: (out / name).stat().st_mtime_ns for name in killed} == killed
    log = [json.loads(x) for x in (out / "pilot/stream/log.jsonl").read_text().splitlines()]
    steps = [row["step"] for row in log]
    assert steps == sorted(set(steps)) and steps[-1] == toy_network.EFFORT.pilot_epochs
    assert list(made.seconds) == list(made.cpu_seconds) == STAGES
    assert 0 < sum(made.cpu_seconds.values())


def test_it_says_what_the_cells_receive(made, said):
    text = "\n".join(said)
    assert "3 cells looked at" in text
    assert "reversing at -80" in text and "other current: 0.05 nA" in text


def test_what_is_expected_is_said_before_what_was_measured(made, said):
    assert any(text.startswith("expected: Gamma") for text in said)
    assert not any("measured" in text for text in said)
    assert "expected: Gamma" in made.text() and "measured: Gamma" in made.text()


def test_the_card_has_the_measured_errors(made):
    card = load_stream(made.bundle).card
    assert card.ensemble == "PV" and card.celsius == 34.0 and card.latent_space.names == ()
    figures = {row["figure"] for row in card.errors}
    assert "surrogate/all/below_mV" in figures and "surrogate/received/below_mV" in figures
    low, high = card.g_range
    assert low >= 0 and high > 5e-3  # the barrages are in the training set


def test_done_again_nothing_is_made(made, out):
    weights = [out / x / "stream" / "best.safetensors" for x in ("pilot", "training")]
    before = [path.stat().st_mtime_ns for path in weights]
    again = toy_network.make(out, say=lambda text: None)
    assert again.expected == made.expected
    assert again.judged.records() == made.judged.records()
    assert [path.stat().st_mtime_ns for path in weights] == before


def test_it_stands_in_the_network(made):
    from netpyne import sim

    params = toy_network.network()
    labels = noble.replace(params, "PV", surrogate=str(made.bundle))
    assert labels == ["basket"]
    config = toy_network.config()
    config.duration = 20
    config.recordTraces = {"V": {"sec": "body", "loc": 0.5, "var": "v"}}
    config.recordCells = ["PV"]
    try:
        sim.createSimulate(params, config)
        assert [noble.cell_of(cell).stepper.card.ensemble for cell in sim.net.cells] == ["PV"] * 3
        voltages = np.array(list(sim.simData["V"].values()))
        assert np.isfinite(voltages).all() and np.ptp(voltages) > 0.5
    finally:
        sim.clearAll()
        sim.fih = []


def test_the_folder_of_another_population_is_refused(made, out):
    model = out / "model"
    index = json.loads((model / "index.npjson").read_text())
    assert set(index) == {"simConfig", "netParams"}
    with pytest.raises(InputError, match="holds a surrogate of another population"):
        noble.surrogate_for(model, "other", out=out, effort=toy_network.EFFORT)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: noble.surrogate_for(p, "PV", None, p), "its own cfg|No NetPyNE model"),
        (lambda p: noble.surrogate_for({}, "PV", None, p), "netParams must be NetPyNE's"),
        (lambda p: noble.surrogate_for(p, "PV", {}, p), "A model's folder has its own cfg"),
        (lambda p: noble.surrogate_for(p, "PV", out=p, operator="lstm"), "No streaming operator"),
        (lambda p: Effort(traces=3), "Effort.traces must be 20 or more: got 3"),
        (lambda p: Effort(minutes=0), "Effort.minutes must be above 0"),
    ],
)
def test_bad_input_is_one_error(call, message, tmp_path):
    with pytest.raises(InputError, match=message):
        call(tmp_path)


def test_the_command_line_says_what_is_missing(tmp_path, capsys):
    out = tmp_path / "made"
    model = ROOT / "examples" / "models" / "pv_network"
    assert main(["surrogate-for", str(model), "PVs", "--out", str(out)]) == 2
    assert "No population 'PVs'" in capsys.readouterr().err


def test_what_is_lacking_shrinks_with_the_steps():
    expected = Expectation(pilot=0.5, floor=0.9, steps=100, total=400)
    assert expected.gamma == pytest.approx(0.8)
    assert replace(expected, pilot=0.95).gamma == 0.95  # no worse than what there is
    assert "Gamma 0.80" in expected.text()
    assert "tells little" not in expected.text()
    assert "tells little" in replace(expected, pilot=0.1).text()
