"""A swapped network under mpiexec: the same spikes as in one process."""

import ctypes.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")
pytest.importorskip("netpyne")

from netpyne import sim

from . import ranks
from .nets import config

HERE = Path(__file__).parent
MPI = ctypes.util.find_library("mpi")


@pytest.mark.usefixtures("as_found")
@pytest.mark.skipif(
    None in (shutil.which("mpiexec"), MPI), reason="no mpiexec on this machine (openmpi-bin)"
)
def test_ranks_and_ways_of_saving_give_the_same(tmp_path):
    """Latents, gap junctions and the axons' delays among them."""
    sim.createSimulateAnalyze(ranks.model(), config(**ranks.RECORDED))
    expected = json.loads(json.dumps(ranks.gathered()))
    assert len(expected["spikes"]) > 50 and expected["delay"] > 0
    assert expected["traces"] == [f"cell_{gid}" for gid in range(8)]
    done = subprocess.run(
        ["mpiexec", "-n", "2", sys.executable, str(HERE / "ranks.py"), "told.json"],
        env={
            "MPI_LIB_NRN_PATH": MPI,
            **os.environ,
            "PYTHONPATH": str(HERE.parents[2]),
            "OMP_NUM_THREADS": "1",
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "OMPI_MCA_rmaps_base_oversubscribe": "1",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads((tmp_path / "told.json").read_text())
    for way in ("gathered", "by interval", "by rank"):
        assert found[way] == expected, way
    assert found["merged"]
