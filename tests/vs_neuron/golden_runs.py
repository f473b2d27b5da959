"""Golden runs of the reference data, and how far ours are from them.

The reference data are not part of the repository; where they are absent, tests skip.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noble_neuron.cells import HofCell, load_allen, load_hl23
from noble_neuron.features.efel import extract, spike_times
from noble_neuron.protocols.protocol import Protocol
from noble_neuron.protocols.stimuli import Sampled, Step
from noble_neuron.simulate.run import simulate
from noble_neuron.types import Trace

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
ALLEN = DATA / "allen_pvalb_485184849"
HL23 = DATA / "hl23"
WHY = "the reference data are not beside the repository (../shared/data)"


@dataclass(frozen=True)
class Deviation:
    """One run against its golden trace.

    Attributes:
        label: Cell and stimulus.
        count: Our number of spikes.
        golden: Theirs.
        spikes: Largest difference in spike time [ms]; NaN where the counts differ.
        voltage: Largest difference in voltage until 1 ms before the first golden spike [mV].
        robust: Whether the amplitude lies where the reference calls counts robust.
    """

    label: str
    count: int
    golden: int
    spikes: float
    voltage: float
    robust: bool


def compared(
    label: str, trace: Trace, file: dict, row: int, threshold: float, robust: bool = True
) -> Deviation:
    """Compare `trace` with row `row` of a golden file."""
    theirs = file["spike_times_ms"][file["spike_offsets"][row] : file["spike_offsets"][row + 1]]
    ours = spike_times(trace, threshold)
    before = file["t_ms"] <= (theirs[0] - 1 if len(theirs) else np.inf)
    difference = np.interp(file["t_ms"], trace.t, trace.v) - file["v_mV"][row]
    same = len(ours) == len(theirs)
    spikes = np.abs(ours - theirs).max(initial=0.0) if same else np.nan
    return Deviation(
        label,
        len(ours),
        len(theirs),
        float(spikes),
        float(np.abs(difference[before]).max()),
        robust,
    )


def robust_ranges() -> dict[int, tuple[float, float]]:
    """HoF index -> amplitudes [nA] between which spike counts can be compared."""
    with open(ALLEN / "threshold_summary.csv") as file:
        return {
            int(row["hof"]): (
                float(row["I_rep_nA"]) + 0.05,
                0.85 * float(row["I_block_nA"] or "inf"),
            )
            for row in csv.DictReader(file)
        }


def allen_cells() -> tuple[HofCell, ...]:
    return load_allen(ALLEN)


def allen_rows(hof: int) -> list[Deviation]:
    """All golden runs of one HoF: 400 ms steps from 15 ms, 515 ms, dt 0.02."""
    golden = dict(np.load(ALLEN / "golden.npz"))
    cell, (low, high) = allen_cells()[hof], robust_ranges()[hof]
    deviations = []
    with cell.build() as live:
        for row in np.flatnonzero(golden["hof"] == hof):
            amplitude = float(golden["amp_nA"][row])  # nA
            trace = simulate(live, Protocol("golden", 515.0, (Step(amplitude, 15.0, 400.0),)))
            deviations.append(
                compared(
                    f"HoF {hof}, {amplitude:g} nA",
                    trace,
                    golden,
                    row,
                    cell.threshold,
                    low <= amplitude <= high,
                )
            )
    return deviations


def hl23_rows(name: str) -> list[Deviation]:
    """All golden steps of a human cell: 500 ms from 50 ms, 600 ms, dt 0.025."""
    cell, golden = (
        load_hl23(HL23 / f"{name}_params.json"),
        dict(np.load(HL23 / f"{name}_golden.npz")),
    )
    with cell.build() as live:
        return [
            compared(
                f"{name}, {amplitude:g} nA",
                simulate(live, Protocol("golden", 600.0, (Step(float(amplitude), 50.0, 500.0),))),
                golden,
                row,
                cell.threshold,
            )
            for row, amplitude in enumerate(golden["amp_nA"])
        ]


def hl23_noise_rows(name: str) -> list[Deviation]:
    """The three golden runs of a human cell under 2 s of frozen noise."""
    cell, golden = (
        load_hl23(HL23 / f"{name}_params.json"),
        dict(np.load(HL23 / f"{name}_golden_noise.npz")),
    )
    with cell.build() as live:
        return [
            compared(
                f"{name}, noise {row}",
                simulate(live, _noise(golden["current_nA"][row])),
                golden,
                row,
                cell.threshold,
            )
            for row in range(len(golden["current_nA"]))
        ]


def _noise(current: np.ndarray) -> Protocol:
    """A current given every 0.1 ms, linear in between."""
    interval = 0.1  # ms
    samples = Sampled(tuple(map(float, current)), interval)
    return Protocol("noise", interval * (len(current) - 1), (samples,))


@dataclass(frozen=True)
class Feature:
    """One feature of the published models' own step, as we and the reference find it."""

    hof: int
    name: str
    ours: float
    reference: float
    published: float


def repro_rows() -> list[Feature]:
    """The rows of repro_check.csv: 1 s steps from 270 ms, dt 0.025, features at 0.1 ms."""
    cells, found = allen_cells(), []
    onset, offset = 270.0, 1270.0  # ms
    with open(DATA / "repro_check.csv") as file:
        rows = list(csv.DictReader(file))
    names = [key for key in rows[0] if f"{key}_published" in rows[0]]
    for row in rows:
        cell = cells[int(row["hof"])]
        step = Step(float(row["amp_nA"]), onset, offset - onset)
        trace = simulate(
            cell, Protocol("published", offset + 50.0, (step,)), dt=0.025, record_dt=0.1
        )
        values = extract(trace, onset, offset, cell.threshold, names)
        found += [
            Feature(
                cell.hof, name, values[name], float(row[name]), float(row[f"{name}_published"])
            )
            for name in names
        ]
    return found
