"""Rewriting a message: the parts that people read, spliced into the message's own bytes (RFC 5322, RFC 2045).

Nothing is generated anew. The message is bytes, the parts are offsets into them, and every edit is an edit of those
bytes: header fields, boundaries, preambles, attachments and signed parts cannot change because nobody writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mailgate.engagement._edit import Edit, inverse, splice
from mailgate.engagement._encoding import View
from mailgate.engagement._errors import AlreadySigned
from mailgate.engagement._links import Link, RewritePolicy
from mailgate.engagement._plain import find_urls
from mailgate.engagement._plan import Found, Numbers, Signing
from mailgate.engagement._rewrite import DEFAULT_POLICY, HtmlDocument, RewriteResult
from mailgate.engagement._token import MessageLinks
from mailgate.engagement._transfer import Body, IdentityBody, quoted_printable, read_body
from mailgate.records import Mail, Part

_CLOSED = frozenset(("multipart/signed", "multipart/encrypted"))
_PGP = (b"-----BEGIN PGP ",)
_LINE_END = re.compile(rb"\r\n|\n")
_FIELD_REST = rb"[ \t]*:[^\r\n]*+(?:\r?\n[ \t][^\r\n]*+)*+"
_TRANSFER_ENCODING = re.compile(rb"^content-transfer-encoding" + _FIELD_REST, re.IGNORECASE | re.MULTILINE)
_CONTENT_TYPE = re.compile(rb"^content-type" + _FIELD_REST, re.IGNORECASE | re.MULTILINE)


class PartSkipped(StrEnum):
    """Why a text part stays as it is."""

    ATTACHMENT = "attachment"
    SIGNED = "signed"  # inside multipart/signed, multipart/encrypted, or PGP in the text
    ENCODING = "encoding"  # a transfer encoding that cannot be read or written back
    CHARSET = "charset"  # a charset that cannot be written back
    PLACE = "place"  # inside a container that is itself encoded
    POLICY = "policy"  # text/plain while `plain_text` is off


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """What was done to one text/html or text/plain part.

    path: its number as IMAP writes it (RFC 3501 6.4.5), `1.2`. links, pixel, warnings: as in `RewriteResult`.
    re_encoded: it was written in quoted-printable because a line became longer than 998 bytes.
    """

    path: str
    content_type: str
    skipped: PartSkipped | None = None
    links: tuple[Link, ...] = ()
    pixel: bool = False
    re_encoded: bool = False
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "path": self.path,
            "content_type": self.content_type,
            "skipped": None if self.skipped is None else str(self.skipped),
            "links": [link.to_dict() for link in self.links],
            "pixel": self.pixel,
            "re_encoded": self.re_encoded,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageResult:
    """A rewritten message. message: its bytes. parts: its text parts in message order. edits: what was replaced."""

    message: bytes
    parts: tuple[PartResult, ...] = ()
    edits: tuple[Edit[bytes], ...] = ()

    @property
    def pixel(self) -> bool:
        """True when a pixel was put in."""
        return any(part.pixel for part in self.parts)

    @property
    def tracked(self) -> tuple[Link, ...]:
        """The links that were replaced, of all parts."""
        return tuple(link for part in self.parts for link in part.links if link.skipped is None)

    def undo(self) -> bytes:
        """The message as it was, byte for byte."""
        return splice(self.message, inverse(self.edits))

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON values, without the message."""
        return {"parts": [part.to_dict() for part in self.parts]}


class _TextPart:
    """A part that may be rewritten, between finding its links and replacing them."""

    def __init__(self, part: Part, path: str, body: Body, view: View, html: HtmlDocument | None) -> None:
        self.part = part
        self.path = path
        self.body = body
        self.view = view
        self.html = html
        self.found: list[Found] = html.found if html is not None else []


def rewrite_message(
    message: bytes | Mail, links: MessageLinks, *, policy: RewritePolicy = DEFAULT_POLICY, force: bool = False
) -> MessageResult:
    """The message with the links of its HTML parts tracked and one pixel in it.

    message: RFC 5322 bytes of any kind, at most 25 MiB; or a `Mail`. Every byte that is not a replaced link, the pixel
    or (where a line would become too long) a line break is kept. Attachments, signed and encrypted parts, messages
    inside the message and parts for AMP are never touched; text/plain only when the policy says so.
    Raises AlreadySigned when there is a DKIM-Signature, unless `force`; ParseError when `Mail.read` does.
    """
    mail = Mail.read(message)
    if not force and "dkim-signature" in mail.headers:
        raise AlreadySigned
    reports: list[PartResult | _TextPart] = []
    for part, path, closed in _leaves(mail, "", False):
        if part.content_type in ("text/html", "text/plain"):
            reports.append(_look(part, path, closed, links, policy))
    open_parts = [report for report in reports if isinstance(report, _TextPart)]
    signing = Signing(links, Numbers([part.found for part in open_parts], by_position=policy.by_position))
    extras = _extras(open_parts)
    edits: list[Edit[bytes]] = []
    results: list[PartResult] = []
    for report in reports:
        if isinstance(report, PartResult):
            results.append(report)
            continue
        wanted, extras = (extras, "") if report.html is not None else ("", extras)
        result, part_edits = _rewrite_part(report, mail, signing, wanted)
        results.append(result)
        edits += part_edits
    return MessageResult(
        message=splice(mail.raw, edits),
        parts=tuple(results),
        edits=tuple(edits),
    )


