"""Rollups kept in the one SQLite file of `mailgate scan`, or in PostgreSQL.

One table row a report, its cells as compressed JSON. The upsert keeps the greater copy by the same order as
`Rollup.add`, so adding is idempotent, and a process that dies between two batches can add the last one again.
Each call opens its own connection: a store object can be used from any thread and after a fork.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import sqlite3
import sys
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from os import PathLike, fspath
from time import monotonic, sleep
from typing import Any, TypeAlias

from mailgate.dmarc._contribution import Contribution, TlsContribution, canonical
from mailgate.dmarc._facet import domain_key
from mailgate.dmarc._rollup import Refused, Rollup, smallest
from mailgate.dmarc._seal import Seal
from mailgate.records import MailgateError

ROOM = "dmarc"
VERSION = 1
BUSY_SECONDS = 30.0
BUSY_PAUSE_SECONDS = 0.005

Connect: TypeAlias = Callable[[], Any]

_URLS = ("postgresql://", "postgres://")
_AT_ONCE = 500  # parameters of one statement; SQLite takes 999 in old builds

_TABLES = (
    "CREATE TABLE IF NOT EXISTS mg_schema (room TEXT PRIMARY KEY, version INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS mg_dmarc_report (key TEXT PRIMARY KEY, kind TEXT NOT NULL, domain TEXT NOT NULL,"
    " begin_at BIGINT NOT NULL, end_at BIGINT NOT NULL, trust INTEGER NOT NULL, messages BIGINT NOT NULL,"
    " records BIGINT NOT NULL, digest TEXT NOT NULL, tie TEXT NOT NULL, body {blob} NOT NULL)",
    "CREATE INDEX IF NOT EXISTS mg_dmarc_report_begin ON mg_dmarc_report (begin_at)",
    "CREATE TABLE IF NOT EXISTS mg_dmarc_conflict (key TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (key, digest))",
    "CREATE TABLE IF NOT EXISTS mg_dmarc_copy (key TEXT NOT NULL, source TEXT NOT NULL, PRIMARY KEY (key, source))",
    "CREATE TABLE IF NOT EXISTS mg_dmarc_refused (source TEXT PRIMARY KEY, error TEXT NOT NULL, org TEXT,"
    " message TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS mg_dmarc_seal (identity TEXT PRIMARY KEY, body {blob} NOT NULL)",
    "CREATE TABLE IF NOT EXISTS mg_dmarc_sealed (key TEXT PRIMARY KEY, identity TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS mg_dmarc_change (id INTEGER PRIMARY KEY, token TEXT NOT NULL, changes BIGINT NOT NULL)",
)

_ORDER = ("trust", "messages", "records", "digest", "tie")
_COLUMNS = ("key", "kind", "domain", "begin_at", "end_at", *_ORDER, "body")
_UPSERT = (
    f"INSERT INTO mg_dmarc_report ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' for _ in _COLUMNS)})"  # noqa: S608
    f" ON CONFLICT (key) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
    f" WHERE ({', '.join(f'excluded.{name}' for name in _ORDER)})"
    f" > ({', '.join(f'mg_dmarc_report.{name}' for name in _ORDER)})"
)


class StoreError(MailgateError):
    """The store cannot be used.

    exit_status: 75 when trying again may help (locked, disk full), 78 when it is of a later version, else 69.
    """

    def __init__(self, words: str, *, exit_status: int = 69) -> None:
        super().__init__(words)
        self.exit_status = exit_status


class RollupStore:
    """A rollup in a database. Open it with `RollupStore.open`."""

    def __init__(self, connect: Connect, *, sqlite: bool, where: str = "in PostgreSQL") -> None:
        self._connect = connect
        self._sqlite = sqlite
        self._where = where  # for people; never with a password

    @classmethod
    def open(cls, where: str | PathLike[str] | Connect, *, create: bool = True) -> RollupStore:
        """A store in an SQLite file, a PostgreSQL database, or behind a DB-API connection factory.

        where: a path; a `postgresql://` URL (needs psycopg); or a callable that gives a new connection to PostgreSQL
        (9.5 or later), which is closed after each use. Tables are named `mg_dmarc_…` and are made here; `mg_schema`
        holds the version. create: False: a file that is not there is an error, never an empty store.
        Raises StoreError when it cannot be opened, is no database, or was written by a later version.
        """
        if callable(where):
            store = cls(where, sqlite=False)
        elif (path := fspath(where)).startswith(_URLS):
            store = cls(lambda: _connect_postgres(path), sqlite=False)
        else:
            if not create and not os.path.exists(path):
                raise StoreError(f"{path} is not there")
            store = cls(lambda: _connect_sqlite(path), sqlite=True, where=f"in {path}")
        store._make_tables()
        return store

    def __enter__(self) -> RollupStore:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open between calls."""

    def add(self, rollup: Rollup | Iterable[Rollup]) -> None:
        """Merge one rollup or several into the store, all or nothing; adding again changes nothing.

        When this returns, what was added is on the disk. Raises StoreError.
        """
        if not isinstance(rollup, Rollup):
            merged = Rollup()
            for one in rollup:
                merged.update(one)
            rollup = merged
        with self._transaction() as run:
            sealed = _sealed_among(run, [*rollup.contributions, *rollup.tls])
            changed = self._add_reports(run, rollup, sealed)
            changed += _insert(run, "mg_dmarc_conflict", ("key", "digest"), _pairs(rollup.conflicts, sealed))
            changed += _insert(run, "mg_dmarc_copy", ("key", "source"), _pairs(rollup.copies, sealed))
            refused = [(source, r.error, r.org, r.message) for source, r in sorted(rollup.refused.items())]
            changed += _insert(run, "mg_dmarc_refused", ("source", "error", "org", "message"), refused)
            for seal in rollup.seals.values():
                changed += self._add_seal(run, seal)
            if changed:
                run("UPDATE mg_dmarc_change SET changes = changes + 1 WHERE id = 1")

    def load(
        self, *, domains: Collection[str] | None = None, since: date | None = None, until: date | None = None
    ) -> Rollup:
        """The rollup, or the part of it with reports for `domains` (and below) that begin on days `since` to `until`.

        TLS reports and sealed sums are always there whole; a view with the same choice leaves out the rest of them.
        Raises StoreError.
        """
        where, values = _where(domains, since, until)
        with self._transaction(write=False) as run:
            return _load(run, where, values)

    def seal(self, before: date) -> int:
        """Turn reports that ended before that day (UTC) into sums; how many. See `Rollup.seal` for what is lost."""
        instant = int(datetime.combine(before, time(), UTC).timestamp())
        with self._transaction() as run:
            known = _load(run)
            for identity, seal in known.seal(instant).seals.items():
                if identity not in known.seals:
                    self._add_seal(run, seal)
                    run("UPDATE mg_dmarc_change SET changes = changes + 1 WHERE id = 1")
                    return len(seal.keys)
        return 0

    def version(self) -> str:
        """A text that changes whenever what is stored changes; cheap."""
        with self._transaction(write=False) as run:
            rows = list(run("SELECT token, changes FROM mg_dmarc_change WHERE id = 1"))
        return f"{rows[0][0]}-{rows[0][1]}"

    def _add_reports(self, run: _Run, rollup: Rollup, sealed: set[str]) -> int:
        changed = 0
        reports = [("rua", c.domain, c) for c in rollup.contributions.values()]
        every: list[tuple[str, str, Contribution | TlsContribution]] = [*reports]
        every += [("tlsrpt", "", report) for report in rollup.tls.values()]
        for kind, domain, report in sorted(every, key=lambda item: item[2].key):
            key = report.key
            if key in sealed:
                continue
            found = list(run("SELECT digest FROM mg_dmarc_report WHERE key = ?", (key,)))
            order = report.order()
            if found and found[0][0] != order[3]:
                digests = [(key, found[0][0]), (key, order[3])]
                changed += _insert(run, "mg_dmarc_conflict", ("key", "digest"), digests)
            body = _packed(report.to_dict())
            changed += run.count(_UPSERT, (key, kind, domain, report.begin, report.end, *order, body))
        return changed

    def _add_seal(self, run: _Run, seal: Seal) -> int:
        if list(run("SELECT 1 FROM mg_dmarc_seal WHERE identity = ?", (seal.identity,))):
            return 0
        keys = sorted(seal.keys)
        if both := _sealed_among(run, keys):
            raise StoreError(f"{len(both)} reports are sealed here already, in other sums")
        run("INSERT INTO mg_dmarc_seal (identity, body) VALUES (?, ?)", (seal.identity, _packed(seal.to_dict())))
        _insert(run, "mg_dmarc_sealed", ("key", "identity"), [(key, seal.identity) for key in keys])
        for table in ("mg_dmarc_report", "mg_dmarc_conflict", "mg_dmarc_copy"):
            for some in _chunks(keys):
                run(f"DELETE FROM {table} WHERE key IN ({', '.join('?' for _ in some)})", some)  # noqa: S608
        return 1

    def _make_tables(self) -> None:
        blob = "BLOB" if self._sqlite else "BYTEA"
        with self._transaction(lock=False) as run:
            if not self._sqlite:
                run("SELECT pg_advisory_xact_lock(7260115)")  # two that make the same table at once would collide
            for statement in _TABLES:
                run(statement.format(blob=blob))
            _insert(run, "mg_schema", ("room", "version"), [(ROOM, VERSION)])
            found = next(iter(run("SELECT version FROM mg_schema WHERE room = ?", (ROOM,))))[0]
            if found > VERSION:
                words = f"the DMARC tables {self._where} have version {found}, this program knows {VERSION}: update it"
                raise StoreError(words, exit_status=78)
            _insert(run, "mg_dmarc_change", ("id", "token", "changes"), [(1, secrets.token_hex(8), 0)])

    @contextmanager
    def _transaction(self, *, write: bool = True, lock: bool = True) -> Iterator[_Run]:
        """A connection inside one transaction: committed at the end, rolled back on any error."""
        with closing(self._connect()) as connection:
            try:
                run = _Run(connection, sqlite=self._sqlite)
                if self._sqlite:
                    run("BEGIN IMMEDIATE" if write else "BEGIN")
                elif write and lock:
                    run("LOCK TABLE mg_dmarc_report IN SHARE ROW EXCLUSIVE MODE")  # writers one after another
                try:
                    yield run
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()
            except connection.Error as error:
                passing = any(word in str(error) for word in ("locked", "busy", "disk is full"))
                raise StoreError(
                    f"the DMARC tables {self._where} cannot be used: {error}", exit_status=75 if passing else 69
                ) from error


