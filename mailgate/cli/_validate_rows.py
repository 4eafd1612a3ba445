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

from mailgate.cli import _exit, _output

_NAMES = ("email", "e-mail", "address", "recipient", "mail", "email_address", "email address", "e-mail address", "to")
_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_BYTES = 64 * 1024
_SAMPLE_ROWS = 200
# Rows of one table agree on their columns; lines of a plain list that hold a comma by accident do not.
_AGREEING_SHARE = 0.8
_MAX_FIELD_CHARACTERS = 1 << 20
# What people hand over by mistake: the first bytes, what it is, what to do.
_NOT_TEXT = (
    (b"PK\x03\x04", "an Excel or other zipped file", "save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "save it as CSV"),
    (b"%PDF", "a PDF", "save its addresses as text"),
    (b"\x1f\x8b", "compressed", "unpack it"),
    (b"SQLite format 3", "a database", "export its addresses as CSV"),
)
_CONTROLS = bytes({*range(32), 127} - {*b"\t\n\v\f\r\x1a\x1b"})
_MOST_CONTROLS = 0.05  # of the first bytes; a stray NUL in a list is the fault of its line


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A list that was opened.

    header: None when the list has none. width: how many columns it has, as far as its beginning tells. column: where
    the address stands. delimiter: None for one address a line. line_end: as the list has it. rows: the cells of each
    row, the header not among them, blank lines left out.
    """

    header: list[str] | None
    width: int
    column: int
    delimiter: str | None
    line_end: str
    rows: Iterator[list[str]]

    def address(self, row: list[str]) -> str:
        """The address cell, outer white space off; "" when the row is too short."""
        return row[self.column].strip() if self.column < len(row) else ""


def open_table(file: BinaryIO, column: str | None = None, *, name: str = "-") -> Table:
    """Look at the beginning of a list and read it. column: the address column, by name or number from 1.

    Only what is there already is looked at, so that a slow pipe is not waited for. Bytes that are not what the encoding
    says come through as they are. name: of the list, for messages. Exit 65 where it cannot be read as a list, 64 where
    the column is not found.
    """
    name = "the list" if name == "-" else name
    head, whole = _head(file)
    encoding = _encoding(head)
    _refuse_what_is_no_text(head, encoding, name)
    sample = head.decode(encoding, "replace")
    sample = sample if whole else sample[: sample.rfind("\n") + 1] or sample
    delimiter = _delimiter(sample, column)
    joined = io.BufferedReader(_Joined(head, file))
    text = io.TextIOWrapper(joined, encoding=encoding, errors="surrogateescape", newline="")
    return _table(
        list(itertools.islice(_rows(io.StringIO(sample, newline=""), delimiter, lenient=True), _SAMPLE_ROWS)),
        _rows(text, delimiter, name=name),
        delimiter,
        "\r\n" if "\r\n" in sample else "\n",
        column,
        name,
    )


def _refuse_what_is_no_text(head: bytes, encoding: str, name: str) -> None:
    for magic, kind, advice in _NOT_TEXT:
        if head.startswith(magic):
            raise _exit.Exit(_exit.DATA, f"{name} is {kind}, not a list: {advice}")
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if not encoding.startswith("utf-16") and controls > _MOST_CONTROLS * len(head):
        raise _exit.Exit(_exit.DATA, f"{name} is not a list: it holds bytes that no text has; give CSV or plain text")


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


def _rows(text: TextIO, delimiter: str | None, *, lenient: bool = False, name: str = "") -> Iterator[list[str]]:
    """The rows that hold anything. lenient: for a look at the beginning; else what is odd is said, under `name`."""
    if delimiter is None:
        yield from ([line.strip()] for line in text if line.strip())
        return
    csv.field_size_limit(_MAX_FIELD_CHARACTERS)
    reader = csv.reader(text, delimiter=delimiter)
    quiet, behind = lenient, 0
    try:
        for row in reader:
            if not quiet and reader.line_num > behind + 1 and _swallows_rows(row, delimiter):
                quiet = True
                words = "a quoted field holds whole rows, whose addresses are not checked; is a quote not closed?"
                _output.say(f"{name}, line {behind + 1}: {words}")
            behind = reader.line_num
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        if not lenient:
            words = f"{name} cannot be read from line {behind + 1} on: {error}; is a quote not closed?"
            raise _exit.Exit(_exit.DATA, words) from error


def _swallows_rows(row: list[str], delimiter: str) -> bool:
    """One field looks as if it were several lines of the list."""
    return any("@" in line and delimiter in line for cell in row for line in cell.splitlines()[1:])


def _table(
    sample: list[list[str]],
    rows: Iterator[list[str]],
    delimiter: str | None,
    line_end: str,
    column: str | None,
    name: str,
) -> Table:
    header = next(rows) if sample and _is_header(sample[0], delimiter) else None
    width = len(header or ()) or max(map(len, sample), default=1)
    try:
        at = _column(column, header, sample[1:] if header else sample, width)
    except _exit.Exit as error:
        raise _exit.Exit(error.code, f"{name}: {error.words}") from None
    return Table(header=header, width=width, column=at, delimiter=delimiter, line_end=line_end, rows=rows)


def _is_header(row: list[str], delimiter: str | None) -> bool:
    names = [cell.strip().lower() for cell in row]
    return not any("@" in name for name in names) and (delimiter is not None or names[0] in _NAMES)


def _column(wanted: str | None, header: list[str] | None, rows: list[list[str]], width: int) -> int:
    """The address column: as it was named, or by its name, or where the @ signs stand."""
    names = [cell.strip().lower() for cell in header or ()]
    there = ", ".join(repr(cell.strip()) for cell in (header or ())[:20])
    if wanted is not None:
        if wanted.strip().lower() in names:
            return names.index(wanted.strip().lower())
        if wanted.isdecimal() and 1 <= int(wanted) <= width:
            return int(wanted) - 1
        known = f"there are {there}" if there else f"it has no header; name one by its number, 1 to {width}"
        raise _exit.Exit(_exit.USAGE, f"no column {wanted!r}; {known}")
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
    known = f"there are {there}" if there else f"by its number, 1 to {width}"
    raise _exit.Exit(_exit.USAGE, f"which column holds the address? Name it with --column; {known}")


def _delimiter(sample: str, column: str | None = None) -> str | None:
    """The delimiter that makes a header of the first row, or nearly all rows alike; None: one address a line."""
    known = {*_NAMES, *([column.strip().lower()] if column else ())}
    best: tuple[float, int, str] | None = None
    for delimiter in _DELIMITERS:
        rows = list(itertools.islice(_rows(io.StringIO(sample, newline=""), delimiter, lenient=True), _SAMPLE_ROWS))
        if not rows:
            continue
        names = {cell.strip().lower() for cell in rows[0]}
        if len(names) > 1 and not names.isdisjoint(known):
            return delimiter
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
    # UTF-16 without its mark: every other byte of ASCII is zero.
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = head[first::2].count(0), head[1 - first :: 2].count(0)
        if len(head) >= 4 and not others and zeros > len(head) // 4:
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
