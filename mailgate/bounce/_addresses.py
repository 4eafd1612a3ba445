r"""Addresses as reports write them: typed, wrapped, encoded, in the middle of a sentence.

Reading is lenient and never guesses: what does not come out as local@domain is not an address here. Everything is
linear in the text: tokens are cut at delimiters first, and only a token with an `@` in it is looked at again.
"""

from __future__ import annotations

import re

MAX_ADDRESS_CHARACTERS = 512  # RFC 5321 4.5.3.1 allows 320; longer text with an @ in it is not an address
MAX_LINE_CHARACTERS = 4_000  # RFC 5322 2.1.1 allows 998; what stands beyond is not looked at

# RFC 3464 2.1.2: address types are atoms. QUIRK: `rfc/822` and `= rfc822` are written by old gateways.
_TYPE = re.compile(r"\s*=?\s*([A-Za-z][A-Za-z0-9/._-]{0,30})\s*;", re.ASCII)
_DELIMITED = re.compile(
    r"[^\s<>()\[\],;:\"\\|`\u3000-\u3003\u3008-\u3011\u201c\u201d\u00ab\u00bb\uff08\uff09\uff1a\uff1b\uff0c]+"
)
# Most addresses; nothing in them needs taking off.
_PLAIN = re.compile(r"[\w!#$%&'*/^{|}~+-][\w.!#$%&'*/^{|}~+-]{0,127}@(?:[\w-]{1,63}+\.){1,20}+\w[\w-]{0,62}")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\\r\n]|\\[^\r\n]){1,128}+"@[\w.-]{1,255}+')
_LITERAL_DOMAIN = re.compile(r"[^\s<>()\[\],;:\"\\@]{1,64}+@\[[0-9A-Fa-f.:]{2,50}+\]")
_DOMAIN = re.compile(r"[\w-]+(?:\.+[\w-]+)*\.*")
_X400_ADDRESS = re.compile(r"(?:dda:|;)\s*(?:SMTP|RFC-?822)\s*=\s*([^\s;/]{3,320})", re.IGNORECASE)
_PARTICLE = re.compile(
    r"([^@]{1,256}@[A-Za-z0-9.-]{1,255}\.[A-Za-z]{2,24})[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af][^.]*$"
)
_ROUTE = re.compile(r"@[^:@,]{1,255}+(?:,@[^:@,]{1,255}+){0,20}+:")
_HEX_PAIR = re.compile(r"\+([0-9A-F]{2})")
_UTF8_ESCAPE = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_EDGE = "'*.,;:!?`“”„’‘«»\u3001\u3002"
_PREFIX_WORDS = frozenset(("smtp", "rfc822", "to", "rcpt", "orcpt", "addr", "address", "recipient", "email"))
_SYSTEM_LOCALS = frozenset(("mailer-daemon", "postmaster", "maildaemon", "mail-daemon", "double-bounce"))


def split_type(value: str) -> tuple[str | None, str]:
    """The address or MTA-name type, lower case, and the rest (RFC 3464 2.1.2); type None when none is written.

    >>> split_type("rfc822; user@example.com")
    ('rfc822', 'user@example.com')
    """
    match = _TYPE.match(value)
    if match is None:
        return None, value.strip()
    return match[1].lower(), value[match.end() :].strip()


def read_address(text: str) -> str | None:
    """The one address in a field value or in one item of a list; None when there is none.

    Takes off display names, comments, angle and square brackets, `SMTP:` and `mailto:`, source routes (RFC 5321 4.1.2),
    a trailing dot; decodes encoded-words (RFC 2047) and `\\x{HHHH}` (RFC 6533 3); finds the SMTP address within X.400.
    """
    if _PLAIN.fullmatch(text) is not None:
        return text if text.isascii() else _without_particle(text)
    text = text.strip()
    if not text or len(text) > 4 * MAX_ADDRESS_CHARACTERS:
        return None
    if "=?" in text:
        text = decode_words(text)
    if "\\x{" in text:
        text = decode_utf8_escapes(text)
    if "@" not in text:
        return None
    if "<" in text:
        inner = text[text.rindex("<") + 1 :].partition(">")[0].strip()
        if "@" in inner:
            text = inner
    if text[0] == "@" and ":" in text:
        text = _ROUTE.sub("", text, count=1)
    found = _X400_ADDRESS.search(text) if "=" in text else None
    if found is not None:
        return _checked(found[1])
    whole = _checked(text)
    if whole is not None:
        return whole
    return next(iter(find_addresses(text)), None)


