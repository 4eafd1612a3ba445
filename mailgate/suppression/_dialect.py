"""The two databases, and the little in which they differ.

SQL is written once, with `?` for parameters, in the subset that SQLite 3.24, PostgreSQL 9.5 (identity columns: 10) and
CockroachDB share; a dialect supplies types, the statements that begin a writing transaction, and the errors.
"""

from __future__ import annotations

import importlib
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

from mailgate.suppression._errors import StoreUnavailable

Connect = Callable[[], Any]

_POLL_SECONDS = (0.000_2, 0.002)  # of a writer that waits for another; a transaction takes about a millisecond


class Dialect(Protocol):
    """What the store needs to know about its database."""

    name: str
    where: str
    errors: tuple[type[Exception], ...]
    our_bugs: tuple[type[Exception], ...]
    types: ClassVar[Mapping[str, str]]
    in_memory: bool
    has_json: bool

    def connect(self) -> Any:
        """A new connection in autocommit mode. Raises StoreUnavailable."""

    def max_parameters(self, connection: Any) -> int:
        """How many parameters a statement may have."""

    def sql(self, text: str) -> str:
        """`text` with the parameter marks of the driver."""

    def begin_writing(self, cursor: Any) -> None:
        """Begin a transaction that no other writer can enter."""

    def begin_reading(self, cursor: Any) -> None:
        """Begin a transaction that sees one state of the database."""

    def verify(self) -> None:
        """Raises StoreUnavailable when the database is no longer where it was first opened."""


class SqliteDialect:
    """One SQLite file in WAL mode.

    durable: True: a commit is on the disk before it is acknowledged (survives a power cut); False: it survives
    kill -9 and not a power cut, and single changes are several times as fast.
    """

    name = "sqlite"
    types: ClassVar[Mapping[str, str]] = {
        "log_id": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "key_text": "TEXT",
        "end_of_table": " WITHOUT ROWID",
    }
    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    our_bugs: tuple[type[Exception], ...] = (
        sqlite3.ProgrammingError,
        sqlite3.IntegrityError,
        sqlite3.NotSupportedError,
    )

    def __init__(
        self,
        path: str,
        *,
        create: bool = True,
        read_only: bool = False,
        timeout_seconds: float = 10.0,
        durable: bool = True,
        cache_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self.path = path
        self.where = path
        self.create = create and not read_only
        self.read_only = read_only
        self.timeout_seconds = timeout_seconds
        self.durable = durable
        self.cache_bytes = cache_bytes
        self.in_memory = path == ":memory:"  # such a list lives and dies with its one connection
        self.has_json = _has_json()
        self._file: tuple[int, int] | None = None

    def connect(self) -> sqlite3.Connection:
        if self._file is not None:
            # Before SQLite opens it: the log (-wal) of the old file would be read into the new one and destroy it.
            self._refuse_replaced()
        mode = "ro" if self.read_only else ("rwc" if self.create else "rw")
        name = ":memory:" if self.in_memory else f"{Path(self.path).absolute().as_uri()}?mode={mode}"
        try:
            connection = sqlite3.connect(
                name,
                uri=not self.in_memory,
                timeout=self.timeout_seconds,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise StoreUnavailable(self.where, self._words(error)) from error
        try:
            self._prepare(connection)
        except sqlite3.Error as error:
            connection.close()
            raise StoreUnavailable(self.where, self._words(error)) from error
        try:
            self._refuse_replaced()
        except StoreUnavailable:
            connection.close()
            raise
        return connection

    def _refuse_replaced(self) -> None:
        if self._file is None:
            self._file = self._stat()
        elif self._stat() != self._file:
            raise StoreUnavailable(self.where, "the file was replaced by another; start again to use the new one")

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA cache_size = {-(self.cache_bytes // 1024)}")
        if self.read_only:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return
        connection.execute(f"PRAGMA synchronous = {'FULL' if self.durable else 'NORMAL'}")
        connection.execute("PRAGMA secure_delete = ON")
        self._use_wal(connection)

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        # SQLite does not call its busy handler here: two processes that create the file at once would fail.
        deadline = time.monotonic() + self.timeout_seconds
        while True:
            try:
                if connection.execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "memory"):
                    connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)

    def _words(self, error: Exception) -> str:
        if not self.in_memory and not os.path.exists(self.path) and not self.create:
            return "there is no such file"
        return str(error)

    def max_parameters(self, connection: Any) -> int:
        return int(connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER))  # 999, 32,766 or 250,000 by the build

    def sql(self, text: str) -> str:
        return text

    def begin_writing(self, cursor: Any) -> None:
        # Not the deferred BEGIN: a transaction that reads first and writes then cannot wait for another writer.
        # And not SQLite's own waiting, which looks ten times a second in the end: next to a busy writer that is never
        # the right moment, and a second one starves.
        cursor.execute("PRAGMA busy_timeout = 0")
        deadline = time.monotonic() + self.timeout_seconds
        try:
            while True:
                try:
                    cursor.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    if "locked" not in str(error) or time.monotonic() >= deadline:
                        raise
                    time.sleep(random.uniform(*_POLL_SECONDS))  # noqa: S311 - so that waiters do not march in step
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(self.timeout_seconds * 1000)}")

    def begin_reading(self, cursor: Any) -> None:
        cursor.execute("BEGIN")

    def verify(self) -> None:
        if not self.in_memory:
            self._refuse_replaced()

    def _stat(self) -> tuple[int, int] | None:
        if self.in_memory:
            return None
        try:
            status = os.stat(self.path)
        except OSError as error:
            raise StoreUnavailable(self.where, (error.strerror or str(error)).lower()) from error
        return status.st_dev, status.st_ino


