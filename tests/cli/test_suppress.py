"""`mailgate suppress`: every command, what it prints, and how it ends."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailgate.cli import _main
from mailgate.records import Event, EventKind
from mailgate.suppression import SuppressionStore
from tests.support.postgres import server

ROOT = Path(__file__).parent.parent.parent
LISTS = ROOT / "fixtures" / "suppression" / "lists"
REQUESTS = (ROOT / "fixtures" / "suppression" / "policy" / "request.txt").read_bytes()
SECRET = "0 5f1d9b77b1c0468f9a3bd1c0a6e2f4d1\n"

Run = Callable[..., "Ended"]


class Ended:
    """How a command ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def db(tmp_path: Path) -> str:
    return str(tmp_path / "mail.db")


@pytest.fixture
def run(db: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def one(command: str, *words: object, stdin: bytes = b"", where: str = db) -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        status = _main.main(["suppress", command, "--db", where, *map(str, words)])
        return Ended(status, *capfd.readouterr())

    return one


# --- add, check, remove ----------------------------------------------------------------------------------------------


def test_adding_and_checking(run: Run) -> None:
    quarter = (datetime.now(UTC) + timedelta(days=90)).date()
    added = run("add", "User@Example.com", "--reason", "hard_bounce", "--detail", "550 no", "--expires", "90d")
    assert (added.status, added.out) == (0, f"added: User@Example.com (hard_bounce, every stream, until {quarter})\n")
    assert run("add", "user@example.com", "--reason", "hard_bounce", "--expires", "1d").out.startswith("unchanged: ")
    checked = run("check", "user@example.com", "other@example.com")
    assert checked.status == 1
    first, second = checked.out.splitlines()
    assert first.startswith("user@example.com: suppressed: hard_bounce since ")
    assert second == "other@example.com: not suppressed"
    assert run("check", "other@example.com").status == 0


def test_checking_says_no_to_what_cannot_be_read(run: Run) -> None:
    run("add", "user@example.com")
    checked = run("check", "nonsense")
    assert (checked.status, checked.out) == (1, "nonsense: suppressed: cannot be read as an address\n")


def test_checking_as_json(run: Run) -> None:
    run("add", "user@example.com", "--reason", "unsubscribe", "--stream", "news", "--tenant", "acme")
    checked = run("check", "--json", "--tenant", "acme", "--stream", "news", "User@example.com")
    [line] = checked.lines()
    assert (line["input"], line["blocked"], line["key"]) == ("User@example.com", True, "user@example.com")
    [entry] = line["entries"]  # type: ignore[misc]
    assert (entry["reason"], entry["stream"], entry["tenant"]) == ("unsubscribe", "news", "acme")
    assert run("check", "--tenant", "acme", "--stream", "shop", "user@example.com").status == 0


def test_addresses_from_stdin(run: Run) -> None:
    assert run("add", "-", stdin="a@example.com\n\njörg@example.com\n".encode()).out.count("added") == 2
    checked = run("check", "-", stdin="jörg@example.com\nb@example.com\n".encode())
    assert [line.endswith("not suppressed") for line in checked.out.splitlines()] == [False, True]


def test_one_bad_address_does_not_stop_the_others(run: Run) -> None:
    added = run("add", "--json", "a@example.com", "no sense", "*.example.org")
    assert added.status == 65
    assert ["error" in line for line in added.lines()] == [False, True, False]
    assert "no sense" in added.err
    assert run("check", "x@y.example.org").status == 1


def test_an_address_that_lost_its_at_is_seen_to_be_a_domain(run: Run) -> None:
    assert run("add", "annexample.com").out == "added: all of annexample.com (manual, every stream)\n"
    assert run("add", "*.example.com").out == "added: all of *.example.com (manual, every stream)\n"
    assert run("add", "ann@example.com").out == "added: ann@example.com (manual, every stream)\n"


def test_removing(run: Run) -> None:
    run("add", "user@example.com")
    run("add", "user@example.com", "--reason", "unsubscribe", "--stream", "news")
    assert run("remove", "user@example.com").status == 64, "a removal needs a note and an actor"
    refused = run("remove", "user@example.com", "--note", "x", "--actor", "ann")
    assert (refused.status, "evidence" in refused.err) == (65, True)
    removed = run("remove", "user@example.com", "--note", "x", "--actor", "ann", "--reason", "manual")
    assert (removed.status, removed.out) == (0, "removed: user@example.com (manual, every stream)\n")
    removed = run("remove", "--json", "user@example.com", "--note", "x", "--actor", "ann", "--evidence", "form 1")
    assert len(removed.lines()[0]["removed"]) == 1  # type: ignore[arg-type]
    assert "no such entry" in run("remove", "user@example.com", "--note", "x", "--actor", "ann").err
    assert run("check", "user@example.com").status == 0


def test_a_wrong_path_is_an_error_and_never_an_empty_list(run: Run, db: str) -> None:
    for command, words in (
        ("check", ["a@example.com"]),
        ("filter", []),
        ("list", []),
        ("history", ["a@example.com"]),
        ("stats", []),
        ("export", []),
        ("remove", ["a@example.com", "--note", "x", "--actor", "y"]),
        ("erase", ["a@example.com", "--note", "x", "--actor", "y"]),
        ("expire", []),
        ("fold", ["plus"]),
    ):
        ended = run(command, *words)
        assert (ended.status, ended.out) == (69, ""), command
        assert "there is no such file" in ended.err
        assert not os.path.exists(db)


def test_an_entry_that_blocks_nobody_is_told(run: Run) -> None:
    added = run("add", "a@example.com", "--expires", "2020-01-01")
    assert (added.status, added.out) == (0, "added: a@example.com (manual, every stream, until 2020-01-01)\n")
    assert added.err.startswith("2020-01-01T00:00:00+00:00 is over already")
    assert run("check", "a@example.com").status == 0
    assert run("add", "a@example.com").err == ""
    assert run("check", "a@example.com").status == 1
    assert run("add", "a@example.com", "--expires", "0d", "--force").status == 0
    assert run("check", "a@example.com").status == 0


def test_hostile_text_does_not_reach_the_terminal(run: Run) -> None:
    run(
        "add", '"\x1b[31mred"@example.com', "ok@example.com", "--note", "x", "--actor", "\x1b[0m", "--stream", "\x1b[1m"
    )
    for command, words in (("list", []), ("check", ["ok@example.com"]), ("history", ["ok@example.com"]), ("stats", [])):
        assert "\x1b" not in run(command, *words).out


# --- list, history, stats --------------------------------------------------------------------------------------------


def test_listing(run: Run) -> None:
    for number in range(3):
        run("add", f"u{number}@example.com", "--reason", ("hard_bounce", "complaint", "complaint")[number])
    run("add", "*.example.org", "--reason", "legal")
    run("add", "old@example.com", "--expires", "2020-01-01")
    listed = run("list")
    assert listed.out.splitlines()[0].split() == ["address", "reason", "for", "since", "until", "count", "source"]
    assert [line.split()[0] for line in listed.out.splitlines()[2:]] == [
        "*.example.org", "u0@example.com", "u1@example.com", "u2@example.com",
    ]  # fmt: skip
    assert [line["key"] for line in run("list", "--json", "--reason", "complaint").lines()] == [
        "u1@example.com",
        "u2@example.com",
    ]
    assert [line["address"] for line in run("list", "--json", "--kind", "subdomains").lines()] == ["*.example.org"]
    assert len(run("list", "--json", "--expired").lines()) == 5
    limited = run("list", "--limit", "2")
    assert len(limited.out.splitlines()) == 4
    assert "only the first 2" in limited.err
    assert len(run("list", "--json", "--limit", "2").lines()) == 2
    assert run("list", "--json", "--stream", "news").lines() == []
    assert run("list", "--json", "--tenant", "acme").lines() == []


def test_the_history_of_an_address(run: Run) -> None:
    run("add", "user@example.com", "--note", "by phone", "--actor", "ann")
    run("remove", "user@example.com", "--note", "mistake", "--actor", "bob")
    told = run("history", "USER@example.com")
    assert [line.split()[2] for line in told.out.splitlines()[2:]] == ["add", "remove"]
    assert [line["note"] for line in run("history", "--json", "user@example.com").lines()] == ["by phone", "mistake"]
    assert "nothing ever happened" in run("history", "other@example.com").err
    assert run("history", "no sense").status == 65


def test_numbers(run: Run) -> None:
    run("add", "a@example.com", "b@example.com", "example.org", "--reason", "complaint")
    stats = run("stats")
    assert "complaint" in stats.out
    assert "3 entries, 1 of them for domains" in stats.out
    assert run("stats", "--json").lines()[0]["entries"] == 3


# --- filter ----------------------------------------------------------------------------------------------------------


def test_filtering_a_file(run: Run, tmp_path: Path) -> None:
    run("add", "gone@example.com", "--reason", "hard_bounce")
    source, kept, blocked = (tmp_path / name for name in ("in.csv", "kept.csv", "blocked.csv"))
    source.write_bytes(b"name,email\nAnn,ok@example.com\nBob,Gone@example.com\n")
    for more in ([], ["--preload"], ["--column", "email"]):
        done = run("filter", source, "--kept", kept, "--blocked", blocked, *more)
        assert (done.status, done.out) == (0, "2 rows: 1 kept, 1 blocked (hard_bounce 1)\n")
        assert kept.read_bytes() == b"name,email\nAnn,ok@example.com\n"
        assert b"Bob,Gone@example.com,hard_bounce,20" in blocked.read_bytes()


def test_filtering_in_a_pipe(run: Run) -> None:
    run("add", "left@example.com", "--reason", "unsubscribe", "--stream", "news")
    content = b"ok@example.com\nleft@example.com\n"
    done = run("filter", "--stream", "news", stdin=content)
    assert (done.out, done.err) == ("ok@example.com\n", "2 rows: 1 kept, 1 blocked (unsubscribe 1)\n")
    assert run("filter", "--stream", "shop", stdin=content).out == content.decode()
    as_json = run("filter", "-", "--json", "--stream", "news", stdin=content)
    assert json.loads(as_json.err) == {
        "rows": 2,
        "kept": 1,
        "blocked": 1,
        "unreadable": 0,
        "reasons": {"unsubscribe": 1},
    }


def test_a_list_is_never_written_over_itself(run: Run, db: str, tmp_path: Path) -> None:
    run("add", "a@example.com")
    recipients = tmp_path / "recipients.txt"
    recipients.write_text("a@example.com\nb@example.com\n")
    (tmp_path / "linked.txt").symlink_to(recipients)
    new = tmp_path / "new.txt"
    for words in (
        ("filter", recipients, "--kept", recipients),
        ("filter", recipients, "--kept", tmp_path / "linked.txt"),
        ("filter", recipients, "--kept", new, "--blocked", new),
        ("filter", recipients, "--blocked", db),
        ("import", recipients, "--rejects", recipients),
        ("import", recipients, "--rejects", db),
        ("export", "--output", db),
    ):
        assert run(*words).status == 64, words
    assert recipients.read_text() == "a@example.com\nb@example.com\n"
    assert run("check", "a@example.com").status == 1
    assert run("filter", recipients, "--kept", os.devnull, "--blocked", os.devnull).status == 0


def test_filtering_nothing_that_has_addresses(run: Run, tmp_path: Path) -> None:
    run("add", "a@example.com")
    refused = run("filter", stdin=b"name,phone\nann,1\n")
    assert (refused.status, refused.err) == (65, "mailgate: -: no column with addresses; name it, of: name, phone\n")
    assert run("filter", tmp_path / "missing.csv").status == 65
    assert run("filter", "--kept", tmp_path / "missing" / "x", stdin=b"a@example.com\n").status == 78


# --- import and export -----------------------------------------------------------------------------------------------


def test_importing_lists(run: Run, tmp_path: Path) -> None:
    done = run("import", LISTS / "ses-import.csv", LISTS / "plain.txt", "--actor", "ann")
    assert done.status == 0
    first, second = done.out.splitlines()
    assert first.endswith("ses: 2 records, 2 added, 0 refreshed, 0 unchanged, 0 rejected (import 1)")
    assert "5 records, 4 added, 0 refreshed, 0 unchanged, 1 rejected (import 2)" in second
    assert "line 7: example.com" in done.err
    assert "imported before (import 1)" in run("import", LISTS / "ses-import.csv").out
    again = run("import", "--json", "--again", LISTS / "ses-import.csv").lines()[0]
    assert (again["number"], again["added"], again["repeated"]) == (3, 0, False)
    rejects = tmp_path / "rejects.csv"
    run("import", LISTS / "plain.txt", "--again", "--rejects", rejects)
    [head, row] = csv.reader(rejects.read_text().splitlines())
    assert head == ["line", "text", "why"]
    assert row[:2] == ["7", "'example.com"]


def test_importing_with_a_reason_a_stream_and_an_expiry(run: Run) -> None:
    refused = run("import", LISTS / "sendgrid-bounces.csv")
    assert (refused.status, "reason" in refused.err) == (65, True)
    words = ["--reason", "hard_bounce", "--stream", "news", "--tenant", "acme", "--expires", "2999-01-01"]
    assert run("import", LISTS / "sendgrid-bounces.csv", *words).status == 0
    lines = run("list", "--json").lines()
    assert {(line["reason"], line["stream"], line["tenant"]) for line in lines} == {("hard_bounce", "news", "acme")}
    assert {line["expires"] for line in lines} == {"2999-01-01T00:00:00+00:00"}
    assert run("import", LISTS / "ses-import.csv", "--format", "mailgun").status == 65
    assert run("import", LISTS / "missing.csv").status == 65
    assert run("import", LISTS / "ses-import.csv", "--format", "nonsense").status == 64
    assert run("import", LISTS / "ses-import.csv", "--expires", "soon").status == 64


def test_one_file_that_cannot_be_imported_does_not_stop_the_others(run: Run, db: str, tmp_path: Path) -> None:
    missing = tmp_path / "missing.csv"
    assert run("import", missing, tmp_path).status == 65
    assert not os.path.exists(db), "an empty list would block nobody"
    (tmp_path / "no-list.csv").write_text("name,phone\nann,1\n")
    done = run("import", "--json", tmp_path / "no-list.csv", missing, tmp_path, LISTS / "ses-import.csv")
    assert done.status == 65
    errors = {str(line["file"]): line.get("error") for line in done.lines()}
    assert errors[str(missing)] == "no such file or directory"
    assert errors[str(tmp_path)] == "is a directory"
    assert str(errors[str(tmp_path / "no-list.csv")]).startswith("not recognised as a list")
    assert errors[str(LISTS / "ses-import.csv")] is None
    assert f"mailgate: {missing}: no such file" in done.err
    assert run("stats", "--json").lines()[0]["entries"] == 2


def test_a_new_list_that_blocks_nobody_is_told(run: Run, db: str, tmp_path: Path) -> None:
    wrong, right = tmp_path / "wrong.csv", LISTS / "plain.txt"
    wrong.write_text("id,name\n1,Ann\n")
    told = f"{db} is a new list now with nobody on it"
    assert told in run("import", wrong).err
    assert told not in run("import", wrong).err
    other = str(tmp_path / "other.db")
    assert "a new list" not in run("import", wrong, right, where=other).err


def test_an_expiry_in_days_is_that_of_the_first_start(run: Run) -> None:
    words = [LISTS / "ses-import.csv", "--expires", "90d"]
    assert "2 added" in run("import", *words).out
    before = run("list", "--json").out
    assert "imported before (import 1)" in run("import", *words).out
    assert run("list", "--json").out == before


def test_importing_from_a_pipe(run: Run) -> None:
    assert run("import", "-", stdin=b"a@example.com\n").out.startswith("-: plain: 1 record, 1 added")


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_exporting_and_importing_again(run: Run, tmp_path: Path, format_: str) -> None:
    run("import", LISTS / "postmark-dump.json")
    target = tmp_path / "list.out"
    done = run("export", "--format", format_, "--output", target)
    assert done.out == f"{target}: 4 entries\n"
    assert run("export", "--format", format_).out == target.read_text()
    other = str(tmp_path / "other.db")
    assert "4 added" in run("import", target, where=other).out
    assert run("export", where=other).out == run("export").out


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["export", "--output", "{missing}/x.csv"], 78),
        (["export", "--output", "{folder}"], 78),
        (["import", "{list}", "--rejects", "{missing}/x.csv"], 78),
        (["list", "--limit", "-3"], 64),
        (["list", "--limit", "many"], 64),
        (["expire", "--log-detail-days", "-1"], 64),
        (["policy", "--listen", "{missing}/socket", "--mode", "9z"], 64),
        (["policy", "--listen", "localhost:70000"], 64),
        (["policy", "--listen", "10025"], 64),
        (["policy", "--listen", ""], 64),
        (["policy", "--listen", "{missing}/socket"], 69),
    ],
)
def test_what_cannot_be_done_ends_with_plain_words(run: Run, tmp_path: Path, words: list[str], status: int) -> None:
    run("add", "a@example.com")
    names = {"missing": tmp_path / "missing", "folder": tmp_path, "list": LISTS / "plain.txt"}
    done = run(*[word.format(**names) for word in words])
    assert (done.status, done.out) == (status, "")
    assert "Traceback" not in done.err
    assert done.err.splitlines()[-1] != ""
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_disk_that_is_full_is_told(run: Run, tmp_path: Path) -> None:
    run("add", "a@example.com")
    done = run("filter", "--kept", "/dev/full", stdin=b"b@example.com\n")
    assert (done.status, done.err) == (75, "mailgate: no space left on device\n")


