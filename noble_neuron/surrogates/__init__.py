"""Trained operators as artefacts: a bundle on disk, a surrogate in memory."""

from .bundle import load, save
from .card import Card
from .surrogate import Surrogate

__all__ = ["Card", "Surrogate", "load", "save"]
