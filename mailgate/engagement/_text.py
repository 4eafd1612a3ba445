"""Text that came with a request, made fit to be kept."""

from __future__ import annotations

from contextlib import suppress

MAX_TEXT_CHARACTERS = 512


def printable(text: str, limit: int = MAX_TEXT_CHARACTERS) -> str:
    r"""At most `limit` characters, everything that is not printable ASCII or a printable letter as an escape.

    WSGI hands header fields over as Latin-1 (PEP 3333); what is UTF-8 inside becomes text again.

    >>> printable("Mozilla\x1b[31m\r\n")
    'Mozilla\\x1b[31m\\r\\n'
    """
    text = text[:limit]
    if text.isascii() and text.isprintable():
        return text
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)[:limit]
