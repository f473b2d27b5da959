"""The streaming surrogate of `vip`: its traces, its training, its figures; then it ships.

    python benchmarks/stream_vip.py OUT

The training is the one of `stream_ode` but for three numbers. Left to itself for up to 20 ms, or
with the weight of small errors as one cell likes it, this family's validation Gamma fell again
while its training loss fell: its spikes are off by more than those forgive. OUT keeps all, so that
a killed run goes on; `stream_pvalb.py` judges.
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
THRESHOLD, EPOCHS = -30.0, 300  # mV
RECIPE = StreamRecipe(segment_ms=240.0, free_end_ms=2.5, fade_ms=1e9, fine_mV=0.3)


def main() -> None:
    out = Path(sys.argv[1])
    torch.set_num_threads(1)
    study, settings = Study.load("vip"), STREAM_RECIPES["stream_ode"]
    samples = streaming_samples(study, PER_CELL, SEED, rate=RATE)
    data = build_dataset(study.cells, samples, out / "traces.h5", seed=SEED)
    training = replace(settings.training, epochs=EPOCHS)
    config = replace(settings, training=training, recipe=RECIPE, threshold=THRESHOLD)
    held_out = [name for name, role in study.roles.items() if role == "held out"]
    fit_stream(data, study.latents(config.latent), held_out, out / "first", config)
    command = ("benchmarks/stream_pvalb.py", data, out / "first", "vip", "stream_vip")
    subprocess.run([sys.executable, *command, "--rate", f"{RATE:g}", "--ship"], check=True)


if __name__ == "__main__":
    main()