class _Run:
    """Runs statements written with `?`."""

    def __init__(self, connection: Any, *, sqlite: bool) -> None:
        self._connection = connection
        module = sys.modules.get(type(connection).__module__.partition(".")[0])
        self._style = "qmark" if sqlite else getattr(module, "paramstyle", "pyformat")

    def __call__(self, statement: str, values: Sequence[object] = ()) -> Any:
        """The cursor, to be iterated over for rows."""
        cursor = self._connection.cursor()
        if self._style != "qmark":
            statement = statement.replace("?", "%s")
        cursor.execute(statement, tuple(values))
        return cursor

    def count(self, statement: str, values: Sequence[object] = ()) -> int:
        """How many rows the statement changed."""
        return max(int(self(statement, values).rowcount), 0)


def _load(run: _Run, where: str = "", values: Sequence[object] = ()) -> Rollup:
    rollup = Rollup()
    for identity, body in run("SELECT identity, body FROM mg_dmarc_seal"):
        rollup.seals[identity] = Seal.from_dict(_unpacked(body))
    for kind, body in run(f"SELECT kind, body FROM mg_dmarc_report{where}", values):  # noqa: S608
        data = _unpacked(body)
        rollup.add(Contribution.from_dict(data) if kind == "rua" else TlsContribution.from_dict(data))
    known = {*rollup.contributions, *rollup.tls}
    rollup.conflicts = _by_key(run("SELECT key, digest FROM mg_dmarc_conflict"), known)
    rollup.copies = _by_key(run("SELECT key, source FROM mg_dmarc_copy"), known)
    for source, error, org, message in run("SELECT source, error, org, message FROM mg_dmarc_refused"):
        rollup.refused[source] = Refused(error=error, org=org, message=message)
    return rollup


