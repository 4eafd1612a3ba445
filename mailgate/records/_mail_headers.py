"""Header fields, read when somebody asks (RFC 5322 2.2), and the same for header-like blocks in bodies.

A `Headers` keeps the block as bytes with LF line ends. The first question builds the index; a value is unfolded
when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mailgate.records._mail_split import mended, needs_mending
from mailgate.records._mime_words import decode_text, decode_words

MAX_FIELD_BYTES = 64 * 1024
MAX_FIELDS = 10_000  # five times what the longest real header has; keeps 25 MiB of "a:" from becoming 2 GB of strings
MAX_MENDED_BYTES = 1024 * 1024  # a block with stray lines is copied line by line; above this they are left out
_MAX_LINES = 10 * MAX_FIELDS

# One field: a name without blanks, perhaps blanks, a colon, the rest of the line and its continuations.
_FIELD = re.compile(r"^([!-9;-~]++)[ \t]*+:(?!//)(.*+(?:\n[ \t].*+)*+)", re.MULTILINE)
_FIELD_START = re.compile(r"([!-9;-~]++)[ \t]*+:(?!//)")
_NEXT_FIELD = re.compile(rb"\n(?![ \t])")

_LINE_END = re.compile(rb"\r\r?\n|\r")
_EMPTY_LINE = re.compile(rb"\n(?:[ \t]*+\n)+")
_INDENT = re.compile(rb"[ \t>|]+")


class Headers:
    r"""Header fields of one part, in order; values unfolded and decoded on demand.

    Names compare without case. Any bytes are read; bytes that are not ASCII: UTF-8, else Latin-1. A line that is no
    field continues the field before it. A field longer than the limit is cut there, and fields beyond the 10,000th are
    not read; `cut` says that one of the two happened.

    >>> fields = Headers.parse(b"Status : 5.1.1\nDiagnostic-Code: smtp; 550\n  no such user\n")
    >>> fields.get("status"), fields.get("diagnostic-code")
    ('5.1.1', 'smtp; 550 no such user')
    """

    __slots__ = ("_cut", "_fields", "_index", "_max_field_bytes", "block")

    block: bytes  #: the header block, LF line ends, without the empty line that ends it

    def __init__(self, block: bytes, max_field_bytes: int = MAX_FIELD_BYTES) -> None:
        self.block = block
        self._max_field_bytes = max_field_bytes
        self._fields: list[tuple[str, str]] | None = None
        self._index: dict[str, list[str]] = {}
        self._cut = False

    @classmethod
    def parse(cls, block: bytes, *, max_field_bytes: int = MAX_FIELD_BYTES) -> Headers:
        r"""Fields out of a body: one group of a delivery status or feedback report, returned headers as text.

        block: any bytes, any line ends. A block that is indented or quoted (`>`) as a whole is read as if it were
        not; leading empty lines are skipped; the fields end at the first empty line after them.
        """
        for headers in cls.groups(block, max_field_bytes=max_field_bytes):
            return headers
        return cls(b"", max_field_bytes)

    @classmethod
    def groups(cls, block: bytes, *, max_field_bytes: int = MAX_FIELD_BYTES) -> Iterator[Headers]:
        r"""All groups of fields of a body, parted by empty or blank lines (RFC 3464 2.1), one after the other.

        Lazy, so that a caller can stop at a limit of its own. A group may hold no field at all (prose).

        >>> [list(g.items()) for g in Headers.groups(b"a: 1\n\n \nb: 2\nc: 3\n")]
        [[('a', '1')], [('b', '2'), ('c', '3')]]
        """
        block = _plain_margin(_LINE_END.sub(b"\n", block) if b"\r" in block else block)
        start = 0
        while start < len(block):
            gap = _EMPTY_LINE.search(block, start)
            end, following = (gap.start() + 1, gap.end()) if gap else (len(block), len(block))
            piece = block[start:end]
            if piece.strip(b" \t\n"):
                stray = len(piece) <= MAX_MENDED_BYTES and needs_mending(piece)
                yield cls(mended(piece) if stray else piece, max_field_bytes)
            start = following

    @property
    def cut(self) -> bool:
        """A field was cut at the limit, or there were more than 10,000."""
        self._read()
        return self._cut

    def get(self, name: str) -> str | None:
        """First field of that name, unfolded (one space for each fold), outer white space off, or None.

        Encoded-words are NOT decoded.
        """
        if self._fields is None:
            self._read()
        values = self._index.get(name.lower())
        if not values:
            return None
        value = values[0]
        return _unfold(value) if "\n" in value else value.strip(" \t\r")

    def get_all(self, name: str) -> list[str]:
        """All of them in message order."""
        if self._fields is None:
            self._read()
        return [_unfold(value) for value in self._index.get(name.lower(), ())]

    def only(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """(name as asked for, unfolded value) of every field that has one of the names, in the order of the names."""
        if self._fields is None:
            self._read()
        index = self._index
        return [(name, _unfold(value)) for name in names for value in index.get(name.lower(), ())]

    def decoded(self, name: str) -> str | None:
        """`get`, with encoded-words (RFC 2047) decoded."""
        value = self.get(name)
        return decode_words(value) if value is not None and "=?" in value else value

    def items(self) -> Iterator[tuple[str, str]]:
        """(name as written, unfolded value) in order."""
        for name, value in self._read():
            yield name, _unfold(value)

    def __contains__(self, name: str) -> bool:
        if self._fields is None:
            self._read()
        return name.lower() in self._index

    def __len__(self) -> int:
        """The number of fields."""
        return len(self._read())

    def __repr__(self) -> str:
        return f"<Headers {len(self)} fields>"

    def __getstate__(self) -> tuple[bytes, int]:
        return self.block, self._max_field_bytes

    def __setstate__(self, state: tuple[bytes, int]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def _read(self) -> list[tuple[str, str]]:
        """Fields as (name, folded text), read once."""
        fields = self._fields
        if fields is None:
            block = self.block
            if len(block) <= self._max_field_bytes and block.count(b"\n") < MAX_FIELDS:
                fields = _FIELD.findall(block.decode("latin-1"))
            else:
                fields = self._read_long()
            if not block.isascii():
                fields = [(name, utf8_or_latin1(value)) for name, value in fields]
            index: dict[str, list[str]] = {}  # complete before it is seen, so that threads may share a Mail
            for name, value in fields:
                key = name.lower()
                if key in index:
                    index[key].append(value)
                else:
                    index[key] = [value]
            self._index = index
            self._fields = fields
        return fields

    def _read_long(self) -> list[tuple[str, str]]:
        """The same for a block that may break a limit: nothing longer than a field is ever copied."""
        fields: list[tuple[str, str]] = []
        block, limit, start = self.block, self._max_field_bytes, 0
        for _ in range(_MAX_LINES):
            if start >= len(block):
                return fields
            following = _NEXT_FIELD.search(block, start)
            end = following.start() if following else len(block)
            text = block[start : min(end, start + limit)].decode("latin-1")
            found = _FIELD_START.match(text)
            if found is not None:
                if len(fields) == MAX_FIELDS:
                    break
                self._cut = self._cut or end - start > limit
                fields.append((found[1], text[found.end() :].rstrip("\n")))
            start = end + 1
        self._cut = self._cut or start < len(block)
        return fields


def _unfold(value: str) -> str:
    if "\n" not in value:
        return value.strip(" \t\r")
    lines = (line.strip(" \t\r") for line in value.split("\n"))
    return " ".join(line for line in lines if line)


def utf8_or_latin1(value: str) -> str:
    """Latin-1 text as what its bytes are: UTF-8 when they are, else Latin-1 (RFC 6532 3.1)."""
    if value.isascii():
        return value
    return decode_text(value.encode("latin-1"))


def _plain_margin(block: bytes) -> bytes:
    """The block without the indentation or quote marks that most of its lines have."""
    block = block.lstrip(b"\n")
    margin = _INDENT.match(block)
    if margin is None:
        return block
    mark = margin[0]
    if block.count(b"\n" + mark) * 2 < block.count(b"\n"):
        return block[len(mark) :]
    bare = mark.rstrip(b" \t")
    block = (b"\n" + block).replace(b"\n" + mark, b"\n")[1:]
    # Between quoted groups stands the quote mark alone.
    return re.sub(rb"(?m)^" + re.escape(bare) + rb"$", b"", block) if bare else block
