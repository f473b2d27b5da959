"""Commands that find cells and simulate them: fi, mix, evolve, dataset."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputError
from .shared import Command, say, seed_and_workers


def _fi(o: argparse.Namespace) -> None:
    from ..compare.tables import study_table
    from ..simulate.study import find_cells, measure

    name, cells = find_cells(o.cells)
    part = Path(f"{o.out}.part.jsonl")
    study = measure(
        name,
        cells,
        held_out=o.hold_out,
        seed=o.seed,
        low=o.low,
        high=o.high,
        workers=o.workers,
        told=say,
        keep=part,
    )
    study.save(o.out)
    part.unlink(missing_ok=True)
    print(study_table(study).text())
    say(f"written: {o.out}")


def _fill_fi(add: argparse.ArgumentParser) -> None:
    add.add_argument("cells", help="built-in ensemble, Allen folder, study, or module:function")
    add.add_argument("--out", default="study.json", help="study to write")
    add.add_argument("--hold-out", type=int, default=0, help="cells that training never sees")
    add.add_argument("--low", type=float, default=0.0, help="silent current to start from [nA]")
    add.add_argument("--high", type=float, default=1.0, help="end of the F-I curves [nA]")
    seed_and_workers(add)


def _mix(o: argparse.Namespace) -> None:
    from ..simulate.mixing import mix
    from ..simulate.study import Study

    part = Path(f"{o.out}.part.jsonl")
    study = Study.load(o.study)
    more = mix(study, o.number, o.seed, workers=o.workers, told=say, keep=part)
    more.save(o.out)
    part.unlink(missing_ok=True)
    say(f"written: {o.out}, {len(more.cells) - len(study.cells)} mixtures beside the models")


def _fill_mix(add: argparse.ArgumentParser) -> None:
    add.add_argument("study", help="built-in ensemble or a study")
    add.add_argument("--out", default="mixed.json", help="study to write")
    add.add_argument("--number", type=int, default=100, help="mixtures to make")
    seed_and_workers(add)


def _dataset(o: argparse.Namespace) -> None:
    from ..simulate.dataset import build_dataset
    from ..simulate.study import Study
    from ..simulate.suite import noble_samples, streaming_samples

    study = Study.load(o.study)
    if o.rate is not None and not o.streaming:
        raise InputError("--rate means nothing without --streaming: leave it.")
    if o.streaming:
        samples = streaming_samples(study, o.samples, o.seed, rate=o.rate)
    else:
        samples = noble_samples(study, o.samples, o.seed)
    path = build_dataset(study.cells, samples, o.out, workers=o.workers, seed=o.seed)
    say(f"written: {path}, {len(samples)} samples of {len(study.cells)} cells")


def _fill_dataset(add: argparse.ArgumentParser) -> None:
    add.add_argument("study", help="built-in ensemble or a study")
    add.add_argument("--out", default="dataset.h5", help="HDF5 file to write")
    add.add_argument("--samples", type=int, default=100, help="stimuli per cell")
    add.add_argument(
        "--streaming",
        action="store_true",
        help="stimuli as in a network (noise, conductances, steps), not the paper's square step",
    )
    add.add_argument(
        "--rate",
        type=float,
        help="of firing that the streaming steps reach [Hz]; they reach 1.7 I_thr if not given",
    )
    seed_and_workers(add)


def _evolve(o: argparse.Namespace) -> None:
    from ..evolution.search import SearchConfig, evolve
    from ..evolution.select import Choice, choose, cost_of, publish
    from ..evolution.spec import SearchSpec

    spec = SearchSpec.read(o.spec)
    config = SearchConfig(
        o.offspring, o.passive_generations, o.generations, o.last_generations, o.seed
    )
    archive = evolve(spec, o.out, config, o.workers)
    choice = Choice(models=o.models, held_out=o.hold_out, seed=o.seed)
    measured = Path(o.out) / "measured.jsonl"
    taken = choose(spec, archive.whole_models(), choice, o.workers, measured)
    publish(spec, taken, choice, cost_of(archive.rows.values()), o.out)
    say(f"written: {o.out}, {len(taken)} models")


def _fill_evolve(add: argparse.ArgumentParser) -> None:
    add.add_argument("spec", help="search specification, JSON")
    add.add_argument("--out", default="evolution", help="folder of the archive and the result")
    add.add_argument("--offspring", type=int, default=40, help="candidates per generation")
    add.add_argument("--passive-generations", type=int, default=12, help="of the first stage")
    add.add_argument("--generations", type=int, default=40, help="of the second stage")
    add.add_argument(
        "--last-generations", type=int, default=100, help="that count only what exceeds 2 SD"
    )
    add.add_argument("--models", type=int, default=60, help="size of the hall of fame")
    add.add_argument("--hold-out", type=int, default=10, help="models that training never sees")
    seed_and_workers(add)


COMMANDS = (
    Command("fi", _fi, "F-I curves and features of cells, as a study", _fill_fi),
    Command(
        "mix", _mix, "a study with more cells to train on, between its training models", _fill_mix
    ),
    Command("dataset", _dataset, "simulate a training set", _fill_dataset),
    Command("evolve", _evolve, "search a hall of fame for a cell", _fill_evolve),
)
