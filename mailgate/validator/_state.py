"""What a run remembers in a file, so that a killed one goes on where it was (SQLite).

Addresses are personal data, and this file needs none: a result stands under the SHA-256 of level and address, and the
address is taken out of the reply's text. Domains are kept by name. The file is made readable for its owner only.
A result is stored before it is handed out, so whatever a caller has seen is never asked for again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailgate.records import MailgateError
from mailgate.validator._hosts import MailHosts
from mailgate.validator._settings import Level
from mailgate.validator._syntax import Mailbox
from mailgate.validator._validation import Validation
from mailgate.validator._words import Advice, Finding, Status

ROOM = "validator"
VERSION = 1
# What an unknown result waits for a new attempt when nobody said how long.
RETRY_SECONDS = 3_600
_BUSY_SECONDS = 30.0
_BUSY_PAUSE_SECONDS = 0.005
_KEYS_A_QUERY = 400  # SQLite allows 999 parameters by default in old builds
_ADDRESS_MARK = "\ufffc"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mg_schema (room TEXT PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS mg_validate_results (
  key BLOB PRIMARY KEY, checked_at INTEGER NOT NULL, again_at INTEGER, result TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mg_validate_deferred (
  key BLOB PRIMARY KEY, due_at INTEGER NOT NULL, attempts INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mg_validate_domains (
  domain TEXT PRIMARY KEY, catch_all INTEGER, catch_all_until INTEGER NOT NULL DEFAULT 0,
  hosts TEXT, hosts_until INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
"""


class StateError(MailgateError):
    """The state file cannot be used: not ours, newer than this program, or not writable."""

    exit_status = 78


@dataclass(frozen=True, slots=True)
class Deferred:
    """An address that was greylisted: when to ask again (Unix seconds), and how often it was asked."""

    due_at: int
    attempts: int


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """What the file knows of a domain, as far as it still holds."""

    catch_all: bool | None = None
    hosts: MailHosts | None = None


def result_key(level: Level, address_key: str) -> bytes:
    """The name under which a result is kept; the address cannot be read from it."""
    return hashlib.sha256(f"{level}\0{address_key}".encode("utf-8", "surrogatepass")).digest()


