"""Lists from elsewhere, as records with line numbers: encodings, delimiters, quotes, JSON of any shape; streamed.

Nothing here knows what a column means. Memory does not grow with the file: a CSV record is at most 128 KiB, a JSON
record at most 1 MiB; what is larger or broken is answered as a `Broken` record and reading goes on behind it.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO, NamedTuple

from mailgate.suppression._errors import ImportRefused

SAMPLE_BYTES = 64 * 1024
MAX_JSON_RECORD = 1024 * 1024
MAX_LINE = 1024 * 1024
_BLOCK = 256 * 1024
_DELIMITERS = ",;\t|"

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# A list inside an object, after at most a few short members: {"Suppressions": [...]}, {"items": [...], "paging": ...}.
_LIST_INSIDE = re.compile(
    r'\s*+\{(?:\s*+"[^"\\]{0,100}+"\s*+:\s*+(?:"[^"\\]{0,500}+"|[-+.\w]{1,40}+)\s*+,){0,10}\s*+'
    r'"(?:Suppressions|SuppressedDestinationSummaries|items|results|suppressions|data|rejects)"\s*+:\s*+\['
)
_JSON_SPACE = " \t\r\n,"
_NO_JSON = "not JSON"


class Broken(NamedTuple):
    """A record that cannot be read. text: its beginning."""

    text: str
    why: str


def encoding_of(sample: bytes) -> str:
    """The encoding of a text file by its first bytes: its mark, else UTF-16 by its zero bytes, else UTF-8, else
    Windows-1252, which is what spreadsheets write that do not write UTF-8."""
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) > len(sample) // 5:
        return "utf-16-le" if odd > even else "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def open_text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """`file` as text, line ends as they are. A byte that is no text becomes a lone surrogate, never an error."""
    errors = "replace" if encoding.startswith(("utf-16", "utf-32", "cp")) else "surrogateescape"
    return _Borrowing(file, encoding=encoding, errors=errors, newline="")


class _Borrowing(io.TextIOWrapper):
    """Text over a file that is somebody else's: it must not be closed when this is forgotten."""

    def close(self) -> None:
        """Leave the file open."""


def delimiter_of(sample: str) -> str | None:
    """The delimiter of a CSV text, None for one column; the one that stands equally often in most lines."""
    lines = [re.sub(r'"[^"]*+"?', "", line) for line in sample.splitlines()[:50] if line.strip()]
    best, best_score = None, 0
    for delimiter in _DELIMITERS:
        counts = [line.count(delimiter) for line in lines]
        usual = max(counts, key=counts.count, default=0)
        score = counts.count(usual) if usual else 0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def is_json(sample: str) -> bool:
    """True when a text can only be JSON."""
    return sample.lstrip()[:1] in ("{", "[") and not sample.lstrip().startswith("[]")


