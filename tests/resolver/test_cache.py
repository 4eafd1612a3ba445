"""`CachingResolver`: by TTL, by size, one question in flight."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.records import Lookup, LookupStatus
from mailgate.resolver import CachingResolver


class Source:
    """Counts the questions; answers when told to."""

    def __init__(self, *, ttl: int = 60, status: LookupStatus = LookupStatus.FOUND, wait: bool = False) -> None:
        self.asked: list[tuple[str, str]] = []
        self.ttl = ttl
        self.status = status
        self.open = asyncio.Event()
        self.cancelled = 0
        if not wait:
            self.open.set()

    async def __call__(self, name: str, rrtype: str) -> Lookup:
        self.asked.append((name, rrtype))
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Lookup(name=name, rrtype=rrtype, status=self.status, values=("x",), ttl_seconds=self.ttl)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_holds_for_its_ttl_and_no_longer() -> None:
    async def run() -> None:
        source, clock = Source(ttl=60), Clock()
        resolve = CachingResolver(source, clock=clock)
        assert (await resolve("a.example", "MX")).ttl_seconds == 60
        clock.now = 59.5
        assert (await resolve("A.example.", "mx")).ttl_seconds == 0
        assert len(source.asked) == 1
        clock.now = 60
        await resolve("a.example", "MX")
        assert len(source.asked) == 2

    asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "ttl", "held"),
    [
        (LookupStatus.FOUND, 10**9, 100),
        (LookupStatus.FOUND, 40, 40),
        (LookupStatus.NXDOMAIN, 10**9, 50),
        (LookupStatus.NODATA, 10**9, 50),
        (LookupStatus.NODATA, 20, 20),
        (LookupStatus.FOUND, 0, 0),
        (LookupStatus.TEMPFAIL, 10**9, 0),
    ],
)
def test_limits_on_the_ttl(status: LookupStatus, ttl: int, held: int) -> None:
    async def run() -> None:
        source, clock = Source(ttl=ttl, status=status), Clock()
        resolve = CachingResolver(source, max_ttl_seconds=100, max_negative_ttl_seconds=50, clock=clock)
        await resolve("a.example", "MX")
        clock.now = held - 0.001
        await resolve("a.example", "MX")
        assert len(source.asked) == (1 if held else 2)
        clock.now = held
        await resolve("a.example", "MX")
        assert len(source.asked) == (2 if held else 3)

    asyncio.run(run())


def test_one_question_in_flight_serves_all_who_wait() -> None:
    async def run() -> None:
        source = Source(wait=True)
        resolve = CachingResolver(source)
        asking = [asyncio.ensure_future(resolve("a.example", "MX")) for _ in range(20)]
        await asyncio.sleep(0)
        source.open.set()
        assert {lookup.values for lookup in await asyncio.gather(*asking)} == {("x",)}
        assert len(source.asked) == 1

    asyncio.run(run())


def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    async def run() -> None:
        source = Source(wait=True)
        resolve = CachingResolver(source)
        first = asyncio.ensure_future(resolve("a.example", "MX"))
        second = asyncio.ensure_future(resolve("a.example", "MX"))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        source.open.set()
        assert (await second).values == ("x",)
        assert source.cancelled == 0

    asyncio.run(run())


def test_when_all_give_up_the_question_is_given_up() -> None:
    async def run() -> None:
        source = Source(wait=True)
        resolve = CachingResolver(source)
        asking = [asyncio.ensure_future(resolve("a.example", "MX")) for _ in range(2)]
        await asyncio.sleep(0)
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await asyncio.sleep(0)
        assert source.cancelled == 1
        source.open.set()
        assert (await resolve("a.example", "MX")).values == ("x",)

    asyncio.run(run())


def test_it_never_keeps_more_than_it_may_and_drops_the_least_used() -> None:
    async def run() -> None:
        source = Source()
        resolve = CachingResolver(source, max_entries=3)
        for name in ("a", "b", "c"):
            await resolve(name, "A")
        await resolve("a", "A")
        await resolve("d", "A")
        assert len(resolve) == 3
        await resolve("a", "A")
        assert source.asked.count(("a", "A")) == 1
        await resolve("b", "A")
        assert source.asked.count(("b", "A")) == 2

    asyncio.run(run())


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 30)), max_size=60), st.integers(1, 4))
def test_against_a_model(steps: list[tuple[str, int]], size: int) -> None:
    """Whatever the order of questions and the clock do, an answer is never older than its TTL."""

    async def run() -> None:
        source, clock = Source(ttl=10), Clock()
        resolve = CachingResolver(source, max_entries=size, clock=clock)
        fetched: dict[str, float] = {}
        for name, later in steps:
            clock.now += later
            before = len(source.asked)
            lookup = await resolve(name, "A")
            if len(source.asked) > before:
                fetched[name] = clock.now
            assert clock.now - fetched[name] < 10
            assert lookup.ttl_seconds <= 10 - (clock.now - fetched[name])
            assert len(resolve) <= size

    asyncio.run(run())


def test_a_cache_without_room_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="max_entries"):
        CachingResolver(Source(), max_entries=0)
