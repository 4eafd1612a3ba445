"""Instants as other programs write them: epoch seconds, ISO 8601, dates of RFC 5322 3.3."""

from __future__ import annotations

import email.utils
import re
from datetime import UTC, datetime
from typing import Any

# Before this every sender's records are noise (0, 1970, 1980): mail suppression lists did not exist.
_EARLIEST = 631_152_000  # 1990-01-01
_LATEST = 32_503_680_000  # 3000-01-01
_ISO = re.compile(r"\d{4}-\d\d?-\d\d?[T ]\d\d?:\d\d")
_ZONE_WORDS = (" UTC", " GMT", "Z")


def parse_instant(value: Any) -> int | None:
    """Seconds since 1970, None for what cannot be read. A time without a zone is taken for UTC.

    >>> parse_instant("Thu, 21 Nov 2024 10:00:00 +0100"), parse_instant("2024-11-21T09:00:00Z")
    (1732179600, 1732179600)
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return _plausible(value)
    if isinstance(value, str) and len(value) == 10 and value.isdigit() and value.isascii():
        return _plausible(int(value))  # what most lists have
    text = str(value).strip()[:100]
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return _plausible(float(text))
    parsed = _iso(text) or _rfc(text)
    if parsed is None:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    return _plausible(parsed.timestamp())


def _plausible(number: float) -> int | None:
    if number != number:  # NaN
        return None
    if number > _LATEST:  # milliseconds
        number /= 1_000
    return int(number) if _EARLIEST <= number <= _LATEST else None


def _iso(text: str) -> datetime | None:
    for word in _ZONE_WORDS:
        if text.endswith(word):
            text = text.removesuffix(word) + "+00:00"
    if _ISO.match(text) and re.search(r" [+-]\d{4}$", text):
        text = text[:-6] + text[-5:]
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _rfc(text: str) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
