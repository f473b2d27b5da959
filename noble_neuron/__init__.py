"""Neural-operator surrogates of biophysical NEURON cells.

Where things are, from the ground up:

    types, errors, units, assets, files   the words everybody uses
    nrn          mechanisms, compiled on first use; NEURON's global settings
    protocols    stimulation as data
    features     eFEL features, F-I curves, latent spaces
    store        data sets on disk
    operators    the mathematics of the surrogates
    cells        hall-of-fame cells and where they come from
    surrogates   trained surrogates as folders: weights and a card
    simulate     full simulations, training sets
    runtime      surrogates as cells in a running NEURON simulation
    hosts        the same for hoc and NetPyNE
    training     fitting a surrogate
    evolution    making a hall of fame
    population   ensembles that spread as a family does
    experiment   recordings of a cell, and its place among the models
    compare      full simulation and surrogate side by side, cells and networks
    reproduce    what the NOBLE paper shows, each as one call
    workflows    from somebody's network to a trained surrogate of its cells

The names below are loaded when first used, so `import noble_neuron` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .errors import NobleError, OutsideTraining
from .types import Latent, Trace

__version__ = "0.1.0"

_LAZY = {
    "HofCell": "cells.spec",
    "ensemble": "cells.builtin",
    "Protocol": "protocols.protocol",
    "Step": "protocols.stimuli",
    "noble_step": "protocols.protocol",
    "Study": "simulate.study",
    "build_dataset": "simulate.dataset",
    "characterise": "simulate.characterise",
    "LatentSpace": "features.latent",
    "load_surrogate": "surrogates.bundle:load",
    "load_stream": "surrogates.bundle:load_stream",
    "NobleCell": "runtime.cell",
    "compare_network": "compare.network",
    "surrogate_for": "workflows.surrogate_for",
}

__all__ = ["Latent", "NobleError", "OutsideTraining", "Trace", "__version__", *_LAZY]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'noble_neuron' has no attribute {name!r}")
    module, _, attribute = _LAZY[name].partition(":")
    return getattr(import_module(f".{module}", __name__), attribute or name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
