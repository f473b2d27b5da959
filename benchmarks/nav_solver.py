"""How much the direct solution of nn_NaV saves over NEURON's sparse solver, at equal voltage.

One cable of 135 segments, with the sodium channel everywhere, fires through the same current
step with either solver, in turn. The time is the processor's (one thread), so a busy machine
disturbs it little; at rest it is the wall time. `python benchmarks/nav_solver.py`
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from neuron import h
from record import record

from noble_neuron.nrn import mechanisms
from noble_neuron.nrn.session import session

CELSIUS, DT, V_INIT = 34.0, 0.02, -80.0  # degC, ms, mV
DURATION, ONSET, AMPLITUDE = 103.0, 15.0, 0.6  # ms, ms, nA
SEGMENTS = 135
REPEATS = 9
SOLVERS = ("nn_NaV", "nn_NaV_sparse")


def cable(solver: str | None) -> tuple[list[h.Section], h.IClamp]:
    """Soma and dendrite with `solver`'s sodium channel; None leaves it out."""
    soma, dend = h.Section(name="soma"), h.Section(name="dend")
    soma.L = soma.diam = 20  # um
    dend.L, dend.diam, dend.nseg = 1000, 1.5, SEGMENTS - 1
    dend.connect(soma(1))
    for section, sodium, potassium in ((soma, 0.3, 0.1), (dend, 0.05, 0.02)):  # S/cm2
        section.Ra = 120  # ohm cm
        section.insert("pas")
        section.g_pas, section.e_pas = 5e-5, -85
        section.insert("nn_Kv3_1")
        section.gbar_nn_Kv3_1, section.ek = potassium, -107
        if solver:
            section.insert(solver)
            setattr(section, f"gbar_{solver}", sodium)
            section.ena = 53
    clamp = h.IClamp(soma(0.5))
    clamp.delay, clamp.dur, clamp.amp = ONSET, DURATION, AMPLITUDE
    return [soma, dend], clamp


def run(solver: str | None) -> tuple[float, np.ndarray]:
    """Time [s] of one run, and the soma's voltage [mV]."""
    sections, clamp = cable(solver)
    voltage = h.Vector().record(sections[0](0.5)._ref_v)
    with session(CELSIUS, dt=DT):
        h.finitialize(V_INIT)
        start = time.process_time()
        h.ParallelContext().psolve(DURATION)
        return time.process_time() - start, np.array(voltage)


def main() -> None:
    mechanisms.load()
    h.ParallelContext().set_maxstep(10)
    times, voltage = {None: [], "nn_NaV": [], "nn_NaV_sparse": []}, {}
    for _ in range(REPEATS):
        for solver, seconds in times.items():
            taken, voltage[solver] = run(solver)
            seconds.append(taken)
    direct, sparse = (voltage[solver] for solver in SOLVERS)
    spikes = int(np.sum((direct[1:] > -20) & (direct[:-1] <= -20)))
    if not spikes:
        raise SystemExit("The cable does not fire: this compares nothing.")
    time_of = {solver: statistics.median(seconds) for solver, seconds in times.items()}
    bare = time_of[None]
    solving = (time_of["nn_NaV_sparse"] - bare) / (time_of["nn_NaV"] - bare)
    rows = [
        {"figure": "time of a run, sparse solver", "value": time_of["nn_NaV_sparse"], "unit": "s"},
        {"figure": "time of a run, direct solution", "value": time_of["nn_NaV"], "unit": "s"},
        {"figure": "time of a run without the channel", "value": bare, "unit": "s"},
        {
            "figure": "whole run, sparse over direct",
            "value": time_of["nn_NaV_sparse"] / time_of["nn_NaV"],
            "unit": "1",
        },
        {"figure": "channel alone, sparse over direct", "value": solving, "unit": "1"},
        {
            "figure": "largest difference in somatic voltage",
            "value": float(np.max(np.abs(direct - sparse))),
            "unit": "mV",
        },
        {"figure": "spikes in the run", "value": spikes, "unit": "1"},
    ]
    for row in rows:
        print(f"{row['figure']:40s} {row['value']:.4g} {row['unit']}")
    print(record("nav_solver", [{**row, "n": REPEATS} for row in rows]))


if __name__ == "__main__":
    main()
