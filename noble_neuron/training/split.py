"""Which samples train, which choose the weights, and which judge: written down beforehand."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..errors import InputError
from ..files import read_json, write_json


@dataclass(frozen=True)
class Split:
    """Sample indices; no cell and current of one part are in another.

    Attributes:
        train: What the loss sees.
        validation: What chooses the weights.
        test: Held-out currents of the training cells.
        unseen: All samples of the held-out cells.
        seed: What drew it.
    """

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    unseen: tuple[int, ...]
    seed: int

    def write(self, path: str | os.PathLike) -> None:
        """Write as JSON."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: str | os.PathLike) -> Split:
        """Inverse of `write`."""
        stored = read_json(path, "split")
        try:
            parts = {k: tuple(int(i) for i in v) for k, v in stored.items() if k != "seed"}
            return cls(**parts, seed=int(stored["seed"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"The split {path} is damaged: {error}") from None


def split_samples(
    cells: Sequence[Hashable],
    stimuli: Sequence[Hashable],
    unseen_cells: Iterable[Hashable],
    seed: int,
    validation: float = 0.1,
    test: float = 0.1,
) -> Split:
    """Split by cell, then, within each training cell, by stimulus.

    Args:
        cells: Cell of each sample.
        stimuli: Stimulus of each sample, e.g. its amplitude; equal ones stay together.
        unseen_cells: The held-out cells.
        seed: Draws the parts.
        validation: Share of each training cell's stimuli.
        test: Share of each training cell's stimuli.
    """
    if len(cells) != len(stimuli):
        raise InputError(
            f"A split needs a cell and a stimulus per sample: got {len(cells)} and {len(stimuli)}."
        )
    held = set(unseen_cells)
    if held - set(cells):
        raise InputError(
            f"No sample is of the held-out cells {sorted(map(str, held - set(cells)))}."
        )
    parts: dict[str, list[int]] = {"train": [], "validation": [], "test": [], "unseen": []}
    order = np.random.default_rng(seed)
    for cell in dict.fromkeys(cells):
        of_cell = [i for i, c in enumerate(cells) if c == cell]
        if cell in held:
            parts["unseen"] += of_cell
            continue
        keys = list(dict.fromkeys(stimuli[i] for i in of_cell))
        drawn = _draw(len(keys), validation, test, order)
        part_of = dict(zip(keys, drawn, strict=True))
        for i in of_cell:
            parts[part_of[stimuli[i]]].append(i)
    if not parts["train"]:
        raise InputError("This split leaves no sample to train on.")
    return Split(**{name: tuple(indices) for name, indices in parts.items()}, seed=seed)


def _draw(n: int, validation: float, test: float, order: np.random.Generator) -> list[str]:
    """The part of each of n stimuli, in random order, with the shares asked for."""
    n_validation, n_test = round(validation * n), round(test * n)
    n_train = n - n_validation - n_test
    names = ["train"] * n_train + ["validation"] * n_validation + ["test"] * n_test
    return [names[i] for i in order.permutation(n)]
