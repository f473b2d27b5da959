"""Training sets built by real processes: any number, some of them killed."""

import fcntl
import json
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from noble_neuron.cells import builtin
from noble_neuron.errors import InputError, StoreError
from noble_neuron.protocols.protocol import Protocol, noble_step
from noble_neuron.protocols.stimuli import OrnsteinUhlenbeck, Step
from noble_neuron.protocols.synapses import Barrage, ampa, gaba_a
from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.plan import Plan, Sample
from noble_neuron.simulate.run import simulate
from noble_neuron.store import Dataset

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
DURATION = 300.0  # ms


def noise(seed, duration=DURATION):
    """Current and conductance noise, another each time."""
    return Protocol(
        f"noise {seed}",
        duration,
        (
            OrnsteinUhlenbeck(0.1, 0.05, 5.0, 5.0, duration - 5.0, seed),
            Barrage(ampa(500, 0.002), gaba_a(300, 0.002), 5.0, duration - 5.0, seed),
        ),
    )


def hashes(path):
    with Dataset.open(path) as dataset:
        return dataset.content_hash()


SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {here!r}]
from noble_neuron.cells.python import load_python
from noble_neuron.simulate.dataset import build_dataset
from test_dataset import noise
cells = [load_python("small_cells:ball", {{"diameter": d}}, name=f"ball {{d}}", celsius=6.3,
                     v_init=-65.0, dt=0.025, threshold=-20.0) for d in (20.0, 24.0, 28.0)]
samples = [(k % 3, noise(k)) for k in range(24)]
build_dataset(cells, samples, sys.argv[1], workers=int(sys.argv[2]) or None, seed=5)
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """A program that builds one training set of 24 samples on 3 cells."""
    path = tmp_path_factory.mktemp("script") / "build.py"
    path.write_text(SCRIPT.format(root=str(ROOT), here=str(HERE)))
    return path


@pytest.fixture(scope="module")
def uninterrupted(script, tmp_path_factory):
    """Hashes of the set built in one go by one worker."""
    path = tmp_path_factory.mktemp("whole") / "set.h5"
    subprocess.run([sys.executable, str(script), str(path), "1"], check=True)
    return hashes(path)


def test_killed_at_any_moment_it_goes_on_to_the_same_arrays(script, uninterrupted, tmp_path):
    path = tmp_path / "set.h5"
    kills = 0
    # Later each time, so that the kills fall on the start, on every stage of the work, and,
    # with a last one as soon as all shards are there, on the writing of the file.
    for shards in (0, 1, 9, 23, 24):
        process = subprocess.Popen([sys.executable, str(script), str(path), "2"])
        parts = tmp_path / "set.h5.parts"
        while process.poll() is None and len(list(parts.glob("*.shard"))) < shards:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        assert not path.exists() or hashes(path) == uninterrupted
    assert kills >= 4
    subprocess.run([sys.executable, str(script), str(path), "3"], check=True)
    assert hashes(path) == uninterrupted
    assert [p.name for p in tmp_path.iterdir()] == ["set.h5"]


def test_a_killed_worker_costs_nothing(script, uninterrupted, tmp_path):
    path = tmp_path / "set.h5"
    process = subprocess.Popen([sys.executable, str(script), str(path), "2"])
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not list(tmp_path.glob("*.parts/*.shard")):
        time.sleep(0.005)
    os.kill(int(children.read_text().split()[0]), signal.SIGKILL)
    assert process.wait() == 0
    assert hashes(path) == uninterrupted