def _by_key(rows: Iterable[tuple[str, str]], known: set[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for key, text in rows:
        if key in known:
            found.setdefault(key, set()).add(text)
    return {key: smallest(texts) for key, texts in found.items()}


def _connect_postgres(url: str) -> Any:
    try:
        psycopg = importlib.import_module("psycopg")
    except ImportError as error:
        raise StoreError("PostgreSQL needs its driver: pip install 'psycopg[binary]'") from error
    try:
        return psycopg.connect(url)
    except psycopg.Error as error:
        raise StoreError(f"PostgreSQL cannot be reached: {error}") from error


def _connect_sqlite(path: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be opened: {error}") from error
    try:
        _use_wal(connection)
    except sqlite3.Error as error:
        connection.close()
        passing = any(word in str(error) for word in ("locked", "disk is full"))
        raise StoreError(f"{path} cannot be used: {error}", exit_status=75 if passing else 69) from error
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not call its busy handler here: of two processes that make a new file at once one would fail."""
    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or monotonic() > deadline:
                raise
        sleep(BUSY_PAUSE_SECONDS)


def _insert(run: _Run, table: str, columns: tuple[str, ...], rows: Iterable[Sequence[object]]) -> int:
    """Rows that are not there yet; how many were new."""
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
    return sum(run.count(statement, row) for row in rows)


def _pairs(texts: dict[str, tuple[str, ...]], sealed: set[str]) -> list[tuple[str, str]]:
    return [(key, text) for key, many in sorted(texts.items()) if key not in sealed for text in many]


def _sealed_among(run: _Run, keys: list[str]) -> set[str]:
    found: set[str] = set()
    for some in _chunks(keys):
        marks = ", ".join("?" for _ in some)
        found.update(row[0] for row in run(f"SELECT key FROM mg_dmarc_sealed WHERE key IN ({marks})", some))  # noqa: S608
    return found


def _chunks(items: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(items), _AT_ONCE):
        yield items[at : at + _AT_ONCE]


def _where(domains: Collection[str] | None, since: date | None, until: date | None) -> tuple[str, list[object]]:
    parts: list[str] = []
    values: list[object] = []
    if domains is not None:
        some = []
        for domain in sorted({domain_key(domain) for domain in domains}):
            some.append("domain = ? OR domain LIKE ? ESCAPE '!'")
            escaped = domain.replace("!", "!!").replace("%", "!%").replace("_", "!_")
            values += [domain, f"%.{escaped}"]
        parts.append(f"(kind = 'tlsrpt' OR {' OR '.join(some) or '1 = 0'})")
    for day, comparison, days in ((since, ">=", 0), (until, "<", 1)):
        if day is not None:
            parts.append(f"begin_at {comparison} ?")
            values.append(int(datetime.combine(day + timedelta(days=days), time(), UTC).timestamp()))
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), values


def _packed(data: dict[str, Any]) -> bytes:
    return zlib.compress(canonical(data).encode(), 6)


def _unpacked(body: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(zlib.decompress(bytes(body)))
    return loaded
