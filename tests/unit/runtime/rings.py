"""A ring of stand-ins that excite each other, for tests of who drives it and how."""

from __future__ import annotations

import numpy as np
from neuron import h

from noble_neuron.runtime import NobleCell
from noble_neuron.runtime.standins import HodgkinHuxley

SQUID = HodgkinHuxley(area=1256.637)
CLASSIC = (0.12, 0.036, 0.0003)  # S/cm2
CELSIUS = 6.3


class Ring:
    """Cells with different thresholds of current; each excites the next."""

    def __init__(self, steppers=(SQUID,) * 4, delay: float = 1.2) -> None:
        self.cells = [
            NobleCell(stepper, (0.12, 0.036 + 0.001 * k, 0.0003))
            for k, stepper in enumerate(steppers)
        ]
        self.held, self.times = [], []
        for k, cell in enumerate(self.cells):
            clamp = h.IClamp(cell.soma(0.5))
            clamp.delay, clamp.dur, clamp.amp = 1 + 0.37 * k, 1e9, 0.08 + 0.02 * k
            synapse = h.Exp2Syn(cell.soma(0.5))
            synapse.tau1, synapse.tau2 = 0.3, 2.0
            source = self.cells[k - 1]
            netcon = self.netcon(source, synapse)
            netcon.delay, netcon.weight[0] = delay, 0.004
            times = h.Vector()
            self.netcon(cell, None).record(times)
            self.times.append(times)
            self.held += [clamp, synapse]

    def netcon(self, source, target):
        netcon = h.NetCon(source.soma(0.5)._ref_v, target, sec=source.soma)
        netcon.threshold = source.threshold
        self.held.append(netcon)
        return netcon

    def spikes(self) -> list[list[float]]:
        """Spike times so far [ms]."""
        return [list(times) for times in self.times]


def psolve(until: float) -> None:
    """Run to a time [ms] as parallel scripts do."""
    h.ParallelContext().psolve(until)


def said(error, capfd) -> str:
    """All that a refusal showed; NEURON 8 prints what NEURON 9 puts into the exception."""
    return str(error.value) + capfd.readouterr().err


def voltage(cell) -> np.ndarray:
    """A vector that records a soma."""
    return h.Vector().record(cell.soma(0.5)._ref_v)
