"""Where the parts of one multipart lie: its boundary found, guessed or given up; its body decoded when it must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailgate.records._mail_limits import MailLimits
from mailgate.records._mail_split import LineEnds, delimiters, guess_boundary, line_ends
from mailgate.records._mime_decode import IDENTITY, decode_transfer
from mailgate.records._mime_params import read_params

if TYPE_CHECKING:
    from mailgate.records._mail import Part


class Source:
    """What the parts of one message share: the buffer, its line ends, the limits and the list of defects."""

    __slots__ = ("base", "buffer", "defects", "ends", "limits")

    def __init__(self, buffer: bytes, base: int | None, ends: LineEnds, limits: MailLimits, defects: list[str]) -> None:
        self.buffer = buffer
        self.base = base  # offset in the buffer of the message's first byte; None when the buffer is not the message
        self.ends = ends
        self.limits = limits
        self.defects = defects


def note(defects: list[str], word: str) -> None:
    """Add a defect once."""
    if word not in defects:
        defects.append(word)


def ranges_of(part: Part, outer: tuple[bytes, ...], most: int) -> tuple[bytes, list[tuple[int, int]], Source]:
    """The boundary, the ranges of the parts and the buffer they lie in; no ranges when it cannot be split."""
    source, defects = part._source, part._source.defects
    boundary = _boundary_of(part)
    if boundary in outer:
        note(defects, "boundary_reused")
        return boundary, [], source
    if not boundary:
        note(defects, "missing_boundary")
    start, end = part._body_start, part._body_end
    found = delimiters(source.buffer, start, end, boundary, most=most) if boundary else None
    if found is None or found.preamble_end < 0:
        encoding = part.transfer_encoding
        if encoding not in IDENTITY:
            content, defect = decode_transfer(encoding, part.raw_body)
            if defect is None or content != part.raw_body:
                note(defects, "encoded_multipart")
                source = Source(content, None, line_ends(content, 0, len(content)), source.limits, defects)
                start, end = 0, len(content)
                found = delimiters(content, start, end, boundary, most=most) if boundary else None
    if found is None or found.preamble_end < 0:
        if boundary and start < end:
            note(defects, "boundary_not_found")
        guess = _other_boundary(part, boundary, source.buffer, start, end) or guess_boundary(source.buffer, start, end)
        if not guess or guess in outer:
            return boundary, [], source
        note(defects, "boundary_guessed")
        boundary = guess
        found = delimiters(source.buffer, start, end, boundary, most=most)
        if found.preamble_end < 0:
            return boundary, [], source
    if not found.closed:
        note(defects, "missing_close_delimiter")
    if not found.ranges:
        note(defects, "empty_multipart")
    part._preamble_end = found.preamble_end
    part._epilogue_start = found.epilogue_start
    return boundary, found.ranges, source


def _other_boundary(part: Part, boundary: bytes, buffer: bytes, start: int, end: int) -> bytes | None:
    """What the parameter may have meant: no blank where it was folded, no quotes of the wrong kind, no comment."""
    written = read_params((part.headers.get("content-type") or "").partition(";")[2]).get("boundary", "")
    for meant in (boundary.translate(None, b" \t").strip(b"'"), written.encode("utf-8", "replace")):
        if meant and meant != boundary and buffer.find(b"--" + meant, start, end) >= 0:
            return meant
    return None


def _boundary_of(part: Part) -> bytes:
    value = part.param("boundary")
    if value is None:
        return b""
    if not part._param_text.isascii():  # the delimiter is bytes: those of the header, whatever they mean
        value = read_params(part._param_text).get("boundary", "")
    try:
        data = value.encode("latin-1")
    except UnicodeEncodeError:  # only by RFC 2231 decoding
        data = value.encode("utf-8")
    return data.rstrip(b" \t\r\n")
