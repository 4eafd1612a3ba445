"""Lists in, the same rows with result columns out: encoding, dialect and address column found or named; streamed."""

from __future__ import annotations

import asyncio
import codecs
import csv
import io
import itertools
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, TextIO

from mailgate.cli import _exit

_NAMES = ("email", "e-mail", "address", "recipient", "mail", "email_address", "email address", "e-mail address", "to")
_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_BYTES = 64 * 1024
_SAMPLE_ROWS = 200
# Rows of one table agree on their columns; lines of a plain list that hold a comma by accident do not.
_AGREEING_SHARE = 0.8
_MAX_FIELD_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A list that was opened.

    header: None when the list has none. column: where the address stands. delimiter: None for one address a line.
    line_end: as the list has it. rows: the cells of each row, the header not among them, blank lines left out.
    """

    header: list[str] | None
    column: int
    delimiter: str | None
    line_end: str
    rows: Iterator[list[str]]

    def address(self, row: list[str]) -> str:
        """The address cell, outer white space off; "" when the row is too short."""
        return row[self.column].strip() if self.column < len(row) else ""


def open_table(file: BinaryIO, column: str | None = None) -> Table:
    """Look at the beginning of a list and read it. column: the address column, by name or number from 1.

    Only what is there already is looked at, so that a slow pipe is not waited for. Bytes that are not what the encoding
    says come through as they are. Exit 65 where the CSV cannot be read.
    """
    head, whole = _head(file)
    encoding = _encoding(head)
    sample = head.decode(encoding, "replace")
    sample = sample if whole else sample[: sample.rfind("\n") + 1] or sample
    delimiter = _delimiter(sample)
    joined = io.BufferedReader(_Joined(head, file))
    text = io.TextIOWrapper(joined, encoding=encoding, errors="surrogateescape", newline="")
    return _table(
        list(itertools.islice(_rows(io.StringIO(sample, newline=""), delimiter, lenient=True), _SAMPLE_ROWS)),
        _rows(text, delimiter),
        delimiter,
        "\r\n" if "\r\n" in sample else "\n",
        column,
    )


def _head(file: BinaryIO) -> tuple[bytes, bool]:
    """The beginning, at least one line of it, and whether that is all."""
    read = getattr(file, "read1", file.read)
    head = b""
    while len(head) < _SAMPLE_BYTES and b"\n" not in head:
        more = read(_SAMPLE_BYTES - len(head))
        if not more:
            return head, True
        head += more
    return head, False


def _rows(text: TextIO, delimiter: str | None, *, lenient: bool = False) -> Iterator[list[str]]:
    """The rows that hold anything."""
    if delimiter is None:
        yield from ([line.strip()] for line in text if line.strip())
        return
    csv.field_size_limit(_MAX_FIELD_CHARACTERS)
    reader = csv.reader(text, delimiter=delimiter)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        if not lenient:
            words = f"the list cannot be read behind line {reader.line_num}: {error}; is a quote not closed?"
            raise _exit.Exit(_exit.DATA, words) from error


def _table(
    sample: list[list[str]], rows: Iterator[list[str]], delimiter: str | None, line_end: str, column: str | None
) -> Table:
    header = next(rows) if sample and _is_header(sample[0], delimiter) else None
    at = _column(column, header, sample[1:] if header else sample)
    return Table(header=header, column=at, delimiter=delimiter, line_end=line_end, rows=rows)


def _is_header(row: list[str], delimiter: str | None) -> bool:
    names = [cell.strip().lower() for cell in row]
    return not any("@" in name for name in names) and (delimiter is not None or names[0] in _NAMES)


def _column(wanted: str | None, header: list[str] | None, rows: list[list[str]]) -> int:
    """The address column: as it was named, or by its name, or where the @ signs stand."""
    names = [cell.strip().lower() for cell in header or ()]
    width = len(names) or max(map(len, rows), default=1)
    if wanted is not None:
        if wanted.strip().lower() in names:
            return names.index(wanted.strip().lower())
        if wanted.isdecimal() and 1 <= int(wanted) <= width:
            return int(wanted) - 1
        raise _exit.Exit(_exit.USAGE, f"no column {wanted!r}; there are {', '.join(names) or width}")
    for name in _NAMES:
        if name in names:
            return names.index(name)
    likely = [place for place, name in enumerate(names) if "mail" in name]
    if len(likely) == 1:
        return likely[0]
    signs = Counter(place for row in rows for place, cell in enumerate(row) if "@" in cell)
    if signs:
        return signs.most_common(1)[0][0]
    if width == 1:
        return 0
    words = ", ".join(map(repr, names[:20]))
    raise _exit.Exit(_exit.USAGE, f"which column holds the address? Name it with --column; there are {words}")


def _delimiter(sample: str) -> str | None:
    """The delimiter by which nearly all rows have the same number of columns; None: one address a line."""
    best: tuple[float, int, str] | None = None
    for delimiter in _DELIMITERS:
        rows = list(itertools.islice(_rows(io.StringIO(sample, newline=""), delimiter, lenient=True), _SAMPLE_ROWS))
        if not rows:
            continue
        columns, agreeing = Counter(map(len, rows)).most_common(1)[0]
        share = agreeing / len(rows)
        if columns > 1 and share >= _AGREEING_SHARE and (best is None or (share, columns) > best[:2]):
            best = share, columns, delimiter
    return None if best is None else best[2]


def _encoding(head: bytes) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


class _Joined(io.RawIOBase):
    """What was read already, then the rest."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        data = self._head[: len(target)]
        if not data:
            # read1 gives what a pipe has now; read would wait until it has all of it.
            data = getattr(self._rest, "read1", self._rest.read)(len(target))
        self._head = self._head[len(target) :]
        target[: len(data)] = data
        return len(data)


class Pump:
    """Rows of something that may make us wait, read by a thread of their own, so that no connection waits with us.

    The thread is a daemon: a pipe that nobody writes to cannot keep the program from ending.
    """

    _AHEAD = 2_000

    def __init__(self, rows: Iterator[tuple[Any, str]]) -> None:
        self._rows = rows
        self._items: deque[tuple[Any, str]] = deque()
        self._space = threading.Semaphore(self._AHEAD)
        self._done = False
        self._error: BaseException | None = None
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._told = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            for item in self._rows:
                self._space.acquire()
                self._items.append(item)
                self._tell()
        except BaseException as error:  # noqa: BLE001 - raised where the rows are taken
            self._error = error
        self._done = True
        self._told = False
        self._tell()

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            try:
                self._loop.call_soon_threadsafe(self._wake.set)
            except RuntimeError:  # the loop is closed: nobody takes rows any more
                return

    async def __aiter__(self) -> AsyncIterator[tuple[Any, str]]:
        while True:
            self._wake.clear()
            self._told = False
            done = self._done
            while self._items:
                self._space.release()
                yield self._items.popleft()
            if done:
                if self._error is not None:
                    raise self._error
                return
            await self._wake.wait()
