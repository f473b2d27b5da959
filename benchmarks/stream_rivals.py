"""Streaming operators side by side: the same traces, the same processor time, several seeds.

    python benchmarks/stream_rivals.py DATASET OUT MINUTES [VARIANTS SEEDS]

DATASET holds `streaming_samples` of cells of `pvalb`; each variant (comma-separated names of
`VARIANTS`; all) is trained on it with each seed (0) for MINUTES of one thread's time, then runs
freely over test traces that nothing else has seen. Beside it the floor: the full cells against
themselves at half their time step. Killed, the same command goes on.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from record import record

from noble_neuron.features.agreement import judge
from noble_neuron.features.latent import LatentSpace
from noble_neuron.files import read_json, write_json
from noble_neuron.operators import DenseConfig, DenseStream, OdeConfig, OdeStream, Stream
from noble_neuron.protocols.protocol import Protocol
from noble_neuron.protocols.suites import class_of
from noble_neuron.simulate.run import simulate
from noble_neuron.simulate.study import Study
from noble_neuron.store.hdf5 import Dataset
from noble_neuron.training import TrainConfig, train
from noble_neuron.training.origin import WIDE_LATENT
from noble_neuron.training.split import split_samples
from noble_neuron.training.streaming import StreamTask, free_run
from noble_neuron.training.streams import Streams, gather_streams
from noble_neuron.units import unit

VARIANTS = {
    "dense": lambda k: DenseStream(DenseConfig(latent_size=k)),
    "dense, blind within a chunk": lambda k: DenseStream(DenseConfig(latent_size=k, causal=False)),
    "ode": lambda k: OdeStream(OdeConfig(latent_size=k)),
}
# Strong inhibition shunts the spikes of these cells to peaks of -20 mV: their own threshold
# would count some of them by chance.
THRESHOLD = -35.0  # mV
BATCH = 32
VALIDATIONS, TRIALS = 6, 10
UNITS = {"below_mV": "mV", "peak_mV": "mV", "false_spikes": "per trace"}


@dataclass(frozen=True)
class Parts:
    """A data set cut into what trains, what chooses and what judges."""

    train: Streams
    validation: Streams
    test: Streams
    rows: tuple[int, ...]  # of the test traces in the data set


def main() -> None:
    path, out, minutes, *rest = sys.argv[1:]
    names = rest[0].split(",") if rest else list(VARIANTS)
    seeds = [int(s) for s in rest[1].split(",")] if len(rest) > 1 else [0]
    torch.set_num_threads(1)
    parts, out = cut(path), Path(out)
    rows = figures("floor (full cell at dt/2)", floor(path, parts, out / "floor.npy"), parts.test)
    print_table(rows)
    for name in names:
        for seed in seeds:
            stream, said = trained(name, seed, parts, float(minutes), out)
            answer = free_run(stream, parts.test, torch.device("cpu"))
            own = figures(name, answer, parts.test, seed)
            rows += [*own, *({**row, "seed": seed} for row in said)]
            print_table(own)
    print("written:", record("stream_rivals", rows))


def cut(path: str) -> Parts:
    """Eight tenths of each cell's traces train, one chooses, one judges."""
    study = Study.load("pvalb")
    with Dataset.open(path) as data:
        cells = [str(name) for name in data.table["cell"]]
        split = split_samples([cells[i] for i in data.ok], list(data.ok), (), seed=0)
        several = list(dict.fromkeys(cells))
        if len(several) > 1:
            known = study.latents(WIDE_LATENT)
            table = np.array([known[name] for name in several])
            space = LatentSpace.fit(WIDE_LATENT, [unit(n) for n in WIDE_LATENT], table)
            latents = dict(zip(several, space.encode(table), strict=True))
        else:
            latents = {several[0]: np.zeros(0)}  # one cell is told from no other
        config = DenseConfig()

        def part(local: tuple[int, ...]) -> Streams:
            rows = [int(data.ok[k]) for k in local]
            return gather_streams(data, rows, np.array([latents[cells[i]] for i in rows]), config)

        test = tuple(int(data.ok[k]) for k in split.test)
        return Parts(part(split.train), part(split.validation), part(split.test), test)


