"""Writing the list out: lossless in our own formats, or only the addresses; streamed from one state of the list."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, BinaryIO

from mailgate.suppression._listing import log_lines, rows
from mailgate.suppression._own import OWN_COLUMNS, cells_of, head
from mailgate.suppression._records import EntryKind, Suppression, SuppressionReason
from mailgate.suppression._rows import entry_of, instant
from mailgate.suppression._session import Session

FORMATS = ("jsonl", "csv", "plain", "sha256")
_PIECE = 5_000


def export_list(
    session: Session,
    file: BinaryIO,
    format_: str,
    *,
    full: bool,
    tenant: str | None,
    stream: str | None,
    reason: SuppressionReason | None,
    now: datetime | None,
) -> int:
    """Write the list to `file`; how many entries. See `SuppressionStore.export`."""
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    try:
        with session.reading():
            meta = dict(session.rows("SELECT name, value FROM mg_suppression_meta"))
            check = meta.get("hash_check")
            if format_ == "jsonl":
                # In full the list moves with everything, and so does a hash key that it keeps inside itself.
                text.write(json.dumps(head(check, meta.get("secret") if full else None)) + "\n")
            entries = map(entry_of, rows(lambda: session, tenant=tenant, stream=stream, reason=reason, now=now))
            count = _WRITERS[format_](text, entries, check)
            if full:
                _write_extras(text, session)
        text.flush()
        return count
    finally:
        text.detach()  # the file is the caller's


def _write_jsonl(text: io.TextIOBase, entries: Iterator[Suppression], check: str | None) -> int:
    count = 0
    for entry in entries:
        text.write(json.dumps(entry.to_dict()) + "\n")
        count += 1
    return count


def _write_csv(text: io.TextIOBase, entries: Iterator[Suppression], check: str | None) -> int:
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(OWN_COLUMNS)
    count = 0
    for entry in entries:
        writer.writerow(cells_of(entry, check))
        count += 1
    return count


def _write_plain(text: io.TextIOBase, entries: Iterator[Suppression], check: str | None) -> int:
    return _write_lines(text, entries, _plain_line)


def _write_sha256(text: io.TextIOBase, entries: Iterator[Suppression], check: str | None) -> int:
    def digest(entry: Suppression) -> str | None:
        if entry.kind is not EntryKind.ADDRESS:
            return None  # neither a domain nor a keyed hash can be compared with another's plain hash
        return hashlib.sha256(entry.key.encode()).hexdigest()

    return _write_lines(text, entries, digest)


def _plain_line(entry: Suppression) -> str | None:
    """An entry as a line of a plain list: the compared address, `@domain` or `*.domain`; hashes are left out."""
    if entry.reason is SuppressionReason.ALLOW or entry.kind is EntryKind.HASH:
        return None
    return "*" + entry.key[1:] if entry.kind is EntryKind.SUBDOMAINS else entry.key


def _write_lines(
    text: io.TextIOBase, entries: Iterator[Suppression], line_of: Callable[[Suppression], str | None]
) -> int:
    count, last = 0, None
    for entry in entries:
        line = line_of(entry)
        if line is not None and line != last:  # one line for an address, however many reasons it has
            text.write(line + "\n")
            count, last = count + 1, line
    return count


_WRITERS: dict[str, Callable[[io.TextIOBase, Iterator[Suppression], str | None], int]] = {
    "jsonl": _write_jsonl,
    "csv": _write_csv,
    "plain": _write_plain,
    "sha256": _write_sha256,
}


def _write_extras(text: io.TextIOBase, session: Session) -> None:
    for line in log_lines(session):
        text.write(json.dumps({"log": line.to_dict()}) + "\n")
    for key, tenant, days, delivered, total in _all(
        session, "mg_suppression_count", "key, tenant, days, delivered, total", "key, tenant"
    ):
        numbers = [int(day) for day in days.split(",") if day]
        failures = {"key": key, "tenant": tenant, "days": numbers, "delivered": delivered, "total": total}
        text.write(json.dumps({"failures": failures}) + "\n")
    for event_id, at in _all(session, "mg_suppression_event", "id, at", "id"):
        text.write(json.dumps({"event": {"id": event_id, "at": instant(at).isoformat()}}) + "\n")


def _all(session: Session, table: str, columns: str, key: str) -> Iterator[tuple[Any, ...]]:
    width = key.count(",") + 1
    after: tuple[str, ...] = ("",) * width
    marks = ", ".join("?" * width)
    while True:
        sql = f"SELECT {columns} FROM {table} WHERE ({key}) > ({marks}) ORDER BY {key} LIMIT {_PIECE}"  # noqa: S608
        piece = session.rows(sql, after)
        yield from piece
        if len(piece) < _PIECE:
            return
        after = piece[-1][:width]
