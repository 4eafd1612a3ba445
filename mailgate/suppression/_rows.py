"""Entries as rows: columns in one order, instants as seconds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from mailgate.suppression._records import REASON_CODES, REASONS_BY_CODE, Suppression

COLUMNS = "key, tenant, stream, reason, created, refreshed, expires, count, source, detail, display"
Row = tuple[Any, ...]
KEY, TENANT, STREAM, REASON, CREATED, REFRESHED, EXPIRES, COUNT, SOURCE, DETAIL, DISPLAY = range(11)


def instant(seconds: int) -> datetime:
    """Seconds since 1970 as an aware UTC instant."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds(at: datetime) -> int:
    """An aware instant as whole seconds since 1970. ValueError without a time zone."""
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {at!r}")
    return int(at.timestamp() // 1)


def stored_source(source: str) -> str:
    """A source as a row has it. Imports make most rows, so theirs is short: `#7` for `import:7`."""
    number = source.removeprefix("import:")
    return "#" + number if number != source and number.isascii() and number.isdigit() else source


def shown_source(stored: str) -> str:
    """What `stored_source` was given."""
    return "import:" + stored[1:] if stored.startswith("#") and stored[1:].isdigit() else stored


def entry_of(row: Row, folded_by: tuple[str, ...] = ()) -> Suppression:
    """The entry of a row in the order of `COLUMNS`."""
    return Suppression(
        key=row[KEY],
        tenant=row[TENANT],
        stream=row[STREAM],
        reason=REASONS_BY_CODE[row[REASON]],
        created=instant(row[CREATED]),
        refreshed=None if row[REFRESHED] is None else instant(row[REFRESHED]),
        expires=None if row[EXPIRES] is None else instant(row[EXPIRES]),
        count=row[COUNT],
        source=shown_source(row[SOURCE]),
        detail=row[DETAIL],
        display=row[DISPLAY],
        folded_by=folded_by,
    )


def row_of(entry: Suppression) -> Row:
    """The row of an entry in the order of `COLUMNS`."""
    return (
        entry.key,
        entry.tenant,
        entry.stream,
        REASON_CODES[entry.reason],
        seconds(entry.created),
        None if entry.refreshed is None else seconds(entry.refreshed),
        None if entry.expires is None else seconds(entry.expires),
        entry.count,
        stored_source(entry.source),
        entry.detail,
        entry.display,
    )


def json_of(entry: Suppression | None) -> str | None:
    """An entry as the log keeps it."""
    if entry is None:
        return None
    return json.dumps(entry.to_dict(), separators=(",", ":"))
