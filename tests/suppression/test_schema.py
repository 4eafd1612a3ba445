"""The schema grows by steps: all of them in one transaction, once, whoever comes first."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailgate.suppression import StoreUnavailable, SuppressionStore, _schema
from tests.suppression.conftest import Backend
from tests.suppression.given import entries

TWO_STEPS = (*_schema.STEPS, ("CREATE TABLE mg_suppression_next (x {key_text} NOT NULL)",))


def grown(monkeypatch: pytest.MonkeyPatch, steps: tuple[tuple[str, ...], ...] = TWO_STEPS) -> None:
    monkeypatch.setattr(_schema, "STEPS", steps)
    monkeypatch.setattr(_schema, "VERSION", len(steps))


def test_a_list_of_an_older_version_grows_and_keeps_its_entries(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.open().add("user@example.com")
    grown(monkeypatch)
    for _ in range(2):
        store = backend.open(create=False)
        session = store._sessions.get()
        assert session.rows("SELECT version FROM mg_schema WHERE room = 'suppression'") == [(2,)]
        assert session.rows("SELECT COUNT(*) FROM mg_suppression_next") == [(0,)]
        assert store.check("user@example.com").blocked


def test_many_that_come_at_once_grow_it_once(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    for prepare in (lambda: None, lambda: grown(monkeypatch)):
        prepare()
        with ThreadPoolExecutor(8) as pool:
            stores = list(pool.map(lambda _: backend.open(), range(8)))
        assert all(not store.check("user@example.com").blocked for store in stores)


def test_a_step_that_fails_leaves_the_list_as_it_was(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    store = backend.open()
    store.add("user@example.com")
    with monkeypatch.context() as patch:
        grown(patch, (*TWO_STEPS, ("CREATE TABLE nonsense (",)))
        with pytest.raises(StoreUnavailable):
            backend.open()
    assert backend.open().check("user@example.com").blocked
    assert store._sessions.get().rows("SELECT version FROM mg_schema WHERE room = 'suppression'") == [(1,)]


def test_a_reader_does_not_grow_it(sqlite: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite.open().add("user@example.com")
    grown(monkeypatch)
    with pytest.raises(StoreUnavailable, match="needs a writer"):
        sqlite.open(read_only=True)


def test_a_running_program_notices_that_the_list_outgrew_it(backend: Backend) -> None:
    store = backend.open()
    store.check("user@example.com")
    session = store._sessions.get()
    session.run("UPDATE mg_schema SET version = 2 WHERE room = 'suppression'")
    session.lose()
    with pytest.raises(Exception, match="version 2"):
        store.check("user@example.com")


def test_the_tables_are_readable_with_any_sqlite(sqlite: Backend) -> None:
    store = sqlite.open()
    store.add("User@example.com", detail="x")
    connection = sqlite3.connect(sqlite.where)
    try:
        [row] = connection.execute("SELECT key, tenant, stream, reason, created, count, display FROM mg_suppression")
        assert row == (
            "user@example.com",
            "",
            "*",
            6,
            int(entries(store)[0].created.timestamp()),
            1,
            "User@example.com",
        )
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert all(name.startswith(("mg_", "sqlite_")) for name in tables)
    finally:
        connection.close()
    assert isinstance(store, SuppressionStore)
