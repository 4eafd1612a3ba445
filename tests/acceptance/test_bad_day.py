"""Scenario 9: everything that goes wrong on a bad day, and after the next run the state that a clean day gives."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailgate.suppression import SuppressionStore
from tests.acceptance.bed import Bed
from tests.acceptance.days import GONE, NO_DOMAIN, Day, Scan, differences, state
from tests.acceptance.scenarios import ORDINARY
from tests.acceptance.servers import COLLECTOR_UID
from tests.support import needs
from tests.support.postgres import PostgresServer

NO = 1
TRY_LATER = 75
UNAVAILABLE = 69
DATA = 65


@pytest.fixture
def scan(bed: Bed, day: Day, keys: str, tmp_path: Path) -> Scan:
    return Scan(bed, day, keys, tmp_path, str(tmp_path / "mail.db"))


def test_a_clean_day(clean: dict[str, Any]) -> None:
    found = {entry["key"]: entry["reason"] for entry in clean["entries"].values()}
    assert found == {
        **dict.fromkeys(GONE, "hard_bounce"),
        "nobody@target.test": "hard_bounce",
        NO_DOMAIN: "hard_bounce",
        "full@target.test": "soft_bounce",
        "ann@target.test": "complaint",
        "bob@target.test": "complaint",
        "ok@target.test": "unsubscribe",
    }
    assert len(clean["rollup"]["contributions"]) == 4


# --- the disk --------------------------------------------------------------------------------------------------------


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A file system of its own; gone at the end whatever happened."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True, capture_output=True)


def fill(folder: Path, free: int) -> None:
    """Take all space of a file system but so many bytes."""
    filler = folder / "filler"
    filler.unlink(missing_ok=True)
    size = shutil.disk_usage(folder).free - free
    with contextlib.suppress(OSError):
        filler.write_bytes(b"\0" * max(size, 0))


def test_the_disk_of_the_database_is_full(bed: Bed, day: Day, keys: str, clean: dict[str, Any], tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "-o", "size=1m") as small:
        scan = Scan(bed, day, keys, tmp_path, str(small / "mail.db"))
        for free in (0, 32_768, 65_536, 98_304, 131_072):
            fill(small, free)
            done = scan.run()
            assert (done.returncode, scan.moved) in {(TRY_LATER, 0), (UNAVAILABLE, 0), (0, day.known)}, (free, done)
            assert (done.returncode == TRY_LATER) or free
        (small / "filler").unlink()
        scan.ends_like(clean)
        fill(small, 0)  # look-ups still answer, or say that they cannot; never that a dead address is fine
        done = bed.mailgate("suppress", "check", "--db", scan.db, GONE[0], "other@target.test")
        assert done.returncode in (NO, UNAVAILABLE, TRY_LATER), done


def test_a_message_cannot_be_moved(scan: Scan, clean: dict[str, Any]) -> None:
    with mounted(scan.maildir / "cur", "-o", "size=64k"):  # another file system: rename(2) cannot
        done = scan.run()
        assert done.returncode == TRY_LATER
        assert f"{scan.day.known} messages cannot be moved" in done.stdout
        assert scan.moved == 0
        assert differences(state(scan.db), clean) == []
    scan.ends_like(clean)


# --- the database ----------------------------------------------------------------------------------------------------


@contextmanager
def locked(db: str) -> Iterator[None]:
    connection = sqlite3.connect(db, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@pytest.mark.parametrize("instant", ["open:1", "keep:1", "apply_many:1"])
def test_the_database_is_locked_for_longer_than_the_timeout(scan: Scan, clean: dict[str, Any], instant: str) -> None:
    needs.program("faketime")  # nobody waits half a minute for a timeout here
    assert scan.bed.mailgate("suppress", "list", "--db", scan.db).returncode == UNAVAILABLE
    SuppressionStore.open(scan.db).close()
    with ExitStack() as stack:
        with scan.bed.stopped(instant, *scan.words, clock="+0 x50") as process:
            stack.enter_context(locked(scan.db))
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (TRY_LATER, ""), errors
    assert "locked" in errors
    assert scan.moved == 0
    scan.check(errors)
    scan.ends_like(clean)


# --- the Maildir -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instant", ["pending:1", "read_message:10", "apply_many:1", "finish_many:1", "rename:5"])
def test_messages_vanish_during_a_scan_and_come_back(
    scan: Scan, clean: dict[str, Any], tmp_path: Path, instant: str
) -> None:
    """Another program takes every third message, wherever it lies just then."""
    away = tmp_path / "away"
    away.mkdir()
    with scan.bed.stopped(instant, *scan.words) as process:
        for file in sorted((scan.maildir / "new").iterdir())[::3]:
            file.rename(away / file.name)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "", "")
    for file in away.iterdir():
        file.rename(scan.maildir / "new" / file.name)
    scan.ends_like(clean)


def test_a_mail_program_sees_the_messages_first(scan: Scan, clean: dict[str, Any]) -> None:
    """What it has moved to `cur` is no longer new; `--cur` reads it all the same."""
    for file in sorted((scan.maildir / "new").iterdir())[::2]:
        if file.read_bytes() != ORDINARY:
            file.rename(scan.maildir / "cur" / f"{file.name}:2,S")
    assert scan.run().returncode == 0
    assert scan.bed.mailgate(*scan.words, "--cur").returncode == 0
    assert state(scan.db)["entries"].keys() == clean["entries"].keys()
    assert state(scan.db)["rollup"] == clean["rollup"]
    assert scan.day.is_scanned(scan.maildir)


@pytest.fixture
def as_nobody(bed: Bed, day: Day, keys: str) -> Iterator[Scan]:
    """A scan by a user who is not root, of what belongs to him."""
    folder = bed.folder / "nobody"
    folder.mkdir(mode=0o755)
    own_keys = shutil.copy(keys, folder / "keys")
    for path in (folder, Path(own_keys)):
        shutil.chown(path, COLLECTOR_UID)
    command = ["setpriv", f"--reuid={COLLECTOR_UID}", "--clear-groups", str(bed.program())]
    try:
        yield Scan(bed, day, str(own_keys), folder, str(folder / "mail.db"), command)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize(("name", "mode"), [("new", 0), ("new", 0o500), ("cur", 0o500), ("cur", 0), ("", 0)])
def test_a_maildir_without_permission_does_not_stop_the_others(
    as_nobody: Scan, clean: dict[str, Any], name: str, mode: int
) -> None:
    other = as_nobody.day.delivered(as_nobody.folder / "Other")
    (as_nobody.maildir / name).chmod(mode)
    done = as_nobody.run(other)
    assert done.returncode == DATA
    assert f"{as_nobody.maildir}" in done.stderr
    assert as_nobody.moved == 0
    assert as_nobody.day.is_scanned(other)
    (as_nobody.maildir / name).chmod(0o700)
    as_nobody.ends_like(clean)


def test_a_message_without_permission_waits_for_it(as_nobody: Scan, clean: dict[str, Any]) -> None:
    files = sorted((as_nobody.maildir / "new").iterdir())
    for file in files[3:6]:
        file.chmod(0)
    done = as_nobody.run()
    assert done.returncode == DATA
    assert all(str(file) in done.stdout for file in files[3:6])
    assert as_nobody.moved == as_nobody.day.known - 3
    for file in files[3:6]:
        file.chmod(0o600)
    as_nobody.ends_like(clean)


# --- the clock -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clock", ["-400d", "-1h", "+20d"])
def test_the_clock_is_wrong_during_a_scan(scan: Scan, clean: dict[str, Any], clock: str) -> None:
    needs.program("faketime")
    process = scan.bed.begin(*scan.words, clock=clock)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, ""), errors
    scan.ends_like(clean)


def test_bounces_from_the_future_count_from_their_arrival(bed: Bed, day: Day, tmp_path: Path) -> None:
    new = tmp_path / "Maildir" / "new"
    for folder in (new, new.with_name("cur")):
        folder.mkdir(parents=True)
    for name, mail, _ in day.files:
        if GONE[0].encode() + b">" in mail or NO_DOMAIN.encode() in mail:
            (new / name).write_bytes(re.sub(rb"(?m)^Date: .*$", b"Date: Thu, 1 Jan 2099 00:00:00 +0000", mail))
    db = str(tmp_path / "mail.db")
    assert bed.mailgate("scan", str(new.parent), "--db", db, "--quiet").returncode == 0
    now = datetime.now(UTC)
    with SuppressionStore.open(db, create=False) as store:
        found = {entry.key: (entry.created <= now, entry.expires) for entry in store.list()}
    assert found.keys() == {GONE[0], NO_DOMAIN}
    assert found[GONE[0]] == (True, None)
    in_force, expires = found[NO_DOMAIN]
    assert in_force
    assert expires is not None
    assert timedelta(days=89) < expires - now <= timedelta(days=90)


def test_look_ups_answer_while_somebody_writes(bed: Bed, tmp_path: Path) -> None:
    db = str(tmp_path / "mail.db")
    assert bed.mailgate("suppress", "add", "--db", db, GONE[0]).returncode == 0
    with locked(db):
        assert bed.mailgate("suppress", "check", "--db", db, GONE[0]).returncode == NO
        assert bed.mailgate("suppress", "check", "--db", db, "other@target.test").returncode == 0


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


@pytest.mark.postgres
@pytest.mark.parametrize(
    "instant", ["open:2", "keep:1>execute:3", "apply_many:1", "apply_many:1>execute:40", "finish_many:1"]
)
def test_postgresql_is_started_again_in_the_middle_of_a_scan(
    bed: Bed, day: Day, keys: str, clean: dict[str, Any], tmp_path: Path, postgres_server: PostgresServer, instant: str
) -> None:
    scan = Scan(bed, day, keys, tmp_path, postgres_server.url())
    with bed.stopped(instant, *scan.words) as process:
        postgres_server.stop()
        postgres_server.start_again()
    _, errors = process.communicate(timeout=60)
    scan.check(errors)
    assert (process.returncode, scan.moved) in {(UNAVAILABLE, 0), (TRY_LATER, 0), (0, day.known)}
    assert bool(errors) == bool(process.returncode)
    scan.ends_like(clean)


@pytest.mark.postgres
def test_postgresql_is_away(
    bed: Bed, day: Day, keys: str, clean: dict[str, Any], tmp_path: Path, postgres_server: PostgresServer
) -> None:
    scan = Scan(bed, day, keys, tmp_path, postgres_server.url())
    postgres_server.stop()
    try:
        done = scan.run()
        assert (done.returncode, scan.moved) == (UNAVAILABLE, 0)
        for words in (["check", GONE[0]], ["filter", "-"], ["list"]):
            asked = bed.mailgate("suppress", words[0], "--db", scan.db, *words[1:], stdin=f"{GONE[0]}\n")
            assert (asked.returncode, asked.stdout) == (UNAVAILABLE, ""), asked
    finally:
        postgres_server.start_again()
    scan.ends_like(clean)
