"""Scenario 8: bounces, the spam button and unsubscribing with the list on PostgreSQL; two scans at the same time."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgate.suppression import SuppressionStore
from tests.acceptance.bed import Bed
from tests.acceptance.scenarios import (
    bounce_cron_job,
    check_the_five,
    entries,
    events,
    five_reports,
    key_file,
    rows,
    send_the_four,
    spam_button,
    submit,
    submitting_to_a_daemon,
    unsubscribing,
)
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres

BOXES = ("pg1", "pg2")


@pytest.fixture
def db(postgres_server: PostgresServer) -> str:
    return postgres_server.url()


def both_at_once(bed: Bed, *words: str) -> list[subprocess.CompletedProcess[str]]:
    """Two scans that are started at the same time, one a box."""
    running = [bed.begin("scan", str(bed.maildir(box)), "--json", *words) for box in BOXES]
    done = []
    for process in running:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        done.append(subprocess.CompletedProcess(process.args, process.returncode, output, errors))
    return done


def test_the_bounce_cron_job_on_postgresql(bed: Bed, db: str) -> None:
    bounce_cron_job(bed, "pg1", db)


def test_the_spam_button_on_postgresql(bed: Bed, db: str, tmp_path: Path) -> None:
    spam_button(bed, "pg2", db, key_file(tmp_path))


def test_two_scans_at_once_of_what_came_back(bed: Bed, db: str) -> None:
    for box in BOXES:
        send_the_four(bed, box)
    for box in BOXES:
        bed.settle(box, 4)
    for done in both_at_once(bed, "--db", db):
        check_the_five(events(done.stdout))
    assert entries(db) == {"nobody@target.test": "hard_bounce"}
    with SuppressionStore.open(db, create=False) as store:
        (entry,) = store.list()
        assert entry.count == 4, "two bounces in each box, each counted once"
        lines = store.history("nobody@target.test")
    assert sorted(line.op for line in lines) == ["add", "refresh", "refresh", "refresh"]
    for box in BOXES:
        assert list((bed.maildir(box) / "new").iterdir()) == []


def test_the_same_complaints_in_two_boxes_that_are_read_at_once_count_once(bed: Bed, db: str, tmp_path: Path) -> None:
    for box in BOXES:
        for mail in five_reports():
            bed.send("", [f"{box}@sender.test"], mail)
    for box in BOXES:
        bed.settle(box, 5)
    both_at_once(bed, "--db", db, "--key-file", str(key_file(tmp_path)))
    assert rows(db) == [("ann@target.test", "complaint", "*"), ("bob@target.test", "complaint", "*")]
    with SuppressionStore.open(db, create=False) as store:
        assert [entry.count for entry in store.list()] == [1, 1]
        assert [line.op for line in store.history("ann@target.test")] == ["add"]


def test_two_scans_of_five_hundred_bounces_that_are_the_same_in_both_boxes(bed: Bed, db: str) -> None:
    send_the_four(bed, "pg1")
    bounce = next(
        path.read_bytes() for path in bed.settle("pg1", 4) if path.read_bytes().count(b"nobody@target.test") > 3
    )
    for box in BOXES:
        maildir = bed.maildir(box)
        for file in (maildir / "new").iterdir():
            file.unlink()
        for number in range(500):
            name = b"nobody%d@target.test" % (number % 100)
            copy = bounce.replace(b"nobody@target.test", name).replace(b"Message-ID: <", b"Message-ID: <%d." % number)
            (maildir / "new" / f"{number}.same").write_bytes(copy)
    first, second = both_at_once(bed, "--db", db)
    ids = {event["event_id"] for event in events(first.stdout)}
    assert len(ids) == 500
    assert ids == {event["event_id"] for event in events(second.stdout)}
    with SuppressionStore.open(db, create=False) as store:
        found = list(store.list())
        assert len(found) == 100
        assert {entry.count for entry in found} == {5}


@pytest.fixture
def submission(bed: Bed, db: str) -> Iterator[str]:
    with submitting_to_a_daemon(bed, db):
        yield db


def test_unsubscribing_on_postgresql_with_the_policy_service_as_a_daemon(
    bed: Bed, submission: str, tmp_path: Path
) -> None:
    unsubscribing(bed, "pg1", submission, key_file(tmp_path))


def test_postfix_defers_while_postgresql_is_down_and_goes_on_when_it_is_back(
    bed: Bed, submission: str, postgres_server: PostgresServer
) -> None:
    assert submit(bed, "127.0.0.31", "ok@target.test") == "250"
    postgres_server.stop()
    try:
        assert submit(bed, "127.0.0.31", "ok@target.test").startswith("451")
    finally:
        postgres_server.start_again()
    assert submit(bed, "127.0.0.31", "ok@target.test") == "250"
