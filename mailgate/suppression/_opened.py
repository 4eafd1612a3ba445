"""Opening and closing a list: connections, schema, and the settings that a list was made with."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

from mailgate.records import KeyRing
from mailgate.suppression._dialect import Connect, PostgresDialect, SqliteDialect, dialect_for, is_url
from mailgate.suppression._errors import StoreUnavailable
from mailgate.suppression._keys import Folding
from mailgate.suppression._lookup import load_rules
from mailgate.suppression._policy import DEFAULT_SETTINGS
from mailgate.suppression._records import (
    utc_now,
)
from mailgate.suppression._schema import migrate
from mailgate.suppression._session import Session, Sessions
from mailgate.suppression._settings import PolicySettings
from mailgate.suppression._setup import refuse_other_settings, settings_of_new_list

Where = str | os.PathLike[str] | Connect


class OpenedList:
    """A list behind its connections, one for each thread. `SuppressionStore` is what one does with it."""

    def __init__(
        self,
        dialect: SqliteDialect | PostgresDialect,
        *,
        settings: PolicySettings,
        clock: Callable[[], datetime],
        keys: KeyRing | None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.hash_keys = keys
        self._sessions = Sessions(dialect, partial(_prepare, keys=keys))  # no cycle: who drops a list closes it
        self._local = self._sessions.local
        self._transactional = settings.transactional_streams

    @classmethod
    def open(
        cls,
        where: Where,
        *,
        settings: PolicySettings = DEFAULT_SETTINGS,
        clock: Callable[[], datetime] = utc_now,
        create: bool = True,
        hash_keys: KeyRing | None = None,
        hashed: bool = False,
        folding: Folding | None = None,
        **options: Any,
    ) -> Self:
        """Open a list, made when it is not there.

        where: the path of an SQLite file (`:memory:` for one that is forgotten), a PostgreSQL URL, or a callable that
        gives a new DB-API connection to PostgreSQL.
        create: False: a list that is not there is an error, never an empty list. Look-ups should open it like this.
        hash_keys: the keys for hashed addresses; their signing key is used at creation. hashed: a new list keeps no
        address, only keyed hashes. folding: of a new list; None: as the list has it.
        options, SQLite only: read_only (False), timeout_seconds (10.0) to wait for another writer, durable (True: on
        the disk before it is acknowledged), cache_bytes (64 MiB).
        Raises StoreUnavailable when it cannot be opened, StoreMismatch when it was made with other settings.
        """
        if not callable(where) and not is_url(os.fspath(where)):
            options["create"] = create
        dialect = dialect_for(where, **options)
        new_list = settings_of_new_list(hash_keys, hashed=hashed, folding=folding)
        connection = dialect.connect()
        store = cls(dialect, settings=settings, clock=clock, keys=hash_keys)
        try:
            store._begin(connection, create, new_list)
            store._refuse_other_settings(hashed, folding)
        except BaseException:
            store.close()
            raise
        return store

    def _begin(self, connection: Any, create: bool, new_list: dict[str, str]) -> None:
        dialect = self._sessions.dialect
        writable = not getattr(dialect, "read_only", False)
        try:
            migrate(dialect, connection, create=create and writable, writable=writable, new_list=new_list)
        except dialect.errors as error:
            connection.close()
            raise StoreUnavailable(dialect.where, str(error)) from error
        except BaseException:
            connection.close()
            raise
        if isinstance(dialect, SqliteDialect):
            dialect.create = False  # from now on a file that is gone is an error, not an empty list
        self._sessions.adopt(connection)

    def _refuse_other_settings(self, hashed: bool, folding: Folding | None) -> None:
        meta = dict(self._sessions.get().rows("SELECT name, value FROM mg_suppression_meta"))
        refuse_other_settings(meta, hashed=hashed, folding=folding)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection; the store cannot be used afterwards."""
        self._sessions.close()

    def verify(self) -> None:
        """Raises StoreUnavailable when the database is no longer there; look-ups notice that within 0.2 s anyway."""
        self._sessions.verified()


def _prepare(session: Session, *, keys: KeyRing | None) -> None:
    try:
        if not session.shared:
            migrate(session.dialect, session.connection, create=False, writable=False)
    except session.dialect.errors as error:
        raise session.failure(error) from error
    session.rules = load_rules(session, keys)
