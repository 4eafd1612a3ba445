"""`mailgate track sign|rewrite|serve|stats`."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailgate.cli import main
from mailgate.engagement import LinkSigner, read_events, rewrite_message
from mailgate.records import KeyRing
from mailgate.suppression import SuppressionStore
from mailgate.unsubscribe import Subscription, UnsubscribeLinks
from tests.support.documents import ROOT, environment

FIXTURES = ROOT / "fixtures" / "engagement"
NEWSLETTER = FIXTURES / "newsletter.eml"
EVENTS = FIXTURES / "events.jsonl"
SECRET = "4f1de2d7c1a6b09f31b2c3d4e5f60718"
BASE = "https://t.example/"
SIGNER = LinkSigner(KeyRing.of(SECRET), BASE)


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "mailgate.keys"
    path.write_text(f"0 {SECRET}\n")
    path.chmod(0o600)
    return str(path)


def sign(key_file: str, *words: str) -> int:
    return main(["track", "sign", "--key-file", key_file, "--base-url", BASE, *words])


def rewrite(key_file: str, *words: str) -> int:
    return main(["track", "rewrite", "--key-file", key_file, "--base-url", BASE, *words])


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_sign(key_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--message", "m", "--recipient", "r", "--stream", "s", "--tenant", "t", "--open", "https://e.example/?a=1")
    assert sign(key_file, *words) == 0
    pixel, link = capsys.readouterr().out.splitlines()
    for url, purpose, target in ((pixel, "open", ""), (link, "click", "https://e.example/?a=1")):
        found = SIGNER.token_of(url)
        assert found is not None
        claims = SIGNER.verify(*found)
        assert (claims.purpose, claims.url) == (purpose, target)
        assert (claims.message_id, claims.recipient_id, claims.stream, claims.tenant) == ("m", "r", "s", "t")


def test_an_address_becomes_an_opaque_id(key_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sign(key_file, "--recipient", "Ann@e.example", "--json", "https://e.example/") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["url"] == "https://e.example/"
    claims = SIGNER.verify(*SIGNER.token_of(record["tracked_url"]) or ("", ""))
    assert claims.recipient_id == SIGNER.recipient_id_of("ann@e.example")


def test_urls_from_stdin(key_file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("https://e.example/1\n\n https://e.example/2 \njavascript:x\n"))
    assert sign(key_file, "-") == 65
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert "javascript:x" in err


def test_bad_lines_of_stdin_are_numbered(
    key_file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("https://e.example/\n\nftp://e.example/\n"))
    assert sign(key_file, "-") == 65
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert "line 3: " in err
    assert "absolute http:// or https:// URL [not_http]" in err


def test_what_a_sender_should_know_is_said(
    key_file: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    page, mail = tmp_path / "page.html", tmp_path / "mail.eml"
    page.write_text("<a href='https://e.example/{{x}}'>x</a><a href='http://'>y</a><!-- z")
    mail.write_text("Content-Type: text/html; charset=utf-7\n\n<a href='https://e.example/'>x</a>")
    options = ("--key-file", key_file, "--base-url", BASE, "-o", str(tmp_path / "out"))
    assert main(["track", "rewrite", *options, "--html", str(page)]) == 0
    err = capfdbinary.readouterr().err.decode()
    assert [line.rpartition(" ")[2] for line in err.splitlines()] == ["[no_host]", "[placeholders]", "[unclosed]"]
    assert main(["track", "rewrite", *options, str(mail)]) == 0
    assert b"part 1 (text/html) is left alone: its charset" in capfdbinary.readouterr().err
    assert (tmp_path / "out").read_bytes() == mail.read_bytes()


def test_unsafe_urls_are_named(key_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sign(key_file, "--json", "https://e.example/\x1b[31m", "https://e.example/") == 65
    out, err = capsys.readouterr()
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows[0]["error"] == "control"
    assert "tracked_url" in rows[1]
    assert "\x1b" not in out + err


def test_read(key_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    link = SIGNER.click_url("https://e.example/", message_id="m", recipient_id="r", link_index=0, issued=0)
    assert sign(key_file, "--read", link + "?utm=1") == 0
    out = capsys.readouterr().out
    assert "url: https://e.example/" in out
    assert "issued_at: 1970-01-01T00:00:00+00:00" in out
    assert "link_index: 0" in out
    assert "trap" not in out
    assert sign(key_file, "--read", "--json", link, link[:-1], "https://e.example/", "https://t.example/c/x") == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0]["url"] == "https://e.example/"
    assert [row.get("error") for row in rows] == [None, "invalid", "invalid", "invalid"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["sign", "https://e.example/", "--base-url", BASE], 64, "--key-file"),
        (["sign", "--key-file", "none", "--base-url", BASE, "https://e.example/"], 78, "no such file"),
        (["sign", "--key-file", "KEYS", "--base-url", BASE], 64, "give a URL"),
        (["sign", "--key-file", "KEYS", "--base-url", "nonsense", "https://e.example/"], 64, "not a base URL"),
        (
            ["sign", "--key-file", "KEYS", "--base-url", BASE, "--message", "a\nb", "https://e.example/"],
            64,
            "message_id",
        ),
        (["rewrite", "--key-file", "KEYS", "--base-url", BASE, "no-such-file"], 65, "no such file"),
        (
            ["rewrite", "--key-file", "KEYS", "--base-url", BASE, "--trap", "javascript:x", str(NEWSLETTER)],
            64,
            "not_http",
        ),
        (
            ["rewrite", "--key-file", "KEYS", "--base-url", BASE, str(NEWSLETTER), "-o", "no/such/folder"],
            69,
            "no such file",
        ),
        (["stats", "no-such-file"], 65, "no such file"),
        (["stats", str(EVENTS), "--since", "yesterday"], 64, "not a day"),
        (["stats", str(EVENTS), "--by", "nonsense"], 64, "--by"),
        (["serve", "--key-file", "KEYS", "--base-url", BASE], 64, "--db"),
        (
            ["serve", "--key-file", "KEYS", "--base-url", BASE, "--db", "x", "--trusted-proxy", "nonsense"],
            64,
            "nonsense",
        ),
        (["serve", "--key-file", "KEYS", "--base-url", BASE, "--db", "x", "--port", "99999999"], 64, "port"),
        (["serve", "--key-file", "KEYS", "--base-url", BASE, "--db", "no/folder"], 69, "no/folder: unable to open"),
        (["serve", "--key-file", "KEYS", "--base-url", BASE, "--db", "KEYS"], 69, "not a database"),
        (["serve", "--key-file", "KEYS", "--base-url", BASE, "--json-lines", "no/folder"], 69, "no/folder: no such"),
        (["sign", "--key-file", "KEYS", "--base-url", BASE, "--read"], 64, "give a tracked link"),
        (["sign", "--key-file", "KEYS", "--base-url", BASE, "--recipient", "a@", "https://e.example/"], 64, "--recip"),
        (["rewrite", "--key-file", "KEYS", "--base-url", BASE, "--charset", "x-y", str(NEWSLETTER)], 64, "--charset"),
        (["stats", str(EVENTS), "--since", "2026-11-02", "--until", "2026-11-01"], 64, "is before --since"),
        ([], 64, "sign|rewrite|serve|stats"),
    ],
)
def test_what_is_wrong_is_said(
    key_file: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    status: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["track", *(key_file if word == "KEYS" else word for word in words)]) == status
    assert said.lower() in capsys.readouterr().err.lower()


def test_rewrite(key_file: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert rewrite(key_file, "--message", "m", "--recipient", "r", str(NEWSLETTER)) == 0
    out = capfdbinary.readouterr().out
    raw = NEWSLETTER.read_bytes()
    links = SIGNER.for_message(message_id="m", recipient_id="r")
    assert len(out) == len(rewrite_message(raw, links).message)
    assert out.startswith(raw[: raw.index(b"<p>Dear")])
    assert b"https://t.exam" in out
    assert out.count(b"/o/") + out.count(b"/o=") >= 1


def test_rewrite_as_a_filter(
    key_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    stdin(monkeypatch, NEWSLETTER.read_bytes())
    target = tmp_path / "out.eml"
    assert rewrite(key_file, "-o", str(target)) == 0
    assert capfdbinary.readouterr().out == b""
    assert b"https://t.exam" in target.read_bytes()


def test_options_of_rewrite(key_file: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    def report(*words: str) -> Any:
        assert rewrite(key_file, "--json", *words, str(NEWSLETTER)) == 0
        return json.loads(capfdbinary.readouterr().out)["parts"]

    plain, html, attached = report()
    assert (plain["skipped"], html["skipped"], attached["skipped"]) == ("policy", None, "attachment")
    assert html["pixel"]
    assert sum(link["skipped"] is None for link in html["links"]) == 4
    assert report("--plain-text")[0]["skipped"] is None
    assert not report("--pixel", "none")[1]["pixel"]
    assert all(link["skipped"] for link in report("--skip-host", "shop.example")[1]["links"])
    assert rewrite(key_file, "--trap", "https://shop.example/trap", str(NEWSLETTER)) == 0
    assert b"aria-hidden" in capfdbinary.readouterr().out.replace(b"=\r\n", b"")
    document = tmp_path / "page.html"
    document.write_bytes("<a href='https://e.example/ä'>unsubscribe</a>".encode("latin-1"))
    assert rewrite(key_file, "--html", "--charset", "latin-1", str(document)) == 0
    assert capfdbinary.readouterr().out.startswith(b"<a href='https://t.example/c/")
    assert rewrite(key_file, "--html", "--skip-unsubscribe", "--pixel", "none", str(document)) == 0
    assert capfdbinary.readouterr().out == document.read_bytes()


def test_a_signed_message_is_refused_unless_forced(
    key_file: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = tmp_path / "signed.eml"
    path.write_bytes(b"DKIM-Signature: v=1; b=x\r\n" + NEWSLETTER.read_bytes())
    assert rewrite(key_file, str(path)) == 65
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert b"before it is signed" in err
    assert rewrite(key_file, "--force", str(path)) == 0


def test_stats_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["track", "stats", str(EVENTS)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:5] == ["message", "opens", "people", "unclear", "incl."]
    assert lines[-1].startswith("total")
    assert [line.split()[0] for line in lines[2:4]] == ["2026-11-b", "2026-11-a"]


@pytest.mark.parametrize("group", ["message", "stream", "link", "day"])
def test_stats_by(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["track", "stats", "--by", group, str(EVENTS)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(group)
    assert ("total" in lines[-1]) is (group != "link")


def test_stats_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["track", "stats", "--json", str(EVENTS)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0]["group"] == "total"
    assert {row["group"] for row in rows} == {"total", "message", "stream", "link", "day"}
    total = rows[0]["clicks"]
    assert total["unique"] + total["machines"] == total["with_machines"]
    assert sum(row["opens"]["requests"] for row in rows if row["group"] == "day") == rows[0]["opens"]["requests"]


def test_stats_of_some_days(capsys: pytest.CaptureFixture[str]) -> None:
    def requests(*words: str) -> int:
        assert main(["track", "stats", "--json", *words, str(EVENTS)]) == 0
        return int(json.loads(capsys.readouterr().out.splitlines()[0])["events"])

    days = sorted({event.at.date() for event in read_events(EVENTS)})
    everything = requests()
    first = requests("--until", days[0].isoformat())
    rest = requests("--since", days[1].isoformat())
    assert 0 < first < everything
    assert first + rest == everything


def test_stats_as_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page.html"
    assert main(["track", "stats", "--html", str(path), "--title", "Two <weeks>", str(EVENTS)]) == 0
    assert capsys.readouterr().out == ""
    page = path.read_text("utf-8")
    assert "<title>Two &lt;weeks&gt;</title>" in page
    assert "https://shop.example/sale" in page


def test_stats_of_several_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = EVENTS.read_bytes().splitlines(keepends=True)
    (tmp_path / "a").write_bytes(b"".join(lines[::2]))
    (tmp_path / "b").write_bytes(b"".join(lines[1::2]) + b"not an event\n")
    assert main(["track", "stats", "--json", str(EVENTS)]) == 0
    whole = capsys.readouterr().out
    assert main(["track", "stats", "--json", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    out, err = capsys.readouterr()
    assert sorted(out.splitlines()[1:]) == sorted(whole.splitlines()[1:])
    assert re.search(r"/b:\d+: no event, passed over$", err.strip())


def test_stats_of_something_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("hello\nworld\n")
    assert main(["track", "stats", str(tmp_path / "text")]) == 65
    out, err = capsys.readouterr()
    assert out == ""
    assert "text:1: no event, passed over, like 1 more" in err
    assert "mailgate track serve" in err
    SuppressionStore.open(str(tmp_path / "list.db")).close()
    assert main(["track", "stats", str(tmp_path / "list.db")]) == 65
    assert "no such table" in capsys.readouterr().err


@contextlib.contextmanager
def serving(home: Path, *words: str) -> Iterator[tuple[int, list[str]]]:
    """(the port, the lines said so far) of `track serve` in a process of its own, ended by SIGTERM."""
    command = [sys.executable, "-m", "mailgate", "track", "serve", "--port", "0", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment(home))
    assert process.stderr is not None
    said: list[str] = []
    try:
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found is not None, line + process.stderr.read()
        yield int(found[1]), said
    finally:
        process.send_signal(signal.SIGTERM)
        said += process.communicate(timeout=30)[1].splitlines()
        assert process.returncode == 0, said


def get(port: int, path: str, method: str = "GET", body: str | None = None) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    connection.request(method, path, body=body, headers=headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, response.getheader("Location")


@pytest.mark.parametrize("kind", ["--db", "--json-lines"])
def test_serve(key_file: str, tmp_path: Path, kind: str) -> None:
    store, left = tmp_path / "events", tmp_path / "list.db"
    click = SIGNER.click_url("https://e.example/", message_id="m", recipient_id="r").removeprefix("https://t.example")
    pixel = SIGNER.open_url(message_id="m", recipient_id="r").removeprefix("https://t.example")
    unsubscribe = UnsubscribeLinks(keys=KeyRing.of(SECRET), base_url=BASE + "u").url(
        Subscription(recipient="ann@e.example", stream="news")
    )
    options = ("--key-file", key_file, "--base-url", BASE, kind, str(store), "--unsubscribe-db", str(left))
    with serving(tmp_path, *options) as (port, said):
        assert get(port, click) == (302, "https://e.example/")
        assert get(port, pixel) == (200, None)
        assert get(port, "/c/nonsense")[0] == 404
        path = unsubscribe.removeprefix("https://t.example")
        assert get(port, path)[0] == 200
        assert get(port, path, "POST", "List-Unsubscribe=One-Click")[0] == 200
    assert [event.type for event in read_events(store)] == ["click", "open"]
    with SuppressionStore.open(str(left)) as suppressions:
        assert suppressions.check("ann@e.example", stream="news").blocked
    assert said[-1] == "served: 1 bad_token, 1 click, 1 open"
    assert not any("nonsense" in line or click in line for line in said)


def test_the_room_alone(key_file: str, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "mailgate.engagement",
        "sign",
        "--key-file",
        key_file,
        "--base-url",
        BASE,
        "--open",
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(tmp_path), check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("https://t.example/o/")
    assert os.path.exists(key_file)


def test_a_line_that_is_no_text_is_refused_and_the_others_are_signed(
    key_file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stdin(monkeypatch, b"https://e.example/\xff\nhttps://e.example/1\n")
    assert main(["track", "sign", "--key-file", key_file, "--base-url", BASE, "-"]) == 65
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert said.err.startswith("line 1: ")


def test_a_page_of_statistics_is_never_written_over_the_events(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = tmp_path / "events.jsonl"
    events.write_bytes(EVENTS.read_bytes())
    assert main(["track", "stats", str(events), "--html", str(events)]) == 64
    assert events.read_bytes() == EVENTS.read_bytes()
    assert "would destroy it" in capsys.readouterr().err


def test_statistics_of_a_pipe_are_refused_and_not_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert main(["track", "stats", str(pipe)]) == 65
    assert capsys.readouterr() == ("", f"mailgate: {pipe} is a pipe; write the events to a file first\n")
