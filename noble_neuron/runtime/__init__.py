"""Surrogates that live in a running NEURON simulation."""

from .cell import NobleCell
from .scheduler import Snapshot, restore, save

__all__ = ["NobleCell", "Snapshot", "restore", "save"]
