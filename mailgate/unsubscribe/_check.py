"""A finished message, looked at as a mailbox provider looks at it before it shows an unsubscribe button.

Nothing is verified cryptographically and nothing is fetched: what is checked is what stands in the message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote, urlsplit

from mailgate.records import Mail, Part
from mailgate.unsubscribe._headers import MAX_LINE_OCTETS, ONE_CLICK, uri_fault

MAX_BODY_CHARACTERS = 2 * 1024 * 1024
_MAX_SIGNATURES = 50
_FIELD = "List-Unsubscribe"
_POST_FIELD = "List-Unsubscribe-Post"
_TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*([^;]*)")
_LONG_LINE = re.compile(rb"^list-unsubscribe(?:-post)?[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255}")
# "Unsubscribe" as it stands in link texts and URLs, by language, lower case.
_WORDS = (
    *(
        "unsubscri",
        "opt-out",
        "optout",
        "opt out",
        "abmeld",
        "abbestell",
        "austrag",
        "désabonn",
        "desabonn",
        "désinscri",
    ),
    *(
        "desinscri",
        "darse de baja",
        "cancelar la",
        "cancelar a",
        "cancelar inscri",
        "disiscri",
        "annulla l",
        "descadastr",
    ),
    *(
        "afmeld",
        "uitschrijv",
        "wypisz",
        "avregistrer",
        "avprenumer",
        "peruuta",
        "odhlásit",
        "отпис",
        "配信停止",
        "解除",
    ),
    *("退订", "退訂", "수신거부"),
)


class Severity(StrEnum):
    """ERROR: providers will not offer one-click unsubscribing. WARNING: it works less well than it could."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong. code: a snake_case word that stays the same. message: what it is and what to do."""

    severity: Severity
    code: str
    message: str

    def to_dict(self) -> dict[str, str]:
        """The record as JSON values."""
        return {"severity": str(self.severity), "code": self.code, "message": self.message}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        """Read what `to_dict` wrote."""
        return cls(severity=Severity(data["severity"]), code=data["code"], message=data["message"])


def check_unsubscribe_headers(message: bytes | Mail) -> tuple[Finding, ...]:
    """What is wrong with the unsubscribe headers of a finished message, errors first; () when all is well.

    message: as it leaves your MTA, DKIM-signed. Checked: both fields, one of each, unencoded, with one https URI and a
    mailto one behind it (RFC 2369 3.2, RFC 8058 3.1), covered by the `h=` of a DKIM-Signature of the domain in From
    (RFC 8058 4, RFC 6376 3.5), List-Id (RFC 2919 3), a link in the body. Raises ParseError beyond `MailLimits`.

    >>> [finding.code for finding in check_unsubscribe_headers(b"From: a@example.com\\n\\nhi")]
    ['list_unsubscribe_missing', 'list_unsubscribe_post_missing', 'list_id_missing', 'body_link_missing']
    """
    mail = Mail.read(message)
    found = (*_field_findings(mail), *_post_findings(mail), *_signature_findings(mail), *_other_findings(mail))
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.ERROR))


def _error(code: str, message: str) -> Finding:
    return Finding(severity=Severity.ERROR, code=code, message=message)


def _warning(code: str, message: str) -> Finding:
    return Finding(severity=Severity.WARNING, code=code, message=message)


def _field_findings(mail: Mail) -> Iterator[Finding]:
    values = mail.headers.get_all(_FIELD)
    if not values:
        yield _error("list_unsubscribe_missing", f"there is no {_FIELD} field")
        return
    if len(values) > 1:
        yield _error("list_unsubscribe_repeated", f"{len(values)} {_FIELD} fields; there must be one (RFC 8058 3.1)")
    value = values[0]
    if "=?" in value:
        yield _error("list_unsubscribe_encoded", f"{_FIELD} holds an encoded-word; clients do not decode it")
        return
    if _longest_line(mail) > MAX_LINE_OCTETS:
        yield _error("line_too_long", f"a line of {_longest_line(mail)} octets; the limit is {MAX_LINE_OCTETS}")
    uris, rest = _uris(value)
    if rest:
        yield _error("not_in_angle_brackets", f"text outside of <…> in {_FIELD}: {rest[:80]!r}")
    yield from _uri_findings(uris)
    yield from _privacy_findings(mail, uris)


def _uris(value: str) -> tuple[list[str], str]:
    """The texts in angle brackets, and what stands outside of them besides commas (RFC 2369 2)."""
    uris: list[str] = []
    outside: list[str] = []
    for piece in value.split("<"):
        inner, bracket, behind = piece.partition(">")
        if bracket:
            uris.append(inner)
            outside.append(behind)
        else:
            outside.append(piece)
    return uris, " ".join("".join(outside).replace(",", " ").split())


