r"""A message read once, under limits, and decoded only where somebody looks.

The model. `Mail.read` finds where the parts lie (see `_mail_split`) and reads of each header only the Content-Type.
Everything else waits for a question: the other header fields, the parameters, the transfer encoding, the charset, the
message inside a message/rfc822 part. A part is offsets into one buffer that all parts share, also a returned message
read by `Part.message`; a part copies its body when `content` is called, and not before. Only a multipart that is
itself transfer encoded (RFC 2045 6.4 forbids it, mail does it) is decoded at once and gets a buffer of its own.

Parts know nothing of their parent, so nothing is kept alive by a cycle.

Defects. `Mail.defects` names the oddities that were read through, in the order in which they were met, each once:

    utf16                        the message is UTF-16 with a byte order mark
    byte_order_mark              a UTF-8 byte order mark stands before the header
    leading_blank_lines          empty lines before the header
    mbox_from_line               an mbox `From ` (or `>From `) line before the header
    second_message               another message follows in the same file; only the first is read
    mixed_line_ends              more than one kind of line end, or CR alone
    nul_bytes                    NUL bytes somewhere
    eight_bit_header             a header holds bytes that are not ASCII
    malformed_header_line        lines in the header that are no field; they continue the field before them
    missing_blank_line           no empty line between header and body; the body begins where fields end
    header_field_cut             a header field above the limit (it is cut there when it is read)
    missing_mime_version         a multipart without MIME-Version
    bad_content_type             a Content-Type that is none; text/plain is assumed (RFC 2045 5.2)
    missing_boundary             a multipart without a boundary parameter
    boundary_not_found           no delimiter line of the boundary in the body
    boundary_guessed             the boundary was taken from the body, because of one of the two above
    boundary_reused              a multipart inside another one with the same boundary; it is a leaf
    missing_close_delimiter      a multipart without its last delimiter
    empty_multipart              a multipart without parts
    encoded_multipart            a multipart in base64 or quoted-printable; it was decoded first
    bad_base64, bad_quoted_printable, bad_uuencode, unknown_transfer_encoding
                                 found by `content`, so only there once somebody has asked for it

Bugs. A body without header whose first lines look like fields is taken for a header. When the empty line between
header and body is missing and the body's first paragraph has a line that looks like a field, up to three lines above
it are taken for the end of the header. Where one multipart lies inside another with the same boundary, what follows
the inner close delimiter is lost to the epilogue, as every reader loses it. UTF-16 without a byte order mark is not
recognised. A bare CR inside a line counts as a line end. Of two messages in one file without an mbox line between them
the second is part of the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mailgate.records._errors import ParseError
from mailgate.records._mail_headers import Headers, utf8_or_latin1
from mailgate.records._mail_limits import MailLimits
from mailgate.records._mail_look import STOCK_HEADER_BYTES, look, look_again
from mailgate.records._mail_split import (
    LineEnds,
    header_end,
    line_ends,
    offset_of_line,
    second_message,
    skip_envelope,
    with_lf,
)
from mailgate.records._mail_tree import Source, note, ranges_of
from mailgate.records._mime_decode import IDENTITY, decode_transfer
from mailgate.records._mime_params import read_params, without_comments
from mailgate.records._mime_words import decode_text, decode_words

__all__ = ["Headers", "Mail", "MailLimits", "Part"]

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"
_HEADERS_ONLY = frozenset(
    {"text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers", "message/global-headers"}
)


_DEFAULT_LIMITS = MailLimits()


class Part:
    """One MIME entity. Nothing is decoded before somebody asks.

    headers: its header fields. content_type: lower case; "text/plain" when missing or broken, "message/rfc822" in a
    digest (RFC 2046 5.1.5). parts: the children of a multipart; () for everything else. message/* is never entered.
    """

    __slots__ = (
        "_body_end", "_body_start", "_content", "_depth", "_epilogue_start", "_header_start", "_param_text", "_params",
        "_preamble_end", "_source", "content_type", "headers", "parts",
    )  # fmt: skip

    headers: Headers
    content_type: str
    parts: tuple[Part, ...]

    def __init__(self, source: Source, start: int, end: int, depth: int, default_type: str, whole: bool) -> None:
        buffer, ends = source.buffer, source.ends
        block_end, body_start = header_end(buffer, start, end, ends)
        block = with_lf(buffer[start:block_end], ends)
        see = look_again if not whole and len(block) <= STOCK_HEADER_BYTES else look
        seen = see(block, whole, source.limits.max_header_field_bytes)
        if seen.body_line >= 0:
            body_start = offset_of_line(buffer, start, seen.body_line)
        for word in seen.defects:
            note(source.defects, word)
        self._source = source
        self._header_start = start
        self._body_start = body_start
        self._body_end = end
        self._depth = depth
        self._preamble_end = -1
        self._epilogue_start = -1
        self._content: bytes | None = None
        self._params: dict[str, str] | None = None
        self.headers = Headers(seen.block, source.limits.max_header_field_bytes)
        self.parts = ()
        self.content_type = seen.content_type or default_type
        self._param_text = seen.param_text

    @property
    def header_start(self) -> int | None:
        """Offset in the message's `raw` of the part's first header byte; None when it came out of a decoded container.

        With `body_start` and `body_end` it allows to put a rewritten part into the message with every other byte
        kept: `raw[:part.body_start] + new + raw[part.body_end:]`. Offsets count within the `raw` of the `Mail` that
        the part belongs to, for a message out of `Part.message` within that message's own `raw`. They are None for
        parts below an encoded multipart or in a UTF-16 message, whose bytes are nowhere in `raw` as they are.
        """
        return self._offset(self._header_start)

    @property
    def body_start(self) -> int | None:
        """Offset in `raw` of the first body byte; `raw[header_start:body_start]` is the header with its empty line."""
        return self._offset(self._body_start)

    @property
    def body_end(self) -> int | None:
        """Offset in `raw` behind the last byte of the body; the line end before a delimiter is the delimiter's."""
        return self._offset(self._body_end)

    def _offset(self, at: int) -> int | None:
        base = self._source.base
        return None if base is None else at - base

    @property
    def raw_header(self) -> bytes:
        """The header as it stands in the message, with the empty line behind it."""
        return self._source.buffer[self._header_start : self._body_start]

    @property
    def raw_body(self) -> bytes:
        """The body as it stands in the message (a slice), transfer encoding not decoded."""
        return self._source.buffer[self._body_start : self._body_end]

    @property
    def preamble(self) -> bytes:
        """What stands before the first delimiter of a multipart; b"" for everything else."""
        if self._preamble_end < 0 or not self.parts:
            return b""
        source = self.parts[0]._source
        start = self._body_start if source is self._source else 0
        return source.buffer[start : self._preamble_end]

    @property
    def epilogue(self) -> bytes:
        """What stands behind the last delimiter of a multipart; b"" for everything else."""
        if self._epilogue_start < 0 or not self.parts:
            return b""
        source = self.parts[0]._source
        end = self._body_end if source is self._source else len(source.buffer)
        return source.buffer[self._epilogue_start : end]

    def param(self, name: str) -> str | None:
        """A Content-Type parameter (`boundary`, `report-type`, `charset`, `name`), RFC 2231 decoded."""
        if self._params is None:
            self._params = read_params(utf8_or_latin1(self._param_text)) if self._param_text else {}
        return self._params.get(name.lower())

    @property
    def disposition(self) -> str:
        """`attachment`, `inline` or `""`."""
        value = self.headers.get("content-disposition")
        if value is None:
            return ""
        word = without_comments(value).partition(";")[0].strip().lower()
        # RFC 2183 2.8: an unknown disposition is an attachment.
        return "" if not word or "=" in word else "inline" if word == "inline" else "attachment"

    @property
    def filename(self) -> str | None:
        """The `filename` of Content-Disposition, else the `name` of Content-Type; None when there is neither.

        As the sender wrote it: it may hold slashes, dots and control characters. Never use it as a path.
        """
        value = self.headers.get("content-disposition")
        name = read_params(without_comments(value).partition(";")[2]).get("filename") if value else None
        name = name or self.param("name")
        return decode_words(name) if name else None

    @property
    def transfer_encoding(self) -> str:
        """The word of Content-Transfer-Encoding in lower case, `7bit` when there is none."""
        value = self.headers.get("content-transfer-encoding")
        if value is None:
            return "7bit"
        return without_comments(value).partition(";")[0].strip(" \t\"'").lower() or "7bit"

    def content(self) -> bytes:
        """The body with base64 / quoted-printable / uuencode decoded (also on message/* parts); cached.

        Broken encodings are decoded as far as they go and named in the message's `defects`. Of a multipart that has
        parts it is the body as it stands.
        """
        if self._content is not None:
            return self._content
        encoding = self.transfer_encoding
        if encoding in IDENTITY or self.parts:
            return self.raw_body
        content, defect = decode_transfer(encoding, self.raw_body)
        if encoding == "quoted-printable" and defect and self.content_type.startswith("message/"):
            # Encoded twice is rarer than a header that lies: RFC 2045 6.4 allows no encoding here at all, and a
            # message with a broken escape in it is one that was never encoded.
            content = self.raw_body
        if defect:
            note(self._source.defects, defect)
        self._content = content
        return content

    def text(self) -> str:
        """`content` as text in its charset (unknown or lying charset: UTF-8, else Latin-1); never raises.

        Line ends stay as they are.
        """
        return decode_text(self.content(), self.param("charset"))

    def walk(self) -> Iterator[Part]:
        """This part and all parts below it, depth first, in message order; never into message/rfc822."""
        if not self.parts:
            yield self
            return
        waiting: list[Part] = [self]
        while waiting:
            part = waiting.pop()
            yield part
            if part.parts:
                waiting.extend(reversed(part.parts))

    def message(self) -> Mail:
        """The message inside a message/rfc822, message/global, text/rfc822-headers (headers only) part.

        Any other leaf is read as a message as well; a multipart gives a TypeError. Raises ParseError (`too_deep`,
        `too_many_parts`). Reads again at each call: keep what it returns.
        """
        if self.parts:
            raise TypeError(f"a {self.content_type} part holds no message")
        source, depth = self._source, self._depth + 1
        if depth > source.limits.max_depth:
            raise _too_deep(source.limits)
        headers_only = self.content_type in _HEADERS_ONLY
        if self.transfer_encoding not in IDENTITY:
            return Mail._read(self.content(), source.limits, depth=depth, headers_only=headers_only)
        return Mail._inside(source, self._body_start, self._body_end, depth, headers_only)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.content_type} {self._body_end - self._body_start} bytes>"


class Mail(Part):
    """A whole message.

    raw: its bytes as they were given. defects: what was odd, see the top of this module; more may come to it while
    parts are decoded.
    """

    __slots__ = ("_depth0", "_end", "_given", "_headers_only")

    def __init__(self, source: Source, start: int, end: int, depth: int, headers_only: bool) -> None:
        begin = skip_envelope(source.buffer, start, end, source.defects)
        super().__init__(source, begin, end, 0, "text/plain", True)
        self._depth0 = depth
        self._depth = depth
        self._headers_only = headers_only
        self._end = end
        self._given: bytes | None = None
        if len(self.headers.block) > source.limits.max_header_field_bytes and self.headers.cut:
            note(source.defects, "header_field_cut")
        if self.content_type.startswith("multipart/") and not (headers_only and self._body_start == end):
            _split(self)
        if self.parts and self._epilogue_start >= 0 and self.parts[0]._source is source:
            if second_message(source.buffer, max(self._epilogue_start - 2, self._body_start), end):
                note(source.defects, "second_message")
        elif "mbox_from_line" in source.defects and second_message(source.buffer, self._body_start, end):
            note(source.defects, "second_message")

    @property
    def raw(self) -> bytes:
        """The message's bytes as they were given."""
        if self._given is None:
            base = self._source.base or 0
            self._given = self._source.buffer[base : self._end]
        return self._given

    @property
    def defects(self) -> tuple[str, ...]:
        """The oddities met so far, each once, in the order in which they were met."""
        return tuple(self._source.defects)

    @classmethod
    def read(cls, message: bytes | Mail, *, limits: MailLimits | None = None) -> Mail:
        """A message read: raw RFC 5322 bytes, any line ends. A `Mail` is returned as it is.

        Raises ParseError: `too_large`, `too_deep`, `too_many_parts`. Any other bytes give a `Mail`; bytes that are no
        mail give one without headers.
        """
        if isinstance(message, Mail):
            return message
        if isinstance(message, (bytearray, memoryview)):
            message = bytes(message)
        if not isinstance(message, bytes):
            raise TypeError(f"a message is bytes, not {type(message).__name__}")
        return cls._read(message, limits or _DEFAULT_LIMITS)

    @classmethod
    def _read(cls, raw: bytes, limits: MailLimits, *, depth: int = 0, headers_only: bool = False) -> Mail:
        if len(raw) > limits.max_bytes:
            words = f"the message has {len(raw)} bytes, more than the {limits.max_bytes} allowed"
            raise ParseError("too_large", words)
        defects: list[str] = []
        buffer, start, base = raw, 0, 0
        if raw.startswith(_UTF16_MARKS):
            defects.append("utf16")
            buffer, base = raw.decode("utf-16", "replace").encode("utf-8"), -1
        elif raw.startswith(_UTF8_MARK):
            defects.append("byte_order_mark")
            start = 3
        ends = line_ends(buffer, 0, len(buffer))
        source = Source(buffer, base if base >= 0 else None, ends, limits, defects)
        mail = cls._build(source, start, len(buffer), depth, headers_only)
        mail._given = raw
        return mail

    @classmethod
    def _inside(cls, outer: Source, start: int, end: int, depth: int, headers_only: bool) -> Mail:
        """A message that lies in another one's buffer as it is: nothing is copied."""
        buffer = outer.buffer
        if buffer.startswith(_UTF16_MARKS, start, end):
            return cls._read(buffer[start:end], outer.limits, depth=depth, headers_only=headers_only)
        defects: list[str] = []
        begin = start
        if buffer.startswith(_UTF8_MARK, start, end):
            defects.append("byte_order_mark")
            begin += 3
        ends = outer.ends if outer.ends is not LineEnds.MIXED else line_ends(buffer, start, end)
        return cls._build(Source(buffer, start, ends, outer.limits, defects), begin, end, depth, headers_only)

    @classmethod
    def _build(cls, source: Source, start: int, end: int, depth: int, headers_only: bool) -> Mail:
        if source.ends is LineEnds.MIXED:
            source.defects.append("mixed_line_ends")
        if source.buffer.find(b"\0", start, end) >= 0:
            source.defects.append("nul_bytes")
        return cls(source, start, end, depth, headers_only)

    def __reduce__(self) -> tuple[Any, ...]:
        # Reading is cheaper than pickling the tree, and what crosses to a worker is the message's bytes once.
        return _read_again, (self.raw, self._source.limits, self._depth0, self._headers_only)


def _read_again(raw: bytes, limits: MailLimits, depth: int, headers_only: bool) -> Mail:
    return Mail._read(raw, limits, depth=depth, headers_only=headers_only)


def _too_deep(limits: MailLimits) -> ParseError:
    return ParseError("too_deep", f"multiparts and messages are nested more than {limits.max_depth} deep")


def _split(mail: Mail) -> None:
    """Give every multipart its parts. A list of what is still to be split stands in for recursion."""
    limits = mail._source.limits
    count = 0
    waiting: list[tuple[Part, tuple[bytes, ...]]] = [(mail, ())]
    while waiting:
        part, outer = waiting.pop()
        boundary, ranges, source = ranges_of(part, outer, limits.max_parts - count)
        count += len(ranges)
        if count > limits.max_parts:
            raise ParseError("too_many_parts", f"the message has more than {limits.max_parts} parts")
        if not ranges:
            continue
        depth = part._depth + 1
        if depth > limits.max_depth:
            raise _too_deep(limits)
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        part.parts = tuple([Part(source, start, end, depth, default, False) for start, end in ranges])
        inner = (*outer, boundary)
        waiting.extend(
            [(child, inner) for child in reversed(part.parts) if child.content_type.startswith("multipart/")]
        )
