"""From an address to the keys that the tables are searched by: plain, folded, hashed, and those of its domains.

The shape of a key says what it names: `a@b` an address, `@b` a domain, `@.b` everything below it, `#...` a hash. The
domain keys share their first character, so that they stand together in the table and are read with one range scan.
Folding is opt-in: an address that only differs by the rules of some domains is found too, the rows stay as they are,
so that folding can be switched off again without a loss.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any

from mailgate.records import ParseError, address_key, domain_to_ascii
from mailgate.suppression._errors import BadAddress

HASH_KEY_PURPOSE = "suppression"  # of `KeyRing.derived_key`
_HASH_PREFIX = b"mg/sup/v1"
_HASH_BYTES = 16
_HASH_CHARACTERS = 26  # 16 bytes in base32 without padding

# Nearly all addresses; these are compared as they are, but for the case of their letters.
_SIMPLE = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,250}[A-Za-z0-9]", re.ASCII)
_SPECIALS = re.compile(r"[,:;<>()@\[\]\\\"]")  # RFC 5322 3.2.3: never in a local part without quotes

FOLDING_RULES = ("plus", "gmail_dots")
# The providers whose documentation says that dots and plus tags lead to one mailbox.
FOLDING_DOMAINS = ("gmail.com", "googlemail.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """Which differences do not count, and in which domains.

    rules: of `plus` (a tag behind the first `+`) and `gmail_dots` (dots in the local part). domains: as A-labels;
    only addresses in them are folded, because elsewhere `a.b` and `ab` are two people.

    >>> Folding(rules=("plus", "gmail_dots")).fold("a.b+x@gmail.com")
    'ab@gmail.com'
    """

    rules: tuple[str, ...]
    domains: tuple[str, ...] = FOLDING_DOMAINS

    def __post_init__(self) -> None:
        unknown = [rule for rule in self.rules if rule not in FOLDING_RULES]
        if unknown or not self.rules:
            raise ValueError(f"folding rules are of {FOLDING_RULES}, not {self.rules!r}")
        if not self.domains:
            raise ValueError("folding needs the domains in which it holds")
        object.__setattr__(self, "domains", tuple(sorted(domain_to_ascii(domain) for domain in self.domains)))

    def fold(self, key: str) -> str:
        """The key that stands for all that differ from `key` by the rules only; `key` itself in other domains."""
        local, _, domain = key.rpartition("@")
        if domain not in self.domains or local.startswith('"'):
            return key
        if "plus" in self.rules:
            head, _, _ = local.partition("+")
            local = head or local
        if "gmail_dots" in self.rules:
            local = local.replace(".", "") or local
        return f"{local}@{domain}"

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {"rules": list(self.rules), "domains": list(self.domains)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Folding:
        """Read what `to_dict` wrote."""
        return cls(rules=tuple(data["rules"]), domains=tuple(data["domains"]))


def compared_key(text: str) -> str:
    """The form in which an address is compared: `mailgate.records.address_key`, of one address only.

    Raises ParseError for what `address_key` does, and for `a@b.test,c@d.test`, `mailto:a@b.test` and the like: whoever
    mails it would mail somebody, and a look-up for the whole text would never find them.

    >>> compared_key("User@EXAMPLE.com.")
    'user@example.com'
    """
    if _SIMPLE.fullmatch(text):
        return text.lower()
    key = address_key(text)
    local = key[: key.rindex("@")]
    if local[0] != '"' and _SPECIALS.search(local):
        raise ParseError("bad_address", f"not one address: {text[:100]!r}", field="local")
    return key


def hash_key(secret: bytes, key: str) -> str:
    """The key of a hashed entry: `#` and 26 base32 characters of HMAC-SHA256 over the plain key."""
    digest = hmac.digest(secret, _HASH_PREFIX + key.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return "#" + base64.b32encode(digest[:_HASH_BYTES]).decode("ascii").rstrip("=").lower()


def is_hash_key(text: str) -> bool:
    """True for what `hash_key` makes."""
    return len(text) == _HASH_CHARACTERS + 1 and text[0] == "#" and text[1:].isalnum() and text == text.lower()


def entry_key(pattern: str) -> str:
    """The key of an entry as a person writes it: `a@b`, `b` or `@b` for a domain, `*.b` or `.b` for all below it.

    Raises BadAddress for anything that can be none of them.

    >>> entry_key("*.Example.COM")
    '@.example.com'
    """
    text = pattern.strip()
    if is_hash_key(text):
        return text
    if text.startswith(("*.", ".", "@.")):
        return "@." + _domain(text.lstrip("*@").removeprefix("."), pattern)
    if "@" in text.removeprefix("*").removeprefix("@"):
        try:
            return compared_key(text)
        except ParseError as error:
            raise BadAddress(f"cannot read the address {pattern[:100]!r}: {error.message}") from error
    return "@" + _domain(text.removeprefix("*").removeprefix("@"), pattern)


def _domain(text: str, pattern: str) -> str:
    if not text or len(text) > 253 or not text.isprintable() or any(c in text for c in ' @*"<>(),;:\\#'):
        raise BadAddress(f"neither an address nor a domain: {pattern[:100]!r}")
    try:
        domain = domain_to_ascii(text)
    except ParseError as error:
        raise BadAddress(f"cannot read the domain {pattern[:100]!r}: {error.message}") from error
    if "" in domain.split("."):
        raise BadAddress(f"a domain with an empty label: {pattern[:100]!r}")
    return domain


def domain_keys(key: str) -> tuple[str, ...]:
    """The keys of the domain entries that can concern an address: its domain, then `.parent` from the nearest on.

    >>> domain_keys("a@x.example.com")
    ('@x.example.com', '@.example.com', '@.com')
    """
    domain = key.rpartition("@")[2]
    keys = ["@" + domain]
    dot = domain.find(".")
    while dot != -1:
        keys.append("@" + domain[dot:])
        dot = domain.find(".", dot + 1)
    return tuple(keys)
