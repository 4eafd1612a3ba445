"""Scenario 9: everything that goes wrong on a bad day, and after the next run the state that a clean day gives."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from mailgate.suppression import SuppressionStore
from tests.acceptance.bed import Bed
from tests.acceptance.days import GONE, NO_DOMAIN, Day, a_day, state
from tests.acceptance.scenarios import key_file
from tests.support import needs

NO = 1
TRY_LATER = 75
UNAVAILABLE = 69
DATA = 65


@pytest.fixture(scope="module")
def day(bed: Bed) -> Day:
    return a_day(bed)


@pytest.fixture(scope="module")
def keys(bed: Bed) -> str:
    return str(key_file(bed.folder))


class Scan:
    """One Maildir with the day's mail, one store, and the cron job over them."""

    def __init__(self, bed: Bed, day: Day, keys: str, folder: Path, db: str) -> None:
        self.bed, self.day, self.folder, self.db = bed, day, folder, db
        self.maildir = day.delivered(folder / "Maildir")
        self.words = ("scan", str(self.maildir), "--db", db, "--key-file", keys, "--quiet")

    def run(self) -> subprocess.CompletedProcess[str]:
        """The cron job once; whatever happens, nothing is lost and no bug is shown."""
        done = self.bed.mailgate(*self.words)
        self.check(done.stderr)
        return done

    def check(self, errors: str = "") -> None:
        assert "Traceback" not in errors, errors
        assert self.day.is_complete(self.maildir)

    @property
    def moved(self) -> int:
        return len(list((self.maildir / "cur").iterdir()))

    def ends_like(self, clean: dict[str, Any]) -> None:
        """The next run, with which all is as on a clean day."""
        done = self.run()
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert self.day.is_scanned(self.maildir)
        assert state(self.db) == clean


@pytest.fixture
def scan(bed: Bed, day: Day, keys: str, tmp_path: Path) -> Scan:
    return Scan(bed, day, keys, tmp_path, str(tmp_path / "mail.db"))


@pytest.fixture(scope="module")
def clean(bed: Bed, day: Day, keys: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The state after a clean day."""
    folder = tmp_path_factory.mktemp("clean")
    scan = Scan(bed, day, keys, folder, str(folder / "mail.db"))
    done = scan.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert day.is_scanned(scan.maildir)
    return state(scan.db)


def test_a_clean_day(clean: dict[str, Any]) -> None:
    found = {entry["key"]: entry["reason"] for entry in clean["entries"]}
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
        assert state(scan.db) == clean
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
