"""Names for sources: the smallest network wins; DNS is asked once an address, never more than so many at a time."""

from __future__ import annotations

import asyncio
import json

import pytest

from mailgate.dmarc import Networks, name_sources, ptr_names, read, view
from mailgate.records import Lookup, LookupStatus, ParseError
from tests.support.dmarc_reports import record, report

TABLE = Networks.parse(
    """
# ours
192.0.2.0/24      Our network
192.0.2.64/26     Newsletter   # inside
192.0.2.70
2001:db8::/32     Provider
2001:db8:1::/48   Ours, v6
0.0.0.0/0         The rest
"""
)


@pytest.mark.parametrize(
    ("ip", "name"),
    [
        ("192.0.2.1", "Our network"),
        ("192.0.2.64", "Newsletter"),
        ("192.0.2.70", "192.0.2.70"),
        ("198.51.100.1", "The rest"),
        ("2001:db8::1", "Provider"),
        ("2001:db8:1::1", "Ours, v6"),
        ("2001:db9::1", None),
        ("other", None),
        ("", None),
    ],
)
def test_the_smallest_network_names_an_address(ip: str, name: str | None) -> None:
    assert TABLE(ip) == name
    assert (ip in TABLE) == (name is not None)


def test_a_line_that_is_no_network_is_told_by_its_number() -> None:
    with pytest.raises(ParseError, match="line 2") as caught:
        Networks.parse("192.0.2.0/24 a\n300.1.1.1 b")
    assert caught.value.error == "bad_network"


def test_names_come_into_a_copy_of_the_view() -> None:
    shown = view(read(report([record(), record(source_ip="203.0.113.1")])))
    before = json.dumps(shown)
    named = name_sources(shown, {"192.0.2.1": "us"}.get)
    assert {s["ip"]: s["name"] for s in named["domains"]["example.com"]["sources"]} == {
        "192.0.2.1": "us",
        "203.0.113.1": None,
    }
    assert json.dumps(shown) == before


def test_ptr_records_are_asked_for_once_and_a_few_at_a_time() -> None:
    asked: list[str] = []
    at_once = most = 0

    async def resolve(name: str, rrtype: str) -> Lookup:
        nonlocal at_once, most
        asked.append(f"{name} {rrtype}")
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        if name.startswith("9."):
            return Lookup(name=name, rrtype=rrtype, status=LookupStatus.TEMPFAIL, detail="timeout")
        return Lookup(name=name, rrtype=rrtype, status=LookupStatus.FOUND, values=("Mail.Example.COM.",))

    ips = [f"192.0.2.{i}" for i in range(1, 30)] * 2 + ["other", "2001:db8::1"]
    names = asyncio.run(ptr_names(ips, resolve, concurrency=4))
    assert (len(asked), most) == (30, 4)
    assert "192.0.2.9" not in names
    assert names["2001:db8::1"] == "mail.example.com"
    assert "1.2.0.192.in-addr.arpa PTR" in asked
