"""Grow the dendritic tree of an interneuron from published statistics.

The built-in ensembles need morphologies that may be given away, so they have ones of their own:
a random binary tree per stem, whose calibres follow what Kubota et al. (2011, Sci Rep 1:89)
measured in cortical interneurons: the cross-section of a dendrite at any point is
proportional to the summed length of all that lies beyond it, and is conserved at
bifurcations. Counts and lengths are those of a small multipolar basket cell: five stems,
37 branches, 2.3 mm of dendrite within 250 um of the soma; or of a bipolar cell: three stems, one
up and two down, whose branches keep to the vertical (Morrison et al. 1984, J Comp Neurol
222:405: "strongly bipolar, long, radially directed processes, very limited branching in the
tangential plane").

    python -m noble_neuron.evolution.grow MORPHOLOGY.swc [basket | bipolar]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..files import written_whole


@dataclass(frozen=True)
class Basket:
    """Statistics of the tree; lengths in um."""

    seed: int = 485
    soma_diameter: float = 13.4
    stems: int = 5
    trunk: tuple[float, float] = (18.0, 6.0)  # before the first fork: mean, SD
    branch: tuple[float, float] = (46.0, 14.0)  # between forks: mean, SD
    tip: tuple[float, float] = (74.0, 22.0)  # after the last fork: mean, SD
    fork: tuple[float, ...] = (1.0, 0.85, 0.35)  # probability of a fork at each order
    tip_area: float = 0.13  # cross-section at a tip [um2]
    area_per_length: float = 0.0045  # Kubota's proportionality [um2/um]
    step: float = 8.0  # between points

    def stem(self, k: int, rng: np.random.Generator) -> np.ndarray:
        """Unit vector in which stem `k` leaves the soma."""
        angle = 2 * np.pi * (k + 0.3 * rng.normal()) / self.stems
        tilt = 0.6 * rng.normal()
        direction = np.array([np.cos(angle), np.sin(angle), np.tanh(tilt)])
        return direction / np.linalg.norm(direction)

    def turned(self, direction: np.ndarray, side: float, rng: np.random.Generator) -> np.ndarray:
        """Unit vector of one of the two branches after a fork; `side` is -1 or 1."""
        turn = rng.normal(0.0, 0.25, 3) + side * 0.55 * _sideways(direction, rng)
        bent = direction + turn
        return bent / np.linalg.norm(bent)


@dataclass(frozen=True)
class Bipolar(Basket):
    """A bipolar cell: stems from the two poles, branches that keep to the vertical (y)."""

    seed: int = 97
    soma_diameter: float = 11.5
    stems: int = 3
    trunk: tuple[float, float] = (30.0, 8.0)
    branch: tuple[float, float] = (62.0, 18.0)
    tip: tuple[float, float] = (105.0, 30.0)
    fork: tuple[float, ...] = (1.0, 0.75, 0.3)

    def stem(self, k: int, rng: np.random.Generator) -> np.ndarray:
        """Unit vector in which stem `k` leaves the soma: the first up, the others down."""
        direction = np.array([0.0, 1.0 if k == 0 else -1.0, 0.0]) + rng.normal(0.0, 0.25, 3)
        return direction / np.linalg.norm(direction)

    def turned(self, direction: np.ndarray, side: float, rng: np.random.Generator) -> np.ndarray:
        """As after any fork, then bent back towards the pole."""
        bent = super().turned(direction, side, rng)
        bent = bent + np.array([0.0, np.sign(direction[1]) * 0.8, 0.0])
        return bent / np.linalg.norm(bent)


KINDS = {"basket": Basket, "bipolar": Bipolar}


@dataclass
class _Branch:
    length: float
    direction: np.ndarray
    children: list[_Branch]

    @property
    def beyond(self) -> float:
        """Length of all dendrite distal to this branch's end [um]."""
        return sum(child.length + child.beyond for child in self.children)


def _grow(order: int, direction: np.ndarray, rule: Basket, rng: np.random.Generator) -> _Branch:
    forks = order < len(rule.fork) and rng.random() < rule.fork[order]
    mean, sd = rule.trunk if order == 0 else rule.branch if forks else rule.tip
    length = float(max(rng.normal(mean, sd), 0.4 * mean))
    branch = _Branch(length, direction, [])
    if forks:
        for side in (-1.0, 1.0):
            branch.children.append(_grow(order + 1, rule.turned(direction, side, rng), rule, rng))
    return branch


def _sideways(direction: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    across = np.cross(direction, rng.normal(size=3))
    return across / np.linalg.norm(across)


def grow(path: str | Path, rule: Basket = Basket()) -> Path:
    """Write the tree as SWC (single-point soma, type-3 dendrites, no axon).

    Args:
        path: File to write, whole or not at all.
        rule: Statistics and seed; the same rule gives the same file, byte for byte.
    """
    rng = np.random.default_rng(rule.seed)
    rows = [(1, 0.0, 0.0, 0.0, rule.soma_diameter / 2, -1)]
    for stem in range(rule.stems):
        direction = rule.stem(stem, rng)
        trunk = _grow(0, direction, rule, rng)
        _write_branch(trunk, direction * rule.soma_diameter / 2, 1, rows, rule, rng)
    with written_whole(path) as temporary:
        kind = "bipolar" if isinstance(rule, Bipolar) else "fast-spiking basket"
        head = f"# {kind} cell, grown by noble_neuron.evolution.grow, {rule}\n"
        body = "".join(
            f"{i + 1} {1 if parent < 0 else 3} {x:.3f} {y:.3f} {z:.3f} {r:.4f} {parent}\n"
            for i, (_, x, y, z, r, parent) in enumerate(rows)
        )
        temporary.write_text(head + "# id type x y z radius parent\n" + body)
    return Path(path)


def _write_branch(branch, start, parent, rows, rule, rng) -> None:
    steps = max(2, round(branch.length / rule.step))
    place, direction = start, branch.direction
    for k in range(steps + 1):
        beyond = branch.beyond + branch.length * (1 - k / steps)
        radius = np.sqrt((rule.tip_area + rule.area_per_length * beyond) / np.pi)
        # A branch starts at its parent's last point; only a stem needs its own first point.
        if k or parent == 1:
            rows.append((3, *place, radius, parent))
            parent = len(rows)
        direction = direction + rng.normal(0.0, 0.08, 3)
        direction = direction / np.linalg.norm(direction)
        place = place + direction * branch.length / steps
    for child in branch.children:
        _write_branch(child, place - direction * branch.length / steps, parent, rows, rule, rng)


if __name__ == "__main__":
    grow(sys.argv[1], KINDS[sys.argv[2] if len(sys.argv) > 2 else "basket"]())
