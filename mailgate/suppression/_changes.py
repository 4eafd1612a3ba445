"""Changes inside a writing transaction: entries, their log, the fold table, seen events, counted failures.

Nothing here begins or ends a transaction; whoever calls it does, so that a batch is all or nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailgate.records import Event, KeyRing
from mailgate.suppression._counting import FailureCount
from mailgate.suppression._errors import BadAddress
from mailgate.suppression._keys import hash_key
from mailgate.suppression._lookup import Rules, key_of, load_rules
from mailgate.suppression._merge import merge
from mailgate.suppression._policy import Action, Decision, suppress_for
from mailgate.suppression._records import (
    MAX_TEXT_CHARACTERS,
    REASON_CODES,
    Added,
    Applied,
    Effect,
    EntryKind,
    Outcome,
    Suppression,
    SuppressionReason,
    kind_of,
)
from mailgate.suppression._rows import COLUMNS, Row, entry_of, instant, json_of, row_of, seconds
from mailgate.suppression._session import Session, Transaction
from mailgate.suppression._settings import PolicySettings

POLICY = "policy"  # the actor of what an event did

_PLAIN_ID = re.compile(r"[A-Za-z0-9._:@+/=-]{1,80}", re.ASCII)  # and so is the digest of any other
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MARKS = ", ".join("?" * 11)
_INSERT = f"INSERT INTO mg_suppression ({COLUMNS}) VALUES ({_MARKS})"  # noqa: S608 - constants only
_SET = ", ".join(f"{name} = ?" for name in COLUMNS.split(", ")[4:])
UPDATE_SQL = f"UPDATE mg_suppression SET {_SET} WHERE key = ? AND tenant = ? AND stream = ? AND reason = ?"  # noqa: S608
_ROW = f"SELECT {COLUMNS} FROM mg_suppression WHERE key = ? AND tenant = ? AND stream = ? AND reason = ?"  # noqa: S608
LOG_SQL = (
    "INSERT INTO mg_suppression_log (at, op, key, tenant, stream, reason, actor, source, note, before_json, after_json)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Who changes something, when and why; goes into the log."""

    at: datetime
    actor: str
    source: str = ""
    note: str = ""


@contextmanager
def writing(session: Session, keys: KeyRing | None, settings: PolicySettings) -> Iterator[Writer]:
    """A writing transaction with the rules as they are in it."""
    with session.writing() as transaction:
        version = session.rows("SELECT value FROM mg_suppression_meta WHERE name = 'rules'")[0][0]
        if session.rules is None or session.rules.version != version:
            session.rules = load_rules(session, keys)
        yield Writer(session, transaction, session.rules, settings)


