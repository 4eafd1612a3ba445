"""What DNS says about a domain's mail: every row of the table, and nothing invalid on a doubt."""

import asyncio

import pytest

from mailgate.records import Lookup, LookupStatus
from mailgate.validator import HostRules, MailHosts, find_mail_hosts
from mailgate.validator._addresses import is_dialable
from mailgate.validator._hosts import choose_hosts

G = "8.8.8.8"
G6 = "2001:4860:4860::8888"
SERVFAIL, TIMEOUT = "servfail", "timeout"

ZONE: dict[str, dict[str, object]] = {
    "plain.example": {"MX": ("20 b.example", "10 a.example")},
    "a.example": {"A": (G,)},
    "b.example": {"A": ("9.9.9.9",), "AAAA": (G6,)},
    "six.example": {"AAAA": (G6,)},
    "null.example": {"MX": ("0 .",)},
    "odd-null.example": {"MX": ("10 .",)},
    "null-and-more.example": {"MX": ("0 .", "10 a.example")},
    "implicit.example": {"A": (G,)},
    "implicit6.example": {"AAAA": (G6,)},
    "implicit-private.example": {"A": ("10.0.0.1",)},
    "nothing.example": {"TXT": ("v=spf1 -all",)},
    "mx-servfail.example": {"MX": SERVFAIL},
    "mx-timeout.example": {"MX": TIMEOUT},
    "a-servfail.example": {"A": SERVFAIL},
    "dead-mx.example": {"MX": ("10 gone.example", "20 empty.example")},
    "empty.example": {"TXT": ("x",)},
    "dead-then-failing.example": {"MX": ("10 gone.example", "20 failing.example")},
    "failing.example": {"A": TIMEOUT, "AAAA": TIMEOUT},
    "failing-then-good.example": {"MX": ("10 failing.example", "20 a.example")},
    "half-failing.example": {"MX": ("10 half.example",)},
    "half.example": {"A": SERVFAIL, "AAAA": (G6,)},
    "private-mx.example": {"MX": ("10 private.example",)},
    "private.example": {"A": ("127.0.0.1", "10.1.2.3"), "AAAA": ("::1", "fe80::1", "fd00::1")},
    "mixed-mx.example": {"MX": ("10 mixed.example",)},
    "mixed.example": {"A": ("127.0.0.1", G)},
    "literal-mx.example": {"MX": (f"10 {G}",)},
    "localhost-mx.example": {"MX": ("10 localhost",)},
    "garbage-mx.example": {"MX": ("x y", "10", "", "99999999999 \x00", "10 a b")},
    "alias.example": {"CNAME": "plain.example"},
    "alias-mx.example": {"MX": ("10 mail-alias.example",)},
    "mail-alias.example": {"CNAME": "a.example"},
    "dangling.example": {"CNAME": "gone.example"},
    "six-mx.example": {"MX": ("10 six.example",)},
}


class Dns:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def __call__(self, name: str, rrtype: str) -> Lookup:
        self.asked.append((name, rrtype))
        canonical = None
        records = ZONE.get(name)
        while records is not None and "CNAME" in records:
            canonical = str(records["CNAME"])
            records = ZONE.get(canonical)
        values = () if records is None else records.get(rrtype, ())
        detail = values if isinstance(values, str) else ""
        if records is None:
            status = LookupStatus.NXDOMAIN
        elif detail:
            status = LookupStatus.TEMPFAIL
        else:
            status = LookupStatus.FOUND if values else LookupStatus.NODATA
        found = () if detail else tuple(values)  # type: ignore[arg-type]
        ttl = 0 if detail else 300
        return Lookup(
            name=name,
            rrtype=rrtype,
            status=status,
            values=found,
            ttl_seconds=ttl,
            canonical_name=canonical,
            detail=detail,
        )


