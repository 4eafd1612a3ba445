"""Everything that can be chosen, in one frozen record; the defaults are polite."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mailgate.records import ReplyRow
from mailgate.validator._flags import LARGE_PROVIDERS, ROLE_NAMES
from mailgate.validator._groups import PROVIDERS, Provider
from mailgate.validator._hosts import FAMILIES, HostRules
from mailgate.validator._syntax import DEFAULT_OPTIONS, Mailbox, SyntaxOptions, check_syntax
from mailgate.validator._words import Advice


class Level(StrEnum):
    """How far to look: the form, the DNS, or the mail host's own answer."""

    SYNTAX = "syntax"
    DNS = "dns"
    SMTP = "smtp"


class StartTls(StrEnum):
    """When a probe encrypts: never, only where a host insists (default), or wherever it is offered."""

    NEVER = "never"
    IF_REQUIRED = "if_required"
    IF_OFFERED = "if_offered"


_PLACEHOLDER_DOMAINS = ("example.com", "example.net", "example.org", "example", "localhost", "localdomain", "invalid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to validate. Times are in seconds, limits are of things open at the same time.

    level: `helo` (the name that the PTR of this host gives) and `mail_from` (an address that takes mail) are required
    for SMTP, and placeholders are refused.
    connections, per_domain, per_mx_group: open connections in all, to one domain, to one group of mail hosts.
    recipients_per_connection, refusals_per_connection: after so many we leave (Postfix slows down after 10 errors and
    hangs up at 20, Exchange waits 5 s after each). pace_seconds: between two connections to one group.
    rest_seconds, strikes: after 421, a block or a dropped connection the group rests, twice as long each time, and is
    left alone after the last strike. max_mail_hosts: how many of a domain's hosts are tried, all before RCPT.
    dial_, greeting_, command_, session_, quit_seconds: how long each may take (postscreen greets after 6 s, some hosts
    take 25 s for an answer). dns_seconds: for everything asked about one domain; dns_lookups: domains at a time.
    catch_all: ask for a random address behind an accepted one; without it an accepted address stays unknown.
    catch_all_ttl_seconds: how long the answer is kept in a state file. greylist_delays: how long a greylisted address
    waits before each further attempt, at least what the server says. max_wait_seconds: how long an address may wait for
    a second chance (greylisting, a resting group) before it is unknown.
    starttls, ip_family ("4-first", "6-first", "4-only", "6-only"), source_ip, port: of the connections.
    allow_private: dial private and loopback addresses, for tests and inside a company. allow_special_use: domains like
    `test` that are usually answered without a question. dns_canaries: names that a working resolver must know, asked
    once when more than a fifth of the domains do not exist.
    look_ahead: addresses read ahead of the answers, 0.4 to 1.5 KB each. Addresses of a domain that are within it share
    connections: sort a list that is longer by domain. recent: answers kept for duplicates.
    role_names, disposable, free: names and domains for the flags; large_providers: for suggestions.
    providers: rows tried from the first. rules: rows for replies, tried before the table (`mailgate.records`). advice:
    reasons whose advice differs from ours. max_age_days: older results in a state file are asked for again.
    """

    level: Level = Level.DNS
    helo: str | None = None
    mail_from: str | None = None
    syntax: SyntaxOptions = DEFAULT_OPTIONS
    connections: int = 32
    per_domain: int = 3
    per_mx_group: int = 4
    recipients_per_connection: int = 10
    refusals_per_connection: int = 5
    pace_seconds: float = 1.0
    rest_seconds: float = 300.0
    strikes: int = 3
    max_mail_hosts: int = 3
    dial_seconds: float = 10.0
    greeting_seconds: float = 30.0
    command_seconds: float = 30.0
    session_seconds: float = 90.0
    quit_seconds: float = 1.0
    dns_seconds: float = 20.0
    dns_lookups: int = 64
    catch_all: bool = True
    catch_all_ttl_seconds: int = 86_400
    greylist_delays: tuple[float, ...] = (300.0,)
    max_wait_seconds: float = 900.0
    starttls: StartTls = StartTls.IF_REQUIRED
    ip_family: str = "4-first"
    source_ip: str | None = None
    port: int = 25
    allow_private: bool = False
    allow_special_use: tuple[str, ...] = ()
    dns_canaries: tuple[str, ...] = ("com", "net", "org")
    look_ahead: int = 20_000
    recent: int = 10_000
    role_names: frozenset[str] = ROLE_NAMES
    disposable: frozenset[str] | None = None
    free: frozenset[str] | None = None
    large_providers: tuple[str, ...] = LARGE_PROVIDERS
    providers: tuple[Provider, ...] = PROVIDERS
    rules: tuple[ReplyRow, ...] = ()
    advice: Mapping[str, Advice] = field(default_factory=dict)
    max_age_days: float = 30.0

    def __post_init__(self) -> None:
        for name in ("connections", "per_domain", "per_mx_group", "recipients_per_connection", "strikes"):
            _at_least_one(name, getattr(self, name))
        for name in ("refusals_per_connection", "max_mail_hosts", "dns_lookups", "look_ahead"):
            _at_least_one(name, getattr(self, name))
        for name in ("dial_seconds", "greeting_seconds", "command_seconds", "session_seconds", "dns_seconds"):
            _above_zero(name, getattr(self, name))
        for name in ("pace_seconds", "rest_seconds", "quit_seconds", "max_wait_seconds", "max_age_days"):
            _not_below_zero(name, getattr(self, name))
        for delay in self.greylist_delays:
            _not_below_zero("greylist_delays", delay)
        if not isinstance(self.level, Level):
            raise ValueError(f"level is one of {', '.join(map(repr, Level))}, not {self.level!r}")
        if not isinstance(self.starttls, StartTls):
            raise ValueError(f"starttls is one of {', '.join(map(repr, StartTls))}, not {self.starttls!r}")
        if not 0 < self.port < 65_536:
            raise ValueError(f"port is from 1 to 65535, not {self.port!r}")
        if self.source_ip is not None:
            _check_ip("source_ip", self.source_ip)
        if self.ip_family not in FAMILIES:
            raise ValueError(f"ip_family is one of {', '.join(FAMILIES)}, not {self.ip_family!r}")
        if self.level is Level.SMTP:
            check_helo(self.helo)
            check_mail_from(self.mail_from)

    @property
    def host_rules(self) -> HostRules:
        """The part that DNS needs."""
        return HostRules(
            allow_private=self.allow_private,
            allow_special_use=self.allow_special_use,
            ip_family=self.ip_family,
            deadline_seconds=self.dns_seconds,
        )


def _at_least_one(name: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value!r}")


def _above_zero(name: str, value: float) -> None:
    if not value > 0:  # so written because of NaN
        raise ValueError(f"{name} must be above 0, not {value!r}")


def _not_below_zero(name: str, value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{name} must not be below 0, not {value!r}")


def _check_ip(name: str, value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError as error:
        raise ValueError(f"{name} is no IP address: {value!r}") from error


def check_helo(name: str | None) -> None:
    """ValueError unless `name` can be the name of a host that sends mail (RFC 5321 4.1.1.1, 2.3.5)."""
    if not name:
        raise ValueError("helo is required for level smtp: the name that the PTR record of this host's address gives")
    mailbox = check_syntax(f"a@{name}")
    if not isinstance(mailbox, Mailbox):
        raise ValueError(f"helo must be a fully qualified host name, not {name!r}: {mailbox.message}")
    _refuse_placeholder("helo", name, mailbox.domain)


def check_mail_from(address: str | None) -> None:
    """ValueError unless `address` can be a sender that mail hosts believe in."""
    if not address:
        raise ValueError("mail_from is required for level smtp: an address of yours that takes mail")
    mailbox = check_syntax(address)
    if not isinstance(mailbox, Mailbox):
        raise ValueError(f"mail_from is no address: {address!r}: {mailbox.message}")
    if mailbox.smtputf8:
        raise ValueError(f"mail_from must be ASCII: {address!r}")
    _refuse_placeholder("mail_from", address, mailbox.domain)


def _refuse_placeholder(name: str, value: str, domain: str) -> None:
    if any(domain == placeholder or domain.endswith("." + placeholder) for placeholder in _PLACEHOLDER_DOMAINS):
        raise ValueError(
            f"{name} is a placeholder: {value!r}; mail hosts refuse it, and every answer would be about it"
        )
