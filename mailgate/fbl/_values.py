"""The values of a report's fields: addresses, IP addresses, domains, message identifiers, numbers."""

from __future__ import annotations

import ipaddress
import re

MAX_ADDRESSES = 1_000

# One lexical unit of an address list (RFC 5322 3.4): quoted string, comment, angle address, separator, word. Each
# alternative takes what it takes for good, so a list of any length is read once.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|\((?:[^()\\]|\\.)*+\)?|<([^<>]*+)>?|[,;]|[^\s"(<,;]++|\s++|.', re.DOTALL)
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\]|\\.)*+"@[^\s"]++', re.DOTALL)
# Four numbers inside a host name (`mail-192.0.2.1.isp.example`) are a name.
_IPV4 = re.compile(r"(?<![\w.-])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![\w-]|\.\w)", re.ASCII)
_IPV6 = re.compile(r"(?:IPv6:)?([0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3})", re.ASCII)
_TYPE = re.compile(r"(?:rfc\s*/?\s*822|utf-8|smtp|mailto)\s*[;:]\s*", re.IGNORECASE)
_COMMENT_AT_END = re.compile(r"\s+\([^()]*\)$")
_NUMBER = re.compile(r"\d{1,10}", re.ASCII)  # RFC 5965 3.2: 32 bits
_COMMENT = re.compile(r"\([^()]*+\)?")


def addresses(text: str) -> tuple[str, ...]:
    """The addresses of an address list (`To`), without names, comments and brackets; at most 1,000.

    >>> addresses('"Doe, Jane" <jane@example.com>, joe@example.net (Joe), Hidden: ;')
    ('jane@example.com', 'joe@example.net')
    """
    if text.isascii() and "@" in text and not any(character in text for character in '"(<>,;: \t'):
        return (text,)
    found: list[str] = []
    plain: list[str] = []
    angle: str | None = None
    for token in (*_TOKEN.finditer(text), None):
        unit = "," if token is None else token[0]
        if unit in (",", ";"):
            address = angle if angle is not None else _plain_address("".join(plain))
            if address is not None and "@" in address:
                found.append(address)
            plain, angle = [], None
            if len(found) >= MAX_ADDRESSES:
                break
        elif unit[0] == "<" and token is not None:
            angle = (token[1] or "").strip() if angle is None or "@" not in angle else angle
        elif unit[0] != "(":
            plain.append(unit)
    return tuple(found)


def _plain_address(text: str) -> str | None:
    """The one word with an `@` in it; a group's name and colon before it come off (RFC 5322 3.4)."""
    text = text.strip()
    if "@" not in text:
        return None
    before, colon, behind = text.partition(":")
    if colon and "@" not in before and '"' not in before:
        text = behind.strip()
    if _QUOTED_LOCAL.fullmatch(text):
        return text
    if text.startswith('"'):
        return None
    if not any(character.isspace() for character in text):
        return text
    words = [word for word in text.split() if "@" in word]
    return words[0] if len(words) == 1 else None


def written_address(text: str) -> str:
    """One address field as written, without type, angle brackets, display name and a comment behind it.

    What is no address (`redacted`, `undisclosed`) stays as it is; `<>` becomes the empty text.

    >>> written_address("rfc822; <jane@example.com>"), written_address("<>"), written_address("hidden by policy")
    ('jane@example.com', '', 'hidden by policy')
    """
    text = text.strip()
    match = _TYPE.match(text)
    if match is not None:
        text = text[match.end() :]
    if text.endswith(">") and "<" in text:
        return text[text.rindex("<") + 1 : -1].strip()
    if text.startswith("<"):
        inner = text[1:].partition(">")[0].strip()
        return inner if "@" in inner or not inner else text
    if text.endswith(")"):
        text = _COMMENT_AT_END.sub("", text)
    return text


def written_addresses(text: str) -> tuple[str, ...]:
    """The same for a field that should hold one address and sometimes holds a list.

    >>> written_addresses("<a@example.com>, b@example.com"), written_addresses("")
    (('a@example.com', 'b@example.com'), ())
    """
    if text.count("@") > 1 and ("," in text or ";" in text):
        return addresses(text)
    one = written_address(text)
    return (one,) if one else ()


def ip_address(text: str) -> str | None:
    """The first IP address in the text as written; None for a masked one (`x.x.x.x`) or none.

    >>> ip_address("148.163.85.135 (mail.example.org)"), ip_address("[IPv6:2001:db8::25]"), ip_address("x.x.x.x")
    ('148.163.85.135', '2001:db8::25', None)
    """
    text = text[:500]
    if ":" in text:
        for match in _IPV6.finditer(text):
            candidate = match[1].rstrip(".")
            if ":" in candidate and _is_ip(candidate):
                return candidate
    for match in _IPV4.finditer(text):
        if all(int(octet) < 256 for octet in match.groups()):
            return match[0]
    return None


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def message_id(text: str | None) -> str | None:
    """A Message-ID without angle brackets; also one that was written without them or without an `@`.

    >>> message_id("<a.b@example.net> (added by x)"), message_id(" a.b@example.net "), message_id("<>")
    ('a.b@example.net', 'a.b@example.net', None)
    """
    if text is None:
        return None
    inner = text.partition("<")[2].partition(">")[0].strip() if "<" in text else ""
    if not inner:
        inner = text.strip().strip("<>").strip()
        inner = inner.split(None, 1)[0] if inner else ""
    return inner or None


def number(text: str) -> int | None:
    """The whole number at the start of the text, None when there is none.

    >>> number("3 (today)"), number("many")
    (3, None)
    """
    match = _NUMBER.match(text.strip())
    return None if match is None else int(match[0])


def word(text: str) -> str:
    """The first word in lower case, comments and punctuation behind it off.

    >>> word("Abuse (spam)"), word("(RFC 6591) auth-failure;")
    ('abuse', 'auth-failure')
    """
    words = (_COMMENT.sub(" ", text) if "(" in text else text).split()
    return words[0].rstrip(".,;").lower() if words else ""


def encodable(text: str) -> str:
    """The text with lone surrogates (which JSON can spell and no database takes) replaced."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8") if any("\ud800" <= c <= "\udfff" for c in text) else text


def unbracketed(text: str) -> str:
    """The text without one pair of angle brackets around it."""
    text = text.strip()
    return text[1:-1].strip() if text.startswith("<") and text.endswith(">") else text
