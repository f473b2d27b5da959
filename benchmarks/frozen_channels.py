"""Channels of dendrites, held as they are at rest: what is measured, and what it foretells.

    python benchmarks/frozen_channels.py

`pvalb` with other channels on its dendrites: what `simulate.freezing` says of single synapses, by
which channels are held or not; and, whatever it says, spikes under a barrage with the channels
held, the full cell's own soma behind the dendrites, beside the full cell's.
"""

from __future__ import annotations

import copy
import warnings
from dataclasses import replace

import numpy as np
from dendritic_psp import BARRAGE, LONG, WEIGHTS, is_dendrite, places
from neuron import h
from record import ROOT, record

from noble_neuron.cells.builtin import ensemble
from noble_neuron.cells.spec import HofCell, section_name
from noble_neuron.features.spiketrain import gamma
from noble_neuron.nrn import mechanisms
from noble_neuron.nrn.frozen import Frozens
from noble_neuron.simulate.dendrites import DT, EXCITING, INHIBITING, Bench
from noble_neuron.simulate.freezing import AMPLITUDE, LATE, REDUCED, measure

SEEDS = (1, 2)
CHANNELS = {
    "h current of another model, 0.01 mS/cm2": ("nnt_hd", {"ghdbar": 1e-5}),
    "the same, 0.1 mS/cm2": ("nnt_hd", {"ghdbar": 1e-4}),
    "the same, 0.3 mS/cm2": ("nnt_hd", {"ghdbar": 3e-4}),
    "the same, 0.1 mS/cm2, a thousand times as fast": (
        "nnt_hd",
        {"ghdbar": 1e-4, "faster": 1e3},
    ),
    "Im, 0.1 mS/cm2": ("nn_Im", {"gbar": 1e-4}),
    "Kv3_1, 1 mS/cm2": ("nn_Kv3_1", {"gbar": 1e-3}),
    "Kv3_1, 10 mS/cm2": ("nn_Kv3_1", {"gbar": 1e-2}),
    "NaV, 0.1 mS/cm2": ("nn_NaV", {"gbar": 1e-4}),
    "NaV, 10 mS/cm2": ("nn_NaV", {"gbar": 1e-2}),
}


def with_channel(cell: HofCell, mechanism: str, settings: dict) -> HofCell:
    """The cell with this on its dendrites beside the leak, in place of Ih."""
    source = copy.deepcopy(cell.source)
    dendrite = source["groups"]["dend"]
    dendrite["ek"], dendrite["ena"] = -90.0, 50.0
    dendrite["mechanisms"] = {"pas": dendrite["mechanisms"]["pas"], mechanism: settings}
    if mechanism.startswith("nnt"):
        del dendrite["ek"], dendrite["ena"]
    return replace(cell, name=f"{cell.name} with {mechanism}", source=source)


def spikes(cell: HofCell, tolerance: float | None, frozen: Frozens, seed: int) -> np.ndarray:
    """Spike times [ms] under a barrage."""
    bench = Bench(cell, tolerance, is_dendrite, frozen)
    bench.dendrites.sort(key=lambda s: int(s.name().split("[")[-1][:-1]))
    rng = np.random.default_rng(seed)
    for k, place in enumerate(places(cell, BARRAGE, 10 + seed)):
        times = np.cumsum(rng.exponential(25.0, 200))
        kind = EXCITING if k % 4 else INHIBITING
        bench.synapse(place, kind, WEIGHTS["pvalb"], times[times < LONG])
    v = bench.run(cell.v_init, LONG)
    bench.close()
    return np.flatnonzero((v[:-1] < -20) & (v[1:] >= -20)) * DT


def rows_of(label: str, cell: HofCell) -> list[dict]:
    """Of one channel."""
    with cell.build() as live:
        stems = [section_name(s) for s in live.soma.children() if is_dendrite(s)]
        reached = [section_name(s) for s in live.sections if is_dendrite(s)]
    found = measure(cell, stems, reached, lambda v: None)
    scores, rates = [], []
    for seed in SEEDS:
        truth, own = spikes(cell, None, (), seed), spikes(cell, REDUCED, found.frozen, seed)
        scores.append(gamma(own, truth, LONG))
        rates.append(1e3 * len(truth) / LONG)
    print(label, found.error, found.late, found.small, scores, rates, flush=True)

    bound = 100 * AMPLITUDE

    def row(figure: str, value: float, unit: str = "", n: int | None = None, goal=None) -> dict:
        return {
            "split": label,
            "figure": figure,
            "value": float(value),
            "unit": unit,
            "n": n,
            "goal": goal,
        }

    return [
        row(
            "single synapses: amplitude, largest error",
            100 * found.error,
            "%",
            None,
            bound,
        ),
        row("single synapses: time of peak, largest error", found.late, "ms", None, LATE),
        row("held (1) or not (0)", found.small),
        row("barrage, held: Gamma(2 ms), lowest", min(scores), "", len(SEEDS)),
        row("barrage: rate of the full cell", np.mean(rates), "Hz", len(SEEDS)),
    ]


def main() -> None:
    """Measure and record."""
    warnings.simplefilter("ignore")
    mechanisms.load()
    mechanisms.load_folder(ROOT / "tests" / "unit" / "hosts" / "mod")
    family = ensemble("pvalb")
    cell = family.cells[family.train[2]]
    h.celsius, h.dt = cell.celsius, DT
    rows = [rows_of(label, with_channel(cell, *each)) for label, each in CHANNELS.items()]
    record("frozen_channels", sum(rows, []))


if __name__ == "__main__":
    main()
