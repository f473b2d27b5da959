"""Commands that put surrogates beside full simulation: compare, compare-network, evaluate."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputError
from .shared import NOTHING_WRITTEN, Command, cells, device, say


def _compare(o: argparse.Namespace) -> None:
    from ..compare.side_by_side import chosen, compare
    from ..simulate.study import Study
    from ..surrogates.bundle import load

    surrogate = load(o.surrogate, o.device)
    study = Study.load(o.cells or surrogate.card.ensemble)
    result = compare(
        surrogate,
        chosen(study, o.number),
        study.latents(surrogate.latent_space.names),
        o.currents,
        roles=study.roles,
        say=say,
    )
    print(result.table())
    if o.report:
        say(f"written: {result.save_html(o.report)}")


def _fill_compare(add: argparse.ArgumentParser) -> None:
    add.add_argument("surrogate", nargs="?", default="pvalb", help="built-in name or a bundle")
    cells(add)
    add.add_argument("--number", type=int, default=6, help="how many cells, a third held-out ones")
    add.add_argument(
        "--currents",
        type=float,
        nargs="+",
        help="[nA]; a grid over the trained range if not given",
    )
    add.add_argument("--report", default="compare.html", help="HTML file to write; '' for none")
    device(add)


def _compare_network(o: argparse.Namespace) -> None:
    from ..compare.network import compare_network

    swaps = {}
    for text in o.replace:
        pop, equals, surrogate = text.rpartition("=")
        if not (pop and equals and surrogate):
            raise InputError(f"--replace {text}: write POPULATION=SURROGATE, as in PV=pvalb.")
        given = {"latent": o.latent, "seed": o.seed, "shift": o.shift}
        swaps[pop] = {"surrogate": surrogate} | {k: v for k, v in given.items() if v is not None}
    result = compare_network(o.model, swaps, o.out, say=say)
    print(result.table())
    say(f"written: {result.save_html(Path(o.out) / 'report.html')}")


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


def _evaluate(o: argparse.Namespace) -> None:
    from ..compare.evaluation import evaluate
    from ..files import write_json
    from ..simulate.study import Study
    from ..surrogates.bundle import load
    from ..training.split import Split

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
        say(f"written: {o.out}")


def _fill_evaluate(add: argparse.ArgumentParser) -> None:
    add.add_argument("bundle", help="built-in name or a bundle")
    add.add_argument("dataset", help="training set it was trained on a part of")
    add.add_argument("study", help="built-in ensemble or a study")
    add.add_argument("--split", help="split.json; the one beside the bundle if not given")
    add.add_argument("--floor", type=int, default=20, help="samples solved again at dt/2")
    add.add_argument("--out", help="JSON file of all figures")
    device(add)


COMMANDS = (
    Command(
        "compare",
        _compare,
        "full simulation and surrogate side by side",
        _fill_compare,
        NOTHING_WRITTEN,
    ),
    Command(
        "compare-network",
        _compare_network,
        "a NetPyNE model as it is and with surrogates, side by side",
        _fill_compare_network,
    ),
    Command(
        "evaluate",
        _evaluate,
        "judge a surrogate beside its baselines",
        _fill_evaluate,
        NOTHING_WRITTEN,
    ),
)
