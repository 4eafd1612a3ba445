"""`mailgate validate`: lists in, the same rows and what is known about them out."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from mailgate.cli import main
from tests.support.dns_world import SERVFAIL, DnsWorld, InThread
from tests.support.smtp_world import Greylisting, Persona, SmtpWorld, knows

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
        ("email,name\nann@example.net,Änn\n".encode("utf-16-le"), ",", ["ann@example.net", "Änn"]),
        ("email,name\nann@example.net,Änn\n".encode("utf-16-be"), ",", ["ann@example.net", "Änn"]),
        (b"name,email,x\na,b,c,d\ne\nann,ann@example.net,1,2,3\n", ",", ["ann", "ann@example.net", "1", "2", "3"]),
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
        (["--column", "z"], 64, "list.csv: no column 'z'; there are 'a', 'B'"),
        ([], 64, "list.csv: which column holds the address? Name it with --column; there are 'a', 'B'"),
    ],
)
def test_a_column_that_cannot_be_found_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, says: str
) -> None:
    (tmp_path / "list.csv").write_text("a,B\nc,d\n")
    assert check(*words, tmp_path / "list.csv") == status
    assert says in capsys.readouterr().err
    (tmp_path / "list.csv").write_text("1,ann@example.net\n2,bob@example.net\n")
    assert check("--column", "email", tmp_path / "list.csv") == 64
    assert "it has no header; name one by its number, 1 to 2" in capsys.readouterr().err


def test_a_list_without_a_header_gets_numbers_for_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each result column stands under its name."""
    (tmp_path / "list.csv").write_text("1,ann@example.net,x\n2,bob,y\n")
    assert check(tmp_path / "list.csv") == 0
    header, first, _ = rows(capsys.readouterr().out)
    assert header == ["column 1", "column 2", "column 3", *RESULT]
    assert dict(zip(header, first, strict=True))["reason"] == "syntax_ok"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00", "save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as CSV"),
        (b"\x1f\x8b\x08\x00", "unpack it"),
        (b"%PDF-1.7\n", "as text"),
        (b"SQLite format 3\x00", "export"),
        (bytes(range(256)) * 8, "bytes that no text has"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, says: str) -> None:
    (tmp_path / "list").write_bytes(data)
    assert check(tmp_path / "list") == 65
    printed = capsys.readouterr()
    assert printed.out == ""
    assert says in printed.err
    assert str(tmp_path / "list") in printed.err


def test_a_stray_control_character_is_the_fault_of_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list").write_bytes(b"email\nann@exa\0mple.net\nbob@example.net\nzoe@example.net\n")
    assert check(tmp_path / "list") == 0
    assert [row[1] for row in rows(capsys.readouterr().out)[1:]] == ["invalid", "valid", "valid"]


def test_rows_that_a_quote_swallowed_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text('name,email\nZoe,zoe@example.net\n"Ann,ann@example.net\nBob,bob@example.net\n')
    assert check(tmp_path / "list.csv") == 0
    assert "list.csv, line 3: a quoted field holds whole rows" in capsys.readouterr().err
    (tmp_path / "list.csv").write_text('name,email,note\nAnn,ann@example.net,"call me\nor mail@example.com"\n')
    assert check(tmp_path / "list.csv") == 0
    assert "quote" not in capsys.readouterr().err


def test_rows_that_are_too_wide_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("name,email\nann,ann@example.net\nbob,bob@example.net,more\n")
    assert check(tmp_path / "list.csv") == 0
    assert "1 row has more fields" in capsys.readouterr().err


