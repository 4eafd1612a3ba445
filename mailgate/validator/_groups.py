"""Who runs a mail host: the group that shares its limits, and what is known of a few providers.

Thousands of domains stand on the hosts of one company, so a limit for each domain protects nobody: connections are
counted for each MX host group. Groups are found by name, without a public suffix list: two labels, or three where the
second-last is short below a country. A group that is cut too large only makes us slower.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

_SHORT_SECOND_LEVEL = 3  # co.uk, com.br, ac.jp, gov.au: a registry's own label


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What is known of one provider's hosts.

    name: of the group. suffixes: of the host names. recipients_per_connection: None for the setting.
    accepts_all: it accepts every recipient at RCPT and refuses later, if ever, so that asking proves nothing.
    """

    name: str
    suffixes: tuple[str, ...]
    recipients_per_connection: int | None = None
    accepts_all: bool = False


PROVIDERS = (
    # aspmx.l.google.com, gmail-smtp-in.l.google.com, smtp.google.com
    Provider(name="google", suffixes=("google.com", "googlemail.com", "psmtp.com")),
    # Consumer mailboxes (hotmail, live, outlook.com): a second RCPT is answered 452 4.5.3 or 451 "multiple regions".
    Provider(name="microsoft", suffixes=("olc.protection.outlook.com",), recipients_per_connection=1),
    Provider(name="microsoft", suffixes=("protection.outlook.com", "mx.microsoft")),
    # Yahoo and AOL refuse an unknown user after DATA, or by a bounce.
    Provider(name="yahoo", suffixes=("yahoodns.net",), accepts_all=True),
    Provider(name="mail.ru", suffixes=("mail.ru",), accepts_all=True),
    Provider(name="apple", suffixes=("mail.icloud.com", "apple.com")),
)


def provider_of(host: str, providers: tuple[Provider, ...] = PROVIDERS) -> Provider | None:
    """The provider that runs `host`; the first row whose suffix fits."""
    for provider in providers:
        for suffix in provider.suffixes:
            if host == suffix or host.endswith("." + suffix):
                return provider
    return None


def group_mx(host: str, providers: tuple[Provider, ...] = PROVIDERS) -> str:
    """The name of the group that shares one set of limits with `host` (a name or an IP address).

    >>> group_mx("alt1.aspmx.l.google.com"), group_mx("mx1.bbc.co.uk"), group_mx("mx.mail.example.net")
    ('google', 'bbc.co.uk', 'example.net')
    """
    host = host.lower().rstrip(".")
    provider = provider_of(host, providers)
    if provider is not None:
        return provider.name
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
    else:
        return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))
    if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= _SHORT_SECOND_LEVEL:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])