def floor(path: str, parts: Parts, kept: Path) -> np.ndarray:
    """The test traces solved again at half their time step [mV]; kept, as they take long."""
    if kept.exists():
        return np.load(kept)
    cells = {cell.name: cell for cell in Study.load("pvalb").cells}
    answers = np.empty_like(parts.test.v)
    with Dataset.open(path) as data:
        for k, i in enumerate(parts.rows):
            protocol = Protocol.from_dict(json.loads(data.table["protocol"][i]))
            dt, grid = float(data.table["dt"][i]), parts.test.grid_ms
            cell = cells[str(data.table["cell"][i])]
            trace = simulate(cell, protocol, dt=dt / 2, record_dt=grid)
            answers[k] = trace.v[1 : 1 + answers.shape[1]]
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.save(kept, answers)
    return answers


def trained(
    name: str, seed: int, parts: Parts, minutes: float, out: Path
) -> tuple[Stream, list[dict]]:
    """An operator after so many minutes of one thread's time, and what its training was."""
    torch.manual_seed(seed)
    stream = VARIANTS[name](parts.train.latent.shape[1])
    folder = out / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"
    plan = folder / "plan.json"
    if not plan.exists():
        write_json(plan, {"epochs": affordable(stream, parts, minutes)})
    epochs = read_json(plan, "plan")["epochs"]
    config = recipe(epochs, seed)
    task = StreamTask(stream, parts.train, parts.validation, epochs, THRESHOLD)
    spent = folder / "spent.json"  # over all calls
    before = read_json(spent)["minutes"] if spent.exists() else 0.0
    began = time.process_time()
    result = train(stream, task, config, folder)
    took = before + (time.process_time() - began) / 60
    write_json(spent, {"minutes": took})
    said = [
        {"figure": f"{name}/steps", "value": result.steps},
        {"figure": f"{name}/weights", "value": sum(p.numel() for p in stream.parameters())},
        {"figure": f"{name}/processor time", "value": took, "unit": "min"},
    ]
    return stream.eval(), said


def recipe(epochs: int, seed: int) -> TrainConfig:
    """Fast at first and annealed to nothing: a run cut short says little of one that ends."""
    return TrainConfig(
        recipe="modern",
        epochs=epochs,
        batch_size=BATCH,
        lr=3e-3,
        warmup=0.02,
        clip=0.3,
        ema=0.995,
        validate_every=max(1, epochs // VALIDATIONS),
        seed=seed,
        checkpoint_minutes=2.0,
    )


def affordable(stream: Stream, parts: Parts, minutes: float) -> int:
    """Epochs that fit into so many minutes of this thread, from a few steps on trial."""
    spare, cpu = copy.deepcopy(stream), torch.device("cpu")
    task = StreamTask(spare, parts.train, parts.validation, 1, THRESHOLD)
    rows = torch.arange(min(BATCH, task.n_samples))
    took = []
    for _ in range(TRIALS):
        began = time.process_time()
        task.loss(spare, rows, cpu).backward()
        took.append(time.process_time() - began)
    began = time.process_time()
    task.validate(spare.eval(), cpu)
    judging = (VALIDATIONS + 1) * (time.process_time() - began)
    step = float(np.median(took[2:]))
    return max(2, int((60 * minutes - judging) / (step * task.n_samples / BATCH)))


def figures(name: str, answer: np.ndarray, test: Streams, seed: int | None = None) -> list[dict]:
    """Records of one answer, over all test traces and over each class."""
    kinds = np.array([class_of(n) for n in test.names])
    rows = []
    for kind in ("all", *dict.fromkeys(kinds)):
        which = np.flatnonzero((kinds == kind) | (kind == "all"))
        part = test.part(which)
        values = judge(answer[which], part.v, part.grid_ms, THRESHOLD)
        rows += [
            {
                "figure": f"{name}/{kind}/{key}",
                "value": value,
                "unit": UNITS.get(key, ""),
                "n": len(which),
                "split": "test",
                "seed": seed,
            }
            for key, value in values.items()
            if np.isfinite(value)
        ]
    return rows


def print_table(rows: list[dict]) -> None:
    """One line per class."""
    lines: dict[str, list[str]] = {}
    for row in rows:
        head, _, key = row["figure"].rpartition("/")
        lines.setdefault(f"{head} (n {row['n']})", []).append(f"{key} {row['value']:.3f}")
    for head, said in lines.items():
        print(head, " ".join(said), flush=True)


if __name__ == "__main__":
    main()
