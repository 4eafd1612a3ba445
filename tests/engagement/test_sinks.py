"""Recorders: what was taken is there, from any thread and process, and can be read back."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import resource
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mailgate.engagement import (
    JsonLinesSink,
    LinkSigner,
    SinkError,
    SQLiteSink,
    TrackingApp,
    TrackingEvent,
    read_events,
    read_json_lines,
    read_sqlite,
)
from mailgate.engagement._sqlite import SCHEMA_VERSION, connect
from mailgate.records import KeyRing
from tests.support.files import is_held

from .conftest import CHROME, SECRET, Client

Sink = JsonLinesSink | SQLiteSink
KINDS: dict[str, Callable[[Path], Sink]] = {
    "json lines": JsonLinesSink,
    "sqlite": SQLiteSink,
    "sqlite, batched": lambda path: SQLiteSink(path, durable=False, flush_seconds=0.05),
}


def make_events(count: int, *, offset: int = 0) -> list[TrackingEvent]:
    """Events as the app makes them, of different tokens."""
    signer = LinkSigner(KeyRing.of(SECRET), "https://t.example/")
    events: list[TrackingEvent] = []
    get = Client(TrackingApp(signer, events.append))
    for number in range(offset, offset + count):
        token = signer.sign(
            "click",
            f"https://e.example/{number}?ä=ö",
            message_id=f"m{number % 7}",
            recipient_id=f"r{number}",
            stream="news",
            tenant="acme",
            link_index=number % 5,
            link_count=5,
            trap=number % 11 == 0,
        )
        get("/c/" + token, HTTP_USER_AGENT=CHROME if number % 3 else "curl/8")
    return events


EVENTS = make_events(40)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_written_is_read(kind: str, tmp_path: Path) -> None:
    with KINDS[kind](tmp_path / "events") as sink:
        for event in EVENTS:
            sink(event)
    assert list(read_events(tmp_path / "events")) == EVENTS


def test_grouped(kind: str, tmp_path: Path) -> None:
    shuffled = sorted(EVENTS * 2, key=lambda event: event.id)
    nameless = [event._replace(recipient_id="") for event in shuffled]
    with KINDS[kind](tmp_path / "events") as sink:
        for event in shuffled + nameless:
            sink(event)
    keys = [(e.tenant, e.message_id, e.recipient_id or e.tid) for e in read_events(tmp_path / "events", grouped=True)]
    changes = sum(a != b for a, b in itertools.pairwise(keys)) + 1
    assert len(keys) == len(EVENTS) * 4
    assert changes == len(set(keys))


def test_a_closed_sink_opens_again(kind: str, tmp_path: Path) -> None:
    sink = KINDS[kind](tmp_path / "events")
    for event in EVENTS[:3]:
        sink(event)
        sink.close()
        sink.close()
    assert list(read_events(tmp_path / "events")) == EVENTS[:3]


def test_many_threads(kind: str, tmp_path: Path) -> None:
    sink = KINDS[kind](tmp_path / "events")
    parts = [EVENTS[n::8] for n in range(8)]
    threads = [threading.Thread(target=lambda part=part: [sink(e) for e in part]) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sink.close()
    assert sorted(read_events(tmp_path / "events")) == sorted(EVENTS)


def _write(make: str, path: str, start: int, count: int, die_after: int) -> None:
    """In a child process: write, say what is certain, and be killed in the middle."""
    sink = KINDS[make](Path(path))
    certain = os.open(f"{path}.{start}.certain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number, event in enumerate(make_events(count, offset=start)):
        sink(event)
        os.write(certain, event.id.encode() + b"\n")
        if number == die_after:
            os.kill(os.getpid(), signal.SIGKILL)
    sink.close()
    os.close(certain)


@pytest.mark.parametrize("make", ["json lines", "sqlite"])
def test_several_processes_of_which_one_is_killed(make: str, tmp_path: Path) -> None:
    """An event for which the sink returned is stored; of the killed process at most one more."""
    path = tmp_path / "events"
    context = multiprocessing.get_context("fork")
    children = [
        context.Process(target=_write, args=(make, str(path), start, 60, 30 if start == 1_000 else -1))
        for start in (0, 1_000, 2_000)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, -signal.SIGKILL, 0]
    stored = [event.id for event in read_events(path)]
    certain = [line for file in tmp_path.glob("*.certain") for line in file.read_text().split()]
    assert len(certain) == 151
    assert len(stored) == len(set(stored))
    assert set(certain) <= set(stored)
    assert len(stored) <= len(certain) + 1


def _write_one(make: str, path: str, ready: Any, number: int) -> None:
    sink = KINDS[make](Path(path))
    ready.wait()
    sink(EVENTS[number])
    sink.close()


@pytest.mark.parametrize("make", ["json lines", "sqlite"])
def test_processes_that_all_make_the_file(make: str, tmp_path: Path) -> None:
    """Workers of one server start together and find no file; SQLite does not wait when two switch it to WAL."""
    context = multiprocessing.get_context("fork")
    for turn in range(25):
        path = tmp_path / f"events{turn}"
        ready = context.Barrier(4)
        children = [context.Process(target=_write_one, args=(make, str(path), ready, n)) for n in range(4)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        assert [child.exitcode for child in children] == [0, 0, 0, 0]
        assert {event.id for event in read_events(path)} == {event.id for event in EVENTS[:4]}


def test_a_sink_that_nobody_holds_any_more_closes_its_file(tmp_path: Path) -> None:
    sink = SQLiteSink(tmp_path / "events")
    sink(EVENTS[0])
    assert is_held(tmp_path / "events")
    del sink
    assert not is_held(tmp_path / "events")


def test_a_child_that_closes_a_sink_leaves_it_to_its_parent(tmp_path: Path) -> None:
    with SQLiteSink(tmp_path / "events") as sink:
        sink(EVENTS[0])
        process = multiprocessing.get_context("fork").Process(target=sink.close)
        process.start()
        process.join()
        assert process.exitcode == 0
        sink(EVENTS[1])
    assert [event.id for event in read_events(tmp_path / "events")] == [event.id for event in EVENTS[:2]]


def test_opening_tells_early_what_cannot_be(tmp_path: Path) -> None:
    with SQLiteSink(tmp_path / "no" / "folder") as sink, pytest.raises(SinkError, match="unable to open"):
        sink.open()
    with JsonLinesSink(tmp_path / "no" / "folder") as lines, pytest.raises(FileNotFoundError):
        lines.open()
    for name, kind in (("a", SQLiteSink), ("b", JsonLinesSink)):
        with kind(tmp_path / name) as sink:
            sink.open()
            assert list(read_events(tmp_path / name)) == []
            sink(EVENTS[0])
        assert [event.id for event in read_events(tmp_path / name)] == [EVENTS[0].id]


@pytest.mark.parametrize("make", ["json lines", "sqlite"])
def test_a_sink_that_was_used_before_a_fork(make: str, tmp_path: Path) -> None:
    path = tmp_path / "events"
    sink = KINDS[make](path)
    sink(EVENTS[0])

    def child() -> None:
        sink(EVENTS[1])
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode == 0
    sink(EVENTS[2])
    sink.close()
    assert [event.id for event in read_events(path)] == [event.id for event in EVENTS[:3]]


def test_a_rotated_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "events"
    with JsonLinesSink(path) as sink:
        sink(EVENTS[0])
        path.rename(tmp_path / "events.1")
        sink(EVENTS[1])
        path.unlink()
        sink(EVENTS[2])
    assert list(read_json_lines(tmp_path / "events.1")) == EVENTS[:1]
    assert list(read_json_lines(path)) == EVENTS[2:3]


def test_lines_that_are_no_events_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events"
    good = json.dumps(EVENTS[0].to_dict())
    lines = [
        good, "", "not json", "{}", "[]", "1", "null", '"x"', good[:50], good.replace("click", "clack"), "x" * 200_000,
        good.replace('"at": "2', '"at": "x'), "[" * 60_000, good,
    ]  # fmt: skip
    path.write_text("\n".join(lines))
    bad: list[int] = []
    assert list(read_json_lines(path, on_bad_line=bad.append)) == [EVENTS[0]] * 2
    assert len(bad) == 11
    assert list(read_json_lines(path)) == [EVENTS[0]] * 2


def test_a_torn_line_of_a_crash_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text('{"id": "torn')
    with JsonLinesSink(path) as sink:
        sink(EVENTS[0])
    bad: list[int] = []
    assert list(read_json_lines(path, on_bad_line=bad.append)) == [EVENTS[0]]
    assert bad == [1]


def _fill(path: str) -> None:
    """In a child process with a limit on file sizes, which is what a full disk looks like."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_500, resource.RLIM_INFINITY))
    sink = JsonLinesSink(path)
    taken = 0
    try:
        for event in EVENTS:
            sink(event)
            taken += 1
    except OSError:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        sink(EVENTS[-1])
        os._exit(taken)
    os._exit(99)


