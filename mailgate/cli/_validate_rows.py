"""Lists in, the same rows with result columns out: encoding, dialect and address column found or named; streamed."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from mailgate.cli import _exit

COLUMNS = (
    "status",
    "reason",
    "advice",
    "catch_all",
    "suggestion",
    "smtp_code",
    "enhanced_status",
    "smtp_text",
    "checked_at",
)
_NAMES = ("email", "e-mail", "address", "recipient", "mail", "email_address", "email address", "e-mail address", "to")
_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_BYTES = 64 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
csv.field_size_limit(1 << 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A list that was opened.

    header: None when the list has none. column: where the address stands. delimiter: None for one address a line.
    rows: the cells of each row, the header not among them, blank lines left out.
    """

    header: list[str] | None
    column: int
    delimiter: str | None
    rows: Iterator[list[str]]


def open_table(file: BinaryIO, column: str | None = None) -> Table:
    """Look at the beginning of a list and read it. column: the address column, by name or number from 1."""
    head = file.read(_SAMPLE_BYTES)
    text = io.TextIOWrapper(
        io.BufferedReader(_Joined(head, file)), encoding=_encoding(head), errors="replace", newline=""
    )
    first = next((line for line in head.decode(_encoding(head), "replace").splitlines() if line.strip()), "")
    delimiter = _delimiter(first)
    if delimiter is None:
        lines = ([line.strip()] for line in text if line.strip())
        return _with_header(lines, None, column)
    reader = csv.reader(text, delimiter=delimiter)
    return _with_header((row for row in reader if any(cell.strip() for cell in row)), delimiter, column)


def _with_header(rows: Iterator[list[str]], delimiter: str | None, column: str | None) -> Table:
    first = next(rows, None)
    if first is None:
        return Table(header=None, column=0, delimiter=delimiter, rows=iter(()))
    names = [cell.strip().lower() for cell in first]
    if any("@" in name for name in names) or (delimiter is None and names[0] not in _NAMES):
        at = _numbered(column, first) if column else _with_at(first)
        return Table(header=None, column=at, delimiter=delimiter, rows=itertools.chain([first], rows))
    return Table(header=first, column=_named(column, names), delimiter=delimiter, rows=rows)


def _named(column: str | None, names: list[str]) -> int:
    if column is not None:
        return names.index(column.lower()) if column.lower() in names else _numbered(column, names)
    for name in _NAMES:
        if name in names:
            return names.index(name)
    likely = [place for place, name in enumerate(names) if "mail" in name]
    if len(likely) == 1 or len(names) == 1:
        return likely[0] if likely else 0
    words = ", ".join(map(repr, names[:20]))
    raise _exit.Exit(_exit.USAGE, f"which column holds the address? Name it with --column; there are {words}")


def _numbered(column: str, cells: list[str]) -> int:
    if column.isdigit() and 1 <= int(column) <= len(cells):
        return int(column) - 1
    raise _exit.Exit(_exit.USAGE, f"no column {column!r}; there are {len(cells)}")


def _with_at(cells: list[str]) -> int:
    return next((place for place, cell in enumerate(cells) if "@" in cell), 0)


def _delimiter(line: str) -> str | None:
    found = max(_DELIMITERS, key=line.count)
    return found if line.count(found) else None


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
        data = self._head[: len(target)] or self._rest.read(len(target))
        self._head = self._head[len(target) :]
        target[: len(data)] = data
        return len(data)


def result_cells(said: Mapping[str, Any]) -> list[str]:
    """The result columns of one row; text from outside cannot become a formula in a spreadsheet."""
    return [_guarded(said[name]) for name in COLUMNS]


def without_mailboxes(said: Mapping[str, Any]) -> dict[str, Any]:
    """What was said, with nothing in it that names a mailbox; replies quote the address, so they go."""
    hidden = {name: redacted(said[name]) for name in ("input", "address", "suggestion") if said[name] is not None}
    return {**said, **hidden, "smtp_text": None}


def _guarded(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(str(value).split())
    return "'" + text if text.startswith(_FORMULA) else text


def redacted(address: str) -> str:
    """An address whose mailbox cannot be read any more: the domain stays.

    >>> redacted("ann@example.net")
    '***@example.net'
    """
    return "***" + address[address.rfind("@") :] if "@" in address else "***"
