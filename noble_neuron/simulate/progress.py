"""Progress of long work on standard error: a live line on a terminal, else one now and then."""

from __future__ import annotations

import sys
import time

TERMINAL_EVERY, LOG_EVERY = 0.5, 30.0  # s


class Progress:
    """Counts what is done, and says how fast and how much longer."""

    def __init__(self, what: str, total: int, done: int = 0) -> None:
        self.what, self.total, self.done = what, total, done
        self._before, self._began = done, time.monotonic()
        self._live = sys.stderr.isatty()
        self._every = TERMINAL_EVERY if self._live else LOG_EVERY
        self._told = self._began

    def step(self, count: int = 1) -> None:
        """`count` more are done."""
        self.done += count
        now = time.monotonic()
        if now - self._told >= self._every or (self._live and self.done >= self.total):
            self._told = now
            self._tell(now - self._began)

    def _tell(self, seconds: float) -> None:
        rate = (self.done - self._before) / seconds  # per second
        left = (self.total - self.done) / rate if rate else float("inf")
        line = f"{self.what}: {self.done}/{self.total}, {rate:.2f}/s, {clock(left)} left"
        end = "\n" if not self._live or self.done >= self.total else "\x1b[K\r"
        print(line, end=end, file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """h:mm:ss of a duration [s]; "?" if it is unknown."""
    if seconds == float("inf"):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
