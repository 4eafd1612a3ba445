"""Rollups in a database: add up for years, count once, survive any kill; the same in SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from mailgate.dmarc import Rollup, RollupStore, StoreError, Trust, ViewOptions, read, view
from tests.support import needs, postgres
from tests.support.dmarc_reports import DAY, FIRST_DAY, record, report, story, tls_report
from tests.support.together import all_at_once


def states() -> list[Rollup]:
    found = [read(data, trust=Trust.PASS) for data in story(days=8)]
    found += [read(tls_report(day, failure=day)) for day in range(3)]
    found += [read(report([])), read(b"hello")]
    found += [
        read(report([record(count=3)], domain="example.net")),
        read(report([record(count=4)], domain="example.net")),
    ]
    return found


STATES = states()
TOTAL = reduce(Rollup.merge, STATES, Rollup())


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.PostgresServer]:
    with postgres.server() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """What `RollupStore.open` takes: a path, or a connection factory."""
    if request.param == "sqlite":
        return tmp_path / "mail.db"
    psycopg = needs.module("psycopg")
    url = request.getfixturevalue("server").url()
    return lambda: psycopg.connect(url)


def test_what_is_added_is_what_is_loaded(where: Any) -> None:
    store = RollupStore.open(where)
    assert store.load() == Rollup()
    store.add(TOTAL)
    assert store.load() == TOTAL


def test_any_order_and_repetition_gives_the_same_store(where: Any) -> None:
    store = RollupStore.open(where)
    rng = random.Random(4)
    order = STATES + rng.sample(STATES, 15)
    rng.shuffle(order)
    while order:
        store.add([order.pop() for _ in range(min(len(order), rng.randint(1, 9)))])
    assert store.load() == TOTAL


def test_adding_again_changes_nothing(where: Any) -> None:
    store = RollupStore.open(where)
    store.add(TOTAL)
    version = store.version()
    store.add(TOTAL)
    store.add(STATES[0])
    store.add([])
    assert (store.version(), store.load()) == (version, TOTAL)
    store.add(read(report([record(count=99)], report_id="new")))
    assert store.version() != version


def test_a_part_is_loaded_by_domain_and_day(where: Any) -> None:
    store = RollupStore.open(where)
    store.add(TOTAL)
    store.add(read(report([record(count=1)], domain="sub.example.net")))
    store.add(read(report([record(count=1)], domain="notexample.net")))
    domains = {c.domain for c in store.load(domains=["EXAMPLE.net."]).contributions.values()}
    assert domains == {"example.net", "sub.example.net"}
    days = store.load(since=date(2025, 1, 3), until=date(2025, 1, 4)).contributions.values()
    assert {(c.begin - FIRST_DAY) // DAY for c in days} == {2, 3}
    assert not store.load(domains=[]).contributions


def test_a_percent_sign_in_a_domain_is_no_pattern(where: Any) -> None:
    store = RollupStore.open(where)
    store.add(read(report([record()], domain="sub.example.net")))
    assert not store.load(domains=["e%t", "_xample.net"]).contributions


def test_sealing_keeps_the_view_and_later_copies_out(where: Any) -> None:
    store = RollupStore.open(where)
    store.add(TOTAL)
    before = view(store.load())
    assert store.seal(date(2025, 1, 5)) > 10
    after = store.load()
    assert after == TOTAL.seal(FIRST_DAY + 4 * DAY)
    shown = view(after)
    assert shown["domains"]["example.com"]["by_day"] == before["domains"]["example.com"]["by_day"]
    store.add(TOTAL)
    assert store.load() == after
    assert store.seal(date(2025, 1, 5)) == 0
    assert store.seal(date(2026, 1, 1)) > 0
    assert not store.load().contributions


def test_a_rollup_that_is_sealed_elsewhere_is_refused(where: Any) -> None:
    store = RollupStore.open(where)
    store.add(TOTAL)
    store.seal(date(2025, 1, 5))
    with pytest.raises(StoreError, match="sealed"):
        store.add(TOTAL.seal(FIRST_DAY + 3 * DAY))


def test_a_store_that_is_opened_again_is_the_same(where: Any) -> None:
    RollupStore.open(where).add(TOTAL)
    with RollupStore.open(where) as again:
        assert again.load() == TOTAL


def test_hostile_text_is_stored_as_it_is(where: Any) -> None:
    store = RollupStore.open(where)
    hostile = read(
        report([record(header_from="x'); DROP TABLE mg_dmarc_report; --")], org_name="a&#8238;'b", report_id="%s?")
    )
    store.add(hostile)
    assert store.load() == hostile


def test_writers_at_the_same_time_lose_nothing(where: Any) -> None:
    store = RollupStore.open(where)
    errors: list[Exception] = []

    def work(part: list[Rollup]) -> None:
        try:
            for state in part:
                store.add(state)
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(STATES[number::4] + STATES[:3],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert store.load() == TOTAL


def test_every_table_has_the_room_in_its_name(tmp_path: Path) -> None:
    RollupStore.open(tmp_path / "mail.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "mail.db")) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        versions = connection.execute("SELECT room, version FROM mg_schema").fetchall()
    assert {name for name in names if not name.startswith("mg_dmarc_")} == {"mg_schema"}
    assert (mode, versions) == ("wal", [("dmarc", 1)])


def test_another_room_s_tables_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "mail.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mg_schema (room TEXT PRIMARY KEY, version INTEGER NOT NULL)")
        connection.execute("INSERT INTO mg_schema VALUES ('suppression', 7)")
        connection.commit()
    RollupStore.open(path).add(TOTAL)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version FROM mg_schema WHERE room = 'suppression'").fetchone() == (7,)


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    RollupStore.open(tmp_path / "mail.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "mail.db")) as connection:
        connection.execute("UPDATE mg_schema SET version = 2")
        connection.commit()
    with pytest.raises(StoreError, match="version 2"):
        RollupStore.open(tmp_path / "mail.db")


def test_what_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello " * 1_000)
    for path, options in (
        (tmp_path / "text", {}),
        (tmp_path / "no" / "mail.db", {}),
        (tmp_path / "x.db", {"create": False}),
    ):
        with pytest.raises(StoreError):
            RollupStore.open(path, **options)  # type: ignore[arg-type]
    assert not (tmp_path / "x.db").exists()
    with pytest.raises(StoreError, match="PostgreSQL"):
        RollupStore.open("postgresql://nobody@127.0.0.1:1/x?connect_timeout=1")


def test_a_store_of_a_later_version_is_left_alone_and_named(tmp_path: Path) -> None:
    path = tmp_path / "mail.db"
    RollupStore.open(path).add(TOTAL)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE mg_schema SET version = version + 1 WHERE room = 'dmarc'")
    with pytest.raises(StoreError, match=r"mail\.db have version 2, this program knows 1") as caught:
        RollupStore.open(path)
    assert caught.value.exit_status == 78


def test_a_locked_store_says_try_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailgate.dmarc._store.BUSY_SECONDS", 0.05)
    path = tmp_path / "mail.db"
    store = RollupStore.open(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            store.add(TOTAL)
        assert caught.value.exit_status == 75
        assert store.load() == Rollup()


# --- kill -9 ---------------------------------------------------------------------------------------------------------

WRITER = """
import sys
from mailgate.dmarc import RollupStore
from tests.dmarc.test_store import STATES
store = RollupStore.open(sys.argv[1])
for number, state in enumerate(STATES):
    store.add(state)
    print(number, flush=True)
