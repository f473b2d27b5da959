"""The commands of `noble-neuron`, a module for each kind; each is one call of a notebook."""

from __future__ import annotations

from . import cells, experiment, hoc, judging, reproduce, training

COMMANDS = (
    *judging.COMMANDS,
    *cells.COMMANDS,
    *training.COMMANDS,
    *reproduce.COMMANDS,
    *experiment.COMMANDS,
    *hoc.COMMANDS,
)
