"""Figures kept: benchmarks/results/NAME.json, a list of records, one per measured figure."""

from __future__ import annotations

import datetime
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from noble_neuron.files import write_json  # noqa: E402

RESULTS = Path(__file__).resolve().parent / "results"
_OPTIONAL = {"unit": "", "goal": None, "n": None, "split": None, "seed": None}


def record(name: str, rows: list[dict[str, Any]], device: str | None = None) -> Path:
    """Write the records of one benchmark, each with device, command, commit and date.

    Args:
        name: File stem under benchmarks/results.
        rows: Dicts with `figure` and `value`, and any of unit, goal, n, split, seed.
        device: What computed the figures; the processor's name by default.
    """
    common = {
        "device": device or processor(),
        "command": shlex.join(["python", *_relative(sys.argv)]),
        "commit": _commit(),
        "date": datetime.date.today().isoformat(),
    }
    path = RESULTS / f"{name}.json"
    write_json(path, [{**_OPTIONAL, **row, **common} for row in rows])
    return path


def processor() -> str:
    """Name of this machine's processor, with its core count."""
    import os

    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(x.split(":", 1)[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores"


def _relative(arguments: list[str]) -> list[str]:
    return [
        str(Path(a).resolve().relative_to(ROOT)) if a.startswith(str(ROOT)) else a
        for a in arguments
    ]


def _commit() -> str:
    answer = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() or "unknown"
