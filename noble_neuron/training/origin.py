"""What a training set tells whoever trains on it: how it is split, and who its cells are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..features.latent import LatentSpace
from ..files import read_json, write_json
from ..store.hdf5 import Dataset
from ..units import unit
from .split import Split, split_samples

# Two features of the F-I curve do not fix a cell: of equal I_thr, spikes differ two-fold in width.
WIDE_LATENT = (
    "I_thr",
    "s_thr",
    "mean_frequency",
    "inv_first_ISI",
    "time_to_first_spike",
    "mean_AP_amplitude",
    "AHP_depth",
    "AP1_width",
    "resting_voltage",
    "input_resistance",
    "I_rep",
)


def kept_split(data: Dataset, held_out: set[str], seed: int, path: Path) -> Split:
    """The split of a folder: written down at `path` before the first training, then kept.

    Args:
        data: The training set.
        held_out: Names of the cells that training must not see.
        seed: Of the draw.
        path: OUT/split.json; what it is a split of goes beside it.

    Raises:
        InputError: The folder holds the split of something else, or the set is too small.
    """
    asked = {
        "dataset": data.content_hash()["table/protocol"],
        "seed": seed,
        "held_out": sorted(held_out),
    }
    note = path.with_name("split-of.json")
    if path.exists() and note.exists():
        if read_json(note) != asked:
            raise InputError(
                f"{path.parent} holds the split of another training set, seed or choice of "
                f"held-out cells: train into another folder."
            )
        return Split.read(path)
    split = _drawn(data, held_out, seed)
    split.write(path)
    write_json(note, asked)
    return split


def _drawn(data: Dataset, held_out: set[str], seed: int) -> Split:
    ok = data.ok
    if not len(ok):
        raise InputError(f"{data.path} holds no trace: every simulation failed.")
    cells = [str(name) for name in data.table["cell"][ok]]
    stimuli = [_key(text) for text in data.table["protocol"][ok]]
    local = split_samples(cells, stimuli, held_out & set(cells), seed)
    rows = {
        name: tuple(int(ok[i]) for i in getattr(local, name))
        for name in ("train", "validation", "test", "unseen")
    }
    for name in ("train", "validation"):
        if not rows[name]:
            raise InputError(
                f"{data.path} is too small to split: no sample is left for {name}. Simulate at "
                f"least ten currents per cell."
            )
    return Split(**rows, seed=seed)


def _key(protocol: str) -> str:
    """A stimulus without its name, so that equal ones stay in one part of the split."""
    return json.dumps(json.loads(protocol)["stimuli"], sort_keys=True)


class Cells:
    """The cells of a training set, their latent points, and the space of those trained on.

    Attributes:
        names: Of each sample's cell.
        seen: Of the training cells.
        space: Latent space, fitted to the training cells.
    """

    def __init__(
        self,
        data: Dataset,
        latents: Mapping[str, Sequence[float]],
        features: Sequence[str],
        split: Split,
    ) -> None:
        """
        Args:
            data: The training set.
            latents: Cell name -> its values of `features`, physical units.
            features: Latent coordinates.
            split: Which samples train.
        """
        self.names = [str(name) for name in data.table["cell"]]
        missing = sorted(set(self.names) - set(latents))
        if missing:
            raise InputError(f"No latent point for {', '.join(missing[:5])} of {data.path}.")
        self.seen = tuple(dict.fromkeys(self.names[i] for i in split.train))
        self._latents, self._data = latents, data
        self.space = LatentSpace.fit(
            features,
            [unit(n) for n in features],
            np.array([latents[name] for name in self.seen]),
        )

    def encoded(self, rows: Sequence[int]) -> np.ndarray:
        """Encoded latent point of each sample, shape (len(rows), k)."""
        return self.space.encode(np.array([self._latents[self.names[i]] for i in rows]))

    def said(self, licence: str) -> dict:
        """What any card says of them: the fields of `surrogates.card.Origin`, and v_init."""
        known = {cell["name"]: cell for cell in self._data.cells}
        used = [known[name] for name in self.seen]
        same = {}
        for key in ("celsius", "v_init", "threshold", "junction_potential", "ensemble"):
            values = list(dict.fromkeys(cell[key] for cell in used))
            if len(values) > 1:
                raise InputError(
                    f"The cells of {self._data.path} differ in {key} "
                    f"({', '.join(map(str, values[:4]))}): one surrogate stands for cells of one "
                    f"kind."
                )
            same[key] = values[0]
        same["ensemble"] = same["ensemble"] or self._data.path.stem
        return {
            **same,
            "latent_space": self.space,
            "licence": licence,
            "data_hash": self._data.content_hash(),
        }