class PostgresDialect:
    """A PostgreSQL database behind a DB-API 2.0 connection factory whose connections have `autocommit`
    (psycopg, psycopg2, pg8000)."""

    name = "postgresql"
    in_memory = False
    has_json = True
    types: ClassVar[Mapping[str, str]] = {
        "log_id": "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
        # Bytes order, so that an equal search is a range search and sorting agrees with SQLite.
        "key_text": 'TEXT COLLATE "C"',
        "end_of_table": "",
    }

    def __init__(self, factory: Connect, *, where: str = "(PostgreSQL)", paramstyle: str | None = None) -> None:
        self.factory = factory
        self.where = where
        self.paramstyle = paramstyle
        self.errors: tuple[type[Exception], ...] = (OSError,)
        self.our_bugs: tuple[type[Exception], ...] = ()
        self._translated: dict[str, str] = {}

    def connect(self) -> Any:
        errors = self.errors + _errors_of_loaded_drivers()
        try:
            connection = self.factory()
        except errors as error:
            raise StoreUnavailable(self.where, str(error).strip()) from error
        self._learn(connection)
        connection.autocommit = True
        return connection

    def _learn(self, connection: Any) -> None:
        driver = sys.modules[type(connection).__module__.partition(".")[0]]
        if not hasattr(driver, "Error"):  # pg8000 keeps its DB-API in a submodule
            driver = sys.modules[type(connection).__module__]
        self.paramstyle = self.paramstyle or driver.paramstyle
        self.errors = (driver.Error, OSError)
        # Not ProgrammingError: a table that is missing is the state of the world (a database restored, or dropped).
        self.our_bugs = (driver.IntegrityError, driver.NotSupportedError)

    def max_parameters(self, connection: Any) -> int:
        return 65_535  # the protocol counts them in 16 bits

    def sql(self, text: str) -> str:
        translated = self._translated.get(text)
        if translated is None:
            translated = self._translated[text] = _translate(text, self.paramstyle or "format")
        return translated

    def begin_writing(self, cursor: Any) -> None:
        cursor.execute("BEGIN")
        # One writer at a time, as in SQLite; so the log's numbers grow in the order of the commits.
        cursor.execute("SELECT value FROM mg_suppression_meta WHERE name = 'changes' FOR UPDATE")

    def begin_reading(self, cursor: Any) -> None:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def verify(self) -> None:
        """Nothing to look at: the next query tells."""


@cache
def _has_json() -> bool:
    """SQLite has JSON functions from 3.38 on, and before when it was built with them."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("SELECT json_array(1)")
        except sqlite3.OperationalError:
            return False
    return True


def _translate(text: str, paramstyle: str) -> str:
    if paramstyle == "qmark":
        return text
    if paramstyle in ("format", "pyformat"):
        return text.replace("%", "%%").replace("?", "%s")
    if paramstyle == "numeric":
        parts = text.split("?")
        return "".join(part if i == 0 else f":{i}{part}" for i, part in enumerate(parts))
    raise ValueError(f"a driver with paramstyle {paramstyle!r} is not supported")


def _errors_of_loaded_drivers() -> tuple[type[Exception], ...]:
    """The `Error` of each driver that is loaded: before the first connection nobody says which one a factory uses."""
    drivers = (sys.modules.get(name) for name in ("psycopg", "psycopg2", "pg8000"))
    return tuple(driver.Error for driver in drivers if driver is not None)


def is_url(where: str) -> bool:
    """True for a PostgreSQL URL, False for what must be a path."""
    return where.startswith(("postgresql://", "postgres://"))


def dialect_for(where: str | os.PathLike[str] | Connect, **options: Any) -> SqliteDialect | PostgresDialect:
    """The dialect of a path, a PostgreSQL URL, or a connection factory."""
    if callable(where):
        return PostgresDialect(where)
    text = os.fspath(where)
    if not is_url(text):
        return SqliteDialect(text, **options)
    # By name, not by import: the driver is the user's choice to install, and this room stands without it.
    try:
        driver = importlib.import_module("psycopg")
    except ImportError as error:
        raise StoreUnavailable(_without_password(text), "install its driver: pip install 'psycopg[binary]'") from error
    return PostgresDialect(lambda: driver.connect(text), where=_without_password(text))


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    rest = rest.partition("?")[0]  # a password can also stand among the parameters
    user, at, host = rest.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}{at}{host}"
