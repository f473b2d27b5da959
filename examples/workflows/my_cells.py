"""A family of cells of one's own, in a module of its own: workers import it, and stay light."""

from noble_neuron.cells.python import load_python


def ball(radius):
    """A sphere's worth of Hodgkin-Huxley membrane."""
    from neuron import h

    soma = h.Section(name="soma")
    soma.L = soma.diam = 2 * radius  # um
    soma.insert("hh")
    return soma


def cells(count=4):
    """Balls of 9 um radius and more, as descriptions; `noble-neuron fi my_cells:cells` too."""
    return [
        load_python(
            "my_cells:ball",
            {"radius": 9.0 + k},
            name=f"ball {k}",
            celsius=6.3,
            v_init=-65.0,
            dt=0.025,
            threshold=0.0,
        )
        for k in range(count)
    ]
