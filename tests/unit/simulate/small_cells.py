"""Small cells, good and bad, that worker processes import by name."""

import os
import signal
import time
from pathlib import Path

from neuron import h


def ball(diameter=20.0, mechanism="hh"):
    """One compartment of 20 um with Hodgkin and Huxley's channels."""
    soma = h.Section(name="soma")
    soma.L = soma.diam = diameter  # um
    soma.insert(mechanism)
    return soma


def passive(g=1e-4, e=-70.0, cm=1.0, size=20.0):
    """One leaky compartment: g [S/cm2], e [mV], cm [uF/cm2], size [um]."""
    soma = ball(size, "pas")
    soma.cm = cm
    soma(0.5).pas.g, soma(0.5).pas.e = g, e
    return soma


def refuses():
    """Cannot be built."""
    raise ValueError("no such cell today")


def kills():
    """Takes its process with it, as a crash in compiled code does."""
    os.kill(os.getpid(), signal.SIGKILL)


def kills_once(note):
    """The first time only."""
    if not Path(note).exists():
        Path(note).touch()
        kills()
    return ball()


def hangs():
    """Never comes back."""
    time.sleep(1000)