def plain_records(lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """(line number, [the line without its end]); empty lines and lines that begin with `#` and a space are left out."""
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and text != "#" and not text.startswith("# "):
            yield number, [text]


def csv_records(
    lines: Iterator[str], delimiter: str, *, skip_spaces: bool = True
) -> Iterator[tuple[int, list[str], list[str]]]:
    """(number of the last line, cells, the raw lines when there were several, else []).

    skip_spaces: blanks behind a delimiter do not count, as in `a@b.example, BOUNCE`.
    A record that `csv` cannot read has no cells, and its raw lines.
    """
    seen: list[str] = []

    def remembered() -> Iterator[str]:
        for line in lines:
            seen.append(line)
            yield line

    reader = csv.reader(remembered(), delimiter=delimiter, skipinitialspace=skip_spaces)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, [], seen.copy()
            seen.clear()
            continue
        if cells:
            yield reader.line_num, cells, seen.copy() if len(seen) > 1 else []
        seen.clear()


def one_line(line: str, delimiter: str) -> list[str]:
    """The cells of one line whose quotes are not to be trusted."""
    return [cell.strip().strip('"') for cell in line.rstrip("\r\n").split(delimiter)]


def json_records(text: io.TextIOBase) -> Iterator[tuple[int, dict[str, Any] | Broken]]:
    """(line number, object) of JSON Lines, a JSON array, or a list inside an object; in the order of the file.

    A broken line of JSON Lines is one `Broken` record. An array that is broken or ends early cannot be read on, and its
    rest would be lost in silence: ImportRefused.
    """
    reader = _JsonReader(text)
    inside = _LIST_INSIDE.match(reader.buffer)
    if inside is not None:
        reader.skip(inside.end())
        yield from reader.values(until="]")
    elif reader.buffer.lstrip().startswith("["):
        reader.skip(reader.buffer.index("[") + 1)
        yield from reader.values(until="]")
    else:
        yield from reader.values(until=None)


class _JsonReader:
    """Values one after another from a buffer that is refilled; `line` counts what was taken from it."""

    def __init__(self, text: io.TextIOBase) -> None:
        self.text = text
        self.buffer = text.read(_BLOCK)
        self.at = 0
        self.line = 1
        self._decode = json.JSONDecoder().raw_decode

    def skip(self, end: int) -> None:
        """Take everything up to `end`."""
        self.line += self.buffer.count("\n", self.at, end)
        self.at = end

    def values(self, until: str | None) -> Iterator[tuple[int, dict[str, Any] | Broken]]:
        """Every value up to the character `until`, or to the end."""
        while self._to_next():
            if self.buffer[self.at] == until:
                return
            line, value = self._value()
            if until is not None and isinstance(value, Broken) and value.why == _NO_JSON:
                raise ImportRefused(f"the JSON is damaged in line {line}: {value.text[:80]!r}")
            yield line, value
        if until is not None:
            raise ImportRefused("the JSON ends in the middle of its list: the file is not complete")

    def _to_next(self) -> bool:
        while True:
            end = self.at
            while end < len(self.buffer) and self.buffer[end] in _JSON_SPACE:
                end += 1
            self.skip(end)
            if end < len(self.buffer):
                return True
            if not self._refill():
                return False

    def _refill(self) -> bool:
        more = self.text.read(_BLOCK)
        self.buffer, self.at = self.buffer[self.at :] + more, 0
        return bool(more)

    def _value(self) -> tuple[int, dict[str, Any] | Broken]:
        line = self.line
        while True:
            try:
                value, end = self._decode(self.buffer, self.at)
            except (ValueError, RecursionError) as error:  # ValueError: also a number of thousands of digits
                if self._may_be_cut(error) and len(self.buffer) - self.at < MAX_JSON_RECORD and self._refill():
                    continue
                return line, self._broken()
            if end >= len(self.buffer) and self._refill():
                continue  # a number at the end of the buffer may go on
            start = self.at
            text = self.buffer[start : start + 100]
            self.skip(end)
            if isinstance(value, str):
                value = {"email": value}  # QUIRK: SendGrid gives one group as an array of addresses
            return line, value if isinstance(value, dict) else Broken(text, "not an object")

    def _may_be_cut(self, error: Exception) -> bool:
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.pos >= len(self.buffer) - 10 or error.msg.startswith("Unterminated string")

    def _broken(self) -> Broken:
        """What stands here is no value: leave its line, however long it is."""
        text = self.buffer[self.at : self.at + 100].partition("\n")[0]
        while True:
            end = self.buffer.find("\n", self.at)
            self.skip(len(self.buffer) if end == -1 else end + 1)
            if end != -1 or not self._refill():
                return Broken(text, _NO_JSON)


def lines_of(file: BinaryIO, encoding: str, errors: str) -> Iterator[str]:
    """The lines of `file` with their ends, decoded so that encoding them again gives the same bytes."""
    return bounded_lines(_Borrowing(file, encoding=encoding, errors=errors, newline=""))


def bounded_lines(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines of `text` with their ends; one of more than a million characters comes in several pieces."""
    return iter(partial(text.readline, MAX_LINE), "")
