"""`mailgate fbl`: what it prints for people and for programs, and how it ends."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mailgate.cli import main
from mailgate.records import KeyRing
from mailgate.unsubscribe import Subscription, UnsubscribeLinks

FIXTURES = Path(__file__).parents[2] / "fixtures" / "fbl"
SECRET = "4f1de2d7c1a6b09f31b2c3d4e5f60718"

# The keys of DESIGN's line and their order; more may follow behind them.
KEYS = [
    *("file", "kind", "feedback_type", "user_agent", "version", "original_mail_from", "original_rcpt_to"),
    *("removal_recipient", "arrival_date", "source_ip", "reported_domain", "reported_uri", "incidents"),
    *("authentication_results", "auth_failure", "original_message_id", "ref", "derived", "defects"),
]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in sorted((FIXTURES / "real").glob("*.eml")):
        shutil.copy(path, tmp_path)
    (tmp_path / "ordinary.eml").write_bytes(b"Subject: hello\n\nhi\n")
    return tmp_path


def test_one_line_a_message(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fbl", "--json", str(folder)]) == 0
    found = lines(capsys.readouterr().out)
    assert [Path(line["file"]).name for line in found] == sorted(path.name for path in folder.iterdir())
    assert {line["kind"] for line in found} == {"feedback", None}
    report = next(line for line in found if line["file"].endswith("arf-02.eml"))
    assert list(report)[: len(KEYS)] == KEYS
    assert report["original_rcpt_to"] == ["this-local-part-does-not-exist-on-yahoo@yahoo.com"]
    assert report["arrival_date"] == "2013-04-30T07:45:50+00:00"
    ordinary = next(line for line in found if line["kind"] is None)
    assert list(ordinary) == list(report)
    assert not any(value for name, value in ordinary.items() if name != "file")


def test_full_has_everything_behind_the_documented_keys(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fbl", "--full", str(next(folder.glob("*arf-02.eml")))]) == 0
    (line,) = lines(capsys.readouterr().out)
    assert list(line)[: len(KEYS)] == KEYS
    assert ["Feedback-Type", "abuse"] in line["fields"]


def test_jobs_change_nothing_but_the_clock(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fbl", "--json", str(folder)]) == 0
    alone = capsys.readouterr().out
    assert main(["fbl", "--json", "--jobs", "2", str(folder)]) == 0
    assert capsys.readouterr().out == alone


def test_a_bad_message_is_a_line_and_stops_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claim = b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nx\n--b--\n"
    (folder / "a-bad.eml").write_bytes(claim)
    assert main(["fbl", "--json", str(folder), str(folder / "gone.eml")]) == 65
    found = lines(capsys.readouterr().out)
    assert "no_feedback_report" in found[0]["error"]
    assert "no such file" in found[-1]["error"]
    assert len(found) == len(list(folder.iterdir())) + 1
    assert main(["fbl", str(folder)]) == 65
    said = capsys.readouterr()
    assert "a-bad.eml: no_feedback_report" in said.err
    assert "Comcast" in said.out


def test_a_table_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fbl", str(folder)]) == 0
    said = capsys.readouterr()
    assert "who complained" in said.out
    row = next(line for line in said.out.splitlines() if "arf-25" in line)
    assert "(hidden)" in row
    assert "Rackspace" in row
    assert "ordinary" not in said.out
    assert "1 other message is no complaint" in said.err


def test_one_message_is_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fbl", str(FIXTURES / "made" / "jmrp-sparse.eml")]) == 0
    told = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
    assert told["who complained"].strip() == "ann@outlook.example"
    assert told["reporter"].strip() == "Microsoft"
    ordinary = FIXTURES.parent / "unsubscribe" / "good.eml"
    assert main(["fbl", str(ordinary)]) == 0
    assert capsys.readouterr().out == f"{ordinary}: no complaint\n"


def test_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    data = (FIXTURES / "made" / "aol.eml").read_bytes()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert main(["fbl", "--json", "-"]) == 0
    (line,) = lines(capsys.readouterr().out)
    assert (line["file"], line["feedback_type"]) == ("-", "abuse")


def test_an_mbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("aol", "all-fields", "not-spam")
    box = b"".join(
        b"From fbl@x Fri Nov 20 11:00:00 2026\n" + (FIXTURES / "made" / f"{name}.eml").read_bytes() + b"\n"
        for name in names
    )
    (tmp_path / "box").write_bytes(box)
    assert main(["fbl", "--json", str(tmp_path / "box")]) == 0
    assert [line["feedback_type"] for line in lines(capsys.readouterr().out)] == ["abuse", "abuse", "not-spam"]


def test_the_summary(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(folder / "kumomta-4.eml", folder / "kumomta-4-again.eml")
    (folder / "b.eml").write_bytes(b"Content-Type: multipart/report; report-type=feedback-report\n\nx")
    assert main(["fbl", "--summary", "--json", str(folder)]) == 65
    (found,) = lines(capsys.readouterr().out)
    reports = len(list((FIXTURES / "real").glob("*.eml")))
    assert found["reports"] == reports, "a report that is there twice counts once"
    assert (found["not_complaints"], found["unreadable"]) == (1, 1)
    assert sum(found["by_feedback_type"].values()) == sum(found["by_source_ip"].values()) == reports
    assert found["by_reporter"]["Comcast"] == 1
    (folder / "b.eml").unlink()
    assert main(["fbl", "--summary", str(folder)]) == 0
    text = capsys.readouterr().out
    for heading in ("feedback type", "reporting provider", "source IP", "our stream"):
        assert heading in text
    assert f"{reports} reports" in text


def test_a_hidden_recipient_is_found_by_our_own_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"0 {SECRET}\n")
    keys.chmod(0o600)
    links = UnsubscribeLinks(keys=KeyRing.of(SECRET), base_url="https://news.example/u")
    url = links.url(Subscription(recipient="ann@example.net", tenant="shop", stream="news", ref="w42"))
    hidden = (FIXTURES / "made" / "comcast-hash.eml").read_bytes()
    message = tmp_path / "hidden.eml"
    message.write_bytes(hidden.replace(b"List-Id:", f"List-Unsubscribe: <{url}>\nList-Id:".encode()))
    for words, expected in (([], []), (["--key-file", str(keys)], ["ann@example.net"])):
        assert main(["fbl", "--json", *words, str(message)]) == 0
        (line,) = lines(capsys.readouterr().out)
        assert line["recipients"] == expected
    assert (line["matched"], line["ref"], line["stream"]) == ("list-unsubscribe", "w42", "news")
    assert main(["fbl", "--json", "--jobs", "2", "--key-file", str(keys), str(message)]) == 0
    assert lines(capsys.readouterr().out) == [line]


def test_verp_of_our_own_domain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hidden = (FIXTURES / "made" / "comcast-hash.eml").read_bytes()
    message = tmp_path / "verp.eml"
    message.write_bytes(hidden.replace(b"bounce@news.example", b"bounce+ann=example.net@news.example"))
    assert main(["fbl", "--json", "--verp-domain", "news.example", str(message)]) == 0
    assert lines(capsys.readouterr().out)[0]["recipients"] == ["ann@example.net"]


def test_nothing_from_a_report_reaches_the_terminal_raw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = (FIXTURES / "made" / "all-fields.eml").read_bytes()
    (tmp_path / "x.eml").write_bytes(message.replace(b"<sale.42@", b"<\x1b]0;evil\x07\xe2\x80\xae@"))
    assert main(["fbl", str(tmp_path / "x.eml")]) == 0
    assert main(["fbl", str(tmp_path / "x.eml"), str(FIXTURES / "made" / "aol.eml")]) == 0
    assert main(["fbl", "--json", str(tmp_path / "x.eml")]) == 0
    said = capsys.readouterr().out
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


@pytest.mark.parametrize("words", [[], ["--no-such"], ["--jobs", "x", "a"]])
def test_wrong_usage(words: list[str]) -> None:
    assert main(["fbl", *words]) == 64


def test_a_key_file_that_cannot_be_used(tmp_path: Path) -> None:
    assert main(["fbl", "--key-file", str(tmp_path / "none"), str(tmp_path)]) == 78
