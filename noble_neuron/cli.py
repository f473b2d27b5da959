"""The command line: parse, call, print. Every command is one function call of a notebook."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from . import __version__
from .errors import InputError, NobleError

_GO_ON = "Interrupted. The same command goes on from what is finished."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what goes wrong on purpose is one line on standard error.

    Returns:
        Exit status: 0, 2 for a `NobleError`, 130 for an interruption.
    """
    # NEURON would otherwise look for a screen, and say that it found none.
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    sys.path.insert(0, os.getcwd())  # where a user's "module:function" lives
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except NobleError as error:
        print(f"noble-neuron: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nnoble-neuron: {options.resumes}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `noble-neuron ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _fi(o: argparse.Namespace) -> None:
    from .compare.tables import study_table
    from .simulate.study import find_cells, measure

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
        told=_say,
        keep=part,
    )
    study.save(o.out)
    part.unlink(missing_ok=True)
    print(study_table(study).text())
    _say(f"written: {o.out}")


def _mix(o: argparse.Namespace) -> None:
    from .simulate.mixing import mix
    from .simulate.study import Study

    part = Path(f"{o.out}.part.jsonl")
    study = Study.load(o.study)
    more = mix(study, o.number, o.seed, workers=o.workers, told=_say, keep=part)
    more.save(o.out)
    part.unlink(missing_ok=True)
    _say(f"written: {o.out}, {len(more.cells) - len(study.cells)} mixtures beside the models")


def _dataset(o: argparse.Namespace) -> None:
    from .simulate.dataset import build_dataset
    from .simulate.study import Study
    from .simulate.suite import noble_samples, streaming_samples

    study = Study.load(o.study)
    if o.rate is not None and not o.streaming:
        raise InputError("--rate means nothing without --streaming: leave it.")
    if o.streaming:
        samples = streaming_samples(study, o.samples, o.seed, rate=o.rate)
    else:
        samples = noble_samples(study, o.samples, o.seed)
    path = build_dataset(study.cells, samples, o.out, workers=o.workers, seed=o.seed)
    _say(f"written: {path}, {len(samples)} samples of {len(study.cells)} cells")


def _train(o: argparse.Namespace) -> None:
    from .simulate.study import Study
    from .training.fit import fit
    from .training.fit_stream import STREAM_RECIPES, fit_stream

    study, streaming = Study.load(o.study), o.operator in STREAM_RECIPES
    config = _stream_config(o) if streaming else _fit_config(o)
    held_out = [name for name, role in study.roles.items() if role == "held out"]
    work = fit_stream if streaming else fit
    result = work(o.dataset, study.latents(config.latent), held_out, o.out, config)
    _say(
        f"written: {result.bundle}, validation score {result.score:.4g}"
        + ("" if result.finished else "; the time was up, the same command goes on")
    )


def _fit_config(o: argparse.Namespace):
    """The operator's own recipe, with what the command line says otherwise."""
    from .training.fit import RECIPES

    _none_of(o, "memory", "width", "threshold", "start")
    recipe = RECIPES[o.operator]
    operator = {"layers": o.layers, "hidden": o.hidden, "modes": o.modes}
    given = {"factor": o.factor, "latent": tuple(o.latent.split(",")) if o.latent else None}
    clock = {"epochs": o.clock_epochs, **_shared(o)}
    return replace(
        _with(recipe, given),
        operator=_with(recipe.operator, operator),
        training=_with(recipe.training, _own(o)),
        clock_training=_with(recipe.clock_training, clock),
        detail_training=_with(recipe.detail_training, _shared(o)),
    )


def _stream_config(o: argparse.Namespace):
    """The same for a streaming operator."""
    from .training.fit_stream import STREAM_RECIPES

    _none_of(o, "layers", "hidden", "modes", "factor", "clock_epochs")
    recipe = STREAM_RECIPES[o.operator]
    operator = {"memory": o.memory, "width": o.width}
    given = {
        "threshold": o.threshold,
        "start": o.start,
        "latent": tuple(o.latent.split(",")) if o.latent else None,
    }
    return replace(
        _with(recipe, given),
        operator=_with(recipe.operator, operator),
        training=_with(recipe.training, _own(o)),
    )


def _shared(o: argparse.Namespace) -> dict:
    return {"seed": o.seed, "device": o.device, "max_minutes": o.minutes}


def _own(o: argparse.Namespace) -> dict:
    return {"epochs": o.epochs, "batch_size": o.batch, "lr": o.lr, **_shared(o)}


def _none_of(o: argparse.Namespace, *names: str) -> None:
    """Refuse what the operator does not have."""
    for name in names:
        if getattr(o, name) is not None:
            raise InputError(
                f"--{name.replace('_', '-')} means nothing to {o.operator}: leave it."
            )


