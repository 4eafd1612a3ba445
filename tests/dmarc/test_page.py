"""The page: self-contained, safe, readable by everybody, with the numbers of the view."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import reduce
from html.parser import HTMLParser
from typing import Any

import pytest

from mailgate.dmarc import Networks, Rollup, ViewOptions, name_sources, page, read, view
from mailgate.dmarc._charts import Bar, _ceiling, bars_of, stacked
from mailgate.dmarc._text import escaped
from tests.support.dmarc_reports import DAY, FIRST_DAY, record, report, story, tls_report

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Checked(HTMLParser):
    """Elements opened and closed in order, attributes seen, numbers in `data` elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.numbers: list[tuple[str, int]] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")
        if tag == "data":
            found = dict(attrs)
            self.numbers.append((found.get("class") or "", int(found.get("value") or "")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}>")


def month() -> dict[str, Any]:
    total = reduce(Rollup.merge, map(read, story(days=30)), Rollup())
    for day in range(30):
        total.update(read(tls_report(day, failure=day % 3)))
    total.update(read(report([])))
    return view(total)


VIEW = month()
PAGE = page(VIEW)


def test_the_page_is_well_formed_and_asks_for_nothing() -> None:
    checked = Checked(PAGE)
    assert (checked.faults, checked.open) == ([], [])
    assert len(checked.ids) == len(set(checked.ids))
    fetching = {"src", "srcset", "action", "formaction", "background", "poster", "data", "ping", "xlink:href"}
    links = [value for tag, name, value in checked.attributes if name == "href"]
    assert not [name for _, name, _ in checked.attributes if name in fetching or name.startswith("on")]
    assert all(value.startswith(("#", "data:,")) for value in links)
    assert "<script" not in PAGE
    assert not re.search(r"@import|url\((?!#)|https?://", PAGE)


def test_the_numbers_of_the_view_stand_on_the_page() -> None:
    numbers = Checked(PAGE).numbers
    domain, tls = VIEW["domains"]["example.com"], VIEW["tls"]["example.com"]
    for name in ("messages", "dmarc_pass", "dkim_aligned", "spf_aligned", "source_ips"):
        assert (name, domain[name]) in numbers
    assert ("failed", domain["messages"] - domain["dmarc_pass"]) in numbers
    assert {(f"class-{kind}", count) for kind, count in domain["classes"].items()} <= set(numbers)
    assert ("reports", VIEW["reports"]) in numbers
    assert (("success", tls["success"]) in numbers, ("failure", tls["failure"]) in numbers) == (True, True)
    for source in domain["sources"]:
        assert ("messages", source["messages"]) in numbers


def test_every_day_and_every_finding_can_be_read() -> None:
    domain = VIEW["domains"]["example.com"]
    for day, counts in domain["by_day"].items():
        assert f"<title>{day}: {counts[0]:,} (" in PAGE
    for kind in ("blockers", "warnings", "advice"):
        for item in domain["readiness"][kind]:
            assert escaped(item["text"]) in PAGE
    assert 'data-answer="stay"' in PAGE or 'data-answer="not_enough_evidence"' in PAGE


def test_the_same_view_gives_the_same_page() -> None:
    assert page(VIEW) == PAGE
    assert "2025-02-01 04:30" in page(VIEW, made_at="2025-02-01 04:30")
    assert "<h1>My &lt;domains&gt;</h1>" in page(VIEW, title="My <domains>")


def test_an_empty_view_is_a_page_too() -> None:
    text = page(view(Rollup()))
    assert Checked(text).faults == []
    assert "No report has been read yet" in text


@pytest.mark.parametrize(
    "text",
    [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&quot; onmouseover=&quot;x",
        "a&#8238;b&#8203;",
        "' style='x",
        "javascript:x",
        "&amp;lt;b&amp;gt;",
    ],
)
def test_hostile_text_stays_text(text: str) -> None:
    records = [
        record(
            header_from=text,
            dkims=((text, text, "pass"),),
            spf_domain=text,
            disposition=text,
            reason=(text, text),
            dkim="fail",
            spf="fail",
        )
    ]
    shown = view(read(report(records, org_name=text, domain="example.com" + text, report_id="1")))
    shown = name_sources(shown, lambda ip: text)
    checked = Checked(page(shown))
    assert checked.faults == []
    assert not [name for _, name, _ in checked.attributes if name.startswith("on")]
    assert "\u202e" not in page(shown)
    assert "\u200b" not in page(shown)


def test_named_sources_and_the_answer_for_each_state() -> None:
    named = name_sources(VIEW, Networks.parse("192.0.2.0/24 Our own server"))
    assert "<small>Our own server</small>" in page(named)
    words = {"quarantine": "Ready for p=quarantine", "reject": "Ready for p=reject", "stay": "Stay at p=none"}
    for answer, expected in words.items():
        shown = view(read(report()))
        shown["domains"]["example.com"]["readiness"].update(answer=answer)
        assert expected in page(shown)
    strict = view(read(report(p="reject")))
    assert "At p=reject, the strictest policy" in page(strict)


def test_the_worst_domain_comes_first() -> None:
    good, bad = report([record(count=10)]), report([record(count=10, dkim="fail", spf="fail")], domain="worse.example")
    text = page(view(read(good).merge(read(bad))))
    assert text.index('data-domain="worse.example"') < text.index('data-domain="example.com"')


# --- charts ----------------------------------------------------------------------------------------------------------


def days(count: int) -> dict[str, tuple[int, ...]]:
    return {(date(2024, 1, 1) + timedelta(days=n)).isoformat(): (n, 1) for n in range(count)}


@pytest.mark.parametrize(
    ("count", "unit", "bars"),
    [(1, "day", 1), (62, "day", 62), (63, "week", 9), (434, "week", 62), (435, "month", 15), (3_000, "month", 99)],
)
def test_days_become_weeks_and_months(count: int, unit: str, bars: int) -> None:
    found_unit, found = bars_of(days(count))
    assert (found_unit, len(found)) == (unit, bars)
    assert sum(bar.parts[0] for bar in found) == sum(range(count))
    assert [bar.label for bar in found] == sorted({bar.label for bar in found})


def test_days_without_data_are_gaps_of_their_own() -> None:
    _, found = bars_of({"2025-01-01": (5,), "2025-01-04": (7,)})
    assert [(bar.label, bar.total) for bar in found] == [
        ("2025-01-01", 5),
        ("2025-01-02", 0),
        ("2025-01-03", 0),
        ("2025-01-04", 7),
    ]


@pytest.mark.parametrize("value", [0, 1, 3, 4, 5, 17, 99, 100, 101, 12_345, 10**12])
def test_the_top_of_a_chart_is_near_and_divides_by_four(value: int) -> None:
    top = _ceiling(value)
    assert value <= top <= max(4, value * 2)
    assert top % 4 == 0 or top < 4


def test_a_part_that_is_tiny_still_shows() -> None:
    chart = stacked([Bar("2025-01-01", (1_000_000, 1))], (("pass", "passed"), ("fail", "failed")), "x")
    heights = [float(found) for found in re.findall(r'height="([\d.]+)" fill="url\(#p-fail\)"', chart)]
    assert heights == [1.0]


def test_a_chart_of_nothing() -> None:
    assert "<svg" in stacked([], (("pass", "passed"),), "x")
    assert "nothing" in stacked([Bar("2025-01-01", (0,))], (("pass", "passed"),), "x")


def test_reports_over_years_make_a_page_of_sane_size() -> None:
    total = Rollup()
    for day in range(0, 2_000, 3):
        total.update(read(report([record(count=5)], report_id=str(day), begin=FIRST_DAY + day * DAY)))
    text = page(view(total, ViewOptions(top=50)))
    assert len(text) < 200_000
    assert "Messages by month and outcome" in text
