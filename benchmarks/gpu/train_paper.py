"""The paper's training at its own scale, in calls of a few minutes each.

    python benchmarks/gpu/train_paper.py FOLDER [--minutes 9] [--device cuda]

Each call goes on where the last one stopped, within its time: 75,600 training steps on the
`pvalb` ensemble are drawn and simulated on all cores, the 12 x 24 x 256 operator is trained for
300 epochs, and at last FOLDER/bundle and benchmarks/results/noble_pvalb_paper_scale.json are
written. Several GPUs: start it under torchrun once FOLDER/pvalb.h5 is there.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from record import record  # noqa: E402

from noble_neuron.compare.evaluation import evaluate  # noqa: E402
from noble_neuron.features.latent import LatentSpace  # noqa: E402
from noble_neuron.operators import NobleConfig, NobleFNO  # noqa: E402
from noble_neuron.simulate.study import Study  # noqa: E402
from noble_neuron.store.hdf5 import Dataset  # noqa: E402
from noble_neuron.surrogates import Card, load, save  # noqa: E402
from noble_neuron.training import TrainConfig, TrainResult, train  # noqa: E402
from noble_neuron.training.split import Split  # noqa: E402
from noble_neuron.training.whole_trace import Traces, WholeTraceTask, gather  # noqa: E402
from noble_neuron.units import unit  # noqa: E402

FEATURES = ("I_thr", "s_thr")  # section 3.4
ENDING_S = 20.0  # kept for the last checkpoint


def main() -> None:
    asked = arguments()
    end = time.monotonic() + 60 * asked.minutes
    asked.folder.mkdir(parents=True, exist_ok=True)
    if not (asked.folder / "pvalb.h5").exists() and not data_within(asked, end):
        print("The training set is not whole yet: run the same command again.")
        return
    result, model = train_until(asked, end - ENDING_S)
    print(result)
    if not result.finished:
        print("The training is not finished yet: run the same command again.")
    elif int(os.environ.get("RANK", "0")) == 0:
        judge(asked, model)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=9.0, help="length of this call")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--samples", type=int, default=75_600, help="training samples")
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--recipe", default="reference", help="reference or modern")
    return parser.parse_args()


def data_within(asked: argparse.Namespace, end: float) -> bool:
    """Build the training set in a process of its own, which the clock may kill: it resumes."""
    command = [sys.executable, HERE / "paper_data.py", asked.folder, str(asked.samples)]
    build = subprocess.Popen(command, start_new_session=True)
    try:
        code = build.wait(max(1.0, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        os.killpg(build.pid, signal.SIGKILL)
        build.wait()
        return False
    if code:
        sys.exit(f"The training set failed (exit {code}); see above.")
    return True


def train_until(asked: argparse.Namespace, end: float) -> tuple[TrainResult, NobleFNO]:
    """Train, or go on, until `end`."""
    space, names = latent_space()
    split = Split.read(asked.folder / "split.json")
    with Dataset.open(asked.folder / "pvalb.h5") as dataset:
        parts = [
            traces(asked.folder, dataset, names, space, part, getattr(split, part))
            for part in ("train", "validation")
        ]
    mean, sd = parts[0].scale()
    torch.manual_seed(0)
    model = NobleFNO(NobleConfig(latent_size=len(FEATURES), v_mean=mean, v_sd=sd))
    config = TrainConfig(
        recipe=asked.recipe,
        epochs=asked.epochs,
        batch_size=asked.batch,
        device=asked.device,
        max_minutes=max(0.1, (end - time.monotonic()) / 60),
    )
    return train(model, WholeTraceTask(*parts), config, asked.folder / "training"), model


def latent_space() -> tuple[LatentSpace, dict[str, tuple[float, ...]]]:
    """The space of the training cells, and every cell's point in physical units."""
    study = Study.load("pvalb")
    points = study.latents(FEATURES)
    training = np.array([points[study.cells[k].name] for k in study.training])
    return LatentSpace.fit(FEATURES, [unit(name) for name in FEATURES], training), points


def traces(
    folder: Path,
    dataset: Dataset,
    points: dict[str, tuple[float, ...]],
    space: LatentSpace,
    part: str,
    rows: tuple[int, ...],
) -> Traces:
    """One part of the split on the paper's grid; filtered once, then mapped from its files."""
    good = np.array(sorted(set(rows) & set(dataset.ok.tolist())))
    latent = space.encode(np.array([points[name] for name in dataset.table["cell"][good]]))
    maps, done = folder / "traces" / part, folder / "traces" / part / "whole"
    if not done.exists():
        gather(dataset.decimated(), good, latent, maps)
        done.touch()
    arrays = [np.load(maps / f"{name}.npy", mmap_mode="r") for name in ("current", "voltage")]
    return Traces(*arrays, latent.astype(np.float32), dataset.decimated().dt(good[0]))


def judge(asked: argparse.Namespace, model: NobleFNO) -> None:
    """Write the bundle with its measured errors, and the record of them."""
    folder, bundle = asked.folder, asked.folder / "bundle"
    space, points = latent_space()
    split = Split.read(folder / "split.json")
    cell = Study.load("pvalb").cells[0]
    with Dataset.open(folder / "pvalb.h5") as dataset:
        good = set(dataset.ok.tolist())
        train_rows, test, unseen = (
            np.array(sorted(good & set(rows))) for rows in (split.train, split.test, split.unseen)
        )
        current = [dataset.current(int(i)) for i in train_rows]
        card = Card(
            ensemble="pvalb",
            latent_space=space,
            dt=dataset.decimated().dt(int(test[0])),
            current_range=(float(min(map(np.min, current))), float(max(map(np.max, current)))),
            celsius=cell.celsius,
            v_init=cell.v_init,
            threshold=cell.threshold,
            junction_potential=cell.junction_potential,
            licence="BSD-3-Clause",
            data_hash=dataset.content_hash(),
            step=(15.0, 400.0),
            notes=("The paper's operator and recipe, at the paper's scale.",),
        )
        save(bundle, model, card)
        result = evaluate(
            load(bundle, asked.device.split(":")[0]),
            dataset,
            points,
            {"held-out currents": test, "held-out cells": unseen},
            train_rows,
        )
    rows = result.records()
    save(bundle, model, Card(**{**vars(card), "errors": rows}))
    name = torch.cuda.get_device_name() if asked.device.startswith("cuda") else None
    record("noble_pvalb_paper_scale", [{**row, "seed": 0} for row in rows], device=name)
    print(result.table())


if __name__ == "__main__":
    main()
