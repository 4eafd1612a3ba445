"""Events as JSON Lines in a file that several processes append to."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator

from mailgate.engagement._event import TrackingEvent

MAX_LINE_BYTES = 64 * 1024
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC


class JsonLinesSink:
    """Appends each event as one line, with one write, before it returns.

    path: opened at the first event and opened anew when the file was moved away (log rotation) or after a fork.
    mode: of a new file. On a local file system a line of one process never lands inside that of another (O_APPEND),
    and what was written survives the process; it survives the machine once the system has flushed it.
    Raises OSError when the disk is full or the path is gone.
    """

    def __init__(self, path: str | os.PathLike[str], *, mode: int = 0o640) -> None:
        self._path = os.fspath(path)
        self._mode = mode
        self._lock = threading.Lock()
        self._file = -1
        self._inode = (0, 0)
        self._pid = 0
        self._torn = False

    def __call__(self, event: TrackingEvent) -> None:
        """Append one event."""
        line = json.dumps(event.to_dict(), separators=(",", ":")).encode("ascii") + b"\n"
        with self._lock:
            self._open_if_needed()
            if self._torn:
                line = b"\n" + line
            self._torn = True
            written = os.write(self._file, line)
            if written < len(line):
                # The disk is nearly full. The torn line is ended, so that a reader can skip it, and written again.
                os.write(self._file, b"\n" + line)
            self._torn = False

    def open(self) -> None:
        """Open the file before the first event, to be told early (OSError) that it cannot be."""
        with self._lock:
            self._open_if_needed()

    def close(self) -> None:
        """Close the file; a later event opens it again."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def __enter__(self) -> JsonLinesSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_if_needed(self) -> None:
        if self._file >= 0 and self._pid == os.getpid() and self._is_same_file():
            return
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._file = os.open(self._path, _FLAGS, self._mode)
        self._pid = os.getpid()
        status = os.fstat(self._file)
        self._inode = (status.st_dev, status.st_ino)
        self._torn = status.st_size > 0 and _last_byte(self._path) != b"\n"

    def _is_same_file(self) -> bool:
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return False
        return (status.st_dev, status.st_ino) == self._inode


def _last_byte(path: str) -> bytes:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)


def read_json_lines(
    path: str | os.PathLike[str], *, on_bad_line: Callable[[int], object] | None = None
) -> Iterator[TrackingEvent]:
    """The events of a file that `JsonLinesSink` wrote, in its order.

    A line that is no event (torn by a full disk, written by somebody else, over 64 KiB) is passed over; `on_bad_line`
    is called with its number, from 1. Raises OSError when the file cannot be read.
    """
    with open(path, "rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            if not line.strip():
                continue
            try:
                if len(line) > MAX_LINE_BYTES:
                    while line and not line.endswith(b"\n"):
                        line = file.readline(MAX_LINE_BYTES)
                    raise ValueError("too long")
                yield TrackingEvent.from_dict(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                if on_bad_line is not None:
                    on_bad_line(number)
