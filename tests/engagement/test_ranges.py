"""Sets of IP networks."""

from __future__ import annotations

import json
import random
from ipaddress import ip_address, ip_network

import pytest

from mailgate.engagement import IPRanges
from mailgate.records import ParseError


def test_membership() -> None:
    ranges = IPRanges(["192.0.2.0/24", "198.51.100.7", "2001:db8::/32", "10.0.0.1/8"])
    inside = [
        "192.0.2.0",
        "192.0.2.255",
        "198.51.100.7",
        "2001:db8::1",
        "2001:db8:ffff::",
        "10.255.255.255",
        "::ffff:192.0.2.1",
    ]
    outside = [
        "192.0.1.255",
        "192.0.3.0",
        "198.51.100.6",
        "2001:db9::",
        "11.0.0.0",
        "",
        "nonsense",
        "192.0.2",
        "::",
        "192.0.2.1 ",
    ]
    assert all(address in ranges for address in inside)
    assert not any(address in ranges for address in outside)
    assert 7 not in ranges
    assert "192.0.2.1" not in IPRanges()
    assert len(ranges) == 4


def test_against_the_standard_library() -> None:
    rng = random.Random(1)
    networks = [
        f"{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}.0/{rng.randrange(8, 29)}" for _ in range(60)
    ]
    networks += [f"2001:{rng.randrange(9):x}:{rng.randrange(9):x}::/{rng.randrange(20, 64)}" for _ in range(40)]
    ranges = IPRanges(networks)
    reference = [ip_network(network, strict=False) for network in networks]
    for _ in range(3_000):
        network = rng.choice(reference)
        number = int(network.network_address) + rng.randrange(-2, network.num_addresses + 2)
        address = (
            ip_address(max(number, 1 << 33)) if network.version == 6 else ip_address(max(0, min(number, 2**32 - 1)))
        )
        expected = any(address in other for other in reference if other.version == address.version)
        assert (str(address) in ranges) is expected, address


def test_touching_and_overlapping_networks_are_joined() -> None:
    ranges = IPRanges(["10.0.0.0/25", "10.0.0.128/25", "10.0.0.64/26", "10.0.1.0/24", "0.0.0.0/32", "255.255.255.255"])
    assert len(ranges) == 3
    assert "255.255.255.255" in ranges
    assert "0.0.0.0" in ranges


LISTS = [
    ("192.0.2.0/24\n\n# comment\n2001:db8::/32 # more\n", "lines"),
    ("172.224.224.0/27,GB,GB-EN,London,\n192.0.2.0/24,DE,,,\n2001:db8::/64,US,,,", "CSV of an egress list"),
    ("\ufeff192.0.2.0/24\r\n2001:db8::/32\r\n", "a byte order mark"),
    (
        json.dumps({"syncToken": "1", "prefixes": [{"ipv4Prefix": "192.0.2.0/24"}, {"ipv6Prefix": "2001:db8::/32"}]}),
        "prefixes",
    ),
    (
        json.dumps([{"id": 1, "urls": ["x.example"], "ips": ["192.0.2.0/24", "2001:db8::/32"], "tcpPorts": "80,443"}]),
        "endpoints",
    ),
]


@pytest.mark.parametrize(("text", "why"), LISTS)
def test_published_lists(text: str, why: str) -> None:
    ranges = IPRanges.parse(text)
    assert "192.0.2.9" in ranges, why
    assert "2001:db8::9" in ranges
    assert "203.0.113.1" not in ranges


@pytest.mark.parametrize(
    "text", ["nonsense", "192.0.2.0/33", "{", "[" * 100_000, "{}", '{"a": ["b"]}', "1.2.3.4/24\nx", '["\ud800"]']
)
def test_what_is_no_list(text: str) -> None:
    with pytest.raises(ParseError, match="not_ip_ranges"):
        IPRanges.parse(text)


def test_an_empty_list_is_an_empty_set() -> None:
    assert len(IPRanges.parse("# nothing yet\n")) == 0
