"""Surrogates that live in a running NEURON simulation."""

from ..contracts import Outside
from .cell import NobleCell
from .scheduler import Snapshot, restore, save

__all__ = ["NobleCell", "Outside", "Snapshot", "restore", "save"]