def _uri_findings(uris: list[str]) -> Iterator[Finding]:
    for uri in uris:
        fault = uri_fault(uri)
        if fault is not None:
            yield _error("bad_uri", f"{uri[:120]!r}: {fault}")
    schemes = [uri.partition(":")[0].strip().lower() for uri in uris]
    https = schemes.count("https")
    if https == 0:
        yield _error("no_https_uri", f"no https URI in {_FIELD}; one-click needs one (RFC 8058 3.1)")
    elif https > 1:
        yield _error("several_https_uris", f"{https} https URIs in {_FIELD}; there must be one (RFC 8058 3.1)")
    if "http" in schemes:
        yield _error("http_uri", "an http URI; providers want https")
    if "mailto" not in schemes:
        yield _warning("no_mailto_uri", "no mailto URI; some clients know no other way to unsubscribe")
    elif https and schemes.index("mailto") < schemes.index("https"):
        yield _warning("mailto_first", "mailto stands before https; some clients take the first URI only")
    for uri, scheme in zip(uris, schemes, strict=True):
        parts = urlsplit(uri) if scheme == "https" and uri_fault(uri) is None else None
        if parts is not None and not parts.path.strip("/") and not parts.query:
            yield _error("uri_without_token", f"{uri!r} cannot tell who unsubscribes (RFC 8058 3.1)")


def _privacy_findings(mail: Mail, uris: list[str]) -> Iterator[Finding]:
    to = _ADDRESS.search(mail.headers.get("to") or "")
    readable = [uri for uri in uris if to is not None and to[0].lower() in unquote(uri).lower()]
    if readable:
        yield _warning(
            "address_in_uri", f"the recipient's address can be read in {readable[0][:80]!r}; sign an opaque token"
        )


def _longest_line(mail: Mail) -> int:
    block = mail.headers.block
    return max((len(line) for field in _LONG_LINE.findall(block) for line in field.split(b"\n")), default=0)


def _post_findings(mail: Mail) -> Iterator[Finding]:
    values = mail.headers.get_all(_POST_FIELD)
    if not values:
        yield _error("list_unsubscribe_post_missing", f"there is no {_POST_FIELD} field; write `{ONE_CLICK}`")
        return
    if len(values) > 1:
        yield _error("list_unsubscribe_post_repeated", f"{len(values)} {_POST_FIELD} fields; there must be one")
    if values[0] != ONE_CLICK:
        yield _error("list_unsubscribe_post_value", f"{_POST_FIELD} is {values[0][:80]!r} and must be {ONE_CLICK!r}")


def _signature_findings(mail: Mail) -> Iterator[Finding]:
    wanted = [name for name in (_FIELD, _POST_FIELD) if name in mail.headers]
    if not wanted:
        return
    signatures = [_tags(value) for value in mail.headers.get_all("dkim-signature")[:_MAX_SIGNATURES]]
    if not signatures:
        yield _error(
            "not_signed", "there is no DKIM-Signature; providers ignore unsigned unsubscribe fields (RFC 8058 4)"
        )
        return
    covering = [tags for tags in signatures if _covers(tags, wanted)]
    if not covering:
        names = " and ".join(wanted)
        yield _error("not_covered_by_dkim", f"no DKIM-Signature has {names} in its h= tag (RFC 8058 4); add them there")
        return
    author = _domain(mail.headers.get("from") or "")
    if author is not None and not any(_aligned(author, tags.get("d", "")) for tags in covering):
        yield _warning("signature_not_aligned", f"the signature that covers the fields is not one of {author}")


def _tags(value: str) -> dict[str, str]:
    """A tag list (RFC 6376 3.2); white space in values is dropped."""
    return {match[1]: "".join(match[2].split()) for match in map(_TAG.fullmatch, value.split(";")) if match}


def _covers(tags: Mapping[str, str], wanted: list[str]) -> bool:
    signed = {name.lower() for name in tags.get("h", "").split(":")}
    return all(name.lower() in signed for name in wanted)


def _aligned(author: str, signer: str) -> bool:
    """One is the other or lies below it; the organizational domain is not looked up."""
    first, second = author.lower().rstrip("."), signer.lower().rstrip(".")
    return bool(second) and (first == second or first.endswith("." + second) or second.endswith("." + first))


def _domain(text: str) -> str | None:
    match = _ADDRESS.search(text.rpartition("<")[2])
    return None if match is None else match[0].rpartition("@")[2]


def _other_findings(mail: Mail) -> Iterator[Finding]:
    if "list-id" not in mail.headers:
        yield _warning(
            "list_id_missing", "there is no List-Id field; providers group complaints and unsubscribes by it"
        )
    texts = [part for part in mail.walk() if part.content_type in ("text/html", "text/plain")]
    texts = [part for part in texts if part.disposition != "attachment"]
    if not any(_has_link(part) for part in texts):
        yield _warning(
            "body_link_missing", "no unsubscribe link in the body; Gmail and Yahoo ask for one besides the header"
        )


def _has_link(part: Part) -> bool:
    text = part.text()[:MAX_BODY_CHARACTERS].lower()
    has_link = "http://" in text or "https://" in text or "mailto:" in text
    return has_link and any(word in text for word in _WORDS)