def test_a_full_disk_tears_no_later_line(tmp_path: Path) -> None:
    path = tmp_path / "events"
    process = multiprocessing.get_context("fork").Process(target=_fill, args=(str(path),))
    process.start()
    process.join()
    taken = process.exitcode or 0
    assert 0 < taken < 99
    assert list(read_json_lines(path)) == [*EVENTS[:taken], EVENTS[-1]]


def test_sqlite_first_is_the_stores_own(tmp_path: Path) -> None:
    path = tmp_path / "events"
    with SQLiteSink(path) as one, SQLiteSink(path) as other:
        one(EVENTS[0]._replace(first=False))
        other(EVENTS[0]._replace(id="again", first=True))
        other(EVENTS[1])
    assert [event.first for event in read_sqlite(path)] == [True, False, True]


def test_sqlite_batches_are_flushed_in_time_and_by_number(tmp_path: Path) -> None:
    path = tmp_path / "events"
    with SQLiteSink(path, durable=False, max_batch=3, flush_seconds=3_600) as sink:
        for event in EVENTS[:2]:
            sink(event)
        assert not path.exists()
        sink(EVENTS[2])
        assert len(list(read_sqlite(path))) == 3
        sink(EVENTS[3])
        sink.flush()
        assert len(list(read_sqlite(path))) == 4
    quick = tmp_path / "quick"
    sink = SQLiteSink(quick, durable=False, flush_seconds=0.01)
    sink(EVENTS[0])
    stored = threading.Event()
    for _ in range(1_000):
        with suppress(SinkError, FileNotFoundError):  # until the file and its table are there
            if list(read_events(quick)):
                break
        stored.wait(0.01)
    assert list(read_sqlite(quick)) == EVENTS[:1]
    sink.close()


