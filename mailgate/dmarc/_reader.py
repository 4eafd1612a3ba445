"""One document read into whatever wants its records: by shapes where it can be, by Expat where it must be.

Both ways give the same texts to the same judges (`_facet`, `_header`); tests compare them on every sample.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from mailgate.dmarc._containers import Document
from mailgate.dmarc._encoding import as_utf8
from mailgate.dmarc._expat import FeedbackParser, InvalidBytes, Value, offset_of
from mailgate.dmarc._fields import HeaderFields, header_fields, record_fields
from mailgate.dmarc._header import Header, HeaderError, judge_header
from mailgate.dmarc._limits import Limits
from mailgate.dmarc._records import Records, Sink
from mailgate.dmarc._shape import MAX_CHARACTERS, RECORD_END, RECORD_START, header_shape, split
from mailgate.records import ParseError

_LOOK_BYTES = 64 * 1024
_STANDS_FOR_RECORDS = "records"
_ALL_RECORDS = RECORD_START + _STANDS_FOR_RECORDS + RECORD_END
_FEEDBACK_TAG = re.compile(rb"[<:]feedback(?:[ \t\r\n/>]|\Z)")  # the word alone is in the HTML of any mail
S = TypeVar("S", bound=Sink)


def read_feedback(document: Document, limits: Limits, make_sink: Callable[[], S]) -> tuple[Header, S, set[str]]:
    """Header, filled sink and defects of one aggregate report; a document that is read again gets a new sink.

    Raises ParseError with the class, field and byte offset of the fault; of an archive that is broken as well, its
    fault comes first.
    """
    try:
        return _read(document, limits, make_sink)
    except ParseError as error:
        if document.packed and not error.error.startswith("archive_"):
            for _ in document.chunks():
                pass
        if isinstance(error, HeaderError):
            offset = offset_of(as_utf8(document.chunks, set(), lenient=True), *error.place)
            raise HeaderError(error, error.org_name, error.place, offset) from error
        raise


def _read(document: Document, limits: Limits, make_sink: Callable[[], S]) -> tuple[Header, S, set[str]]:
    if limits.max_field_bytes >= MAX_CHARACTERS:
        defects: set[str] = set()
        sink = make_sink()
        records = Records(sink, limits)
        fields = _by_shapes(as_utf8(document.chunks, defects), records, limits, defects)
        if fields is not None:
            return judge_header(fields, records.number, defects), sink, defects
    try:
        return _by_expat(document, limits, make_sink(), lenient=False)
    except InvalidBytes as signal:
        return _by_expat(document, limits, make_sink(), lenient=True, otherwise=signal.error)


def _by_expat(
    document: Document, limits: Limits, sink: S, *, lenient: bool, otherwise: ParseError | None = None
) -> tuple[Header, S, set[str]]:
    """The whole document through Expat. lenient: illegal bytes replaced; without any, `otherwise` is raised."""
    defects: set[str] = set()
    children: list[tuple[str, Value]] = []
    records = Records(sink, limits)

    def on_child(name: str, value: Value) -> None:
        if name == "record":
            records.take_fields(record_fields(value))
        elif name in ("report_metadata", "policy_published", "version") and len(children) < 100:
            children.append((name, value))

    parser = FeedbackParser(on_child, limits)
    try:
        for piece in as_utf8(document.chunks, defects, lenient=lenient):
            parser.feed(piece)
        parser.feed(b"", final=True)
    except InvalidBytes as signal:
        if lenient:
            raise _other_thing(document, parser, otherwise or signal.error) from signal
        raise
    except ParseError as error:
        raise _other_thing(document, parser, error) from error
    if parser.trailing:
        defects.add("trailing_content")
    return judge_header(header_fields(children, namespaced=parser.namespaced), records.number, defects), sink, defects


def _other_thing(document: Document, parser: FeedbackParser, error: ParseError) -> ParseError:
    """`error`, or `not_a_report` for what broke before its root element and has no `feedback` tag.

    Such are the HTML bodies and SVG pictures of mails, and text that begins with `<`. A file by itself that says it is
    XML, or that brings a DOCTYPE, is told what is wrong with it.
    """
    if parser.root is not None or error.error.startswith("archive_"):
        return error
    start = next(as_utf8(document.chunks, set(), lenient=True), b"")[:_LOOK_BYTES]
    says_so = start.startswith(b"<?xml") or error.error == "dtd_forbidden"
    if _FEEDBACK_TAG.search(start) or (says_so and not document.among_others):
        return error
    return ParseError("not_a_report", "markup, but no report", offset=error.offset)


def _by_shapes(pieces: Iterable[bytes], records: Records, limits: Limits, defects: set[str]) -> HeaderFields | None:
    """The header's texts, the records having gone their way; None when the document has to go to Expat."""
    head: str | None = None
    rest = ""
    for piece in pieces:
        # Latin-1 keeps each byte; holes are ASCII, and a skeleton becomes the same bytes again for Expat.
        text = rest + piece.decode("latin-1")
        if "\0" in text:
            return None  # no XML; and it separates the literals of a skeleton
        if head is None:
            at = text.find(RECORD_START)
            if at < 0 or at > MAX_CHARACTERS or "<!DOCTYPE" in text[:at]:
                return None
            head, text = text[:at], text[at:]
        blocks = text.split(RECORD_END)
        rest = blocks.pop()
        if len(rest) > MAX_CHARACTERS or not records.take_blocks(blocks):
            return None
    return None if head is None else _shaped_header(head + _ALL_RECORDS + rest, limits, defects)


def _shaped_header(header: str, limits: Limits, defects: set[str]) -> HeaderFields | None:
    parts = split(header)
    shape = header_shape("\0".join(parts[::2]), len(parts) // 2)
    if shape is not None:
        return shape.fields(parts) if parts[shape.record] == _STANDS_FOR_RECORDS else None
    children: list[tuple[str, Value]] = []
    parser = FeedbackParser(lambda name, value: children.append((name, value)), limits)
    try:
        parser.feed(header.encode("latin-1"), final=True)
    except (ParseError, InvalidBytes):
        return None
    if [value for name, value in children if name == "record"] != [_STANDS_FOR_RECORDS]:
        return None  # what was taken for the first record is none, and one with a prefix or attributes is
    if parser.trailing:
        defects.add("trailing_content")
    return header_fields(children, namespaced=parser.namespaced)
