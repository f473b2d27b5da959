"""Recordings to place: full cells under long squares, written as NWB 2 files have it."""

import h5py
import numpy as np

from noble_neuron.protocols.protocol import Protocol
from noble_neuron.protocols.stimuli import Step
from noble_neuron.simulate.run import simulate

ONSET, DURATION, AFTER, DT = 150.0, 500.0, 50.0, 0.05  # ms


def write_nwb(path, cell, amplitudes):
    """What `cell` answers to steps of `amplitudes` [nA], as recorded sweeps."""
    with cell.build() as live, h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        for k, amplitude in enumerate(amplitudes):
            total = ONSET + DURATION + AFTER
            step = Protocol("long square", total, (Step(amplitude, ONSET, DURATION),))
            v = simulate(live, step, record_dt=DT).v[:-1]
            t = np.arange(len(v)) * DT
            current = np.where((t >= ONSET) & (t < ONSET + DURATION), amplitude, 0.0)
            add(file, f"acquisition/data_{k:05d}_AD0", "CurrentClampSeries", 1e-3 * v, "volts")
            name, kind = f"stimulus/presentation/data_{k:05d}_DA0", "CurrentClampStimulusSeries"
            add(file, name, kind, 1e-9 * current, "amperes")
    return path


def add(file, name, kind, values, unit):
    """One series."""
    series = file.create_group(name)
    series.attrs["neurodata_type"] = kind
    series.create_dataset("data", data=values.astype(np.float32)).attrs["unit"] = unit
    series.create_dataset("starting_time", data=0.0).attrs["rate"] = 1e3 / DT
