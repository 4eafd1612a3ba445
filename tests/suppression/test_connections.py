"""Threads, forks, connection factories and drivers: how a store gets at its database."""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailgate.records import Reason
from mailgate.suppression import Folding, SuppressionReason, SuppressionStore
from mailgate.suppression._dialect import PostgresDialect, _translate, _without_password, dialect_for, is_url
from tests.support import needs
from tests.support.files import is_held
from tests.support.postgres import PostgresServer
from tests.suppression.conftest import START, Backend, Clock
from tests.suppression.given import bounce, entries

ROOT = Path(__file__).parent.parent.parent


def test_one_store_serves_many_threads(backend: Backend) -> None:
    store = backend.open()
    start = threading.Barrier(8)

    def work(number: int) -> int:
        start.wait()
        for step in range(20):
            store.add(f"u{number}-{step}@example.com")
            store.apply(bounce("shared@example.com", event_id=f"{number}-{step}"))
            assert store.check(f"u{number}-{step}@example.com").blocked
        return number

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == list(range(8))
    assert store.stats().entries == 161
    assert store.check("shared@example.com").entries[0].count == 160


def test_fifty_threads_that_say_the_same_make_one_entry(backend: Backend) -> None:
    store = backend.open()
    with ThreadPoolExecutor(10) as pool:
        claimed = list(pool.map(lambda number: store.add_if_absent("a@example.com", source=f"w{number}"), range(50)))
    assert claimed.count(True) == 1
    assert [line.op for line in store.history("a@example.com")] == ["add"]


def test_a_list_in_memory_serves_threads_too() -> None:
    with SuppressionStore.open(":memory:") as store, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: store.add(f"u{number}@example.com"), range(100)))
        assert sum(pool.map(lambda number: store.check(f"u{number}@example.com").blocked, range(100))) == 100
        assert store.stats().entries == 100


FORKS = """
import os, sys
from mailgate.suppression import SuppressionStore
store = SuppressionStore.open(sys.argv[1])
front = store.preload()
store.add("parent@example.com")
child = os.fork()
if child == 0:
    assert store.check("parent@example.com").blocked
    store.add("child@example.com")
    assert front.check("child@example.com").blocked
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert store.check("child@example.com").blocked
store.add("after@example.com")
print(store.stats().entries)
store.close()
"""


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_store_can_be_used_on_both_sides_of_a_fork(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = str(tmp_path / "mail.db")
    if database == "postgresql":
        where = request.getfixturevalue("postgres_server").url()
    done = subprocess.run(
        [sys.executable, "-c", FORKS, where],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("3", 0), done.stderr


def test_a_thread_that_ended_takes_its_connection_with_it(backend: Backend) -> None:
    store = backend.open()
    for number in range(30):
        thread = threading.Thread(target=lambda number=number: store.add(f"u{number}@example.com"))  # type: ignore[misc]
        thread.start()
        thread.join()
    assert store.stats().entries == 30
    assert len(store._sessions._all) <= 2


# --- drivers ---------------------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_a_connection_factory_is_as_good_as_a_url(postgres_server: PostgresServer) -> None:
    psycopg = needs.module("psycopg")
    url = postgres_server.url()
    with SuppressionStore.open(lambda: psycopg.connect(url)) as store:
        store.add("a%b@example.com")
        assert store.check("a%b@example.com").blocked
    with SuppressionStore.open(url, create=False) as store:
        assert store.check("a%b@example.com").blocked


@pytest.mark.postgres
def test_a_driver_with_nothing_but_the_standard_does_everything(postgres_server: PostgresServer, clock: Clock) -> None:
    needs.module("psycopg")
    from tests.suppression import plain_driver

    url = postgres_server.url()
    with SuppressionStore.open(lambda: plain_driver.Connection(url), clock=clock) as store:
        lines = "".join(f"u{number}@example.com\n" for number in range(2_000)) + "*.d.test\n"
        assert store.import_(io.BytesIO(lines.encode())).added == 2_001
        clock.forward(days=9)
        for day in range(3):
            store.apply(bounce("full@example.com", Reason.MAILBOX_FULL, day=day))
        asked = ["u7@example.com", "x@a.d.test", "free@example.com", "full@example.com"]
        assert [verdict.blocked for verdict in store.check_many(asked)] == [True, True, False, True]
        store.remove("u7@example.com", note="x", actor="y")
        store.erase("u8@example.com", note="x", actor="y")
        store.add("u9@example.com", SuppressionReason.COMPLAINT)
        assert len(entries(store)) == 2_002


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("qmark", "a = ? AND b LIKE '%x' AND c = ?"),
        ("format", "a = %s AND b LIKE '%%x' AND c = %s"),
        ("pyformat", "a = %s AND b LIKE '%%x' AND c = %s"),
        ("numeric", "a = :1 AND b LIKE '%x' AND c = :2"),
    ],
)
def test_parameters_in_every_style(style: str, expected: str) -> None:
    assert _translate("a = ? AND b LIKE '%x' AND c = ?", style) == expected


