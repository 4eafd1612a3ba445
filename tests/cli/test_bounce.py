"""`mailgate bounce`: what it prints, for people and for programs, and how it ends."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mailgate.bounce import BounceReport, parse
from mailgate.cli import main

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "bounce"
ONE = FIXTURES / "real_mta" / "postfix-3.10-disabled.eml"
REPLY = FIXTURES / "sisimai" / "rfc3834-02.eml"
ORDINARY = FIXTURES / "made" / "not-newsletter.eml"


def run(*words: str | Path) -> int:
    return main(["bounce", *map(str, words)])


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_message_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ONE) == 0
    out = capsys.readouterr().out
    assert "recipient:   disabled@target.test" in out
    assert "what:        not delivered, for good" in out
    assert "why:         the mailbox is disabled; the mailbox is at fault" in out
    assert "5.2.1" in out
    assert "reported by: mta" in out


def test_several_messages_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ONE, REPLY, ORDINARY) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split()[:2] == ["file", "recipient"]
    assert "disabled@target.test" in out[2]
    assert "automatic reply" in out[3]
    assert "not about delivery" in out[4]


# The documented keys of a line and of a recipient, in their order.
KEYS = [
    *("file", "kind", "form", "defects", "recipients", "reporting_mta", "arrival_date", "original_message_id"),
    *("ref", "matched"),
]
RECIPIENT_KEYS = [
    *("recipient", "original_recipient", "final_recipient", "action", "status", "smtp_code", "enhanced_status"),
    *("reason", "fault", "permanence", "diagnostic_code", "remote_mta", "evidence"),
]


def test_json_lines_have_exactly_the_documented_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", ONE, REPLY, ORDINARY) == 0
    bounce, reply, other = lines(capsys)
    assert [list(line) for line in (bounce, reply, other)] == [KEYS, KEYS, KEYS]
    assert [list(one) for one in bounce["recipients"]] == [RECIPIENT_KEYS]
    assert (other["kind"], other["form"], other["recipients"], other["defects"]) == (None, None, [], [])


def test_full_lines_hold_the_whole_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--full", ONE, REPLY, ORDINARY) == 0
    bounce, reply, other = lines(capsys)
    assert list(bounce)[:3] == ["file", "kind", "form"]
    assert bounce["file"] == str(ONE)
    del bounce["file"]
    assert BounceReport.from_dict(bounce) == parse(ONE.read_bytes())
    assert (reply["kind"], reply["recipients"]) == ("autoreply", [])
    assert other["kind"] is None


def test_a_directory_in_order_and_in_parallel(capsys: pytest.CaptureFixture[str]) -> None:
    folder = FIXTURES / "real_mta"
    assert run("--json", folder) == 0
    alone = capsys.readouterr().out
    assert [json.loads(line)["file"] for line in alone.splitlines()] == sorted(str(p) for p in folder.iterdir())
    assert run("--json", "--jobs", "2", folder) == 0
    assert capsys.readouterr().out == alone


def test_a_maildir_and_an_mbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    shutil.copy(ONE, tmp_path / "Maildir" / "new" / "1.a.b")
    shutil.copy(REPLY, tmp_path / "Maildir" / "cur" / "2.a.b:2,S")
    separator = b"From MAILER-DAEMON Sat Nov 21 00:00:00 2026\n"
    (tmp_path / "box").write_bytes(separator + ONE.read_bytes() + b"\n" + separator + REPLY.read_bytes() + b"\n")
    assert run("--json", tmp_path / "Maildir", tmp_path / "box") == 0
    assert [line["kind"] for line in lines(capsys)] == ["autoreply", "bounce", "bounce", "autoreply"]
    assert sorted(path.name for path in (tmp_path / "Maildir" / "new").iterdir()) == ["1.a.b"]


def test_a_message_from_stdin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ONE.read_bytes())))
    assert run("--json", "-") == 0
    assert lines(capsys)[0]["kind"] == "bounce"


def test_one_bad_input_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(80))
    (tmp_path / "deep").write_bytes(deep)
    assert run("--json", tmp_path / "none", tmp_path / "deep", ONE) == 65
    missing, broken, fine = lines(capsys)
    assert missing == {"file": str(tmp_path / "none"), "error": "no such file or directory"}
    assert "too_deep" in str(broken["error"])
    assert fine["kind"] == "bounce"
    assert run(tmp_path / "none", ONE) == 65
    captured = capsys.readouterr()
    assert "no such file" in captured.err
    assert "disabled@target.test" in captured.out


def test_nothing_in_a_report_reaches_the_terminal_raw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = ONE.read_bytes().replace(b"550", b"550 \x1b[2J\x07").replace(b"Subject: ", b"Subject: \x1b]0;x\x07")
    (tmp_path / "evil\x1b[2J.eml").write_bytes(evil)
    assert run(tmp_path / "evil\x1b[2J.eml") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "\\x1b[2J" in out


def test_rules_of_one_s_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[reply]]\nname = "ours"\nreason = "policy"\nphrases = ["tried to reach is disabled"]\n')
    assert run("--json", "--rules", rules, ONE) == 0
    (line,) = lines(capsys)
    assert "rule:ours" in line["recipients"][0]["evidence"]  # type: ignore[index]


@pytest.mark.parametrize("content", [None, "x = [", '[[reply]]\nname = "a"\nreason = "nonsense"\n'])
def test_rules_that_cannot_be_read(content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = tmp_path / "rules.toml"
    if content is not None:
        rules.write_text(content)
    assert run("--rules", rules, ONE) == 78
    assert str(rules) in capsys.readouterr().err


def test_which_reports_are_ours(capsys: pytest.CaptureFixture[str]) -> None:
    message = FIXTURES / "real_mta" / "qmail-local-fwd.eml"
    assert run("--json", "--verp-domain", "sender.test", message) == 0
    assert lines(capsys)[0]["matched"] is None  # not of the form prefix+local=domain
    assert run(message) == 0
    assert "note:        written to luser-fwd@mta46.test" in capsys.readouterr().out


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 64
    assert run("--help") == 0
    assert "examples:" in capsys.readouterr().out


def test_it_starts_without_what_it_does_not_need() -> None:
    code = (
        "import sys; from mailgate.cli import main; status = main(['bounce', sys.argv[1]]);"
        "print(sorted({'dns', 'sqlite3', 'ssl', 'asyncio', 'email.message'} & set(sys.modules)), status)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(ONE)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[] 0"


def test_a_pipe_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # bash gives one for <(zcat mail.gz).
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    mail = ROOT / "fixtures" / "bounce" / "made" / "groupwise.eml"
    with subprocess.Popen(["/bin/sh", "-c", 'cat "$0" > "$1"', str(mail), str(pipe)]):
        assert main(["bounce", str(pipe)]) == 0
    assert "ada@target.example" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["bounce", "fbl"])
def test_an_empty_folder_is_told(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", "no messages there\n")
