"""Edits of a decoded body, made in the body as it is encoded (RFC 2045 6.7, 6.8).

An encoded body is not decoded and encoded again: every writer of mail breaks lines and escapes characters in its own
way, and what was not edited shall stay as that writer wrote it. So each edit is mapped to the encoded bytes it
concerns. In quoted-printable only those bytes and, where a line would become too long, a soft line break change. In
base64 everything behind the first edit is encoded anew, because groups of three bytes shift; what stands before stays.
"""

from __future__ import annotations

import binascii
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from mailgate.engagement._edit import Edit, splice

MAX_LINE_BYTES = 998  # RFC 5322 2.1.1
QP_LINE_BYTES = 76  # RFC 2045 6.7 (5)
BASE64_LINE_BYTES = 76  # RFC 2045 6.8

_IDENTITY = frozenset(("", "7bit", "8bit", "binary", "7bits", "8bits", "7-bit", "8-bit", "7 bit", "8 bit"))
# White space is looked at from its first character only: a long run that ends no line would be scanned from each.
_QP_PIECE = re.compile(rb"(=[0-9A-Fa-f]{2}|=[ \t]*+\r?\n|(?<![ \t])[ \t]++(?=\r?\n))")
_ESCAPE = re.compile(rb"=[0-9A-Fa-f]{2}")
_QP_UNSAFE = re.compile(rb"[^!-<>-~ \t]|[ \t]\Z")
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/]+")
_BASE64_BODY = re.compile(rb"[A-Za-z0-9+/\t\r\n ]*+={0,2}(?=[\t\r\n ]|\Z)")


class IdentityBody:
    """A body that is not encoded: 7bit, 8bit, binary."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.decoded = raw

    def encode(self, edits: Sequence[Edit[bytes]], eol: bytes) -> tuple[Edit[bytes], ...]:
        """The edits of the raw body."""
        return tuple(edits)

    def makes_long_lines(self, edits: Sequence[Edit[bytes]]) -> bool:
        """True when a line that an edit touches becomes longer than mail allows."""
        new = splice(self.raw, edits)
        shift = 0
        for edit in edits:
            at = edit.start + shift
            shift += len(edit.new) - (edit.end - edit.start)
            start = new.rfind(b"\n", 0, at) + 1
            end = new.find(b"\n", at)
            if (len(new) if end < 0 else end) - start > MAX_LINE_BYTES:
                return True
        return False


class QuotedPrintableBody:
    """A quoted-printable body as alternating plain and encoded pieces, whose lengths map offsets both ways."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._pieces = _QP_PIECE.split(raw)
        self._decoded_pieces = list(self._pieces)
        self._decoded_pieces[1::2] = map(_decode_piece, self._pieces[1::2])
        self.decoded = b"".join(self._decoded_pieces)

    def encode(self, edits: Sequence[Edit[bytes]], eol: bytes) -> tuple[Edit[bytes], ...]:
        """The edits of the raw body: each replaces the pieces it covers, in lines of at most 76 characters."""
        raw_starts = [0, *accumulate(map(len, self._pieces))]
        decoded_starts = [0, *accumulate(map(len, self._decoded_pieces))]
        encoded = []
        column_from = 0  # where the current output line starts, as an offset in raw; after an edit see `column`
        column = 0
        for edit in edits:
            start = _raw_offset(edit.start, decoded_starts, raw_starts, after=True)
            end = max(start, _raw_offset(edit.end, decoded_starts, raw_starts, after=False))
            newline = self.raw.rfind(b"\n", column_from, start)
            column = start - newline - 1 if newline >= 0 else column + start - column_from
            again = self._to_write_again(start, column) if start > column_from else b""
            start -= len(again)
            before, column = _qp_atom(b"=3D" if again == b"=" else again, column - len(again), eol)
            text, column = _qp_text(edit.new, column, eol)
            text = before + text
            rest = self._line_rest(end)
            if rest > 0 and column + rest > QP_LINE_BYTES:
                text += b"=" + eol
                column = 0
            encoded.append(Edit(start, end, self.raw[start:end], text))
            column_from = end
        return tuple(encoded)

    def _to_write_again(self, at: int, column: int) -> bytes:
        """The encoded character in front of an edit, when it cannot stay as it is."""
        last = self.raw[at - 1 : at]
        if last == b"=":
            # QUIRK: writers that forget to escape it (apache+spamassassin/t/data/spam/009); what we write behind it
            # would make an escape or a line break of it.
            return last
        if column == QP_LINE_BYTES:
            # The line is full to its last place, where the soft line break would have to stand.
            return self.raw[at - 3 : at] if _ESCAPE.fullmatch(self.raw, at - 3, at) else last
        return b""

    def _line_rest(self, at: int) -> int:
        """Characters between an offset and the end of its line; more than a line holds is not counted."""
        end = self.raw.find(b"\n", at, at + 2 * QP_LINE_BYTES)
        if end < 0:
            return min(len(self.raw) - at, 2 * QP_LINE_BYTES)
        return end - at - (1 if self.raw[end - 1 : end] == b"\r" and end > at else 0)


