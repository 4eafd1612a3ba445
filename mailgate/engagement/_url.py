"""Which destinations are signed, and how one is written into a Location field.

A destination comes from the sender's own mail and lies under a MAC, so nobody else can choose it. It is checked all
the same, twice (when it is signed and again before the redirect): one careless template must not turn the tracking
host into something that answers with a second header field, or that runs a script.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote

from mailgate.engagement._errors import UnsafeURL
from mailgate.records import ParseError, domain_to_ascii

# What `as_written` lets through: characters that no URL has (RFC 3986 2) and that browsers repair.
REPAIRABLE = ' "<>\\'
MAX_PORT = 65_535

_SCHEME = re.compile(r"https?://", re.ASCII | re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_REPAIRABLE = re.compile(r'[ "<>\\]')
_AUTHORITY = re.compile(r"([^/?#\\]*+)(.*+)", re.DOTALL)
_NEEDS_ENCODING = re.compile(r"[^!#-;=?-\[\]-_a-~]")
# Everything visible but the quote, the angle brackets, the backslash and the backtick; `%` keeps existing escapes.
_SAFE = "!#$%&'()*+,-./:;=?@[]^_{|}~"


def check_url(url: str, *, as_written: bool = False) -> None:
    """Raise UnsafeURL unless `url` is an absolute http or https URL that is safe in a Location field.

    Control characters (C0, DEL, C1), lone surrogates and every other scheme are always refused. Spaces, quotes, angle
    brackets, backslashes and a missing or malformed host are refused unless `as_written`: then the URL is signed as it
    stands in the mail, and `location` repairs it as browsers do.
    """
    if is_plain(url):
        return
    if _SURROGATE.search(url):
        raise UnsafeURL("surrogate", url)
    if _CONTROL.search(url):
        raise UnsafeURL("control", url)
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise UnsafeURL("not_http", url)
    if not as_written:
        if _REPAIRABLE.search(url):
            raise UnsafeURL("character", url)
        _check_authority(_split(url)[1], url)


def location(url: str) -> str:
    """`url` in ASCII, for a Location field: host as A-labels, the rest percent-encoded UTF-8 (RFC 3987 3.1).

    Existing escapes are kept as they are. A backslash before the query becomes a slash, as browsers read it.
    Raises UnsafeURL for what `check_url` refuses even `as_written`.

    >>> location("https://bücher.example/ä?ö=%20")
    'https://xn--bcher-kva.example/%C3%A4?%C3%B6=%20'
    """
    if is_plain(url):
        return url
    check_url(url, as_written=True)
    scheme, authority, rest = _split(url)
    userinfo, at, host = authority.rpartition("@")
    end = _first_of(rest, "?#")
    rest = rest[:end].replace("\\", "/") + rest[end:]
    return f"{scheme}{_quote(userinfo)}{at}{_quote(_host_to_ascii(host))}{_quote(rest)}"


def is_clean(url: str) -> bool:
    """True when no character in it needs a repair by browsers."""
    return not _REPAIRABLE.search(url) and not _CONTROL.search(url)


def has_host(url: str) -> bool:
    """False for `http://` and the like, which templates hold as a stand-in."""
    return bool(_split(url)[1].rpartition("@")[2].partition(":")[0])


def has_userinfo(url: str) -> bool:
    """True for `https://bank.example@evil.example/`, which mail filters dislike."""
    return "@" in _split(url)[1]


# The fast yes: visible ASCII, nothing that needs a repair, and a host of letters, digits, dots and hyphens.
is_plain = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*+(?:[/?#][!#-;=?-\[\]-_a-~]*+)?\Z").match


def _split(url: str) -> tuple[str, str, str]:
    """(scheme with `://`, authority, the rest)."""
    start = url.find("://") + 3
    match = _AUTHORITY.match(url, start)
    assert match is not None  # noqa: S101 - it matches everything
    return url[:start], match[1], match[2]


def _check_authority(authority: str, url: str) -> None:
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        literal, bracket, port = host[1:].partition("]")
        try:
            IPv6Address(literal)
        except AddressValueError:
            raise UnsafeURL("bad_host", url) from None
        if not bracket or port[:1] not in ("", ":"):
            raise UnsafeURL("bad_host", url)
        port = port[1:]
    else:
        name, _, port = host.partition(":")
        if not name.strip("."):
            raise UnsafeURL("no_host", url)
        if "[" in name or "]" in name or not _host_to_ascii(name).isascii():
            raise UnsafeURL("bad_host", url)
    if port and not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= MAX_PORT):
        raise UnsafeURL("bad_port", url)


def _host_to_ascii(host: str) -> str:
    if host.isascii():
        return host
    name, colon, port = host.partition(":")
    try:
        return domain_to_ascii(name) + colon + port
    except ParseError:
        return host


def _first_of(text: str, characters: str) -> int:
    return min((at for at in map(text.find, characters) if at >= 0), default=len(text))


def _quote(text: str) -> str:
    return quote(text, safe=_SAFE) if _NEEDS_ENCODING.search(text) else text
