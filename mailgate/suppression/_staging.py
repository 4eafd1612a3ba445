"""Temporary tables in which an import is collected, sorted and brought together with the list, on both databases.

Why not row by row: a list of millions in random order touches every page of the table again and again. So the rows go
into a temporary table first, are sorted there by the database (outside of our memory), and are merged in the order of
the key in pieces. A piece is one transaction and remembers how far it got; the pieces of the same file are the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from mailgate.suppression._rows import COLUMNS, Row
from mailgate.suppression._session import Session

NEVER = 1 << 60  # an expiry that does not come; a number, so that MAX() finds the longest
# Instants in front of a detail, so that MAX() finds the newest: 13 digits.
DETAIL_PREFIX = 13

_STAGE = "key, scope, created, last, expires, count, source, detail, display"
_STAGE_TYPES = (
    "key {key_text} NOT NULL, scope INTEGER NOT NULL, created BIGINT NOT NULL, last BIGINT, expires BIGINT NOT NULL,"
    " count INTEGER, source TEXT, detail {key_text}, display {key_text}"
)
_WIDTH = 9
_ROWS_PER_STATEMENT = 400
_TABLES = ("mg_stage", "mg_sorted", "mg_scope", "mg_stage_fold")

# What a row says that is there already, and that the import would change.
_CHANGES = """(
    COALESCE(n.last, n.created) > COALESCE(o.refreshed, o.created) OR n.created < o.created
    OR (o.expires IS NOT NULL AND (n.expires > o.expires OR o.expires <= n.created))
    OR COALESCE(n.count, 1) > o.count
    OR (o.detail IS NULL AND n.detail IS NOT NULL) OR (o.display IS NULL AND n.display IS NOT NULL))"""
_NEW = (
    "n.key, c.tenant, c.stream, c.reason, n.created,"
    " CASE WHEN n.last > n.created THEN n.last END, CASE WHEN n.expires < {never} THEN n.expires END,"
    " COALESCE(n.count, 1), COALESCE(n.source, '{source}'), SUBSTR(n.detail, {detail}), n.display"
)
_OLD = ", ".join(f"o.{name}" for name in COLUMNS.split(", "))
_JOIN = """ FROM mg_sorted n JOIN mg_scope c ON c.id = n.scope"""
_SAME = (
    " JOIN mg_suppression o ON o.key = n.key AND o.tenant = c.tenant AND o.stream = c.stream AND o.reason = c.reason"
)

_PIECE = " WHERE n.n > ? AND n.n <= ?"


class Staging:
    """The temporary tables of one import in one session. source: the source of rows that name none."""

    def __init__(self, session: Session, source: str) -> None:
        self.session = session
        self.is_sqlite = session.dialect.name == "sqlite"
        self._new = _NEW.format(never=NEVER, source=source, detail=DETAIL_PREFIX + 1)

    def __enter__(self) -> Staging:
        self._drop()
        if self.is_sqlite:
            # Scratch data: nothing to overwrite for secrecy's sake, nothing to roll back.
            self.session.run("PRAGMA temp.secure_delete = OFF")
            self.session.run("PRAGMA temp.journal_mode = OFF")
        types = self.session.dialect.types
        self.session.run(f"CREATE TEMPORARY TABLE mg_stage ({_STAGE_TYPES})".format(**types))
        self.session.run("CREATE TEMPORARY TABLE mg_stage_fold (folded {key_text}, key {key_text})".format(**types))
        number = "n INTEGER PRIMARY KEY" if self.is_sqlite else "n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        self.session.run(f"CREATE TEMPORARY TABLE mg_sorted ({number}, {_STAGE_TYPES})".format(**types))
        self.session.run(
            "CREATE TEMPORARY TABLE mg_scope"
            " (id INTEGER NOT NULL PRIMARY KEY, tenant TEXT NOT NULL, stream TEXT NOT NULL, reason SMALLINT NOT NULL)"
        )
        return self

    def __exit__(self, *unused: object) -> None:
        if self.session.usable:
            self._drop()

    def collect(self, rows: Iterable[Row]) -> None:
        """Take the rows of the import, in the order of the file."""
        if self.is_sqlite:
            self.session.run("BEGIN")
            try:
                self._insert(rows)
            finally:
                self.session.run("COMMIT")
        elif hasattr(self.session.cursor, "copy"):
            self._copy(rows)
        else:
            self._insert(rows)

    def fold(self, pairs: Iterable[Sequence[str]]) -> None:
        """Take (folded key, key) pairs."""
        for piece in _pieces(pairs, _ROWS_PER_STATEMENT):
            marks = ", ".join(["(?, ?)"] * len(piece))
            self.session.run(f"INSERT INTO mg_stage_fold (folded, key) VALUES {marks}", tuple(chain(*piece)))  # noqa: S608

    def scopes(self, scopes: Iterable[tuple[int, str, str, int]]) -> None:
        """Take the (number, tenant, stream, reason code) that the rows name by number."""
        for scope in scopes:
            self.session.run("INSERT INTO mg_scope (id, tenant, stream, reason) VALUES (?, ?, ?, ?)", scope)

    def sort(self) -> int:
        """Sort the rows, several of the same entry made one; how many there are."""
        self.session.run(
            f"INSERT INTO mg_sorted ({_STAGE}) SELECT key, scope, MIN(created), MAX(last), MAX(expires), MAX(count),"  # noqa: S608
            " MAX(source), MAX(detail), MAX(display) FROM mg_stage GROUP BY key, scope ORDER BY key, scope"
        )
        self.session.run("DROP TABLE mg_stage")
        if not self.is_sqlite:
            self.session.run("ANALYZE mg_sorted")
        return int(self.session.rows("SELECT COALESCE(MAX(n), 0) FROM mg_sorted")[0][0])

    def add_folds(self) -> None:
        """Put the collected pairs into the fold table."""
        self.session.run(
            "INSERT INTO mg_suppression_fold (folded, key) SELECT DISTINCT folded, key FROM mg_stage_fold"
            " WHERE folded IS NOT NULL ON CONFLICT (folded, key) DO NOTHING"
        )

    def known(self, after: int, upto: int) -> list[Row]:
        """Rows that change an entry that is there: the columns of the entry, then those of the row."""
        sql = f"SELECT {_OLD}, {self._new}{_JOIN}{_SAME}{_PIECE} AND {_CHANGES} ORDER BY n.n"
        return self.session.rows(sql, (after, upto))

    def add_unknown(self, after: int, upto: int) -> int:
        """Put the rows into the list that are not there; how many."""
        sql = (
            f"INSERT INTO mg_suppression ({COLUMNS}) SELECT {self._new}{_JOIN}{_PIECE} ORDER BY n.n"
            " ON CONFLICT (key, tenant, stream, reason) DO NOTHING"
        )
        return self.session.run(sql, (after, upto))

    def has_domains(self, after: int, upto: int) -> bool:
        """True when a row of the piece may be a domain's."""
        sql = "SELECT 1 FROM mg_sorted n WHERE n.n > ? AND n.n <= ? AND n.key >= '@' AND n.key < 'A' LIMIT 1"
        return bool(self.session.rows(sql, (after, upto)))

    def _insert(self, rows: Iterable[Row]) -> None:
        per_statement = _ROWS_PER_STATEMENT
        if self.is_sqlite:
            limit = self.session.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
            per_statement = min(per_statement, limit // _WIDTH)
        marks = f"({', '.join('?' * _WIDTH)})"
        whole = f"INSERT INTO mg_stage ({_STAGE}) VALUES {', '.join([marks] * per_statement)}"  # noqa: S608
        for piece in _pieces(rows, per_statement):
            sql = whole
            if len(piece) < per_statement:
                sql = f"INSERT INTO mg_stage ({_STAGE}) VALUES {', '.join([marks] * len(piece))}"  # noqa: S608
            flat: list[Any] = []
            for row in piece:
                flat += row
            self.session.run(sql, flat)

    def _copy(self, rows: Iterable[Row]) -> None:
        try:
            with self.session.cursor.copy(f"COPY mg_stage ({_STAGE}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        except self.session.dialect.errors as error:
            raise self.session.failure(error) from error

    def _drop(self) -> None:
        for table in _TABLES:
            self.session.run(f"DROP TABLE IF EXISTS {table}")


def _pieces(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    stream = iter(rows)
    while piece := list(islice(stream, size)):
        yield piece
