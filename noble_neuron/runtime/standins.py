"""Steppers that know the exact answer: cells that NEURON has too, advanced as NEURON does.

In a surrogate's place they tell an error of the runtime from one of the surrogate, and they
show what a Stepper is. Implicit Euler on the voltage, with b - g V taken implicitly; the gates,
half a step off, relax exponentially at the new voltage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PassiveCell:
    """One compartment with a leak; the latent is (conductance [uS], reversal [mV])."""

    capacitance: float  # nF
    chunk: float = 0.25  # ms
    time_steps: tuple[float, ...] = (0.025, 0.05)  # ms
    latent_size: int = 2
    celsius: float = 6.3  # degC
    threshold: float = math.inf  # mV
    lowest_peak: float = math.inf  # mV

    def start(self, latent: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The state is the voltage [mV], shape (cells, 1)."""
        return v[:, None].copy()

    def advance(
        self, state: np.ndarray, latent: np.ndarray, b: np.ndarray, g: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `Stepper.advance`."""
        leak, reversal = latent.T
        per_dt = self.capacitance / (self.chunk / b.shape[1])  # uS
        v, answer = state[:, 0], np.empty(b.shape)
        for k in range(b.shape[1]):
            v = (per_dt * v + leak * reversal + b[:, k]) / (per_dt + leak + g[:, k])
            answer[:, k] = v
        return answer, v[:, None]


@dataclass(frozen=True)
class HodgkinHuxley:
    """The squid's axon in one compartment; latent (gnabar, gkbar, gl) [S/cm2].

    Hodgkin & Huxley 1952, J Physiol 117:500, at 6.3 degC, with the resting potential at
    -65 mV, as in NEURON's `hh`.
    """

    area: float  # um2
    chunk: float = 0.25  # ms
    time_steps: tuple[float, ...] = (0.025, 0.05)  # ms
    latent_size: int = 3
    celsius: float = 6.3  # degC
    threshold: float = 0.0  # mV
    lowest_peak: float = 20.0  # mV

    def start(self, latent: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The state is (v, m, h, n), shape (cells, 4); gates at their steady states."""
        rise, fall = rates(v)
        return np.column_stack([v, *(rise / (rise + fall))])

    def advance(
        self, state: np.ndarray, latent: np.ndarray, b: np.ndarray, g: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `Stepper.advance`."""
        dt = self.chunk / b.shape[1]  # ms
        per_dt = self.area * 1e-5 / dt  # uS; 1 uF/cm2
        gnabar, gkbar, gl = latent.T * self.area * 1e-2  # uS
        v, gates = state[:, 0], state[:, 1:].T
        answer = np.empty(b.shape)
        for k in range(b.shape[1]):
            m, h, n = gates
            gna, gk = gnabar * (m * m * m * h), gkbar * (n * n * n * n)
            inward = gna * 50.0 + gk * -77.0 + gl * -54.3 + b[:, k]  # nA
            v = (per_dt * v + inward) / (per_dt + gna + gk + gl + g[:, k])
            rise, fall = rates(v)
            gates = gates + (1 - np.exp(-dt * (rise + fall))) * (rise / (rise + fall) - gates)
            answer[:, k] = v
        return answer, np.column_stack([v, *gates])


# Of alpha_m, beta_m, alpha_h, beta_h, alpha_n, beta_n: exp(-(v + SHIFT) / SCALE) is in each.
SHIFT = np.array([40.0, 65, 65, 35, 55, 65])[:, None]  # mV
SCALE = np.array([10.0, 18, 20, 10, 10, 80])[:, None]  # mV


def rates(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Opening and closing rates of m, h and n [1/ms], each (3, cells), at voltages `v` [mV]."""
    x = (v + SHIFT) / SCALE
    e = np.exp(-x)
    rise = np.stack([linoid(x[0], e[0]), 0.07 * e[2], 0.1 * linoid(x[4], e[4])])
    fall = np.stack([4 * e[1], 1 / (e[3] + 1), 0.125 * e[5]])
    return rise, fall


def linoid(x: np.ndarray, e: np.ndarray) -> np.ndarray:
    """x / (1 - e) with e = exp(-x), and its limit at 0."""
    small = np.abs(x) < 1e-6
    return np.where(small, 1 + x / 2, x / np.where(small, 1.0, 1 - e))
