"""Surrogates that live in a running NEURON simulation."""

from .cell import NobleCell
from .scheduler import Snapshot, restore, save
from .watch import Outside

__all__ = ["NobleCell", "Outside", "Snapshot", "restore", "save"]
