"""The command that hoc scripts need: hoc."""

from __future__ import annotations

import argparse

from .shared import Command


def _hoc(o: argparse.Namespace) -> None:
    from ..assets import hoc_dir

    print(hoc_dir())


COMMANDS = (
    Command(
        "hoc",
        _hoc,
        "where noble.hoc is: HOC_LIBRARY_PATH=$(noble-neuron hoc) nrniv script.hoc",
        lambda add: None,
        "Interrupted.",
    ),
)
