"""`DnsResolver` against a scripted server: every outcome is a value, and no two of them are confused."""

import asyncio
from typing import Any

import pytest

from mailgate.records import Lookup, LookupStatus
from mailgate.resolver import DnsResolver
from tests.support.dns_world import REFUSED, SERVFAIL, SILENT, Behaviour, DnsWorld, Odd, free_udp_port

MX = {"MX": ["10 mx.example.com"]}
ZONE = {
    "example.com": {"MX": ["10 MX1.example.com", "20 mx2.example.com"], "A": ["192.0.2.1"], "TXT": ['"a b" "c"']},
    "mx1.example.com": {"A": ["127.0.0.2"], "AAAA": ["2001:db8::1"]},
    "null.example": {"MX": ["0 ."]},
    "alias.example": {"CNAME": ["middle.example"]},
    "middle.example": {"CNAME": ["example.com"]},
    "alias-to-nothing.example": {"CNAME": ["nowhere.example"]},
    "alias-to-nodata.example": {"CNAME": ["mx1.example.com"]},
    "servfail.example": SERVFAIL,
    "refused.example": REFUSED,
    "silent.example": SILENT,
    "big.example": Odd(Behaviour.TRUNCATED, {"MX": [f"{i} mx{i}.big.example" for i in range(200)]}),
    "big-silent.example": Odd(Behaviour.TRUNCATED_ALWAYS_SILENT_TCP),
    "garbage.example": Odd(Behaviour.GARBAGE),
    "forged-id.example": Odd(Behaviour.WRONG_ID_FIRST, MX),
    "forged-question.example": Odd(Behaviour.WRONG_QUESTION_FIRST, MX),
    "no-edns.example": Odd(Behaviour.FORMERR_ON_EDNS, MX),
    "referral.example": Odd(Behaviour.REFERRAL),
    "loop.example": Odd(Behaviour.CNAME_LOOP),
    "liar.example": Odd(Behaviour.ANSWER_WITH_NXDOMAIN, MX),
    "*.wild.example": {"MX": ["5 mx.wild.example"]},
    "latin1.example": {"TXT": ['"caf\\233"']},
}


def ask(name: str, rrtype: str, zone: dict[str, Any] = ZONE, **world_options: Any) -> Lookup:
    async def run() -> Lookup:
        async with DnsWorld(zone, **world_options) as world:
            resolve = DnsResolver(nameservers=[world.host], port=world.port, timeout_seconds=0.05, deadline_seconds=0.5)
            return await resolve(name, rrtype)

    return asyncio.run(run())


FOUND, NODATA, NXDOMAIN, TEMPFAIL = LookupStatus


@pytest.mark.parametrize(
    ("name", "rrtype", "status", "values", "detail", "why"),
    [
        ("example.com", "MX", FOUND, ("10 MX1.example.com", "20 mx2.example.com"), "", "as sent, no dots"),
        ("Example.COM.", "mx", FOUND, ("10 MX1.example.com", "20 mx2.example.com"), "", "any spelling of the question"),
        ("example.com", "TXT", FOUND, ("a bc",), "", "character strings joined"),
        ("latin1.example", "TXT", FOUND, ("caf\\xe9",), "", "bytes that are not UTF-8 stay readable"),
        ("mx1.example.com", "AAAA", FOUND, ("2001:db8::1",), "", "addresses"),
        ("null.example", "MX", FOUND, ("0 .",), "", "null MX keeps its dot (RFC 7505)"),
        ("mx1.example.com", "MX", NODATA, (), "", "the name is there, the type is not"),
        ("example", "MX", NODATA, (), "", "an empty non-terminal exists"),
        ("nowhere.example", "MX", NXDOMAIN, (), "", "no such name"),
        ("any.wild.example", "MX", FOUND, ("5 mx.wild.example",), "", "wildcard"),
        ("servfail.example", "MX", TEMPFAIL, (), "servfail", "not the same as refused"),
        ("refused.example", "MX", TEMPFAIL, (), "refused", "not the same as servfail"),
        ("silent.example", "MX", TEMPFAIL, (), "timeout", "nobody answers"),
        ("garbage.example", "MX", TEMPFAIL, (), "timeout", "datagrams that are no messages are no answers"),
        ("forged-id.example", "MX", FOUND, ("10 mx.example.com",), "", "RFC 5452: a wrong id is ignored"),
        ("forged-question.example", "MX", FOUND, ("10 mx.example.com",), "", "RFC 5452: so is a wrong question"),
        ("no-edns.example", "MX", FOUND, ("10 mx.example.com",), "", "FORMERR: asked again without EDNS"),
        ("referral.example", "MX", TEMPFAIL, (), "lame", "a referral is no answer, above all not 'no data'"),
        ("loop.example", "MX", TEMPFAIL, (), "malformed", "a CNAME loop"),
        ("liar.example", "MX", TEMPFAIL, (), "malformed", "NXDOMAIN and an answer contradict each other"),
        ("big-silent.example", "MX", TEMPFAIL, (), "timeout", "truncated, and TCP never answers"),
        ("a..example", "MX", TEMPFAIL, (), "malformed", "no name at all"),
        ("x" * 64 + ".example", "MX", TEMPFAIL, (), "malformed", "a label above 63 octets"),
        ("münchen.example", "MX", TEMPFAIL, (), "malformed", "A-labels only"),
        ("\x00\\999.example", "MX", TEMPFAIL, (), "malformed", "an escape that is none"),
    ],
)  # fmt: skip
def test_every_outcome_is_its_own_value(
    name: str, rrtype: str, status: LookupStatus, values: tuple[str, ...], detail: str, why: str
) -> None:
    lookup = ask(name, rrtype)
    # A server sends the records of a set in any order (RFC 2181 5).
    assert (lookup.status, sorted(lookup.values), lookup.detail) == (status, sorted(values), detail), why
    assert lookup.rrtype == rrtype.upper()
    assert (lookup.ttl_seconds == 0) == (status is TEMPFAIL)


