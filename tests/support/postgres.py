"""A PostgreSQL server for one test run: its own cluster in a scratch folder, on a UNIX socket, gone at the end.

`initdb` and `postgres` refuse to run as root, so root runs them as the user `postgres` that Debian's package makes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.support import needs

_START_SECONDS = 30


class PostgresServer:
    """A running server. `url()` answers the URL of a fresh, empty schema; with a name, that of the same one again."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], user: str) -> None:
        self.folder = folder
        self.process = process
        self.user = user
        self._numbers = itertools.count(1)

    def url(self, schema: str | None = None) -> str:
        """A URL whose connections see one schema only."""
        if schema is None:
            schema = f"s{next(self._numbers)}"
            with contextlib.closing(self._connect()) as connection:
                connection.execute(f"CREATE SCHEMA {schema}")
        return f"{self.base_url()}&options={quote(f'-csearch_path={schema}')}"

    def base_url(self) -> str:
        """The URL of the database itself, for tests that make their own schemas."""
        return f"postgresql://{self.user}@/postgres?host={quote(str(self.folder))}"

    def stop(self) -> None:
        """End it at once; nothing in it is kept."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def start_again(self) -> None:
        """The same cluster once more, after `stop`."""
        self.process = _start(self.folder, self.user)
        _wait(self)

    def _connect(self):  # type: ignore[no-untyped-def]
        psycopg = needs.module("psycopg")
        return psycopg.connect(self.base_url(), autocommit=True)


@contextlib.contextmanager
def server() -> Iterator[PostgresServer]:
    """A new cluster; skips with a plain word where PostgreSQL or psycopg is missing."""
    needs.module("psycopg")
    initdb = needs.program("initdb")
    user = pwd.getpwuid(os.geteuid()).pw_name
    if user == "root":
        user = "postgres"
        if user not in {entry.pw_name for entry in pwd.getpwall()}:
            needs.missing("the user postgres (PostgreSQL does not run as root)")
    # Short, because the path of a UNIX socket has a limit of 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="mgpg"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, user)
        command = [
            initdb,
            "--no-sync",
            "-A",
            "trust",
            "-U",
            user,
            "-E",
            "UTF8",
            "--locale=C",
            "-D",
            str(folder / "data"),
        ]
        done = subprocess.run(command, **_as(user), cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        running = PostgresServer(folder, _start(folder, user), user)
        try:
            _wait(running)
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, user: str) -> subprocess.Popen[bytes]:
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=50", "-c", "jit=off"]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [needs.program("postgres"), "-D", str(folder / "data"), "-k", str(folder), *options],
            **_as(user),
            cwd=folder,
            stdout=log,
            stderr=log,
        )


def _wait(running: PostgresServer) -> None:
    psycopg = needs.module("psycopg")
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            running._connect().close()
            return
        except psycopg.OperationalError:
            log = (running.folder / "log").read_text(errors="replace")
            assert running.process.poll() is None, log
            assert time.monotonic() < deadline, log
            time.sleep(0.02)


def _as(user: str) -> dict[str, str]:
    return {"user": user, "group": user} if os.geteuid() == 0 else {}
