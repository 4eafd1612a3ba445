"""Bursts, while they happen and afterwards."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.engagement import Actor, BurstRule, Confidence, EventType, TrackingEvent, find_bursts
from mailgate.engagement._burst import BurstWatch, correction, relabel

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
RULE = BurstRule()
_ids = itertools.count()


def event(
    seconds: float,
    link: int | None = 0,
    *,
    count: int | None = 9,
    type: EventType = EventType.CLICK,
    recipient: str = "r",
    message: str = "m",
    actor: Actor = Actor.HUMAN,
    trap: bool = False,
    tid: str | None = None,
) -> TrackingEvent:
    return TrackingEvent(
        id=f"e{next(_ids)}",
        type=type,
        at=START + timedelta(seconds=seconds),
        issued=0,
        message_id=message,
        recipient_id=recipient,
        stream="",
        tenant="",
        link_index=link,
        link_count=count,
        url="",
        trap=trap,
        method="GET",
        actor=actor,
        actor_reason="browser",
        confidence=Confidence.MEDIUM,
        signals=(),
        client="",
        agent_class="browser",
        user_agent="",
        ip_prefix="",
        tid=tid or f"t{link}",
        counted=True,
        first=True,
        amends="",
        key_id=0,
    )


CASES = [
    ([event(0, 0), event(0.5, 1), event(1, 2)], "MMM", "three links within two seconds"),
    ([event(0, 0), event(1, 1), event(2, 2)], "MMM", "exactly two seconds"),
    ([event(0, 0), event(1, 1), event(2.01, 2)], "HHH", "more than that"),
    ([event(0, 0), event(0.1, 0), event(0.2, 0), event(0.3, 1)], "HHHH", "a person who clicks twice"),
    ([event(0, 0, count=2), event(0.5, 1, count=2)], "MM", "all links of a short message"),
    ([event(0, 0, count=3), event(0.5, 1, count=3)], "MM", "60 % of three"),
    ([event(0, 0, count=4), event(0.5, 1, count=4)], "HH", "half of four"),
    ([event(0, 0, count=1), event(0.5, 0, count=1)], "HH", "the only link twice"),
    ([event(0, 0, count=None), event(0.5, 1, count=None)], "HH", "nobody knows how many there are"),
    ([event(0, None, tid=f"x{n}") for n in range(3)], "MMM", "links without numbers, by token"),
    ([event(0, n, recipient=f"r{n}") for n in range(3)], "HHH", "three recipients"),
    ([event(0, n, message=f"m{n}") for n in range(3)], "HHH", "three messages"),
    ([event(0, n, message="", recipient="") for n in range(3)], "HHH", "nobody knows whose"),
    ([event(0, type=EventType.OPEN), event(0.5, 0), event(1, 1), event(1.5, 2)], "MMMM", "an open among them"),
    ([event(0, type=EventType.OPEN), event(9, 0), event(9.5, 1), event(10, 2)], "HMMM", "an open long before"),
    ([event(0, 0), event(0.5, 1), event(1, 2), event(60, 3)], "MMMH", "a click afterwards"),
    ([event(n / 10, n) for n in range(40)], "M" * 40, "a long burst"),
    ([event(0, trap=True)], "M", "the trap"),
    ([event(0, 0), event(20, trap=True), event(40, 1), event(60, 2)], "MMMH", "around the trap"),
]


@pytest.mark.parametrize(("events", "labels", "why"), CASES)
def test_afterwards(events: list[TrackingEvent], labels: str, why: str) -> None:
    found = {fix.amends: fix for fix in find_bursts(events, RULE, lambda: "new")}
    assert "".join("M" if e.id in found else "H" for e in events) == labels, why
    assert all(fix.actor is Actor.MACHINE and fix.confidence is Confidence.HIGH for fix in found.values())
    # In any order, and a second time with the corrections among them: nothing new.
    again = list(find_bursts([*found.values(), *reversed(events)], RULE, lambda: "new"))
    assert again == []


@pytest.mark.parametrize(("events", "labels", "why"), [case for case in CASES if case[1] != "M"])
def test_while_it_happens(events: list[TrackingEvent], labels: str, why: str) -> None:
    watch = BurstWatch(RULE)
    last: dict[str, Actor] = {}
    for e in events:
        seen, corrected = watch.see(e, e.at.timestamp())
        last[e.id] = seen.actor
        for old in corrected:
            assert old.id in last
            last[old.id] = old.actor
    assert "".join("M" if last[e.id] is Actor.MACHINE else "H" for e in events) == labels, why


def test_what_is_a_machine_already_is_not_corrected() -> None:
    events = [event(0, 0, actor=Actor.MACHINE), event(0.1, 1), event(0.2, 2, actor=Actor.UNKNOWN)]
    fixes = list(find_bursts(events, RULE, lambda: "new"))
    assert {fix.amends for fix in fixes} == {events[1].id, events[2].id}
    watch = BurstWatch(RULE)
    results = [watch.see(e, e.at.timestamp()) for e in events]
    assert [old.id for old in results[2][1]] == [events[1].id]
    assert results[2][0].actor_reason == "burst"


def test_a_correction_replaces_the_label_and_nothing_else() -> None:
    first = event(0)
    fix = correction(relabel(first, "burst"), "new")
    assert (fix.id, fix.amends) == ("new", first.id)
    assert (fix.actor, fix.actor_reason, fix.confidence, fix.signals) == (
        Actor.MACHINE,
        "burst",
        Confidence.HIGH,
        ("burst",),
    )
    same = first._replace(
        id="new", amends=first.id, actor=fix.actor, actor_reason="burst", confidence=fix.confidence, signals=("burst",)
    )
    assert fix == same


def test_the_memory_is_bounded() -> None:
    watch = BurstWatch(BurstRule(messages=3))
    for number in range(10):
        watch.see(event(0, 0, message=f"m{number}"), 0.0)
    assert len(watch._recent) == 3
    for number in range(500):
        watch.see(event(number / 1_000, 0, message="m9"), number / 1_000)
    assert all(len(recent.events) <= 64 for recent in watch._recent.values() if not isinstance(recent, tuple))


def test_options() -> None:
    slow = [event(0, 0), event(4, 1), event(8, 2)]
    assert list(find_bursts(slow, RULE, lambda: "new")) == []
    assert len(list(find_bursts(slow, BurstRule(window_seconds=10), lambda: "new"))) == 3
    quick = [event(0, 0), event(0.1, 1), event(0.2, 2)]
    assert list(find_bursts(quick, BurstRule(distinct_links=4, share=0.9), lambda: "new")) == []
    assert len(list(find_bursts(quick, BurstRule(distinct_links=4, share=0.3), lambda: "new"))) == 3
    trap = [event(0, 0), event(8, trap=True)]
    assert len(list(find_bursts(trap, BurstRule(trap_seconds=5), lambda: "new"))) == 1


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 5), st.booleans()), max_size=30))
def test_live_never_says_less_than_a_part_of_afterwards(rows: list[tuple[float, int, bool]]) -> None:
    """What the memory of one process calls a machine, the look at all events calls one too."""
    events = [event(at, link, trap=trap and link == 5) for at, link, trap in sorted(rows)]
    watch = BurstWatch(RULE)
    live: set[str] = set()
    for e in events:
        seen, corrected = watch.see(e, e.at.timestamp())
        live |= {old.id for old in [seen, *corrected] if old.actor is Actor.MACHINE}
    afterwards = {fix.amends for fix in find_bursts(events, RULE, lambda: "new")}
    clicks = {e.id for e in events}
    assert live & clicks <= afterwards
