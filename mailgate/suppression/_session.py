"""One connection and what is done with it: statements, transactions, and turning the driver's errors into ours.

Each thread has its own session, and so has each process after a fork: SQLite forbids to carry a connection across one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any
from weakref import WeakSet

from mailgate.suppression._dialect import Dialect
from mailgate.suppression._errors import StoreUnavailable

# How long a look-up may trust that the file is still where it was opened; an operator's mv is seen after that.
VERIFY_EVERY_SECONDS = 0.2

_NEVER_TRUSTED = float("-inf")

_sessions: WeakSet[Session] = WeakSet()
_stores: WeakSet[Sessions] = WeakSet()
_of_parents: list[Session] = []  # kept for ever: to close a connection on this side of a fork would harm the other


def _forget_parents_sessions() -> None:
    for session in _sessions:
        session.of_this_process = False
        session.lose()
    _of_parents.extend(_sessions)
    for store in _stores:
        store.new_locks()  # another thread of the parent may have held one, and that thread is not here


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_forget_parents_sessions)


class Transaction:
    """A writing transaction. changed: something was; rules_changed: what concerns more than one address was."""

    def __init__(self) -> None:
        self.changed = False
        self.rules_changed = False


class Session:
    """A connection with one cursor."""

    def __init__(self, dialect: Dialect, connection: Any, lock: threading.RLock) -> None:
        self.of_this_process = True
        self.usable = True
        self.dialect = dialect
        self.connection = connection
        self.cursor = connection.cursor()
        self.max_parameters = dialect.max_parameters(connection)
        self.rules: Any = None  # `_lookup.Rules`, set by whoever prepares the session
        self.verify_after = time.monotonic() + VERIFY_EVERY_SECONDS
        self._lock = lock
        # The one connection of a list in memory is shared by all threads, so they take turns.
        self.shared = dialect.in_memory
        self.quick = dialect.has_json and not self.shared  # one address can be looked up with one query in one column
        self._statement_lock: AbstractContextManager[object] = lock if self.shared else nullcontext()
        self._inside = False
        _sessions.add(self)

    def __del__(self) -> None:
        """A thread that ended takes its connection with it; servers may start one for every request."""
        if self.of_this_process and not self.dialect.in_memory:
            with suppress(*self.dialect.errors):
                self.connection.close()

    def lose(self) -> None:
        """Never use this session again; its thread makes a new one when it next asks."""
        self.usable = False
        self.verify_after = _NEVER_TRUSTED

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query. Raises StoreUnavailable."""
        try:
            with self._statement_lock:
                self.cursor.execute(self.dialect.sql(sql), parameters)
                found: list[tuple[Any, ...]] = self.cursor.fetchall()
        except self.dialect.errors as error:
            raise self.failure(error) from error
        return found

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Execute one statement; the number of rows it touched. Raises StoreUnavailable."""
        try:
            with self._statement_lock:
                self.cursor.execute(self.dialect.sql(sql), parameters)
                return int(self.cursor.rowcount)
        except self.dialect.errors as error:
            raise self.failure(error) from error

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute one statement for each of `rows`. Raises StoreUnavailable."""
        if not rows:
            return
        try:
            with self._statement_lock:
                self.cursor.executemany(self.dialect.sql(sql), rows)
        except self.dialect.errors as error:
            raise self.failure(error) from error

    def failure(self, error: Exception) -> Exception:
        """The error to raise for one of the driver: ours, unless it is a bug (then the driver's own)."""
        if isinstance(error, self.dialect.our_bugs):
            return error
        self.lose()
        return StoreUnavailable(self.dialect.where, str(error).strip() or type(error).__name__)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """A transaction that no other writer can enter; committed at the end, rolled back on any exception.

        Inside another one it is that one: the outer decides.
        """
        if self._inside:
            raise RuntimeError("a writing transaction is open already in this thread")
        with self._lock:
            self.verify()
            self._begin(self.dialect.begin_writing)
            self._inside = True
            transaction = Transaction()
            try:
                yield transaction
                self._count_changes(transaction)
                self.run("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._inside = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A transaction in which every query sees the same state."""
        with self._lock:
            self._begin(self.dialect.begin_reading)
            try:
                yield
            finally:
                self._roll_back()

    def verify(self) -> None:
        """Raises StoreUnavailable when the database is no longer where it was opened; the session is then broken."""
        try:
            self.dialect.verify()
        except StoreUnavailable:
            self.lose()
            raise
        self.verify_after = time.monotonic() + VERIFY_EVERY_SECONDS

    def close(self) -> None:
        """Close the connection; once is enough, twice is no harm."""
        self.connection.close()

    def _begin(self, begin: Any) -> None:
        try:
            begin(self.cursor)
        except self.dialect.errors as error:
            raise self.failure(error) from error

    def _roll_back(self) -> None:
        try:
            self.cursor.execute("ROLLBACK")
        except self.dialect.errors:
            self.lose()  # the connection is gone, and with it the transaction

    def _count_changes(self, transaction: Transaction) -> None:
        names = ["changes"] if transaction.changed or transaction.rules_changed else []
        names += ["rules"] if transaction.rules_changed else []
        for name in names:
            self.run(
                "UPDATE mg_suppression_meta SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = ?", (name,)
            )


class Sessions:
    """The sessions of one store, one per thread. prepare: checks a new connection before anybody uses it."""

    def __init__(self, dialect: Dialect, prepare: Callable[[Session], None]) -> None:
        self.dialect = dialect
        self._prepare = prepare
        self.local = threading.local()
        self._lock = threading.Lock()
        _stores.add(self)
        self._all: WeakSet[Session] = WeakSet()  # weak: a session lives as long as its thread
        self._adopted: Any = None
        # Threads wait for each other here, where they are woken, and not in the database, where they poll.
        self._write_lock = threading.RLock()
        self.closed = False

    def new_locks(self) -> None:
        """Begin anew after a fork."""
        self._lock = threading.Lock()
        self._write_lock = threading.RLock()

    def get(self) -> Session:
        """The session of this thread, connected. Raises StoreUnavailable; ValueError after `close`."""
        session: Session | None = getattr(self.local, "session", None)
        if session is not None and session.usable:
            return session
        return self._new(session)

    def verified(self) -> Session:
        """`get`, after a look whether the database is still where it was opened. Raises StoreUnavailable."""
        session = self.get()
        session.verify()
        return session

    def close(self) -> None:
        """Close the sessions of every thread."""
        with self._lock:
            self.closed = True
            sessions = list(self._all)
        for session in sessions:
            session.lose()
            if session.of_this_process:
                session.close()
        if self._adopted is not None:
            self._adopted.close()

    def adopt(self, connection: Any) -> None:
        """A connection to use before any is made; for an in-memory store the only one there will ever be."""
        self._adopted = connection

    def _new(self, old: Session | None) -> Session:
        if self.closed:
            raise ValueError("the suppression store is closed")
        self._forget(old)
        session = self._connected()
        with self._lock:
            self._all.add(session)
        self.local.session = session
        try:
            self._prepare(session)
        except BaseException:
            session.lose()
            raise
        return session

    def _connected(self) -> Session:
        with self._lock:
            adopted = self._adopted
            if self.dialect.in_memory:
                return Session(self.dialect, adopted, self._write_lock)
            self._adopted = None
        return Session(self.dialect, adopted if adopted is not None else self.dialect.connect(), self._write_lock)

    def _forget(self, old: Session | None) -> None:
        if old is None or not old.of_this_process:
            return
        with self._lock:
            self._all.discard(old)
        if not self.dialect.in_memory:
            with suppress(*self.dialect.errors):  # it was broken; perhaps nothing is left to close
                old.close()
