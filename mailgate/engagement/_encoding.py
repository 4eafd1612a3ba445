"""HTML as bytes, seen as text whose offsets are those of the bytes.

Nearly every charset writes ASCII as ASCII, and all markup is ASCII. So the bytes are tokenized as Latin-1 text, where
one character is one byte: nothing can be undecodable, nothing is normalised, and what is not replaced stays the bytes
it was. Only the value of a link is really decoded, and only when it is not ASCII.

Charsets with ASCII bytes inside other characters: in Shift_JIS, GBK, Big5 and their kin these are letters and digits,
never `<`, `>`, `=`, quotes or white space, so nothing changes. ISO-2022 switches sets by escape sequences; what stands
between them is masked. UTF-16, UTF-32 and the like are decoded as a whole and written back, if that gives the same.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Any

from mailgate.engagement._edit import Edit

# The Encoding Standard reads these labels as windows-1252; all mail clients do.
_AS_CP1252 = frozenset(("iso8859-1", "cp1252"))
# Text encodings of Python that are no charsets of mail, or whose markup cannot be found without decoding state.
_UNUSABLE = frozenset(("utf-7", "hz", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"))
_ASCII_BYTES = bytes(range(128))
_META_BYTES = 4_096  # the standard's prescan reads 1,024; head elements of mail are longer
_META = re.compile(
    rb"""<meta[^>]{1,500}?charset[\t\n\f\r ]*=[\t\n\f\r ]*["']?[\t\n\f\r ]*([A-Za-z0-9_:.-]{1,40})""", re.IGNORECASE
)
# ISO-2022: ESC $ … starts a set of two bytes a character, ESC ( B or J goes back to ASCII; SO and SI do the same.
# ESC $ ) and the like (of ISO-2022-KR and -CN) only name the set that SO will start.
_SHIFTED = re.compile(rb"\x1b\$(?![)*+./-])[^\x1b]*+(?:\x1b(?!\([BJ])[^\x1b]*+)*+|\x1b\(I[^\x1b]*+|\x0e[^\x0f]*+")
_KOREAN = b"\x1b$)C"  # stands once, at the beginning of an ISO-2022-KR text
_MASK = b"\x80"


class View:
    """A document as text to tokenize, and the way back to its bytes."""

    def __init__(
        self, text: str, original: str | bytes, charsets: tuple[str, ...] = (), codec: str | None = None
    ) -> None:
        self.text = text
        self._original = original
        self._charsets = charsets
        self._codec = codec

    @classmethod
    def of(cls, html: str | bytes, charset: str | None) -> View | None:
        """None when the bytes cannot be rewritten without changing what is not a link."""
        if isinstance(html, str):
            return cls(html, html)
        declared = _known(charset)
        if declared is None and charset is not None and charset.strip().lower() in ("utf-7", "utf7", "hz-gb-2312"):
            return None
        declared = _by_mark(html) or declared
        if declared is None or _is_ascii_transparent(declared):
            return cls(html.decode("latin-1"), html, (declared,) if declared else ())
        if declared.startswith("iso2022"):
            masked = _SHIFTED.sub(lambda match: _MASK * len(match[0]), html)
            if masked.endswith(_MASK) and not html.endswith(_MASK):
                return None  # it ends in the middle of such text, and a pixel behind it would be read as some of it
            return cls(masked.decode("latin-1"), html, (declared,))
        return cls._decoded(html, declared)

    @classmethod
    def _decoded(cls, html: bytes, charset: str) -> View | None:
        try:
            text = html.decode(charset)
            codec = charset
            if charset in ("utf-16", "utf-32"):
                # The mark is kept as a character, so that it comes back where it was.
                codec = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}[charset]
                if html.startswith((b"\xfe\xff", b"\0\0\xfe\xff")):
                    codec = codec.replace("-le", "-be")
                text = html.decode(codec)
            return cls(text, html, (), codec) if text.encode(codec) == html else None
        except UnicodeError:
            return None

    def value(self, start: int, end: int) -> str:
        """The text of a part."""
        text = self.text[start:end]
        if self._codec is not None or isinstance(self._original, str) or text.isascii():
            return text
        return self._decode(self._original[start:end])

    def edits(self, changes: Iterable[tuple[int, int, str]]) -> tuple[Edit[Any], ...]:
        """Changes of the text, (start, end, new text) in order, as edits of what it is a view of."""
        original = self._original
        if isinstance(original, str):
            return tuple([Edit(start, end, original[start:end], new) for start, end, new in changes])
        if self._codec is None:
            # One character is one byte, and what is put in is ASCII.
            return tuple([Edit(start, end, original[start:end], new.encode("ascii")) for start, end, new in changes])
        return tuple(self._widened(original, self._codec, changes))

    def _widened(self, original: bytes, codec: str, changes: Iterable[tuple[int, int, str]]) -> Iterator[Edit[bytes]]:
        text_at = byte_at = 0
        for start, end, new in changes:
            first = byte_at + len(self.text[text_at:start].encode(codec))
            last = first + len(self.text[start:end].encode(codec))
            yield Edit(first, last, original[first:last], new.encode(codec))
            text_at, byte_at = end, last

    def _decode(self, raw: bytes) -> str:
        if b"\x0e" in raw and "iso2022_kr" in self._charsets:
            raw = _KOREAN + raw
        for charset in (*self._charsets, self._meta(), "utf-8", "cp1252"):
            if charset is not None:
                try:
                    return raw.decode("cp1252" if charset in _AS_CP1252 else charset)
                except UnicodeDecodeError:
                    continue
        return raw.decode("latin-1")

    def _meta(self) -> str | None:
        assert isinstance(self._original, bytes)  # noqa: S101 - only bytes are decoded
        found = _META.search(self._original, 0, _META_BYTES)
        name = _known(found[1].decode("ascii")) if found else None
        return name if name is not None and _is_ascii_transparent(name) else None


def _known(label: str | None) -> str | None:
    """Python's name of a charset, None when there is none that mail can be in."""
    if not label or len(label) > 40 or not label.isascii():
        return None
    try:
        name = codecs.lookup(label.strip().strip("\"'")).name
        b"".decode(name)
    except (LookupError, ValueError):
        return None
    return None if name in _UNUSABLE else name


def _by_mark(html: bytes) -> str | None:
    if html.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "utf-32"
    return "utf-16" if html.startswith((b"\xff\xfe", b"\xfe\xff")) else None


def _is_ascii_transparent(name: str) -> bool:
    if name.startswith("iso2022"):
        return False
    if name == "johab":  # its second bytes reach down to `1`, so `<`, `=` and `>` occur in them
        return False
    try:
        return _ASCII_BYTES.decode(name, "replace").translate(_YEN) == _ASCII_BYTES.decode("ascii")
    except (UnicodeError, LookupError):
        return False


_YEN = {0xA5: "\\", 0x203E: "~"}  # JIS X 0201 has these two in place of ASCII's
