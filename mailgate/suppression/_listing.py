"""Reading the list in pieces, the history of one address, and taking out what has expired."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime

from mailgate.suppression._changes import Stamp, Writer
from mailgate.suppression._lookup import Rules
from mailgate.suppression._records import (
    REASON_CODES,
    REASONS_BY_CODE,
    EntryKind,
    LogLine,
    Suppression,
    SuppressionReason,
    kind_of,
)
from mailgate.suppression._rows import COLUMNS, KEY, Row, entry_of, instant, seconds
from mailgate.suppression._session import Session
from mailgate.suppression._settings import PolicySettings

_PIECE = 2_000
_LOG_COLUMNS = "id, at, op, key, tenant, stream, reason, actor, source, note, before_json, after_json"
_ORDER = "key, tenant, stream, reason"


def entries(
    session_of: Callable[[], Session],
    *,
    tenant: str | None,
    stream: str | None,
    reason: SuppressionReason | None,
    kind: EntryKind | None,
    now: datetime | None,
) -> Iterator[Suppression]:
    """Entries by key; None: any. now: without those expired by then."""
    for row in rows(session_of, tenant=tenant, stream=stream, reason=reason, now=now):
        if kind is None or kind_of(row[KEY]) is kind:
            yield entry_of(row)


def rows(
    session_of: Callable[[], Session],
    *,
    tenant: str | None = None,
    stream: str | None = None,
    reason: SuppressionReason | None = None,
    now: datetime | None = None,
) -> Iterator[Row]:
    """Rows by key, read in pieces: each piece begins behind the last row of the one before."""
    wanted, values = _conditions(tenant, stream, reason, now)
    after: tuple[object, ...] = ("", "", "", -1)
    while True:
        sql = f"SELECT {COLUMNS} FROM mg_suppression WHERE ({_ORDER}) > (?, ?, ?, ?){wanted} ORDER BY {_ORDER} LIMIT ?"  # noqa: S608
        piece = session_of().rows(sql, (*after, *values, _PIECE))
        yield from piece
        if len(piece) < _PIECE:
            return
        after = piece[-1][:4]


def _conditions(
    tenant: str | None, stream: str | None, reason: SuppressionReason | None, now: datetime | None
) -> tuple[str, tuple[object, ...]]:
    conditions: list[tuple[str, object]] = []
    if tenant is not None:
        conditions.append(("tenant = ?", tenant))
    if stream is not None:
        conditions.append(("stream = ?", stream))
    if reason is not None:
        conditions.append(("reason = ?", REASON_CODES[reason]))
    if now is not None:
        conditions.append(("(expires IS NULL OR expires > ?)", seconds(now)))
    return "".join(f" AND {text}" for text, _ in conditions), tuple(value for _, value in conditions)


def expire(writer: Writer, now: datetime, settings: PolicySettings) -> int:
    """Take out entries that have expired, old event ids and old counts."""
    session, instant_now = writer.session, seconds(now)
    stamp = Stamp(at=now, actor="policy", source="expire", note="its time was over")
    expired = 0
    while True:
        sql = f"SELECT {COLUMNS} FROM mg_suppression WHERE expires <= ? LIMIT {_PIECE}"  # noqa: S608
        piece = session.rows(sql, (instant_now,))
        for row in piece:
            writer.delete(entry_of(row), stamp, op="expire")
        expired += len(piece)
        if len(piece) < _PIECE:
            break
    oldest = instant_now - settings.event_retention_days * 86_400
    if session.run("DELETE FROM mg_suppression_event WHERE at < ?", (oldest,)):
        writer.transaction.changed = True
    return expired


def history(session: Session, rules: Rules, key: str) -> tuple[LogLine, ...]:
    """The log of an address, and a line for what only the entries themselves tell (bulk imports)."""
    keys = rules.keys(key) if "@" in key[1:] else [key]
    lines: list[LogLine] = []
    for each in dict.fromkeys(keys):
        logged = session.rows(f"SELECT {_LOG_COLUMNS} FROM mg_suppression_log WHERE key = ? ORDER BY id", (each,))  # noqa: S608
        lines += [_line(row) for row in logged]
        current = session.rows(f"SELECT {COLUMNS} FROM mg_suppression WHERE key = ?", (each,))  # noqa: S608
        lines += _import_lines(lines, [entry_of(row) for row in current])
    return tuple(sorted(lines, key=lambda line: (line.at, line.number or 0)))


def _import_lines(lines: list[LogLine], current: list[Suppression]) -> list[LogLine]:
    """Lines for entries that came with an import: an import writes one line for all its rows, not one for each."""
    logged = {(line.tenant, line.stream, line.reason) for line in lines if line.op in ("add", "refresh")}
    first_seen: dict[tuple[str, str, SuppressionReason | None], Suppression] = {}
    for line in lines:
        if line.before is not None:
            first_seen.setdefault((line.tenant, line.stream, line.reason), line.before)
    for entry in current:
        first_seen.setdefault((entry.tenant, entry.stream, entry.reason), entry)
    return [
        LogLine(
            number=None,
            at=entry.created,
            op="import",
            key=entry.key,
            tenant=entry.tenant,
            stream=entry.stream,
            reason=entry.reason,
            actor="",
            source=entry.source,
            note="came with an import",
            after=entry,
        )
        for scope, entry in first_seen.items()
        if scope not in logged or _was_there_before(lines, scope)
    ]


def _was_there_before(lines: list[LogLine], scope: tuple[str, str, SuppressionReason | None]) -> bool:
    first = next(line for line in lines if (line.tenant, line.stream, line.reason) == scope and line.op != "count")
    return first.before is not None and first.op != "add"


def _line(row: Row) -> LogLine:
    number, at, op, key, tenant, stream, reason, actor, source, note, before, after = row
    return LogLine(
        number=number,
        at=instant(at),
        op=op,
        key=key,
        tenant=tenant,
        stream=stream,
        reason=None if reason is None else REASONS_BY_CODE[reason],
        actor=actor,
        source=source,
        note=note,
        before=_entry(before),
        after=_entry(after),
    )


def _entry(text: str | None) -> Suppression | None:
    return None if text is None else Suppression.from_dict(json.loads(text))
