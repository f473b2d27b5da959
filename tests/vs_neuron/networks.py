"""Networks of squid cells, of NEURON's own or of stand-ins behind clamps, and their spikes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from neuron import h

from noble_neuron.nrn import mechanisms
from noble_neuron.runtime import NobleCell
from noble_neuron.runtime.standins import HodgkinHuxley

DIAMETER = 20.0  # um
AREA = np.pi * DIAMETER**2  # um2
CLASSIC = (0.12, 0.036, 0.0003)  # S/cm2: gnabar, gkbar, gl
V_INIT = -65.0  # mV

Maker = Callable[..., Any]


class Native:
    """A squid cell of NEURON's own."""

    threshold = 0.0  # mV

    def __init__(self, latent=CLASSIC) -> None:
        if h.name_declared("usetable_hh"):
            h.usetable_hh = 0  # or NEURON interpolates the rates
        self.soma = h.Section(name="soma", cell=self)
        self.soma.L = self.soma.diam = DIAMETER
        self.soma.insert("hh")
        hh = self.soma(0.5).hh
        hh.gnabar, hh.gkbar, hh.gl = latent


def native() -> Maker:
    """Makes cells of NEURON's own."""
    return Native


def standin(chunk: float) -> Maker:
    """Makes surrogates of one exact stepper."""
    stepper = HodgkinHuxley(AREA, chunk=chunk)
    return lambda latent=CLASSIC: NobleCell(stepper, latent)


def forget_junctions() -> None:
    """NEURON keeps the transfers of voltages of deleted cells, and then fails."""
    h.ParallelContext().gid_clear(4)


class Network:
    """Cells, what is attached to them, and their spikes."""

    def __init__(self, make: Maker, latents=(CLASSIC,)) -> None:
        forget_junctions()
        self.cells = [make(latent) for latent in latents]
        self.held: list[Any] = []
        self._spikes = []
        for cell in self.cells:
            detector, times = self.connect(cell, None, 0.0, 0.0), h.Vector()
            detector.record(times)
            self._spikes.append(times)

    def connect(self, source, target, weight: float, delay: float):
        """NetCon from a cell's soma; weight [uS], delay [ms]."""
        netcon = h.NetCon(source.soma(0.5)._ref_v, target, sec=source.soma)
        netcon.threshold, netcon.delay = source.threshold, delay
        netcon.weight[0] = weight
        return self.hold(netcon)

    def hold(self, thing):
        """Keep it for as long as the network."""
        self.held.append(thing)
        return thing

    def inject(self, segment, amplitude: float, onset: float = 5.0) -> None:
        """A step of current [nA] that stays."""
        clamp = self.hold(h.IClamp(segment))
        clamp.delay, clamp.dur, clamp.amp = onset, 1e9, amplitude

    def synapse(self, segment, decay: float, reversal: float):
        """A bi-exponential synapse that rises in 0.3 ms."""
        synapse = self.hold(h.Exp2Syn(segment))
        synapse.tau1, synapse.tau2, synapse.e = 0.3, decay, reversal
        return synapse

    def barrage(self, target, interval: float, weight: float, seed: int) -> None:
        """Poisson events of `weight` [uS], `interval` [ms] apart on average, from 3 ms on."""
        stim = self.hold(h.NetStim())
        stim.interval, stim.number, stim.start, stim.noise = interval, 1e9, 3, 1
        stim.noiseFromRandom123(seed, 7, 11)
        netcon = self.hold(h.NetCon(stim, target))
        netcon.weight[0], netcon.delay = weight, 0.1

    def run(self, duration: float) -> list[np.ndarray]:
        """Spike times of each cell [ms]."""
        context = h.ParallelContext()
        context.set_maxstep(10)
        h.celsius = 6.3
        h.finitialize(V_INIT)
        context.psolve(duration)
        return [np.array(times) for times in self._spikes]


def steps(make: Maker) -> Network:
    """One cell under a step of current."""
    net = Network(make)
    net.inject(net.cells[0].soma(0.5), 0.12)
    return net


def barrage(make: Maker) -> Network:
    """One cell under excitation and shunting inhibition, strong beside its leak."""
    net = Network(make)
    soma = net.cells[0].soma(0.5)
    net.inject(soma, 0.08)
    net.barrage(net.synapse(soma, 2.0, 0.0), 3.0, 0.005, seed=1)
    net.barrage(net.synapse(soma, 8.0, -80.0), 5.0, 0.006, seed=2)
    return net


def nmda(make: Maker) -> Network:
    """One cell under NMDA receptors, whose slope conductance is negative below -20 mV."""
    mechanisms.load_folder(Path(__file__).parent / "mod")
    net = Network(make)
    soma = net.cells[0].soma(0.5)
    net.barrage(net.hold(h.nntest_Nmda(soma)), 5.0, 0.006, seed=3)
    net.barrage(net.synapse(soma, 2.0, 0.0), 5.0, 0.004, seed=4)
    return net


