"""Neural operators: maths only. `OPERATORS` names every one a bundle may hold."""

from .fno import NobleConfig, NobleFNO

# Name in a bundle's card -> (frozen config, module built from it).
OPERATORS = {
    "noble_fno": (NobleConfig, NobleFNO),
}

__all__ = ["OPERATORS", "NobleConfig", "NobleFNO"]
