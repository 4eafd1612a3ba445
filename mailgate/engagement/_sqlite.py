"""Events in an SQLite database that several processes and threads write to.

Durable by default: an event is committed before the sink returns, so an answer that was sent is an event that is
stored, whatever happens to the process. Threads that come while another one commits form the next batch, which one
of them commits for all (group commit): the more there is to do, the larger the batches. With `durable=False` events
gather in memory and are committed every `flush_seconds` or `max_batch` events; a killed process loses those.

The tables are prefixed `mg_track_`; `mg_schema` says which version they are, and is shared with other rooms of mailgate
in the same file.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mailgate.engagement._event import Actor, Confidence, EventType, TrackingEvent
from mailgate.records import MailgateError

ROOM = "engagement"
SCHEMA_VERSION = 1
MAX_BATCH = 500
BUSY_SECONDS = 30.0
BUSY_PAUSE_SECONDS = 0.002

_COLUMNS = (
    "id", "type", "at", "issued", "message_id", "recipient_id", "stream", "tenant", "link_index", "link_count", "url",
    "trap", "method", "actor", "actor_reason", "confidence", "signals", "client", "agent_class", "user_agent",
    "ip_prefix", "tid", "counted", "amends", "key_id",
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS mg_schema (room TEXT PRIMARY KEY, version INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS mg_track_event (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL, type TEXT NOT NULL,
        at INTEGER NOT NULL, -- microseconds since the epoch
        issued INTEGER NOT NULL, -- seconds since the epoch
        message_id TEXT NOT NULL, recipient_id TEXT NOT NULL, stream TEXT NOT NULL, tenant TEXT NOT NULL,
        link_index INTEGER, link_count INTEGER, url TEXT NOT NULL, trap INTEGER NOT NULL, method TEXT NOT NULL,
        actor TEXT NOT NULL, actor_reason TEXT NOT NULL, confidence TEXT NOT NULL, signals TEXT NOT NULL,
        client TEXT NOT NULL, agent_class TEXT NOT NULL, user_agent TEXT NOT NULL, ip_prefix TEXT NOT NULL,
        tid TEXT NOT NULL, counted INTEGER NOT NULL, amends TEXT NOT NULL, key_id INTEGER NOT NULL,
        first INTEGER NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS mg_track_event_tid ON mg_track_event (tid)",
)
_INSERT = (
    f"INSERT INTO mg_track_event ({', '.join(_COLUMNS)}, first)"  # noqa: S608 - constants only
    f" VALUES ({', '.join('?' * len(_COLUMNS))},"
    " NOT EXISTS (SELECT 1 FROM mg_track_event WHERE tid = ?))"
)
_SELECT = f"SELECT {', '.join(_COLUMNS)}, first FROM mg_track_event"  # noqa: S608 - constants only


class SinkError(MailgateError):
    """The store cannot take events: it is locked for too long, damaged, full, or of a newer version."""

    exit_status = 75


_INHERITED: list[sqlite3.Connection | None] = []


class _Waiting:
    """One event between its arrival and its commit."""

    __slots__ = ("done", "error", "row")

    def __init__(self, row: tuple[object, ...]) -> None:
        self.row = row
        self.done = False
        self.error: Exception | None = None


class SQLiteSink:
    """Stores each event in an SQLite file (WAL); safe for several processes and threads, also after a fork.

    path: made when it is not there. durable: commit before returning (see the top of this module).
    max_batch, flush_seconds: for `durable=False`. busy_seconds: how long to wait for another process's lock.
    `first` of a stored event is the store's own: whether its token was there before, from any process.
    Raises SinkError.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durable: bool = True,
        max_batch: int = MAX_BATCH,
        flush_seconds: float = 1.0,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self._path = os.fspath(path)
        self._durable = durable
        self._max_batch = max_batch
        self._flush_seconds = flush_seconds
        self._busy_seconds = busy_seconds
        self._start()

    def _start(self) -> None:
        self._pid = os.getpid()
        self._queue_lock = threading.Lock()
        self._commit_lock = threading.Lock()
        self._queue: list[_Waiting] = []
        self._connection: sqlite3.Connection | None = None
        self._flusher: threading.Thread | None = None
        self._closing = threading.Event()

    def __call__(self, event: TrackingEvent) -> None:
        """Store one event."""
        if self._pid != os.getpid():
            self._begin_anew()
        waiting = _Waiting(_row(event))
        with self._queue_lock:
            self._queue.append(waiting)
            count = len(self._queue)
        if self._durable:
            self._commit(waiting)
        elif count >= self._max_batch:
            self._commit(None)
        elif self._flusher is None:
            self._start_flusher()

    def _begin_anew(self) -> None:
        # After a fork connection, locks and waiting events are the parent's. The connection is not even closed: that
        # would be a checkpoint in a file that the parent is using.
        _INHERITED.append(self._connection)
        self._start()

    def __del__(self) -> None:
        connection = getattr(self, "_connection", None)  # none when __init__ has failed
        if connection is None:
            return
        if self._pid == os.getpid():
            connection.close()
        else:
            _INHERITED.append(connection)

    def open(self) -> None:
        """Open the file before the first event, to be told early (SinkError) that it cannot be."""
        with self._commit_lock:
            self._open()

    def flush(self) -> None:
        """Commit what waits."""
        self._commit(None)

    def close(self) -> None:
        """Commit what waits and close the file; a later event opens it again."""
        if self._pid != os.getpid():
            self._begin_anew()
            return
        self._closing.set()
        if self._flusher is not None:
            self._flusher.join()
            atexit.unregister(self._commit_quietly)
        self.flush()
        with self._commit_lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            self._flusher = None
            self._closing = threading.Event()

    def __enter__(self) -> SQLiteSink:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _commit(self, mine: _Waiting | None) -> None:
        """Commit all that waits; when `mine` was committed by another thread meanwhile, there is nothing to do."""
        with self._commit_lock:
            if mine is None or not mine.done:
                with self._queue_lock:
                    batch, self._queue = self._queue, []
                self._store(batch)
                if mine is None:
                    mine = next((waiting for waiting in batch if waiting.error is not None), None)
        if mine is not None and mine.error is not None:
            raise SinkError(f"{self._path}: {mine.error}") from mine.error

    def _store(self, batch: list[_Waiting]) -> None:
        if not batch:
            return
        error: Exception | None = SinkError("not stored")
        try:
            self._insert([waiting.row for waiting in batch])
            error = None
        except (sqlite3.Error, SinkError) as caught:
            error = caught
        finally:
            for waiting in batch:
                waiting.error = error
                waiting.done = True

    def _insert(self, rows: list[tuple[object, ...]]) -> None:
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(_INSERT, rows)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, busy_seconds=self._busy_seconds)
        return self._connection

    def _start_flusher(self) -> None:
        with self._queue_lock:
            if self._flusher is None:
                atexit.register(self._commit_quietly)
                self._flusher = threading.Thread(target=self._flush_often, name="mailgate-track-flush", daemon=True)
                self._flusher.start()

    def _flush_often(self) -> None:
        while not self._closing.wait(self._flush_seconds):
            self._commit_quietly()

    def _commit_quietly(self) -> None:
        with self._commit_lock:
            with self._queue_lock:
                batch, self._queue = self._queue, []
            self._store(batch)
            if batch and batch[0].error is not None:
                # Nobody is there to be told: keep the events for the next attempt, which a caller may make.
                with self._queue_lock:
                    self._queue = [_Waiting(waiting.row) for waiting in batch] + self._queue