def test_mpi_ranks_build_the_same(script, uninterrupted, tmp_path):
    mpiexec = shutil.which("mpiexec")
    if mpiexec is None:
        pytest.skip("no mpiexec on this machine (Debian: openmpi-bin)")
    path = tmp_path / "set.h5"
    allowed = {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
    }
    answer = subprocess.run(
        [mpiexec, "-n", "3", sys.executable, str(script), str(path), "0"],
        env={**os.environ, **allowed},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert hashes(path) == uninterrupted
    assert [p.name for p in tmp_path.iterdir()] == ["set.h5"]


def test_each_sample_carries_what_made_it(small, tmp_path):
    cells = [small("ball", "a"), small("ball", "b", diameter=25.0)]
    samples = [Sample(1, noise(7, 50.0), seed=7), (0, noble_step(0.1, v_init=-70.0))]
    path = build_dataset(cells, samples, tmp_path / "set.h5", workers=1, seed=11)
    with Dataset.open(path) as dataset:
        table = dataset.table
        assert table["cell"].tolist() == ["b", "a"]
        assert table["hof"].tolist() == [-1, -1]
        assert table["seed"].tolist() == [7, 11]
        assert table["v_init"].tolist() == [-65.0, -70.0]
        assert table["dt"].tolist() == [0.025, 0.025]
        assert table["celsius"].tolist() == [6.3, 6.3]
        assert dataset.cells[1]["source"]["arguments"] == {"diameter": 25.0}
        protocol = Protocol.from_dict(json.loads(table["protocol"][0]))
        assert protocol == samples[0].protocol
        assert np.array_equal(dataset.voltage(0), simulate(cells[1], protocol).v.astype("f4"))
        middles = (np.arange(2001) + 0.5) * 0.025
        assert dataset.current(0) == pytest.approx(protocol.current(middles), rel=1e-6)
        b, g = dataset.conductance(0)
        assert g == pytest.approx(protocol.conductance(middles)[1], rel=1e-6)
        assert b == pytest.approx(protocol.conductance(middles)[0], rel=1e-6)


def test_a_cell_that_fails_is_a_logged_missing_row(small, tmp_path, caplog):
    cells = [
        small("ball"),
        small("refuses"),
        small("kills"),
        small("hangs"),
        small("passive", name="diverges", e=1e6),
        small("kills_once", note=str(tmp_path / "note")),
    ]
    samples = [(k, Protocol("s", 20.0, (Step(0.1, 5.0, 10.0),))) for k in range(6)]
    with caplog.at_level(logging.WARNING):
        path = build_dataset(cells, samples, tmp_path / "set.h5", workers=2, timeout=15.0)
    with Dataset.open(path) as dataset:
        assert dataset.ok.tolist() == [0, 5]
        reasons = dataset.table["reason"].tolist()
    for row, words in {
        1: "no such cell today",
        2: "the worker process died",
        3: "no answer within 15 s",
        4: "diverged: ",
    }.items():
        assert words in reasons[row]
        assert any(f"sample {row} " in r.message and words in r.message for r in caplog.records)


def test_a_finished_set_is_not_built_again(small, tmp_path):
    samples = [(0, Protocol("s", 20.0, (Step(0.1, 5.0, 10.0),)))]
    path = build_dataset([small("ball")], samples, tmp_path / "set.h5", workers=1)
    written = path.stat().st_mtime_ns
    assert build_dataset([small("ball")], samples, path, workers=1) == path
    assert path.stat().st_mtime_ns == written
    with pytest.raises(StoreError, match="holds another training set"):
        build_dataset([small("ball")], samples, path, workers=1, seed=1)


def test_another_builds_shards_are_not_mixed_in(small, tmp_path):
    (tmp_path / "set.h5.parts").mkdir()
    (tmp_path / "set.h5.parts" / "plan.json").write_text('{"plan": "other"}')
    with pytest.raises(StoreError, match="unfinished build of another training set"):
        build_dataset([small("ball")], [(0, noble_step(0.1))], tmp_path / "set.h5", workers=1)


def test_two_builds_of_one_file_do_not_meet(small, tmp_path):
    samples = [(0, Protocol("s", 20.0, (Step(0.1, 5.0, 10.0),)))]
    parts = tmp_path / "set.h5.parts"
    parts.mkdir()
    with open(parts / "lock", "w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="Another process is building .*set.h5 now"):
            build_dataset([small("ball")], samples, tmp_path / "set.h5", workers=1)
    build_dataset([small("ball")], samples, tmp_path / "set.h5", workers=1)
    assert not parts.exists()


@pytest.fixture
def small_files():
    """No file may grow beyond 200 kB: what a full disk looks like to whoever writes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    "duration, count", [(2000.0, 1), (100.0, 20)], ids=["in a worker", "while the file is written"]
)
def test_a_full_disk_is_one_clear_error(small, tmp_path, small_files, duration, count):
    from noble_neuron.nrn import mechanisms

    mechanisms.load()
    samples = [(0, noise(k, duration)) for k in range(count)]
    with pytest.raises(StoreError, match="Nothing was written; free some space .* the same build"):
        build_dataset([small("ball")], samples, tmp_path / "set.h5", workers=1)
    assert not (tmp_path / "set.h5").exists()
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    "samples, message",
    [
        ([], "at least one sample"),
        ([(2, noble_step(0.1))], "asks for cell 2, but there are 1 cells"),
        ([(0, Protocol("odd", 10.01, (Step(0.1, 1.0, 2.0),)))], "not a whole number of steps"),
    ],
)
def test_bad_samples_are_refused_before_anything_runs(small, samples, message, tmp_path):
    with pytest.raises(InputError, match=message):
        build_dataset([small("ball")], samples, tmp_path / "set.h5")
    assert not list(tmp_path.iterdir())


def test_a_coarse_grid_is_refused(small, tmp_path):
    with pytest.raises(InputError, match="would be recorded every 0.1 ms"):
        build_dataset([small("ball")], [(0, noble_step(0.1))], tmp_path / "s.h5", record_dt=0.1)


def test_nan_current_never_reaches_a_simulation():
    with pytest.raises(InputError, match="must be finite: got nan"):
        noble_step(float("nan"))


def test_a_plan_knows_a_cells_files_by_what_is_in_them(tmp_path):
    """A copy elsewhere is the same cell; another morphology in the same place is not."""
    cell = builtin.ensemble("pvalb").cells[0]
    swc = Path(cell.source["morphology"]).read_text()
    plans = []
    for folder, text in (("here", swc), ("there", swc), ("here", swc + "# moved\n")):
        path = tmp_path / folder / "cell.swc"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        moved = replace(cell, source={**cell.source, "morphology": str(path)})
        plans.append(Plan.of([moved], [(0, noble_step(0.1))], 0, None).key)
    assert plans[0] == plans[1] != plans[2]


def test_blocks_do_not_depend_on_who_runs_them(small):
    cells = [small("ball", "a"), small("ball", "b")]
    samples = [(k % 2, noise(k, 50.0)) for k in range(200)]
    blocks = Plan.of(cells, samples, 0, None).blocks()
    assert sorted(row for b in blocks for row in b.rows) == list(range(200))
    assert len(blocks) >= 64
    assert all({samples[row][0] for row in b.rows} == {"ab".index(b.cell.name)} for b in blocks)
