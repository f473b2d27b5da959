"""How do I ask a shipped surrogate for a voltage?

Give a current, a point of its latent space in physical units, and the time step of the current.

    python examples/howto/ask_a_surrogate.py
"""

import numpy as np

from noble_neuron.features.efel import spike_times
from noble_neuron.surrogates.bundle import load
from noble_neuron.types import Trace

if __name__ == "__main__":
    surrogate = load("pvalb")
    space = surrogate.latent_space
    dt = 0.1  # ms; any grid, the surrogate goes to its own and back
    t = np.arange(0, 515, dt)
    amplitude = 0.6 * surrogate.card.current_range[1]  # nA
    current = np.where((t >= 15) & (t < 415), amplitude, 0.0)
    cells = space.points[:5]  # its first five training cells, as rows of features
    voltage = surrogate.predict(np.tile(current, (len(cells), 1)), cells, dt)
    for point, v in zip(cells, voltage, strict=True):
        said = space.latent(point)
        spikes = spike_times(Trace(t, v), surrogate.threshold)
        print(f"{said.values} {said.units}: {len(spikes)} spikes")
