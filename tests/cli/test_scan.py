"""The cron job: once is enough, killed is harmless, two at a time are kept apart, what is unknown is left alone."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mailgate.cli import main
from mailgate.maildir import Maildir
from mailgate.suppression import SuppressionStore
from tests.support.documents import ROOT, environment
from tests.support.maildirs import fill

KILLS = int(os.environ.get("MAILGATE_KILLS", "50"))
MESSAGES = int(os.environ.get("MAILGATE_KILL_MESSAGES", "10000"))
LEFT_ALONE = {"mlmmj-faq", "mailman3-hold", "ordinary"}


def scan(*words: str | Path) -> int:
    return main(["scan", *map(str, words)])


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "mailgate", "scan", *map(str, words)]


def state(db: Path) -> dict[str, list[Any]]:
    """Everything in the database that a scan can change, without the instants at which it happened to run."""
    connection = sqlite3.connect(db)
    try:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found: dict[str, list[Any]] = {}
        for table in tables:
            if table.startswith("sqlite_") or table.endswith(("_log", "_change", "_meta")):
                continue  # who changed it when, and how often: not what is known
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            kept = [
                name for name in columns if name not in ("at", "seen", "created", "refreshed", "expires", "read_at")
            ]
            found[table] = sorted(map(repr, connection.execute(f"SELECT {', '.join(kept)} FROM {table}")))
        return found
    finally:
        connection.close()


def entries(db: Path) -> dict[str, tuple[str, int]]:
    with SuppressionStore.open(str(db), create=False) as store:
        return {entry.key: (str(entry.reason), entry.count) for entry in store.list(expired=True)}


def names(folder: Path) -> set[str]:
    return {path.name.partition("mx.sender.test-")[2].partition(":")[0] for path in folder.iterdir()}


@pytest.fixture
def week(tmp_path: Path) -> Path:
    return fill(tmp_path / "Maildir", 34)


def test_a_week_of_real_mail(week: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "mail.db"
    assert scan(week, "--db", db, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 34
    assert {
        Path(line["file"]).name.partition("mx.sender.test-")[2] for line in lines if not line["moved"]
    } == LEFT_ALONE
    assert names(week / "new") == LEFT_ALONE
    suppressed = {key: reason for key, (reason, _) in entries(db).items()}
    hard = ["nobody@target.test", "noenh@target.test", "moved@target.test", "disabled@target.test", "gone@script.test",
            "u@nullmx.test", "u@nxdomain.test"]  # fmt: skip
    assert {key for key, reason in suppressed.items() if reason == "hard_bounce"} == set(hard)
    assert {key for key, reason in suppressed.items() if reason == "complaint"} == {"ok@target.test", "ok2@target.test"}


def test_people_read_a_summary_of_what_was_done_and_why(
    week: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scan(week, "--db", tmp_path / "mail.db") == 0
    out = capsys.readouterr().out
    assert "read 34 messages" in out
    assert "nobody@target.test" in out
    assert "refused because of us" in out
    assert "3  left where they are" in out


def test_a_second_scan_finds_nothing_new(week: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "mail.db"
    assert scan(week, "--db", db) == 0
    before = state(db)
    capsys.readouterr()
    assert scan(week, "--db", db, "--json") == 0
    assert all(json.loads(line)["events"] == [] for line in capsys.readouterr().out.splitlines())
    assert state(db) == before


def test_the_same_mail_delivered_again_counts_once(week: Path, tmp_path: Path) -> None:
    db = tmp_path / "mail.db"
    copy = shutil.copytree(week, tmp_path / "copy")
    assert scan(week, "--db", db) == 0
    before = state(db)
    assert scan(copy, "--db", db) == 0
    assert state(db) == before


def test_quiet_says_nothing_when_all_went_well(week: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scan(week, "--db", tmp_path / "mail.db", "--quiet") == 0
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == ""


def test_require_match_only_counts_what_anybody_could_have_sent(week: Path, tmp_path: Path) -> None:
    db = tmp_path / "mail.db"
    assert scan(week, "--db", db, "--require-match") == 0
    assert entries(db) == {}


def test_several_processes_read_and_the_result_is_the_same(week: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(week, tmp_path / "copy")
    assert scan(week, "--db", tmp_path / "one.db") == 0
    assert scan(copy, "--db", tmp_path / "two.db", "--jobs", "2") == 0
    assert state(tmp_path / "one.db") == state(tmp_path / "two.db")


def test_a_message_that_cannot_be_read_stays_and_the_rest_goes_on(
    week: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    huge = week / "new" / "1795219200.M1.huge"
    with huge.open("wb") as file:
        file.truncate(26 * 1024 * 1024)
    assert scan(week, "--db", tmp_path / "mail.db", "--quiet") == 65
    assert huge.exists()
    assert names(week / "new") - {""} == LEFT_ALONE
    assert "too_large" in capsys.readouterr().out


def test_a_folder_that_is_no_maildir_is_said_and_the_others_are_scanned(
    week: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scan(tmp_path / "nowhere", week, "--db", tmp_path / "mail.db") == 65
    assert "nowhere" in capsys.readouterr().err
    assert names(week / "new") == LEFT_ALONE


def test_a_wrong_path_leaves_no_empty_list_behind(tmp_path: Path) -> None:
    # An empty list blocks nobody: the next filter would write to every dead address.
    assert scan(tmp_path / "nowhere", "--db", tmp_path / "mail.db") == 65
    assert not (tmp_path / "mail.db").exists()
    assert main(["suppress", "check", "--db", str(tmp_path / "mail.db"), "ann@example.net"]) == 69


def test_two_scans_of_one_maildir_one_works_the_other_says_so(
    week: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Maildir(week):
        assert scan(week, "--db", tmp_path / "mail.db") == 75
    assert str(week) in capsys.readouterr().err
    assert len(list((week / "new").iterdir())) == 34
    assert scan(week, "--db", tmp_path / "mail.db") == 0


def test_a_database_that_cannot_be_opened_moves_nothing(week: Path, tmp_path: Path) -> None:
    (tmp_path / "mail.db").write_bytes(b"this is not a database, and it is long enough to be taken for one" * 20)
    assert scan(week, "--db", tmp_path / "mail.db") == 69
    assert len(list((week / "new").iterdir())) == 34


@pytest.mark.slow
def test_killed_at_any_instant_and_started_again_it_ends_as_one_clean_run(tmp_path: Path) -> None:
    clean = fill(tmp_path / "clean", MESSAGES)
    run_to_the_end(command(clean, "--db", tmp_path / "clean.db", "--quiet"), tmp_path)
    box = fill(tmp_path / "box", MESSAGES)
    db = tmp_path / "killed.db"
    chance = random.Random(20261121)
    killed_at_work = 0
    for _ in range(KILLS):
        process = subprocess.Popen(command(box, "--db", db, "--quiet"), env=environment(tmp_path), cwd=ROOT)
        time.sleep(chance.uniform(0.1, 0.45))
        process.send_signal(signal.SIGKILL)
        if process.wait() == -signal.SIGKILL and names(box / "new") != LEFT_ALONE:
            killed_at_work += 1
    assert killed_at_work > KILLS // 2, "the box was empty too early for the kills to mean anything"
    run_to_the_end(command(box, "--db", db, "--quiet"), tmp_path)
    assert names(box / "new") == LEFT_ALONE
    assert sorted(p.name for p in (box / "cur").iterdir()) == sorted(p.name for p in (clean / "cur").iterdir())
    assert state(db) == state(tmp_path / "clean.db")


def run_to_the_end(words: list[str], home: Path) -> None:
    run = subprocess.run(words, env=environment(home), cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_two_programs_at_once_one_works_the_other_exits_with_75(tmp_path: Path) -> None:
    box = fill(tmp_path / "Maildir", 2_000)
    db = tmp_path / "mail.db"
    started = [
        subprocess.Popen(
            command(box, "--db", db), env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    ended = [(process.communicate(), process.returncode) for process in started]
    assert sorted(status for _, status in ended) == [0, 75]
    assert names(box / "new") == LEFT_ALONE
