"""How much of an error in amplitude is where a spike falls on the grid.

    python benchmarks/amplitude_grid.py DATASET TRAINING

As noble_pvalb.py, which has to have run: the same currents. A spike is a few points of 0.075 ms
wide and its foot is a point where the slope passes a limit, so the same trace sampled a third of
a step later has another amplitude. That is one of the answers judged here; and all are judged
twice, on the grid, and brought to a third of its step by a cubic spline, truth and answer alike.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from noble_pvalb import FRESH_SEED, drawn_after, fresh
from record import record

from noble_neuron.compare import metrics
from noble_neuron.compare.baselines import TrainingTraces
from noble_neuron.protocols.protocol import Protocol
from noble_neuron.simulate.study import Study
from noble_neuron.store.decimate import FACTOR, low_passed
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.surrogates import bundle, grid
from noble_neuron.surrogates.surrogate import Surrogate
from noble_neuron.training.split import Split


class Part:
    """Samples on the surrogate's grid, and where the baselines look for them."""

    def __init__(
        self, surrogate: Surrogate, study: Study, data: Dataset, rows: np.ndarray
    ) -> None:
        latents = study.latents(surrogate.latent_space.names)
        names = data.table["cell"][rows]
        self.raw = np.stack([data.voltage(int(i)) for i in rows])
        self.voltage = low_passed(self.raw, FACTOR)
        self.current = data.decimated(FACTOR).current(rows)
        farthest = np.abs(self.current).argmax(axis=1)
        self.amplitude = self.current[np.arange(len(rows)), farthest]
        self.latent = np.array([latents[name] for name in names], dtype=float)
        self.encoded = surrogate.latent_space.encode(self.latent)
        self.cell = np.unique(names, return_inverse=True)[1]
        self.windows = np.array(
            [Protocol.from_dict(json.loads(data.table["protocol"][i])).window for i in rows]
        )

    def later(self, points: int) -> np.ndarray:
        """The same traces, sampled so many points of the simulation later [mV]."""
        shifted = np.pad(self.raw[:, points:], ((0, 0), (0, points)), mode="edge")
        return low_passed(shifted, FACTOR)


def firing(data: Dataset, rows: np.ndarray, threshold: float) -> np.ndarray:
    """Those of the rows whose voltage passes the threshold [mV]."""
    return np.array([i for i in rows if data.voltage(int(i)).max() > threshold])


def amplitudes(voltage: np.ndarray, part: Part, surrogate: Surrogate) -> dict[str, np.ndarray]:
    """Mean amplitude of each trace's spikes [mV], read on the grid and between its points."""
    own = surrogate.card.dt
    steps = (voltage.shape[1] - 1) * FACTOR
    grids = {
        "on the grid": (voltage, own),
        "between its points": (
            grid.voltage_onto(voltage, own, own / FACTOR, steps),
            own / FACTOR,
        ),
    }
    return {
        name: metrics.features(v, dt, part.windows, surrogate.threshold)["mean_AP_amplitude"]
        for name, (v, dt) in grids.items()
    }


def judged(surrogate: Surrogate, known: TrainingTraces, part: Part) -> list[dict]:
    """One record per answer and grid; once more without missed onsets where there are any."""
    answers = {
        "surrogate": surrogate.predict(part.current, part.latent, surrogate.card.dt),
        "nearest training trace": known.nearest(part.amplitude, part.encoded),
        "the same trace, sampled 0.025 ms later": part.later(1),
        "the same trace, sampled 0.05 ms later": part.later(2),
    }
    truth, rows = amplitudes(part.voltage, part, surrogate), []
    for name, answer in answers.items():
        for where, found in amplitudes(answer, part, surrogate).items():
            for note, which in ((where, slice(None)), (f"{where}, no miss", np.isfinite(found))):
                value = 100 * metrics.relative_feature(found[which], truth[where][which])
                n = len(found[which])
                if note == where or n < len(found):
                    rows.append({"figure": f"{name}: {note}", "value": value, "unit": "%", "n": n})
    return rows


def main(dataset: str, training: str) -> None:
    study, split = Study.load("pvalb"), Split.read(Path(training) / "split.json")
    surrogate = bundle.load(Path(training) / "bundle")
    new = fresh(study, Path(training))
    with Dataset.open(dataset) as data, Dataset.open(new) as drawn:
        seen = Part(surrogate, study, data, np.array(split.train))
        known = TrainingTraces(seen.voltage, seen.amplitude, seen.encoded, seen.cell)
        del seen
        rows = []
        for name, seed, source, which in (
            ("held-out currents", split.seed, data, np.array(split.test)),
            ("new currents", FRESH_SEED, drawn, drawn_after(study, new)["new currents"]),
        ):
            fires = firing(source, which, surrogate.threshold)
            found = judged(surrogate, known, Part(surrogate, study, source, fires))
            rows += [{**row, "split": name, "seed": seed} for row in found]
    for row in rows:
        print(f"{row['split']:20s} {row['figure']:64s} {row['value']:8.3f} % (n = {row['n']})")
    record("amplitude_grid", rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