"""


def test_a_killed_writer_has_kept_what_it_acknowledged_and_can_begin_again(tmp_path: Path) -> None:
    path = tmp_path / "mail.db"
    root = Path(__file__).parent.parent.parent
    rng = random.Random(6)
    for _ in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(rng.randint(1, 25))]
        time.sleep(rng.random() * 0.01)
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split()
        writer.stdout.close()
        writer.wait()
        last = int(rest[-1]) if rest else acknowledged[-1]
        kept = RollupStore.open(path).load()
        told = reduce(Rollup.merge, STATES[: last + 1], Rollup())
        assert kept.merge(told) == kept
    store = RollupStore.open(path)
    store.add(STATES)
    assert store.load() == TOTAL


def _add_part(path: str, part: int) -> None:
    store = RollupStore.open(path)
    for state in STATES[part::3]:
        store.add(state)


def test_processes_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "mail.db")
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add_part, args=(path, part)) for part in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert RollupStore.open(path).load() == TOTAL


def test_years_of_reports_are_shown(tmp_path: Path) -> None:
    store = RollupStore.open(tmp_path / "mail.db")
    for year in range(3):
        batch = [
            read(report([record(count=5)], report_id=str(d), begin=FIRST_DAY + (365 * year + d) * DAY))
            for d in range(365)
        ]
        store.add(batch)
    shown = view(store.load(), ViewOptions(since=date(2026, 1, 1), until=date(2026, 12, 31)))
    assert shown["domains"]["example.com"]["messages"] == 365 * 5


def test_processes_that_all_make_the_file(tmp_path: Path) -> None:
    """Cron jobs that start together find no file; SQLite does not wait when two switch it to WAL."""
    for turn in range(25):
        path = tmp_path / f"mail{turn}.db"
        assert all_at_once(lambda path=path: _add_to(path)) == [0, 0, 0, 0]  # type: ignore[misc]
        assert RollupStore.open(path).load() == STATES[0]


def _add_to(path: Path) -> None:
    with RollupStore.open(path) as store:
        store.add(STATES[0])
