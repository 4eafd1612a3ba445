"""Periods in days: sums stay exact, a day that ends late stays one day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.dmarc import read, view
from mailgate.dmarc._days import MAX_SPREAD_DAYS, day_of, days_of, spread
from tests.support.dmarc_reports import DAY, FIRST_DAY, record, report

HOUR = 3_600
FIRST = date(2025, 1, 1)


@pytest.mark.parametrize(
    ("begin", "end", "days"),
    [
        (0, DAY - 1, 1),
        (0, DAY, 1),
        (0, DAY + HOUR - 1, 1),
        (0, DAY + HOUR, 2),
        (0, 0, 1),
        (5, 6, 1),
        (DAY - 1, DAY - 1, 1),
        (16 * HOUR, DAY + 16 * HOUR, 2),
        (0, 7 * DAY, 7),
        (0, 7 * DAY + 1, 8),
    ],
)
def test_days_of_a_period(begin: int, end: int, days: int) -> None:
    found = days_of(FIRST_DAY + begin, FIRST_DAY + end)
    assert [day for day, _ in found] == [FIRST + timedelta(days=n) for n in range(days)]
    assert all(seconds > 0 for _, seconds in found)


def test_a_period_of_centuries_is_bounded() -> None:
    assert len(days_of(0, 10**11)) == MAX_SPREAD_DAYS
    assert day_of(10**12) == date(9999, 12, 31)


@given(st.integers(0, 10**12), st.lists(st.integers(0, DAY), min_size=1, max_size=40).filter(any))
def test_shares_add_up_and_are_near_proportional(count: int, weights: list[int]) -> None:
    shares = spread(count, weights)
    assert sum(shares) == count
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - count * weight / sum(weights)) < 1.01 + count * 1e-9
        assert share == 0 or weight or len(weights) == 1


def test_a_long_report_is_spread_with_its_outcomes() -> None:
    records = [record(count=70), record(source_ip="192.0.2.2", count=30, dkim="fail", spf="fail")]
    shown = view(read(report(records, end=FIRST_DAY + 10 * DAY)))["domains"]["example.com"]
    assert shown["by_day"] == {(FIRST + timedelta(days=n)).isoformat(): [10, 7, 7, 7] for n in range(10)}
    assert view(read(report(records, end=FIRST_DAY + 10 * DAY)))["defects"] == {"long_period": 1}


@given(st.integers(0, 30 * DAY), st.integers(0, 40 * DAY), st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_days_of_a_view_add_up(start: int, length: int, passing: int, failing: int) -> None:
    records = [record(count=passing), record(source_ip="192.0.2.2", count=failing, dkim="fail", spf="pass")]
    begin = FIRST_DAY + start
    shown = view(read(report(records, begin=begin, end=begin + length)))["domains"]["example.com"]
    columns = [sum(column) for column in zip(*shown["by_day"].values(), strict=True)]
    assert columns == [shown["messages"], shown["dmarc_pass"], shown["dkim_aligned"], shown["spf_aligned"]]
    for messages, passed, dkim, spf in shown["by_day"].values():
        assert max(dkim, spf) <= passed <= messages
        assert passed <= dkim + spf
