import asyncio

import pytest

from mailgate.records import LookupStatus
from mailgate.resolver import StaticResolver, resolve_sync

ZONE = {
    "example.com": {"MX": ["10 mx.example.com"]},
    "deep.below.example.org": {"A": ["192.0.2.1"]},
    "*.wild.example": {"TXT": ["w"]},
    "alias.example": {"CNAME": ["Example.COM."]},
    "loop.example": {"CNAME": ["loop.example"]},
    "broken.example": LookupStatus.TEMPFAIL,
    "gone.example": LookupStatus.NXDOMAIN,
}
FOUND, NODATA, NXDOMAIN, TEMPFAIL = LookupStatus


@pytest.mark.parametrize(
    ("name", "rrtype", "status"),
    [
        ("example.com", "MX", FOUND),
        ("EXAMPLE.com.", "mx", FOUND),
        ("example.com", "A", NODATA),
        ("below.example.org", "A", NODATA),
        ("org", "A", NODATA),
        ("wild.example", "TXT", NODATA),
        ("a.wild.example", "TXT", FOUND),
        ("a.b.wild.example", "TXT", NXDOMAIN),
        ("alias.example", "MX", FOUND),
        ("loop.example", "MX", TEMPFAIL),
        ("broken.example", "A", TEMPFAIL),
        ("gone.example", "A", NXDOMAIN),
        ("other.example", "A", NXDOMAIN),
    ],
)
def test_it_answers_as_a_server_with_that_zone_would(name: str, rrtype: str, status: LookupStatus) -> None:
    assert resolve_sync(name, rrtype, StaticResolver(ZONE)).status is status


def test_it_remembers_what_was_asked_and_gives_its_ttl() -> None:
    resolve = StaticResolver(ZONE, ttl_seconds=5)
    assert resolve_sync("alias.example", "MX", resolve).ttl_seconds == 5
    assert resolve_sync("broken.example", "MX", resolve).ttl_seconds == 0
    assert list(resolve.asked) == [("alias.example", "MX"), ("broken.example", "MX")]


def test_the_end_of_a_chain_is_named() -> None:
    lookup = asyncio.run(StaticResolver(ZONE)("alias.example", "MX"))
    assert lookup.canonical_name == "example.com"
    assert lookup.values == ("10 mx.example.com",)