def pair(make: Maker, delay: float = 1.5) -> Network:
    """Two cells that inhibit each other, driven by different currents and a barrage each."""
    net = Network(make, (CLASSIC, (0.11, 0.034, 0.0003)))
    for k, (here, there) in enumerate((net.cells, net.cells[::-1])):
        net.inject(here.soma(0.5), 0.11 + 0.02 * k)
        net.barrage(net.synapse(here.soma(0.5), 2.0, 0.0), 4.0, 0.003, seed=5 + k)
        net.connect(there, net.synapse(here.soma(0.5), 5.0, -80.0), 0.006, delay)
    return net


def quick_pair(make: Maker) -> Network:
    """The same pair with delays below every chunk."""
    return pair(make, delay=0.1)


def gaps(make: Maker) -> Network:
    """Two cells with a gap junction, driven by different currents."""
    mechanisms.load_folder(Path(__file__).parent / "mod")
    net = Network(make, (CLASSIC, CLASSIC))
    context = h.ParallelContext()
    for k, cell in enumerate(net.cells):
        net.inject(cell.soma(0.5), 0.10 + 0.05 * k, onset=5.0 + 3 * k)
        context.source_var(cell.soma(0.5)._ref_v, k, sec=cell.soma)
        gap = net.hold(h.nntest_Gap(cell.soma(0.5)))
        gap.g = 0.001  # uS
        context.target_var(gap, gap._ref_vgap, 1 - k)
    context.setup_transfer()
    return net


def dendrites(make: Maker) -> Network:
    """One cell with passive dendrites at three places of its soma, a synapse far out."""
    net = Network(make)
    soma = net.cells[0].soma
    net.inject(soma(0.5), 0.15)
    for place in (0, 0.5, 1):
        dendrite = net.hold(h.Section(name=f"dendrite{int(2 * place)}"))
        dendrite.connect(soma(place))
        dendrite.L, dendrite.diam, dendrite.nseg, dendrite.Ra = 200, 1.5, 5, 120
        dendrite.insert("pas")
        dendrite.g_pas, dendrite.e_pas = 1e-4, -65
        net.barrage(net.synapse(dendrite(0.7), 2.0, 0.0), 4.0, 0.004, seed=8 + int(2 * place))
    return net


def random_twenty(make: Maker) -> Network:
    """Twenty different cells, a fifth of them inhibitory, each with four random inputs."""
    rng = np.random.default_rng(20)
    latents = CLASSIC * (1 + 0.1 * rng.uniform(-1, 1, (20, 3)))
    net = Network(make, latents)
    for k, cell in enumerate(net.cells):
        soma = cell.soma(0.5)
        net.inject(soma, rng.uniform(0.06, 0.14), onset=rng.uniform(2, 20))
        net.barrage(net.synapse(soma, 2.0, 0.0), 5.0, 0.003, seed=100 + k)
        for source in rng.choice([j for j in range(20) if j != k], 4, replace=False):
            inhibitory = source < 4
            synapse = net.synapse(soma, *((6.0, -80.0) if inhibitory else (2.0, 0.0)))
            weight = 0.004 if inhibitory else 0.0012
            net.connect(net.cells[source], synapse, weight, rng.uniform(0.1, 3))
    return net


NETWORKS = {
    "step of current": steps,
    "barrage": barrage,
    "NMDA": nmda,
    "pair, delays of 1.5 ms": pair,
    "pair, delays of 0.1 ms": quick_pair,
    "gap junction": gaps,
    "dendrites": dendrites,
    "twenty cells": random_twenty,
}


@dataclass(frozen=True)
class Comparison:
    """Spikes of one run beside those of another.

    Attributes:
        spikes: Of the truth.
        moved: Those shifted by more than a step, lost ones and added ones among them.
        shift: Largest shift of a spike that both have [ms].
    """

    spikes: int
    moved: int
    shift: float


def compare(truth: list[np.ndarray], answer: list[np.ndarray], dt: float) -> Comparison:
    """Spikes are of a pair if they are each other's nearest, at most 2 ms apart."""
    moved, shifts = 0, [0.0]
    for a, b in zip(truth, answer, strict=True):
        paired = []
        if len(a) and len(b):
            apart = np.abs(a[:, None] - b)
            mutual = [(j, apart[j].argmin()) for j in range(len(a))]
            paired = [apart[j, k] for j, k in mutual if apart[:, k].argmin() == j]
        paired = [shift for shift in paired if shift <= 2.0]
        shifts += paired
        moved += sum(shift > 1.01 * dt for shift in paired)
        moved += len(a) + len(b) - 2 * len(paired)
    return Comparison(sum(map(len, truth)), int(moved), float(max(shifts)))