def _with(settings, given: dict):
    """Frozen settings with those of `given` that were given."""
    return replace(settings, **{k: v for k, v in given.items() if v is not None})


def _evaluate(o: argparse.Namespace) -> None:
    from .compare.evaluation import evaluate
    from .files import write_json
    from .simulate.study import Study
    from .surrogates.bundle import load
    from .training.split import Split

    study, surrogate = Study.load(o.study), load(o.bundle, o.device)
    split = Split.read(o.split or Path(o.bundle).parent / "split.json")
    parts = {"held-out currents": split.test, "held-out cells": split.unseen}
    result = evaluate(
        surrogate,
        o.dataset,
        study.latents(surrogate.latent_space.names),
        {name: rows for name, rows in parts.items() if rows},
        split.train,
        cells=study.cells,
        floor_samples=o.floor,
    )
    print(result.table())
    if o.out:
        write_json(o.out, result.records())
        _say(f"written: {o.out}")


def _compare(o: argparse.Namespace) -> None:
    from .compare.side_by_side import chosen, compare
    from .simulate.study import Study
    from .surrogates.bundle import load

    study, surrogate = Study.load(o.cells), load(o.surrogate, o.device)
    cells = chosen(study, o.number)
    result = compare(
        surrogate,
        cells,
        study.latents(surrogate.latent_space.names),
        o.currents,
        roles=study.roles,
        say=_say,
    )
    print(result.table())
    if o.report:
        _say(f"written: {result.save_html(o.report)}")


def _compare_network(o: argparse.Namespace) -> None:
    from .compare.network import compare_network

    swaps = {}
    for text in o.replace:
        pop, equals, surrogate = text.rpartition("=")
        if not (pop and equals and surrogate):
            raise InputError(f"--replace {text}: write POPULATION=SURROGATE, as in PV=pvalb.")
        given = {"latent": o.latent, "seed": o.seed, "shift": o.shift}
        swaps[pop] = {"surrogate": surrogate} | {k: v for k, v in given.items() if v is not None}
    result = compare_network(o.model, swaps, o.out, say=_say)
    print(result.table())
    _say(f"written: {result.save_html(Path(o.out) / 'report.html')}")


def _evolve(o: argparse.Namespace) -> None:
    from .evolution.search import SearchConfig, evolve
    from .evolution.select import Choice, choose, cost_of, publish
    from .evolution.spec import SearchSpec

    spec = SearchSpec.read(o.spec)
    config = SearchConfig(
        o.offspring, o.passive_generations, o.generations, o.last_generations, o.seed
    )
    archive = evolve(spec, o.out, config, o.workers)
    choice = Choice(models=o.models, held_out=o.hold_out, seed=o.seed)
    taken = choose(spec, archive.whole_models(), choice, o.workers)
    publish(spec, taken, choice, cost_of(archive.rows.values()), o.out)
    _say(f"written: {o.out}, {len(taken)} models")


