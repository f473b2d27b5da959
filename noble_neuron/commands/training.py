"""Commands that train: train, finetune, surrogate-for."""

from __future__ import annotations

import argparse
from dataclasses import replace

from ..errors import InputError
from .shared import Command, device, say, seed_and_workers


def _train(o: argparse.Namespace) -> None:
    from ..simulate.study import Study
    from ..training.fit import fit
    from ..training.fit_stream import STREAM_RECIPES, fit_stream

    study, streaming = Study.load(o.study), o.operator in STREAM_RECIPES
    config = _stream_config(o) if streaming else _fit_config(o)
    held_out = [name for name, role in study.roles.items() if role == "held out"]
    work = fit_stream if streaming else fit
    result = work(o.dataset, study.latents(config.latent), held_out, o.out, config)
    say(_written(result))


def _written(result) -> str:
    goes_on = "" if result.finished else "; the time was up, the same command goes on"
    return f"written: {result.bundle}, validation score {result.score:.4g}{goes_on}"


def _fit_config(o: argparse.Namespace):
    """The operator's own recipe, with what the command line says otherwise."""
    from ..training.fit import RECIPES

    _none_of(o, "memory", "width", "threshold", "free", "start")
    recipe = RECIPES[o.operator]
    operator = {"layers": o.layers, "hidden": o.hidden, "modes": o.modes}
    given = {"factor": o.factor, "latent": tuple(o.latent.split(",")) if o.latent else None}
    clock = {"epochs": o.clock_epochs, **_shared(o)}
    return replace(
        _with(recipe, given),
        operator=_with(recipe.operator, operator),
        training=_with(recipe.training, _own(o)),
        clock_training=_with(recipe.clock_training, clock),
        first_training=_with(recipe.first_training, _shared(o)),
        later_training=_with(recipe.later_training, _shared(o)),
        spike_training=_with(recipe.spike_training, _shared(o)),
    )


def _stream_config(o: argparse.Namespace):
    """The same for a streaming operator."""
    from ..training.fit_stream import STREAM_RECIPES

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
        recipe=_with(recipe.recipe, {"free_end_ms": o.free}),
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
    add.add_argument(
        "--free",
        type=float,
        help="how long a streaming operator is left to itself at the end, mean [ms]; less than "
        "the recipe's for a family whose spikes it places to some milliseconds only",
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
    device(add)


def _finetune(o: argparse.Namespace) -> None:
    from ..simulate.study import Study
    from ..surrogates.bundle import load
    from ..training.finetune import FINETUNING, finetune

    study = Study.load(o.study)
    held_out = [name for name, role in study.roles.items() if role == "held out"]
    given = {"epochs": o.epochs, "lr": o.lr, **_shared(o)}
    result = finetune(
        o.start,
        o.dataset,
        study.latents(load(o.start).latent_space.names),
        held_out,
        o.out,
        o.feature,
        o.weight,
        _with(FINETUNING, given),
    )
    say(_written(result))


def _fill_finetune(add: argparse.ArgumentParser) -> None:
    add.add_argument("dataset", help="training set, of the step that the surrogate knows")
    add.add_argument("study", help="built-in ensemble or a study")
    add.add_argument("--start", default="pvalb", help="built-in surrogate or a bundle")
    add.add_argument(
        "--feature", default="sag_amplitude", help="to bring nearer, as eFEL names it"
    )
    add.add_argument(
        "--weight", type=float, default=25.0, help="of its error in the loss; 0: the voltage alone"
    )
    add.add_argument("--out", default="finetuned", help="folder of checkpoints, log and bundle")
    add.add_argument("--epochs", type=int, help="passes over the samples that have the feature")
    add.add_argument("--lr", type=float, help="learning rate")
    add.add_argument("--minutes", type=float, help="stop after so long; no limit if not given")
    add.add_argument("--seed", type=int, default=0, help="of the samples' order")
    device(add)


def _surrogate_for(o: argparse.Namespace) -> None:
    from ..workflows.surrogate_for import Effort, surrogate_for

    effort = Effort(minutes=o.minutes, traces=o.traces)
    made = surrogate_for(
        o.model,
        o.pop,
        out=o.out,
        operator=o.operator,
        effort=effort,
        seed=o.seed,
        workers=o.workers,
        say=say,
    )
    print(made.text())
    say(f"written: {made.bundle}")
    say(f"in the model: noble.replace(netParams, {o.pop!r}, surrogate={str(made.bundle)!r})")


def _fill_surrogate_for(add: argparse.ArgumentParser) -> None:
    add.add_argument(
        "model", help="folder of a NetPyNE model: index.npjson, or netParams.py + cfg.py"
    )
    add.add_argument("pop", help="population whose cells it is for")
    add.add_argument("--out", default="surrogate", help="folder of all that is made, OUT/bundle")
    add.add_argument("--minutes", type=float, default=60.0, help="of training, about")
    add.add_argument("--traces", type=int, default=600, help="of a second, to train on")
    add.add_argument(
        "--operator",
        default="stream_ode",
        choices=("stream_dense", "stream_ode"),
        help="the equation, which NEURON solves itself, or dense layers",
    )
    seed_and_workers(add)


COMMANDS = (
    Command("train", _train, "train a surrogate", _fill_train),
    Command("finetune", _finetune, "train a surrogate on for one feature", _fill_finetune),
    Command(
        "surrogate-for",
        _surrogate_for,
        "train a surrogate for a population of a NetPyNE model",
        _fill_surrogate_for,
    ),
)
