"""Did the mail that brought a report pass DMARC at our own server?

RFC 9990 3.5.2: mail that carries reports must get an aligned pass. What our server found is in its own
Authentication-Results field (RFC 8601), known by its authserv-id; fields of others say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mailgate.dmarc._contribution import Trust
from mailgate.records import Mail

_METHOD = re.compile(r"\s*([A-Za-z0-9_-]+)(?:\s*/\s*\d+)?\s*=\s*([A-Za-z]+)(.*)", re.DOTALL)
_PROPERTY = re.compile(r"\b([a-z]+\.[A-Za-z0-9_.-]+)\s*=\s*(\"[^\"]*\"|[^\s;\"]+)")
_DOMAIN_AT_END = re.compile(r"@([A-Za-z0-9.-]{1,255})>?\s*$")
_MAX_FIELDS = 50
_MAX_CHARACTERS = 20_000


def trust_of(mail: Mail, *, authserv_ids: Collection[str]) -> Trust:
    """`pass`, `fail` or `unknown`, by the Authentication-Results fields (RFC 8601 2.2) of our own servers.

    authserv_ids: the names our servers write first in that field, compared without case. When several of our fields
    have a dmarc result, a fail decides. Where DMARC was not judged (none, temperror, absent), an aligned DKIM or SPF
    pass counts: the same domain as in From, or one above it.

    SECURITY: a server must remove such fields from mail that comes in (RFC 8601 5), else anybody can write one.
    """
    ours = {name.lower().rstrip(".") for name in authserv_ids}
    dmarc: set[str] = set()
    aligned = False
    author = _author_domain(mail)
    for name, result, properties in _results(mail, ours):
        if name == "dmarc":
            dmarc.add(result)
        elif result == "pass" and name in ("dkim", "spf"):
            domains = [properties.get(key, "") for key in ("header.d", "header.i", "smtp.mailfrom")]
            aligned = aligned or any(_is_aligned(domain, author) for domain in domains)
    if "fail" in dmarc:
        return Trust.FAIL
    return Trust.PASS if "pass" in dmarc or aligned else Trust.UNKNOWN


def _results(mail: Mail, ours: Collection[str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(method, result, properties) of each result in our fields."""
    for value in mail.headers.get_all("authentication-results")[:_MAX_FIELDS]:
        server, *results = _without_comments(value[:_MAX_CHARACTERS]).split(";")
        name = server.split()[0].lower().rstrip(".").strip('"') if server.split() else ""
        if name not in ours:
            continue
        for text in results:
            match = _METHOD.match(text)
            if match is not None:
                found = {key: quoted.strip('"').lower() for key, quoted in _PROPERTY.findall(match[3])}
                yield match[1].lower(), match[2].lower(), found


def _without_comments(text: str) -> str:
    """The text with (nested) comments made a space and semicolons in quotes harmless."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"' and not depth:
            quoted = not quoted
            kept.append(character)
        elif not quoted and character in "()":
            depth = max(0, depth + (1 if character == "(" else -1))
            kept.append(" ")
        elif not depth:
            kept.append("_" if quoted and character == ";" else character)
    return "".join(kept)


def _author_domain(mail: Mail) -> str:
    match = _DOMAIN_AT_END.search((mail.headers.get("from") or "")[-1_000:])
    return match[1].lower().rstrip(".") if match else ""


def _is_aligned(identity: str, author: str) -> bool:
    domain = identity.rpartition("@")[2].rstrip(".")
    return "." in domain and bool(author) and (author == domain or author.endswith("." + domain))