def connect(path: str, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """An open store with its tables made. Raises SinkError when it is no database or of a newer version."""
    try:
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise SinkError(f"{path}: {error}") from error
    try:
        _prepare(connection, path, busy_seconds)
    except sqlite3.Error as error:
        connection.close()
        raise SinkError(f"{path}: {error}") from error
    except SinkError:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: str, busy_seconds: float) -> None:
    _use_wal(connection, busy_seconds)
    # NORMAL: a commit survives the process; FULL would cost a flush of the disk for each.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA:
        connection.execute(statement)
    connection.execute("INSERT OR IGNORE INTO mg_schema (room, version) VALUES (?, ?)", (ROOM, SCHEMA_VERSION))
    (version,) = connection.execute("SELECT version FROM mg_schema WHERE room = ?", (ROOM,)).fetchone()
    connection.execute("COMMIT")
    if version != SCHEMA_VERSION:
        raise SinkError(f"{path}: its tables are of version {version}, this program knows {SCHEMA_VERSION}")


def _use_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch the file to WAL. SQLite does not wait for others who are doing the same to a new file, so we do."""
    until = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(BUSY_PAUSE_SECONDS)
        else:
            return


def read_sqlite(path: str | os.PathLike[str], *, grouped: bool = False) -> Iterator[TrackingEvent]:
    """The events of a store, in the order in which they came.

    grouped: instead, all events of one message to one recipient behind one another (SQLite sorts on disk).
    Raises SinkError when it is no store of ours.
    """
    # Without a recipient's id every token is somebody of their own.
    one = "tenant, message_id, recipient_id, CASE recipient_id WHEN '' THEN tid ELSE '' END, seq"
    order = one if grouped else "seq"
    try:
        connection = sqlite3.connect(f"file:{_quoted(os.fspath(path))}?mode=ro", uri=True, timeout=BUSY_SECONDS)
        try:
            for row in connection.execute(f"{_SELECT} ORDER BY {order}"):
                yield _event(row)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise SinkError(f"{path}: {error}") from error


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _row(event: TrackingEvent) -> tuple[object, ...]:
    return (
        event.id,
        event.type.value,
        (event.at - _EPOCH) // _MICROSECOND,
        *event[3:13],  # issued to method: as they are
        event.actor.value,
        event.actor_reason,
        event.confidence.value,
        " ".join(event.signals),
        *event[17:23],  # client to counted
        event.amends,
        event.key_id,
        event.tid,  # once more, for `first`
    )


def _event(row: tuple[object, ...]) -> TrackingEvent:
    values: dict[str, object] = dict(zip((*_COLUMNS, "first"), row, strict=True))
    values["type"] = EventType(str(values["type"]))
    values["at"] = _EPOCH + int(str(values["at"])) * _MICROSECOND
    values["actor"] = Actor(str(values["actor"]))
    values["confidence"] = Confidence(str(values["confidence"]))
    values["signals"] = tuple(str(values["signals"]).split())
    for name in ("trap", "counted", "first"):
        values[name] = bool(values[name])
    return TrackingEvent(**values)  # type: ignore[arg-type]
