"""Whoever runs NEURON, and however, the surrogates come along."""

import ctypes.util
import gc
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from neuron import h

from noble_neuron import runtime
from noble_neuron.errors import NobleError
from noble_neuron.runtime.standins import PassiveCell

from . import rings

ROOT = Path(__file__).resolve().parents[3]
UNTIL = 40.0  # ms


def run_by_h_run():
    h.tstop = UNTIL
    h.run()


def run_by_fadvance():
    h.finitialize(-65)
    while h.t < UNTIL - h.dt / 2:
        h.fadvance()


def run_by_continuerun():
    h.finitialize(-65)
    h.continuerun(UNTIL)


def run_in_pieces():
    """Pieces that end within chunks and at their ends."""
    h.finitialize(-65)
    for until in (0.1, 7.0, 13.375, UNTIL):
        rings.psolve(until)


@pytest.fixture(scope="module")
def expected():
    """Spikes of the ring under psolve."""
    h.celsius, h.dt = rings.CELSIUS, 0.025
    h.ParallelContext().set_maxstep(10)
    ring = rings.Ring()
    h.finitialize(-65)
    rings.psolve(UNTIL)
    spikes = ring.spikes()
    assert sum(map(len, spikes)) >= 8
    return spikes


@pytest.mark.parametrize("run", [run_by_h_run, run_by_fadvance, run_by_continuerun, run_in_pieces])
def test_every_run_call_gives_the_same_spikes(expected, run):
    ring = rings.Ring()
    run()
    assert ring.spikes() == expected


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_give_the_same_spikes(expected, threads):
    ring = rings.Ring()
    h.ParallelContext().nthread(threads)
    h.finitialize(-65)
    rings.psolve(UNTIL)
    assert ring.spikes() == expected


def test_repeated_runs_are_the_same(expected):
    ring = rings.Ring()
    for _ in range(2):
        h.finitialize(-65)
        rings.psolve(UNTIL)
        assert ring.spikes() == expected
    h.finitialize(-65)
    rings.psolve(3.3)  # left in the middle of a chunk
    h.finitialize(-65)
    rings.psolve(UNTIL)
    assert ring.spikes() == expected


def test_the_number_of_cells_does_not_matter(expected):
    """Rows of one batch are independent of each other."""
    ring = rings.Ring()
    others = rings.Ring((rings.SQUID,) * 7)
    h.finitialize(-65)
    rings.psolve(UNTIL)
    assert ring.spikes() == expected
    assert len(others.cells) == 7


def test_cells_come_and_go_between_runs(expected):
    first = rings.Ring()
    h.finitialize(-65)
    rings.psolve(5)
    second = rings.Ring()
    del first
    gc.collect()
    assert len(h.List("nn_Clamp")) == len(second.cells)
    h.finitialize(-65)
    rings.psolve(UNTIL)
    assert second.spikes() == expected


def test_a_deleted_section_leaves_the_others_running(expected):
    ring, lone = rings.Ring(), runtime.NobleCell(rings.SQUID, rings.CLASSIC)
    h.delete_section(sec=lone.soma)
    h.finitialize(-65)
    rings.psolve(UNTIL)
    assert ring.spikes() == expected


def test_a_cell_deleted_during_a_run(expected):
    ring = rings.Ring()
    lone = runtime.NobleCell(rings.SQUID, rings.CLASSIC)
    h.finitialize(-65)
    rings.psolve(10)
    del lone
    rings.psolve(UNTIL)
    assert ring.spikes() == expected


def test_several_steppers_with_chunks_of_their_own(expected):
    """Chunks of 0.25, 0.1 and 0.05 ms share one chain of events."""
    short, shorter = (replace(rings.SQUID, chunk=chunk) for chunk in (0.1, 0.05))
    ring = rings.Ring((rings.SQUID, short, shorter, rings.SQUID))
    passive = runtime.NobleCell(PassiveCell(0.0126, chunk=0.25), (0.0038, -65.0))
    v = rings.voltage(passive)
    h.finitialize(-70)
    h.finitialize(-65)
    rings.psolve(UNTIL)
    assert ring.spikes() == expected
    assert v.max() - v.min() < 1e-6  # mV: it was left at its reversal potential


@pytest.mark.parametrize("until", [10.0, 10.1], ids=["between chunks", "within a chunk"])
def test_save_and_restore(expected, until):
    """NEURON's SaveState knows the network; the runtime's snapshot knows the surrogates."""
    ring = rings.Ring()
    h.finitialize(-65)
    rings.psolve(until)
    saved, snapshot = h.SaveState(), pickle.dumps(runtime.save())
    saved.save()
    rings.psolve(25)  # somewhere else
    h.finitialize(-65)
    saved.restore()
    runtime.restore(pickle.loads(snapshot))
    rings.psolve(UNTIL)
    after = [[t for t in times if t > until] for times in expected]
    assert [[t for t in times if t > until] for times in ring.spikes()] == after


def test_restoring_neuron_alone_is_refused(capfd):
    ring = rings.Ring()
    h.finitialize(-65)
    rings.psolve(10)
    saved = h.SaveState()
    saved.save()
    h.finitialize(-65)
    saved.restore()
    with pytest.raises(RuntimeError) as caught:
        rings.psolve(20)
    assert "after SaveState.restore, noble_neuron.runtime.restore too" in rings.said(caught, capfd)
    assert ring.cells