def _hoc(o: argparse.Namespace) -> None:
    from .assets import hoc_dir

    print(hoc_dir())


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="noble-neuron",
        description="Neural-operator surrogates of NEURON cells.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"noble-neuron {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text, fill, resumes in _COMMANDS:
        command = commands.add_parser(
            name,
            help=text,
            description=text + ".",
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.set_defaults(run=run, resumes=resumes)
        fill(command)
    return parser


def _fill_compare(add: argparse.ArgumentParser) -> None:
    add.add_argument("surrogate", nargs="?", default="pvalb", help="built-in name or a bundle")
    add.add_argument("--cells", default="pvalb", help="built-in ensemble or a study")
    add.add_argument("--number", type=int, default=6, help="how many cells, a third held-out ones")
    add.add_argument(
        "--currents",
        type=float,
        nargs="+",
        help="[nA]; a grid over the trained range if not given",
    )
    add.add_argument("--report", default="compare.html", help="HTML file to write; '' for none")
    _device(add)


def _fill_compare_network(add: argparse.ArgumentParser) -> None:
    add.add_argument(
        "model", help="folder of a NetPyNE model: index.npjson, or netParams.py + cfg.py"
    )
    add.add_argument(
        "--replace",
        nargs="+",
        required=True,
        metavar="POP=SURROGATE",
        help="population, and a built-in name or a bundle; several may follow",
    )
    add.add_argument("--latent", help="cells, hull, tags, or a training cell's name")
    add.add_argument("--seed", type=int, help="of the draw of latent points")
    add.add_argument("--shift", type=float, help="added to the surrogate's millivolts [mV]")
    add.add_argument("--out", default="network_comparison", help="folder of report, runs and logs")


def _fill_fi(add: argparse.ArgumentParser) -> None:
    add.add_argument("cells", help="built-in ensemble, Allen folder, study, or module:function")
    add.add_argument("--out", default="study.json", help="study to write")
    add.add_argument("--hold-out", type=int, default=0, help="cells that training never sees")
    add.add_argument("--low", type=float, default=0.0, help="silent current to start from [nA]")
    add.add_argument("--high", type=float, default=1.0, help="end of the F-I curves [nA]")
    _seed_and_workers(add)


def _fill_mix(add: argparse.ArgumentParser) -> None:
    add.add_argument("study", help="built-in ensemble or a study")
    add.add_argument("--out", default="mixed.json", help="study to write")
    add.add_argument("--number", type=int, default=100, help="mixtures to make")
    _seed_and_workers(add)


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
    _seed_and_workers(add)


def _fill_train(add: argparse.ArgumentParser) -> None:
    add.add_argument("dataset", help="training set")
    add.add_argument("study", help="built-in ensemble or a study")
    add.add_argument("--out", default="training", help="folder of checkpoints, log and bundle")
    add.add_argument(
        "--operator",
        default="noble_clocked",
        choices=("noble_clocked", "noble_fno", "stream_dense", "stream_ode"),
        help="whole traces with a learned clock, or the paper's; or chunk by chunk, for "
        "NobleCells, on a --streaming training set; each has a recipe of its own",
    )
    add.add_argument("--latent", help="features, comma-separated; the recipe's if not given")
    add.add_argument("--factor", type=int, help="grid coarser than the data's by; 3 if not given")
    add.add_argument(
        "--threshold", type=float, help="of a spike [mV]; the cells' own if not given"
    )
    add.add_argument("--epochs", type=int, help="passes over the data; the recipe's if not given")
    add.add_argument("--clock-epochs", type=int, help="passes of the clock, likewise")
    add.add_argument("--batch", type=int, help="samples per step, likewise")
    add.add_argument("--lr", type=float, help="learning rate, likewise")
    add.add_argument("--layers", type=int, help="Fourier layers; the operator's own by default")
    add.add_argument("--hidden", type=int, help="channels; the operator's own by default")
    add.add_argument("--modes", type=int, help="Fourier modes; the operator's own by default")
    add.add_argument("--memory", type=int, help="of a streaming operator; its own by default")
    add.add_argument("--width", type=int, help="of its layers; its own by default")
    add.add_argument("--start", help="streaming bundle of the same cells to go on from")
    add.add_argument("--minutes", type=float, help="stop after so long; no limit if not given")
    add.add_argument("--seed", type=int, default=0, help="of the samples' order and the weights")
    _device(add)


def _fill_evaluate(add: argparse.ArgumentParser) -> None:
    add.add_argument("bundle", help="built-in name or a bundle")
    add.add_argument("dataset", help="training set it was trained on a part of")
    add.add_argument("study", help="built-in ensemble or a study")
    add.add_argument("--split", help="split.json; the one beside the bundle if not given")
    add.add_argument("--floor", type=int, default=20, help="samples solved again at dt/2")
    add.add_argument("--out", help="JSON file of all figures")
    _device(add)


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
    _seed_and_workers(add)


def _device(add: argparse.ArgumentParser) -> None:
    add.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")


def _seed_and_workers(add: argparse.ArgumentParser) -> None:
    add.add_argument("--seed", type=int, default=0, help="of everything drawn")
    add.add_argument("--workers", type=int, help="processes; one per core if not given")


_Fill = Callable[[argparse.ArgumentParser], None]
_COMMANDS: tuple[tuple[str, Callable, str, _Fill, str], ...] = (
    (
        "compare",
        _compare,
        "full simulation and surrogate side by side",
        _fill_compare,
        "Interrupted; nothing was written.",
    ),
    (
        "compare-network",
        _compare_network,
        "a NetPyNE model as it is and with surrogates, side by side",
        _fill_compare_network,
        _GO_ON,
    ),
    (
        "fi",
        _fi,
        "F-I curves and features of cells, as a study",
        _fill_fi,
        _GO_ON,
    ),
    (
        "mix",
        _mix,
        "a study with more cells to train on, between its training models",
        _fill_mix,
        _GO_ON,
    ),
    ("dataset", _dataset, "simulate a training set", _fill_dataset, _GO_ON),
    ("train", _train, "train a surrogate", _fill_train, _GO_ON),
    (
        "evaluate",
        _evaluate,
        "judge a surrogate beside its baselines",
        _fill_evaluate,
        "Interrupted; nothing was written.",
    ),
    (
        "hoc",
        _hoc,
        "where noble.hoc is: HOC_LIBRARY_PATH=$(noble-neuron hoc) nrniv script.hoc",
        lambda add: None,
        "Interrupted.",
    ),
    ("evolve", _evolve, "search a hall of fame for a cell", _fill_evolve, _GO_ON),
)
