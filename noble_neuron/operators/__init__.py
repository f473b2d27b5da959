"""Neural operators: maths only. `OPERATORS` names every one a bundle may hold."""

from .clocked import ClockedConfig, ClockedNoble
from .fno import NobleConfig, NobleFNO

# Name in a bundle's card -> (frozen config, module built from it).
OPERATORS = {
    "noble_fno": (NobleConfig, NobleFNO),
    "noble_clocked": (ClockedConfig, ClockedNoble),
}

__all__ = ["OPERATORS", "ClockedConfig", "ClockedNoble", "NobleConfig", "NobleFNO"]
