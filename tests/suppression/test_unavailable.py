"""A list that cannot be read never says yes: every way in which it can be gone, and the way back."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailgate.suppression import (
    StoreMismatch,
    StoreUnavailable,
    SuppressionReason,
    SuppressionStore,
)
from mailgate.suppression._schema import VERSION
from tests.support import needs, postgres
from tests.suppression.conftest import Backend
from tests.suppression.given import bounce

ADDRESS = "user@example.com"
Call = Callable[[SuppressionStore], object]

READS: dict[str, Call] = {
    "check": lambda store: store.check(ADDRESS),
    "check an address that is not there": lambda store: store.check("other@example.com"),
    "check_many": lambda store: list(store.check_many([ADDRESS])),
    "partition": lambda store: store.partition([ADDRESS]),
    "list": lambda store: list(store.list()),
    "history": lambda store: store.history(ADDRESS),
    "stats": lambda store: store.stats(),
    "export": lambda store: store.export(io.BytesIO()),
    "preload": lambda store: store.preload(),
    "verify": lambda store: store.verify(),
}
WRITES: dict[str, Call] = {
    "add": lambda store: store.add(ADDRESS),
    "add_if_absent": lambda store: store.add_if_absent("new@example.com"),
    "remove": lambda store: store.remove(ADDRESS, note="x", actor="y"),
    "apply": lambda store: store.apply(bounce()),
    "record_delivery": lambda store: store.record_delivery(ADDRESS),
    "expire": lambda store: store.expire(),
    "import": lambda store: store.import_(io.BytesIO(b"a@example.com\n")),
    "erase": lambda store: store.erase(ADDRESS, note="x", actor="y"),
    "set_folding": lambda store: store.set_folding(None),
}
CALLS = READS | WRITES


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_call_answers_when_the_tables_are_gone(backend: Backend, call: Call) -> None:
    store = backend.open()
    store.add(ADDRESS)
    session = backend.open()._sessions.get()
    for table in ("mg_suppression", "mg_suppression_meta"):
        session.run(f"DROP TABLE {table}")
    if call is READS["verify"]:
        call(store)  # it looks for the database, not into it
        return
    with pytest.raises(StoreUnavailable):
        call(store)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_closed_store_is_the_callers_mistake(backend: Backend, call: Call) -> None:
    store = backend.open()
    store.check(ADDRESS)
    store.close()
    store.close()
    with pytest.raises(ValueError, match="closed"):
        call(store)


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["missing.db", "missing/mail.db", "."])
def test_a_list_that_is_not_there_is_not_an_empty_list(tmp_path: Path, path: str) -> None:
    with pytest.raises(StoreUnavailable, match="mail|missing|" + tmp_path.name):
        SuppressionStore.open(tmp_path / path, create=False)
    assert not list(tmp_path.iterdir())


def test_a_database_without_a_list_is_not_an_empty_list(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE something (x)")
    connection.close()
    with pytest.raises(StoreUnavailable, match="no suppression list"):
        SuppressionStore.open(path, create=False)
    SuppressionStore.open(path).close()
    SuppressionStore.open(path, create=False).close()


@pytest.mark.parametrize(
    "content", [b"", b"x", b"not a database at all " * 1_000, b"SQLite format 3\x00" + b"\xff" * 4_080]
)
def test_what_is_no_database_is_not_available(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mail.db"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable):
        SuppressionStore.open(path, create=False)


@pytest.fixture
def big(sqlite: Backend) -> Path:
    """A list with a hundred pages, all of them in the file."""
    with SuppressionStore.open(sqlite.where) as store:
        store.import_(io.BytesIO("".join(f"u{number}@example.com\n" for number in range(5_000)).encode()))
        store._sessions.get().rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return Path(sqlite.where)


@pytest.mark.parametrize("filler", [b"\x00", b"\xff", b"mailgate"])
@pytest.mark.parametrize("start", [0, 8_192, 40_960, 200_000])
def test_a_damaged_file_never_says_yes(big: Path, start: int, filler: bytes) -> None:
    with open(big, "r+b") as file:
        file.seek(start)
        file.write(filler * (40_960 // len(filler)))
    refused = 0
    for number in range(0, 5_000, 50):
        try:
            with SuppressionStore.open(big, create=False) as store:
                assert store.check(f"u{number}@example.com").blocked
        except StoreUnavailable:
            refused += 1
    assert refused


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_file_that_was_cut_never_says_yes(big: Path, part: float) -> None:
    os.truncate(big, int(big.stat().st_size * part))
    for number in range(0, 5_000, 100):
        try:
            with SuppressionStore.open(big, create=False) as store:
                assert store.check(f"u{number}@example.com").blocked
        except StoreUnavailable:
            continue


@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
def test_a_writer_that_waits_too_long_is_told(sqlite: Backend, call: Call) -> None:
    store = sqlite.open(timeout_seconds=0.02)
    store.add(ADDRESS)
    other = sqlite3.connect(sqlite.where, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        call(store)
    assert store.check(ADDRESS).blocked, "readers do not wait for writers"
    other.execute("ROLLBACK")
    other.close()
    call(store)


def test_a_disk_that_is_full_is_told_and_nothing_is_half_done(sqlite: Backend) -> None:
    store = sqlite.open()
    store.add(ADDRESS)
    pages = store._sessions.get().rows("PRAGMA page_count")[0][0]
    store._sessions.get().rows(f"PRAGMA max_page_count = {pages + 2}")
    many = "".join(f"u{number}@example.com\n" for number in range(5_000)).encode()
    with pytest.raises(StoreUnavailable, match="full"):
        store.import_(io.BytesIO(many))
    assert store.check(ADDRESS).blocked
    assert store.stats().entries == 1
    assert store.import_(io.BytesIO(many)).added == 5_000, "the next connection has room again"


def test_a_list_can_be_opened_for_reading_only(sqlite: Backend) -> None:
    sqlite.open().add(ADDRESS)
    reader = sqlite.open(read_only=True)
    assert reader.check(ADDRESS).blocked
    assert not reader.check("other@example.com").blocked
    for name, call in WRITES.items():
        if name not in ("add", "record_delivery"):  # of these nothing is new
            with pytest.raises(StoreUnavailable):
                call(reader)


AS_NOBODY = """
import os, pwd, sys
from mailgate.suppression import StoreUnavailable, SuppressionStore
SuppressionStore.open(":memory:").close()
os.setgroups([])
os.setgid(pwd.getpwnam("nobody").pw_gid)
os.setuid(pwd.getpwnam("nobody").pw_uid)
try:
    print(SuppressionStore.open(sys.argv[1], create=False).check("user@example.com").blocked)
