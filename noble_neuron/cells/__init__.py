"""Cells as data: descriptions that pickle, and the loaders that make them."""

from .allen import load_allen, load_allen_model
from .hl23 import load_hl23
from .spec import HofCell, LiveCell

__all__ = ["HofCell", "LiveCell", "load_allen", "load_allen_model", "load_hl23"]
