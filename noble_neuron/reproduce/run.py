"""Run items and write what they found: DIR/NAME.json and DIR/NAME.html, each whole."""

from __future__ import annotations

import datetime
import os
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .. import __version__
from ..compare.page import written
from ..files import write_json
from .bench import Bench
from .items import Item, find
from .outcome import Outcome

_OPTIONAL = {"unit": "", "n": None, "split": None, "seed": None}


def reproduce(
    names: Sequence[str],
    out: str | os.PathLike,
    scale: str = "quick",
    *,
    surrogate: str = "pvalb",
    cells: str = "pvalb",
    workers: int | None = None,
    device: str = "cpu",
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Outcome]:
    """Measure items, and write records and a page for each as soon as it is done.

    Full simulations are kept in OUT/simulations: the same call, killed or repeated with another
    surrogate, does not run them again.

    Args:
        names: Of items, or "all".
        out: Folder to write.
        scale: "quick": minutes on two cores; "small": of what trains, as much as a CPU affords;
            "full": as much as the paper has, or more.
        surrogate: Built-in name or a bundle.
        cells: Built-in ensemble or a study.
        workers: Processes of full simulations; one per core by default.
        device: Of the surrogate: cpu, cuda or cuda:N.
        say: Told about progress.

    Returns:
        Item -> what it found.
    """
    chosen, folder = find(names), Path(out)
    bench = Bench(cells, surrogate, scale, folder, workers, device, say)
    found = {}
    for item in chosen:
        began = time.monotonic()
        say(f"{item.name}: {item.text}")
        found[item.name] = item.run(bench)
        _write(item, found[item.name], bench)
        say(f"{folder / item.name}.html ({time.monotonic() - began:.0f} s)")
    return found


def _write(item: Item, outcome: Outcome, bench: Bench) -> None:
    common = {
        "scale": bench.scale,
        "command": command(item.name, bench),
        "version": __version__,
        "date": datetime.date.today().isoformat(),
    }
    rows = [{**_OPTIONAL, **row, **common} for row in outcome.records]
    write_json(bench.folder / f"{item.name}.json", rows)
    lead = f"{command(item.name, bench)}. The paper: {item.shows}."
    written(outcome.page(lead), bench.folder / f"{item.name}.html")


def command(name: str, bench: Bench) -> str:
    """What to type for the same again."""
    words = ["noble-neuron", "reproduce", name, "--scale", bench.scale]
    for option, value in (("--surrogate", bench.of), ("--cells", bench.cells)):
        words += [option, value] if value != "pvalb" else []
    return shlex.join(words)