def test_a_snapshot_of_other_cells_is_refused():
    ring = rings.Ring()
    h.finitialize(-65)
    snapshot = runtime.save()
    other = runtime.NobleCell(rings.SQUID, rings.CLASSIC)
    h.finitialize(-65)
    with pytest.raises(NobleError, match="the same cells in the same order"):
        runtime.restore(snapshot)
    assert ring.cells and other


def test_a_cell_made_during_a_run_is_refused(capfd):
    ring = rings.Ring()
    h.finitialize(-65)
    rings.psolve(1)
    late = runtime.NobleCell(rings.SQUID, rings.CLASSIC)
    with pytest.raises(RuntimeError) as caught:
        rings.psolve(2)
    assert "new since the last initialisation" in rings.said(caught, capfd)
    assert ring.cells and late


GARBAGE = """
import gc, sys
from neuron import h
sys.path.insert(0, {folder!r})
from noble_neuron.runtime import NobleCell
from noble_neuron.runtime.standins import HodgkinHuxley

class Owner:
    pass

squid, owner = HodgkinHuxley(area=1256.637), Owner()
owner.itself, owner.cell = owner, NobleCell(squid, (0.12, 0.036, 0.0003))
stays = NobleCell(squid, (0.12, 0.036, 0.0003))

def drop():
    global owner
    owner = None
    gc.set_threshold(1)
    gc.enable()

gc.disable()
h.celsius = 6.3
h.finitialize(-65)
h.CVode().event(1, drop)
h.ParallelContext().set_maxstep(10)
h.ParallelContext().psolve(5)
print(len(h.List("nn_Clamp")))
"""


def test_garbage_is_not_collected_within_a_step(tmp_path):
    """A cell in a cycle with itself, dropped during a run, would be deleted in our callback."""
    script = tmp_path / "garbage.py"
    script.write_text(GARBAGE.format(folder=str(ROOT)))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] in ("1", "2")


class Broken(PassiveCell):
    """Answers a voltage that is none."""

    def advance(self, state, latent, b, g):
        v, state = super().advance(state, latent, b, g)
        return (v if b.max() < 0.05 else v * float("nan")), state


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stepper_that_fails_stops_the_run(capfd, threads):
    """Once with its reason; going on without an answer is refused too, on whatever thread."""
    idle = h.Section(name="idle")  # takes the first thread
    cell = runtime.NobleCell(Broken(0.0126), (0.0038, -65.0), gid=7)
    clamp = h.IClamp(cell.soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 2, 1e9, 0.1
    h.ParallelContext().nthread(threads)
    h.finitialize(-65)
    with pytest.raises(RuntimeError) as caught:
        rings.psolve(10)
    assert "NobleCell[7]: its stepper answered a voltage that is not" in rings.said(caught, capfd)
    assert 2 < h.t < 2.6
    with pytest.raises(RuntimeError) as caught:
        rings.psolve(10)
    assert "No voltage was written" in rings.said(caught, capfd)
    assert idle


PARALLEL = """
import sys
from neuron import h
h.nrnmpi_init()
pc = h.ParallelContext()
rank, size = int(pc.id()), int(pc.nhost())
assert size == {ranks}
sys.path.insert(0, {folder!r})
from noble_neuron.runtime import NobleCell
from noble_neuron.runtime.standins import HodgkinHuxley
squid = HodgkinHuxley(area=1256.637)
held, synapses = [], {{}}
for gid in range(rank, 4, size):
    cell = NobleCell(squid, (0.12, 0.036 + 0.001 * gid, 0.0003), gid=gid)
    clamp, synapse = h.IClamp(cell.soma(0.5)), h.Exp2Syn(cell.soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = 1 + 0.37 * gid, 1e9, 0.08 + 0.02 * gid
    synapse.tau1, synapse.tau2 = 0.3, 2.0
    source = h.NetCon(cell.soma(0.5)._ref_v, None, sec=cell.soma)
    source.threshold = cell.threshold
    pc.set_gid2node(gid, rank)
    pc.cell(gid, source)
    held += [cell, clamp, synapse, source]
    synapses[gid] = synapse
times, gids = h.Vector(), h.Vector()
pc.spike_record(-1, times, gids)
for gid, synapse in synapses.items():
    netcon = pc.gid_connect((gid - 1) % 4, synapse)
    netcon.delay, netcon.weight[0] = 1.2, 0.004
    held.append(netcon)
h.celsius, h.dt = 6.3, 0.025
pc.set_maxstep(10)
h.finitialize(-65)
pc.psolve({until})
with open(f"spikes{{rank}}", "w") as file:
    for t, gid in zip(times, gids):
        print(int(gid), repr(t), file=file)
pc.barrier()
h.quit()
"""


@pytest.mark.parametrize("ranks", [1, 2])
def test_ranks_give_the_same_spikes(expected, tmp_path, ranks):
    """Each rank drives its own cells; spikes travel as ever."""
    mpiexec, library = shutil.which("mpiexec"), ctypes.util.find_library("mpi")
    if mpiexec is None or library is None:
        pytest.skip("no mpiexec on this machine (Debian: openmpi-bin)")
    script = tmp_path / "ring.py"
    script.write_text(PARALLEL.format(folder=str(ROOT), until=UNTIL, ranks=ranks))
    environment = {
        "MPI_LIB_NRN_PATH": library,
        **os.environ,
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
    }
    done = subprocess.run(
        [mpiexec, "-n", str(ranks), sys.executable, str(script)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("spikes*"))) == ranks
    found = [[] for _ in expected]
    for line in "".join(f.read_text() for f in tmp_path.glob("spikes*")).splitlines():
        gid, time = line.split()
        found[int(gid)].append(float(time))
    assert found == expected