def test_a_cname_chain_is_followed_and_named() -> None:
    lookup = ask("alias.example", "MX")
    assert lookup.status is FOUND
    assert lookup.canonical_name == "example.com"
    assert ask("alias-to-nothing.example", "MX").status is NXDOMAIN
    assert ask("alias-to-nodata.example", "MX").status is NODATA


def test_a_chain_that_the_server_leaves_open_is_followed_by_new_questions() -> None:
    lookup = ask("alias.example", "MX", follow_cname=False)
    assert lookup.status is FOUND
    assert "10 MX1.example.com" in lookup.values
    assert lookup.name == "alias.example"
    assert lookup.canonical_name == "example.com"


def test_a_truncated_answer_is_fetched_by_tcp() -> None:
    async def run() -> None:
        async with DnsWorld(ZONE) as world:
            lookup = await DnsResolver(nameservers=[world.host], port=world.port)("big.example", "MX")
            assert len(lookup.values) == 200
            assert world.tcp_questions == [("big.example", "MX")]

    asyncio.run(run())


def test_ttl_is_that_of_the_answer_and_bounded() -> None:
    assert ask("example.com", "MX", ttl=77).ttl_seconds == 77
    assert ask("nowhere.example", "MX", ttl=33).ttl_seconds == 33
    assert ask("example.com", "MX", ttl=2**31 - 1).ttl_seconds == 604_800


def test_the_next_server_is_asked_and_remembered() -> None:
    async def run() -> None:
        broken = DnsWorld({"example.com": SERVFAIL}, host="127.0.0.2")
        async with broken, DnsWorld(ZONE, host="127.0.0.3", port=broken.port) as good:
            resolve = DnsResolver(nameservers=[broken.host, good.host], port=good.port, timeout_seconds=0.1)
            assert (await resolve("example.com", "MX")).status is FOUND
            assert (await resolve("example.com", "A")).status is FOUND
            assert broken.questions == [("example.com", "MX")]
            assert good.questions == [("example.com", "MX"), ("example.com", "A")]

    asyncio.run(run())


def test_a_server_that_failed_is_asked_a_second_time_before_giving_up() -> None:
    async def run() -> None:
        async with DnsWorld(ZONE) as world:
            resolve = DnsResolver(nameservers=[world.host], port=world.port, timeout_seconds=0.05)
            await resolve("servfail.example", "MX")
            assert world.questions == [("servfail.example", "MX")] * 2

    asyncio.run(run())


def test_nobody_on_the_port_is_unreachable() -> None:
    with free_udp_port() as port:
        resolve = DnsResolver(nameservers=["127.0.0.1"], port=port, timeout_seconds=0.05)
        lookup = asyncio.run(resolve("example.com", "MX"))
    assert (lookup.status, lookup.detail) == (TEMPFAIL, "unreachable")


def test_the_deadline_holds_for_the_whole_lookup() -> None:
    """Two servers, two rounds of 10 s each would be 40 s; the deadline ends all of it."""

    async def run() -> float:
        async with DnsWorld(ZONE, host="127.0.0.2") as world:
            resolve = DnsResolver(
                nameservers=["127.0.0.2", "127.0.0.2"], port=world.port, timeout_seconds=10, deadline_seconds=0.05
            )
            lookup = await resolve("silent.example", "MX")
            assert lookup.detail == "timeout"
            return len(world.questions)

    assert asyncio.run(run()) == 1


def test_the_question_leaves_from_the_source_address() -> None:
    async def run() -> Lookup:
        async with DnsWorld(ZONE) as world:
            return await DnsResolver(nameservers=[world.host], port=world.port, source_ip="127.0.0.9")(
                "big.example", "MX"
            )

    assert asyncio.run(run()).status is FOUND
    elsewhere = DnsResolver(nameservers=["127.0.0.1"], source_ip="192.0.2.1", timeout_seconds=0.05)
    assert asyncio.run(elsewhere("example.com", "MX")).detail == "unreachable"


def test_questions_in_parallel_do_not_mix() -> None:
    zone = {f"d{i}.example": {"MX": [f"10 mx{i}.example"]} for i in range(50)}

    async def run() -> list[Lookup]:
        async with DnsWorld(zone, delay_seconds=0.01) as world:
            resolve = DnsResolver(nameservers=[world.host], port=world.port)
            return await asyncio.gather(*(resolve(f"d{i}.example", "MX") for i in range(50)))

    assert [lookup.values for lookup in asyncio.run(run())] == [(f"10 mx{i}.example",) for i in range(50)]


def test_mistakes_of_the_caller_are_errors() -> None:
    with pytest.raises(ValueError, match="NONSENSE"):
        asyncio.run(DnsResolver(nameservers=["127.0.0.1"])("example.com", "NONSENSE"))
    with pytest.raises(ValueError, match="empty"):
        DnsResolver(nameservers=[])
    with pytest.raises(ValueError, match=r"'dns\.example'"):
        DnsResolver(nameservers=["dns.example"])
    with pytest.raises(ValueError, match="time limits"):
        DnsResolver(nameservers=["127.0.0.1"], timeout_seconds=0)


def test_the_system_has_servers() -> None:
    assert DnsResolver().nameservers
