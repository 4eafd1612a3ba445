"""The tables and how they grow: one version number for this room in `mg_schema`, one step per version.

Tables hold text, small numbers and seconds since 1970 only, so that every driver reads them alike. The key comes first
in the primary key: one range read per address answers for all tenants, streams and reasons.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mailgate.suppression._dialect import Dialect
from mailgate.suppression._errors import StoreMismatch, StoreUnavailable

ROOM = "suppression"
VERSION = 1

_VERSION_1 = (
    """CREATE TABLE mg_suppression (
        key {key_text} NOT NULL, tenant {key_text} NOT NULL, stream {key_text} NOT NULL, reason SMALLINT NOT NULL,
        created BIGINT NOT NULL, refreshed BIGINT, expires BIGINT, count INTEGER NOT NULL,
        source TEXT NOT NULL, detail TEXT, display TEXT,
        PRIMARY KEY (key, tenant, stream, reason)){end_of_table}""",
    """CREATE TABLE mg_suppression_log (
        id {log_id}, at BIGINT NOT NULL, op TEXT NOT NULL, key {key_text} NOT NULL, tenant TEXT NOT NULL,
        stream TEXT NOT NULL, reason SMALLINT, actor TEXT NOT NULL, source TEXT NOT NULL, note TEXT NOT NULL,
        before_json TEXT, after_json TEXT)""",
    "CREATE INDEX mg_suppression_log_key ON mg_suppression_log (key)",
    """CREATE TABLE mg_suppression_count (
        key {key_text} NOT NULL, tenant {key_text} NOT NULL, days TEXT NOT NULL, delivered BIGINT,
        total INTEGER NOT NULL, last BIGINT NOT NULL, PRIMARY KEY (key, tenant)){end_of_table}""",
    """CREATE TABLE mg_suppression_event (
        id {key_text} NOT NULL PRIMARY KEY, at BIGINT NOT NULL){end_of_table}""",
    """CREATE TABLE mg_suppression_fold (
        folded {key_text} NOT NULL, key {key_text} NOT NULL, PRIMARY KEY (folded, key)){end_of_table}""",
    """CREATE TABLE mg_suppression_import (
        id BIGINT NOT NULL PRIMARY KEY, at BIGINT NOT NULL, sha256 TEXT NOT NULL, options TEXT NOT NULL,
        name TEXT NOT NULL, actor TEXT NOT NULL, position BIGINT NOT NULL, finished BIGINT, report TEXT NOT NULL)""",
    "CREATE TABLE mg_suppression_meta (name {key_text} NOT NULL PRIMARY KEY, value TEXT NOT NULL){end_of_table}",
    "INSERT INTO mg_suppression_meta (name, value) VALUES ('changes', '0')",
    "INSERT INTO mg_suppression_meta (name, value) VALUES ('rules', '0')",
)

STEPS: tuple[tuple[str, ...], ...] = (_VERSION_1,)


def migrate(
    dialect: Dialect, connection: Any, *, create: bool, writable: bool, new_list: Mapping[str, str] | None = None
) -> None:
    """Bring the tables to `VERSION`, all steps in one transaction.

    new_list: rows of the meta table that a list made now begins with.
    Raises StoreUnavailable when there is no list and `create` is False; StoreMismatch when the list is newer than us.
    """
    cursor = connection.cursor()
    version = _version(dialect, cursor)
    if version > VERSION:
        raise StoreMismatch(
            "schema",
            f"the suppression list in {dialect.where} has schema version {version}; this mailgate knows {VERSION}"
            " and must be updated",
        )
    if version == 0 and not create:
        raise StoreUnavailable(dialect.where, "there is no suppression list in it")
    if version == VERSION:
        return
    if not writable:
        raise StoreUnavailable(dialect.where, f"schema version {version} needs a writer to bring it to {VERSION}")
    _step_up(dialect, cursor, new_list or {})


def _version(dialect: Dialect, cursor: Any) -> int:
    if not _has_schema_table(dialect, cursor):
        return 0
    cursor.execute(dialect.sql("SELECT version FROM mg_schema WHERE room = ?"), (ROOM,))
    row = cursor.fetchone()
    return 0 if row is None else int(row[0])


def _has_schema_table(dialect: Dialect, cursor: Any) -> bool:
    if dialect.name == "sqlite":
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'mg_schema'")
    else:
        cursor.execute(
            "SELECT count(*) FROM information_schema.tables"
            " WHERE table_name = 'mg_schema' AND table_schema = current_schema()"
        )
    return bool(cursor.fetchone()[0])


def _step_up(dialect: Dialect, cursor: Any, new_list: Mapping[str, str]) -> None:
    if dialect.name == "sqlite":
        cursor.execute("BEGIN IMMEDIATE")
    else:
        cursor.execute("BEGIN")
    try:
        _create_schema_table(dialect, cursor)
        version = _version(dialect, cursor)  # another process may have been faster
        for step in STEPS[version:]:
            for statement in step:
                cursor.execute(statement.format(**dialect.types))
        if version == 0:
            insert = dialect.sql("INSERT INTO mg_suppression_meta (name, value) VALUES (?, ?)")
            for row in new_list.items():
                cursor.execute(insert, row)
        if version < VERSION:
            cursor.execute(dialect.sql("DELETE FROM mg_schema WHERE room = ?"), (ROOM,))
            cursor.execute(dialect.sql("INSERT INTO mg_schema (room, version) VALUES (?, ?)"), (ROOM, VERSION))
        cursor.execute("COMMIT")
    except BaseException:
        cursor.execute("ROLLBACK")
        raise


def _create_schema_table(dialect: Dialect, cursor: Any) -> None:
    if dialect.name != "sqlite":
        # PostgreSQL lets two sessions pass IF NOT EXISTS at once; the second then fails. The lock ends with the commit.
        cursor.execute("SELECT pg_advisory_xact_lock(7304925)")
    cursor.execute("CREATE TABLE IF NOT EXISTS mg_schema (room TEXT PRIMARY KEY, version INTEGER NOT NULL)")
