"""Rows of an import that wait for its end: in memory while they are few, else in a temporary file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

_IN_MEMORY = 256 * 1024  # bytes
_PIECE = 1_000


class Spool:
    """Rows of numbers, texts and None, read back in their order."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - `close` does it
        self.rows = 0

    def append(self, row: Sequence[Any]) -> None:
        """One more row."""
        self._file.write(json.dumps(row).encode("ascii") + b"\n")
        self.rows += 1

    def pieces(self) -> Iterator[list[list[Any]]]:
        """All rows, a thousand at a time."""
        self._file.seek(0)
        while piece := [json.loads(line) for line in islice(self._file, _PIECE)]:
            yield piece

    def close(self) -> None:
        """Forget them."""
        self._file.close()
