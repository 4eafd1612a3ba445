"""Forgetting a person and keeping the block (GDPR articles 17 and 21).

Deleting an address from the list would let it be mailed again. So its entries are kept under a keyed hash of the
address, without the address as written and without evidence, and the log speaks of the hash too.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from typing import Any

from mailgate.records import KeyRing
from mailgate.suppression._changes import Stamp, Writer
from mailgate.suppression._dialect import Dialect
from mailgate.suppression._errors import StoreUnavailable
from mailgate.suppression._keys import hash_key
from mailgate.suppression._lookup import Rules, load_rules
from mailgate.suppression._records import Suppression
from mailgate.suppression._rows import json_of
from mailgate.suppression._session import Session
from mailgate.suppression._setup import hash_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What `erase` did. entries: how many were hashed (or, without `keep_block`, deleted); log_lines: how many lines of
    the log were cleaned; scrubbed: True when the old pages are out of the file already, False when another program
    was reading and they go with its next VACUUM."""

    entries: int
    log_lines: int
    kept_block: bool
    scrubbed: bool

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Erased:
        """Read what `to_dict` wrote."""
        return cls(**data)


def forget(writer: Writer, keys: KeyRing | None, key: str, stamp: Stamp, *, keep_block: bool) -> tuple[int, int]:
    """Erase one address within a transaction; (entries, lines of the log)."""
    rules = _with_hashes(writer, keys)
    assert rules.secret is not None  # noqa: S101 - _with_hashes sees to it
    hashed = hash_key(rules.secret, key)
    stood_at = [] if rules.hashed else [key]
    entries = [entry for each in (*stood_at, hashed) for entry in writer.rows(each)]
    for each in (hashed, *stood_at):
        writer.session.run("DELETE FROM mg_suppression WHERE key = ?", (each,))
        writer.session.run("DELETE FROM mg_suppression_fold WHERE key = ?", (each,))
    lines = sum(_clean_log(writer.session, each, hashed, keep_block) for each in (hashed, *stood_at))
    _move_counts(writer.session, key, hashed, keep_block)
    writer.transaction.changed = writer.transaction.rules_changed = True
    if keep_block:
        _put_hashed(writer, entries, key, hashed, stamp)
    return len(entries), lines


def scrub(session: Session, dialect: Dialect) -> bool:
    """Get what was deleted out of the files; False when another connection stands in the way."""
    try:
        if dialect.name != "sqlite":
            session.run("VACUUM mg_suppression, mg_suppression_log, mg_suppression_count, mg_suppression_fold")
            return True
        # Deleted cells are overwritten at once (secure_delete), but a page that was split long ago may hold a copy in
        # what is now free space; only VACUUM writes every page anew.
        session.run("VACUUM")
        busy, _, _ = session.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]
    except StoreUnavailable:
        return False
    return not busy


def _with_hashes(writer: Writer, keys: KeyRing | None) -> Rules:
    """The rules of a list that can hold hashes; the first erasure makes it one."""
    session = writer.session
    if writer.rules.secret is None:
        if keys is not None:
            rows = hash_rows(keys)
        else:
            secret = secrets.token_bytes(32)
            rows = {"secret": secret.hex(), "hash_check": hash_key(secret, "")}
        for row in rows.items():
            session.run("INSERT INTO mg_suppression_meta (name, value) VALUES (?, ?)", row)
        session.rules = writer.rules = load_rules(session, keys)
    return writer.rules


def _put_hashed(writer: Writer, entries: list[Suppression], key: str, hashed: str, stamp: Stamp) -> None:
    for entry in entries:
        kept = replace(entry, key=hashed, display=None, detail=None)
        writer.put(kept, stamp, op="erase")
    folding, secret = writer.rules.folding, writer.rules.secret
    if entries and folding is not None and secret is not None and folding.fold(key) != key:
        writer.add_fold(hash_key(secret, folding.fold(key)), hashed)


def _clean_log(session: Session, key: str, hashed: str, keep_block: bool) -> int:
    lines = session.rows("SELECT id, before_json, after_json FROM mg_suppression_log WHERE key = ?", (key,))
    new_key = hashed if keep_block else "#erased"
    for number, before, after in lines:
        session.run(
            "UPDATE mg_suppression_log SET key = ?, note = '', before_json = ?, after_json = ? WHERE id = ?",
            (new_key, _clean(before, new_key), _clean(after, new_key), number),
        )
    return len(lines)


def _clean(text: str | None, hashed: str) -> str | None:
    if text is None:
        return None
    entry = Suppression.from_dict(json.loads(text))
    return json_of(replace(entry, key=hashed, display=None, detail=None))


def _move_counts(session: Session, key: str, hashed: str, keep_block: bool) -> None:
    if keep_block:
        session.run(
            "INSERT INTO mg_suppression_count (key, tenant, days, delivered, total, last)"
            " SELECT ?, tenant, days, delivered, total, last FROM mg_suppression_count WHERE key = ?"
            " ON CONFLICT (key, tenant) DO NOTHING",
            (hashed, key),
        )
    session.run("DELETE FROM mg_suppression_count WHERE key = ?", (key,))
    if not keep_block:
        session.run("DELETE FROM mg_suppression_count WHERE key = ?", (hashed,))