@pytest.mark.parametrize("option", ["--note", "--actor", "--source", "--detail", "--stream", "--tenant"])
def test_an_option_that_is_no_text_is_refused(run: Run, db: str, option: str) -> None:
    done = run("add", "a@example.com", option, os.fsdecode(b"\xff"))
    assert (done.status, done.out, os.path.exists(db)) == (64, "", False)
    assert f"{option} is no text" in done.err


def test_an_address_that_is_no_text_does_not_stop_the_others(run: Run) -> None:
    done = run("add", os.fsdecode(b"a\xff@example.com"), "b@example.com")
    assert (done.status, done.out) == (65, "added: b@example.com (manual, every stream)\n")
    assert "Traceback" not in done.err
    done = run("add", "-", stdin=b"a\xff@example.com\na\0@example.com\nc@example.com\n")
    assert (done.status, done.out) == (65, "added: c@example.com (manual, every stream)\n")
    assert len(done.err.splitlines()) == 2
    assert run("check", "-", stdin=b"a\xff@example.com\n").status == 1


def test_no_list_where_one_would_have_to_type_is_wrong_usage(run: Run, db: str) -> None:
    run("add", "a@example.com")
    terminal, other_end = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mailgate", "suppress", "filter", "--db", db],
            stdin=other_end, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(terminal)
        os.close(other_end)
    assert (done.returncode, done.stdout) == (64, "")
    assert "a file is needed" in done.stderr


