"""From bytes or a mail to the documents in it that may be reports: what a thing is, its content says, never its name.

One level of packing: a gzip or zip inside a gzip or zip is refused. Mails hold mails as deep as `Limits` allows.
What stands beside a report (a readme in an archive, the text of a mail) is passed over.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from mailgate.dmarc._limits import Limits
from mailgate.dmarc._report import Refusal
from mailgate.dmarc._unpack import GZIP_MAGIC, PIECE, ZIP_MAGICS, Budget, gunzip, unzip, zip_members
from mailgate.records import Mail, MailLimits, ParseError, Part

_MAX_PARTS = 1_000
_SNIFF_BYTES = 1_024
_MAX_MAIL_HEADER = 64 * 1024
_MAIL_TYPES = frozenset({"message/rfc822", "message/global"})
_WHITE = b" \t\r\n"
_FIELD_LINE = re.compile(rb"[!-9;-~]{1,200}[ \t]*:")
# Gzip, zip, `<?xml`, `<feedback` and a mark before XML in base64; no text begins so.
_BASE64_FIRST = (b"H4sI", b"UEsD", b"PD94bW", b"PGZlZWRiYWNr", b"77u/P")
_BASE64 = re.compile(rb"[A-Za-z0-9+/ \t\r\n]*+")
_BEFORE = re.compile(rb"(?:\xef\xbb\xbf|[ \t\r\n\0])*+")
_UTF16_FIRST = {b"<\0": "xml", b"\0<": "xml", b"{\0": "json", b"\0{": "json"}


# Refusals that count only when nothing else was found: a readme beside a report is no fault of the report.
SOFT = ("archive_no_report", "not_a_report")


@dataclass(frozen=True, slots=True)
class Document:
    """Something that looks like XML or JSON. chunks: opens it, again at each call; may raise ParseError while read.

    packed: it came out of an archive. among_others: out of a zip or a mail, where most things are no reports.
    forwarded: out of a mail inside a mail, of whose sender our server knows nothing.
    """

    kind: str
    chunks: Callable[[], Iterator[bytes]]
    member: str | None = None
    packed: bool = False
    among_others: bool = False
    forwarded: bool = False


@dataclass(slots=True)
class _Walk:
    """State of one walk through an input."""

    limits: Limits
    budget: Budget
    documents: int = 0

    def next_number(self) -> int:
        """A number for one more document, for the budget."""
        self.documents += 1
        return self.documents


def kind_of(start: bytes) -> str | None:
    """What the first bytes of something say it is: `gzip`, `zip`, `xml`, `json`, or None."""
    if start.startswith(GZIP_MAGIC):
        return "gzip"
    if start.startswith(ZIP_MAGICS):
        return "zip"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start[2:]
    if start[:2] in _UTF16_FIRST:
        return _UTF16_FIRST[start[:2]]
    before = _BEFORE.match(start)
    first = start[before.end() :][:1] if before else b""
    return {b"<": "xml", b"{": "json"}.get(first)


def without_base64(content: bytes) -> bytes:
    """`content`, decoded when it begins like a report in base64: in mails whose header says nothing of it, or wrongly.

    What follows the last digit is passed over.
    """
    if not content[:_SNIFF_BYTES].lstrip(_WHITE).startswith(_BASE64_FIRST):
        return content
    match = _BASE64.match(content)
    digits = match[0].translate(None, _WHITE) if match else b""
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return base64.b64decode(digits + b"=" * (-len(digits) % 4))


def documents(source: bytes | Mail, limits: Limits) -> Iterator[Document | Refusal]:
    """What may be a report in `source`, in its order; refusals where something cannot be opened.

    Refusals of `SOFT` say what to answer when nothing else is found.
    """
    walk = _Walk(limits, Budget(limits))
    try:
        yield from _mail(source, walk) if isinstance(source, Mail) else _bytes(source, walk)
    except ParseError as error:
        yield refusal(error)


def refusal(error: ParseError, member: str | None = None) -> Refusal:
    """A ParseError as the data that callers get."""
    return Refusal(
        error=error.error,
        message=error.message,
        field=error.field,
        offset=error.offset,
        member=member,
        org_name=getattr(error, "org_name", None),
    )


def _bytes(data: bytes, walk: _Walk) -> Iterator[Document | Refusal]:
    limits = walk.limits
    if len(data) > limits.max_bytes:
        raise ParseError("too_large", f"{len(data)} bytes, more than the {limits.max_bytes} allowed")
    data = without_base64(data)
    kind = kind_of(data[:_SNIFF_BYTES])
    if kind is not None:
        yield from _content(data, kind, walk, member=None)
    elif (mail := as_mail(data, limits)) is not None:
        yield from _mail(mail, walk)
    else:
        words = "neither XML, gzip, zip, JSON nor a mail" if data.strip(_WHITE) else "nothing in it"
        raise ParseError("not_a_report", words, offset=0)


def as_mail(data: bytes, limits: Limits) -> Mail | None:
    """A mail when `data` begins like one; None otherwise. Raises ParseError (`too_deep`, `too_many_parts`)."""
    start = data[:_SNIFF_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip(_WHITE)
    if start.startswith((b"From ", b">From ")):
        start = start.partition(b"\n")[2]
    if _FIELD_LINE.match(start) is None:
        return None
    mail_limits = MailLimits(max_bytes=limits.max_bytes, max_depth=limits.max_mail_depth, max_parts=_MAX_PARTS)
    return Mail.read(data, limits=mail_limits)


T = TypeVar("T")


def without_soft(outcomes: Iterable[T | Refusal]) -> Iterator[T | Refusal]:
    """`outcomes` without the refusals of `SOFT`; one of these when there is nothing else."""
    nothing: Refusal | None = None
    any_found = False
    for outcome in outcomes:
        if isinstance(outcome, Refusal) and outcome.error in SOFT:
            nothing = outcome if nothing is None or outcome.error == "archive_no_report" else nothing
        else:
            any_found = True
            yield outcome
    if not any_found and nothing is not None:
        yield nothing


def _content(data: bytes, kind: str, walk: _Walk, member: str | None) -> Iterator[Document | Refusal]:
    """Something whose kind is known."""
    if kind == "zip":
        yield from _zip(data, walk, member)
    elif kind == "gzip":
        yield _packed(partial(gunzip, data, walk.budget, walk.next_number()), member)
    else:
        yield Document(kind, partial(_pieces, data), member)


def _packed(chunks: Callable[[], Iterator[bytes]], member: str | None) -> Document | Refusal:
    """The inside of a gzip file or of one zip member."""
    start = b""
    opened = chunks()
    try:
        for chunk in opened:
            start += chunk
            if len(start) >= PIECE:
                break
        else:
            chunks = partial(_pieces, start)  # all of it, and sound: nothing is unpacked twice
        kind = kind_of(start[:_SNIFF_BYTES])
        if kind in ("xml", "json"):
            return Document(kind, chunks, member, packed=True)
        if kind is not None:
            raise ParseError("archive_nested", f"a {kind} archive inside an archive", offset=0)
        for _ in opened:  # to its end: an archive that is broken is told as such
            pass
        raise ParseError("not_a_report", "what is packed is neither XML nor JSON", offset=0)
    except ParseError as error:
        return refusal(error, member)


def _zip(data: bytes, walk: _Walk, member: str | None) -> Iterator[Document | Refusal]:
    yield Refusal(error="archive_no_report", message="no report among the members of the archive", member=member)
    for entry in zip_members(data, walk.limits):
        if not entry.is_folder:
            found = _packed(partial(unzip, data, entry, walk.budget, walk.next_number()), entry.name)
            yield replace(found, among_others=True) if isinstance(found, Document) else found


def _mail(mail: Mail, walk: _Walk) -> Iterator[Document | Refusal]:
    """Every leaf of the mail, and of the mails in it."""
    yield Refusal(error="not_a_report", message="no part of the mail is a report")
    for part, content, forwarded in _leaves(mail, forwarded=False):
        kind = kind_of(content[:_SNIFF_BYTES])
        if kind is not None:
            try:
                for item in _content(content, kind, walk, part.filename):
                    if isinstance(item, Document):
                        yield replace(item, among_others=True, forwarded=forwarded)
                    else:
                        yield item
            except ParseError as error:
                yield refusal(error, part.filename)


def _leaves(mail: Mail, *, forwarded: bool) -> Iterator[tuple[Part, bytes, bool]]:
    """The parts without parts, their content, and whether they are in a mail inside the mail."""
    for part in mail.walk():
        if part.parts:
            continue
        is_mail = part.content_type in _MAIL_TYPES
        content = b"" if is_mail else without_base64(part.content())
        if is_mail or (part is not mail and _is_mail(content)):
            yield from _leaves(part.message(), forwarded=True)
        else:
            yield part, content, forwarded


def _is_mail(content: bytes) -> bool:
    """True for a mail attached as a file of some other type: it begins with fields, a Content-Type among them."""
    if _FIELD_LINE.match(content) is None:
        return False
    header = b"\n" + content[:_MAX_MAIL_HEADER].replace(b"\r\n", b"\n")
    return b"\ncontent-type:" in header[: max(header.find(b"\n\n"), 0)].lower()


def _pieces(data: bytes) -> Iterator[bytes]:
    """The data whole when it is small, so that nothing is copied; in pieces otherwise."""
    if len(data) <= 4 * PIECE:
        yield data
        return
    for at in range(0, len(data), PIECE):
        yield data[at : at + PIECE]
