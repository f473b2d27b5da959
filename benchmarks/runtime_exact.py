"""How exactly, and how fast, surrogates run inside NEURON: stand-ins against native cells.

Exactness: each network of tests/vs_neuron/networks.py with NEURON's own cells, and with exact
stand-ins behind clamps at several chunk lengths; NEURON itself at half the time step is the
floor. Cost: cells whose stepper does nothing, so what remains is NEURON's and the runtime's.
`python benchmarks/runtime_exact.py [ms of simulated time]`
"""

from __future__ import annotations

import gc
import sys
import time
import warnings
from dataclasses import dataclass

import numpy as np
from neuron import h
from record import ROOT, record

sys.path.insert(0, str(ROOT / "tests" / "vs_neuron"))

import networks  # noqa: E402

from noble_neuron.runtime import NobleCell  # noqa: E402
from noble_neuron.runtime.standins import PassiveCell  # noqa: E402

DT = 0.025  # ms
CHUNKS = (0.1, 0.25, 0.5, 1.0)  # ms
DURATION = 1000.0  # ms
REPEATS = 5


@dataclass(frozen=True)
class Idle(PassiveCell):
    """Stays where it is, at no cost."""

    def advance(self, state, latent, b, g):
        """The voltage it started from."""
        return np.repeat(state, b.shape[1], axis=1), state


def figures(name: str, label: str, compared: networks.Comparison) -> list[dict]:
    """Spikes moved and the largest shift of one answer."""
    common = {"split": name, "n": compared.spikes}
    return [
        {
            "figure": f"spikes moved by more than a step, {label}",
            "value": int(compared.moved),
            "unit": "spikes",
            **common,
        },
        {
            "figure": f"largest shift of a spike, {label}",
            "value": round(compared.shift, 4),
            "unit": "ms",
            **common,
        },
    ]


def exactness(duration: float) -> list[dict]:
    """All networks at all chunk lengths, and NEURON at half its step."""
    rows = []
    for name, build in networks.NETWORKS.items():
        h.dt = DT
        truth = build(networks.native()).run(duration)
        h.dt = DT / 2
        floor = networks.compare(truth, build(networks.native()).run(duration), DT)
        rows += figures(name, "NEURON at half its step", floor)
        h.dt = DT
        for chunk in CHUNKS:
            answer = build(networks.standin(chunk)).run(duration)
            compared = networks.compare(truth, answer, DT)
            print(f"{name}, chunk {chunk:g} ms: {compared}", flush=True)
            rows += figures(name, f"chunk of {chunk:g} ms", compared)
    return rows


def processor_time(duration: float) -> float:
    """Shortest of several runs of what is in memory [s], on one thread."""
    context, spent = h.ParallelContext(), []
    context.set_maxstep(10)
    for _ in range(REPEATS):
        h.finitialize(networks.V_INIT)
        begun = time.process_time()
        context.psolve(duration)
        spent.append(time.process_time() - begun)
    return min(spent)


def cost(cells: int, chunk: float) -> list[dict]:
    """Microseconds per chunk of bare sections, and of surrogates that cost nothing."""
    duration = 100.0 if cells > 100 else 500.0  # ms
    per_chunk = 1e6 * chunk / duration
    sections = [h.Section(name=f"bare{k}") for k in range(cells)]
    bare = processor_time(duration) * per_chunk
    del sections
    stepper = Idle(0.0126, chunk=chunk)
    surrogates = [NobleCell(stepper, (0.0, 0.0)) for _ in range(cells)]
    ours = processor_time(duration) * per_chunk
    begun = time.process_time()
    h.finitialize(networks.V_INIT)
    started = time.process_time() - begun
    del surrogates
    gc.collect()
    label = f"{cells} cell{'s' * (cells > 1)}, chunk of {chunk:g} ms"
    values = {
        f"bare sections, {label}": (bare, "us of processor time per chunk"),
        f"surrogates with an idle stepper, {label}": (ours, "us of processor time per chunk"),
        f"initialisation, {label}": (1e3 * started, "ms"),
    }
    for figure, (value, unit) in values.items():
        print(f"{figure}: {value:.2f} {unit}", flush=True)
    return [
        {"figure": figure, "value": round(value, 2), "unit": unit, "split": "cost", "n": cells}
        for figure, (value, unit) in values.items()
    ]


def main(duration: float) -> None:
    """Measure and record."""
    warnings.simplefilter("ignore")  # the dendrites' own
    h.celsius, h.dt = 6.3, DT
    rows = exactness(duration)
    networks.forget_junctions()
    for cells in (1, 100, 1000):
        for chunk in (0.1, 0.25):
            rows += cost(cells, chunk)
    record("runtime_exact", rows)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else DURATION)
