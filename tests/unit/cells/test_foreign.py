"""Cells that bring their own mod files; each in a fresh process, for NEURON cannot unload."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MOD = """
NEURON {
    SUFFIX other_leak
    NONSPECIFIC_CURRENT i
    RANGE g, e
    THREADSAFE
}
PARAMETER {
    g = 1e-4 (S/cm2)
    e = -70 (mV)
}
ASSIGNED {
    v (mV)
    i (mA/cm2)
}
BREAKPOINT {
    i = g*(v - e)
}
"""
BUILD = """
import sys
from noble_neuron.cells import load_netpyne
rule = {"secs": {"soma": {"geom": {"L": 20, "diam": 20, "nseg": 1, "Ra": 100, "cm": 1},
                          "mechs": {"other_leak": {"g": 2e-4}}}}}
cell = load_netpyne(rule, celsius=20.0, v_init=-70.0, threshold=0.0, mechanisms=sys.argv[1])
for _ in range(2):
    with cell.build() as live:
        print(live.soma(0.5).other_leak.g)
"""


def run(folder, code, *arguments):
    world = {**os.environ, "PYTHONPATH": str(ROOT), "NEURON_MODULE_OPTIONS": "-nogui"}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder,
        env=world,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture
def mods(tmp_path, monkeypatch):
    """A folder with one mechanism of somebody else's."""
    folder = tmp_path / "mods"
    folder.mkdir()
    (folder / "leak.mod").write_text(MOD)
    return folder


def test_foreign_mechanism(mods, tmp_path):
    answer = run(tmp_path, BUILD, mods)
    assert answer.stdout.split() == ["0.0002", "0.0002"], answer.stderr
    assert [p.name for p in mods.iterdir()] == ["leak.mod"]  # compiled elsewhere


def test_a_taken_name_is_one_clear_error(mods, tmp_path):
    (mods / "leak.mod").write_text(MOD.replace("other_leak", "nn_NaTg"))
    answer = run(tmp_path, BUILD.replace("other_leak", "nn_NaTg"), mods)
    assert "Duplicate mechanism library" in answer.stderr and "nn_NaTg" in answer.stderr


def test_no_mod_files(mods, tmp_path):
    (mods / "leak.mod").unlink()
    assert "holds no .mod file" in run(tmp_path, BUILD, mods).stderr
