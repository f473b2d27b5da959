"""Four small networks of PV cells, built alike of full cells and of surrogates.

What differs is one line: `make(k)` gives the k-th cell, with a `soma` and a `threshold`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from neuron import h

import noble_neuron as nn
from noble_neuron.nrn import mechanisms

NAMES = nn.ensemble("pvalb").train  # indices of the models that surrogates are trained on


class FullCell:
    """A multi-compartment model of the ensemble."""

    def __init__(self, k: int) -> None:
        self._live = nn.ensemble("pvalb").cells[NAMES[k]].build()
        self.soma, self.threshold = self._live.soma, -35.0


def full(k: int) -> FullCell:
    """The k-th training model, simulated in full."""
    return FullCell(k)


def surrogate(k: int) -> nn.NobleCell:
    """The same model's surrogate."""
    return nn.NobleCell("pvalb", latent=nn.ensemble("pvalb").cells[NAMES[k]].name)


class ExcitatoryCell:
    """A regular-spiking ball that is the same in both networks."""

    threshold = -20.0

    def __init__(self, k: int) -> None:
        mechanisms.load()
        self.soma = h.Section(name="soma", cell=self)
        self.soma.L = self.soma.diam = 20
        for name in ("pas", "nn_NaTg", "nn_Kv3_1", "nn_Im"):
            self.soma.insert(name)
        here = self.soma(0.5)
        here.pas.g, here.pas.e = 8e-4, -78
        here.nn_NaTg.gbar, here.nn_NaTg.vshifth, here.nn_NaTg.slopem = 0.5, 10, 9
        here.nn_Kv3_1.gbar, here.nn_Im.gbar = 0.4, 8e-3
        self.soma.ena, self.soma.ek = 50, -90


class Network:
    """Cells, what is attached to them, and their spikes."""

    def __init__(self, cells: list, seed: int) -> None:
        h.ParallelContext().gid_clear(4)  # NEURON keeps the junctions of an earlier network
        self.cells, self.seed, self.held = cells, seed, []
        self._times = []
        for cell in cells:
            times = h.Vector()
            self.connect(cell, None, 0.0, 0.0).record(times)
            self._times.append(times)

    def connect(self, source, target, weight: float, delay: float):
        """NetCon from a cell's soma; weight [uS], delay [ms]."""
        netcon = h.NetCon(source.soma(0.5)._ref_v, target, sec=source.soma)
        netcon.threshold, netcon.delay, netcon.weight[0] = source.threshold, delay, weight
        self.held.append(netcon)
        return netcon

    def synapse(self, cell, decay: float, reversal: float):
        """A bi-exponential synapse at the soma that rises in 0.3 ms."""
        synapse = h.Exp2Syn(cell.soma(0.5))
        synapse.tau1, synapse.tau2, synapse.e = 0.3, decay, reversal
        self.held.append(synapse)
        return synapse

    def background(self, target, rate: float, weight: float, stream: int) -> None:
        """Poisson events of `weight` [uS] at `rate` [Hz]."""
        source = h.NetStim()
        source.interval, source.number, source.start, source.noise = 1e3 / rate, 1e9, 0, 1
        source.noiseFromRandom123(self.seed, stream, 1)
        netcon = h.NetCon(source, target)
        netcon.weight[0], netcon.delay = weight, 0.1
        self.held += [source, netcon]

    def spikes(self) -> list[np.ndarray]:
        """Spike times of each cell [ms]."""
        return [np.array(times) for times in self._times]


Maker = Callable[[int], Any]


def barrage(make: Maker, seed: int) -> Network:
    """One cell under AMPA, NMDA and GABA-A."""
    mechanisms.load_folder(Path(__file__).parent / "mod")
    net = Network([make(0)], seed)
    (cell,) = net.cells
    nmda = h.nnx_Nmda(cell.soma(0.5))
    net.held.append(nmda)
    net.background(net.synapse(cell, 2.0, 0.0), 1200, 2.4e-3, 1)
    net.background(nmda, 300, 8e-4, 2)
    net.background(net.synapse(cell, 6.0, -80.0), 500, 1.5e-3, 3)
    return net


def pair(make: Maker, seed: int) -> Network:
    """Two cells that inhibit each other."""
    net = Network([make(0), make(1)], seed)
    for k, (here, there) in enumerate((net.cells, net.cells[::-1])):
        net.background(net.synapse(here, 2.0, 0.0), 1200, 2.3e-3, 10 + k)
        net.connect(there, net.synapse(here, 6.0, -80.0), 4e-3, 0.8)
    return net


def coupled(make: Maker, seed: int) -> Network:
    """Twenty cells in a ring of gap junctions with their four neighbours."""
    mechanisms.load_folder(Path(__file__).parent / "mod")
    context = h.ParallelContext()
    net = Network([make(k) for k in range(20)], seed)
    for k, cell in enumerate(net.cells):
        context.source_var(cell.soma(0.5)._ref_v, k, sec=cell.soma)
        net.background(net.synapse(cell, 2.0, 0.0), 900, 2.3e-3, 20 + k)
        for step in (-2, -1, 1, 2):
            gap = h.nnx_Gap(cell.soma(0.5))
            gap.g = 2e-4  # uS
            context.target_var(gap, gap._ref_vgap, (k + step) % 20)
            net.held.append(gap)
    context.setup_transfer()
    return net


def mixed(make: Maker, seed: int) -> Network:
    """Eighty excitatory cells and twenty PV cells, each with inputs drawn from all others."""
    rng = np.random.default_rng(5)  # of the connections: the same whatever the seed of the noise
    cells = [make(k) for k in range(20)] + [ExcitatoryCell(k) for k in range(80)]
    net = Network(cells, seed)
    for k, cell in enumerate(cells):
        pv = k < 20
        net.background(net.synapse(cell, 2.0, 0.0), 900, 1.9e-3 if pv else 1.9e-4, 100 + k)
        excitation, inhibition = net.synapse(cell, 2.0, 0.0), net.synapse(cell, 6.0, -80.0)
        for source in rng.choice(80, 8, replace=False) + 20:
            if source != k:
                weight = 1.2e-3 if pv else 1.5e-4
                net.connect(cells[source], excitation, weight, rng.uniform(0.8, 2.0))
        for source in rng.choice(20, 5, replace=False):
            if source != k:
                weight = 1.5e-3 if pv else 8e-4
                net.connect(cells[source], inhibition, weight, rng.uniform(0.5, 1.5))
    return net


NETWORKS = {"barrage": barrage, "pair": pair, "gap junctions": coupled, "80 and 20": mixed}


def run(net: Network, duration: float, dt: float = 0.025) -> list[np.ndarray]:
    """Spike times of each cell [ms]."""
    context = h.ParallelContext()
    context.set_maxstep(10)
    h.celsius, h.dt = 34, dt
    h.finitialize(-70)
    context.psolve(duration)
    return net.spikes()
