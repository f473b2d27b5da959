"""The streaming surrogate of `vip`: its traces, two trainings, its figures; then it ships.

    python benchmarks/stream_vip.py OUT

The second training goes on from the first with fresh momentum. Both take less from the fine part
of the loss than the recipe does, fade nothing and leave the operator alone for a few milliseconds
only: with blocks of up to 20 ms, which one cell learns well by, this family's validation score
rose again, for its spikes are off by more than that forgives. OUT keeps all, so that a killed run
goes on; `stream_pvalb.py` judges.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import torch

from noble_neuron.simulate.dataset import build_dataset
from noble_neuron.simulate.study import Study
from noble_neuron.simulate.suite import streaming_samples
from noble_neuron.training.fit_stream import STREAM_RECIPES, fit_stream
from noble_neuron.training.streaming import StreamRecipe

PER_CELL, SEED, RATE = 30, 5, 40.0  # traces of a second, up to this rate [Hz]
THRESHOLD = -30.0  # mV
FIRST = StreamRecipe(segment_ms=240.0, fade_ms=1e9, fine_mV=0.3), 300, 1.5e-3
SECOND = replace(FIRST[0], free_ms=2.0, free_end_ms=4.0), 250, 1e-3


def main() -> None:
    out = Path(sys.argv[1])
    torch.set_num_threads(1)
    study = Study.load("vip")
    samples = streaming_samples(study, PER_CELL, SEED, rate=RATE)
    data = build_dataset(study.cells, samples, out / "traces.h5", seed=SEED)
    first = trained(study, data, out / "first", *FIRST)
    trained(study, data, out / "second", *SECOND, start=str(first))
    command = ("benchmarks/stream_pvalb.py", data, out / "second", "vip", "stream_vip")
    subprocess.run([sys.executable, *command, "--rate", f"{RATE:g}", "--ship"], check=True)


def trained(
    study: Study,
    data: Path,
    folder: Path,
    recipe: StreamRecipe,
    epochs: int,
    lr: float,
    start: str | None = None,
) -> Path:
    """The bundle of one training."""
    settings = STREAM_RECIPES["stream_ode"]
    training = replace(settings.training, epochs=epochs, lr=lr)
    config = replace(settings, training=training, recipe=recipe, threshold=THRESHOLD, start=start)
    held_out = [name for name, role in study.roles.items() if role == "held out"]
    return fit_stream(data, study.latents(config.latent), held_out, folder, config).bundle


if __name__ == "__main__":
    main()
