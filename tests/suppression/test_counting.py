"""Counted failures, against the rule said in the plainest way."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from mailgate.suppression import PolicySettings
from mailgate.suppression._counting import DAY_SECONDS, FailureCount

SETTINGS = PolicySettings()
BASE = 20_000 * DAY_SECONDS

hours = st.integers(min_value=0, max_value=45 * 24)
happenings = st.lists(st.tuples(st.sampled_from(["failure", "failure", "failure", "delivery"]), hours), max_size=12)


def counted(told: list[tuple[str, int]]) -> FailureCount:
    count = FailureCount()
    for what, hour in told:
        at = BASE + hour * 3_600
        count = count.with_failure(at, SETTINGS) if what == "failure" else count.with_delivery(at)
    return count


def is_enough(told: list[tuple[str, int]], newest: int) -> bool:
    """Three failures on three days within 30 days, no delivery at or after the first of them; seen from the newest."""
    deliveries = [hour for what, hour in told if what == "delivery"]
    failures = [hour for what, hour in told if what == "failure" and hour > max(deliveries, default=-1)]
    days = {hour // 24 for hour in failures if newest // 24 - hour // 24 < 30}
    return any(max(three) - min(three) < 30 for three in combinations(sorted(days), 3))


@given(happenings)
def test_three_days_are_enough_and_nothing_less(told: list[tuple[str, int]]) -> None:
    in_order = sorted(told, key=lambda one: (one[1], one[0]))
    newest = max((hour for what, hour in told if what == "failure"), default=0)
    assert (counted(in_order).reached(SETTINGS) is not None) == is_enough(in_order, newest)


@given(happenings, st.randoms(use_true_random=False))
def test_the_order_in_which_it_is_told_does_not_count(told: list[tuple[str, int]], random: object) -> None:
    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, two = counted(told), counted(shuffled)
    assert (one.reached(SETTINGS), one.delivered, one.total) == (two.reached(SETTINGS), two.delivered, two.total)


@given(happenings)
def test_a_count_is_written_and_read_back(told: list[tuple[str, int]]) -> None:
    count = counted(told)
    assert FailureCount.of_row(count.days_text(), count.delivered, count.total) == count
    assert list(count.days) == sorted(set(count.days))


def test_the_row_is_bounded() -> None:
    settings = PolicySettings(count_window_days=10_000)
    count = FailureCount()
    for day in range(200):
        count = count.with_failure(BASE + day * DAY_SECONDS, settings)
    assert len(count.days) == 40
    assert count.total == 200


def test_settings_move_the_rule() -> None:
    count = FailureCount()
    for day in (0, 5):
        count = count.with_failure(BASE + day * DAY_SECONDS, SETTINGS)
    assert count.reached(PolicySettings(count_days=2)) == BASE + 5 * DAY_SECONDS
    assert count.reached(PolicySettings(count_days=2, count_window_days=5)) is None
    assert count.reached(SETTINGS) is None
