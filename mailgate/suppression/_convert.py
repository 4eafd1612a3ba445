"""From statements of a file to rows for the temporary table: keys, instants, scopes, limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mailgate.records import KeyRing, ParseError
from mailgate.suppression._changes import LOG_SQL, Writer, clean, stored_event_id
from mailgate.suppression._changes import name as clean_name
from mailgate.suppression._counting import FailureCount
from mailgate.suppression._errors import BadAddress, StoreMismatch
from mailgate.suppression._formats import Statement
from mailgate.suppression._instants import parse_instant
from mailgate.suppression._keys import compared_key, hash_key, is_hash_key
from mailgate.suppression._lookup import Rules
from mailgate.suppression._own import MARK, VERSION, hash_check_of
from mailgate.suppression._records import (
    EVERY,
    REASON_CODES,
    EntryKind,
    LogLine,
    Suppression,
    SuppressionReason,
    kind_of,
)
from mailgate.suppression._rows import Row, json_of, seconds, stored_source
from mailgate.suppression._session import Session
from mailgate.suppression._settings import PolicySettings
from mailgate.suppression._setup import hash_rows
from mailgate.suppression._spool import Spool
from mailgate.suppression._staging import DETAIL_PREFIX, NEVER
from mailgate.suppression._statements import Opened, OwnRecord, Reject, statement_key

if TYPE_CHECKING:
    from mailgate.suppression._import import ImportOptions

_DAY = 86_400
_END_OF_TIME = 253_402_300_800  # the year 10,000


class Converter:
    """One file on its way into the list. records, rows_made: how many so far; folds: (folded key, key) pairs.

    To be closed: what waits for the end of the import can be a temporary file.
    """

    def __init__(
        self,
        session: Session,
        settings: PolicySettings,
        options: ImportOptions,
        opened: Opened,
        *,
        keys: KeyRing | None,
        at: int,
        number: int,
    ) -> None:
        self.records = 0
        self.rows_made = 0
        self.folds = Spool()
        self.opened = opened
        self.options = options
        self.at = at
        self.rules: Rules = session.rules
        self._keys = keys
        self._rewrites = self.rules.secret is not None or self.rules.folding is not None
        self._last_written: Any = None
        self._last_instant = at
        self._hash_check = self._own_hash_check(session)
        self._erased = self._erased_hashes(session)
        self._scopes: dict[tuple[str, str, SuppressionReason], int] = {}
        self._expiry = {reason: self._expiry_of(settings, reason) for reason in SuppressionReason}
        self._tenant = options.tenant
        self._stream = options.stream or EVERY
        self.new_meta: dict[str, str] = {}  # rows for the meta table, without which the hashes cannot be found
        self._extras = {"log": Spool(), "failures": Spool(), "event": Spool()}

    def __enter__(self) -> Converter:
        return self

    def __exit__(self, *unused: object) -> None:
        for spool in (self.folds, *self._extras.values()):
            spool.close()

    def rows(self, reject: Callable[[Reject], None]) -> Iterator[Row]:
        """The rows of the file; `reject` is called with what is none."""
        for line, record in self.opened.records:
            if isinstance(record, Statement):
                self.records += 1
                try:
                    row = self._of_statement(record)
                except BadAddress as error:
                    reject(Reject(line, record.address[:200], str(error)))
                    continue
                yield row
                if len(record.streams) > 1 and self.options.stream is None:
                    yield from self._of_other_streams(row, record)
            elif isinstance(record, Reject):
                self.records += 1
                reject(record)
            else:
                try:
                    yield from self._of_own(record)
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    self.records += 1
                    reject(Reject(line, json.dumps(record.fields)[:200], f"not a record of an export: {error}"))

    def scopes(self) -> Iterator[tuple[int, str, str, int]]:
        """The (number, tenant, stream, reason code) that the rows name by number."""
        for (tenant, stream, reason), number in self._scopes.items():
            yield number, tenant, stream, REASON_CODES[reason]

    def keep_extras(self, writer: Writer, *, with_log: bool) -> None:
        """What a full export holds beside entries: log, counted failures, seen events. Without a number of their own
        lines of the log cannot be told from those that came with the same file before; so with_log says."""
        for extra, sql in (
            ("log", LOG_SQL),
            (
                "failures",
                "INSERT INTO mg_suppression_count (key, tenant, days, delivered, total, last) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (key, tenant) DO NOTHING",
            ),
            ("event", "INSERT INTO mg_suppression_event (id, at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING"),
        ):
            if extra == "log" and not with_log:
                continue
            for piece in self._extras[extra].pieces():
                writer.session.run_many(sql, piece)

    def _of_statement(self, said: Statement) -> Row:
        address = said.address
        try:
            key = compared_key(address)
        except ParseError:
            key = statement_key(address)
        reason = self.options.reason or said.reason or SuppressionReason.MANUAL
        created = self._instant(said.created) if said.created else self.at
        expires = parse_instant(said.expires) if said.expires else None
        display = detail = None
        if address != key:
            written = address.strip()
            display = None if written == key or kind_of(key) is not EntryKind.ADDRESS else clean(written)
        if self._rewrites:
            key, display = self._own_form(key, display)
        if said.detail is not None and key[0] != "#":
            detail = f"{created:0{DETAIL_PREFIX}d}{clean(said.detail)}"
        stream = self.options.stream or (said.streams[0] if said.streams else EVERY)
        self.rows_made += 1
        scope = self._scopes.get((self._tenant, stream, reason))
        if scope is None:
            scope = self._scope(self._tenant, clean_name(stream), reason)
        return (
            key,
            scope,
            created,
            None,
            self._expiry[reason] if expires is None else expires,
            None,
            None,
            detail,
            display,
        )

    def _of_other_streams(self, row: Row, said: Statement) -> Iterator[Row]:
        reason = self.options.reason or said.reason or SuppressionReason.MANUAL
        for stream in said.streams[1:]:
            self.rows_made += 1
            yield row[0], self._scope(self._tenant, clean_name(stream), reason), *row[2:]

    def _instant(self, written: Any) -> int:
        """When a record is from: what it says, but not the future; the start of the import for what cannot be read."""
        if written is self._last_written:
            return self._last_instant
        self._last_written = written
        self._last_instant = min(parse_instant(written) or self.at, self.at)
        return self._last_instant

    def _of_own(self, record: OwnRecord) -> Iterator[Row]:
        fields = record.fields
        if MARK in fields:
            self._check_head(fields)
            return
        for extra, take in (("log", self._log), ("failures", self._failures), ("event", self._event)):
            if extra in fields:
                take(fields[extra])
                return
        self.records += 1
        entry = Suppression.from_dict(fields)
        if not isinstance(entry.count, int) or entry.count < 1:
            raise ValueError(f"a count of {entry.count!r}")
        _refuse_bad_fields(entry)
        self._check_hash(entry.key, fields)
        if not is_hash_key(entry.key) and statement_key(entry.key) != entry.key:
            raise ValueError(f"the key {entry.key[:80]!r} is not in its compared form")
        self.rows_made += 1
        key, display = self._own_form(entry.key, entry.display) if self._rewrites else (entry.key, entry.display)
        detail = entry.detail if key == entry.key else None
        scope = self._scope(entry.tenant, entry.stream, entry.reason)
        last = seconds(entry.last)
        yield (
            key,
            scope,
            seconds(entry.created),
            last,
            NEVER if entry.expires is None else seconds(entry.expires),
            entry.count,
            stored_source(clean(entry.source)),
            None if detail is None else f"{last:0{DETAIL_PREFIX}d}{clean(detail)}",
            None if display is None else clean(display),
        )

    def _scope(self, tenant: str, stream: str, reason: SuppressionReason) -> int:
        return self._scopes.setdefault((tenant, stream, reason), len(self._scopes))

    def _expiry_of(self, settings: PolicySettings, reason: SuppressionReason) -> int:
        if isinstance(self.options.expires, timedelta):
            return self.at + int(self.options.expires.total_seconds())
        if self.options.expires is not None:
            return seconds(self.options.expires)
        days = settings.days_for(reason)
        # From the import on, not from the time of the record: an old record still says that the address was bad.
        return NEVER if days is None else self.at + days * _DAY

    def _own_form(self, key: str, display: str | None) -> tuple[str, str | None]:
        """The key and display as they stand in this list: hashed lists, erased people, folding."""
        rules, plain = self.rules, key
        if kind_of(key) is not EntryKind.ADDRESS:
            return key, display
        if rules.secret is not None:
            hashed = hash_key(rules.secret, key)
            if rules.hashed or hashed in self._erased:
                key, display = hashed, None
        if rules.folding is not None:
            folded = rules.folding.fold(plain)
            if folded != plain:
                secret = rules.secret if key != plain else None
                self.folds.append((folded if secret is None else hash_key(secret, folded), key))
        return key, display

    def _own_hash_check(self, session: Session) -> str | None:
        rows = session.rows("SELECT value FROM mg_suppression_meta WHERE name = 'hash_check'")
        return rows[0][0] if rows else None

    def _erased_hashes(self, session: Session) -> frozenset[str]:
        if self.rules.secret is None or self.rules.hashed:
            return frozenset()
        hashes = session.rows("SELECT key FROM mg_suppression WHERE key >= '#' AND key < '$'")
        return frozenset(row[0] for row in hashes if is_hash_key(row[0]))

    def _check_head(self, fields: dict[str, Any]) -> None:
        if fields[MARK] != VERSION:
            raise StoreMismatch("version", f"an export of version {fields[MARK]!r}; this mailgate knows {VERSION}")
        check, secret = hash_check_of(fields), fields.get("secret")
        if check is None:
            return
        if self._hash_check is None and isinstance(secret, str) and hash_key(bytes.fromhex(secret), "") == check:
            self._hash_check = check
            self.new_meta = {"secret": secret, "hash_check": check}
            return
        self._refuse_other_key(check)

    def _check_hash(self, key: str, fields: dict[str, Any]) -> None:
        if is_hash_key(key):
            check = hash_check_of(fields)
            if check is not None:
                self._refuse_other_key(check)
            elif self._hash_check is None:
                raise ValueError("a hash, and nothing says with which key it was made")

    def _refuse_other_key(self, check: str) -> None:
        if self._hash_check is None and self._keys is not None:
            # The first hashes of this list: from now on it needs the key.
            self.new_meta = hash_rows(self._keys)
            self._hash_check = self.new_meta["hash_check"]
        if self._hash_check != check:
            raise StoreMismatch("hash_key", "the file holds addresses hashed with another key than this list has")

    def _log(self, data: dict[str, Any]) -> None:
        line = LogLine.from_dict(data)
        reason = None if line.reason is None else REASON_CODES[line.reason]
        who = (clean(line.actor), clean(line.source), clean(line.note))
        where = (clean(line.key), clean_name(line.tenant), clean_name(line.stream), reason)
        entries = (json_of(line.before), json_of(line.after))
        self._extras["log"].append((_plausible(line.at), clean(line.op), *where, *who, *entries))

    def _failures(self, data: dict[str, Any]) -> None:
        delivered = None if data["delivered"] is None else int(data["delivered"])
        days = tuple(sorted(int(day) for day in data["days"]))
        counted = FailureCount(days=days, delivered=delivered, total=int(data["total"]))
        key, tenant = clean(data["key"]), clean_name(data["tenant"])
        row = (key, tenant, counted.days_text(), delivered, counted.total, counted.last)
        self._extras["failures"].append(row)

    def _event(self, data: dict[str, Any]) -> None:
        self._extras["event"].append((stored_event_id(data["id"]), _plausible(datetime.fromisoformat(data["at"]))))


def _refuse_bad_fields(entry: Suppression) -> None:
    """Raises ValueError for what `from_dict` takes and no row can hold, or no look-up would find."""
    for text in (entry.tenant, entry.stream):
        if not isinstance(text, str) or clean_name(text) != text:
            raise ValueError(f"the tenant or stream {text!r}")
    for at in (entry.created, entry.last, entry.expires):
        if at is not None:
            _plausible(at)


def _plausible(at: datetime) -> int:
    """Seconds of an instant that can be read back. ValueError."""
    number = seconds(at)
    if not 0 <= number < _END_OF_TIME:
        raise ValueError(f"the instant {at.isoformat()}")
    return number
