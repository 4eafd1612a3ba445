"""Whether an address was made unreadable: hashed, masked, replaced by a word (RFC 6590, and everybody's own way).

A redacted address named as a recipient would be a made-up one. The rules are about the shape of the text and about no
provider in particular. An address that merely looks strange (`xavier@`, `hidden.valley@`, a relay address of a privacy
service, which is where mail really went) is not redacted.
"""

from __future__ import annotations

import base64
import binascii
import re

# A local part that begins with one of these was written by a redactor: nobody is called so.
_STRONG = frozenset(
    (
        *("redacted", "redact", "hashed", "undisclosed", "anonymized", "anonymised", "pseudonymized", "pseudonymised"),
        *("obfuscated", "masked", "censored", "scrubbed", "sanitized", "sanitised"),
    )
)
# These are names of people and rooms as well; they count when nothing else stands beside them.
_WEAK = frozenset(
    (
        *("removed", "hidden", "suppressed", "withheld", "unknown", "anonymous", "deleted", "none", "null"),
        *("unavailable", "stripped", "invalid", "concealed", "protected", "encrypted"),
    )
)
_NEUTRAL = frozenset(
    (
        *("address", "addr", "email", "mail", "recipient", "recipients", "rcpt", "user", "username", "localpart"),
        *("local", "part", "name", "by", "for", "the", "to", "not", "is", "was", "policy", "reasons", "request"),
        *("fbl", "arf", "feedback", "loop", "complaint", "complainant", "complainer", "reporter"),
    )
)
_WORDS = re.compile(r"[^\W\d_]+")

_MASK = re.compile(r"[*•●█▇∗⁎＊]|\.\.\.|…|\?\?|##")
_EXES = re.compile(r"x{4,}|X{4,}")
_ONLY_EXES = re.compile(r"[xX]{3,}|[xX](?:[._-][xX])+|[-_.#?]+")

_HEX = re.compile(r"(?:0x|(?:md5|sha-?\d{1,3}|hash)[:=._-])?([0-9a-fA-F]{32,128})", re.ASCII | re.IGNORECASE)
_NO_ADDRESS = re.compile(r"[\s,;<>@]")
_HEX_DIGITS = frozenset((32, 40, 48, 56, 64, 96, 128))
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{22,128}={1,2}", re.ASCII)
_BASE64_BARE = re.compile(r"[A-Za-z0-9+/_-]{27}|[A-Za-z0-9+/_-]{43}|[A-Za-z0-9+/_-]{86}", re.ASCII)
_DIGEST_BYTES = frozenset((16, 20, 24, 28, 32, 48, 64))


def is_redacted(address: str) -> bool:
    """True when the text names nobody: it is no address, or its local part or domain was made unreadable.

    >>> redacted = ("redacted@163.com", "cb4a01a48251d4765f489076aa81e2a4@comcast.net", "j***@example.org")
    >>> [is_redacted(text) for text in redacted]
    [True, True, True]
    >>> [is_redacted(text) for text in ("maxx@example.com", "hidden.valley@example.com", "unknown.user7@example.com")]
    [False, False, False]
    """
    local, at, domain = address.strip().rpartition("@")
    if not at or not local or not domain or _is_no_address(local, domain):
        return True
    return _is_masked_local(local) or _is_masked_domain(domain.lower().rstrip("."))


def _is_no_address(local: str, domain: str) -> bool:
    """Prose, several addresses in one, or a domain of one word, where no provider keeps mailboxes (`email@removed`)."""
    quoted = len(local) > 1 and local[0] == local[-1] == '"'
    single = "." not in domain.rstrip(".") and not domain.startswith("[")
    return single or _NO_ADDRESS.search(domain) is not None or (not quoted and _NO_ADDRESS.search(local) is not None)


def _is_masked_local(local: str) -> bool:
    bare = local.strip("\"'[](){}<> ")
    if not bare or _ONLY_EXES.fullmatch(bare) or _MASK.search(bare) or _EXES.search(bare):
        return True
    return _says_so(bare) or _is_hash(bare)


def _says_so(text: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(text)]
    if not words:
        return False
    if words[0] in _STRONG or words[-1] in _STRONG:
        return True
    digits = any(character.isdigit() for character in text)
    return (
        not digits and any(word in _WEAK for word in words) and all(word in _WEAK or word in _NEUTRAL for word in words)
    )


def _is_hash(local: str) -> bool:
    match = _HEX.fullmatch(local)
    if match is not None:
        return len(match[1]) in _HEX_DIGITS
    if _BASE64.fullmatch(local):
        return _decoded_bytes(local) in _DIGEST_BYTES
    # Without padding only the exact lengths of SHA-1, SHA-256 and SHA-512, and only with every kind of character.
    return bool(_BASE64_BARE.fullmatch(local)) and all(
        any(test(character) for character in local) for test in (str.isupper, str.islower, str.isdigit)
    )


def _decoded_bytes(text: str) -> int:
    try:
        return len(base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True))
    except (binascii.Error, ValueError):
        return 0


def _is_masked_domain(domain: str) -> bool:
    labels = domain.split(".")
    if labels[-1] == "invalid" or _MASK.search(domain) or not domain.strip("x."):
        return True
    # The last label is left out: .xxx is a real one.
    return any(_ONLY_EXES.fullmatch(label) is not None for label in labels[:-1]) or any(
        label in _STRONG for label in labels
    )
