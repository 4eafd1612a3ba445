"""An address split and brought into the one form in which addresses are compared.

It splits and normalises; it does not judge: whether the address can exist is the validator's question.
The comparison form (`key`) is: domain IDNA-encoded, lower-cased, one trailing dot off; local part NFC, lower-cased,
needless quotes off. Dots, plus and minus tags stay: `jean-paul@` and `jean-marie@` are two people.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailgate.records._errors import ParseError

# Longer than any address that can be mailed (RFC 5321 4.5.3.1: 64 + 1 + 255 octets) by a wide margin.
MAX_ADDRESS_CHARACTERS = 2_000

_PLAIN = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]*[A-Za-z0-9-]", re.ASCII)
_DOT_STRING = re.compile(r"[^\s\x00-\x20\x7f\"(),:;<>@\[\\\]]+")
_LABEL_SEPARATORS = re.compile("[.。．｡]")
_NOT_IN_A_DOMAIN = ' \t"<>(),;\\@'
_KEPT_BY_MAPPING = "ßς\u200c\u200d"  # UTS 46 non-transitional: valid as they are
# What UTS 46 lists as "ignored": the default-ignorable code points without the two joiners.
_IGNORED = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2064\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0100-\U000e01ef]"
)
# RFC 1035 2.3.4. Punycode never shortens a label, and encoding one takes time that grows with its square.
_MAX_LABEL_CHARACTERS = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address.

    original: as written. local: the local part as written, quotes included. domain: A-labels, lower case, no trailing
    dot (an address literal stays as written, lower-cased). key: the form used for comparison.
    """

    original: str
    local: str
    domain: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Split at the last `@` (RFC 5321 2.3.11) after taking outer white space and one pair of `<>` off.

        Raises ParseError (`bad_address`) when a side is empty, when a control character or an unquoted space stands in
        it, when it is longer than `MAX_ADDRESS_CHARACTERS`, or when a lone surrogate stands in it.

        >>> Address.parse("User@EXAMPLE.com.").key
        'user@example.com'
        """
        local, domain = _split(text)
        domain = domain_to_ascii(domain)
        return cls(original=text, local=local, domain=domain, key=f"{_local_key(local)}@{domain}")

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    def to_dict(self) -> dict[str, str]:
        """The record as JSON values."""
        return {"original": self.original, "local": self.local, "domain": self.domain, "key": self.key}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Address:
        """Read what `to_dict` wrote."""
        return cls(original=data["original"], local=data["local"], domain=data["domain"], key=data["key"])


def address_key(text: str) -> str:
    """`Address.parse(text).key` without building the record; the fast path for long lists.

    Raises ParseError exactly where `Address.parse` does.
    """
    if _PLAIN.fullmatch(text) and len(text) <= MAX_ADDRESS_CHARACTERS:
        return text.lower()
    local, domain = _split(text)
    return f"{_local_key(local)}@{domain_to_ascii(domain)}"


def domain_to_ascii(domain: str) -> str:
    """The domain as lower-case A-labels without a trailing dot (RFC 5890 2.3.2.1).

    Mapping is UTS 46 non-transitional, reproduced from `unicodedata` (NFKC, case folding, ignorable code points off).
    Nothing is judged: a label that IDNA 2008 forbids is still encoded, so that two spellings of it compare equal.
    Raises ParseError (`bad_address`) for a label that is not ASCII and longer than 63 characters, which no name has,
    and where the mapping makes a space, an `@` or other syntax out of a look-alike, or leaves nothing.
    """
    if domain.isascii():
        return _without_trailing_dot(domain.lower())
    mapped = map_domain(domain)
    if not mapped.strip(".") or any(character in mapped for character in _NOT_IN_A_DOMAIN):
        raise ParseError("bad_address", f"a domain that is none once it is normalised: {domain[:80]!r}", field="domain")
    labels = _LABEL_SEPARATORS.split(mapped)
    return _without_trailing_dot(".".join(label if label.isascii() else _to_a_label(label) for label in labels))


def map_domain(domain: str) -> str:
    """Lower-case, NFKC-normalised U-labels (the mapping step of UTS 46 4), nothing encoded."""
    visible = _IGNORED.sub("", domain).replace("\u1e9e", "ß")  # UTS 46 folds the capital sharp s into the small one
    parts = re.split(f"([{_KEPT_BY_MAPPING}])", visible)
    folded = "".join(
        part if part in _KEPT_BY_MAPPING and part else unicodedata.normalize("NFKC", part).casefold() for part in parts
    )
    return unicodedata.normalize("NFC", _LABEL_SEPARATORS.sub(".", unicodedata.normalize("NFKC", folded)))


def _to_a_label(label: str) -> str:
    if len(label) > _MAX_LABEL_CHARACTERS:
        raise ParseError("bad_address", f"a domain label longer than 63 octets: {label[:80]!r}", field="domain")
    try:
        return "xn--" + label.encode("punycode").decode("ascii")
    except UnicodeError as error:
        raise ParseError("bad_address", f"a domain label cannot be encoded: {label!r}", field="domain") from error


def _without_trailing_dot(domain: str) -> str:
    return domain[:-1] if domain.endswith(".") and len(domain) > 1 else domain


def _split(text: str) -> tuple[str, str]:
    stripped = text.strip()
    if stripped.startswith("<") and stripped.endswith(">"):
        stripped = stripped[1:-1].strip()
    if len(stripped) > MAX_ADDRESS_CHARACTERS:
        raise ParseError("bad_address", f"an address longer than {MAX_ADDRESS_CHARACTERS} characters")
    local, at, domain = stripped.rpartition("@")
    if not at or not local or not domain.strip("."):
        raise ParseError("bad_address", f"not of the form local@domain: {stripped[:100]!r}")
    if not stripped.isprintable() and any(_is_forbidden(character) for character in stripped):
        raise ParseError("bad_address", f"a control character or a lone surrogate in {stripped[:100]!r}")
    if any(character in domain for character in _NOT_IN_A_DOMAIN):
        raise ParseError("bad_address", f"a character that no domain has in {stripped[:100]!r}", field="domain")
    if " " in local and not (len(local) > 1 and local[0] == local[-1] == '"'):
        raise ParseError("bad_address", f"an unquoted space in {stripped[:100]!r}", field="local")
    return local, domain


def _is_forbidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs")


def _local_key(local: str) -> str:
    if len(local) > 1 and local[0] == local[-1] == '"':
        content = re.sub(r"\\(.)", r"\1", local[1:-1], flags=re.DOTALL)
        bare = _DOT_STRING.fullmatch(content) and not content.startswith(".") and not content.endswith(".")
        if bare and ".." not in content:
            local = content
        else:
            local = '"' + re.sub(r'(["\\])', r"\\\1", content) + '"'
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).lower())
