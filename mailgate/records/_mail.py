"""A message read once, under limits, and decoded only where somebody looks.  (contract; body to come)"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLimits:
    """Bounds on what a reader takes on."""

    max_bytes: int = 25 * 1024 * 1024
    max_depth: int = 50
    max_parts: int = 1_000
    max_header_field_bytes: int = 64 * 1024


class Headers:
    """Header fields of one part, in order; values unfolded and decoded on demand.

    Names compare without case. Any bytes are read; bytes that are not ASCII: UTF-8, else Latin-1.
    """

    def get(self, name: str) -> str | None:
        """First field of that name, unfolded (one space for each fold), outer white space off; encoded-words NOT decoded."""
        raise NotImplementedError

    def get_all(self, name: str) -> list[str]:
        """All of them in message order."""
        raise NotImplementedError

    def decoded(self, name: str) -> str | None:
        """`get`, with encoded-words (RFC 2047) decoded."""
        raise NotImplementedError

    def items(self) -> Iterator[tuple[str, str]]:
        """(name as written, unfolded value) in order."""
        raise NotImplementedError

    def __contains__(self, name: str) -> bool:
        raise NotImplementedError


class Part:
    """One MIME entity. Nothing is decoded before somebody asks."""

    headers: Headers
    content_type: str  # lower case, "text/plain" when missing; the RFC 2045 5.2 default ("message/rfc822" in a digest)
    parts: tuple[Part, ...]  # children of a multipart; () for everything else. message/* is never entered.

    def param(self, name: str) -> str | None:
        """A Content-Type parameter (`boundary`, `report-type`, `charset`, `name`), RFC 2231 decoded."""
        raise NotImplementedError

    @property
    def disposition(self) -> str:
        """`attachment`, `inline` or `""`."""
        raise NotImplementedError

    @property
    def filename(self) -> str | None: ...

    @property
    def raw_body(self) -> bytes:
        """The body as it stands in the message (a slice), transfer encoding not decoded."""
        raise NotImplementedError

    def content(self) -> bytes:
        """The body with base64 / quoted-printable / uuencode decoded (also on message/* parts); cached."""
        raise NotImplementedError

    def text(self) -> str:
        """`content` as text in its charset (unknown or lying charset: UTF-8, else Latin-1); never raises."""
        raise NotImplementedError

    def walk(self) -> Iterator[Part]:
        """This part and all parts below it, depth first, in message order; never into message/rfc822."""
        raise NotImplementedError

    def message(self) -> Mail:
        """The message inside a message/rfc822, message/global, text/rfc822-headers (headers only) part."""
        raise NotImplementedError


class Mail(Part):
    """A whole message."""

    raw: bytes
    defects: tuple[str, ...]

    @classmethod
    def read(cls, message: bytes | Mail, *, limits: MailLimits | None = None) -> Mail:
        """Raises ParseError (`too_large`, `too_deep`, `too_many_parts`, …); a `Mail` is returned as it is."""
        raise NotImplementedError
