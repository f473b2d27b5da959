"""The command line: parse, call, print."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from . import __version__
from .commands import COMMANDS
from .errors import NobleError


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
        print(f"\nnoble-neuron: {options.interrupted}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `noble-neuron ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="noble-neuron",
        description="Neural-operator surrogates of NEURON cells.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"noble-neuron {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for each in COMMANDS:
        command = commands.add_parser(
            each.name,
            help=each.text,
            description=each.text + ".",
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.set_defaults(run=each.run, interrupted=each.interrupted)
        each.fill(command)
    return parser
