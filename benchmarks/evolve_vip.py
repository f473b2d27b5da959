"""The built-in ensemble `vip` in figures: how good, how different, how it fires, what it cost.

python benchmarks/evolve_vip.py
"""

from __future__ import annotations

from evolved import evolved

if __name__ == "__main__":
    evolved("vip", factors=(1.35, 1.5, 1.75, 2.0))
