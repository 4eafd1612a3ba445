"""Bytes and encoded-words as text, whatever they claim to be (RFC 2047).

Never raises, linear time. A charset that is unknown or that lies is read as UTF-8, and what is no UTF-8 as Latin-1.
"""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache

from mailgate.records._mime_decode import decode_base64

# Codecs that are no charsets of mail, or that take quadratic time (idna, punycode).
_NO_CHARSETS = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "unicode_escape", "raw_unicode_escape", "undefined"}
)
# Names in the wild that Python does not know.
_ALIASES = {
    "unicode-1-1-utf-7": "utf-7",
    "x-gbk": "gbk",
    "x-euc-jp": "euc_jp",
    "ansi_x3.110-1983": "latin-1",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-8-e": "iso-8859-8",
    "x-user-defined": "latin-1",
    "x-mac-roman": "mac-roman",
    "ks_c_5601": "cp949",
    "ks_c_5601-1987": "cp949",  # QUIRK: Microsoft writes it and means code page 949
    "gb2312": "gb18030",  # a superset, and what is really sent under that name
    "gbk": "gb18030",
    "shift_jis": "cp932",  # likewise
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1989": "cp949",
    "big5": "big5hkscs",
    "iso-2022-jp": "iso2022_jp_ext",
    "us-ascii": "utf-8",  # what lies is mostly UTF-8
    "ascii": "utf-8",
}
# QUIRK: Japanese carriers name one of their charsets and send another.
_KIN = {
    "iso2022_jp_ext": ("euc_jp", "cp932"),
    "iso2022_jp_2": ("euc_jp", "cp932"),
    "euc_jp": ("cp932",),
    "cp932": ("euc_jp",),
}
_CHARSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:()+-]{0,39}")

# A text that is UTF-8 but for one broken character in ten is UTF-8 that was cut or damaged on its way.
_BROKEN_SHARE = 10

_WORD = re.compile(r"=\?([^?\s]{1,80})\?([BbQq])\?([^?]*)\?=")


@lru_cache(maxsize=256)
def _codec(charset: str) -> str | None:
    """The codec of a charset name, or None when we do not read it."""
    name = charset.strip(" \t\"'").lower()
    name = _ALIASES.get(name, name)
    if not _CHARSET_NAME.fullmatch(name):
        return None
    try:
        found = codecs.lookup(name)
    except LookupError:
        return None
    # Codecs between bytes and bytes (base64, zlib) do not decode to text.
    if found.name in _NO_CHARSETS or not getattr(found, "_is_text_encoding", True):
        return None
    return found.name


def decode_text(data: bytes, charset: str | None = None) -> str:
    """`data` in `charset`; unknown or lying: UTF-8, else Latin-1. A byte order mark is taken off."""
    if data.isascii() and (charset is None or len(charset) > 40 or charset.lower() in ("us-ascii", "utf-8")):
        return data.decode("ascii")
    codec = _codec(charset) if charset and len(charset) <= 40 else None
    if codec is not None and codec != "utf-8":
        try:
            return data.decode(codec)
        except (UnicodeError, ValueError):
            pass
    if data.isascii():  # escape sequences of a 7-bit charset, damaged; they would pass for UTF-8
        return data.decode(codec or "ascii", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    for kin in _KIN.get(codec or "", ()):
        try:
            return data.decode(kin)
        except UnicodeDecodeError:
            continue
    return (_broken(data, codec) if codec else None) or data.decode("latin-1")


def _broken(data: bytes, codec: str) -> str | None:
    """Text in a charset that is the right one but for a few broken characters; None when it is more than a few."""
    text = data.decode("utf-8-sig" if codec == "utf-8" else codec, "replace")
    broken = text.count("\N{REPLACEMENT CHARACTER}")
    foreign = len(text) - len(text.encode("ascii", "ignore"))
    return text if broken * _BROKEN_SHARE <= foreign else None


def decode_words(text: str) -> str:
    """Encoded-words decoded (RFC 2047 2, 5, 6.2), also where blanks around them are missing; line ends become blanks.

    >>> decode_words("=?utf-8?q?J=C3=B6rg?= <j@example.org>")
    'Jörg <j@example.org>'
    """
    if "=?" not in text:
        return text
    out: list[str] = []
    pending: list[bytes] = []  # neighbours in one charset: a character may be cut between two words
    pending_charset = ""
    end = 0
    for word in _WORD.finditer(text):
        charset = word[1].partition("*")[0].lower()  # RFC 2231 5: a language may follow
        gap = text[end : word.start()]
        neighbour = bool(pending) and not gap.strip(" \t\r\n")
        if pending and not (neighbour and charset == pending_charset):
            out.append(decode_text(b"".join(pending), pending_charset))
            pending.clear()
        if not neighbour:
            out.append(gap)
        pending.append(_payload(word[2], word[3]))
        pending_charset = charset
        end = word.end()
    if pending:
        out.append(decode_text(b"".join(pending), pending_charset))
    out.append(text[end:])
    return "".join(out).replace("\r\n", " ").replace("\n", " ").replace("\r", " ")


def _payload(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    if encoding in "Bb":
        return decode_base64(data)[0]
    return binascii.a2b_qp(data, header=True)
