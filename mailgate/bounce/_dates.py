"""Dates of reports (RFC 5322 3.3 and what is sent instead of it)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

MAX_DATE_CHARACTERS = 200  # a date with its comment is under 60; longer text is something else

MAX_ZONE_HOURS = 23  # as in the standard library

# The form that nearly every MTA writes; the standard library's reader takes three times as long.
_PLAIN = re.compile(
    r"(?:[A-Za-z]{3}, )?\s?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)(?:\s|$)", re.ASCII
)
# QUIRK: Amazon SES writes ISO 8601 in its JSON notices.
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", re.ASCII)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}


def parse_date(text: str | None) -> datetime | None:
    """The instant in UTC; None for no text or for text that is no date. A date without a zone is taken as UTC.

    >>> parse_date("Sat, 21 Nov 2026 00:01:19 +0100 (CET)").isoformat()
    '2026-11-20T23:01:19+00:00'
    """
    if text is None or len(text) > MAX_DATE_CHARACTERS:
        return None
    text = text.strip()
    try:
        match = _PLAIN.match(text)
        if match is not None:
            return _plain(match)
        if _ISO.match(text):
            return _in_utc(datetime.fromisoformat(text))
        from email.utils import parsedate_to_datetime  # loads sockets and more; few dates need it

        return _in_utc(parsedate_to_datetime(text))
    except (ValueError, OverflowError, TypeError, IndexError, KeyError, AttributeError):
        # The standard reader raises all of these on malformed text.
        return None


def _plain(match: re.Match[str]) -> datetime:
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    if int(zone_hours) > MAX_ZONE_HOURS or int(zone_minutes) > 59:
        raise ValueError(f"no such zone: {zone_hours}{zone_minutes}")
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    # A leap second is read as the second before it.
    local = datetime(  # noqa: DTZ001 - the zone is taken off by hand in the next line
        int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), min(int(second), 59)
    )
    return (local - offset if sign == "+" else local + offset).replace(tzinfo=UTC)


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
