"""Two addresses that one provider delivers to the same person: opt-in, because it is knowledge and not syntax."""

from __future__ import annotations

from dataclasses import dataclass

from mailgate.records import address_key
from mailgate.validator._syntax import Mailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folding:
    """What a provider ignores in a local part, by its own help pages."""

    domains: tuple[str, ...]
    domain: str | None = None  # the one name for all of `domains`; None: each stands for itself
    dots: bool = False
    tag: str = "+"


_FOLDINGS = (
    _Folding(domains=("gmail.com", "googlemail.com"), domain="gmail.com", dots=True),
    _Folding(domains=("outlook.com", "hotmail.com", "live.com", "msn.com")),
    _Folding(domains=("icloud.com", "me.com", "mac.com")),
    _Folding(domains=("fastmail.com", "fastmail.fm")),
    _Folding(domains=("proton.me", "protonmail.com", "pm.me")),
    _Folding(domains=("yandex.ru", "yandex.com", "ya.ru"), domain="yandex.ru"),
)
_BY_DOMAIN = {domain: folding for folding in _FOLDINGS for domain in folding.domains}


def dedupe_key(mailbox: Mailbox) -> str:
    """The key by which two spellings of one person's address are the same: tags off, Gmail's dots off.

    Only what the provider of that domain documents is folded, so elsewhere the key is that of `Address.key`: at other
    hosts `a+b@` and `a@` may be two people. For finding duplicates in a list; never mail to the key.

    >>> from mailgate.validator import check_syntax
    >>> dedupe_key(check_syntax("J.Doe+shop@GoogleMail.com"))
    'jdoe@gmail.com'
    """
    key = address_key(mailbox.envelope)
    folding = _BY_DOMAIN.get(mailbox.domain)
    if folding is None or mailbox.quoted:
        return key
    local = key.rpartition("@")[0]
    head = local.partition(folding.tag)[0] or local
    if folding.dots:
        head = head.replace(".", "") or head
    return f"{head}@{folding.domain or mailbox.domain}"
