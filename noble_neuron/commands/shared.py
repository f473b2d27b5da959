"""What the commands of the command line have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

GOES_ON = "Interrupted. The same command goes on from what is finished."
NOTHING_WRITTEN = "Interrupted; nothing was written."


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: As it is typed.
        run: Does the work, from the parsed options.
        text: What it does, in a phrase.
        fill: Adds its arguments.
        interrupted: What to say when it is interrupted.
    """

    name: str
    run: Callable[[argparse.Namespace], None]
    text: str
    fill: Callable[[argparse.ArgumentParser], None]
    interrupted: str = GOES_ON


def say(text: str) -> None:
    """Tell the user how it goes, on standard error."""
    print(text, file=sys.stderr, flush=True)


def device(add: argparse.ArgumentParser) -> None:
    """Add --device."""
    add.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")


def cells(add: argparse.ArgumentParser) -> None:
    """Add --cells; None stands for the ensemble that the surrogate's card names."""
    add.add_argument("--cells", help="built-in ensemble or a study; the surrogate's if not given")


def seed_and_workers(add: argparse.ArgumentParser) -> None:
    """Add --seed and --workers."""
    add.add_argument("--seed", type=int, default=0, help="of everything drawn")
    add.add_argument("--workers", type=int, help="processes; one per core if not given")
