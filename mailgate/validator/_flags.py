"""Flags beside the verdict: role, disposable, free, and a suggestion for a typo. None of them changes a status."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path

# RFC 2142 2 to 7, and the few that everybody uses since: mail to these reaches a desk, not a person.
ROLE_NAMES = frozenset(
    re.findall(
        r"\S+",
        """
        info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster www uucp ftp list
        admin administrator root mailer-daemon noreply no-reply donotreply do-not-reply billing contact hello help
        helpdesk hr jobs careers legal office orders press privacy accounts accounting enquiries feedback mail
        newsletter service team
        """,
    )
)

# Large consumer providers: what people mean when they mistype a domain by one letter.
LARGE_PROVIDERS = tuple(
    re.findall(
        r"\S+",
        """
        gmail.com googlemail.com yahoo.com yahoo.co.uk yahoo.fr yahoo.de yahoo.co.jp yahoo.co.in ymail.com hotmail.com
        hotmail.co.uk hotmail.fr hotmail.it hotmail.de outlook.com live.com msn.com icloud.com me.com mac.com aol.com
        comcast.net verizon.net sbcglobal.net gmx.de gmx.net gmx.com gmx.at gmx.ch web.de t-online.de freenet.de
        mail.com email.com orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it btinternet.com mail.ru
        yandex.ru yandex.com rambler.ru qq.com 163.com 126.com sina.com naver.com proton.me protonmail.com fastmail.com
        zoho.com uol.com.br bol.com.br terra.com.br bigpond.com seznam.cz wp.pl o2.pl bluewin.ch rediffmail.com
        """,
    )
)
_MAX_SUGGESTION_LENGTH = 40


def is_role(local: str, names: Collection[str] = ROLE_NAMES) -> bool:
    """True when the local part, without a +tag, is the name of a desk (RFC 2142).

    >>> is_role("Support+eu"), is_role("supporter")
    (True, False)
    """
    return local.lower().partition("+")[0] in names


def listed(domain: str, domains: Collection[str] | None) -> bool | None:
    """True when the domain or one above it is in the caller's set; None when there is no set to look into."""
    if domains is None:
        return None
    while True:
        if domain in domains:
            return True
        domain = domain.partition(".")[2]
        if not domain:
            return False


def read_domains(lines: Iterable[str] | Path) -> frozenset[str]:
    """A set of domains from lines or a file: one a line, `#` begins a comment, case and outer dots do not matter."""
    if isinstance(lines, Path):
        return read_domains(lines.read_text(encoding="utf-8-sig").splitlines())
    names = (line.partition("#")[0].strip().strip(".").lower() for line in lines)
    return frozenset(name for name in names if name)


def suggest_domain(domain: str, *, dead: bool, known: tuple[str, ...] = LARGE_PROVIDERS) -> str | None:
    """The large provider that `domain` was probably meant to be; None without evidence.

    dead: DNS says that the domain takes no mail; then two slips are enough. Otherwise the domain may be somebody's, so
    that one slip is the limit. A domain that is itself known is never corrected.

    >>> suggest_domain("gmial.com", dead=False), suggest_domain("gnial.com", dead=False)
    ('gmail.com', None)
    """
    if domain in known or len(domain) > _MAX_SUGGESTION_LENGTH or not domain.isascii():
        return None
    return _nearest(domain, 2 if dead else 1, known)


@lru_cache(maxsize=20_000)
def _nearest(domain: str, limit: int, known: tuple[str, ...]) -> str | None:
    best, best_distance = None, limit + 1
    for name in known:
        if abs(len(name) - len(domain)) < best_distance:
            distance = _distance(domain, name, best_distance)
            if distance < best_distance and _is_plausible(domain, name, distance, limit):
                best, best_distance = name, distance
    return best


def _is_plausible(domain: str, name: str, distance: int, limit: int) -> bool:
    """A short name is near to many others, and hardly anybody mistypes the first letter."""
    long_enough = len(name) > 4 * distance if limit > 1 else len(name.partition(".")[0]) >= 4
    return long_enough and (domain[0] == name[0] or domain[:2] == name[1::-1])


def _distance(a: str, b: str, limit: int) -> int:
    """Insertions, deletions, changed letters and neighbours swapped between `a` and `b`; `limit` or more is `limit`."""
    before_last: list[int] = []
    last = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        if min(row) >= limit:
            return limit
        before_last, last = last, row
    return min(last[-1], limit)
