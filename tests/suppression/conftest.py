"""Both databases for every test of the store, a clock that tests move, and events as they come from the readers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailgate.suppression import SuppressionStore
from tests.support import postgres

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


class Backend:
    """One database: opens any number of stores over it, all closed at the end."""

    def __init__(self, name: str, where: str, clock: Clock) -> None:
        self.name = name
        self.where = where
        self.clock = clock
        self._opened: list[SuppressionStore] = []

    def open(self, **options: Any) -> SuppressionStore:
        store = SuppressionStore.open(self.where, **{"clock": self.clock, **options})
        self._opened.append(store)
        return store

    def close(self) -> None:
        for store in self._opened:
            store.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    with postgres.server() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def backend(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Backend]:
    where = str(tmp_path / "mail.db")
    if request.param == "postgresql":
        where = request.getfixturevalue("postgres_server").url()
    made = Backend(request.param, where, clock)
    yield made
    made.close()


@pytest.fixture
def sqlite(tmp_path: Path, clock: Clock) -> Iterator[Backend]:
    made = Backend("sqlite", str(tmp_path / "mail.db"), clock)
    yield made
    made.close()


@pytest.fixture
def store(backend: Backend) -> SuppressionStore:
    return backend.open()
