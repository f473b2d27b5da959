"""Model folders: which files are taken, and that they are loaded once and configured first."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from noble_neuron.errors import InputError
from noble_neuron.hosts.netpyne_model import find_model

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "examples" / "models"


def made(folder, *names, index=None):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    if index is not None:
        (folder / "index.npjson").write_text(json.dumps(index))
    return folder


def test_an_index_names_the_files(tmp_path):
    index = {"simConfig": "src/c.py", "netParams": "src/n.py", "mod_folder": "mods"}
    index["simConfig_variable"] = "settings"
    found = find_model(made(tmp_path, "src/c.py", "src/n.py", "mods/a.mod", index=index))
    assert (found.config, found.params) == (tmp_path / "src/c.py", tmp_path / "src/n.py")
    assert found.mod == tmp_path / "mods" and found.names["simConfig"] == ("settings",)


def test_older_indices_and_indices_of_other_names(tmp_path):
    folder = made(tmp_path, "c.py", "n.py")
    said = json.dumps({"simConfig_python": "c.py", "netParams_python": "n.py"})
    (folder / "index_net.npjson").write_text(said)
    assert find_model(folder) == find_model(folder / "index_net.npjson")
    assert find_model(folder).config == tmp_path / "c.py"


@pytest.mark.parametrize("config", ["cfg.py", "simConfig.py"])
@pytest.mark.parametrize("place", ["", "src/"])
def test_the_usual_names_without_an_index(tmp_path, config, place):
    folder = made(tmp_path, place + config, place + "netParams.py", "mod/a.mod")
    found = find_model(folder)
    assert (found.root, found.config.name, found.mod) == (tmp_path, config, tmp_path / "mod")
    (tmp_path / "mod/a.mod").unlink()
    assert find_model(folder).mod is None


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({"simConfig": "c.py"}, "does not say where netParams is"),
        ({"simConfig": "c.py", "netParams": "no.py"}, "names no.py as its netParams"),
        ({"simConfig": "c.py", "netParams": "c.py", "mod_folder": "mod"}, "no .mod file"),
        (["c.py"], "must hold an object"),
    ],
)
def test_an_index_that_cannot_be_followed(tmp_path, index, message):
    with pytest.raises(InputError, match=message):
        find_model(made(tmp_path, "c.py", index=index))


def test_several_indices_are_named(tmp_path):
    made(tmp_path, "a.npjson", "b.npjson")
    with pytest.raises(InputError, match="a.npjson, b.npjson"):
        find_model(tmp_path)


def test_the_fingerprint_follows_sources_and_not_what_is_compiled(tmp_path):
    found = find_model(made(tmp_path, "cfg.py", "netParams.py", "cells/one.hoc"))
    before = found.fingerprint
    made(tmp_path, "__pycache__/cfg.py", "x86_64/special")
    assert found.fingerprint == before
    (tmp_path / "cells/one.hoc").write_text("create soma")
    assert found.fingerprint != before


def run(code, folder):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("way", ["from cfg import cfg", "from __main__ import cfg"])
def test_parameters_see_the_configuration_of_the_run(tmp_path, way):
    """However they import it; a second copy would not have the run's seed."""
    (tmp_path / "cfg.py").write_text("print('once')\nclass cfg:\n    seed = 1\n")
    (tmp_path / "netParams.py").write_text(f"{way}\nclass netParams:\n    seed = cfg.seed\n")
    out = run(
        "from noble_neuron.hosts.netpyne_model import find_model, load_model\n"
        "cfg, params = load_model(find_model('.'), lambda cfg: setattr(cfg, 'seed', 7))\n"
        "print(cfg.seed, params.seed)",
        tmp_path,
    )
    assert out.splitlines() == ["once", "7 7"]


def test_the_example_with_an_index_and_mechanisms_loads(tmp_path):
    pytest.importorskip("netpyne")
    out = run(
        "import sys\n"
        "from noble_neuron.hosts.netpyne_model import find_model, load_model\n"
        f"cfg, params = load_model(find_model({str(MODELS / 'ei_network')!r}), lambda cfg: None)\n"
        "from neuron import h\n"
        "print(hasattr(h, 'nnx_Junction'), list(params.popParams), cfg.duration)",
        tmp_path,
    )
    assert out.splitlines()[-1] == "True ['E', 'PV'] 1000"
