"""Cells as data: descriptions that pickle, and the loaders that make them."""

from .allen import load_allen, load_allen_model
from .bluepyopt import load_bluepyopt
from .hl23 import load_hl23
from .hoc import load_hoc
from .netpyne import load_netpyne
from .python import load_python
from .spec import HofCell, LiveCell

__all__ = [
    "HofCell",
    "LiveCell",
    "load_allen",
    "load_allen_model",
    "load_bluepyopt",
    "load_hl23",
    "load_hoc",
    "load_netpyne",
    "load_python",
]
