"""A recipient list in, the recipients that may be mailed out, the others aside with the reasons; streamed.

Rows leave as they came, byte for byte; only those set aside get two more columns. Memory does not grow with the list.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, BinaryIO, NamedTuple, Protocol

from mailgate.suppression import _reading
from mailgate.suppression._errors import ImportRefused
from mailgate.suppression._formats import ADDRESS_NAMES, column_name
from mailgate.suppression._records import Verdict
from mailgate.suppression._statements import is_address

ADDED_COLUMNS = ("suppressed_by", "suppressed_since")
_CHUNK = 1_000
_MAX_QUOTED_LINES = 100
_RAW_ENCODINGS = {"utf-8-sig": "utf-8"}
_MARK = "\ufeff"


class Checker(Protocol):
    """What can answer: a `SuppressionStore`, or a `Front`."""

    def check_many(self, addresses: Iterable[str], *, tenant: str = "", stream: str | None = None) -> Iterator[Verdict]:
        """One verdict for each address, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterReport:
    """What a filter did. rows = kept + blocked; unreadable: of those blocked, rows whose address cannot be read;
    reasons: (reason, blocked rows that have it), the most frequent first."""

    rows: int
    kept: int
    blocked: int
    unreadable: int
    reasons: tuple[tuple[str, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "rows": self.rows,
            "kept": self.kept,
            "blocked": self.blocked,
            "unreadable": self.unreadable,
            "reasons": dict(self.reasons),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FilterReport:
        """Read what `to_dict` wrote."""
        return cls(**{**data, "reasons": tuple(data["reasons"].items())})


class _Row(NamedTuple):
    raw: str  # with its line end
    address: str


class _Table(NamedTuple):
    header: str | None
    delimiter: str | None
    rows: Iterator[_Row]


def filter_list(
    checker: Checker,
    source: BinaryIO,
    kept: BinaryIO,
    blocked: BinaryIO | None = None,
    *,
    tenant: str = "",
    stream: str | None = None,
    column: str | None = None,
) -> FilterReport:
    """Copy to `kept` the rows of `source` whose address may be mailed, and to `blocked` the others with two more
    columns: the reasons, and since when.

    source: CSV with a header, or one address a line; any encoding and delimiter that `import_` knows.
    column: the name or number (from 1) of the address column, where the header does not tell.
    A row whose address cannot be read is blocked as `unreadable`. Raises ImportRefused when no column holds addresses.
    """
    encoding = "utf-8"
    reader = source if isinstance(source, io.BufferedReader) else io.BufferedReader(_Raw(source))
    head = reader.peek(_reading.SAMPLE_BYTES)[: _reading.SAMPLE_BYTES]
    encoding = _raw_encoding(head)
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    table = _table(_reading.lines_of(reader, encoding, errors), head.decode(encoding, errors), column)
    out = _Output(kept, blocked, encoding, errors, table)
    seen: Counter[str] = Counter()
    rows = iter(table.rows)
    while piece := list(islice(rows, _CHUNK)):
        verdicts = list(checker.check_many([row.address for row in piece], tenant=tenant, stream=stream))
        seen["rows"] += len(piece)
        out.write(piece, verdicts, seen)
    reasons = tuple((word[1:], count) for word, count in seen.most_common() if word.startswith("-"))
    return FilterReport(
        rows=seen["rows"],
        kept=seen["rows"] - seen["blocked"],
        blocked=seen["blocked"],
        unreadable=seen["-unreadable"],
        reasons=reasons,
    )


class _Raw(io.RawIOBase):
    """Any binary file as one that `BufferedReader` takes; closing it leaves the file open."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self.file = file

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        data = self.file.read(len(target))
        target[: len(data)] = data
        return len(data)


class _Output:
    def __init__(self, kept: BinaryIO, blocked: BinaryIO | None, encoding: str, errors: str, table: _Table) -> None:
        self.kept = kept
        self.blocked = blocked
        self.encoding = encoding
        self.errors = errors
        self.delimiter = table.delimiter or ","
        if table.header is not None:
            self._put(kept, table.header)
            if blocked is not None:
                self._put(blocked, self._with(table.header, ADDED_COLUMNS))

    def write(self, rows: list[_Row], verdicts: list[Verdict], seen: Counter[str]) -> None:
        kept: list[str] = []
        for row, verdict in zip(rows, verdicts, strict=True):
            if not verdict.blocked:
                kept.append(row.raw)
                continue
            seen["blocked"] += 1
            seen.update("-" + reason for reason in verdict.reasons)
            if self.blocked is not None:
                since = min((entry.created for entry in verdict.entries), default=None)
                day = "" if since is None else since.date().isoformat()
                self._put(self.blocked, self._with(row.raw, (" ".join(verdict.reasons), day)))
        self._put(self.kept, "".join(kept))

    def _with(self, raw: str, cells: Iterable[str]) -> str:
        body = raw.rstrip("\r\n")
        end = raw[len(body) :] or "\n"
        return self.delimiter.join((body, *cells)) + end

    def _put(self, file: BinaryIO, text: str) -> None:
        file.write(text.encode(self.encoding, self.errors))


def _raw_encoding(head: bytes) -> str:
    """The encoding without its mark, which then is the first character and leaves as it came."""
    encoding = _reading.encoding_of(head)
    if encoding in ("utf-16", "utf-32"):
        little = head[:2] == b"\xff\xfe"
        return f"{encoding}-{'le' if little else 'be'}"
    return _RAW_ENCODINGS.get(encoding, encoding)


def _table(lines: Iterator[str], sample: str, column: str | None) -> _Table:
    delimiter = _reading.delimiter_of(sample.removeprefix(_MARK))
    first = next((line for line in lines if line.removeprefix(_MARK).strip()), None)
    if first is None:
        return _Table(None, delimiter, iter(()))
    text = first.removeprefix(_MARK)
    if delimiter is None:
        if column_name(text) in ADDRESS_NAMES or (column is not None and text.strip() == column):
            return _Table(first, None, _lines(lines))
        return _Table(None, None, _lines(chain([first], lines)))
    records = _records(chain([first], lines), delimiter)
    header = next(records)
    cells = _cells(header.removeprefix(_MARK), delimiter)
    at, has_header = _column(cells, column)
    rows = records if has_header else chain([header], records)
    return _Table(header if has_header else None, delimiter, _cut(rows, delimiter, at))


def _column(cells: list[str], wanted: str | None) -> tuple[int, bool]:
    """Which column holds the address, and whether these cells are the names of the columns."""
    data = [at for at, cell in enumerate(cells) if is_address(cell)]
    if wanted is not None:
        names = [cell.strip() for cell in cells]
        if wanted in names:
            return names.index(wanted), True
        if wanted.isdigit() and 0 < int(wanted) <= len(cells):
            return int(wanted) - 1, not data
        raise ImportRefused(f"no column {wanted!r}; the columns are: {', '.join(names)[:300]}")
    if len(data) > 1:
        numbers = ", ".join(str(at + 1) for at in data)
        raise ImportRefused(f"the columns {numbers} all hold addresses; say which one is the recipient's")
    if data:
        return data[0], False
    names = [column_name(cell) for cell in cells]
    for name in ADDRESS_NAMES:
        if name in names:
            return names.index(name), True
    raise ImportRefused(f"no column with addresses; name it, of: {', '.join(cells)[:300]}")


def _lines(lines: Iterator[str]) -> Iterator[_Row]:
    for line in lines:
        text = line.strip()
        if text and text != "#" and not text.startswith("# "):
            yield _Row(line, text.removeprefix(_MARK))


def _cut(rows: Iterator[str], delimiter: str, at: int) -> Iterator[_Row]:
    for raw in rows:
        if '"' in raw:
            cells = _cells(raw.removeprefix(_MARK), delimiter)
        else:
            cells = raw.split(delimiter, at + 1)
        yield _Row(raw, cells[at].strip() if at < len(cells) else "")


def _records(lines: Iterator[str], delimiter: str) -> Iterator[str]:
    """Whole records as text: a line, or several when a quoted cell holds line ends."""
    pending: list[str] = []
    for line in lines:
        if pending:
            pending.append(line)
        elif '"' not in line:
            if line.strip():
                yield line
            continue
        else:
            pending = [line]
        if sum(each.count('"') for each in pending) % 2 == 0:
            yield "".join(pending)
            pending = []
        elif len(pending) > _MAX_QUOTED_LINES:
            yield from pending  # a quote that is never closed: each line for itself
            pending = []
    yield from pending


def _cells(raw: str, delimiter: str) -> list[str]:
    try:
        rows = list(csv.reader([raw], delimiter=delimiter, skipinitialspace=True))
    except csv.Error:
        rows = []
    return rows[0] if rows else _reading.one_line(raw, delimiter)