def test_the_list_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("email\nann@example.net\n")
    assert check("--output", tmp_path / "list.csv", tmp_path / "list.csv") == 64
    assert "is the list itself" in capsys.readouterr().err
    assert (tmp_path / "list.csv").read_text() == "email\nann@example.net\n"


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["ann"], 65, "ann is neither a file nor an address"),
        (["."], 65, ". is a directory"),
        (["--state", "/nonexistent/run.db", "-"], 78, "state file"),
        (["--disposable", "/nonexistent", "-"], 78, "/nonexistent: no such file"),
        (["--level", "dns", "--resolver", "dns.example", "-"], 64, "--resolver is an IP address"),
        (["--level", "dns", "--resolver", "127.0.0.1:0", "-"], 64, "not a port"),
        (["--only", "good", "-"], 64, "--only knows"),
        (["--command-timeout", "0", "-"], 78, "--command-timeout must be above 0"),
        (["--pace", "-1", "-"], 78, "--pace must not be below 0"),
        (["--port", "99999", "-"], 78, "--port is from 1 to 65535"),
        (["--per-mx", "0", "-"], 78, "--per-mx must be at least 1"),
        (["--source-ip", "here", "-"], 78, "--source-ip is no IP address"),
        (["--greylist-delay", "-3", "-"], 78, "--greylist-delay must not be below 0"),
        (["--output", "/nonexistent/x", "-"], 78, "/nonexistent/x"),
    ],
)
def test_mistakes_are_named_and_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], status: int, says: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"ann@example.net\n")))
    assert check(*words) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert says in printed.err


def test_what_we_add_is_no_formula_and_what_was_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("email,note\n=cmd@example.net,=1+1\n")
    assert check(tmp_path / "list.csv") == 0
    row = rows(capsys.readouterr().out)[1]
    assert row[:2] == ["=cmd@example.net", "=1+1"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row[2:])


def test_redact_leaves_no_mailbox_anywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("email,name\nann@gmial.com,mailto:ann@gmial.com\n")
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
    verdicts = []
    for _ in range(2):
        assert check(*words) == 0
        record = json.loads(capsys.readouterr().out)
        verdicts.append({name: record[name] for name in record if name != "checked_at"})
    assert verdicts[0] == verdicts[1]


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


# --- rows -------------------------------------------------------------------------------------------------------------


def test_only_some_rows_and_nothing_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = 'id;email;note\r\n1;ann@example.net;"a ""quoted"" word"\r\n2;broken;x\r\n3;"bob@example.net";=1\r\n'
    (tmp_path / "list.csv").write_bytes(data.encode())
    assert check("--only", "send", "--bare", tmp_path / "list.csv") == 0
    found = capsys.readouterr()
    assert found.out.splitlines() == ["id;email;note", '1;ann@example.net;"a ""quoted"" word"', "3;bob@example.net;=1"]
    assert "3 addresses: 1 invalid, 2 valid; 2 rows written" in found.err
    assert check("--only", "invalid,unknown", "--json", tmp_path / "list.csv") == 0
    assert [json.loads(line)["input"] for line in capsys.readouterr().out.splitlines()] == ["broken"]
    assert check("--only", "sent", tmp_path / "list.csv") == 64
    assert "not sent" in capsys.readouterr().err


