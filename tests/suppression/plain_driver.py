"""A DB-API 2.0 driver with nothing beyond it but `autocommit`: psycopg behind numbered parameters and without COPY."""

from __future__ import annotations

import re
from typing import Any

import psycopg

Error = psycopg.Error
ProgrammingError = psycopg.ProgrammingError
IntegrityError = psycopg.IntegrityError
NotSupportedError = psycopg.NotSupportedError
paramstyle = "numeric"


class Cursor:
    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def execute(self, sql: str, parameters: Any = ()) -> None:
        if parameters:
            assert len(re.findall(r":\d+", sql)) == len(parameters), sql
            sql = re.sub(r":\d+", "%s", sql.replace("%", "%%"))
            self._cursor.execute(sql, parameters)
        else:
            self._cursor.execute(sql)

    def executemany(self, sql: str, rows: Any) -> None:
        for row in rows:
            self.execute(sql, row)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._cursor.fetchall())

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    @property
    def rowcount(self) -> int:
        return int(self._cursor.rowcount)


class Connection:
    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url)

    @property
    def autocommit(self) -> bool:
        return bool(self._connection.autocommit)

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        self._connection.autocommit = value

    def cursor(self) -> Cursor:
        return Cursor(self._connection.cursor())

    def close(self) -> None:
        self._connection.close()