def find_addresses(text: str) -> list[str]:
    """Every address in a line of prose, in order, as written; a name at the edge of a sentence loses its stop."""
    if "@" not in text:
        return []
    text = text[:MAX_LINE_CHARACTERS]
    found: list[tuple[int, str]] = []
    if '"@' in text:
        for match in _QUOTED_LOCAL.finditer(text):
            found.append((match.start(), match[0].rstrip(".")))
            text = text[: match.start()] + " " * (match.end() - match.start()) + text[match.end() :]
    if "@[" in text:
        for match in _LITERAL_DOMAIN.finditer(text):
            found.append((match.start(), match[0]))
            text = text[: match.start()] + " " * (match.end() - match.start()) + text[match.end() :]
    for match in _DELIMITED.finditer(text):
        token = match[0]
        if "@" in token:
            address = _token(token)
            if address is not None:
                found.append((match.start(), address))
    if len(found) > 1:
        found.sort()
    return [address for _, address in found]


def is_address(text: str | None) -> bool:
    """True for local@domain without delimiters around it."""
    return text is not None and _checked(text) == text


def is_system_address(address: str) -> bool:
    """True for the mail system's own names: they send reports and are not reported on."""
    local = address.rpartition("@")[0].lower()
    return local in _SYSTEM_LOCALS


def decode_words(text: str) -> str:
    """`text` with encoded-words (RFC 2047) decoded; as it is when they are broken."""
    if "=?" not in text:
        return text
    from email.errors import HeaderParseError  # loads a good part of `email`; few reports need it
    from email.header import decode_header

    try:
        parts = decode_header(text)
        words = "".join(
            part if isinstance(part, str) else part.decode(charset or "ascii", "replace") for part, charset in parts
        )
        return words.encode("utf-8", "replace").decode("utf-8")  # UTF-7 can hold lone surrogates
    except (HeaderParseError, LookupError, ValueError, UnicodeError):
        return text


def decode_utf8_escapes(text: str) -> str:
    """`text` with the `\\x{HHHH}` of a 7-bit report decoded (RFC 6533 3)."""
    return _UTF8_ESCAPE.sub(_code_point, text)


def decode_xtext(text: str) -> str:
    """xtext (RFC 3461 4) decoded where it is meant: all pairs when the result is a quoted local part or UTF-8 text,
    otherwise `+2B` and `+3D` alone, because `+` is common in plain addresses.

    >>> decode_xtext("user+2Btag@example.com"), decode_xtext("user+22@example.com")
    ('user+tag@example.com', 'user+22@example.com')
    """
    if "+" not in text:
        return text
    whole = _decode_pairs(text)
    if whole is not None and ((whole[:1] == '"' and '"@' in whole) or not whole.isascii()):
        return whole
    return text.replace("+2B", "+").replace("+3D", "=") if "+2B" in text or "+3D" in text else text


def _decode_pairs(text: str) -> str | None:
    pairs = len(_HEX_PAIR.findall(text))
    if not pairs or pairs != text.count("+") or not text.isascii():
        return None
    raw = _HEX_PAIR.sub(lambda match: chr(int(match[1], 16)), text)
    try:
        return raw.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return None


def _code_point(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return match[0] if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF else chr(number)


def _checked(text: str) -> str | None:
    """`text` when all of it is one address, brackets, prefix and final dot off."""
    text = text.strip()
    if text[:1] == "[" and text[-1:] == "]":
        text = text[1:-1]
    if text[:1] in "<'\"" and text[-1:] == {"<": ">", "'": "'", '"': '"'}.get(text[:1]):
        text = text[1:-1]
    if text[:5].lower() == "smtp:":
        text = text[5:]
    elif text[:7].lower() == "mailto:":
        text = text[7:]
    match = _QUOTED_LOCAL.match(text) or _LITERAL_DOMAIN.match(text) if '"' in text or "[" in text else None
    if match is not None:
        return text.rstrip(".") if match.end() == len(text) else None
    if _DELIMITED.fullmatch(text) is None:
        return None
    return _token(text)


def _token(token: str) -> str | None:
    # A dot in front belongs to the address: Japanese carriers gave out `.user.@` (against RFC 5321 4.1.2).
    token = token.lstrip(_EDGE.replace(".", "")).rstrip(_EDGE)
    if len(token) > MAX_ADDRESS_CHARACTERS:
        return None
    local, at, domain = token.rpartition("@")
    if not at or not local or _DOMAIN.fullmatch(domain) is None:
        cut = _DOMAIN.match(domain) if local else None
        if cut is None or "=" in domain:
            return None
        domain = cut[0]
    if local[:2] == "//" or ("?" in local and "/" in local):
        return None  # the rest of a URL
    if "=" in local:
        prefix, _, rest = local.partition("=")
        if rest and prefix.lower() in _PREFIX_WORDS:
            local = rest
    return f"{local}@{domain}" if domain.isascii() else _without_particle(f"{local}@{domain}")


def _without_particle(address: str) -> str:
    """An address without the words that Japanese, Chinese and Korean write on to it: `user@example.comへの`.

    No top-level domain begins in Latin and goes on in another script, so nothing of a name is lost.
    """
    match = _PARTICLE.match(address)
    return address if match is None else match[1]