def test_sqlite_a_row_that_cannot_be_stored_hurts_no_other(tmp_path: Path) -> None:
    with SQLiteSink(tmp_path / "events") as sink:
        sink(EVENTS[0])
        with pytest.raises(OverflowError):
            sink(EVENTS[1]._replace(issued=1 << 70))
        sink(EVENTS[2])
    assert list(read_sqlite(tmp_path / "events")) == [EVENTS[0], EVENTS[2]]


def test_sqlite_in_a_database_of_other_rooms(tmp_path: Path) -> None:
    path = tmp_path / "mail.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "CREATE TABLE mg_schema (room TEXT PRIMARY KEY, version INTEGER NOT NULL);"
        "INSERT INTO mg_schema VALUES ('suppression', 3); CREATE TABLE mg_other (x);"
    )
    connection.close()
    with SQLiteSink(path) as sink:
        sink(EVENTS[0])
    connection = sqlite3.connect(path)
    assert dict(connection.execute("SELECT room, version FROM mg_schema")) == {
        "suppression": 3,
        "engagement": SCHEMA_VERSION,
    }
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"mg_schema", "mg_other", "mg_track_event"}
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_sqlite_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events"
    connect(str(path)).close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE mg_schema SET version = 99")
    connection.commit()
    connection.close()
    with SQLiteSink(path) as sink, pytest.raises(SinkError, match="version 99"):
        sink(EVENTS[0])


def test_sqlite_errors_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, and it is long enough to be looked at" * 20)
    for name in ("text", "no/such/folder"):
        with SQLiteSink(tmp_path / name) as sink:
            with pytest.raises(SinkError, match=name.split("/")[0]):
                sink(EVENTS[0])
            with pytest.raises(SinkError):
                sink(EVENTS[1])
    with pytest.raises(SinkError):
        list(read_sqlite(tmp_path / "text"))
    with pytest.raises(FileNotFoundError):
        list(read_events(tmp_path / "nothing"))
    sqlite3.connect(tmp_path / "empty").close()
    with pytest.raises(SinkError):
        list(read_sqlite(tmp_path / "empty"))


def test_sqlite_locked_for_too_long(tmp_path: Path) -> None:
    path = tmp_path / "events"
    with SQLiteSink(path, busy_seconds=0.05) as sink:
        sink(EVENTS[0])
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(SinkError, match="locked"):
            sink(EVENTS[1])
        blocker.execute("ROLLBACK")
        blocker.close()
        sink(EVENTS[2])
    assert list(read_sqlite(path)) == [EVENTS[0], EVENTS[2]]


def test_sqlite_batched_keeps_what_could_not_be_flushed(tmp_path: Path) -> None:
    path = tmp_path / "events"
    sink = SQLiteSink(path, durable=False, flush_seconds=3_600, busy_seconds=0.01)
    connect(str(path)).close()
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    sink(EVENTS[0])
    sink._commit_quietly()
    sink(EVENTS[1])
    blocker.execute("ROLLBACK")
    blocker.close()
    sink.close()
    assert list(read_sqlite(path)) == EVENTS[:2]


def test_a_path_with_odd_characters(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a?b#c%d é"
    with KINDS[kind](path) as sink:
        sink(EVENTS[0])
    assert list(read_events(path)) == EVENTS[:1]


def test_hostile_values_are_values(kind: str, tmp_path: Path) -> None:
    odd: dict[str, Any] = {
        "url": "https://e.example/'); DROP TABLE mg_track_event; --",
        "stream": '"\n\x00é',
        "tenant": "🙂",
    }
    event = EVENTS[0]._replace(**odd)
    with KINDS[kind](tmp_path / "events") as sink:
        sink(event)
    assert list(read_events(tmp_path / "events")) == [event]