except StoreUnavailable:
    print("unavailable")
"""


def test_a_file_that_this_user_cannot_read_is_not_available() -> None:
    needs.root()
    folder = Path(tempfile.mkdtemp(prefix="mgro"))
    try:
        folder.chmod(0o755)
        path = folder / "mail.db"
        with SuppressionStore.open(path) as store:
            store.add(ADDRESS)
        for mode, expected in ((0o600, {"unavailable"}), (0o644, {"unavailable", "True"})):
            path.chmod(mode)
            done = subprocess.run(
                [sys.executable, "-c", AS_NOBODY, str(path)],
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.stdout.strip() in expected, done.stderr
    finally:
        shutil.rmtree(folder)


def test_a_file_that_was_moved_away_is_noticed_and_found_again(sqlite: Backend, tmp_path: Path) -> None:
    store = sqlite.open()
    store.add(ADDRESS)
    for call in ("verify", "check_many", "add"):
        os.rename(sqlite.where, tmp_path / "elsewhere")
        with pytest.raises(StoreUnavailable, match="no such file"):
            CALLS[call](store)
        with pytest.raises(StoreUnavailable):
            store.check("other@example.com")
        assert not Path(sqlite.where).exists(), "an empty list would say yes to everybody"
        os.rename(tmp_path / "elsewhere", sqlite.where)
        assert store.check(ADDRESS).blocked
        assert not store.check("other@example.com").blocked


def test_a_file_that_was_replaced_is_refused_until_it_is_opened_again(sqlite: Backend, tmp_path: Path) -> None:
    store = sqlite.open()
    store.add(ADDRESS)
    with SuppressionStore.open(tmp_path / "backup.db") as backup:
        backup.add("other@example.com")
    os.replace(tmp_path / "backup.db", sqlite.where)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="replaced"):
            store.verify()
        with pytest.raises(StoreUnavailable, match="replaced"):
            store.check("other@example.com")
    store.close()
    for leftover in ("-wal", "-shm"):
        Path(sqlite.where + leftover).unlink(missing_ok=True)
    assert sqlite.open().check("other@example.com").blocked


def test_a_front_notices_too(sqlite: Backend, tmp_path: Path) -> None:
    front = sqlite.open().preload()
    os.rename(sqlite.where, tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable):
        list(front.check_many(["other@example.com"]))
    with pytest.raises(StoreUnavailable):
        front.check("other@example.com")


# --- schema ----------------------------------------------------------------------------------------------------------


def test_a_list_of_a_newer_mailgate_is_not_touched(backend: Backend) -> None:
    store = backend.open()
    store._sessions.get().run("UPDATE mg_schema SET version = 999 WHERE room = 'suppression'")
    for create in (True, False):
        with pytest.raises(StoreMismatch, match="999"):
            backend.open(create=create)


def test_rooms_share_one_database(backend: Backend) -> None:
    store = backend.open()
    session = store._sessions.get()
    session.run("INSERT INTO mg_schema (room, version) VALUES ('other', 7)")
    assert sorted(session.rows("SELECT room, version FROM mg_schema")) == [("other", 7), ("suppression", VERSION)]
    backend.open().add(ADDRESS)
    assert sorted(session.rows("SELECT room, version FROM mg_schema")) == [("other", 7), ("suppression", VERSION)]


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


@pytest.fixture
def own_server() -> Iterator[postgres.PostgresServer]:
    with postgres.server() as running:
        yield running


@pytest.mark.postgres
def test_a_server_that_is_down_says_nothing_and_is_found_again(own_server: postgres.PostgresServer) -> None:
    url = own_server.url()
    with SuppressionStore.open(url) as store:
        store.add(ADDRESS)
        own_server.stop()
        for call in READS.values():
            if call is not READS["verify"]:
                with pytest.raises(StoreUnavailable):
                    call(store)
        with pytest.raises(StoreUnavailable):
            SuppressionStore.open(url)
        own_server.start_again()
        assert store.check(ADDRESS).blocked
        assert store.add("other@example.com").outcome == "added"


@pytest.mark.postgres
def test_an_error_message_never_holds_the_password() -> None:
    needs.module("psycopg")
    with pytest.raises(StoreUnavailable) as caught:
        SuppressionStore.open("postgresql://ann:geheim@127.0.0.1:1/mail?password=geheim&connect_timeout=1")
    assert "geheim" not in str(caught.value)
    assert "postgresql://ann@127.0.0.1:1/mail" in str(caught.value)


def test_without_the_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreUnavailable, match=r"pip install 'psycopg\[binary\]'"):
        SuppressionStore.open("postgresql://localhost/mail")


def test_what_is_wrong_can_be_read_from_the_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        SuppressionStore.open(tmp_path / "missing.db", create=False)
    assert caught.value.where == str(tmp_path / "missing.db")
    assert caught.value.words == "there is no such file"


def test_an_entry_can_only_have_a_known_reason(backend: Backend) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        backend.open().add(ADDRESS, "nonsense")  # type: ignore[arg-type]
    assert backend.open().add(ADDRESS, "legal").entry.reason is SuppressionReason.LEGAL  # type: ignore[arg-type]
