"""Ways to run, record, plot, save and load a swapped network."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("neuralop", reason="the shipped surrogates need torch and neuraloperator")
pytest.importorskip("netpyne")

from netpyne import sim
from neuron import h

import noble_neuron
import noble_neuron.hosts.netpyne_rules as noble
from noble_neuron import NobleCell
from noble_neuron.assets import library_dir
from noble_neuron.surrogates import load_stream

from .nets import config, network, run, spikes

pytestmark = pytest.mark.usefixtures("as_found")
ROOT = Path(__file__).resolve().parents[3]


def swapped(params=None, **given):
    params = params or network()
    noble.replace(params, "PV", surrogate="pvalb", **{"seed": 3, **given})
    return params


def test_a_cell_is_the_one_that_neuron_alone_would_have():
    """Same dendrites, synapse and step: the same voltage to the last digit."""
    params = network(cells=1, others=0)
    params.connParams.clear()
    params.stimTargetParams.clear()
    params.stimSourceParams["step"] = {"type": "IClamp", "del": 5, "dur": 100, "amp": 1.0}
    params.stimTargetParams["step"] = {"source": "step", "conds": {"pop": "PV"}} | {
        "sec": "dend_0",
        "loc": 0.5,
    }
    swapped(params, latent="pvalb/2")
    traces = {"V": {"sec": "soma", "loc": 0.5, "var": "v"}}
    run(params, recordTraces=traces, recordCells=["all"], recordStep=0.025)
    found = np.array(sim.simData["V"]["cell_0"])
    sim.clearAll()
    sim.fih = []  # what it has left would look for its cells
    cell = NobleCell("pvalb", "pvalb/2", own_tree=True)
    dendrites = [h.Section(name=f"dend_{k}") for k in range(2)]
    for k, section in enumerate(dendrites):
        section.connect(cell.soma(1 - k))
        section.L, section.diam, section.nseg, section.Ra = 150, 2, 3, 120
        section.insert("pas")
        section.g_pas, section.e_pas = 1e-4, -74
    clamp = h.IClamp(dendrites[0](0.5))
    clamp.delay, clamp.dur, clamp.amp = 5, 100, 1.0
    recorded = h.Vector().record(cell.soma(0.5)._ref_v)
    h.celsius, h.dt = 34, 0.025
    h.finitialize(-74)
    h.ParallelContext().psolve(60)
    assert found.max() > cell.threshold and len(found) == len(recorded)
    assert np.abs(found - recorded.as_numpy()).max() == 0


def test_runs_in_parts_and_with_other_solvers_settings_give_the_same_spikes(tmp_path):
    expected = run(swapped())
    assert sum(map(len, expected.values())) > 20
    seen = []
    sim.create(swapped(), config())
    sim.runSimWithIntervalFunc(7.5, lambda t: seen.append(t))
    sim.gatherData()
    assert spikes() == expected and len(seen) == 8
    assert run(swapped(), cache_efficient=True) == expected
    assert run(swapped(), oneSynPerNetcon=False) == expected
    folder = {"filename": str(tmp_path / "net"), "intervalFolder": str(tmp_path)}
    sim.create(swapped(), config(savePickle=True, **folder))
    sim.intervalSimulate(20)
    assert spikes() == expected
    assert (tmp_path / "interval_60.pkl").is_file()
    for k in range(2):  # twice in a row, without making the network anew
        sim.simulate()
        assert spikes() == expected, k


def test_seeds_of_the_configuration_have_their_say_and_not_on_the_latents():
    told = []
    for seeds in ({}, {"conn": 7}, {"stim": 7}, {"loc": 7}):
        given = config()
        given.seeds.update(seeds)
        params = swapped()
        params.connParams["PV->PV"]["probability"] = 0.5
        sim.createSimulateAnalyze(params, given)
        latents = [cell.tags["I_thr"] for cell in sim.net.cells[:4]]
        pairs = [(c["preGid"], cell.gid) for cell in sim.net.cells for c in cell.conns]
        told.append((latents, pairs, spikes(), [cell.tags["x"] for cell in sim.net.cells]))
    first, connections, stimuli, places = told
    assert all(each[0] == first[0] for each in told)
    assert connections[1] != first[1] and stimuli[1] == first[1]
    assert stimuli[2] != first[2] and places[3] != first[3]


PLOTS = {
    "plotRaster": {"orderBy": "gid"},
    "plotTraces": {"include": [0, ("PV", [1])]},
    "plotSpikeStats": {"include": ["PV", "other"], "graphType": "histogram"},
    "plotSpikeHist": {"include": ["eachPop"]},
    "plotConn": {"feature": "strength"},
    "plot2Dnet": {},
    "plotShape": {"includePost": [0], "showSyns": True},
    "plotRatePSD": {},
}


@pytest.mark.filterwarnings("ignore")  # of NetPyNE's own style files
def test_plots_and_statistics(tmp_path):
    plots = {
        name: {**given, "saveFig": str(tmp_path / f"{name}.png"), "showFig": False}
        for name, given in PLOTS.items()
    }
    traces = {"V": {"sec": "soma", "loc": 0.5, "var": "v"}}
    run(swapped(), recordTraces=traces, analysis=plots)
    made = " ".join(file.name for file in tmp_path.iterdir())
    assert [name for name in PLOTS if name not in made] == []
    rates = sim.analysis.popAvgRates(show=False)
    assert rates["PV"] == pytest.approx(
        sum(len(times) for gid, times in spikes().items() if gid < 4) / 4 / 0.06
    )


@pytest.mark.parametrize("kind", ["json", "pkl"])
def test_a_saved_network_runs_again(tmp_path, kind):
    file = {"filename": str(tmp_path / "net"), "saveJson": kind == "json"}
    first = run(swapped(latent="hull"), **file, savePickle=kind == "pkl")
    latents = [noble.cell_of(cell).latent for cell in sim.net.cells[:4]]
    sim.clearAll()
    sim.load(str(tmp_path / f"net_data.{kind}"), simConfig=config())
    sim.simulate()
    assert spikes() == first
    assert (np.array([noble.cell_of(c).latent for c in sim.net.cells[:4]]) == latents).all()
    sim.simulate()
    assert spikes() == first


def test_the_file_tells_what_the_cells_are(tmp_path):
    run(swapped(shift=-2.0), filename=str(tmp_path / "net"), saveJson=True)
    saved = json.loads((tmp_path / "net_data.json").read_text())
    card = json.loads((library_dir() / "pvalb" / "stream" / "card.json").read_text())
    for told in (saved["net"]["cells"][0], saved["net"]["params"]["cellParams"]["basket_PV"]):
        swap = told["secs"]["soma"]["pointps"]["noble"]["_swap"]
        assert swap["surrogate"] == "pvalb" and swap["weights"] == card["weights_sha256"]
        assert swap["version"] == noble_neuron.__version__ and swap["shift"] == -2
        assert (swap["seed"], swap["latent"], swap["pop"]) == (3, "cells", "PV")
    names = load_stream("pvalb").card.latent_space.names
    tags = saved["net"]["cells"][0]["tags"]
    assert tags["surrogate"] == "pvalb" and set(names) <= set(tags)


def test_other_weights_than_the_saved_networks_are_told(tmp_path):
    run(swapped(), filename=str(tmp_path / "net"), saveJson=True)
    file = tmp_path / "net_data.json"
    digest = json.loads((library_dir() / "pvalb" / "stream" / "card.json").read_text())
    file.write_text(file.read_text().replace(digest["weights_sha256"], "0" * 64))
    sim.clearAll()
    with pytest.warns(UserWarning, match="made with other weights of 'pvalb'"):
        sim.load(str(file), simConfig=config())


def test_the_package_knows_its_surrogates_from_a_saved_network_alone(tmp_path):
    """What a user needs in a fresh process: the import, and the file."""
    first = run(swapped(), filename=str(tmp_path / "net"), saveJson=True)
    script = tmp_path / "again.py"
    script.write_text(
        "import json, noble_neuron.hosts.netpyne_rules\n"
        "from netpyne import sim\n"
        "sim.loadSimulate('net_data.json')\n"
        "print('SPIKES', json.dumps(sorted(sim.simData['spkt'])))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.partition("SPIKES ")[2].splitlines()[0])
    assert found == sorted(t for times in first.values() for t in times)


BATCH = """
import nets
from netpyne.batchtools import comm, specs
from netpyne import sim
import noble_neuron.hosts.netpyne_rules as noble