class State:
    """One state file. Several processes may use it; results of the last writer stay.

    path: made when it is not there. max_age_seconds: older results are as good as none.
    Raises StateError when the file is no state file, or of a newer version.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_age_seconds: float) -> None:
        self._path = Path(path)
        self._max_age = max_age_seconds
        try:
            # sqlite3 would make it with the umask's rights; WAL and shared memory files take over those of the file.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(self._path, isolation_level=None, timeout=_BUSY_SECONDS)
        except (OSError, sqlite3.Error) as error:
            raise StateError(f"cannot open the state file {self._path}: {error}") from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            raise StateError(f"{self._path} is not a state file: {error}") from error
        except StateError:
            self._connection.close()
            raise

    def _use_wal(self) -> None:
        # SQLite does not call its busy handler here: of two processes that make a new file at once one would fail.
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(_BUSY_PAUSE_SECONDS)

    def _prepare(self) -> None:
        self._use_wal()
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        self._connection.execute("INSERT OR IGNORE INTO mg_schema VALUES (?, ?)", (ROOM, VERSION))
        (version,) = self._connection.execute("SELECT version FROM mg_schema WHERE room = ?", (ROOM,)).fetchone()
        if version > VERSION:
            raise StateError(f"{self._path} was written by a newer version ({version}, known is {VERSION})")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def find(self, keys: Iterable[bytes], now: float) -> dict[bytes, dict[str, Any] | Deferred]:
        """What is known for each key: a stored result that still holds, or a deferred attempt."""
        wanted = list(dict.fromkeys(keys))
        found: dict[bytes, dict[str, Any] | Deferred] = {}
        for start in range(0, len(wanted), _KEYS_A_QUERY):
            some = wanted[start : start + _KEYS_A_QUERY]
            marks = ",".join("?" * len(some))
            rows = self._connection.execute(
                f"SELECT key, due_at, attempts FROM mg_validate_deferred WHERE key IN ({marks})",  # noqa: S608
                some,
            )
            found.update((key, Deferred(due, attempts)) for key, due, attempts in rows)
            rows = self._connection.execute(
                f"SELECT key, result FROM mg_validate_results WHERE key IN ({marks})"  # noqa: S608
                " AND checked_at > ? AND (again_at IS NULL OR again_at > ?)",
                [*some, now - self._max_age, now],
            )
            found.update((key, json.loads(text)) for key, text in rows)
        return found

    def store(
        self,
        results: Iterable[tuple[bytes, Validation]],
        deferred: Iterable[tuple[bytes, Deferred]],
        domains: Iterable[tuple[str, DomainFacts, int, int]],
    ) -> None:
        """Write all of it in one transaction; when this returns, none of it is lost.

        domains: name, facts, and until when (Unix seconds) the catch-all answer and the hosts hold.
        """
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            rows = [(key, *_result_row(result)) for key, result in results]
            connection.executemany("INSERT OR REPLACE INTO mg_validate_results VALUES (?, ?, ?, ?)", rows)
            connection.executemany("DELETE FROM mg_validate_deferred WHERE key = ?", [row[:1] for row in rows])
            connection.executemany(
                "INSERT OR REPLACE INTO mg_validate_deferred VALUES (?, ?, ?)",
                [(key, entry.due_at, entry.attempts) for key, entry in deferred],
            )
            for row in domains:
                self._store_domain(*row)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise StateError(f"cannot write the state file {self._path}: {error}") from error

    def _store_domain(self, domain: str, facts: DomainFacts, catch_all_until: int, hosts_until: int) -> None:
        self._connection.execute("INSERT OR IGNORE INTO mg_validate_domains (domain) VALUES (?)", (domain,))
        if facts.catch_all is not None:
            self._connection.execute(
                "UPDATE mg_validate_domains SET catch_all = ?, catch_all_until = ? WHERE domain = ?",
                (int(facts.catch_all), catch_all_until, domain),
            )
        if facts.hosts is not None:
            self._connection.execute(
                "UPDATE mg_validate_domains SET hosts = ?, hosts_until = ? WHERE domain = ?",
                (_hosts_text(facts.hosts), hosts_until, domain),
            )

    def domain(self, name: str, now: float) -> DomainFacts:
        """What still holds of what is known about a domain."""
        row = self._connection.execute(
            "SELECT catch_all, catch_all_until, hosts, hosts_until FROM mg_validate_domains WHERE domain = ?", (name,)
        ).fetchone()
        if row is None:
            return DomainFacts()
        catch_all, catch_all_until, hosts, hosts_until = row
        return DomainFacts(
            catch_all=bool(catch_all) if catch_all is not None and catch_all_until > now else None,
            hosts=_read_hosts(name, hosts, int(hosts_until - now)) if hosts and hosts_until > now else None,
        )


def _result_row(result: Validation) -> tuple[int, int | None, str]:
    checked_at = int(result.checked_at.timestamp())
    again_at = None
    if result.advice in (Advice.RETRY, Advice.FIX_SENDER):
        again_at = checked_at + (result.retry_after or RETRY_SECONDS)
    data = {name: value for name, value in result.to_dict().items() if value not in (None, False, "", 0)}
    for name in ("input", "address"):
        data.pop(name, None)
    if "smtp_text" in data and result.mailbox is not None:
        data["smtp_text"] = _without_address(data["smtp_text"], result.mailbox)
    if result.suggestion is not None:
        data["suggestion"] = result.suggestion.rpartition("@")[2]
    for name in ("catch_all", "disposable", "free"):
        if getattr(result, name) is False:
            data[name] = False
    return checked_at, again_at, json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _without_address(text: str, mailbox: Mailbox) -> str:
    for form in dict.fromkeys((mailbox.envelope, mailbox.envelope.lower(), mailbox.normalized)):
        text = text.replace(form, _ADDRESS_MARK)
    return text


_FIELDS = (
    *("catch_all", "mx_host", "smtp_code", "enhanced_status", "smtp_text", "role", "disposable", "free", "suggestion"),
    *("retry_after", "stage", "position"),
)


def read_result(data: dict[str, Any], text: str, mailbox: Mailbox) -> Validation:
    """A stored result as the one for `text`, whose address it did not keep."""
    full = dict.fromkeys(_FIELDS) | data | {"input": text}
    full["role"] = bool(full["role"])
    if full["smtp_text"]:
        full["smtp_text"] = full["smtp_text"].replace(_ADDRESS_MARK, mailbox.envelope)
    if full["suggestion"]:
        full["suggestion"] = f"{mailbox.local}@{full['suggestion']}"
    return Validation.from_dict(full, mailbox=mailbox)


def _hosts_text(hosts: MailHosts) -> str:
    return json.dumps([hosts.hosts, hosts.implicit_mx], separators=(",", ":"))


def _read_hosts(domain: str, text: str, ttl_seconds: int) -> MailHosts:
    names, implicit = json.loads(text)
    return MailHosts(
        domain=domain,
        status=Status.VALID,
        reason=Finding.MAIL_HOST_FOUND,
        hosts=tuple(names),
        implicit_mx=implicit,
        ttl_seconds=ttl_seconds,
    )
