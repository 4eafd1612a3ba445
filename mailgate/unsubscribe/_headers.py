"""The header pair: List-Unsubscribe (RFC 2369) and List-Unsubscribe-Post (RFC 8058).

What is refused here would be worse than no header: a mailbox provider that meets `http:`, an unreplaced placeholder or
an encoded-word shows no unsubscribe button, and people press "spam" instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from mailgate.records import KeyRing
from mailgate.unsubscribe._token import Subscription, UnsubscribeSigner

ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058 3.1, the only value
MAX_LOCAL_OCTETS = 64  # RFC 5321 4.5.3.1.1
MAX_LINE_OCTETS = 998  # RFC 5322 2.1.1
FOLD = "\r\n "

_PREFERRED_LINE_OCTETS = 78
# RFC 3986 2: every character a URI may have. Placeholders ({{x}}, *|X|*, <%x%>, ${x}, [[x]]) all have others.
_URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?#@!$&'()*+;=]|%[0-9A-Fa-f]{2})+")
_AUTHORITY = re.compile(r"\[[0-9A-Fa-f:.]+\](?::\d{1,5})?|[A-Za-z0-9\-._~]+(?::\d{1,5})?")
_LOCAL = re.compile(r"[A-Za-z0-9!#$&'*/=^_`{|}~.-]+")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


def unsubscribe_headers(
    url: str, *, mailto: str | None = None, fold: str | None = FOLD
) -> tuple[tuple[str, str], tuple[str, str]]:
    """The two fields as (name, value) pairs, ready for a message (RFC 2369 3.2, RFC 8058 3.1).

    url: the https URI that a provider will POST to. mailto: a `mailto:` URI or an address for clients that mail.
    fold: what stands between the two URIs; None writes them on one line, for a library that folds by itself.
    Both fields must be there before the message is DKIM-signed, and be covered by the signature (RFC 8058 4).
    Raises ValueError for anything but one clean https URI: a placeholder, a space, CR or LF, a comma (write `%2C`),
    a character outside ASCII, user information, `http:`, a line over 998 octets.

    >>> for name, value in unsubscribe_headers("https://example.com/u/abc", mailto="leave@example.com", fold=None):
    ...     print(f"{name}: {value}")
    List-Unsubscribe: <https://example.com/u/abc>, <mailto:leave@example.com>
    List-Unsubscribe-Post: List-Unsubscribe=One-Click
    """
    uris = [_https(url)]
    if mailto is not None:
        uris.append(_mailto(mailto))
    separator = ", " if fold is None else _separator(fold, uris)
    value = separator.join(f"<{uri}>" for uri in uris)
    longest = max(map(len, f"List-Unsubscribe: {value}".splitlines()))
    if longest > MAX_LINE_OCTETS:
        raise ValueError(f"a line of {longest} octets; the limit is {MAX_LINE_OCTETS} (RFC 5322 2.1.1)")
    return ("List-Unsubscribe", value), ("List-Unsubscribe-Post", ONE_CLICK)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsubscribeLinks:
    """Everything a sending program needs: the link, the mailto address and the header pair of one subscription.

    base_url: where `UnsubscribeApp` is mounted, `https://example.com/u`. mailto_address: the mailbox that
    `mailgate scan` reads, None for none; its local part leaves room for a token (20 characters are enough).
    """

    keys: KeyRing
    base_url: str
    mailto_address: str | None = None

    def __post_init__(self) -> None:
        if urlsplit(_https(self.base_url)).query or "#" in self.base_url:
            raise ValueError(f"the base URL has a query or a fragment: {self.base_url!r}")
        if self.mailto_address is not None:
            _address(self.mailto_address)

    def url(self, subscription: Subscription) -> str:
        """The link for the header and for the body of the mail."""
        return f"{self.base_url.rstrip('/')}/{UnsubscribeSigner(keys=self.keys).token(subscription)}"

    def mailto(self, subscription: Subscription) -> str | None:
        """`mailto:leave+SHORT@example.com?subject=unsubscribe%20LONG`; None without a mailto address.

        The token stands twice because clients drop subjects and servers drop plus parts, but hardly anything both.
        """
        if self.mailto_address is None:
            return None
        signer = UnsubscribeSigner(keys=self.keys)
        local, domain = _address(self.mailto_address)
        short = signer.short_token(subscription, max_characters=MAX_LOCAL_OCTETS - len(local) - 1)
        plus = "" if short is None else f"+{short}"
        return f"mailto:{local}{plus}@{domain}?subject=unsubscribe%20{signer.token(subscription)}"

    def headers(
        self, subscription: Subscription, *, fold: str | None = FOLD
    ) -> tuple[tuple[str, str], tuple[str, str]]:
        """`unsubscribe_headers` of this subscription.

        >>> links = UnsubscribeLinks(keys=KeyRing.of(b"0123456789abcdefghijklmnopqrstuv"), base_url="https://example.com/u")
        >>> dict(links.headers(Subscription(recipient="ann@example.net")))["List-Unsubscribe-Post"]
        'List-Unsubscribe=One-Click'
        """
        return unsubscribe_headers(self.url(subscription), mailto=self.mailto(subscription), fold=fold)


def uri_fault(uri: str) -> str | None:
    """Why this cannot stand as a URI in the field, in words; None when it can (RFC 2369 2, RFC 3986 2)."""
    if not uri.isascii():
        return "it has characters outside ASCII; write them percent-encoded, the host as A-labels"
    if any(character <= " " or character == "\x7f" for character in uri):
        return "it has a space or a control character"
    if "," in uri:
        return "it has a comma, which separates URIs in this field; write %2C"
    if not _URI.fullmatch(uri.replace("[", "").replace("]", "") if _is_ipv6(uri) else uri):
        return "it has characters that no URI has; an unreplaced placeholder?"
    return None


def _is_ipv6(uri: str) -> bool:
    return uri.count("[") == uri.count("]") == 1 and uri.partition("://")[2].startswith("[")


def _https(url: str) -> str:
    fault = uri_fault(url)
    if fault is None and not url.lower().startswith("https://"):
        fault = "it is not an https URI (RFC 8058 3.1)"
    if fault is None and "@" in urlsplit(url).netloc:
        fault = "it has user information"
    if fault is None and not _AUTHORITY.fullmatch(urlsplit(url).netloc):
        fault = "it has no host"
    if fault is not None:
        raise ValueError(f"not a URI for List-Unsubscribe, {fault}: {url[:200]!r}")
    return url


def _mailto(text: str) -> str:
    if not text.lower().startswith("mailto:"):
        local, _, domain = text.rpartition("@")
        if not _LOCAL.fullmatch(local.replace("+", "")) or not _DOMAIN.fullmatch(domain):
            raise ValueError(f"neither a mailto URI nor a plain ASCII address: {text[:200]!r}")
        return f"mailto:{quote(local, safe='+=')}@{domain}"
    fault = uri_fault(text)
    address = text[7:].partition("?")[0]
    if fault is None and (address.count("@") != 1 or address.startswith("@") or address.endswith("@")):
        fault = "it is not one address"
    if fault is not None:
        raise ValueError(f"not a mailto URI for List-Unsubscribe, {fault}: {text[:200]!r}")
    return text


def _address(text: str) -> tuple[str, str]:
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        raise ValueError(f"not a plain ASCII address without a plus part: {text!r}")
    return quote(local, safe="="), domain


def _separator(fold: str, uris: list[str]) -> str:
    if not re.fullmatch(r"\r?\n[ \t]", fold):
        raise ValueError(f"a fold is a line end and one space or tab, not {fold!r}")
    whole = len("List-Unsubscribe: ") + sum(len(uri) + 2 for uri in uris) + 2
    return ", " if whole <= _PREFERRED_LINE_OCTETS else f",{fold}"