POSTAL = """\
id\ttype\taddress\treason\ttimestamp\tkeep_until
1\trecipient\tdead@target.test\ttoo many hard fails\t1795219201.123456\t1797811201.123456
2\trecipient\tslow@target.test\ttoo many soft fails\t1795219202.123456\t1797811202.123456
"""


def test_the_suppressions_of_postal_as_its_database_prints_them(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "postal.tsv"
    table.write_text(POSTAL)
    assert run("import", table, "--reason", "soft_bounce", "--expires", "30d").status == 0
    entries = run("list", "--json").lines()
    assert [(entry["address"], entry["reason"], entry["detail"]) for entry in entries] == [
        ("dead@target.test", "soft_bounce", "too many hard fails"),
        ("slow@target.test", "soft_bounce", "too many soft fails"),
    ]
    assert all(entry["expires"] for entry in entries)


def test_exporting_a_part_or_everything(run: Run) -> None:
    run("import", LISTS / "postmark-dump.json")
    assert len(run("export", "--reason", "complaint").lines()) == 2
    assert len(run("export", "--full").lines()) > len(run("export").lines())
    assert run("export", "--full", "--format", "csv").status == 64
    assert run("export", "--format", "plain").out.splitlines()[0] == "angry@target.test"
    assert run("export", "--stream", "none").lines()[1:] == []
    assert run("export", "--tenant", "none").lines()[1:] == []


# --- erase, expire, fold, hashed lists -------------------------------------------------------------------------------


def test_erasing(run: Run) -> None:
    run("add", "user@example.com", "other@example.com")
    assert run("erase", "user@example.com").status == 64
    done = run("erase", "user@example.com", "--note", "article 17", "--actor", "ann")
    assert done.out == "erased: 1 entry kept as hash, 1 line of the log cleaned\n"
    assert "user@" not in run("list").out
    assert run("check", "user@example.com").status == 1
    done = run("erase", "--json", "other@example.com", "--note", "x", "--actor", "ann", "--forget-block")
    assert done.lines()[0]["kept_block"] is False
    assert run("check", "other@example.com").status == 0


def test_expiring(run: Run) -> None:
    run("add", "user@example.com", "--expires", "2020-01-01")
    assert run("expire").out == "expired: 1 entry\n"
    assert run("history", "--json", "user@example.com").lines()[0]["after"] is not None
    assert run("expire", "--log-detail-days", "0").out == "expired: 0 entries\n"


def test_folding(run: Run) -> None:
    run("add", "a.b@gmail.com", "c.d@example.com")
    assert run("fold", "gmail_dots").out == "folding is on: 1 entry also holds for other spellings\n"
    checked = run("check", "ab@gmail.com")
    assert (checked.status, "by a.b@gmail.com" in checked.out) == (1, True)
    assert run("check", "cd@example.com").status == 0
    assert run("fold", "gmail_dots", "--domain", "example.com").status == 0
    assert (run("check", "cd@example.com").status, run("check", "ab@gmail.com").status) == (1, 0)
    assert run("fold", "off").out == "folding is off\n"
    assert run("check", "cd@example.com").status == 0
    assert run("fold", "nonsense").status == 64


def test_a_hashed_list(run: Run, tmp_path: Path) -> None:
    key_file = tmp_path / "keys"
    key_file.write_text(SECRET)
    key_file.chmod(0o600)
    assert run("add", "a@example.com", "--hashed").status == 64
    assert run("add", "a@example.com", "--hashed", "--key-file", key_file).status == 0
    assert "a@example.com" not in run("list", "--json", "--key-file", key_file).out
    assert run("check", "a@example.com", "--key-file", key_file).status == 1
    assert run("check", "a@example.com").status == 78, "without its key it does not answer"
    key_file.write_text("0 another0secret0of0many0characters\n")
    assert run("check", "a@example.com", "--key-file", key_file).status == 78
    assert run("policy", "--key-file", key_file, stdin=REQUESTS).status == 78


# --- policy ----------------------------------------------------------------------------------------------------------


def test_answering_postfix_on_stdin_and_stdout(run: Run) -> None:
    run("add", "nobody@target.test", "--reason", "unsubscribe", "--stream", "news")
    assert run("policy", "--stream", "shop", stdin=REQUESTS).out == "action=DUNNO\n\naction=DUNNO\n\n"
    refused = run("policy", "--stream", "news", "--text", "no: {reasons}", stdin=REQUESTS)
    assert refused.out == "action=550 5.7.1 no: unsubscribe\n\naction=DUNNO\n\n"
    rules = ["--stream", "shop", "--stream-of", "news@sender.test=news"]
    assert run("policy", *rules, stdin=REQUESTS).out.startswith("action=550 ")
    assert run("policy", "--tenant", "acme", stdin=REQUESTS).out.startswith("action=DUNNO")
    assert run("policy", "--stream-of", "nonsense").status == 64
    assert run("policy", "--text", "{nonsense}", stdin=REQUESTS).status == 64
    assert run("policy", stdin=b"junk\n\n").status == 65


@pytest.mark.parametrize(("choice", "start"), [("defer", "451 "), ("accept", "DUNNO"), ("reject", "550 5.3.5")])
def test_answering_postfix_without_a_list(run: Run, choice: str, start: str) -> None:
    done = run("policy", "--when-unavailable", choice, stdin=REQUESTS)
    assert done.status == 0
    assert done.out.startswith(f"action={start}")
    assert "no such file" in done.err
    assert run("policy", "--quiet", stdin=REQUESTS).err == ""


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_listening(run: Run, db: str, tmp_path: Path, kind: str) -> None:
    run("add", "nobody@target.test")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = str(tmp_path / "socket")
    listen = path if kind == "unix" else f"127.0.0.1:{port}"
    words = [sys.executable, "-m", "mailgate.suppression", "policy", "--db", db, "--listen", listen, "--mode", "600"]
    service = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True)
    assert service.stderr is not None
    try:
        assert "listening on" in service.stderr.readline()
        family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
        with socket.socket(family) as client:
            client.settimeout(10)
            client.connect(path if kind == "unix" else ("127.0.0.1", port))
            client.sendall(REQUESTS)
            answer = b""
            while answer.count(b"\n\n") < 2:
                answer += client.recv(1_000)
        assert answer.startswith(b"action=550 5.7.1 ")
        assert answer.endswith(b"action=DUNNO\n\n")
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(10) == 0
        service.stderr.close()
    assert not os.path.exists(path)


