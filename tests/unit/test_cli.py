"""The command line, as a user types it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from noble_neuron import __version__
from noble_neuron.cli import main
from noble_neuron.surrogates.bundle import load

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "noble_neuron", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_version():
    done = run("--version")
    assert (done.returncode, done.stdout.strip()) == (0, f"noble-neuron {__version__}")


def test_an_error_is_one_line_and_exit_status_2(tmp_path):
    done = run("compare", str(tmp_path / "no bundle"), "--cells", str(tmp_path / "study.json"))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "no bundle" in done.stderr


def test_an_interruption_says_how_to_go_on(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("noble_neuron.simulate.study.Study.load", interrupted)
    assert main(["dataset", "anything"]) == 130
    assert "same command goes on" in capsys.readouterr().err


def test_compare_prints_a_table_and_writes_a_report(line, tmp_path, capsys):
    report = tmp_path / "report.html"
    status = main(
        [
            "compare",
            str(line.folder / "bundle"),
            "--cells",
            str(line.folder / "study.json"),
            "--number",
            "3",
            "--currents",
            "-0.05",
            "0.1",
            "0.25",
            "--report",
            str(report),
        ]
    )
    printed = capsys.readouterr()
    assert status == 0
    assert "ball2" in printed.out and "times faster" in printed.out
    assert "held out" in printed.out and "full simulation: ball0" in printed.err
    assert report.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("command", [["compare"], ["reproduce", "maps", "--surrogate"]])
def test_without_cells_they_are_those_of_the_surrogates_card(command, line, tmp_path, capsys):
    bundle = str(line.folder / "bundle")
    out = ["--out", str(tmp_path)] if "maps" in command else ["--report", ""]
    assert main([*command, bundle, *out]) == 2
    own = load(bundle).card.ensemble
    assert f"No such study (or built-in ensemble): {own}" in capsys.readouterr().err


def test_currents_that_are_no_numbers(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["compare", "--currents", "0.1", "x"])
    assert stopped.value.code == 2
    assert "invalid float value: 'x'" in capsys.readouterr().err


def test_the_whole_line_from_cells_to_figures(line, tmp_path, capsys):
    """fi, dataset, train, evaluate: each takes what the one before it wrote."""
    study, data = str(tmp_path / "study.json"), str(tmp_path / "data.h5")
    training, figures = str(tmp_path / "training"), tmp_path / "figures.json"
    small = [
        "--layers",
        "1",
        "--hidden",
        "4",
        "--modes",
        "16",
        "--epochs",
        "1",
        "--clock-epochs",
        "1",
    ]
    commands = [
        [
            "fi",
            str(line.folder / "study.json"),
            "--high",
            "0.3",
            "--hold-out",
            "1",
            "--out",
            study,
            "--workers",
            "1",
        ],
        ["dataset", study, "--samples", "10", "--out", data, "--workers", "1"],
        ["train", data, study, "--out", training, "--latent", "I_thr,max_rate", *small],
        ["evaluate", f"{training}/bundle", data, study, "--floor", "1", "--out", str(figures)],
    ]
    for command in commands:
        assert main(command) == 0, capsys.readouterr().err
    printed = capsys.readouterr().out
    assert "I_thr [nA]" in printed and "held-out cells" in printed
    stored = json.loads(Path(study).read_text())
    assert len(stored["held_out"]) == 1 and stored["features"][0]["I_thr"] > 0
    assert any(r["figure"].startswith("surrogate/") for r in json.loads(figures.read_text()))


def test_a_streaming_line_takes_what_is_said_of_its_recipe(line, tmp_path, capsys):
    study, data = str(line.folder / "study.json"), str(tmp_path / "stream.h5")
    out = tmp_path / "training"
    train = ["train", data, study, "--operator", "stream_ode", "--latent", "I_thr,max_rate"]
    commands = [
        ["dataset", study, "--streaming", "--samples", "10", "--out", data, "--workers", "1"],
        [*train, "--memory", "4", "--width", "8", "--epochs", "1", "--free", "4.5", "--out", out],
    ]
    for command in commands:
        assert main(list(map(str, command))) == 0, capsys.readouterr().err
    card = json.loads((out / "bundle" / "card.json").read_text())
    assert "free_end_ms': 4.5" in str(card)
    other = ["train", data, study, "--operator", "noble_fno", "--free", "4.5"]
    assert main(other) == 2
    assert "--free means nothing to noble_fno" in capsys.readouterr().err
