"""How do I get the F-I curve and the features of a cell of my own?

Any function that makes sections will do; describe it once, with its temperature, initial
voltage, time step and spike threshold, and everything else follows. Run it as a script:

    python examples/howto/own_cell.py
"""

from noble_neuron.cells.python import load_python
from noble_neuron.simulate.characterise import characterise


def ball(radius=10.0):
    """A sphere's worth of Hodgkin-Huxley membrane."""
    from neuron import h

    soma = h.Section(name="soma")
    soma.L = soma.diam = 2 * radius  # um
    soma.insert("hh")
    return soma


if __name__ == "__main__":
    cell = load_python(
        "own_cell:ball", {"radius": 12.0}, celsius=6.3, v_init=-65.0, dt=0.025, threshold=0.0
    )
    found = characterise(cell, high=0.3, step=0.05)
    for name in ("I_thr", "s_thr", "max_rate", "resting_voltage", "input_resistance"):
        print(f"{name:18s} {found.values[name]:8.3f}")
    for amplitude, rate in zip(found.curve.amplitudes, found.curve.rates, strict=True):
        print(f"{amplitude:6.3f} nA  {rate:5.1f} Hz")