cfg = specs.SimConfig(vars(nets.config(draw=0, cells=1)))
cfg.update()  # the batch's own values, by the environment
params = nets.network(cells=cfg.cells)
noble.replace(params, "PV", surrogate="pvalb", seed=cfg.draw)
sim.createSimulateAnalyze(params, cfg)
comm.send({"spikes": sorted(sim.simData["spkt"]), "seed": cfg.draw})
"""


def script(name, folder, given):
    """Run it there, with this folder's modules at hand."""
    paths = [str(ROOT), str(Path(__file__).parent), *sys.path]
    return subprocess.run(
        [sys.executable, name],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **given, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )


def test_a_job_of_a_batch(tmp_path):
    """As NetPyNE's batchtools starts one: a process with its parameters in the environment."""
    pytest.importorskip("batchtk", reason="batchtools needs batchtk and optuna")
    pytest.importorskip("optuna", reason="batchtools needs batchtk and optuna")
    (tmp_path / "job.py").write_text(BATCH)
    given = {"INTRUNTK0": "draw*=3", "INTRUNTK1": "cells*=4"}
    given |= {"STRRUNTK0": f"saveFolder*={tmp_path}", "STRRUNTK1": "simLabel*=job"}
    done = script("job.py", tmp_path, given)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])  # there is no server to send it to
    expected = run(swapped())
    assert found["spikes"] == sorted(t for times in expected.values() for t in times)


SEARCH = """
import sys
from netpyne.batchtools.search import search

found = search(
    job_type="sh",
    comm_type="sfs",
    algorithm="grid",
    params={"draw": [3, 4], "cells": [4]},
    metric="spikes",
    label="draws",
    run_config={"command": f"{sys.executable} job.py"},
    sample_interval=1,
    advanced_logging=False,
    ray_config={"num_cpus": 1, "include_dashboard": False},
)
"""


def test_a_search_over_the_draws(tmp_path):
    """NetPyNE's own search: it starts the jobs, one at a time, and gathers what they send."""
    for package in ("batchtk", "optuna", "sklearn", "ray.tune"):
        pytest.importorskip(package, reason="a search needs batchtk, optuna, scikit-learn, ray")
    job = BATCH.replace("cfg.update()", "cfg.update(); comm.initialize()")
    (tmp_path / "job.py").write_text(job.replace("sorted(sim", "len(sim"))
    (tmp_path / "search.py").write_text(SEARCH)
    done = script("search.py", tmp_path, {})
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "draws.csv") as file:
        rows = {float(row["draw"]): row for row in csv.DictReader(file)}
    assert rows.keys() == {3, 4}
    for draw, row in rows.items():
        assert float(row["seed"]) == draw
        assert float(row["spikes"]) == sum(map(len, run(swapped(seed=int(draw))).values()))
