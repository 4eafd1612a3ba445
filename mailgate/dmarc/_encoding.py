"""Any report's bytes as UTF-8 bytes without a mark in front, and what was odd about them.

Expat is always told `utf-8`, so that a declaration that lies cannot mislead it; whatever is something else is decoded
here, where a byte that is illegal in its encoding becomes U+FFFD instead of the end of the report.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator

_DECLARATION = re.compile(
    rb"""<\?xml[ \t\r\n][^<>?]{0,300}?encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z0-9._:-]{1,40})["']"""
)
_WHITE = b" \t\r\n"
_UTF8_MARKS = re.compile(rb"(?:[ \t\r\n]*+\xef\xbb\xbf)++")  # programs that write one each write several
_UTF16_FIRST = {"utf-16-le": (b"<\0", b"{\0"), "utf-16-be": (b"\0<", b"\0{")}
_UTF8_NAMES = frozenset({"utf-8", "ascii"})

# Python has codecs that are no character sets (rot13, zlib), that are not ASCII-based (EBCDIC) or that take more than
# linear time (punycode, idna); those that mail software writes into XML are these.
_CHARSET = re.compile(r"(iso8859-\d{1,2}|cp125\d|cp437|cp85\d|koi8-[rtu]|mac-\w+|gb2312|gbk|gb18030|big5(hkscs)?|"
                      r"shift_jis(_2004|x0213)?|cp932|euc_(jp|kr|jis_2004|jisx0213)|cp949|johab|tis-620|iso2022_jp\w*|"
                      r"iso2022_kr|hz)")  # fmt: skip


def as_utf8(open_chunks: Callable[[], Iterator[bytes]], defects: set[str], *, lenient: bool = False) -> Iterator[bytes]:
    """The content in UTF-8; what is odd is added to `defects` before the first piece is given.

    Names: `bom`, `leading_whitespace`, `utf16`, `unknown_encoding`, `encoding_mismatch`, and (as soon as one is met)
    `invalid_bytes`. lenient: decode UTF-8 too, so that illegal bytes are replaced instead of passed on.
    """
    chunks = open_chunks()
    start = _start(chunks)
    encoding, skip = _encoding_of(start, defects)
    rest = start[skip:]
    stripped = rest if encoding.startswith("utf-16") else rest.lstrip(_WHITE)
    if len(stripped) < len(rest) and stripped.startswith(b"<?xml"):
        defects.add("leading_whitespace")
        rest = stripped
    if encoding == "utf-8" and not lenient:
        yield rest
        yield from chunks
        return
    yield from _recoded(rest, chunks, encoding, defects)


def _start(chunks: Iterator[bytes]) -> bytes:
    start = b""
    for chunk in chunks:
        start = start + chunk if start else chunk
        if len(start) >= 1_024:
            break
    return start


def _encoding_of(start: bytes, defects: set[str]) -> tuple[str, int]:
    """A codec's name, and the bytes of the mark in front."""
    marks = _UTF8_MARKS.match(start)
    if marks is not None:
        defects.add("bom")
        if _declared(start[marks.end() :], defects) != "utf-8":
            defects.add("encoding_mismatch")
        return "utf-8", marks.end()
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if start.startswith(mark):
            defects.update(("utf16", "bom"))
            return name, 2
    for name, first in _UTF16_FIRST.items():
        if start.startswith(first):
            defects.add("utf16")
            return name, 0
    return _declared(start, defects), 0


def _declared(start: bytes, defects: set[str]) -> str:
    match = _DECLARATION.match(start.lstrip(_WHITE)[:512])
    if match is None:
        return "utf-8"
    try:
        name = codecs.lookup(match[1].decode("ascii")).name
    except LookupError:
        defects.add("unknown_encoding")
        return "utf-8"
    if name in _UTF8_NAMES:
        return "utf-8"
    if name.startswith(("utf-16", "utf-32")):
        # One byte a character so far: whoever wrote the declaration did not write the bytes.
        defects.add("encoding_mismatch")
        return "utf-8"
    if _CHARSET.fullmatch(name):
        return name
    defects.add("unknown_encoding")
    return "utf-8"


def _recoded(start: bytes, chunks: Iterator[bytes], encoding: str, defects: set[str]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    text = decoder.decode(start)
    if encoding.startswith("utf-16"):
        text = text.lstrip("\ufeff \t\r\n")
    while True:
        if "\ufffd" in text:
            defects.add("invalid_bytes")
        yield text.encode("utf-8", "replace")
        chunk = next(chunks, None)
        if chunk is None:
            break
        text = decoder.decode(chunk)
    tail = decoder.decode(b"", final=True)
    if tail:
        defects.add("invalid_bytes")
        yield tail.encode("utf-8", "replace")
