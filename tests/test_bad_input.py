"""Bad input: each case is one clear error that names file, key and remedy; nothing half written.

The table in docs/bad_input.md lists these cases; a test below holds it to them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from noble_neuron import errors

ROOT = Path(__file__).resolve().parents[1]
CASES = {}


def case(name, error, *says):
    """Register a function of (line, folder) that must raise `error` saying all of `says`."""

    def register(function):
        CASES[name] = (function, error, says)
        return function

    return register


@case("missing file", errors.InputError, "No such", "nothing.json")
def _(line, folder):
    from noble_neuron.simulate.study import Study

    Study.load(folder / "nothing.json")


def _swc(line, folder, text):
    path = folder / "bad.swc"
    path.write_text(text)
    cell = line.cells[0]
    replace(cell, source={**cell.source, "morphology": str(path)}).build()


@case("SWC without soma", errors.InputError, "bad.swc", "soma")
def _(line, folder):
    _swc(line, folder, "1 3 0 0 0 1 -1\n2 3 10 0 0 1 1\n")


@case("SWC with a cycle", errors.InputError, "bad.swc", "cycle")
def _(line, folder):
    _swc(line, folder, "1 1 0 0 0 5 -1\n2 3 10 0 0 1 3\n3 3 20 0 0 1 2\n")


def _allen(folder, row):
    from noble_neuron.cells.allen import load_allen

    (folder / "hof").mkdir()
    (folder / "reconstruction.swc").write_text("1 1 0 0 0 5 -1\n")
    content = {
        "passive": [{"ra": 100.0}],
        "conditions": [
            {
                "celsius": 34.0,
                "v_init": -80.0,
                "erev": [{"section": "soma", "ena": 53.0, "ek": -107.0}],
            }
        ],
        "genome": [row],
    }
    (folder / "hof" / "hof_param_1_0.json").write_text(json.dumps(content))
    for cell in load_allen(folder):
        cell.build().destroy()


@case("JSON with an unknown mechanism", errors.InputError, "hof_param_1_0.json", "Kv9_9")
def _(line, folder):
    _allen(folder, {"section": "soma", "name": "gbar_Kv9_9", "value": "0.1", "mechanism": "Kv9_9"})


@case("JSON with a string that is no number", errors.InputError, "hof_param_1_0.json", "abc")
def _(line, folder):
    _allen(folder, {"section": "soma", "name": "gbar_Kv3_1", "value": "abc", "mechanism": "Kv3_1"})


@case("another NEURON temperature than the cell's", errors.SimulationError, "ball0", "34", "20")
def _(line, folder):
    from neuron import h

    with line.cells[0].build() as live:
        before = h.celsius
        h.celsius = 20.0
        try:
            with pytest.raises(RuntimeError):  # hoc's way to pass on the error below, printed
                h.finitialize(-70)
            live.check_temperature()
        finally:
            h.celsius = before


@case("unknown feature", errors.InputError, "AP1_widht", "did you mean AP1_width")
def _(line, folder):
    from noble_neuron.features.efel import extract
    from noble_neuron.types import Trace

    t = np.arange(100.0)
    extract(Trace(t, t * 0 - 70), 10, 50, -20, ["AP1_widht"])


@case("empty protocol", errors.InputError, "'nothing' is empty", "Step(0.0")
def _(line, folder):
    from noble_neuron.protocols.protocol import Protocol

    Protocol("nothing", 515.0, ())


@case("NaN current in a protocol", errors.InputError, "amplitude", "nan")
def _(line, folder):
    from noble_neuron.protocols.protocol import noble_step

    noble_step(float("nan"))


@case("NaN current to a surrogate", errors.InputError, "current is nan", "step 3")
def _(line, folder):
    current = np.zeros(100)
    current[3] = np.nan
    line.surrogate.predict(current, line.latents["ball0"], 0.075)


@case("latent outside the hull", errors.OutsideTraining, "outside the hull", "encoded units")
def _(line, folder):
    line.surrogate.predict(np.zeros(100), (9.0, 900.0), 0.075)


@case("HDF5 truncated", errors.StoreError, "short.h5", "noble-neuron dataset")
def _(line, folder):
    from noble_neuron.store.hdf5 import Dataset

    content = Path(line.dataset).read_bytes()
    (folder / "short.h5").write_bytes(content[: len(content) // 2])
    Dataset.open(folder / "short.h5")


@case("a file that is no HDF5", errors.StoreError, "text.h5")
def _(line, folder):
    from noble_neuron.store.hdf5 import Dataset

    (folder / "text.h5").write_text("not hdf5")
    Dataset.open(folder / "text.h5")


@case("disk full", errors.StoreError, "report.html", "Nothing was written")
def _(line, folder):
    """A file system of 64 KiB, by the process's own limit on file sizes."""
    import resource
    import signal

    from noble_neuron.files import written_whole

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    heard = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, before[1]))
    try:
        with written_whole(folder / "report.html") as temporary:
            temporary.write_bytes(b"x" * (1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, heard)
        assert not list(folder.iterdir())


@case("GPU asked for and absent", errors.DeviceError, "cuda", "cpu")
def _(line, folder):
    from noble_neuron.surrogates.bundle import load

    load(line.folder / "bundle", "cuda:99")


def _bundle(line, folder):
    shutil.copytree(line.folder / "bundle", folder / "bundle")
    return folder / "bundle"


@case("bundle damaged", errors.BundleError, "weights.safetensors", "Copy the bundle anew")
def _(line, folder):
    from noble_neuron.surrogates.bundle import load

    weights = _bundle(line, folder) / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    load(weights.parent)


@case("bundle of a newer version", errors.BundleError, "card.json", "Update noble_neuron")
def _(line, folder):
    from noble_neuron.surrogates.bundle import load

    card = _bundle(line, folder) / "card.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "version": 99}))
    load(card.parent)


@case("folder that is no bundle", errors.BundleError, "card")
def _(line, folder):
    from noble_neuron.surrogates.bundle import load

    load(folder)


@case("unknown built-in surrogate", errors.BundleError, "no_such", "built-in")
def _(line, folder):
    from noble_neuron.surrogates.bundle import load

    load("no_such")


def _network(folder, swaps, **files):
    from noble_neuron.compare.network import compare_network

    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    compare_network(folder, swaps, folder / "out")


_CFG = "from netpyne import specs\ncfg = specs.SimConfig()\n"
_PARAMS = "from netpyne import specs\nnetParams = specs.NetParams()\n"


@case("no such model folder", errors.InputError, "No such folder", "missing")
def _(line, folder):
    _network(folder / "missing", {"PV": "pvalb"})


@case("folder without a NetPyNE model", errors.InputError, "No NetPyNE model", "index.npjson")
def _(line, folder):
    _network(folder, {"PV": "pvalb"}, init="")


@case("unknown surrogate for a population", errors.BundleError, "pvlab", "built-in")
def _(line, folder):
    _network(folder, {"PV": "pvlab"}, cfg=_CFG, netParams=_PARAMS)


@case("unknown population of a model", errors.InputError, "'Pv'", "did you mean PV", "SST")
def _(line, folder):
    pytest.importorskip("netpyne")
    params = _PARAMS + "netParams.popParams.update({k: {'numCells': 1} for k in ('PV', 'SST')})\n"
    _network(folder, {"Pv": "pvalb"}, cfg=_CFG, netParams=params)


@case("model that fails by itself", errors.ModelError, "as it is", "no gain 7", ".log")
def _(line, folder):
    pytest.importorskip("netpyne")
    params = _PARAMS + "raise RuntimeError('first line\\nno gain 7')\n"
    _network(folder, {"PV": "pvalb"}, cfg=_CFG, netParams=params)


def _recording(folder, version="2.7.0", step=None):
    """An NWB file of three sweeps of 1 s, their command the same step [ms] or noise."""
    import h5py

    rng = np.random.default_rng(0)
    path = folder / "recording.nwb"
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = version
        for k in range(3):
            current = 1e-10 * rng.normal(size=2000)
            if step:
                t = np.arange(2000) / 2
                current = 1e-10 * ((t >= step[0]) & (t < step[1]))
            for room, kind, unit, values in (
                ("acquisition", "CurrentClampSeries", "volts", np.full(2000, -0.07)),
                ("stimulus/presentation", "CurrentClampStimulusSeries", "amperes", current),
            ):
                series = file.create_group(f"{room}/sweep_{k}")
                series.attrs["neurodata_type"] = kind
                series.create_dataset("data", data=values).attrs["unit"] = unit
                series.create_dataset("starting_time", data=0.0).attrs["rate"] = 2000.0
    return path


def _squares(path):
    from noble_neuron.experiment.squares import long_squares
    from noble_neuron.store.nwb import read_sweeps

    return long_squares(read_sweeps(path))


@case("recording in NWB 1", errors.InputError, "NWB-1.0.5", "recording.nwb", "NWB 2")
def _(line, folder):
    _squares(_recording(folder, "NWB-1.0.5"))


@case("recording without long square steps", errors.InputError, "of 3 sweeps 0", "three sweeps")
def _(line, folder):
    _squares(_recording(folder))


@case("recording of a cell that never fires", errors.InputError, "No sweep fires", "0.1 nA")
def _(line, folder):
    from noble_neuron.experiment.measured import characterise_recording

    characterise_recording(_squares(_recording(folder, step=(200, 800))), -20.0)


@pytest.mark.parametrize("name", CASES)
def test_one_clear_error(line, tmp_path, name):
    run, error, says = CASES[name]
    with pytest.warns(error) if issubclass(error, Warning) else pytest.raises(error) as caught:
        run(line, tmp_path)
    text = str(caught[0].message if issubclass(error, Warning) else caught.value)
    for part in says:
        assert part in text, text
    assert "\n" not in text.strip()


def test_a_foreign_library_with_our_names(tmp_path):
    """NEURON loads what was compiled in the current folder; a library never leaves a process."""
    pytest.importorskip("neuron")
    source = (ROOT / "mod" / "nn_Im.mod").read_text()
    (tmp_path / "nn_Im.mod").write_text(source)
    (tmp_path / "run.py").write_text(
        "from noble_neuron.errors import MechanismError\n"
        "from noble_neuron.nrn import mechanisms\n"
        "try:\n"
        "    mechanisms.load()\n"
        "except MechanismError as error:\n"
        "    print('said:', error)\n"
    )
    build = subprocess.run(
        [str(Path(sys.executable).parent / "nrnivmodl"), "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert build.returncode == 0, build.stderr
    done = subprocess.run(
        [sys.executable, "run.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert "said:" in done.stdout, done.stderr
    assert "nn_" in done.stdout and "librar" in done.stdout


def test_the_documented_table_is_this_one():
    table = (ROOT / "docs" / "bad_input.md").read_text()
    listed = re.findall(r"^\| ([^|]+?) \|", table, flags=re.M)[2:]
    assert set(listed) == {*CASES, "a foreign library with our names"}