def _leaves(part: Part, path: str, closed: bool) -> Iterator[tuple[Part, str, bool]]:
    """(leaf, its path, whether it lies in a signed or encrypted container), in message order; depth is limited."""
    if not part.parts:
        yield part, path or "1", closed
        return
    closed = closed or part.content_type in _CLOSED
    for number, child in enumerate(part.parts, 1):
        yield from _leaves(child, f"{path}.{number}" if path else str(number), closed)


def _look(part: Part, path: str, closed: bool, links: MessageLinks, policy: RewritePolicy) -> PartResult | _TextPart:
    def leave(why: PartSkipped) -> PartResult:
        return PartResult(path=path, content_type=part.content_type, skipped=why)

    is_html = part.content_type == "text/html"
    if part.disposition == "attachment":
        return leave(PartSkipped.ATTACHMENT)
    if closed:
        return leave(PartSkipped.SIGNED)
    if not is_html and not policy.plain_text:
        return leave(PartSkipped.POLICY)
    if part.body_start is None:
        return leave(PartSkipped.PLACE)
    body = read_body(part.raw_body, part.transfer_encoding)
    if body is None:
        return leave(PartSkipped.ENCODING)
    if any(mark in body.decoded for mark in _PGP):
        return leave(PartSkipped.SIGNED)
    view = View.of(body.decoded, part.param("charset"))
    if view is None:
        return leave(PartSkipped.CHARSET)
    text_part = _TextPart(part, path, body, view, HtmlDocument(view, links, policy) if is_html else None)
    if not is_html and policy.links:
        text_part.found = find_urls(view, links.base_url.partition("://")[2].lower(), policy)
    return text_part


def _extras(parts: list[_TextPart]) -> str:
    """Pixel and trap for the first HTML part, unless one of the parts has them already."""
    documents = [part.html for part in parts if part.html is not None]
    if not documents or any(document.has_extras() for document in documents):
        return ""
    return documents[0].extras()


def _rewrite_part(
    part: _TextPart, mail: Mail, signing: Signing, extras: str
) -> tuple[PartResult, tuple[Edit[bytes], ...]]:
    decoded = part.body.decoded
    if part.html is not None:
        result: RewriteResult[bytes] = part.html.rewrite(decoded, signing, extras)
    else:
        report, changes = signing.sign(part.found)
        result = RewriteResult(html=b"", links=report, edits=part.view.edits(changes))
    edits, re_encoded = _encode(part, mail, result.edits) if result.edits else ((), False)
    report_part = PartResult(
        path=part.path,
        content_type=part.part.content_type,
        links=result.links,
        pixel=result.pixel_at is not None,
        re_encoded=re_encoded,
        warnings=result.warnings,
    )
    return report_part, edits


def _encode(part: _TextPart, mail: Mail, edits: tuple[Edit[bytes], ...]) -> tuple[tuple[Edit[bytes], ...], bool]:
    """(the edits of the message's bytes, whether the transfer encoding had to change)."""
    start, end = part.part.body_start, part.part.body_end
    assert start is not None and end is not None  # noqa: S101, PT018 - `_look` saw to it
    found = _LINE_END.search(part.body.raw) or _LINE_END.search(mail.raw)
    eol = found[0] if found is not None else b"\r\n"
    body = part.body
    if isinstance(body, IdentityBody) and part.part.transfer_encoding != "binary" and body.makes_long_lines(edits):
        new = quoted_printable(splice(body.raw, edits), eol)
        return (*_declare_quoted_printable(part.part, mail, eol), Edit(start, end, body.raw, new)), True
    return tuple([Edit(start + s, start + e, old, new) for s, e, old, new in body.encode(edits, eol)]), False


def _declare_quoted_printable(part: Part, mail: Mail, eol: bytes) -> list[Edit[bytes]]:
    """The edits of the header that say so; a message without MIME fields gets them."""
    at, header = part.header_start or 0, part.raw_header
    field = b"Content-Transfer-Encoding: quoted-printable"
    existing = _TRANSFER_ENCODING.search(header)
    if existing is not None:
        return [Edit(at + existing.start(), at + existing.end(), existing[0], field)]
    content_type = _CONTENT_TYPE.search(header)
    place = at + content_type.start() if content_type is not None else at
    if part is mail and "mime-version" not in mail.headers:
        field = b"MIME-Version: 1.0" + eol + field
    return [Edit(place, place, b"", field + eol)]
