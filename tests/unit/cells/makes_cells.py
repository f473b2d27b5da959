"""Cells made by code, which workers import by name."""

from neuron import h


def ball(diameter=20.0):
    """One compartment."""
    soma = h.Section(name="soma")
    soma.L = soma.diam = diameter
    soma.insert("hh")
    return [soma]


class Stick:
    """A cell object: a ball and a stick."""

    def __init__(self, length=100.0):
        self.soma = h.Section(name="soma", cell=self)
        self.dend = h.Section(name="dend", cell=self)
        self.dend.L = length
        self.dend.connect(self.soma(1))
        h.celsius = 12.0  # what published code does to the caller's NEURON


def fails():
    """Breaks after its first section."""
    h.Section(name="soma")
    kept.append(h.Section(name="dend"))
    raise RuntimeError("no luck")


def two_somata():
    """Not one tree."""
    return [h.Section(name="soma[0]"), h.Section(name="dend")]


def nothing():
    """Forgets to return."""
    h.Section(name="soma")


def headless():
    """No soma."""
    return h.Section(name="trunk")


kept = []
