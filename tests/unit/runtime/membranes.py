"""A membrane with random weights in plain numpy, to hold nn_Noble against."""

from __future__ import annotations

import numpy as np

from noble_neuron.contracts import Limits

E = np.array([50.0, -90.0, -70.0])  # mV
REFERENCE, SCALE, UNIT, LOW, HIGH = -75.0, 15.0, 0.01, -200.0, 60.0
OUT = 64  # 8 places for conductances, gates and candidates of the memory, filled up


def sigma(x):
    return 1 / (1 + np.exp(-x))


class Toy:
    """C dV/dt = b - G V - sum g_k (V - E_k), g_k and the memory by a network of 32 units."""

    chunk, grid, time_steps = 1.0, 0.1, (0.025, 0.05, 0.1)
    latent_size, celsius, threshold, lowest_peak = 2, 34.0, -35.0, -28.0
    limits = Limits((-1.0, 2.0), (-0.01, 0.1), (-1000.0, 1000.0), REFERENCE)

    def __init__(self, memory=24, width=32, seed=5):
        rng = np.random.default_rng(seed)

        def layer(n, m, size):
            weights = rng.normal(0, size / np.sqrt(n), (n, m))
            return weights.astype(np.float32), rng.normal(0, 0.3, m).astype(np.float32)

        self.size, self.width = memory, width
        self.into, self.bias = layer(1 + memory, width, 2.5)
        self.latent, _ = layer(self.latent_size, width, 1.0)
        self.inner = layer(width, width, 2.5)
        self.last = layer(width, 3 + 2 * memory, 2.0)
        self.last[1][:3] = -3.0, -1.0, 0.2
        self.last[1][3 : 3 + memory] = -2.0

    def exported(self):
        head = np.zeros(32)
        head[:7] = 1973, self.size, self.width, OUT, REFERENCE, SCALE, UNIT
        head[7:12] = *E, LOW, HIGH
        head[12:18] = *self.limits.current, *self.limits.conductance, *self.limits.voltage
        last = np.zeros((1 + self.width, OUT))
        whole = np.vstack([self.last[1], self.last[0]])
        last[:, :3], last[:, 8 : 8 + 2 * self.size] = whole[:, :3], whole[:, 3:]
        parts = (head, self.into, self.inner[1], self.inner[0], last)
        return np.concatenate([part.ravel() for part in parts]).astype(np.float32)

    def of_cells(self, latent):
        own = latent @ self.latent + self.bias
        return own.astype(np.float32), 0.03 * np.exp(0.1 * latent[:, 0])

    def memory(self, latent, v):
        return np.tanh(np.linspace(-1, 1, self.size) * (np.asarray(v)[:, None] + 70) / 20)

    def start(self, latent, v):
        return np.column_stack([v, self.memory(latent, v)])

    def advance(self, state, latent, b, g):
        dt = self.chunk / b.shape[1]
        every = round(self.grid / dt)
        own, capacitance = self.of_cells(latent)
        v, h, answers = state[:, 0], state[:, 1:], []
        for k in range(b.shape[1]):
            if k % every == 0:
                total, inward, h = self.evaluate(own, v, h)
            whole = capacitance / dt + total + g[:, k]
            v = (capacitance / dt * v + inward + b[:, k]) / whole
            answers.append(v)
        return np.stack(answers, axis=1), np.column_stack([v, h])

    def evaluate(self, own, v, h):
        """Sums of g_k and g_k E_k, and the memory afterwards."""
        seen = np.column_stack([(np.clip(v, LOW, HIGH) - REFERENCE) / SCALE, h])
        x = own + seen @ self.into
        x = x * sigma(x)
        x = x @ self.inner[0] + self.inner[1]
        x = x * sigma(x)
        y = x @ self.last[0] + self.last[1]
        each = np.exp(np.clip(y[:, :3], -12, 7)) * UNIT
        share, wanted = sigma(y[:, 3 : 3 + self.size]), np.tanh(y[:, 3 + self.size :])
        return each.sum(1), each @ E, h + share * (wanted - h)

    def run(self, b, g, latent, v, dt):
        """Voltage at the end of each step [mV], shape of b; whole chunks."""
        state, answers, steps = self.start(latent, v), [], round(self.chunk / dt)
        for k in range(0, b.shape[1], steps):
            answer, state = self.advance(state, latent, b[:, k : k + steps], g[:, k : k + steps])
            answers.append(answer)
        return np.concatenate(answers, axis=1)