class Writer:
    """The changes of one transaction."""

    def __init__(self, session: Session, transaction: Transaction, rules: Rules, settings: PolicySettings) -> None:
        self.session = session
        self.transaction = transaction
        self.rules = rules
        self.settings = settings

    def put(
        self, entry: Suppression, stamp: Stamp, *, counted: bool = False, force: bool = False, op: str = "add"
    ) -> Added:
        """Write an entry, or merge it with what is there. counted: it is one more event of the same. force: it
        replaces what is there, a shorter expiry included. op: the word of the log for an entry that was not there."""
        plain_key, entry = entry.key, self._own_form(entry)
        old = self.same_row(entry)
        if old is None:
            self.session.run(_INSERT, row_of(entry))
            self._touch(entry)
            self._fold(plain_key, entry.key)
            self.log(op, entry, stamp, before=None, after=entry)
            return Added(outcome=Outcome.ADDED, entry=entry)
        count = old.count + 1 if counted else max(old.count, entry.count)
        new = replace(entry, created=min(old.created, entry.created)) if force else merge(old, entry, count=count)
        if new == old:
            return Added(outcome=Outcome.UNCHANGED, entry=old)
        row = row_of(new)
        self.session.run(UPDATE_SQL, row[4:] + row[:4])
        self._touch(new)
        revived = old.is_expired(entry.created)
        self.log("add" if revived else "refresh", new, stamp, before=old, after=new)
        return Added(outcome=Outcome.ADDED if revived else Outcome.REFRESHED, entry=new)

    def delete(self, entry: Suppression, stamp: Stamp, *, op: str = "remove") -> None:
        """Take an entry out."""
        self.session.run(
            "DELETE FROM mg_suppression WHERE key = ? AND tenant = ? AND stream = ? AND reason = ?", row_of(entry)[:4]
        )
        self._touch(entry)
        self.log(op, entry, stamp, before=entry, after=None)
        if self.rules.folding is not None and not self.rows(entry.key):
            self.session.run("DELETE FROM mg_suppression_fold WHERE key = ?", (entry.key,))

    def rows(self, key: str) -> list[Suppression]:
        """Every entry of one key."""
        return [
            entry_of(row)
            for row in self.session.rows(f"SELECT {COLUMNS} FROM mg_suppression WHERE key = ?", (key,))  # noqa: S608
        ]

    def log(
        self, op: str, entry: Suppression, stamp: Stamp, *, before: Suppression | None, after: Suppression | None
    ) -> None:
        """Append one line to the log."""
        line = log_row(seconds(stamp.at), op, entry, stamp.actor, stamp.source, stamp.note, before, after)
        self.session.run(LOG_SQL, line)
        self.transaction.changed = True

    def apply(self, event: Event, at: datetime) -> Applied:
        """What `event` asks for, done. at: now; an event from the future counts as of now."""
        decision = suppress_for(event, self.settings)
        key = None if event.recipient is None else key_of(event.recipient)
        if decision.action is Action.NONE or key is None:
            why = decision.why if decision.action is Action.NONE else "the recipient cannot be read"
            return Applied(effect=Effect.NONE, why=why, event_id=event.event_id)
        if not self._is_new(event, at):
            return Applied(effect=Effect.REPEATED, why="this event is in the store already", event_id=event.event_id)
        when = at if event.at is None else min(event.at, at)
        stamp = Stamp(at=at, actor=POLICY, source=source_of(event), note=clean(decision.why))
        tenant = name(event.tenant or self.settings.unknown_tenant)
        effect, entry = self._carry_out(event, decision, key, tenant, when.replace(microsecond=0), stamp)
        over = effect is Effect.NONE and decision.action is not Action.LIFT
        why = f"{decision.why}, so long ago that it is over" if over else decision.why
        return Applied(effect=effect, why=why, event_id=event.event_id, entry=entry)

    def lift(self, key: str, tenant: str, at: datetime, stamp: Stamp) -> Suppression | None:
        """A delivery: ends counted failures up to `at`, and the entry that they made."""
        key = self.address_form(key)
        failed_at: tuple[int, ...] = ()
        if (counted := self.failures(key, tenant)) is not None:
            failed_at = counted.days
            counted = self.end_failures(key, tenant, at)
            if counted is not None and counted.reached(self.settings) is not None:
                return None
        lifted = None
        for entry in self.rows(key):
            ours = entry.reason is SuppressionReason.SOFT_BOUNCE and entry.tenant == tenant
            # One of a later failure goes too when counting made it: without the earlier ones it is not enough.
            if ours and (entry.last <= at or seconds(entry.last) in failed_at):
                self.delete(entry, stamp, op="lift")
                lifted = entry
        return lifted

    def end_failures(self, key: str, tenant: str, at: datetime) -> FailureCount | None:
        """What happened up to `at` counts no more; the failures that still count, None when none ever did."""
        counted = self.failures(key, tenant)
        if counted is None:
            return None
        ended = counted.with_delivery(seconds(at))
        if ended != counted:
            self._keep_failures(key, tenant, ended)
        return ended

    def failures(self, key: str, tenant: str) -> FailureCount | None:
        """The counted failures of an address, None when there are none."""
        rows = self.session.rows(
            "SELECT days, delivered, total FROM mg_suppression_count WHERE key = ? AND tenant = ?", (key, tenant)
        )
        return FailureCount.of_row(*rows[0]) if rows else None

    def address_form(self, key: str) -> str:
        """The key under which an address stands here: itself, or its hash in a hashed store and after an erasure."""
        if self.rules.secret is None or kind_of(key) is not EntryKind.ADDRESS:
            return key
        hashed = hash_key(self.rules.secret, key)
        if self.rules.hashed:
            return hashed
        known = self.session.rows("SELECT 1 FROM mg_suppression WHERE key = ? LIMIT 1", (hashed,))
        return hashed if known else key

    def _own_form(self, entry: Suppression) -> Suppression:
        if entry.kind is EntryKind.HASH and self.rules.secret is None:
            raise BadAddress(f"this list has no hashed addresses, so nobody would ever find {entry.key}")
        key = self.address_form(entry.key)
        return entry if key == entry.key else replace(entry, key=key, display=None, detail=None)

    def same_row(self, like: Suppression) -> Suppression | None:
        """The entry that stands where `like` would: same key, tenant, stream and reason."""
        rows = self.session.rows(_ROW, row_of(self._own_form(like))[:4])
        return entry_of(rows[0]) if rows else None

    def _fold(self, plain_key: str, stored_key: str) -> None:
        """Let look-ups of what folds to the same find this entry."""
        folding = self.rules.folding
        if folding is None or kind_of(plain_key) is not EntryKind.ADDRESS:
            return
        folded = folding.fold(plain_key)
        if folded == plain_key:
            return
        if stored_key != plain_key and self.rules.secret is not None:
            folded = hash_key(self.rules.secret, folded)
        self.add_fold(folded, stored_key)

    def add_fold(self, folded: str, key: str) -> None:
        """One row of the fold table."""
        self.session.run(
            "INSERT INTO mg_suppression_fold (folded, key) VALUES (?, ?) ON CONFLICT (folded, key) DO NOTHING",
            (folded, key),
        )

    def _touch(self, entry: Suppression) -> None:
        self.transaction.changed = True
        if entry.kind in (EntryKind.DOMAIN, EntryKind.SUBDOMAINS):
            self.transaction.rules_changed = True

    def _is_new(self, event: Event, at: datetime) -> bool:
        return bool(
            self.session.run(
                "INSERT INTO mg_suppression_event (id, at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
                (stored_event_id(event.event_id), seconds(at)),
            )
        )

    def _carry_out(
        self, event: Event, decision: Decision, key: str, tenant: str, when: datetime, stamp: Stamp
    ) -> tuple[Effect, Suppression | None]:
        if decision.action is Action.LIFT:
            lifted = self.lift(key, tenant, when, stamp)
            return (Effect.NONE if lifted is None else Effect.LIFTED), lifted
        entry = self._entry_for(event, decision, key, tenant, when)
        if decision.action is Action.COUNT:
            return self._count(entry, stamp)
        return self._suppress(entry, stamp, counted=True)

    def _suppress(self, entry: Suppression, stamp: Stamp, *, counted: bool) -> tuple[Effect, Suppression | None]:
        if entry.is_expired(stamp.at):
            return Effect.NONE, None  # old news: what it says is over already
        added = self.put(entry, stamp, counted=counted)
        return (Effect.SUPPRESSED if added.outcome is Outcome.ADDED else Effect.REFRESHED), added.entry

    def _entry_for(self, event: Event, decision: Decision, key: str, tenant: str, when: datetime) -> Suppression:
        assert decision.reason is not None  # noqa: S101 - SUPPRESS, MIRROR and COUNT always name one
        expires = None if decision.expiry_days is None else when + timedelta(days=decision.expiry_days)
        evidence = ": ".join(part for part in (event.reason, event.detail) if part)
        written = clean((event.recipient or "").strip().removeprefix("<").removesuffix(">"))
        return Suppression(
            key=key,
            reason=decision.reason,
            tenant=tenant,
            stream=name(decision.stream or "*"),
            created=when,
            expires=expires,
            source=source_of(event),
            detail=clean(evidence) or None,
            display=None if written == key else written,
        )

    def _count(self, entry: Suppression, stamp: Stamp) -> tuple[Effect, Suppression | None]:
        key = self.address_form(entry.key)
        counted = self.failures(key, entry.tenant) or FailureCount()
        counted = counted.with_failure(seconds(entry.created), self.settings)
        self._keep_failures(key, entry.tenant, counted)
        enough = counted.reached(self.settings)
        if enough is None:
            self.log("count", replace(entry, key=key), stamp, before=None, after=None)
            return Effect.COUNTED, None
        until = instant(enough) + timedelta(days=self.settings.counted_expiry_days)
        entry = replace(entry, created=instant(enough), expires=until, count=len(counted.days))
        return self._suppress(entry, stamp, counted=False)

    def _keep_failures(self, key: str, tenant: str, counted: FailureCount) -> None:
        self.session.run(
            "INSERT INTO mg_suppression_count (key, tenant, days, delivered, total, last) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key, tenant) DO UPDATE SET"
            " days = excluded.days, delivered = excluded.delivered, total = excluded.total, last = excluded.last",
            (key, tenant, counted.days_text(), counted.delivered, counted.total, counted.last),
        )
        self.transaction.changed = True


def log_row(
    at: int,
    op: str,
    entry: Suppression,
    actor: str,
    source: str,
    note: str,
    before: Suppression | None,
    after: Suppression | None,
) -> Row:
    """A line of the log as `LOG_SQL` takes it."""
    where = (entry.key, entry.tenant, entry.stream, REASON_CODES[entry.reason])
    return (at, op, *where, actor, source, note, json_of(before), json_of(after))


def source_of(event: Event) -> str:
    """Where an entry that an event made comes from."""
    return clean(f"{event.source}:{event.event_id}")


def stored_event_id(event_id: str) -> str:
    """An event id as the table keeps it: short plain ones as they are, all others as a digest."""
    if _PLAIN_ID.fullmatch(event_id):
        return event_id
    return "sha256:" + hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).hexdigest()


def clean(text: str) -> str:
    """Text from outside as every database can store it: no NUL, no lone surrogate, at most 1,000 characters."""
    return _UNSTORABLE.sub("\ufffd", text)[:MAX_TEXT_CHARACTERS]


def name(text: str) -> str:
    """A tenant or stream from outside as every database can store it."""
    return _UNSTORABLE.sub("\ufffd", text)[:200]
