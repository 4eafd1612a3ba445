"""`mailgate unsubscribe headers|check|serve`."""

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
from types import SimpleNamespace
from typing import Any

import pytest

from mailgate.cli import main
from mailgate.records import KeyRing
from mailgate.suppression import SuppressionStore
from mailgate.unsubscribe import Subscription, UnsubscribeSigner
from tests.support.documents import ROOT, environment

GOOD = ROOT / "fixtures" / "unsubscribe" / "good.eml"
SECRET = "4f1de2d7c1a6b09f31b2c3d4e5f60718"
SIGNER = UnsubscribeSigner(keys=KeyRing.of(SECRET))
BASE = "https://news.example/u"


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "mailgate.keys"
    path.write_text(f"0 {SECRET}\n")
    path.chmod(0o600)
    return str(path)


def headers(key_file: str, *words: str) -> int:
    return main(["unsubscribe", "headers", "--key-file", key_file, "--base-url", BASE, *words])


def test_the_pair_of_one_recipient(key_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert headers(key_file, "--stream", "news", "--tenant", "shop", "--ref", "w42", "ann@example.net") == 0
    out = capsys.readouterr().out
    name, value = out.splitlines()[0].split(": ")
    assert name == "List-Unsubscribe"
    token = value.removeprefix(f"<{BASE}/").removesuffix(">")
    expected = Subscription(recipient="ann@example.net", tenant="shop", stream="news", ref="w42")
    assert SIGNER.read(token) == expected
    assert out.splitlines()[1] == "List-Unsubscribe-Post: List-Unsubscribe=One-Click"


def test_the_printed_header_passes_our_own_check(
    key_file: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert headers(key_file, "--mailto", "leave@news.example", "ann@example.net") == 0
    pair = capsys.readouterr().out
    written = re.sub(r"List-Unsubscribe: .*\nList-Unsubscribe-Post: .*\n", lambda _: pair, GOOD.read_text())
    (tmp_path / "m.eml").write_text(written)
    assert main(["unsubscribe", "check", str(tmp_path / "m.eml")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'm.eml'}: ok\n"


def test_many_recipients_from_stdin(
    key_file: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("ann@example.net\n\nnobody\n bob@example.net \n"))
    assert headers(key_file, "--json", "--mailto", "leave@news.example", "-") == 65
    said = capsys.readouterr()
    found = [json.loads(line) for line in said.out.splitlines()]
    assert [line["recipient"] for line in found] == ["ann@example.net", "bob@example.net"]
    assert all(line["url"] in line["headers"]["List-Unsubscribe"] for line in found)
    assert all("\n" not in line["headers"]["List-Unsubscribe"] for line in found)
    assert "line 3: nobody: not an address" in said.err


def test_ids(key_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert headers(key_file, "--json", "--ids", "4711") == 0
    url = json.loads(capsys.readouterr().out)["url"]
    found = SIGNER.read(url.rpartition("/")[2])
    assert found is not None
    assert (found.recipient, found.recipient_id) == (None, "4711")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--base-url", "http://news.example", "a@b.example"], 64),
        (["--mailto", "no address", "a@b.example"], 64),
        ([], 64),
        (["a" * 300 + "@b.example"], 65),
        (["a@b .example"], 65),
        (["a\x1b@b.example"], 65),
        (["--stream", "news\r\nX: y", "a@b.example"], 64),
    ],
)
def test_what_would_not_work_is_refused(key_file: str, words: list[str], status: int) -> None:
    assert headers(key_file, *words) == status


def test_without_a_usable_key_file(tmp_path: Path) -> None:
    assert headers(str(tmp_path / "none"), "a@b.example") == 78
    assert main(["unsubscribe"]) == 64
    assert main(["unsubscribe", "headers", "a@b.example"]) == 64


# --- check ---------------------------------------------------------------------------------------------------------


def test_check_says_what_is_wrong_and_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.eml"
    bad.write_bytes(GOOD.read_bytes().replace(b"<https:", b"<http:"))
    assert main(["unsubscribe", "check", str(GOOD), str(bad)]) == 1
    out = capsys.readouterr().out
    assert f"{GOOD}: ok" in out
    assert f"{bad}: error: no https URI" in out
    assert main(["unsubscribe", "check", "--json", str(bad)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in found["findings"]] == ["no_https_uri", "http_uri"]


def test_warnings_alone_are_no_reason_to_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warned = tmp_path / "w.eml"
    warned.write_bytes(GOOD.read_bytes().replace(b"List-Id:", b"X-List-Id:"))
    assert main(["unsubscribe", "check", str(warned)]) == 0
    assert "warning" in capsys.readouterr().out


def test_check_of_stdin_never_ends_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for data, status in ((GOOD.read_bytes(), 0), (b"Subject: x\n\nhi", 65)):
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))
        assert main(["unsubscribe", "check", "-"]) == status


def test_check_of_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["unsubscribe", "check", str(tmp_path / "gone"), str(GOOD)]) == 65
    assert "no such file" in capsys.readouterr().out


