"""What a training says while it runs: one line on stderr, one JSON line per validation."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from ..files import written_whole


class Line:
    """A progress line on stderr: rewritten in a terminal, every 30 s in a file."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.terminal = sys.stderr.isatty()
        self.began: tuple[float, int] | None = None  # s, step
        self.last = 0.0  # s

    def due(self) -> bool:
        return time.monotonic() - self.last > (1 if self.terminal else 30)

    def show(self, step: int, text: str, end: bool = False) -> None:
        now = self.last = time.monotonic()
        self.began = self.began or (now, step)
        rate = (step - self.began[1]) / max(now - self.began[0], 1e-9)  # steps/s
        left = f"{_clock((self.total - step) / rate)} left" if rate > 0 else "timing"
        line = f"step {step}/{self.total}  {text}  {rate:.2f} steps/s  {left}"
        lead, tail = ("\r\033[K", "\n" if end else "") if self.terminal else ("", "\n")
        sys.stderr.write(f"{lead}{line}{tail}")
        sys.stderr.flush()


def _clock(seconds: float) -> str:
    minutes, s = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{s:02d}"


def append(path: Path, row: dict) -> None:
    """Add a row to a JSON-lines file."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def cut(path: Path, step: int) -> None:
    """Drop the rows after `step`, and a last one half written: the run will repeat them."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except ValueError:
            continue
    with written_whole(path) as temporary:
        temporary.write_text("".join(kept), encoding="utf-8")
