"""What events add up to, and the page that shows it."""

from __future__ import annotations

import html.parser
import json
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from mailgate.engagement import (
    Actor,
    BurstRule,
    Confidence,
    EventType,
    Statistics,
    TrackingEvent,
    read_events,
    statistics_page,
)
from mailgate.engagement._burst import correction, relabel
from mailgate.engagement._chart import columns, nice_ceiling, number
from mailgate.engagement._statistics import Tally

from .conftest import ROOT

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
H, U, M = Actor.HUMAN, Actor.UNKNOWN, Actor.MACHINE


class Maker:
    """Makes events with ids of their own."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(
        self,
        type: str,
        actor: Actor = H,
        *,
        recipient: str = "r",
        message: str = "m",
        stream: str = "s",
        tenant: str = "",
        url: str = "",
        hours: float = 0,
        counted: bool = True,
        link: int | None = None,
        client: str = "chrome",
    ) -> TrackingEvent:
        self.count += 1
        # A minute apart, so that nothing is a burst by accident.
        at = START + timedelta(hours=hours, minutes=self.count)
        return TrackingEvent(
            id=f"e{self.count}",
            type=EventType(type),
            at=at,
            issued=0,
            message_id=message,
            recipient_id=recipient,
            stream=stream,
            tenant=tenant,
            link_index=link,
            link_count=None,
            url=url,
            trap=False,
            method="GET",
            actor=actor,
            actor_reason="why",
            confidence=Confidence.LOW,
            signals=(),
            client=client,
            agent_class="browser",
            user_agent="",
            ip_prefix="",
            tid=f"t{url}{recipient}",
            counted=counted,
            first=True,
            amends="",
            key_id=0,
        )


@pytest.fixture
def make() -> Maker:
    return Maker()


def shape(tally: Tally) -> tuple[int, int, int, int, int]:
    return tally.people, tally.unclear, tally.machines, tally.requests, tally.machine_requests


def test_a_recipient_counts_once_by_the_best_label(make: Maker) -> None:
    events = [
        make("open", M, recipient="a"),
        make("open", H, recipient="a"),
        make("open", U, recipient="a"),
        make("open", M, recipient="b"),
        make("open", U, recipient="b"),
        make("open", M, recipient="c"),
        make("open", M, recipient="c"),
        make("click", H, recipient="a", url="u"),
        make("click", M, recipient="d", url="u"),
    ]
    statistics = Statistics.of(events)
    assert shape(statistics.total.opens) == (1, 1, 1, 7, 4)
    assert shape(statistics.total.clicks) == (1, 0, 1, 2, 1)
    assert (statistics.total.opens.unique, statistics.total.opens.with_machines) == (2, 3)
    assert statistics.events == 9


def test_the_same_person_and_two_messages_count_twice(make: Maker) -> None:
    statistics = Statistics.of([make("open", message="m1"), make("open", message="m2"), make("open", message="m2")])
    assert shape(statistics.total.opens) == (2, 0, 0, 3, 0)
    assert shape(statistics.by_message["", "m1"].opens) == (1, 0, 0, 1, 0)
    assert shape(statistics.by_message["", "m2"].opens) == (1, 0, 0, 2, 0)
    assert shape(statistics.by_stream["", "s"].opens) == (2, 0, 0, 3, 0)


def test_links_count_each_recipient_once(make: Maker) -> None:
    events = [
        make("click", H, recipient="a", url="u1"),
        make("click", M, recipient="a", url="u1"),
        make("click", M, recipient="a", url="u2"),
        make("click", H, recipient="b", url="u2"),
        make("open", H, recipient="b"),
    ]
    by_link = Statistics.of(events).by_link
    assert {key: shape(row.clicks) for key, row in by_link.items()} == {
        ("", "u1"): (1, 0, 0, 2, 1),
        ("", "u2"): (1, 0, 1, 2, 1),
    }
    assert all(shape(row.opens) == (0, 0, 0, 0, 0) for row in by_link.values())


def test_without_an_id_every_token_is_somebody(make: Maker) -> None:
    events = [
        make("click", recipient="", url="u1"),
        make("click", recipient="", url="u1"),
        make("click", recipient="", url="u2"),
    ]
    assert shape(Statistics.of(events).total.clicks) == (2, 0, 0, 3, 0)


def test_days_are_those_of_the_best_request(make: Maker) -> None:
    events = [
        make("open", M, hours=0),
        make("open", H, hours=30),
        make("open", H, hours=60),
        make("click", M, hours=1, url="u"),
    ]
    by_day = Statistics.of(events).by_day
    assert {day: (shape(row.opens), shape(row.clicks)) for day, row in by_day.items()} == {
        date(2026, 11, 2): ((0, 0, 0, 0, 0), (0, 0, 1, 1, 1)),
        date(2026, 11, 3): ((1, 0, 0, 3, 1), (0, 0, 0, 0, 0)),
    }


def test_what_does_not_count_is_told_apart(make: Maker) -> None:
    statistics = Statistics.of(
        [make("open"), make("open", counted=False, recipient="x"), make("click", counted=False, url="u")]
    )
    assert shape(statistics.total.opens) == (1, 0, 0, 1, 0)
    assert shape(statistics.total.clicks) == (0, 0, 0, 0, 0)
    assert statistics.uncounted == 2
    assert ("", "u") not in statistics.by_link


def test_corrections_are_applied_in_any_order(make: Maker) -> None:
    first, second = make("click", url="u"), make("click", url="u", recipient="b")
    fix = correction(relabel(first, "burst"), "fix")
    for events in ([first, second, fix], [fix, second, first]):
        statistics = Statistics.of(events)
        assert shape(statistics.total.clicks) == (1, 0, 1, 2, 1)
        assert (statistics.events, statistics.corrections) == (2, 1)
        assert statistics.machine_reasons == {"burst": 1}


def test_bursts_of_several_processes_are_found(make: Maker) -> None:
    events = [make("click", url=f"u{n}", link=n)._replace(at=START + timedelta(milliseconds=300 * n)) for n in range(4)]
    statistics = Statistics.of(events)
    assert shape(statistics.total.clicks) == (0, 0, 1, 4, 4)
    assert statistics.corrections == 4
    lenient = Statistics.of(events, rule=BurstRule(distinct_links=9, share=9))
    assert shape(lenient.total.clicks) == (1, 0, 0, 4, 0)


def test_grouped_and_not_give_the_same(make: Maker) -> None:
    rng = random.Random(4)
    events = [
        make(
            rng.choice(["open", "click"]),
            rng.choice([H, U, M]),
            recipient=rng.choice(["", "a", "b", "c"]),
            message=rng.choice("xyz"),
            stream=rng.choice("st"),
            tenant=rng.choice(["", "T"]),
            url=rng.choice(["u", "v"]),
            hours=rng.randrange(200),
        )
        for _ in range(400)
    ]
    rng.shuffle(events)
    together = sorted(events, key=lambda e: (e.tenant, e.message_id, e.recipient_id, "" if e.recipient_id else e.tid))
    assert list(Statistics.of(events).rows()) != []
    one, other = Statistics.of(events), Statistics.of(together, grouped=True)
    assert sorted(map(json.dumps, one.rows())) == sorted(map(json.dumps, other.rows()))


def test_rows(make: Maker) -> None:
    statistics = Statistics.of(
        [make("click", url="u", tenant="T"), make("open", tenant="T"), make("open", message="m2")]
    )
    rows = list(statistics.rows())
    assert [row["group"] for row in rows] == ["total", "message", "message", "stream", "stream", "link", "day"]
    assert json.loads(json.dumps(rows)) == rows
    assert rows[1]["message"] == "m"
    assert rows[1]["tenant"] == "T"
    assert rows[5] == {
        "group": "link",
        "tenant": "T",
        "link": "u",
        "opens": Tally().to_dict(),
        "clicks": {
            "unique": 1,
            "people": 1,
            "unclear": 0,
            "machines": 0,
            "with_machines": 1,
            "requests": 1,
            "machine_requests": 0,
        },
    }
    assert rows[0]["clients"] == {"chrome": 2}


def test_recorded_events_of_the_fixture() -> None:
    statistics = Statistics.of(read_events(ROOT / "fixtures" / "engagement" / "events.jsonl"))
    assert statistics.events == 65
    assert statistics.corrections == 6
    assert set(statistics.machine_reasons) == {"burst", "apple_mpp", "head"}
    assert statistics.total.clicks.unique < statistics.total.clicks.with_machines


class Checker(html.parser.HTMLParser):
    """Elements balanced, nothing loaded, no script, no style or event attribute."""

    VOID = frozenset(("meta", "img", "br", "link", "input", "hr"))
    CLOSED = frozenset(("rect", "line"))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert tag not in ("script", "link", "img", "iframe", "object", "a"), tag
        for name, _ in attrs:
            assert not name.startswith("on"), name
            assert name not in ("src", "href", "style"), name
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def check(page: str) -> str:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert "url(" not in page
    assert "@import" not in page
    return "".join(checker.texts)


def test_the_page(make: Maker) -> None:
    events = [
        make("open", H, recipient="a", stream="news"),
        make("open", M, recipient="b", stream="news", client="apple_mpp"),
        make("open", U, recipient="c", client="gmail_proxy"),
        make("click", H, recipient="a", url="https://e.example/x?a=1&b=2"),
    ]
    text = check(statistics_page(Statistics.of(events), title="November <letters>", generated=date(2026, 11, 30)))
    for words in (
        "November <letters>",
        "2026-11-02",
        "https://e.example/x?a=1&b=2",
        "Gmail (image proxy)",
        "Made on 2026-11-30",
    ):
        assert words in text
    assert "1 people, 1 unclear, 1 machines" in text


def test_a_page_of_nothing() -> None:
    text = check(statistics_page(Statistics()))
    assert "no events" in text
    assert "Nothing yet." in text
    assert "Made on" not in text


def test_a_page_of_one_event_and_of_many_weeks(make: Maker) -> None:
    text = check(statistics_page(Statistics.of([make("open")])))
    assert "1 message · 1 request recorded" in text
    assert " to 2026" not in text
    assert "by day of their first open" in text
    text = check(statistics_page(Statistics.of([make("open", recipient=f"r{n}", hours=n * 24) for n in range(80)])))
    assert "1 message · 80 requests recorded" in text
    assert "by week of their first open" in text


def test_hostile_names_stay_text(make: Maker) -> None:
    odd = "</title><script>alert(1)</script><a href='x'>\"'&"
    events = [make("click", url=odd, message=odd, stream=odd, tenant=odd, client=odd), make("open", client=odd)]
    text = check(statistics_page(Statistics.of(events), title=odd))
    assert odd in text


def test_a_page_of_much(make: Maker) -> None:
    events = [
        make("click", recipient=f"r{n}", message=f"m{n}", url=f"https://e.example/{n}", client=f"c{n}", hours=n * 24)
        for n in range(80)
    ]
    text = check(statistics_page(Statistics.of(events)))
    assert "and 30 more" in text
    assert "Others" in text
    assert "week of" in text


def test_columns() -> None:
    tally = Tally(people=3, unclear=2, machines=1, requests=9)
    for count, unit in ((1, "day"), (62, "day"), (63, "week"), (728, "week"), (740, "month")):
        days = [(date(2026, 1, 1) + timedelta(days=n), tally) for n in range(count)]
        svg = columns(days, "Opens")
        assert f"by {unit}" in svg
        assert svg.count('class="catch"') <= 110
    gap = columns([(date(2026, 1, 1), tally), (date(2026, 1, 10), tally)], "Opens")
    assert gap.count('class="catch"') == 10
    assert gap.count('class="people"') == 2


@pytest.mark.parametrize(
    ("value", "ceiling"),
    [
        (0, 2),
        (1, 2),
        (2, 2),
        (3, 4),
        (5, 6),
        (7, 8),
        (9, 10),
        (11, 20),
        (21, 30),
        (51, 60),
        (61, 80),
        (99, 100),
        (101, 200),
        (950, 1_000),
    ],
)
def test_nice_ceiling(value: int, ceiling: int) -> None:
    assert nice_ceiling(value) == ceiling


def test_every_ceiling_is_even_and_high_enough() -> None:
    for value in range(5_000):
        assert nice_ceiling(value) >= value
        assert nice_ceiling(value) % 2 == 0
    assert number(1_234_567) == "1\u202f234\u202f567"