# --- serve ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(key_file: str, db: Path, how: int = signal.SIGINT) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The server in a process of its own, and the port it says it took."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mailgate.unsubscribe", "serve", "--db", str(db), "--key-file", key_file, "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=db.parent,
        env=environment(db.parent),
    )
    assert process.stderr is not None
    try:
        first = process.stderr.readline()
        port = re.search(r":(\d+)/", first)
        assert port is not None, first + process.stderr.read()
        yield int(port[1]), process
    finally:
        process.send_signal(how)
        process.communicate(timeout=30)


def request(port: int, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        kind: dict[str, Any] = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        connection.request(method, path, body or None, kind)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_serve_writes_to_the_list(key_file: str, tmp_path: Path) -> None:
    db = tmp_path / "mail.db"
    token = SIGNER.token(Subscription(recipient="ann@example.net", tenant="shop", stream="news"))
    with serving(key_file, db) as (port, process):
        assert request(port, "GET", f"/u/{token}")[0] == 200
        assert request(port, "GET", "/u/nothing%1b[31m")[0] == 404
        with SuppressionStore.open(str(db)) as store:
            assert not store.check("ann@example.net", tenant="shop", stream="news").blocked
        assert request(port, "POST", f"/u/{token}", b"List-Unsubscribe=One-Click") == (200, b"")
        assert request(port, "POST", f"/u/{token}", b"List-Unsubscribe=One-Click") == (200, b"")
    assert process.returncode == 0
    with SuppressionStore.open(str(db)) as store:
        assert store.check("ann@example.net", tenant="shop", stream="news").blocked
        assert not store.check("ann@example.net", tenant="shop", stream="other").blocked
        assert len(list(store.list())) == 1


def test_the_log_of_serve_holds_no_token(key_file: str, tmp_path: Path) -> None:
    token = SIGNER.token(Subscription(recipient="ann@example.net"))
    with serving(key_file, tmp_path / "mail.db") as (port, process):
        assert request(port, "GET", f"/u/{token}")[0] == 200
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=30)
    assert "GET 200" in log
    assert token not in log


def test_a_port_that_is_taken(key_file: str, tmp_path: Path) -> None:
    with serving(key_file, tmp_path / "mail.db", signal.SIGTERM) as (port, _):
        words = ["--db", str(tmp_path / "b.db"), "--key-file", key_file, "--port", str(port)]
        assert main(["unsubscribe", "serve", *words]) == 69


@pytest.mark.parametrize("words", [["--language", "xx"], ["--port", "x"]])
def test_serve_with_wrong_options(key_file: str, tmp_path: Path, words: list[str]) -> None:
    assert main(["unsubscribe", "serve", "--db", str(tmp_path / "m.db"), "--key-file", key_file, *words]) == 64


def test_the_room_is_a_program_of_its_own(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "mailgate.unsubscribe", "check", str(GOOD)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, f"{GOOD}: ok\n")
