"""Scenario 5: scanners change nothing, one click does, and Postfix itself then refuses that stream and no other."""

from __future__ import annotations

import re
import smtplib
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from mailgate.records import KeyRing, Mail
from mailgate.suppression import SuppressionStore
from mailgate.unsubscribe import Subscription, UnsubscribeApp, UnsubscribeLinks, UnsubscribeSigner
from tests.acceptance.bed import Bed, message
from tests.support.documents import ROOT, blocks

SECRET = "5d0b7f0c2f6e4a1c9b8d7e6f5a4b3c2d"
KEYS = KeyRing.of(SECRET)
OPERATIONS = (ROOT / "examples" / "operations.md").read_text(encoding="utf-8")


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(bed: Bed, app: UnsubscribeApp) -> Iterator[str]:
    with bed.namespace.entered():
        server = make_server("127.0.0.10", 8080, app, handler_class=Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield "http://127.0.0.10:8080"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def fetch(url: str, data: bytes | None = None, **headers: str) -> int:
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def rows(db: str) -> list[tuple[str, str, str]]:
    with SuppressionStore.open(db, create=False) as store:
        return [(entry.key, str(entry.reason), entry.stream) for entry in store.list()]


def submit(bed: Bed, host: str, recipient: str) -> str:
    """What Postfix says to the recipient when an application hands a message in."""
    with bed.namespace.entered(), smtplib.SMTP(host, 25, timeout=30) as connection:
        try:
            connection.sendmail("web@sender.test", [recipient], message(recipient))
        except smtplib.SMTPRecipientsRefused as refused:
            code, text = refused.recipients[recipient]
            return f"{code} {text.decode()}"
    return "250"


@pytest.fixture
def submission(bed: Bed, tmp_path: Path) -> Iterator[str]:
    """A submitting Postfix with the snippet of examples/operations.md as it stands; the path of its list."""
    folder = bed.folder / "lists"
    folder.mkdir(mode=0o777, exist_ok=True)
    folder.chmod(0o777)
    db = folder / "mail.db"
    for old in folder.iterdir():
        old.unlink()
    SuppressionStore.open(str(db)).close()
    for file in folder.iterdir():
        file.chmod(0o666)
    program = bed.program()
    (snippet,) = [block.text for block in blocks(OPERATIONS) if block.language == "postfix-master"]
    for ours, theirs in (
        ("/usr/bin/mailgate", str(program)), ("/var/lib/mailgate/mail.db", str(db)), ("user=mailgate", "user=nobody"),
    ):  # fmt: skip
        snippet = snippet.replace(ours, theirs)
    settings = {"myhostname": "mx.submission.test", "smtp_bind_address": "127.0.0.30"}
    instance = bed.postfix("submission", ["127.0.0.33:25"], settings, snippet)
    try:
        yield str(db)
    finally:
        instance.stop()


def test_unsubscribing_by_one_click_stops_this_stream_and_no_other(bed: Bed, submission: str, tmp_path: Path) -> None:
    links = UnsubscribeLinks(keys=KEYS, base_url="https://www.sender.test/u", mailto_address="web@sender.test")
    reader = Subscription(recipient="ok@target.test", stream="news")
    header = "".join(f"{name}: {value}\r\n" for name, value in links.headers(reader))
    bed.send("web@sender.test", ["web@sender.test"], message("web@sender.test", headers=header))
    (received,) = bed.settle("web", 1)
    mail = Mail.read(received.read_bytes())
    (value,) = mail.headers.get_all("List-Unsubscribe")
    assert mail.headers.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    path = re.search(r"<https://www\.sender\.test(/\S+?)>", value)[1]  # type: ignore[index]
    received.unlink()

    def app(environ, start_response):  # type: ignore[no-untyped-def]
        with SuppressionStore.open(submission) as store:
            return UnsubscribeApp(keys=KEYS, sink=store.apply)(environ, start_response)

    with served(bed, app) as site:  # type: ignore[arg-type]
        for _ in range(5):
            assert fetch(site + path, **{"User-Agent": "Mozilla/5.0 scanner"}) == 200
        assert rows(submission) == []
        tampered = path[:-1] + ("A" if path[-1] != "A" else "B")
        assert fetch(site + tampered, b"List-Unsubscribe=One-Click") == 404
        assert rows(submission) == []
        assert fetch(site + path, b"List-Unsubscribe=One-Click") == 200
        assert fetch(site + path, b"List-Unsubscribe=One-Click") == 200
    assert rows(submission) == [("ok@target.test", "unsubscribe", "news")]

    assert submit(bed, "127.0.0.31", "ok@target.test").startswith("5")
    assert submit(bed, "127.0.0.32", "ok@target.test") == "250"
    assert submit(bed, "127.0.0.31", "news@target.test") == "250"

    by_mail = re.search(r"<mailto:([^?>]+)(?:\?subject=([^>&]+))?", value)
    assert by_mail is not None
    request = message(by_mail[1], sender="ok@target.test")
    request = request.replace(b"News of the week", (by_mail[2] or "unsubscribe").encode())
    bed.send("ok@target.test", [by_mail[1]], request)
    bed.settle("web", 1)
    keys = tmp_path / "keys"
    keys.write_text(f"0 {SECRET}\n")
    keys.chmod(0o600)
    run = bed.mailgate("scan", str(bed.maildir("web")), "--db", submission, "--key-file", str(keys), "--json")
    assert run.returncode == 0, run.stderr
    assert '"kind": "unsubscribe"' in run.stdout
    assert rows(submission) == [("ok@target.test", "unsubscribe", "news")]


def test_postfix_defers_while_the_list_is_away(bed: Bed, submission: str) -> None:
    assert submit(bed, "127.0.0.31", "ok@target.test") == "250"
    away = Path(submission).with_name("away.db")
    for suffix in ("", "-wal", "-shm"):
        file = Path(submission + suffix)
        if file.exists():
            file.rename(str(away) + suffix)
    assert submit(bed, "127.0.0.31", "ok@target.test").startswith("451")
    for suffix in ("", "-wal", "-shm"):
        file = Path(str(away) + suffix)
        if file.exists():
            file.rename(submission + suffix)
    assert submit(bed, "127.0.0.31", "ok@target.test") == "250"


def test_a_store_that_is_down_is_not_a_promise(bed: Bed) -> None:
    def down(event: object) -> None:
        raise OSError("the disk is gone")

    token = UnsubscribeSigner(keys=KEYS).token(Subscription(recipient="ok@target.test", stream="news"))
    app = UnsubscribeApp(keys=KEYS, sink=down)
    with served(bed, app) as site:
        assert fetch(f"{site}/{token}", b"List-Unsubscribe=One-Click") == 503
