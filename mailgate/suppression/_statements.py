"""From a file of any known format to statements with line numbers; what cannot be read is a `Reject`, never silence."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, BinaryIO, NamedTuple

from mailgate.records import ParseError
from mailgate.suppression import _formats, _reading
from mailgate.suppression._errors import BadAddress, ImportRefused
from mailgate.suppression._formats import Format, Layout, Statement
from mailgate.suppression._keys import compared_key, entry_key
from mailgate.suppression._own import MARK, OWN_COLUMNS, own_cells

_CONFIRM = 20  # records that must bear a format out before it is believed
_SHOWN = 200  # characters of a rejected record


class Reject(NamedTuple):
    """A record that was not taken. line: where it ends in the file; text: its beginning."""

    line: int
    text: str
    why: str


class OwnRecord(NamedTuple):
    """A record of our own export: everything, as a mapping."""

    fields: dict[str, Any]


Record = tuple[int, Statement | OwnRecord | Reject]


class Opened(NamedTuple):
    """A recognised file. format: its name, with the list of the service where it has several."""

    format: Format
    records: Iterator[Record]


PLAIN_FORMAT = Format(name=_formats.PLAIN, needs=frozenset())
OWN_FORMAT = Format(name="mailgate", needs=frozenset())


def open_list(file: BinaryIO, wanted: str = "auto") -> Opened:
    """Recognise `file` (seekable, at its beginning) by its first 64 KiB and read it.

    wanted: a name of `_formats.NAMES`, or `auto`. Raises ImportRefused when it is nothing we know, or not what is
    wanted, or when its first records do not bear it out.
    """
    if wanted != "auto" and wanted not in _formats.NAMES:
        raise ValueError(f"a format is `auto` or one of {', '.join(_formats.NAMES)}, not {wanted!r}")
    head = file.read(_reading.SAMPLE_BYTES)
    file.seek(0)
    encoding = _reading.encoding_of(head)
    text = _reading.open_text(file, encoding)
    sample = head.decode(encoding, "replace").removeprefix("\ufeff")
    if not sample.strip():
        return Opened(PLAIN_FORMAT, iter(()))
    name = None if wanted == "auto" else wanted
    opened = _open_json(text, name) if _reading.is_json(sample) else _open_text(text, sample, name)
    return Opened(opened.format, _confirmed(opened))


def _confirmed(opened: Opened) -> Iterator[Record]:
    first = list(islice(opened.records, _CONFIRM))
    # A row without an address says nothing about the file: whoever exports contacts has many of them.
    said = [(line, record) for line, record in first if not _is_blank(record)]
    bad = [reject for reject in (_why_bad(line, record) for line, record in said) if reject is not None]
    if len(bad) * 2 > len(said):
        line, text, why = bad[0]
        raise ImportRefused(f"this does not look like a list of addresses (line {line}: {why}: {text[:80]!r})")
    return chain(first, opened.records)


def _is_blank(record: Statement | OwnRecord | Reject) -> bool:
    return isinstance(record, Statement) and not record.address.strip()


def _why_bad(line: int, record: Statement | OwnRecord | Reject) -> Reject | None:
    if isinstance(record, Statement):
        try:
            statement_key(record.address)
        except BadAddress as error:
            return Reject(line, record.address, str(error))
    return record if isinstance(record, Reject) else None


# JSON


def _open_json(text: io.TextIOWrapper, wanted: str | None) -> Opened:
    records = _reading.json_records(text)
    first = list(islice(records, 1))
    shape = first[0][1] if first else None
    if isinstance(shape, dict) and MARK in shape:
        _expect(wanted, "mailgate")
        return Opened(OWN_FORMAT, _own_json(shape, records))
    if not isinstance(shape, dict):
        raise ImportRefused("this is JSON, and its first value is no object with an address")
    recognised = _formats.recognise(shape, wanted)
    if recognised is None:
        raise ImportRefused(_unknown(shape, wanted))
    return Opened(recognised, _json_statements(chain(first, records), recognised))


def _own_json(head: dict[str, Any], records: Iterator[tuple[int, Any]]) -> Iterator[Record]:
    yield 1, OwnRecord(head)
    for line, value in records:
        yield line, Reject(line, value.text, value.why) if isinstance(value, _reading.Broken) else OwnRecord(value)


def _json_statements(records: Iterator[tuple[int, Any]], recognised: Format) -> Iterator[Record]:
    layouts: dict[tuple[str, ...], Layout | None] = {}
    for line, value in records:
        if isinstance(value, _reading.Broken):
            yield line, Reject(line, value.text, value.why)
            continue
        shape = tuple(value)
        if shape not in layouts and len(layouts) < 1_000:
            has_address = any(_formats.column_name(name) in _formats.ADDRESS_NAMES for name in shape)
            layouts[shape] = Layout(recognised, shape) if has_address else None
        layout = layouts.get(shape)
        if layout is None:
            yield line, Reject(line, str(value)[:_SHOWN], "no address")
        else:
            yield line, layout.statement(tuple(value.values()))


# CSV and lines


def _open_text(text: io.TextIOWrapper, sample: str, wanted: str | None) -> Opened:
    delimiter = None if wanted == _formats.PLAIN else _reading.delimiter_of(sample)
    first_line = next((line for line in sample.splitlines() if line.strip()), "")
    if delimiter is None:
        named = _formats.column_name(first_line) in _formats.ADDRESS_NAMES
        if named or wanted in (None, _formats.PLAIN):
            return Opened(PLAIN_FORMAT, _plain_statements(text, named))
        raise ImportRefused(_unknown([first_line], wanted))
    records = _reading.csv_records(_reading.bounded_lines(text), delimiter)
    head = next(records)[1]
    if head[:1] == [OWN_COLUMNS[0]]:
        _expect(wanted, "mailgate")
        text.seek(0)
        exact = _reading.csv_records(_without_mark(text), delimiter, skip_spaces=False)
        return Opened(OWN_FORMAT, _own_csv(exact))
    recognised = _formats.recognise(head, wanted)
    if recognised is not None:
        return Opened(recognised, _csv_statements(records, Layout(recognised, head), delimiter))
    columns = _columns_without_header(head)
    recognised = None if columns is None else _formats.recognise(columns, wanted)
    if columns is None or recognised is None:
        raise ImportRefused(_unknown(head, wanted))
    text.seek(0)
    records = _reading.csv_records(_without_mark(text), delimiter)
    return Opened(recognised, _csv_statements(records, Layout(recognised, columns), delimiter))


def _without_mark(text: io.TextIOWrapper) -> Iterator[str]:
    for number, line in enumerate(_reading.bounded_lines(text)):
        yield line if number else line.removeprefix("\ufeff")


def _columns_without_header(first: Sequence[str]) -> list[str] | None:
    """Names for the columns of a CSV whose first record is data already; None when no cell is an address.

    Raises ImportRefused when several are: to take one of them would lose the others in silence.
    """
    addresses = [at for at, cell in enumerate(first) if is_address(cell)]
    if not addresses:
        return None
    if len(addresses) > 1:
        raise ImportRefused(
            f"the first record holds {len(addresses)} addresses; put one on a line, or name their columns"
        )
    columns = [f"column{number}" for number in range(len(first))]
    columns[addresses[0]] = "emailaddress"
    for at, cell in enumerate(first):
        if at != addresses[0] and _formats.column_name(cell) in _formats.REASON_WORDS:
            columns[at] = "reason"
            break
    return columns


def _plain_statements(text: io.TextIOWrapper, has_header: bool) -> Iterator[Record]:
    records = _reading.plain_records(_reading.bounded_lines(text))
    if has_header:
        next(records, None)
    for line, (address,) in records:
        yield line, Statement(address.removeprefix("\ufeff"))


def _csv_statements(
    records: Iterator[tuple[int, list[str], list[str]]], layout: Layout, delimiter: str
) -> Iterator[Record]:
    at = layout.address
    for line, cells, raw in records:
        if raw and _quotes_are_broken(cells, raw, at, delimiter):
            for number, one in enumerate(raw, line - len(raw) + 1):
                if one.strip():
                    yield number, layout.statement(_reading.one_line(one, delimiter))
        else:
            yield line, layout.statement(cells)


def _quotes_are_broken(cells: list[str], raw: list[str], at: int, delimiter: str) -> bool:
    """A quote that is never closed swallows the lines behind it; then some of them are records of their own."""
    if len(cells) <= at or not is_address(cells[at]):
        return True
    lines = (_reading.one_line(line, delimiter) for line in raw[1:])
    return any(len(line) > at and len(line) >= len(cells) > 1 and is_address(line[at]) for line in lines)


def _own_csv(records: Iterator[tuple[int, list[str], list[str]]]) -> Iterator[Record]:
    head = next(records)[1]
    yield 1, OwnRecord({MARK: 1})
    for line, cells, raw in records:
        if len(cells) != len(head):
            yield line, Reject(line, ("".join(raw) or str(cells))[:_SHOWN], "not as many cells as columns")
        else:
            yield line, OwnRecord(own_cells(head, cells))


def is_address(text: str) -> bool:
    """True for what can be compared as an address."""
    try:
        compared_key(text)
    except ParseError:
        return False
    return True


def statement_key(text: str) -> str:
    """The key of what a list names. A bare domain is refused: on a foreign list it is a damaged address more often
    than the wish to block a whole provider. Raises BadAddress."""
    try:
        return compared_key(text)
    except ParseError as error:
        stripped = text.strip()
        if stripped.startswith(("*.", "@", "*@", "#")):
            return entry_key(text)
        raise BadAddress(f"{error.message}; to block a domain write @domain or *.domain") from error


def _expect(wanted: str | None, found: str) -> None:
    if wanted not in (None, found):
        raise ImportRefused(f"this is a {found} export, not {wanted}")


def _unknown(columns: Any, wanted: str | None) -> str:
    shown = ", ".join(str(column)[:40] for column in list(columns)[:8])
    known = f"a list of {wanted}" if wanted else "a list of any service we know"
    return f"not recognised as {known}; its first record is: {shown}. Name the address column `email`"
