"""What a training step of `stream_ode` costs: by torch, by its compiler, by our machine code.

    python benchmarks/training_speed.py [--torch-compiler]

The same segment of 41 traces (60 ms in chunks of 1 ms, eleven latent coordinates, the shipped
size), forward and back, one thread; the ways take turns, and the figure is the median step. With
--torch-compiler its way is measured, too, which compiles for some minutes first.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np
import torch
from record import record

from noble_neuron.operators import OdeStream, stream_ode
from noble_neuron.operators.recurrent import Teaching
from noble_neuron.training.fit_stream import STREAM_RECIPES
from noble_neuron.training.origin import WIDE_LATENT

TRACES, CHUNKS, TURNS, STEPS = 41, 60, 5, 4


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    settings = STREAM_RECIPES["stream_ode"].operator
    latent = 0.5 + 3 * torch.rand(TRACES, len(WIDE_LATENT))
    shape = (TRACES, CHUNKS, settings.steps)
    b, g = 0.1 * torch.randn(shape), 0.02 * torch.rand(shape)
    teaching = Teaching(-70 + 5 * torch.randn(shape), torch.rand(shape[:2]) < 0.6, 0.01)
    ways = {name: made(settings) for name in ("torch", "machine code")}
    ways["machine code"].compile()
    plain = stream_ode._advanced
    compiled = torch.compile(plain, dynamic=False)
    if "--torch-compiler" in sys.argv:
        ways["torch, compiled"] = made(settings)
    took = {name: [] for name in ways}
    for turn in range(TURNS + 1):
        for name, stream in ways.items():
            stream_ode._advanced = compiled if name == "torch, compiled" else plain
            for _ in range(STEPS if turn else 1):  # the first turn warms up
                began = time.process_time()
                start = stream.start(latent, torch.full((TRACES,), -75.0))
                answer, _ = stream.taught(start, latent, b, g, teaching)
                (answer + 70).square().mean().backward()
                if turn:
                    took[name].append(time.process_time() - began)
    ms = {name: 1e3 * float(np.median(values)) for name, values in took.items()}
    n = TURNS * STEPS
    rows = [
        {
            "figure": f"{name}: processor time per training step",
            "value": value,
            "unit": "ms",
            "n": n,
        }
        for name, value in ms.items()
    ] + [
        {"figure": f"{name} over machine code", "value": value / ms["machine code"], "n": n}
        for name, value in ms.items()
        if name != "machine code"
    ]
    print(*(f"{row['figure']:50s} {row['value']:.3g}" for row in rows), sep="\n")
    record("training_speed", rows)


def made(settings) -> OdeStream:
    """The operator at its shipped size, untrained."""
    torch.manual_seed(0)
    return OdeStream(replace(settings, latent_size=len(WIDE_LATENT))).train()


if __name__ == "__main__":
    main()
