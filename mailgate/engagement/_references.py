"""Character references in attribute values, decoded as HTML says attributes are (HTML Standard 13.2.5.72 to 13.2.5.80).

`html.unescape` is no help: it decodes as in text, where `&copy=2` is `©=2`. In an attribute a named reference without
its semicolon stays as it is when a letter, a digit or `=` follows, because that is how every query string looks.
"""

from __future__ import annotations

import re
from html.entities import html5

# What Windows software meant by the C1 control codes (HTML Standard 13.2.5.80).
_C1 = {
    code: bytes((code,)).decode("cp1252") for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_REPLACEMENT = "\ufffd"
_MAX_NAME = max(map(len, html5))
# Digits are limited so that no huge number is built; more significant digits than these are out of range anyway.
_REFERENCE = re.compile(
    rf"&(?:#[xX]0*+([0-9A-Fa-f]++);?|#0*+([0-9]++);?|#[xX]?0++;?|([A-Za-z][A-Za-z0-9]{{0,{_MAX_NAME}}}+);?)(=?)"
)


def decode_attribute(value: str) -> str:
    """The value of an attribute with its character references decoded, once.

    >>> decode_attribute("?a=1&amp;b=2&copy=3&#x2f;&reg;")
    '?a=1&b=2&copy=3/®'
    """
    return _REFERENCE.sub(_decode, value) if "&" in value else value


def _decode(match: re.Match[str]) -> str:
    hexadecimal, decimal, name, equals = match.groups()
    if name is not None:
        return _named(match[0], name, equals)
    digits = hexadecimal or decimal
    if digits is None:
        return _REPLACEMENT + equals  # a number that is zero
    if len(digits) > 7:
        return _REPLACEMENT + equals
    return _character(int(digits, 16 if hexadecimal else 10)) + equals


def _named(whole: str, name: str, equals: str) -> str:
    closed = whole[len(name) + 1 :].startswith(";")
    if closed and (found := html5.get(name + ";")) is not None:
        return found + equals
    if not closed and not equals and (found := html5.get(name)) is not None:
        return found
    # `&notit;`: a name that begins with a known one is followed by a letter or digit, so in an attribute it stays.
    return whole


def _character(code: int) -> str:
    if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return _REPLACEMENT
    return _C1.get(code) or chr(code)
