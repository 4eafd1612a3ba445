"""The mail hosts of a domain (RFC 5321 5.1): what DNS says, told apart as finely as DNS says it.

Only an answer is a fact. NXDOMAIN, null MX and "no such data" make a domain invalid; a failure, whatever its kind,
leaves it unknown, and as long as one lookup only failed, nothing is concluded from the others being empty.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace

from mailgate.records import Lookup, LookupStatus, Reason, Resolve
from mailgate.validator._addresses import is_dialable
from mailgate.validator._words import AnyReason, Finding, Status

# More mail hosts than anybody has; what comes behind is not looked at.
MAX_HOSTS = 50
MAX_ADDRESSES = 20

# Names that the public DNS does not serve (IANA special-use registry: RFC 6761, RFC 6762, RFC 7686, RFC 9476).
# `example` is not among them: RFC 6761 6.5 asks applications to treat it like any other name.
SPECIAL_USE_DOMAINS = ("test", "invalid", "local", "localhost", "onion", "arpa", "alt", "internal")

FAMILIES = ("4-first", "6-first", "4-only", "6-only")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRules:
    """What may be asked for and dialled; the part of `Settings` that DNS needs.

    ip_family: one of `FAMILIES`. deadline_seconds: for everything that is asked about one domain.
    """

    allow_private: bool = False
    allow_special_use: tuple[str, ...] = ()
    ip_family: str = "4-first"
    deadline_seconds: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHosts:
    """What DNS says about a domain's mail.

    status: VALID when there is a host to ask; INVALID and UNKNOWN with the `reason`. hosts: names in the order in which
    they are to be tried, from the first usable one on; an address literal is its own host. implicit_mx: there is no
    MX and the domain itself is the host. ttl_seconds: how long this holds. notes: oddities, in words.
    """

    domain: str
    status: Status
    reason: AnyReason
    hosts: tuple[str, ...] = ()
    implicit_mx: bool = False
    ttl_seconds: int = 0
    notes: tuple[str, ...] = ()


def is_special_use(domain: str, allowed: tuple[str, ...] = ()) -> bool:
    """True when the name is under one that the public DNS does not serve and that is not allowed."""
    labels = domain.split(".")
    suffixes = {".".join(labels[i:]) for i in range(len(labels))}
    return labels[-1] in SPECIAL_USE_DOMAINS and suffixes.isdisjoint(allowed)


async def find_mail_hosts(domain: str, resolve: Resolve, rules: HostRules) -> MailHosts:
    """Where mail for `domain` (A-labels, or a literal in brackets) goes; one deadline for all that it takes."""
    if domain.startswith("["):
        return _literal_host(domain, rules)
    if is_special_use(domain, rules.allow_special_use):
        return MailHosts(domain=domain, status=Status.INVALID, reason=Finding.SPECIAL_USE_DOMAIN, ttl_seconds=86_400)
    try:
        async with asyncio.timeout(rules.deadline_seconds):
            return await _ask(domain, resolve, rules)
    except TimeoutError:
        return MailHosts(domain=domain, status=Status.UNKNOWN, reason=Finding.DNS_TIMEOUT)


def _literal_host(domain: str, rules: HostRules) -> MailHosts:
    host = domain[1:-1].removeprefix("IPv6:")
    usable = is_dialable(host, allow_private=rules.allow_private)
    return MailHosts(
        domain=domain,
        status=Status.VALID if usable else Status.INVALID,
        reason=Finding.MAIL_HOST_FOUND if usable else Finding.MX_UNUSABLE,
        hosts=(host,) if usable else (),
        ttl_seconds=86_400,
    )


async def _ask(domain: str, resolve: Resolve, rules: HostRules) -> MailHosts:
    lookup = await resolve(domain, "MX")
    if lookup.status is LookupStatus.TEMPFAIL:
        return _failed(domain, lookup)
    if lookup.status is LookupStatus.NXDOMAIN:
        return MailHosts(
            domain=domain, status=Status.INVALID, reason=Reason.DOMAIN_NOT_FOUND, ttl_seconds=lookup.ttl_seconds
        )
    implicit = lookup.status is LookupStatus.NODATA
    # RFC 5321 5.1: without MX the domain itself is the host, with preference 0.
    names: tuple[str, ...] = (domain,) if implicit else choose_hosts(lookup.values, domain)
    if not names:
        null = all(value.split()[-1:] == ["."] for value in lookup.values)
        reason = Finding.NULL_MX if null else Finding.MX_UNUSABLE
        return MailHosts(domain=domain, status=Status.INVALID, reason=reason, ttl_seconds=lookup.ttl_seconds)
    return await _first_usable(domain, lookup, names, implicit, resolve, rules)


async def _first_usable(
    domain: str, lookup: Lookup, names: tuple[str, ...], implicit: bool, resolve: Resolve, rules: HostRules
) -> MailHosts:
    """The hosts from the first one that has an address to dial."""
    ttl, failure, private, first = lookup.ttl_seconds, None, False, None
    notes: tuple[str, ...] = (f"{domain} is an alias of {lookup.canonical_name}",) if lookup.canonical_name else ()
    for index, name in enumerate(names):
        found = await find_addresses(name, resolve, rules)
        ttl = min(ttl, found.ttl_seconds) if found.ttl_seconds else ttl
        notes += found.notes
        if found.addresses or found.out_of_reach:
            first = index if first is None else first
        if found.addresses:
            first = index
            break
        failure, private = failure or found.failure, private or found.private
    if first is not None:
        return MailHosts(
            domain=domain,
            status=Status.VALID,
            reason=Finding.MAIL_HOST_FOUND,
            hosts=names[first:],
            implicit_mx=implicit,
            ttl_seconds=ttl,
            notes=notes,
        )
    if failure is not None:
        return _failed(domain, failure)
    reason = Finding.NO_MAIL_HOST if implicit and not private else Finding.MX_UNUSABLE
    return MailHosts(domain=domain, status=Status.INVALID, reason=reason, ttl_seconds=ttl, notes=notes)


def _failed(domain: str, lookup: Lookup) -> MailHosts:
    reason = Finding.DNS_TIMEOUT if lookup.detail == "timeout" else Reason.DNS_ERROR
    note = f"{lookup.name} {lookup.rrtype}: {lookup.detail or 'failed'}"
    return MailHosts(domain=domain, status=Status.UNKNOWN, reason=reason, notes=(note,))


def choose_hosts(values: tuple[str, ...], domain: str) -> tuple[str, ...]:
    """Host names from MX values by preference; the null MX, literals and `localhost` left out (RFC 7505 3).

    Equal preferences are mixed (RFC 5321 5.1), in an order that stays the same for a domain: a greylisting host has to
    be met again.

    >>> choose_hosts(("20 b.example.", "10 A.example", "0 ."), "example.com")
    ('a.example', 'b.example')
    """
    ranked = []
    for value in values[: 2 * MAX_HOSTS]:
        preference, _, target = value.partition(" ")
        name = target.strip().lower().rstrip(".")
        if preference.isdecimal() and _is_host_name(name):
            mixed = hashlib.blake2b(f"{domain} {name}".encode(), digest_size=8).digest()
            ranked.append((int(preference), mixed, name))
    return tuple(dict.fromkeys(name for _, _, name in sorted(ranked)))[:MAX_HOSTS]


def _is_host_name(name: str) -> bool:
    last = name.rpartition(".")[2]
    return bool(name) and name.isascii() and name.isprintable() and not last.isdecimal() and last != "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAddresses:
    """The addresses of a host that may be dialled; when there are none, why.

    private: it has addresses, and none that may be dialled. out_of_reach: only of a family that is switched off.
    failure: a lookup that failed.
    """

    addresses: tuple[str, ...] = ()
    private: bool = False
    out_of_reach: bool = False
    failure: Lookup | None = None
    ttl_seconds: int = 0
    notes: tuple[str, ...] = ()


async def find_addresses(host: str, resolve: Resolve, rules: HostRules) -> HostAddresses:
    """The addresses of the first family that has any (RFC 5321 5.1); the other family is asked only without them."""
    last, private, out_of_reach, failure = HostAddresses(), False, False, None
    for rrtype in families(host, rules):
        found = await addresses_of(host, rrtype, resolve, rules)
        if found.addresses:
            return found
        last = found
        private, out_of_reach = private or found.private, out_of_reach or found.out_of_reach
        failure = failure or found.failure
    return replace(last, private=private, out_of_reach=out_of_reach, failure=failure)


def families(host: str, rules: HostRules) -> tuple[str, ...]:
    """The record types to ask for, in order; a host that is an address itself has one and is not asked for."""
    if ":" in host:
        return ("AAAA",)
    if host.rpartition(".")[2].isdecimal():
        return ("A",)
    return ("A", "AAAA") if rules.ip_family[0] == "4" else ("AAAA", "A")


async def addresses_of(host: str, rrtype: str, resolve: Resolve, rules: HostRules) -> HostAddresses:
    """The addresses of one family, and what came of asking for them."""
    if len(families(host, rules)) == 1:
        return HostAddresses(addresses=(host,) if is_dialable(host, allow_private=rules.allow_private) else ())
    lookup = await resolve(host, rrtype)
    usable = tuple(a for a in lookup.values if is_dialable(a, allow_private=rules.allow_private))
    wanted = rules.ip_family.endswith("-first") or (rrtype == "A") == (rules.ip_family[0] == "4")
    return HostAddresses(
        addresses=usable[:MAX_ADDRESSES] if wanted else (),
        private=bool(lookup.values) and not usable,
        out_of_reach=bool(usable) and not wanted,
        failure=lookup if lookup.status is LookupStatus.TEMPFAIL else None,
        ttl_seconds=lookup.ttl_seconds,
        notes=(f"mail host {host} is an alias of {lookup.canonical_name}",) if lookup.canonical_name else (),
    )