def test_listening_where_nobody_can(run: Run, tmp_path: Path) -> None:
    run("add", "nobody@target.test")
    ended = run("policy", "--listen", tmp_path / "missing" / "socket")
    assert (ended.status, "missing" in ended.err) == (69, True)


# --- the rest --------------------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_a_url_is_as_good_as_a_path(run: Run) -> None:
    with server() as running:
        url = running.url()
        assert "no suppression list" in run("check", "a@example.com", where=url).err
        run("add", "a@example.com", where=url)
        assert run("check", "a@example.com", where=url).status == 1
        assert run("import", LISTS / "ses-import.csv", where=url).status == 0
        assert run("filter", stdin=b"gone@target.test\nok@target.test\n", where=url).out == "ok@target.test\n"


def test_what_events_did_is_in_the_history(run: Run, db: str) -> None:
    with SuppressionStore.open(db) as store:
        store.apply(Event(kind=EventKind.UNSUBSCRIBED, recipient="a@example.com", source="unsubscribe", event_id="1"))
    assert [line["source"] for line in run("history", "--json", "a@example.com").lines()] == ["unsubscribe:1"]


@pytest.mark.parametrize("command", ["add", "remove", "check", "filter", "list", "import", "export", "history", "stats",
                                     "erase", "expire", "fold", "policy"])  # fmt: skip
def test_every_command_teaches_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _main.main(["suppress", command, "--help"]) == 0
    told = capsys.readouterr().out
    assert "--db" in told
    assert len(told.splitlines()) > 8


@pytest.mark.parametrize("words", [[], ["nonsense"], ["add", "a@example.com"], ["add", "--db", "x"]])
def test_wrong_usage_ends_with_64(words: list[str]) -> None:
    assert _main.main(["suppress", *words]) == 64


@pytest.mark.parametrize("name", ["suppress_filter.py", "postfix_policy.py"])
def test_an_example_prints_what_it_says(name: str) -> None:
    path = ROOT / "examples" / name
    _, _, promised = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("Prints:\n")
    words = [sys.executable, "-W", "error", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [line.strip() for line in promised.splitlines()]
