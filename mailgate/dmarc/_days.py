"""Reports by UTC day. A report has a period, not message times, so a long one is spread by overlap."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

DAY_SECONDS = 86_400
# Receivers end "a day" up to an hour late; RFC 9990 3.1.1.4 only says that a period is typically one UTC day.
SLACK_SECONDS = 3_600
_MAX_SECONDS = 253_402_300_799  # the last second of year 9999
MAX_SPREAD_DAYS = 3_660  # ten years; a longer period is spread over its first ten years


def day_of(seconds: int) -> date:
    """The UTC day; what lies beyond year 9999 is its last day."""
    return datetime.fromtimestamp(min(seconds, _MAX_SECONDS), UTC).date()


def is_long(begin: int, end: int) -> bool:
    """True when the period reaches more than an hour into another day than that of `begin`."""
    return end >= begin - begin % DAY_SECONDS + DAY_SECONDS + SLACK_SECONDS


def days_of(begin: int, end: int) -> list[tuple[date, int]]:
    """The days of a period with their overlap in seconds, at least one."""
    begin, end = min(begin, _MAX_SECONDS), min(end, _MAX_SECONDS)
    first = day_of(begin)
    if not is_long(begin, end):
        return [(first, 1)]
    days: list[tuple[date, int]] = []
    start = begin
    while start < end and len(days) < MAX_SPREAD_DAYS:
        next_midnight = start - start % DAY_SECONDS + DAY_SECONDS
        days.append((first + timedelta(days=len(days)), min(next_midnight, end) - start))
        start = next_midnight
    return days


def spread(count: int, weights: list[int]) -> list[int]:
    """`count` in proportion to `weights`, in whole numbers that add up to it (largest remainder, earlier first)."""
    if len(weights) == 1:
        return [count]
    total = sum(weights)
    shares = [count * weight // total for weight in weights]
    rest = count - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(count * weights[i] % total), i))
    for i in by_remainder[:rest]:
        shares[i] += 1
    return shares
