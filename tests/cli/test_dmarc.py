"""`mailgate dmarc` as it is typed: what it prints, keeps, refuses, and with which exit status."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailgate.cli import _dmarc, main
from mailgate.dmarc import Rollup, RollupStore, rollup
from tests.support.dmarc_reports import mail, record, report, story, tls_report, zipped
from tests.support.documents import ROOT, environment

FIXTURES = ROOT / "fixtures" / "dmarc"
REPORTS = FIXTURES / "reports"
DMARC_KEYS = [
    "file", "kind", "org_name", "email", "report_id", "begin", "end", "domain", "policy", "records", "usable_records",
    "messages", "dmarc_pass", "dkim_aligned", "spf_aligned", "disposition", "reasons", "source_ips", "dkim_results",
    "defects",
]  # fmt: skip


def run(*words: object) -> int:
    return main(["dmarc", *map(str, words)])


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    for number, data in enumerate(story(days=6)):
        (folder / f"{number:02}.xml").write_bytes(data)
    (folder / "tls.json").write_bytes(tls_report(failure=2))
    (folder / "readme.txt").write_text("hello")
    return folder


# --- the rollup ------------------------------------------------------------------------------------------------------


def test_the_table_says_first_who_sends_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder) == 0
    out, err = capsys.readouterr()
    assert out.startswith("example.com: ")
    assert out.index("fails:") < out.index("sends most:") < out.index("policy: not enough evidence yet to leave p=none")
    assert "192.0.2.10" in out
    assert "TLS to example.com: 122 sessions, 98.4% over TLS, 2 failed" in out
    assert err == "1 input is no DMARC or TLS report\n"


def test_json_is_the_view(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["schema"], said["reports"], said["tls_reports"]) == ("mailgate.dmarc.view/1", 30, 1)


def test_csv_has_the_sources(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["domain"] for row in rows} == {"example.com"}
    assert "192.0.2.10" in {row["ip"] for row in rows}
    assert run(folder, "--csv", "--tls") == 0
    assert capsys.readouterr().out.splitlines()[1] == "example.com,2025-01-01,120,2,0.9836"


def test_html_is_written_whole_and_beside_the_table(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "dmarc.html"
    target.write_text("old")
    target.chmod(0o640)
    assert run(folder, "--html", target) == 0
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert target.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert capsys.readouterr().out.startswith("example.com: ")


def test_a_page_that_cannot_be_written_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "--html", tmp_path / "no" / "dmarc.html") == 78
    assert "cannot be written" in capsys.readouterr().err


def test_refused_reports_are_told_and_stop_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.xml").write_bytes(report([], org_name="CWRU"))
    assert run(folder) == 0
    out, err = capsys.readouterr()
    assert "bad.xml: refused: no_records" in err
    assert "refused: no_records 1" in out


def test_nothing_readable_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.xml").write_bytes(b"<feedback>")
    assert run(tmp_path / "x.xml") == 65
    assert run(tmp_path / "missing.xml") == 65
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--reports",),
        ("x", "--tls"),
        ("x", "--json", "--csv"),
        ("x", "--since", "yesterday"),
        ("x", "--top", "0"),
        ("--seal", "2025-01-01"),
    ],
)
def test_wrong_words_are_told(words: tuple[str, ...]) -> None:
    assert run(*words) == 64


def test_one_mail_on_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def said(data: bytes) -> int:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        return run("-", "--json")

    assert said(mail(gzip.compress(report([record(count=7)])))) == 0
    assert json.loads(capsys.readouterr().out)["domains"]["example.com"]["messages"] == 7
    assert said(b"Subject: hello\n\nhi") == 65


def test_mboxes_and_maildirs_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = mail(gzip.compress(report([record(count=1)], report_id="1"))).replace(b"\r\n", b"\n")
    second = mail(gzip.compress(report([record(count=2)], report_id="2"))).replace(b"\r\n", b"\n")
    separator = b"From a@b Thu Jan  2 03:04:05 2025\n"
    (tmp_path / "box").write_bytes(separator + first + b"\n" + separator + second)
    assert run(tmp_path / "box", "--json") == 0
    assert json.loads(capsys.readouterr().out)["reports"] == 2
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    (tmp_path / "Maildir" / "new" / "1.a").write_bytes(first)
    assert run(tmp_path / "Maildir", "--json") == 0
    assert json.loads(capsys.readouterr().out)["reports"] == 1


def test_jobs_give_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "--json") == 0
    alone = capsys.readouterr().out
    assert run(folder, "--json", "--jobs", "2") == 0
    assert capsys.readouterr().out == alone


# --- choices ---------------------------------------------------------------------------------------------------------


def test_domains_days_and_top(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "foreign.xml").write_bytes(report([record(count=9)], domain="other.example"))
    words = ("--domain", "example.com", "--since", "2025-01-02", "--until", "2025-01-03", "--top", "3", "--json")
    assert run(folder, *words) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["from"], said["to"], said["reports"]) == ("2025-01-02", "2025-01-03", 10)
    assert len(said["domains"]["example.com"]["sources"]) == 4
    assert run(folder, "--domain", "example.com") == 0
    assert "for other domains, not counted: 1 reports (other.example)" in capsys.readouterr().out


def test_trusted_reports_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = gzip.compress(report([record(count=5)], report_id="a"))
    results = "Authentication-Results: mx.example.com; dmarc=pass\r\n"
    (tmp_path / "good.eml").write_bytes(mail(packed, headers=results))
    (tmp_path / "bad.eml").write_bytes(mail(gzip.compress(report([record(count=500)], report_id="b"))))
    words = (tmp_path / "good.eml", tmp_path / "bad.eml", "--authserv-id", "mx.example.com", "--trusted-only", "--json")
    assert run(*words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["domains"]["example.com"]["messages"] == 5
    assert said["untrusted"] == {"example.com": {"reports": 1, "messages": 500}}


@pytest.mark.parametrize(
    "words",
    [
        ["--since", "2025-02-01", "--until", "2025-01-31"],
        ["--seal", "2025-01-01"],
        ["--reports", "--html", "page.html"],
        ["--reports", "--state", "state"],
        ["--reports", "--db", "mail.db"],
        ["--json", "--csv"],
    ],
)
def test_nothing_that_was_asked_for_is_silently_left_out(
    folder: Path, tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(folder, *words) == 64
    said = capsys.readouterr()
    assert (said.out, words[0] in said.err) == ("", True)


def test_a_page_is_never_written_over_what_is_read(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = tmp_path / "mail.db"
    assert run(folder, "--db", db) == 0
    report = next(path for path in sorted(folder.rglob("*")) if path.is_file())
    for words in (["--db", db, "--html", db], [report, "--html", report], ["--state", db, "--html", db]):
        before = (db.read_bytes(), report.read_bytes())
        assert run(*words) == 64
        assert (db.read_bytes(), report.read_bytes()) == before
        assert "would destroy it" in capsys.readouterr().err


def test_names_of_networks(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "networks"
    table.write_text("192.0.2.0/24 Our server\n")
    assert run(folder, "--networks", table) == 0
    assert "192.0.2.10 (Our server)" in capsys.readouterr().out
    assert run(folder, "--networks", tmp_path / "missing") == 78
    capsys.readouterr()
    for wrong in (b"nonsense", b"192.0.2.0/24 caf\xe9"):
        table.write_bytes(wrong)
        assert run(folder, "--networks", table) == 65
        assert str(table) in capsys.readouterr().err


def test_a_state_that_is_none_is_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state"
    for wrong in (b"nonsense", b"\xff"):
        state.write_bytes(wrong)
        assert run(folder, "--state", state) == 65
        assert state.read_bytes() == wrong
        assert str(state) in capsys.readouterr().err
    assert run(folder, "--state", tmp_path) == 78
    assert str(tmp_path) in capsys.readouterr().err


def test_own_and_foreign_networks_decide_readiness(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = tmp_path / "all"
    everything.write_text("0.0.0.0/0\n::/0\n")

    def codes(*words: object) -> set[str]:
        assert run(folder, "--json", *words) == 0
        found = json.loads(capsys.readouterr().out)["domains"]["example.com"]["readiness"]
        return {blocker["code"] for blocker in found["blockers"]}

    assert "failing_sources" in codes()
    assert "failing_sources" not in codes("--not-ours", everything)
    assert "failing_sources" in codes("--own", everything)


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_a_database_keeps_what_is_read(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "mail.db"
    assert run("--db", db) == 69
    assert not db.exists()
    assert run(folder, "--db", db, "--json") == 0
    first = capsys.readouterr().out
    assert run("--db", db, "--json") == 0
    assert capsys.readouterr().out == first
    assert run(folder, "--db", db, "--json") == 0
    assert capsys.readouterr().out == first
    assert RollupStore.open(db).load().to_json() == without_soft(rollup([folder])).to_json()
    assert run("--db", db, "--seal", "2025-01-04") == 0
    assert "16 reports are sums now" in capsys.readouterr().err
    assert len(RollupStore.open(db).load().contributions) == 15


def without_soft(total: Rollup) -> Rollup:
    """The command line does not keep what is no report at all."""
    total.refused = {source: r for source, r in total.refused.items() if r.error != "not_a_report"}
    return total


def test_a_state_file_adds_up(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state.json"
    (tmp_path / "one.xml").write_bytes(report([record(count=1_000)], report_id="one"))
    assert run(tmp_path / "one.xml", "--state", state) == 0
    assert run(folder, "--state", state, "--json") == 0
    capsys.readouterr()
    assert run("--state", state, "--json") == 0
    assert json.loads(capsys.readouterr().out)["reports"] == 31
    assert len(Rollup.from_json(state.read_text()).contributions) == 31
    assert run("--state", state, "--seal", "2025-01-03") == 0
    assert len(Rollup.from_json(state.read_text()).seals) == 1
    state.write_text("nonsense")
    assert run("--state", state) == 65


# --- one line a report -----------------------------------------------------------------------------------------------


def test_reports_as_json_lines_have_the_documented_shape(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.xml").write_bytes(report([record(count=7)]))
    (tmp_path / "b.zip").write_bytes(zipped({"1": report(report_id="1"), "2": b"<feedback>"}))
    (tmp_path / "c.json").write_bytes(tls_report(success=5))
    (tmp_path / "d.txt").write_bytes(b"hello")
    assert run("--reports", "--json", tmp_path, tmp_path / "missing") == 65
    out, err = capsys.readouterr()
    first, second, third, tls, fourth, missing = lines(out)
    assert list(first) == DMARC_KEYS
    assert (first["file"], first["messages"], first["begin"]) == (str(tmp_path / "a.xml"), 7, 1_735_689_600)
    assert (second["file"], second["report_id"]) == (str(tmp_path / "b.zip"), "1")
    assert third == {"file": str(tmp_path / "b.zip"), "error": "xml_not_wellformed"}
    assert (tls["kind"], tls["success"], tls["policies"]) == ("tlsrpt", 5, [["sts", "example.com", 5, 0]])
    assert fourth == {"file": str(tmp_path / "d.txt"), "error": "not_a_report"}
    assert missing == {"file": str(tmp_path / "missing"), "error": "unreadable"}
    assert "b.zip: 2: xml_not_wellformed: no element found" in err or "b.zip" in err


def test_reports_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--reports", REPORTS / "google.xml", REPORTS / "tls-2025-01-01.json") == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["file", "kind", "from", "for", "period", "messages", "passed", "defects"]
    assert "google.com" in out[2]
    assert "tlsrpt" in out[3]


@pytest.mark.parametrize("shape", ["table", "reports", "csv"])
def test_hostile_text_does_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shape: str
) -> None:
    text = "a&#8238;b&#x9b;c&#10;d"
    data = report([record(header_from=text, dkim="fail", spf="fail", dkims=((text, text, "pass"),))], org_name=text)
    (tmp_path / "x.xml").write_bytes(data)
    words = {"table": (), "reports": ("--reports",), "csv": ("--csv",)}[shape]
    assert run(tmp_path / "x.xml", *words) == 0
    out = capsys.readouterr().out
    assert out.replace("\r\n", "").replace("\n", "").isprintable()
    assert all(len(line) < 400 for line in out.splitlines())


# --- the module, the help --------------------------------------------------------------------------------------------


def test_the_room_is_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mailgate.dmarc", "--reports", "--json", str(REPORTS / "google.xml")],
        env=environment(ROOT),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["org_name"] == "google.com"


def test_every_option_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    out = capsys.readouterr().out
    assert all(example in out for example in _dmarc.EXAMPLES)
