"""noble.hoc from bare nrniv: as scripts, builders of networks and mpiexec use it."""

import ctypes.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from noble_neuron.assets import hoc_dir
from noble_neuron.surrogates import save

from ..surrogates import toys

ROOT = Path(__file__).resolve().parents[3]
MPI = ctypes.util.find_library("mpi")
NRNIV = Path(sys.executable).with_name("nrniv")

pytestmark = pytest.mark.skipif(not NRNIV.exists(), reason="no nrniv beside this Python")

# A ring as NEURON's network builder writes one: templates, a List of NetCons, pc.
RING = """
load_file("stdrun.hoc")
load_file("noble.hoc")
objref pc, cells, netcons, nil, nc, clamp, times, ids, point
pc = new ParallelContext()
cells = new List()
netcons = new List()
times = new Vector()
ids = new Vector()
point = new Vector(2)
point.x[0] = 0.12
point.x[1] = 300
proc build() { local k
    for (k = pc.id; k < 4; k += pc.nhost) {
        if (k % 2) { cells.append(new NobleCell("BUNDLE", "toy/1")) }
        if (k % 2 == 0) { cells.append(new NobleCell("BUNDLE", point)) }
        pc.set_gid2node(k, pc.id)
        cells.o(cells.count - 1).connect2target(nil, nc)
        pc.cell(k, nc)
        cells.o(cells.count - 1).soma cells.o(cells.count - 1).synlist.append(new ExpSyn(0.5))
        cells.o(cells.count - 1).synlist.o(0).tau = 2
        if (k == 0) {
            cells.o(0).soma clamp = new IClamp(0.5)
            clamp.del = 5
            clamp.dur = 40
            clamp.amp = 0.35
        }
        pc.spike_record(k, times, ids)
    }
}
proc wire() { local k, n
    n = 0
    for (k = pc.id; k < 4; k += pc.nhost) {
        netcons.append(pc.gid_connect((k + 3) % 4, cells.o(n).synlist.o(0)))
        netcons.o(n).weight = 0.05
        netcons.o(n).delay = 1.3
        n += 1
    }
}
build()
wire()
celsius = 34
pc.set_maxstep(10)
finitialize(-75)
pc.psolve(60)
proc show() { local k
    pc.barrier()
    for k = 0, times.size - 1 { printf("spike %g %.6f\\n", ids.x[k], times.x[k]) }
    pc.barrier()
}
show()
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    toy = toys.membrane(threshold=-60.0)
    return save(tmp_path_factory.mktemp("hoc") / "toy", toy.model, toy.card)


def run(script: str, folder: Path, *options: str, before: tuple[str, ...] = ()) -> str:
    """What nrniv prints."""
    path = folder / "script.hoc"
    path.write_text(script)
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "HOC_LIBRARY_PATH": str(hoc_dir()),
        "PYTHONEXE": sys.executable,
        "NRN_PYTHONEXE": sys.executable,
        "MPI_LIB_NRN_PATH": MPI or "",
    }
    done = subprocess.run(
        [*before, str(NRNIV), "-nogui", *options, str(path), "-c", "quit()"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stdout + done.stderr


def spikes(text: str) -> list[str]:
    # Ranks print at once: a line may begin behind another's words.
    return sorted(re.findall(r"spike \d+ \d+\.\d{6}", text))


def test_a_script_of_hoc(bundle, tmp_path):
    said = run(
        f"""
        load_file("stdrun.hoc")
        load_file("noble.hoc")
        objref cell, clamp
        cell = new NobleCell("{bundle}")
        cell.soma clamp = new IClamp(0.5)
        clamp.del = 5
        clamp.dur = 20
        clamp.amp = 0.3
        celsius = 34
        v_init = -75
        tstop = 20
        run()
        printf("t %g moved %d is_art %d\\n", t, cell.soma.v(0.5) > -70, cell.is_art())
        printf("latent %g threshold %g\\n", cell.py.latent[1], cell.threshold)
        cell.position(10, 20, 30)
        printf("at %g %g %g\\n", cell.x, cell.y, cell.z)
        """.replace("        ", ""),
        tmp_path,
    )
    assert "t 20 moved 1 is_art 0" in said, said
    assert "threshold -60" in said and "at 10 20 30" in said, said


def test_a_ring_of_templates(bundle, tmp_path):
    script = RING.replace("BUNDLE", str(bundle))
    plain = spikes(run(script, tmp_path))
    assert {line.split()[1] for line in plain} == {"0", "1", "2", "3"}, plain
    assert spikes(run(script, tmp_path, "-python")) == plain


@pytest.mark.skipif(
    None in (shutil.which("mpiexec"), MPI), reason="no mpiexec on this machine (openmpi-bin)"
)
@pytest.mark.parametrize("ranks", [2, 4])
def test_the_same_ring_on_ranks(bundle, tmp_path, ranks):
    script = RING.replace("BUNDLE", str(bundle))
    alone = spikes(run(script, tmp_path))
    options = ("--oversubscribe", "--allow-run-as-root", "-n", str(ranks))
    shared = spikes(run(script, tmp_path, "-mpi", before=("mpiexec", *options)))
    assert shared == alone and len(alone) >= 4


def test_what_is_wrong_is_said(bundle, tmp_path):
    said = run(
        f"""
        load_file("noble.hoc")
        objref cell
        cell = new NobleCell("{bundle}", "toy/9")
        """.replace("        ", ""),
        tmp_path,
    )
    assert "'toy/9' is no training cell of 'toy'" in said, said