def test_a_style_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="named"):
        _translate("a = ?", "named")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("postgresql://h/d", True),
        ("postgres://h/d", True),
        ("mail.db", False),
        ("/var/lib/mail.db", False),
        ("mysql://h/d", False),
    ],
)
def test_what_is_a_url(where: str, expected: bool) -> None:
    assert is_url(where) is expected


def test_passwords_are_not_shown() -> None:
    assert _without_password("postgresql://a:b@h:5/d?password=c") == "postgresql://a@h:5/d"
    assert _without_password("postgresql:///d?host=/run") == "postgresql:///d"
    assert isinstance(dialect_for(lambda: None), PostgresDialect)


@pytest.mark.parametrize("option", ["timeout_seconds", "durable", "cache_bytes"])
def test_options_of_files_reach_the_file(tmp_path: Path, option: str) -> None:
    values = {"timeout_seconds": 0.123, "durable": False, "cache_bytes": 1024 * 1024}
    pragma = {"timeout_seconds": "busy_timeout", "durable": "synchronous", "cache_bytes": "cache_size"}[option]
    found = []
    for options in ({}, {option: values[option]}):
        with SuppressionStore.open(tmp_path / "mail.db", **options) as store:
            found.append(store._sessions.get().rows(f"PRAGMA {pragma}")[0][0])
    assert found == {"timeout_seconds": [10_000, 123], "durable": [2, 1], "cache_bytes": [-65_536, -1_024]}[option]


def test_an_sqlite_that_takes_few_parameters_answers_alike(sqlite: Backend) -> None:
    store = sqlite.open(folding=Folding(rules=("plus",), domains=("example.com",)))
    session = store._sessions.get()
    session.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)  # as built before SQLite 3.32
    session.max_parameters = session.dialect.max_parameters(session.connection)
    store.import_(io.BytesIO(b"".join(b"u%d+x@example.com\n" % number for number in range(0, 3_000, 2))))
    asked = [f"u{number}+{tag}@example.com" for number in range(1_500) for tag in ("x", "y")]
    assert [verdict.blocked for verdict in store.check_many(asked)] == [True, True, False, False] * 750


def test_an_sqlite_without_json_functions_answers_alike(sqlite: Backend) -> None:
    store = sqlite.open()
    store.add("user@example.com", SuppressionReason.COMPLAINT, detail='"it\x1f\u2028s"', at=START)
    quick = store.check("user@example.com"), store.check("other@example.com")
    assert quick[0].entries[0].detail == '"it\x1f\u2028s"'
    store._sessions.dialect.has_json = False
    store._sessions.get().lose()
    assert not store._sessions.get().quick
    assert (store.check("user@example.com"), store.check("other@example.com")) == quick


def test_a_store_that_nobody_holds_any_more_closes_its_file(tmp_path: Path) -> None:
    store = SuppressionStore.open(tmp_path / "mail.db")
    store.add("ann@example.com")
    assert is_held(tmp_path / "mail.db")
    del store
    assert not is_held(tmp_path / "mail.db")