class Base64Body:
    """A base64 body; what is not base64 behind its end (a mailing list's footer) is kept."""

    def __init__(self, raw: bytes) -> None:
        """Raises ValueError when it cannot be decoded without guessing."""
        match = _BASE64_BODY.match(raw)
        if match is None:
            raise ValueError("characters that are not base64")
        self.raw = raw
        self._end = len(raw[: match.end()].rstrip())
        self.decoded = binascii.a2b_base64(raw[: self._end] + b"==")  # padding may be missing

    def encode(self, edits: Sequence[Edit[bytes]], eol: bytes) -> tuple[Edit[bytes], ...]:
        """One edit: from the group of the first changed byte to the end."""
        group = edits[0].start // 3
        start, column = self._offset_of(group * 4)
        new = splice(self.decoded, edits)[group * 3 :]
        text = _wrap(binascii.b2a_base64(new, newline=False), column, self._line_length(), eol)
        return (Edit(start, self._end, self.raw[start : self._end], text),)

    def _offset_of(self, characters: int) -> tuple[int, int]:
        """(offset in raw of the base64 character with that number, its column)."""
        seen = 0
        at = line_start = 0
        for run in _BASE64_RUN.finditer(self.raw, 0, self._end):
            at = run.start()
            length = run.end() - at
            if seen + length > characters:
                at += characters - seen
                break
            seen += length
            at = run.end()
        line_start = self.raw.rfind(b"\n", 0, at) + 1
        return at, at - line_start

    def _line_length(self) -> int:
        first = _BASE64_RUN.search(self.raw)
        length = len(first[0]) if first is not None else 0
        # A whole body on one line says nothing about the writer's line length.
        usual = 4 <= length <= BASE64_LINE_BYTES and length % 4 == 0 and b"\n" in self.raw[: self._end]
        return length if usual else BASE64_LINE_BYTES


Body = IdentityBody | QuotedPrintableBody | Base64Body


def read_body(raw: bytes, transfer_encoding: str) -> Body | None:
    """The body behind its transfer encoding; None when it cannot be decoded or not be written back."""
    if transfer_encoding in _IDENTITY:
        return IdentityBody(raw)
    if transfer_encoding == "quoted-printable":
        return QuotedPrintableBody(raw)
    if transfer_encoding == "base64":
        try:
            return Base64Body(raw)
        except ValueError:
            return None
    return None


def quoted_printable(data: bytes, eol: bytes) -> bytes:
    """A whole text body in quoted-printable; its line ends stay line ends."""
    # Not `binascii.b2a_qp`: it writes lines of 77 characters, and loses a carriage return before a line end.
    return eol.join([_qp_text(line, 0, eol)[0] for line in re.split(rb"\r?\n", data)])


def _qp_text(data: bytes, column: int, eol: bytes) -> tuple[bytes, int]:
    """(`data` encoded from a column on, the column behind it).

    White space at its end is encoded too: at the end of a line it would be lost (RFC 2045 6.7 (3)).
    """
    text = _QP_UNSAFE.sub(lambda found: b"=%02X" % found[0][0], data)
    pieces = []
    at, room = 0, QP_LINE_BYTES - 1 - column
    while len(text) - at > room:
        end = at + max(0, room)
        # Not within an escape.
        escape = text.find(b"=", max(at, end - 2), end)
        end = escape if escape >= 0 else end
        pieces.append(text[at:end])
        at, room = end, QP_LINE_BYTES - 1
    column = len(text) - at + (0 if pieces else column)
    return (b"=" + eol).join([*pieces, text[at:]]), column


def _qp_atom(atom: bytes, column: int, eol: bytes) -> tuple[bytes, int]:
    """(an encoded character, on a new line when there is no room for it and a soft line break; the column behind)."""
    if not atom or column + len(atom) < QP_LINE_BYTES:
        return atom, column + len(atom)
    return b"=" + eol + atom, len(atom)


def _decode_piece(piece: bytes) -> bytes:
    return _ESCAPES.get(piece) or (bytes.fromhex(piece[1:].decode("ascii")) if _is_escape(piece) else b"")


def _is_escape(piece: bytes) -> bool:
    return len(piece) == 3 and piece[:1] == b"=" and piece[1:2] not in b" \t\r\n"


_ESCAPES = {b"=%02X" % octet: bytes((octet,)) for octet in range(256)}


def _raw_offset(at: int, decoded_starts: Sequence[int], raw_starts: Sequence[int], *, after: bool) -> int:
    """Where a decoded offset lies in the raw body; behind (or before) pieces that decode to nothing there."""
    if after:
        piece = bisect_right(decoded_starts, at) - 1
        return raw_starts[piece] + at - decoded_starts[piece]
    piece = bisect_left(decoded_starts, at)
    if piece < len(decoded_starts) and decoded_starts[piece] == at:
        return raw_starts[piece]
    return raw_starts[piece - 1] + at - decoded_starts[piece - 1]


def _wrap(text: bytes, column: int, length: int, eol: bytes) -> bytes:
    """Base64 text in lines, the first of which begins at a column."""
    first = max(0, length - column) if column < length else 0
    lines = [text[:first]] if first or column else []
    lines += [text[at : at + length] for at in range(first, len(text), length)]
    return eol.join(lines)