def test_a_plain_list_stays_a_plain_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Addresses with commas and quotes in it do not make it a CSV, and none of them is changed."""
    lines = ['"a,b"@example.net', "ann@example.net", "a;b@example.net", "bob@example.net", "x,y", 'o"c@example.net']
    (tmp_path / "list").write_text("\n".join(lines) + "\n")
    assert check("--json", "--allow-quoted-local", tmp_path / "list") == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["input"] for record in records] == lines
    assert [record["status"] == "valid" for record in records] == [True, True, False, True, False, False]
    assert check("--only", "valid", "--bare", "--allow-quoted-local", tmp_path / "list") == 0
    assert capsys.readouterr().out.splitlines() == ['"a,b"@example.net', "ann@example.net", "bob@example.net"]


def test_the_column_is_found_by_its_at_signs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("who,where\nAnn,ann@example.net\nBob,bob@example.net\n")
    assert check(tmp_path / "list.csv") == 0
    assert [row[2] for row in rows(capsys.readouterr().out)[1:]] == ["valid", "valid"]


def test_bytes_of_another_encoding_come_through(tmp_path: Path) -> None:
    """Far behind the beginning a row is not UTF-8: it is carried along, byte for byte."""
    filler = b"ann@example.net,\xc3\xa4\n" * 5_000
    (tmp_path / "list.csv").write_bytes(b"email,name\n" + filler + b"bob@example.net,caf\xe9\n")
    assert check("--output", tmp_path / "out.csv", tmp_path / "list.csv") == 0
    last = (tmp_path / "out.csv").read_bytes().splitlines()[-1]
    assert last.startswith(b"bob@example.net,caf\xe9,valid")


def test_a_quote_that_is_never_closed_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rest = "".join(f"u{i}@example.net,x\n" for i in range(80_000))
    (tmp_path / "list.csv").write_text('email,name\nann@example.net,x\nbob@example.net,"open\n' + rest)
    assert check(tmp_path / "list.csv") == 65
    assert "quote" in capsys.readouterr().err


@pytest.mark.parametrize("data", [b"", b"\n\n", b"email\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_lists_with_nothing_in_them(tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes) -> None:
    (tmp_path / "list").write_bytes(data)
    assert check(tmp_path / "list") == 0
    assert "0 addresses: the list is empty" in capsys.readouterr().err


def test_every_form_can_be_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    forms = ['"a b"@example.net', "a@[192.0.2.1]", "a@localhost"]
    assert check("--json", *forms, "jörg@example.net") == 0
    before = [json.loads(line)["reason"] for line in capsys.readouterr().out.splitlines()]
    assert before == ["quoted_local", "address_literal", "dotless_domain", "syntax_ok"]
    words = ["--allow-quoted-local", "--allow-address-literal", "--allow-dotless", "--no-smtputf8"]
    assert check("--json", *words, *forms, "jörg@example.net") == 0
    after = [json.loads(line)["reason"] for line in capsys.readouterr().out.splitlines()]
    assert after == ["syntax_ok"] * 3 + ["smtputf8_local"]


def test_control_characters_of_a_server_reach_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with World({"evil.test": Persona(rcpt=lambda c, r: "550 5.1.1 \x1b[31m=cmd\x07 no such user")}) as world:
        assert world.check("evil@evil.test") == 0
        assert "\x1b" not in capsys.readouterr().out
        path = world.list("evil@evil.test")
        assert world.check(path) == 0
        assert "\x1b" not in capsys.readouterr().out


# --- with servers -----------------------------------------------------------------------------------------------------


class World(InThread):
    """Domains with a mail host each, behind a DNS server; `check` runs the verb against them."""

    def __init__(self, personas: dict[str, Persona], zone: dict[str, Any] | None = None) -> None:
        by_address, records = {}, dict(zone or {})
        for number, (domain, persona) in enumerate(personas.items(), 2):
            address = f"127.50.0.{number}"
            by_address[address] = persona
            records[domain] = {"MX": [f"10 mx.{domain}"]}
            records[f"mx.{domain}"] = {"A": [address]}
        self.smtp = SmtpWorld(by_address)
        self.dns = DnsWorld(records)
        self.folder = Path(tempfile.mkdtemp())
        super().__init__(self.smtp, self.dns)

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        shutil.rmtree(self.folder)

    def words(self, *words: object) -> list[str]:
        return [
            "validate", "--level", "smtp", "--helo", "probe.sender.test", "--mail-from", "probe@sender.test",
            "--resolver", f"{self.dns.host}:{self.dns.port}", "--port", str(self.smtp.port), "--allow-private",
            "--allow-special-use", "test", "--pace", "0", "--rest", "0.05", "--greylist-delay", "0.1",
            "--command-timeout", "2", *map(str, words),
        ]  # fmt: skip

    def check(self, *words: object) -> int:
        return main(self.words(*words))

    def list(self, *addresses: str) -> Path:
        path = self.folder / "list"
        path.write_text("\n".join(addresses) + "\n")
        return path


def records_of(out: str) -> dict[str, tuple[str, str]]:
    return {r["input"]: (r["status"], r["reason"]) for r in map(json.loads, out.splitlines())}


def test_a_list_through_dns_and_smtp(capsys: pytest.CaptureFixture[str]) -> None:
    personas = {
        "normal.test": Persona(rcpt=knows("ann")),
        "all.test": Persona(),
        "grey.test": Persona(rcpt=Greylisting(knows("ann"), 0.05)),
        "blocked.test": Persona(banner="554 5.7.1 Client host [192.0.2.25] blocked using zen.spamhaus.org"),
    }
    with World(personas, {"null.test": {"MX": ["0 ."]}, "broken.test": SERVFAIL}) as world:
        path = world.list("ann@normal.test", "zoe@normal.test", "x@all.test", "zoe@grey.test", "a@blocked.test")
        with path.open("a") as file:
            file.write("a@null.test\na@gone.test\na@broken.test\nnobody\n")
        assert world.check("--json", path) == 0
        expected = {
            "ann@normal.test": ("valid", "accepted"),
            "zoe@normal.test": ("invalid", "mailbox_not_found"),
            "x@all.test": ("catch_all", "accepted"),
            "zoe@grey.test": ("invalid", "mailbox_not_found"),
            "a@blocked.test": ("unknown", "blocked"),
            "a@null.test": ("invalid", "null_mx"),
            "a@gone.test": ("invalid", "domain_not_found"),
            "a@broken.test": ("unknown", "dns_error"),
            "nobody": ("invalid", "no_at_sign"),
        }
        first = capsys.readouterr().out
        assert records_of(first) == expected
        assert list(records_of(first)) == list(expected), "in the order of the list"
        assert world.check("--json", "--unordered", path) == 0
        assert records_of(capsys.readouterr().out) == expected
        # Single addresses are not waited for, unless one says so.
        assert world.check("--json", "zoe@grey.test") == 0
        assert records_of(capsys.readouterr().out) == {"zoe@grey.test": ("invalid", "mailbox_not_found")}
        assert world.check("--json", "eve@grey.test") == 0
        assert records_of(capsys.readouterr().out) == {"eve@grey.test": ("unknown", "greylisted")}


def test_words_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    with World({"normal.test": Persona(rcpt=knows("ann"))}) as world:
        assert world.check("zoe@normal.test") == 0
    out = capsys.readouterr().out
    assert out.startswith("zoe@normal.test: invalid: mailbox not found (mx.normal.test said: 550 5.1.1")


def test_a_state_file_saves_the_questions(capsys: pytest.CaptureFixture[str]) -> None:
    with World({"normal.test": Persona(rcpt=knows("ann"))}) as world:
        words = ["--state", world.folder / "run.db", "--json", world.list("ann@normal.test", "zoe@normal.test")]
        assert world.check(*words) == 0
        first, asked = capsys.readouterr().out, len(world.smtp.log)
        assert world.check(*words) == 0
        assert capsys.readouterr().out == first
        assert len(world.smtp.log) == asked
        (world.folder / "not.db").write_text("x" * 5_000)
        assert world.check("--state", world.folder / "not.db", "ann@normal.test") == 78


def test_a_resolver_that_does_not_answer_ends_with_69(capsys: pytest.CaptureFixture[str]) -> None:
    with World({}, {"a.test": SERVFAIL, "b.test": SERVFAIL}) as world:
        assert world.check(world.list("x@a.test", "x@b.test")) == 69
        printed = capsys.readouterr()
        assert [row[1] for row in rows(printed.out)[1:]] == ["unknown", "unknown"]
        assert "--doctor" in printed.err
        assert world.check("x@a.test") == 0
        assert "--doctor" in capsys.readouterr().err
        assert world.check(world.list("x@a.test", "x@b.test", "x@gone.test")) == 0


def test_the_system_s_resolver_is_doubted_once() -> None:
    """Without a way out some deny every name at once: that is no verdict about anybody."""
    from mailgate.cli._validate_dns import Doubting
    from mailgate.records import LookupStatus
    from mailgate.resolver import StaticResolver

    async def ask(zone: dict[str, Any]) -> list[LookupStatus]:
        resolve = Doubting(StaticResolver(zone))
        return [(await resolve(name, "MX")).status for name in ("gone.example", "d.example", "gone.example")]

    mail = {"d.example": {"MX": ["10 mx.d.example"]}}
    known = {**mail, "com": {"NS": ["a.gtld-servers.net"]}}
    assert asyncio.run(ask(known)) == [LookupStatus.NXDOMAIN, LookupStatus.FOUND, LookupStatus.NXDOMAIN]
    assert asyncio.run(ask(mail)) == [LookupStatus.TEMPFAIL, LookupStatus.FOUND, LookupStatus.TEMPFAIL]


def test_port_25_that_is_closed_ends_with_69(capsys: pytest.CaptureFixture[str]) -> None:
    zone = {f"d{i}.example": {"MX": [f"10 mx.d{i}.example"]} for i in range(30)}
    zone |= {f"mx.d{i}.example": {"A": [f"127.51.0.{i + 1}"]} for i in range(30)}
    with World({"there.test": Persona()}, zone) as world:
        assert world.check("--json", world.list(*(f"a@d{i}.example" for i in range(30)))) == 69
    found = capsys.readouterr()
    assert set(records_of(found.out).values()) == {("unknown", "port25_blocked")}
    assert "--doctor" in found.err


def test_a_pipe_that_is_slow_gets_its_answers_at_once() -> None:
    """The first line is answered while the writer still thinks about the second."""
    with World({"normal.test": Persona(rcpt=knows("ann"))}) as world:
        command = [sys.executable, "-u", "-m", "mailgate.validator", *world.words("--json", "-")[1:]]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for local, status in (("ann", "valid"), ("zoe", "invalid")):
                process.stdin.write(f"{local}@normal.test\n".encode())
                process.stdin.flush()
                assert json.loads(process.stdout.readline())["status"] == status
            process.stdin.close()
            assert process.wait() == 0


def test_interrupted_while_a_pipe_is_open_it_says_goodbye_and_ends() -> None:
    with World({"slow.test": Persona(rcpt=knows("ann"), delay_seconds=0.05)}) as world:
        command = [sys.executable, "-u", "-m", "mailgate.validator", *world.words("--json", "-")[1:]]
        # A script's background job ignores Ctrl-C, and so do its children; a terminal's job does not.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        finally:
            signal.signal(signal.SIGINT, before)
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("".join(f"u{i}@slow.test\n" for i in range(100)).encode())
            process.stdin.flush()
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 130
            process.stdin.close()
        assert world.smtp.log
        assert all(dialogue.verbs[-1] == "QUIT" for dialogue in world.smtp.log if dialogue.replies)


def test_before_a_send_together_with_the_suppression_list(tmp_path: Path) -> None:
    """One pipe: rows as they came, without the dead ones, without the suppressed ones."""
    (tmp_path / "list.csv").write_text("id,email\n1,ann@example.net\n2,broken\n3,bob@example.net\n4,Cid@Example.net\n")
    assert main(["suppress", "add", "--db", str(tmp_path / "mail.db"), "bob@example.net"]) == 0
    validate = f"'{sys.executable}' -m mailgate.validator --level syntax --only send --bare list.csv"
    suppress = f"'{sys.executable}' -m mailgate.suppression filter --db mail.db"
    done = subprocess.run(
        f"{validate} | {suppress}", shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["id,email", "1,ann@example.net", "4,Cid@Example.net"]


# --- the doctor -------------------------------------------------------------------------------------------------------

DOCTOR_ZONE: dict[str, Any] = {
    "probe.sender.test": {"A": ["127.0.0.1"]},
    "1.0.0.127.in-addr.arpa": {"PTR": ["probe.sender.test"]},
    "wrong.sender.test": {"A": ["127.0.0.77"]},
    "com": {"NS": ["a.gtld-servers.net"]},
}


def doctor(world: World, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    status = world.check("--doctor", "--json", *words)
    return status, {r["check"].split()[0]: r for r in map(json.loads, capsys.readouterr().out.splitlines())}


def test_the_doctor_when_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    with World({"greeter.test": Persona()}, DOCTOR_ZONE) as world:
        status, found = doctor(world, capsys, "--doctor-host", "mx.greeter.test")
        assert status == 0
        assert all(finding["ok"] for finding in found.values())
        assert set(found) == {"resolver", "port", "HELO"}
        (dialogue,) = world.smtp.log
        assert dialogue.verbs == ["EHLO", "QUIT"], "nobody is asked about"
        assert world.check("--doctor", "--doctor-host", "mx.greeter.test") == 0
        assert "forward and reverse DNS agree" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("personas", "zone", "words", "status", "check_name", "says"),
    [
        ({"greeter.test": Persona()}, DOCTOR_ZONE, ["--doctor-host", "127.52.0.1"], 69, "port", "closed"),
        (
            {"greeter.test": Persona(banner="554 5.7.1 go away")},
            DOCTOR_ZONE,
            ["--doctor-host", "mx.greeter.test"],
            69,
            "port",
            "refused",
        ),
        ({"greeter.test": Persona()}, {}, ["--doctor-host", "mx.greeter.test"], 78, "HELO", "no address"),
        (
            {"greeter.test": Persona()},
            {"probe.sender.test": {"A": ["127.0.0.1"]}, "1.0.0.127.in-addr.arpa": {"PTR": ["other.test"]}},
            ["--doctor-host", "mx.greeter.test"],
            78,
            "HELO",
            "PTR",
        ),
        (
            {"greeter.test": Persona()},
            {"mailgate-doctor.invalid": {"A": ["127.0.0.1"]}},
            ["--doctor-host", "mx.greeter.test"],
            69,
            "resolver",
            "mailgate-doctor.invalid",
        ),
        (
            {"greeter.test": Persona(ehlo_reply="250 mx at your service, [8.8.8.8]")},
            DOCTOR_ZONE,
            ["--doctor-host", "mx.greeter.test"],
            78,
            "HELO",
            "we come from 8.8.8.8",
        ),
    ],
)
def test_what_the_doctor_finds(
    capsys: pytest.CaptureFixture[str],
    personas: dict[str, Persona],
    zone: dict[str, Any],
    words: list[str],
    status: int,
    check_name: str,
    says: str,
) -> None:
    with World(personas, zone) as world:
        found_status, found = doctor(world, capsys, *words)
    assert found_status == status
    assert not found[check_name]["ok"]
    assert says in found[check_name]["result"]


def test_the_doctor_asks_for_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    with World({"greeter.test": Persona()}, DOCTOR_ZONE) as world:
        resolver = f"{world.dns.host}:{world.dns.port}"
        words = ["--doctor", "--doctor-host", "mx.greeter.test", "--port", str(world.smtp.port), "--resolver", resolver]
        assert main(["validate", *words]) == 78
    assert "--helo NAME" in capsys.readouterr().out


def test_the_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(__file__).parents[2] / "examples" / "validate_list.py"
    said = runpy.run_path(str(path), run_name="__main__")["__doc__"].partition("Prints:\n")[2]
    assert capsys.readouterr().out.splitlines() == [line.strip() for line in said.splitlines()]
