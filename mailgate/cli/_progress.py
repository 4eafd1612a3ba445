"""A progress bar on stderr, only when a person is there to see it."""

from __future__ import annotations

import sys
import time
from types import TracebackType

_WIDTH = 30
_SECONDS_BETWEEN_UPDATES = 0.1


class Progress:
    """`with Progress(total, "reading") as bar: … bar.advance()`.

    total: how many steps, None when nobody knows. Silent when stderr is not a terminal.
    The rate is that of the whole run so far; the remaining time assumes that the rest goes at this rate.
    """

    def __init__(self, total: int | None, label: str) -> None:
        self.total = total
        self.label = label
        self.done = 0
        self._shown = sys.stderr.isatty()
        self._started = time.monotonic()
        self._updated = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._shown and self.done:
            self._write()
            sys.stderr.write("\n")

    def advance(self, steps: int = 1) -> None:
        """`steps` more are done."""
        self.done += steps
        if self._shown and time.monotonic() - self._updated >= _SECONDS_BETWEEN_UPDATES:
            self._write()

    def line(self) -> str:
        """What the bar says now."""
        elapsed = max(time.monotonic() - self._started, 1e-9)
        rate = self.done / elapsed
        if not self.total:
            return f"{self.label}: {self.done:,} done, {rate:,.0f}/s"
        filled = min(_WIDTH, _WIDTH * self.done // self.total)
        left = (self.total - self.done) / rate if rate else 0.0
        bar = "#" * filled + "." * (_WIDTH - filled)
        return f"{self.label}: [{bar}] {self.done:,}/{self.total:,}  {rate:,.0f}/s  {_duration(left)} left"

    def _write(self) -> None:
        self._updated = time.monotonic()
        sys.stderr.write("\r\x1b[K" + self.line())
        sys.stderr.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
