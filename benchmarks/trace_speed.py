"""A 515 ms trace: the full simulation against the surrogate, on all cores of this machine.

NEURON runs one process per core, each with one cell at a time, as fixed step, CVODE and
CoreNEURON; the surrogate runs one process with as many threads, at batch 1, 32 and 256. All in
one run, the cells built and the weights loaded beforehand.

    python benchmarks/trace_speed.py [SURROGATE CELLS]      (pvalb pvalb)
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from record import processor, record

from noble_neuron.assets import mod_dir
from noble_neuron.cells.spec import HofCell
from noble_neuron.errors import OutsideTraining
from noble_neuron.nrn import mechanisms
from noble_neuron.protocols.protocol import noble_step
from noble_neuron.simulate.run import simulate
from noble_neuron.simulate.study import Study
from noble_neuron.simulate.workers import cores

CELLS = 4
CURRENTS = 4
BATCHES = (1, 32, 256)
CVODE_ATOL = 1e-3
CLAMP = "nn_Clamp"  # it needs NEURON's own solver, and no cell of an ensemble has one


def compiled_for_coreneuron(folder: Path) -> str | None:
    """Compile the mechanisms for CoreNEURON too; the reason, if that is not to be had here."""
    for source in mod_dir().glob("*.mod"):
        if source.stem == CLAMP:
            continue
        (folder / source.name).write_text(source.read_text())
    tool = Path(sys.executable).parent / "nrnivmodl"
    done = subprocess.run(
        [str(tool), "-coreneuron", "."], cwd=folder, capture_output=True, text=True
    )
    if done.returncode == 0:
        return None
    return (done.stderr or done.stdout).strip().splitlines()[-1]


def use_coreneuron(folder: str) -> None:
    """Make this process simulate with CoreNEURON, which looks for its library where it runs."""
    os.chdir(folder)
    from neuron import coreneuron, h

    h.nrn_load_dll(str(next(Path(folder).glob("*/libnrnmech.so"))))
    h("strdef nn_library")  # the mark that `mechanisms` leaves: these are ours
    h.nn_library = folder
    h.CVode().cache_efficient(True)
    coreneuron.enable, coreneuron.verbose = True, 0


def neuron_seconds(cell: HofCell, amplitudes: list[float], atol: float | None) -> list[float]:
    """Wall time of each trace [s], after one to warm up."""
    took = []
    with cell.build() as live:
        simulate(live, noble_step(amplitudes[0]), cvode_atol=atol)
        for amplitude in amplitudes:
            began = time.perf_counter()
            simulate(live, noble_step(amplitude), cvode_atol=atol)
            took.append(time.perf_counter() - began)
    return took


def neuron_per_trace(cells, amplitudes, atol=None, coreneuron_folder=None) -> float:
    """Wall time per trace with all cores at work [s]."""
    count = cores()
    start = {}
    if coreneuron_folder:
        start = {"initializer": use_coreneuron, "initargs": (str(coreneuron_folder),)}
    jobs = [(cell, amplitudes, atol) for cell in cells]
    with ProcessPoolExecutor(count, get_context("spawn"), **start) as pool:
        took = np.concatenate(list(pool.map(neuron_seconds, *zip(*jobs, strict=True))))
    return float(took.mean()) / min(count, len(cells))


def surrogate_per_trace(surrogate, latents, amplitudes, batch: int) -> float:
    """Wall time per trace at this batch size, all threads [s]."""
    dt = surrogate.card.dt
    t = np.arange(round(515.0 / dt) + 1) * dt
    chosen = np.resize(amplitudes, batch)
    current = ((t >= 15) & (t < 415)) * chosen[:, None]
    points = np.resize(latents, (batch, latents.shape[1]))
    surrogate.predict(current, points, dt)
    took = []
    for _ in range(max(3, 32 // batch)):
        began = time.perf_counter()
        surrogate.predict(current, points, dt)
        took.append(time.perf_counter() - began)
    return float(np.median(took)) / batch


def main(surrogate_name: str = "pvalb", cells_name: str = "pvalb") -> None:
    mechanisms.load()
    study = Study.load(cells_name)
    cells = [study.cells[k] for k in study.training[:CELLS]]
    import torch

    from noble_neuron.surrogates.bundle import load

    torch.set_num_threads(cores())
    surrogate = load(surrogate_name)
    amplitudes = np.linspace(0.0, 0.95 * surrogate.card.current_range[1], CURRENTS).tolist()
    full = {
        "NEURON, fixed step": neuron_per_trace(cells, amplitudes),
        "NEURON, CVODE": neuron_per_trace(cells, amplitudes, CVODE_ATOL),
    }
    with tempfile.TemporaryDirectory() as folder:
        reason = compiled_for_coreneuron(Path(folder))
        if reason is None:
            full["CoreNEURON, fixed step"] = neuron_per_trace(
                cells, amplitudes, coreneuron_folder=folder
            )
        else:
            print(f"CoreNEURON: not to be had here ({reason})")
    points = np.array([study.latents(surrogate.latent_space.names)[c.name] for c in cells])
    warnings.simplefilter("ignore", OutsideTraining)
    fast = {b: surrogate_per_trace(surrogate, points, amplitudes, b) for b in BATCHES}
    rows = [
        {
            "figure": f"{name}, per trace",
            "value": 1e3 * s,
            "unit": "ms",
            "n": CELLS * CURRENTS,
            "split": f"{cells[0].name} and {CELLS - 1} more, dt {cells[0].dt:g} ms",
        }
        for name, s in full.items()
    ]
    rows += [
        {"figure": f"surrogate, batch {b}, per trace", "value": 1e3 * s, "unit": "ms", "n": b}
        for b, s in fast.items()
    ]
    rows += [
        {"figure": f"{name} / surrogate, batch {b}", "value": slow / s, "unit": "x"}
        for name, slow in full.items()
        for b, s in fast.items()
    ]
    for row in rows:
        print(f"{row['figure']:48s} {row['value']:10.3f} {row['unit']}")
    record("trace_speed", rows, f"{processor()}, {cores()} used by each side")


if __name__ == "__main__":
    main(*sys.argv[1:])
