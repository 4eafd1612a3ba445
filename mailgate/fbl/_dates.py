"""Dates as reports write them: RFC 5322 3.3, its obsolete zones, ISO 8601, and what programs make of a clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

MAX_DATE_CHARACTERS = 200  # a date with its comment is under 60; longer text is something else

_DATE = re.compile(
    r"(?:[A-Za-z]{3,9}\.?,?\s{0,4})?(\d{1,2})[\s-]\s{0,3}([A-Za-z]{3,9})\.?[\s,-]\s{0,3}(\d{4}|\d{2})[\s,]\s{0,3}"
    r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:\s?([AaPp])\.?[Mm]\.?)?"
    r"(?:\s{0,4}(?:(?:GMT|UTC)\s?)?([+-]\d\d):?(\d\d)|\s{1,4}\(?([A-Za-z]{1,5})\b)?",
    re.ASCII,
)
# `date` and ctime(3) put the year last, and some the zone before it.
_CTIME = re.compile(
    r"(?:[A-Za-z]{3,9},?\s)?\s{0,3}([A-Za-z]{3,9})\s{1,3}(\d{1,2}),?\s{1,3}(\d{1,2}):(\d\d):(\d\d)\s{1,3}"
    r"(?:([A-Za-z]{1,5})\s{1,3})?(\d{4})(?:\s{1,3}(?:([+-]\d\d):?(\d\d)|([A-Za-z]{1,5})\b))?",
    re.ASCII,
)
# JavaScript's `Sat Nov 21 2026 08:00:00 GMT+0100`, and `Saturday, November 21, 2026 8:00:00 AM`.
_MONTH_FIRST = re.compile(
    r"(?:[A-Za-z]{3,9},?\s{1,3})?([A-Za-z]{3,9})\.?\s{1,3}(\d{1,2}),?\s{1,3}(\d{4}),?\s{1,3}"
    r"(\d{1,2}):(\d\d)(?::(\d\d))?(?:\s?([AaPp])\.?[Mm]\b\.?)?"
    r"\s{0,3}(?:(?:GMT|UTC)?([+-]\d\d):?(\d\d)|([A-Za-z]{1,5})\b)?",
    re.ASCII,
)
_EPOCH = re.compile(r"(\d{9,10})(?:\.\d{1,9})?", re.ASCII)
_ISO = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?\s?(?:([+-]\d\d):?(\d\d)|[Zz]|UTC)?",
    re.ASCII,
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
# RFC 5322 4.3 gives the first row; the others are what feedback reports have in them. Names that mean different
# offsets in different places (CST, IST, BST elsewhere) are read as RFC 5322 does or, failing that, not at all.
_ZONES_HOURS = """
UT 0, UTC 0, GMT 0, Z 0, EST -5, EDT -4, CST -6, CDT -5, MST -7, MDT -6, PST -8, PDT -7
WET 0, WEST 1, BST 1, CET 1, CEST 2, MET 1, MEST 2, EET 2, EEST 3, MSK 3
HKT 8, SGT 8, JST 9, KST 9, AEST 10, AEDT 11, NZST 12, NZDT 13, BRT -3, ART -3, AKST -9, AKDT -8, HST -10
"""
_ZONES_MINUTES = {name: int(hours) * 60 for name, hours in re.findall(r"([A-Z]+) (-?\d+)", _ZONES_HOURS)}


def parse_date(text: str | None) -> datetime | None:
    """The instant in UTC; None for no text or text that is no date. Without a zone that we know it is taken as UTC.

    >>> parse_date("Thu, 29 Apr 2013 23:45:50 PST").isoformat()
    '2013-04-30T07:45:50+00:00'
    """
    if text is None or len(text) > MAX_DATE_CHARACTERS:
        return None
    text = text.strip(" \t\r\n\"'<>")
    try:
        match = _DATE.match(text)
        if match is not None:
            return _from_rfc5322(match)
        match = _ISO.match(text)
        if match is not None:
            year, month, day, hour, minute, second, hours, minutes = match.groups()
            return _instant(int(year), int(month), int(day), hour, minute, second, _minutes(hours, minutes))
        match = _CTIME.match(text)
        if match is not None:
            month, day, hour, minute, second, before, year, hours, minutes, behind = match.groups()
            offset = _minutes(hours, minutes) if hours else _zone(behind or before)
            return _instant(int(year), _month(month), int(day), hour, minute, second, offset)
        match = _MONTH_FIRST.match(text)
        if match is not None:
            month, day, year, hour, minute, second, half, hours, minutes, zone = match.groups()
            offset = _minutes(hours, minutes) if hours else _zone(zone)
            return _instant(int(year), _month(month), int(day), _hour(hour, half), minute, second, offset)
        match = _EPOCH.fullmatch(text)
        if match is not None:
            return datetime.fromtimestamp(int(match[1]), UTC)
    except (ValueError, OverflowError):
        return None
    return None


def _from_rfc5322(match: re.Match[str]) -> datetime:
    day, month, year_text, hour, minute, second, half, hours, minutes, zone = match.groups()
    year = int(year_text)
    if len(year_text) == 2:  # RFC 5322 4.3
        year += 2000 if year < 50 else 1900
    offset = _minutes(hours, minutes) if hours else _zone(zone)
    return _instant(year, _month(month), int(day), _hour(hour, half), minute, second, offset)


def _hour(hour: str, half: str | None) -> str:
    """The hour of a day of 24; half: `A`, `P` or None."""
    return hour if half is None else str(int(hour) % 12 + (12 if half in "Pp" else 0))


def _instant(
    year: int, month: int, day: int, hour: str, minute: str, second: str | None, offset_minutes: int
) -> datetime:
    # A leap second is read as the second before it.
    local = datetime(year, month, day, int(hour), int(minute), min(int(second or 0), 59), tzinfo=UTC)
    return local - timedelta(minutes=offset_minutes) if offset_minutes else local


def _month(name: str) -> int:
    number = _MONTHS.get(name[:3].lower())
    if number is None:
        raise ValueError(f"no month: {name!r}")
    return number


def _minutes(hours: str | None, minutes: str | None) -> int:
    if not hours:
        return 0
    size = int(hours[1:]) * 60 + int(minutes or 0)
    return -size if hours[0] == "-" else size


def _zone(name: str | None) -> int:
    return _ZONES_MINUTES.get(name.upper(), 0) if name else 0
