"""The built-in ensemble `pvalb` in figures: how good, how different, how it fires, what it cost.

python benchmarks/evolve_pvalb.py
"""

from __future__ import annotations

from evolved import evolved

if __name__ == "__main__":
    evolved("pvalb", factors=(1.15, 1.4, 1.7, 2.0))
