"""The command that measures again what the NOBLE paper shows."""

from __future__ import annotations

import argparse

from .shared import Command, cells, device, say


def _reproduce(o: argparse.Namespace) -> None:
    from ..reproduce.items import listed
    from ..reproduce.run import reproduce
    from ..surrogates.bundle import load

    if not o.names:
        print(listed())
        return
    found = reproduce(
        o.names,
        o.out,
        o.scale,
        surrogate=o.surrogate,
        cells=o.cells or load(o.surrogate).card.ensemble,
        workers=o.workers,
        device=o.device,
        say=say,
    )
    print("\n\n\n".join(outcome.text() for outcome in found.values()))


def _fill_reproduce(add: argparse.ArgumentParser) -> None:
    add.add_argument("names", nargs="*", help="what to measure, or all; without it, a list")
    add.add_argument(
        "--scale", default="quick", help="quick: minutes on two cores; small, of what trains; full"
    )
    add.add_argument("--surrogate", default="pvalb", help="built-in name or a bundle")
    cells(add)
    add.add_argument("--out", default="reproduce", help="folder of records, pages and simulations")
    add.add_argument("--workers", type=int, help="processes; one per core if not given")
    device(add)


COMMANDS = (
    Command("reproduce", _reproduce, "what the NOBLE paper shows, measured", _fill_reproduce),
)