def find(domain: str, dns: Dns | None = None, **rules: object) -> MailHosts:
    return asyncio.run(find_mail_hosts(domain, dns or Dns(), HostRules(**rules)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("domain", "status", "reason", "hosts"),
    [
        ("plain.example", "valid", "mail_host_found", ("a.example", "b.example")),
        ("six-mx.example", "valid", "mail_host_found", ("six.example",)),
        ("null.example", "invalid", "null_mx", ()),
        ("odd-null.example", "invalid", "null_mx", ()),
        ("null-and-more.example", "valid", "mail_host_found", ("a.example",)),
        ("implicit.example", "valid", "mail_host_found", ("implicit.example",)),
        ("implicit6.example", "valid", "mail_host_found", ("implicit6.example",)),
        ("implicit-private.example", "invalid", "mx_unusable", ()),
        ("nothing.example", "invalid", "no_mail_host", ()),
        ("gone.example", "invalid", "domain_not_found", ()),
        ("mx-servfail.example", "unknown", "dns_error", ()),
        ("mx-timeout.example", "unknown", "dns_timeout", ()),
        ("a-servfail.example", "unknown", "dns_error", ()),
        ("dead-mx.example", "invalid", "mx_unusable", ()),
        ("dead-then-failing.example", "unknown", "dns_timeout", ()),
        ("failing-then-good.example", "valid", "mail_host_found", ("a.example",)),
        ("half-failing.example", "valid", "mail_host_found", ("half.example",)),
        ("private-mx.example", "invalid", "mx_unusable", ()),
        ("mixed-mx.example", "valid", "mail_host_found", ("mixed.example",)),
        ("literal-mx.example", "invalid", "mx_unusable", ()),
        ("localhost-mx.example", "invalid", "mx_unusable", ()),
        ("garbage-mx.example", "invalid", "mx_unusable", ()),
        ("alias.example", "valid", "mail_host_found", ("a.example", "b.example")),
        ("alias-mx.example", "valid", "mail_host_found", ("mail-alias.example",)),
        ("dangling.example", "invalid", "domain_not_found", ()),
        ("[8.8.8.8]", "valid", "mail_host_found", ("8.8.8.8",)),
        ("[127.0.0.1]", "invalid", "mx_unusable", ()),
        ("[IPv6:::1]", "invalid", "mx_unusable", ()),
        (f"[IPv6:{G6}]", "valid", "mail_host_found", (G6,)),
    ],
)
def test_every_situation(domain: str, status: str, reason: str, hosts: tuple[str, ...]) -> None:
    found = find(domain)
    assert (str(found.status), str(found.reason), found.hosts) == (status, reason, hosts)


def test_oddities_are_noted() -> None:
    assert find("implicit.example").implicit_mx
    assert not find("plain.example").implicit_mx
    assert find("alias.example").notes == ("alias.example is an alias of plain.example",)
    assert find("alias-mx.example").notes == ("mail host mail-alias.example is an alias of a.example",)
    assert find("mx-timeout.example").notes == ("mx-timeout.example MX: timeout",)


def test_no_more_is_asked_than_is_needed() -> None:
    dns = Dns()
    find("plain.example", dns)
    assert dns.asked == [("plain.example", "MX"), ("a.example", "A")]
    dns = Dns()
    find("six-mx.example", dns)
    assert dns.asked == [("six-mx.example", "MX"), ("six.example", "A"), ("six.example", "AAAA")]


@pytest.mark.parametrize(
    "domain", ["a.test", "x.invalid", "printer.local", "localhost", "a.b.onion", "x.arpa", "x.alt"]
)
def test_names_that_are_not_on_the_internet_are_not_asked_for(domain: str) -> None:
    dns = Dns()
    found = find(domain, dns)
    assert (str(found.status), str(found.reason)) == ("invalid", "special_use_domain")
    assert dns.asked == []


def test_special_use_names_may_be_allowed() -> None:
    dns = Dns()
    assert str(find("mail.target.test", dns, allow_special_use=("test",)).reason) == "domain_not_found"
    assert str(find("other.test", Dns(), allow_special_use=("target.test",)).reason) == "special_use_domain"
    assert str(find("mail.target.test", Dns(), allow_special_use=("target.test",)).reason) == "domain_not_found"
    assert str(find("mail.example", Dns()).reason) == "domain_not_found", "RFC 6761 6.5: not special to us"


def test_private_targets_when_asked_to() -> None:
    found = find("private-mx.example", allow_private=True)
    assert found.hosts == ("private.example",)


@pytest.mark.parametrize(
    ("family", "domain", "first"),
    [
        ("4-first", "b.example", "A"),
        ("6-first", "b.example", "AAAA"),
        ("4-only", "b.example", "A"),
        ("6-only", "b.example", "AAAA"),
    ],
)
def test_the_family_that_is_asked_for_first(family: str, domain: str, first: str) -> None:
    dns = Dns()
    find(domain, dns, ip_family=family)
    assert dns.asked == [(domain, "MX"), (domain, first)]


def test_a_family_that_is_switched_off_makes_nothing_invalid() -> None:
    """The host is there; that we may not use its addresses says nothing about it."""
    assert str(find("six-mx.example", ip_family="4-only").status) == "valid"
    assert str(find("plain.example", ip_family="6-only").status) == "valid"


def test_one_deadline_for_everything_about_a_domain() -> None:
    class Slow(Dns):
        async def __call__(self, name: str, rrtype: str) -> Lookup:
            await asyncio.sleep(0.03)
            return await super().__call__(name, rrtype)

    dns = Slow()
    found = find("dead-mx.example", dns, deadline_seconds=0.05)
    assert (str(found.status), str(found.reason)) == ("unknown", "dns_timeout")
    assert len(dns.asked) < 4


def test_equal_preferences_are_mixed_and_stay_as_they_are() -> None:
    values = tuple(f"10 mx{i}.example" for i in range(6))
    first = choose_hosts(values, "one.example")
    assert choose_hosts(tuple(reversed(values)), "one.example") == first
    assert any(choose_hosts(values, f"d{i}.example")[0] != first[0] for i in range(20))
    assert choose_hosts(("10 b.example", "10 B.example."), "x") == ("b.example",)


def test_no_more_hosts_than_anybody_has() -> None:
    assert len(choose_hosts(tuple(f"{i} mx{i}.example" for i in range(1000)), "x")) <= 50


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        (G, True, True), (G6, True, True), ("127.0.0.1", False, True), ("127.255.0.9", False, True),
        ("10.0.0.1", False, True), ("172.16.0.1", False, True), ("192.168.1.1", False, True),
        ("169.254.169.254", False, True), ("100.64.0.1", False, True), ("192.0.2.1", False, True),
        ("198.18.0.1", False, True), ("0.0.0.0", False, False), ("0.1.2.3", False, False),
        ("255.255.255.255", False, False), ("224.0.0.1", False, False), ("240.0.0.1", False, True),
        ("::1", False, True), ("::", False, False), ("fe80::1", False, True), ("fd00::1", False, True),
        ("ff02::1", False, False), ("2001:db8::1", False, True), ("::ffff:127.0.0.1", False, True),
        ("::ffff:8.8.8.8", True, True), ("2002:7f00:1::", False, True), ("2002:808:808::", True, True),
        ("64:ff9b::7f00:1", False, True), ("64:ff9b::808:808", True, True), ("64:ff9b::a00:1", False, True),
        ("mx.example", False, False), ("", False, False), ("1.2.3", False, False), ("fe80::1%eth0", False, True),
    ],
)  # fmt: skip
def test_which_addresses_may_be_dialled(address: str, public: bool, private: bool) -> None:
    assert is_dialable(address) is public
    assert is_dialable(address, allow_private=True) is private
