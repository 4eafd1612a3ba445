"""`mailgate validate`: lists in, the same rows and what is known about them out."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from mailgate.cli import main

SHAPE = [
    "input", "address", "status", "reason", "layer", "advice", "catch_all", "mx_host", "smtp_code", "enhanced_status",
    "smtp_text", "role", "disposable", "free", "suggestion", "retry_after", "checked_at",
]  # fmt: skip
RESULT = [
    "status",
    "reason",
    "advice",
    "catch_all",
    "suggestion",
    "smtp_code",
    "enhanced_status",
    "smtp_text",
    "checked_at",
]


def check(*words: str | Path) -> int:
    return main(["validate", "--level", "syntax", *map(str, words)])


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def test_addresses_on_the_command_line_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("ann@example.net", "ann@@example.net") == 0
    good, bad = capsys.readouterr().out.splitlines()
    assert good.startswith("ann@example.net: valid")
    assert "at character 5" in bad


def test_a_json_line_has_exactly_the_documented_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("--json", "ann@example.net", "x@") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [list(line) for line in lines] == [SHAPE, SHAPE]
    assert (lines[0]["status"], lines[0]["layer"], lines[0]["address"]) == ("valid", "syntax", "ann@example.net")
    assert (lines[1]["status"], lines[1]["address"]) == ("invalid", None)


def test_csv_keeps_every_column_and_the_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text('id,E-Mail,name\n7,ann@example.net,"Ann, A"\n8,not an address,Bob\n9,,Cid\n')
    assert check(tmp_path / "list.csv") == 0
    header, *body = rows(capsys.readouterr().out)
    assert header == ["id", "E-Mail", "name", *RESULT]
    assert [row[:4] for row in body] == [
        ["7", "ann@example.net", "Ann, A", "valid"],
        ["8", "not an address", "Bob", "invalid"],
        ["9", "", "Cid", "invalid"],
    ]
    assert {len(row) for row in body} == {len(header)}


@pytest.mark.parametrize(
    ("data", "delimiter", "expected"),
    [
        ("email;name\nann@example.net;Ann\n".encode("utf-8-sig"), ";", ["ann@example.net", "Ann"]),
        ("email\tname\nann@example.net\tÄnn\n".encode("utf-16"), "\t", ["ann@example.net", "Änn"]),
        ("email,name\r\nann@example.net,Änn\r\n".encode("cp1252"), ",", ["ann@example.net", "Änn"]),
        (b"1,ann@example.net,x\n", ",", ["1", "ann@example.net"]),
        (b'email,name\nann@example.net,"two\nlines"\n', ",", ["ann@example.net", "two\nlines"]),
    ],
)
def test_encodings_and_dialects_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, delimiter: str, expected: list[str]
) -> None:
    (tmp_path / "list").write_bytes(data)
    assert check(tmp_path / "list") == 0
    last = rows(capsys.readouterr().out, delimiter)[-1]
    assert last[: len(expected)] == expected
    assert "valid" in last


def test_a_plain_list_gets_a_header(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list").write_text("ann@example.net\n\n  bob@example.net \nnobody\n")
    assert check(tmp_path / "list") == 0
    found = rows(capsys.readouterr().out)
    assert [row[:2] for row in found] == [
        ["address", "status"], ["ann@example.net", "valid"], ["bob@example.net", "valid"], ["nobody", "invalid"],
    ]  # fmt: skip


def test_the_column_can_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("a,b\nx@y@z,ann@example.net\n")
    assert check("--column", "b", tmp_path / "list.csv") == 0
    assert rows(capsys.readouterr().out)[1][2] == "valid"
    assert check("--column", "1", tmp_path / "list.csv") == 0
    assert rows(capsys.readouterr().out)[1][2] == "invalid"


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["--column", "z"], 64, "no column 'z'"),
        ([], 64, "--column"),
    ],
)
def test_a_column_that_cannot_be_found_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, says: str
) -> None:
    (tmp_path / "list.csv").write_text("a,b\nc,d\n")
    assert check(*words, tmp_path / "list.csv") == status
    assert says in capsys.readouterr().err


def test_what_we_add_is_no_formula_and_what_was_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("email,note\n=cmd@example.net,=1+1\n")
    assert check(tmp_path / "list.csv") == 0
    row = rows(capsys.readouterr().out)[1]
    assert row[:2] == ["=cmd@example.net", "=1+1"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row[2:])


def test_redact_leaves_no_mailbox_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("email,name\nann@gmial.com,x\n")
    for words in ([], ["--json"], ["--full"]):
        assert check("--redact", *words, tmp_path / "list.csv") == 0
        out = capsys.readouterr().out
        assert "ann" not in out
        assert "***@gmial.com" in out


def test_stdin_is_a_list_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"email\nann@example.net\n")))
    assert check("-") == 0
    assert rows(capsys.readouterr().out)[1][:2] == ["ann@example.net", "valid"]


def test_a_state_file_answers_the_second_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("email\nann@example.net\n")
    words = ["--state", tmp_path / "run.db", "--json", tmp_path / "list.csv"]
    assert check(*words) == 0
    first = capsys.readouterr().out
    assert check(*words) == 0
    assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    "words",
    [
        ["--level", "smtp", "a@example.net"],
        ["--level", "smtp", "--helo", "localhost", "--mail-from", "me@sender.example.org", "a@b.net"],
        ["--level", "smtp", "--helo", "mx.sending.net", "--mail-from", "me@example.com", "a@b.net"],
    ],
)
def test_a_probe_without_a_proper_name_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", *words]) == 78
    assert capsys.readouterr().err


def test_lists_and_addresses_are_not_mixed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("ann@example.net", "nowhere.csv") == 64
    assert "nowhere.csv" in capsys.readouterr().err
    assert check(tmp_path / "nowhere.csv") == 65


def test_the_flags_are_the_callers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "throwaway").write_text("# ours\nthrow.example\n")
    assert check("--json", "--disposable", tmp_path / "throwaway", "a@throw.example", "postmaster@example.net") == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["disposable"], second["disposable"], second["role"]) == (True, False, True)
