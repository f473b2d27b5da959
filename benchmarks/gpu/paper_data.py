"""The paper-scale training set, as a program: `python benchmarks/gpu/paper_data.py FOLDER N`.

Writes FOLDER/latents.json, split.json and pvalb.h5; killed at any moment, it goes on.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from noble_neuron.cells.builtin import ensemble  # noqa: E402
from noble_neuron.cells.spec import HofCell  # noqa: E402
from noble_neuron.files import read_json, write_json  # noqa: E402
from noble_neuron.nrn import mechanisms  # noqa: E402
from noble_neuron.protocols.suites import AmplitudeDistribution, noble_suite  # noqa: E402
from noble_neuron.simulate.characterise import characterise  # noqa: E402
from noble_neuron.simulate.dataset import build_dataset  # noqa: E402
from noble_neuron.training.split import split_samples  # noqa: E402

FEATURES = ("I_thr", "s_thr")  # section 3.4
HELD_OUT = 0.05  # share of currents that validate, and again of those that test
UNSEEN = 0.05  # samples of the held-out cells, per training sample
SEED = 0


def measured(cell: HofCell) -> dict[str, float]:
    """A cell's latent features, and the largest amplitude before it is blocked [nA]."""
    found = characterise(cell)
    below = found.curve.amplitudes
    if np.isfinite(found.values["I_block"]):
        below = below[below < found.values["I_block"]]
    return {**{name: found.values[name] for name in FEATURES}, "top": float(below[-1])}


def latents(cells: tuple[HofCell, ...], path: Path) -> dict[str, dict[str, float]]:
    """`measured` of every cell, kept at `path` as it goes."""
    known = read_json(path) if path.exists() else {}
    missing = [cell for cell in cells if cell.name not in known]
    if missing:
        mechanisms.load()  # compiled once, here
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            for cell, values in zip(missing, pool.map(measured, missing), strict=True):
                known[cell.name] = values
                write_json(path, known)
    return known


def make(folder: Path, n: int) -> None:
    """Draw and simulate `n` training samples, and what judges them."""
    pvalb = ensemble("pvalb")
    features = latents(pvalb.cells, folder / "latents.json")
    training = [features[pvalb.cells[i].name] for i in pvalb.train]
    steps = AmplitudeDistribution.fit(
        [values["I_thr"] for values in training], [values["top"] for values in training]
    )
    draw = np.random.default_rng(SEED)
    cell_of = np.concatenate(
        [
            draw.choice(pvalb.train, round(n / (1 - 2 * HELD_OUT))),
            draw.choice(pvalb.test, max(1, round(UNSEEN * n))),
        ]
    ).tolist()
    protocols = noble_suite(len(cell_of), steps, SEED)
    amplitudes = [protocol.stimuli[0].amplitude for protocol in protocols]
    split = split_samples(
        cell_of,
        amplitudes,
        set(cell_of) & set(pvalb.test),
        SEED,
        validation=HELD_OUT,
        test=HELD_OUT,
    )
    split.write(folder / "split.json")
    build_dataset(
        pvalb.cells, list(zip(cell_of, protocols, strict=True)), folder / "pvalb.h5", seed=SEED
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]))
