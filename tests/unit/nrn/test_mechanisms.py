"""Compiling and loading, each in a fresh process: NEURON cannot unload."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from neuron import h

from noble_neuron.nrn import compiling, mechanisms

ROOT = Path(__file__).resolve().parents[3]
LOAD = "from noble_neuron.nrn import mechanisms; mechanisms.load()"


def run(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run `code` in a new Python that starts in `folder`."""
    world = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=world,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )


@pytest.fixture(scope="module")
def compiled(tmp_path_factory) -> tuple[Path, list[subprocess.CompletedProcess]]:
    """A new cache that two processes fill at the same time, each as an MPI rank would."""
    folder = tmp_path_factory.mktemp("race")
    code = LOAD + "; from neuron import h; h.Section().insert('nn_NaV'); print(h.nn_library)"

    def rank(number: int) -> subprocess.CompletedProcess:
        return run(
            code,
            folder,
            NOBLE_NEURON_CACHE=str(folder / "cache"),
            OMPI_COMM_WORLD_RANK=str(number),
            PMIX_RANK=str(number),
        )

    with ThreadPoolExecutor(2) as pool:
        return folder / "cache", list(pool.map(rank, range(2)))


def test_racing_processes_share_one_library(compiled):
    cache, answers = compiled
    assert [answer.returncode for answer in answers] == [0, 0], answers[0].stderr
    libraries = list(cache.rglob("libnrnmech*"))
    assert len(libraries) == 1
    assert {answer.stdout.strip() for answer in answers} == {str(libraries[0])}
    assert not list(cache.rglob("*.part"))


def test_second_use_neither_compiles_nor_speaks(compiled, tmp_path):
    cache, _ = compiled
    before = next(cache.rglob("libnrnmech*")).stat().st_mtime_ns
    answer = run(
        LOAD + "; mechanisms.load()",
        tmp_path,
        NOBLE_NEURON_CACHE=str(cache),
        NEURON_MODULE_OPTIONS="-nogui",
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    assert next(cache.rglob("libnrnmech*")).stat().st_mtime_ns == before
    assert not list(tmp_path.iterdir())


def test_a_changed_source_is_another_library(monkeypatch, tmp_path):
    before = compiling._key()
    shutil.copytree(compiling.mod_dir(), tmp_path / "mod")
    with open(tmp_path / "mod" / "nn_Kd.mod", "a") as file:
        file.write(": one line more\n")
    monkeypatch.setattr(compiling, "mod_dir", lambda: tmp_path / "mod")
    assert compiling._key() != before


def test_bare_nrniv(compiled, tmp_path):
    cache, _ = compiled
    nrniv = Path(sys.executable).parent / "nrniv"
    if not nrniv.exists():
        pytest.skip("this NEURON has no nrniv beside Python")
    (tmp_path / "cell.py").write_text(
        LOAD
        + "\nfrom neuron import h\nh.Section().insert('nn_NaTg')\nprint('inserted')\nh.quit()\n"
    )
    answer = subprocess.run(
        [nrniv, "-nogui", "-nobanner", "-python", "cell.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NOBLE_NEURON_CACHE": str(cache)},
    )
    assert "inserted" in answer.stdout, answer.stderr


def test_foreign_library_of_our_names(tmp_path):
    """Somebody compiled one of our files into their own mechanisms and starts beside them."""
    shutil.copy(compiling.mod_dir() / "nn_Kd.mod", tmp_path)
    tool, environment = compiling._nrnivmodl()
    subprocess.run([tool, "."], cwd=tmp_path, env=environment, check=True, capture_output=True)
    answer = run(LOAD, tmp_path, NOBLE_NEURON_CACHE=str(tmp_path / "cache"))
    assert answer.returncode == 1
    last = answer.stderr.strip().splitlines()[-1]
    assert "MechanismError: Duplicate mechanism library" in last
    assert "nn_Kd" in last and "nn_NaV" not in last and "start from another folder" in last
    assert not (tmp_path / "cache").exists()


def test_what_a_mechanism_includes_is_compiled_with_it(tmp_path):
    folder = tmp_path / "mod"
    folder.mkdir()
    (folder / "one.mod").write_text(
        "NEURON { SUFFIX nntest_included RANGE a }\nASSIGNED { a }\n"
        'INCLUDE "the_rest.inc"\nINITIAL { a = rest() }\n'
    )
    (folder / "the_rest.inc").write_text("FUNCTION rest() { rest = 3 }\n")
    before = compiling._key(folder)
    answer = run(
        "from noble_neuron.nrn import mechanisms; mechanisms.load_folder('mod')\n"
        "from neuron import h\n"
        "s = h.Section()\ns.insert('nntest_included')\nh.finitialize()\n"
        "print('a is', s(0.5).nntest_included.a)",
        tmp_path,
        NOBLE_NEURON_CACHE=str(tmp_path / "cache"),
    )
    assert "a is 3" in answer.stdout, answer.stderr
    (folder / "the_rest.inc").write_text("FUNCTION rest() { rest = 4 }\n")
    assert compiling._key(folder) != before


def test_no_compiler(tmp_path):
    answer = run(
        LOAD,
        tmp_path,
        NOBLE_NEURON_CACHE=str(tmp_path / "cache"),
        PATH=str(tmp_path),
        CC="",
        CXX="",
    )
    assert answer.returncode == 1
    assert "MechanismError: NEURON mechanisms are compiled on first use" in answer.stderr
    assert "apt install g++ make" in answer.stderr
    assert not list((tmp_path / "cache").rglob("libnrnmech*"))


def test_failing_compiler(tmp_path):
    answer = run(
        LOAD, tmp_path, NOBLE_NEURON_CACHE=str(tmp_path / "cache"), CC="false", CXX="false"
    )
    assert answer.returncode == 1
    assert "MechanismError: Compiling" in answer.stderr and "Its last words" in answer.stderr
    assert not list((tmp_path / "cache").rglob("libnrnmech*"))


def test_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "cache").write_text("a file, not a folder")
    answer = run(LOAD, tmp_path, NOBLE_NEURON_CACHE=str(tmp_path / "cache"))
    assert "MechanismError: Compiled mechanisms cannot be kept in" in answer.stderr
    assert "NOBLE_NEURON_CACHE" in answer.stderr


def test_damaged_library(compiled, tmp_path):
    cache, _ = compiled
    shutil.copytree(cache, tmp_path / "cache")
    next((tmp_path / "cache").rglob("libnrnmech*")).write_bytes(b"not a library")
    answer = run(LOAD, tmp_path, NOBLE_NEURON_CACHE=str(tmp_path / "cache"))
    assert "MechanismError: NEURON could not load" in answer.stderr
    assert "delete its folder" in answer.stderr


def test_every_mechanism_can_be_inserted():
    mechanisms.load()
    assert "nn_NaV" in mechanisms.names()
    for name in mechanisms.names():
        assert h.name_declared(name), f"mod/{name}.mod declares another name"


@pytest.mark.parametrize(
    "name, expected",
    [("pas", True), ("hh", True), ("nn_Ih", True), ("nn_SK", True), ("nn_CaDynamics", False)],
)
def test_which_mechanisms_carry_current(name, expected):
    """nn_CaDynamics reads ica and writes cai only."""
    mechanisms.load()
    assert mechanisms.carries_current(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("IClamp", True), ("SEClamp", True), ("Exp2Syn", False), ("nn_Conductance", False)],
)
def test_an_electrode_is_told_from_a_synapse(name, expected):
    mechanisms.load()
    assert mechanisms.is_electrode(name) is expected
