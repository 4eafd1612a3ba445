"""A list on its way through: bounds, order, duplicates, second chances, and bugs that stay bugs."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from mailgate.records import Lookup
from mailgate.validator import (
    Advice,
    Finding,
    Level,
    Progress,
    Settings,
    SourceAddressError,
    Status,
    Validation,
    Validator,
    stream_sync,
    validate,
    validate_sync,
)
from tests.support.dns_world import InThread
from tests.support.smtp_world import Connection, Greylisting, OnePerTransaction, Persona, knows
from tests.validator.world import GUARD_SECONDS, Names, World, told

DNS = Settings(level=Level.DNS)
SYNTAX = Settings(level=Level.SYNTAX)


def good_names(count: int = 10) -> Names:
    names = Names()
    for i in range(count):
        names.domain(f"d{i}.example", (f"mx.d{i}.example", "8.8.8.8"))
    return names


def collect(addresses: Any, settings: Settings = DNS, resolve: Any = None, **options: Any) -> list[Validation]:
    async def run() -> list[Validation]:
        validator_options = {k: options.pop(k) for k in ("on_progress", "state", "utcnow") if k in options}
        resolver = resolve or good_names()
        async with (
            Validator(settings, resolve=resolver, **validator_options) as validator,
            asyncio.timeout(GUARD_SECONDS),
        ):
            return [result async for result in validator.stream(addresses, **options)]

    return asyncio.run(run())


# --- levels -----------------------------------------------------------------------------------------------------------


def test_each_level_looks_as_far_as_it_says() -> None:
    (form,) = collect(["ann@nowhere.example"], SYNTAX)
    assert (form.status, form.reason, str(form.layer)) == (Status.VALID, Finding.SYNTAX_OK, "syntax")
    (found,) = collect(["ann@d1.example"])
    assert (found.status, found.reason, str(found.layer)) == (Status.VALID, Finding.MAIL_HOST_FOUND, "dns")
    assert found.mx_host == "mx.d1.example"
    (fault,) = collect(["ann@@d1.example"])
    assert (str(fault.reason), fault.position, fault.mailbox, fault.advice) == (
        "empty_local",
        4,
        None,
        Advice.DROP,
    ) or (str(fault.reason) == "two_at_signs")


def test_a_level_that_needs_names_needs_a_resolver() -> None:
    with pytest.raises(ValueError, match="resolve"):
        Validator(DNS)
    assert str(validate_sync("a@b.example", SYNTAX).status) == "valid"


def test_an_empty_cache_is_a_resolver_too() -> None:
    """It has a length, and an empty one is false."""

    class Cache(Names):
        def __len__(self) -> int:
            return 0

    resolve = Cache({("d.example", "MX"): ("0 .",)})
    assert not resolve
    assert str(validate_sync("a@d.example", DNS, resolve=resolve).reason) == "null_mx"


def test_one_address() -> None:
    result = asyncio.run(validate("Ann@D1.example", DNS, resolve=good_names()))
    assert result.mailbox is not None
    assert result.mailbox.normalized == "Ann@d1.example"
    assert result.input == "Ann@D1.example"


def test_flags_and_suggestions_come_with_every_level() -> None:
    settings = Settings(
        level=Level.DNS,
        disposable=frozenset(("d1.example",)),
        free=frozenset(("d2.example",)),
        role_names=frozenset(("ann",)),
    )
    one, two, typo = collect(["ann@d1.example", "bob@d2.example", "bob@gnail.con"], settings, ordered=True)
    assert (one.role, one.disposable, one.free) == (True, True, False)
    assert (two.role, two.disposable, two.free) == (False, False, True)
    assert (typo.status, typo.suggestion) == (Status.INVALID, "bob@gmail.com")
    (form,) = collect(["ann@gmial.com"], SYNTAX)
    assert (form.suggestion, form.disposable) == ("ann@gmail.com", None)


def test_advice_of_ones_own() -> None:
    settings = Settings(level=Level.DNS, advice={"null_mx": Advice.REVIEW, "empty": Advice.REVIEW})
    names = Names({("null.example", "MX"): ("0 .",)})
    results = collect(["a@null.example", ""], settings, names)
    assert [result.advice for result in results] == [Advice.REVIEW] * 2 or {r.advice for r in results} == {
        Advice.REVIEW
    }


def test_results_travel() -> None:
    (result,) = collect(["ann@d1.example"])
    assert pickle.loads(pickle.dumps(result)) == result
    again = Validation.from_dict(result.to_dict(), mailbox=result.mailbox)
    assert again.to_dict() == result.to_dict()


# --- bounds, order, duplicates ----------------------------------------------------------------------------------------


def test_in_order_and_as_they_come() -> None:
    addresses = [f"u{i}@d{i % 10}.example" if i % 3 else f"broken {i}" for i in range(600)]
    assert [result.input for result in collect(addresses, ordered=True)] == addresses
    assert sorted(result.input for result in collect(addresses)) == sorted(addresses)


@pytest.mark.parametrize("ordered", [True, False])
def test_a_list_is_read_no_further_ahead_than_it_may(ordered: bool) -> None:
    """A domain that DNS never answers for holds its addresses; the list behind it is not read without end."""
    taken = 0

    def source() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield f"u{taken}@stuck.example"

    async def stuck(name: str, rrtype: str) -> Lookup:
        await asyncio.Event().wait()
        raise AssertionError

    async def run() -> None:
        async with (
            Validator(Settings(level=Level.DNS, look_ahead=1000), resolve=stuck) as validator,
            aclosing(validator.stream(source(), ordered=ordered)) as results,
        ):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(results), 0.1)

    asyncio.run(run())
    assert 1000 <= taken <= 1000 + 256


def test_a_consumer_that_takes_its_time_is_not_run_over() -> None:
    taken = 0

    def source() -> Iterator[str]:
        nonlocal taken
        for taken in range(1, 100_001):
            yield f"u{taken}@d1.example"

    async def run() -> int:
        async with Validator(DNS, resolve=good_names()) as v, aclosing(v.stream(source())) as results:
            async for _ in results:
                await asyncio.sleep(0.01)
                return taken
        raise AssertionError

    assert asyncio.run(run()) <= 256 * 10


def test_an_asynchronous_source_that_is_slow_and_one_that_is_fast() -> None:
    async def source(count: int, pause: float) -> AsyncIterator[str]:
        for i in range(count):
            if pause:
                await asyncio.sleep(pause)
            yield f"u{i}@d{i % 10}.example"

    assert len(collect(source(5, 0.01))) == 5
    assert [r.input for r in collect(source(2000, 0), ordered=True)] == [f"u{i}@d{i % 10}.example" for i in range(2000)]


def test_a_slow_source_does_not_hold_back_results() -> None:
    async def run() -> str:
        gate = asyncio.Event()

        async def source() -> AsyncIterator[str]:
            yield "first@d1.example"
            await gate.wait()
            yield "second@d1.example"

        async with Validator(DNS, resolve=good_names()) as v, aclosing(v.stream(source())) as results:
            first = await anext(results)
            gate.set()
            return first.input + (await anext(results)).input

    assert asyncio.run(run()) == "first@d1.examplesecond@d1.example"


def test_rows_come_back_with_their_results() -> None:
    async def run() -> list[tuple[dict[str, str], str]]:
        rows = [{"name": "Ann", "mail": "ann@d1.example"}, {"name": "Bob", "mail": "bob"}]
        async with Validator(DNS, resolve=good_names()) as validator:
            pairs = ((row, row["mail"]) for row in rows)
            return [(row, str(result.status)) async for row, result in validator.stream_rows(pairs, ordered=True)]

    assert asyncio.run(run()) == [
        ({"name": "Ann", "mail": "ann@d1.example"}, "valid"),
        ({"name": "Bob", "mail": "bob"}, "invalid"),
    ]


@pytest.mark.parametrize("ordered", [True, False])
def test_duplicates_are_asked_for_once_and_answered_each(ordered: bool) -> None:
    world = World({"normal.test": Persona(rcpt=knows("ann"))})
    addresses = ["ann@normal.test", "ANN@Normal.test", "zoe@normal.test", "ann@NORMAL.test", '"ann"@normal.test'] * 40
    results = world.run(addresses, ordered=ordered, look_ahead=60)
    assert sorted(r.input for r in results) == sorted(addresses)
    assert {r.input.lower() for r in results if r.status is Status.VALID} == {"ann@normal.test"}
    assert sorted(world.smtp.recipients()) == ["ann@normal.test", "zoe@normal.test"]
    for result in results:
        if result.mailbox is not None:
            assert result.mailbox.original == result.input


def test_two_streams_share_the_limits() -> None:
    world = World({f"d{i}.test": Persona(delay_seconds=0.003, rcpt=knows("ann")) for i in range(12)})

    async def run() -> list[list[Validation]]:
        async with world.smtp, Validator(world.settings(connections=4), resolve=world.names) as validator:

            async def one(local: str) -> list[Validation]:
                stream = validator.stream([f"{local}@d{i}.test" for i in range(12)])
                return [result async for result in stream]

            return await asyncio.gather(one("ann"), one("zoe"))

    ann, zoe = asyncio.run(run())
    assert {r.status for r in zoe} == {Status.INVALID}
    assert {r.status for r in ann} == {Status.VALID}
    assert world.smtp.most_open <= 4


# --- second chances ---------------------------------------------------------------------------------------------------


def test_who_may_not_wait_is_told_when_to_come_back() -> None:
    def persona() -> Persona:
        return Persona(rcpt=Greylisting(knows("ann"), 0.1))

    impatient = World({"greylist.test": persona()})
    (result,) = impatient.run(["ann@greylist.test"], max_wait_seconds=0)
    assert (result.status, str(result.reason), result.retry_after) == (Status.UNKNOWN, "greylisted", 300)
    assert result.advice is Advice.RETRY
    once = World({"greylist.test": persona()})
    (result,) = once.run(["ann@greylist.test"], greylist_delays=())
    assert str(result.reason) == "greylisted"
    assert len(once.smtp.log) == 1
    twice = World({"greylist.test": Persona(rcpt=Greylisting(knows("ann"), 0.25))})
    (result,) = twice.run(["zoe@greylist.test"], greylist_delays=(0.02, 0.3))
    assert (str(result.reason), result.attempts) == ("mailbox_not_found", 3)


def test_validate_does_not_wait_unless_told_to() -> None:
    world = World({"greylist.test": Persona(rcpt=Greylisting(knows("ann"), 0.1)), "busy.test": Persona(banner="421")})

    async def run() -> tuple[Validation, Validation, Validation]:
        async with world.smtp, Validator(world.settings(rest_seconds=60), resolve=world.names) as validator:
            busy = await validator.validate("ann@busy.test")
            return (
                busy,
                await validator.validate("ann@greylist.test"),
                await validator.validate("bob@greylist.test", max_wait_seconds=2),
            )

    busy, at_once, patient = asyncio.run(run())
    assert (str(busy.reason), busy.advice, busy.retry_after) == ("blocked", Advice.FIX_SENDER, None)
    assert str(at_once.reason) == "greylisted"
    assert str(patient.reason) == "mailbox_not_found"


def test_a_resting_group_holds_back_nobody_else() -> None:
    world = World(
        {"busy.test": Persona(banner="421 4.7.0 too many connections"), "normal.test": Persona(rcpt=knows("a"))}
    )
    order = [r.input for r in world.run(["x@busy.test", *(f"u{i}@normal.test" for i in range(30))], rest_seconds=0.2)]
    assert order[-1] == "x@busy.test"


def test_dns_gets_a_second_chance_at_the_end() -> None:
    names = good_names()
    names.records["flaky.example", "MX"] = "timeout"

    class Flaky:
        async def __call__(self, name: str, rrtype: str) -> Lookup:
            lookup = await names(name, rrtype)
            if name == "flaky.example":
                names.domain("flaky.example", ("mx.flaky.example", "8.8.8.8"))
            return lookup

    results = told(collect(["a@flaky.example", "b@flaky.example", "a@d1.example"], resolve=Flaky()))
    assert set(results.values()) == {("valid", "mail_host_found", None)}
    names.records["flaky.example", "MX"] = "servfail"
    (dead,) = collect(["a@flaky.example"], resolve=names)
    assert (str(dead.reason), dead.advice) == ("dns_error", Advice.RETRY)
    assert names.asked.count(("flaky.example", "MX")) >= 2


def test_an_ordered_list_does_not_wait_for_its_own_end() -> None:
    """An address that waits for the end of the list holds back what comes behind it, but not for good."""
    names = good_names()
    names.records["dead.example", "MX"] = "timeout"
    addresses = [f"u{i}@{'dead' if i % 300 == 0 else f'd{i % 10}'}.example" for i in range(3_000)]
    settings = Settings(level=Level.DNS, look_ahead=100)
    results = collect(addresses, settings, names, ordered=True)
    assert [result.input for result in results] == addresses
    assert sum(result.reason is Finding.DNS_TIMEOUT for result in results) == 10


@pytest.mark.parametrize("ordered", [True, False])
def test_duplicates_of_an_address_that_waits_for_dns_do_not_wait_for_ever(ordered: bool) -> None:
    """More of them than may be read ahead: they are open, and only the end of the list could answer them."""
    world = World({"normal.test": Persona(rcpt=knows("ann"))})
    world.names.records["dead.test", "MX"] = "timeout"
    addresses = [f"u{i}@{'normal' if i % 5 == 4 else 'dead'}.test" for i in range(5)] * 100
    results = world.run(addresses, ordered=ordered, look_ahead=60)
    assert sorted(r.input for r in results) == sorted(addresses)
    assert sum(r.reason is Finding.DNS_TIMEOUT for r in results) == 400


class OneClient(Persona):
    """Takes its first client, and tells every other that there is one: `seconds` after it said EHLO."""

    def __init__(self, rcpt: Any, seconds: float) -> None:
        super().__init__(rcpt=rcpt, delay_seconds=0.02)
        self.seconds = seconds

    def answer(self, connection: Connection, line: str) -> str | None:
        self.delay_seconds = 0.02 if connection.number == 1 else self.seconds if line[0] == "E" else 0.001
        return super().answer(connection, line) if connection.number == 1 else "550 5.5.2 one client is enough"


def test_who_is_brought_back_to_a_domain_that_was_closed_is_told_why() -> None:
    """The second connection is refused for good; then the first brings back whom the host would not take as second."""
    rcpt = OnePerTransaction(knows("a", "b", "c", "d"), per_connection=True)
    world = World({"one.test": OneClient(rcpt, 0.12)})
    results = told(world.run([f"{name}@one.test" for name in "abcd"], recipients_per_connection=2, ordered=True))
    assert results["a@one.test"] == ("unknown", "catch_all_undetermined", None)
    assert set(results.values()) == {results["a@one.test"], ("unknown", "protocol_error", None)}


def test_who_is_accepted_by_a_domain_that_was_closed_does_not_wait_for_a_random_address() -> None:
    world = World({"one.test": OneClient(knows("a", "b", "c", "d"), 0.03)})
    results = told(world.run([f"{name}@one.test" for name in "abcd"], recipients_per_connection=1))
    assert results["a@one.test"] == ("unknown", "catch_all_undetermined", None)
    assert set(results.values()) == {results["a@one.test"], ("unknown", "protocol_error", None)}


def test_a_host_that_takes_all_the_time_for_its_greetings_is_asked_all_the_same() -> None:
    """The session's time is nearly up when the first recipient's turn comes: leaving then would go on for ever."""
    world = World({"slow.test": Persona(delay_seconds=0.15, rcpt=knows("ann"))})
    results = told(world.run(["ann@slow.test", "bob@slow.test"], session_seconds=0.5, command_seconds=0.4))
    assert set(results) == {"ann@slow.test", "bob@slow.test"}
    assert len(world.log("slow.test")) <= 6


def test_a_resolver_that_denies_everything_is_not_believed() -> None:
    names = Names()
    results = collect([f"a@d{i}.example" for i in range(400)], resolve=names, ordered=True)
    reasons = [str(result.reason) for result in results]
    assert reasons[:50] == ["domain_not_found"] * 50
    assert reasons[-200:] == ["dns_error"] * 200
    assert [name for name, rrtype in names.asked if rrtype == "NS"] == ["com", "net", "org"]
    honest = Names({("com", "NS"): ("a.gtld-servers.net",)})
    results = collect([f"a@d{i}.example" for i in range(400)], resolve=honest)
    assert {str(result.reason) for result in results} == {"domain_not_found"}
    silent = Settings(level=Level.DNS, dns_canaries=())
    assert {str(r.reason) for r in collect([f"a@d{i}.example" for i in range(400)], silent, Names())} == {
        "domain_not_found"
    }


def test_a_domain_is_looked_up_once_for_as_long_as_that_holds() -> None:
    names = good_names()
    collect([f"u{i}@d1.example" for i in range(500)], resolve=names)
    assert names.asked == [("d1.example", "MX"), ("mx.d1.example", "A")]


# --- bugs and ends ----------------------------------------------------------------------------------------------------


def test_a_bug_is_raised_and_no_verdict_is_made_of_it() -> None:
    async def buggy(name: str, rrtype: str) -> Lookup:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        collect(["a@d1.example"], resolve=buggy)

    def bad_random() -> str:
        raise ZeroDivisionError

    world = World({"normal.test": Persona()})
    with pytest.raises(ZeroDivisionError):
        world.run(["ann@normal.test"], validator={"random_local": bad_random})


def test_an_error_of_the_source_is_the_callers() -> None:
    def source() -> Iterator[str]:
        yield "a@d1.example"
        raise KeyError("row")

    async def later() -> AsyncIterator[str]:
        yield "a@d1.example"
        raise KeyError("row")

    for broken in (source(), later()):
        with pytest.raises(KeyError):
            collect(broken)
    with pytest.raises(TypeError):
        collect([b"a@d1.example"])


def test_who_leaves_early_is_asked_about_no_more() -> None:
    """The validator goes on; the addresses of the list that nobody reads any more do not, greylisted ones neither."""
    grey = Greylisting(knows(), 0.0)
    world = World({"slow.test": Persona(delay_seconds=0.005, rcpt=knows("k")), "grey.test": Persona(rcpt=grey)})
    addresses = [f"u{i}@{'grey' if i % 10 == 0 else 'slow'}.test" for i in range(400)]

    async def run() -> None:
        async with (
            world.smtp,
            Validator(world.settings(greylist_delays=(0.05,)), resolve=world.names) as validator,
            asyncio.timeout(GUARD_SECONDS),
        ):
            async with aclosing(validator.stream(addresses)) as results:
                async for result in results:
                    if result.mailbox is not None and result.mailbox.domain == "slow.test":
                        break
            await asyncio.sleep(0.05)
            asked = len(world.smtp.recipients())
            await asyncio.sleep(0.08)
            assert len(world.smtp.recipients()) == asked < 100
            assert str((await validator.validate("k@slow.test")).reason) == "accepted"
            assert validator.progress().done == validator.engine.deferred == 0

    asyncio.run(run())


def test_who_leaves_early_says_quit() -> None:
    world = World({f"d{i}.test": Persona(delay_seconds=0.01, rcpt=knows("ann")) for i in range(6)})

    async def run() -> None:
        async with world.smtp:
            async with Validator(world.settings(), resolve=world.names) as validator:
                async for _ in validator.stream([f"u{n}@d{i}.test" for n in range(50) for i in range(6)]):
                    break
            await asyncio.sleep(0.03)

    asyncio.run(run())
    for dialogue in world.smtp.log:
        assert dialogue.closed is not None
        if dialogue.replies:
            assert dialogue.verbs[-1] == "QUIT"


def test_a_validator_is_used_within_its_context_and_needs_its_address() -> None:
    validator = Validator(SYNTAX)
    with pytest.raises(ValueError, match="async with"):
        asyncio.run(validator.validate("a@b.example"))
    with pytest.raises(SourceAddressError):
        collect(["a@b.example"], Settings(level=Level.SYNTAX, source_ip="192.0.2.1"))


def test_the_blocking_twins() -> None:
    world = World({"normal.test": Persona(rcpt=knows("ann"))})
    with InThread(world.smtp):
        settings = world.settings()
        assert str(validate_sync("ann@normal.test", settings, resolve=world.names).status) == "valid"
        addresses = ["ann@normal.test", "zoe@normal.test", "nobody"]
        found = [str(r.status) for r in stream_sync(iter(addresses), settings, resolve=world.names, ordered=True)]
        assert found == ["valid", "invalid", "invalid"]
        stream = stream_sync([f"u{i}@normal.test" for i in range(100)], settings, resolve=world.names)
        assert next(stream).status is Status.INVALID
        stream.close()
    for dialogue in world.smtp.log:
        assert dialogue.verbs[-1] == "QUIT"


def test_many_results_through_the_blocking_twin() -> None:
    addresses = [f"u{i}@d{i % 10}.example" for i in range(5_000)]
    assert [r.input for r in stream_sync(addresses, DNS, resolve=good_names(), ordered=True)] == addresses


# --- progress ---------------------------------------------------------------------------------------------------------


def test_progress_is_told_and_adds_up() -> None:
    seen: list[Progress] = []
    world = World({"normal.test": Persona(delay_seconds=0.01, rcpt=knows("ann")), "busy.test": Persona(banner="421")})
    addresses = ["ann@normal.test", *(f"u{i}@normal.test" for i in range(60)), "x@busy.test"]

    async def run() -> None:
        async with world.smtp:
            settings = world.settings(rest_seconds=0.3)
            async with Validator(settings, resolve=world.names, on_progress=seen.append) as validator:
                async for _ in validator.stream(addresses, total=len(addresses)):
                    pass
            assert validator.progress().done == 0

    asyncio.run(run())
    assert len(seen) >= 3
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    last = seen[-1]
    assert (last.done, last.total) == (62, 62)
    assert dict(last.by_status) == {"valid": 1, "invalid": 60, "unknown": 1}
    assert last.rate > 0
    assert last.eta_seconds == 0
    assert all(p.open_connections <= 32 for p in seen)
    assert last.to_dict()["by_status"]["invalid"] == 60


def test_the_estimate_knows_the_pace_of_the_largest_group() -> None:
    """80 addresses on one host, one connection at a time, behind 200 quick ones: the rate so far says nothing."""
    world = World({"slow.test": Persona(delay_seconds=0.01, rcpt=knows("ann"))})
    addresses = [*("broken" for _ in range(2000)), *(f"u{i}@slow.test" for i in range(100))]
    estimates: list[tuple[int, float]] = []

    async def run() -> None:
        async with world.smtp:
            settings = world.settings(per_domain=1, per_mx_group=1)
            async with Validator(settings, resolve=world.names) as validator:
                async for _ in validator.stream(addresses, total=len(addresses)):
                    progress = validator.progress()
                    if progress.eta_seconds is not None:
                        estimates.append((progress.done, progress.eta_seconds))

    asyncio.run(run())
    halfway = [eta for done, eta in estimates if done == 2050]
    assert halfway
    # 50 addresses at 10 ms and more each; by the rate so far it would be 50 / 2050 of a second or so.
    assert halfway[0] > 0.3
