"""Reading the list in pieces, the history of one address, and taking out what has expired."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime

from mailgate.suppression._changes import Stamp, Writer
from mailgate.suppression._lookup import Rules
from mailgate.suppression._records import (
    REASON_CODES,
    REASONS_BY_CODE,
    EntryKind,
    LogLine,
    ScopeStats,
    Stats,
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
_FIRST: tuple[object, ...] = ("", "", "", -1)  # before every row


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
    after = _FIRST
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


def expire(begin: Callable[[], AbstractContextManager[Writer]], now: datetime, settings: PolicySettings) -> int:
    """Take out entries that have expired, old event ids and old counts; a few thousand a transaction."""
    stamp = Stamp(at=now, actor="policy", source="expire", note="its time was over")
    expired, after = 0, _FIRST
    while True:
        with begin() as writer:
            sql = (
                f"SELECT {COLUMNS} FROM mg_suppression WHERE ({_ORDER}) > (?, ?, ?, ?) AND expires <= ?"  # noqa: S608
                f" ORDER BY {_ORDER} LIMIT {_PIECE}"
            )
            piece = writer.session.rows(sql, (*after, seconds(now)))
            for row in piece:
                writer.delete(entry_of(row), stamp, op="expire")
            if len(piece) < _PIECE:
                _forget_old(writer, seconds(now), settings)
        expired += len(piece)
        if len(piece) < _PIECE:
            return expired
        after = piece[-1][:4]


def _forget_old(writer: Writer, now: int, settings: PolicySettings) -> None:
    day = 86_400
    for table, column, days in (
        ("mg_suppression_event", "at", settings.event_retention_days),
        ("mg_suppression_count", "last", settings.count_window_days),
    ):
        if writer.session.run(f"DELETE FROM {table} WHERE {column} < ?", (now - days * day,)):  # noqa: S608
            writer.transaction.changed = True
    if settings.log_detail_days is not None:
        writer.session.run(
            "UPDATE mg_suppression_log SET before_json = NULL, after_json = NULL"
            " WHERE at < ? AND (before_json IS NOT NULL OR after_json IS NOT NULL)",
            (now - settings.log_detail_days * day,),
        )


def history(session: Session, rules: Rules, key: str) -> tuple[LogLine, ...]:
    """The log of an address, and a line for what only the entries themselves tell (bulk imports)."""
    keys = rules.keys(key) if "@" in key[1:] else [key]
    lines: list[LogLine] = []
    for each in dict.fromkeys(keys):
        logged = session.rows(f"SELECT {_LOG_COLUMNS} FROM mg_suppression_log WHERE key = ? ORDER BY id", (each,))  # noqa: S608
        lines += [_line(row) for row in logged]
        current = session.rows(f"SELECT {COLUMNS} FROM mg_suppression WHERE key = ?", (each,))  # noqa: S608
        lines += _import_lines(session, lines, [entry_of(row) for row in current])
    return tuple(sorted(lines, key=lambda line: (line.at, line.number or 0)))


def log_lines(session: Session) -> Iterator[LogLine]:
    """The whole log, read in pieces."""
    after = -1
    while True:
        sql = f"SELECT {_LOG_COLUMNS} FROM mg_suppression_log WHERE id > ? ORDER BY id LIMIT {_PIECE}"  # noqa: S608
        piece = session.rows(sql, (after,))
        for row in piece:
            yield _line(row)
        if len(piece) < _PIECE:
            return
        after = piece[-1][0]


def stats(session: Session, now: datetime) -> Stats:
    """See `SuppressionStore.stats`."""
    counted = session.rows(
        "SELECT tenant, stream, reason, COUNT(*), SUM(CASE WHEN expires <= ? THEN 1 ELSE 0 END)"
        " FROM mg_suppression GROUP BY tenant, stream, reason ORDER BY tenant, stream, reason",
        (seconds(now),),
    )
    scopes = tuple(
        ScopeStats(tenant=t, stream=s, reason=REASONS_BY_CODE[code], entries=int(n), expired=int(expired))
        for t, s, code, n, expired in counted
    )
    numbers = [
        int(session.rows(f"SELECT COUNT(*) FROM {table}{where}")[0][0])  # noqa: S608
        for table, where in (
            ("mg_suppression_count", ""),
            ("mg_suppression_event", ""),
            ("mg_suppression_log", ""),
            ("mg_suppression", " WHERE key >= '@' AND key < 'A'"),
            ("mg_suppression_import", " WHERE finished IS NULL"),
        )
    ]
    return Stats(
        scopes=scopes,
        failing=numbers[0],
        events=numbers[1],
        log_lines=numbers[2],
        domains=numbers[3],
        unfinished_imports=numbers[4],
    )


def _import_lines(session: Session, lines: list[LogLine], current: list[Suppression]) -> list[LogLine]:
    """Lines for entries that came with an import: an import writes one line for all its rows, not one for each."""
    logged = {(line.tenant, line.stream, line.reason) for line in lines if line.op in ("add", "refresh")}
    first_seen: dict[tuple[str, str, SuppressionReason | None], Suppression] = {}
    for line in lines:
        if line.before is not None:
            first_seen.setdefault((line.tenant, line.stream, line.reason), line.before)
    for entry in current:
        first_seen.setdefault((entry.tenant, entry.stream, entry.reason), entry)
    return [
        _import_line(session, entry)
        for scope, entry in first_seen.items()
        if scope not in logged or _was_there_before(lines, scope)
    ]


def _import_line(session: Session, entry: Suppression) -> LogLine:
    """When the import began, who did it and which file it was, where its number is sure to be one of this list."""
    at, actor, note = entry.created, "", "came with an import"
    number = entry.source.removeprefix("import:")
    if number != entry.source and number.isdigit() and not _has_own_imports(session):
        sql = "SELECT at, actor, name FROM mg_suppression_import WHERE id = ?"
        for began, who, name in session.rows(sql, (int(number),)):
            at, actor, note = instant(began), who, f"{note} of {name}" if name else note
    return LogLine(
        number=None,
        at=at,
        op="import",
        key=entry.key,
        tenant=entry.tenant,
        stream=entry.stream,
        reason=entry.reason,
        actor=actor,
        source=entry.source,
        note=note,
        after=entry,
    )


def _has_own_imports(session: Session) -> bool:
    """True when exports of another list came in: their entries carry the numbers of its imports."""
    sql = "SELECT 1 FROM mg_suppression_import WHERE report LIKE ? LIMIT 1"
    return bool(session.rows(sql, ('%"format": "mailgate"%',)))


def _was_there_before(lines: list[LogLine], scope: tuple[str, str, SuppressionReason | None]) -> bool:
    first = next(line for line in lines if (line.tenant, line.stream, line.reason) == scope and line.op != "count")
    return first.op != "add"


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
