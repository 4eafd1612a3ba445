"""The scenarios that run on more than one store: what is sent, what comes back, and what has to be on the list then.

`db` is what `--db` takes: the path of an SQLite file or a postgresql:// URL.
"""

from __future__ import annotations

import json
import re
import shlex
import smtplib
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from mailgate.records import Event, KeyRing, Mail, MessageRef, RefSigner
from mailgate.suppression import SuppressionStore
from mailgate.unsubscribe import Subscription, UnsubscribeApp, UnsubscribeLinks
from tests.acceptance.bed import Bed, message
from tests.acceptance.names import wait_for_port
from tests.support.documents import ROOT, blocks

SECRET = "5d0b7f0c2f6e4a1c9b8d7e6f5a4b3c2d"
OTHER_SECRET = "00f1e2d3c4b5a69788796a5b4c3d2e1f"
KEYS = KeyRing.of(SECRET)
OPERATIONS = (ROOT / "examples" / "operations.md").read_text(encoding="utf-8")

ORDINARY = b"From: ana@example.net\nTo: loop@sender.test\nSubject: lunch?\nMessage-ID: <1@example.net>\n\nAt noon?\n"


def entries(db: str) -> dict[str, str]:
    """The reason of each address on the list."""
    with SuppressionStore.open(db, create=False) as store:
        return {entry.key: str(entry.reason) for entry in store.list()}


def rows(db: str) -> list[tuple[str, str, str]]:
    """(address, reason, stream) of each entry."""
    with SuppressionStore.open(db, create=False) as store:
        return [(entry.key, str(entry.reason), entry.stream) for entry in store.list()]


def events(output: str) -> list[dict[str, Any]]:
    """The events that a `scan --json` printed."""
    return [event for line in output.splitlines() for event in json.loads(line)["events"]]


def key_file(folder: Path) -> Path:
    """The file that `--key-file` takes, with `SECRET`."""
    path = folder / "keys"
    path.write_text(f"0 {SECRET}\n")
    path.chmod(0o600)
    return path


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Until it is so; RuntimeError when it does not become so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {seconds} seconds: {what}")
        time.sleep(0.02)


def empty(folder: Path) -> None:
    """Take every message out of a `new` or `cur`."""
    for file in folder.iterdir():
        file.unlink()


# --- 2: the bounce cron job ------------------------------------------------------------------------------------------


def send_the_four(bed: Bed, box: str) -> None:
    """To nobody@, policy@ and busy@ alone, and one message to ok@, nobody@ and policy@."""
    for recipients in (["nobody@target.test"], ["policy@target.test"], ["busy@target.test"]):
        bed.send(f"{box}@sender.test", recipients, message(recipients[0]))
    together = ["ok@target.test", "nobody@target.test", "policy@target.test"]
    bed.send(f"{box}@sender.test", together, message("all@target.test"))


def check_the_five(found: list[dict[str, Any]]) -> None:
    """The events of `send_the_four`."""
    assert sorted((e["recipient"], e["kind"], e["permanence"]) for e in found) == [
        ("busy@target.test", "bounced", "expired"),
        ("nobody@target.test", "bounced", "permanent"),
        ("nobody@target.test", "bounced", "permanent"),
        ("policy@target.test", "bounced", "permanent"),
        ("policy@target.test", "bounced", "permanent"),
    ]
    assert {e["reason"] for e in found if e["recipient"] == "nobody@target.test"} == {"mailbox_not_found"}
    policy = [Event.from_dict(e) for e in found if e["recipient"] == "policy@target.test"]
    assert {(event.fault, event.reason) for event in policy} == {("sender", policy[0].reason)}


def bounce_cron_job(bed: Bed, box: str, db: str) -> None:
    """Scenario 2 in one box with one store."""
    maildir = bed.maildir(box)
    empty(maildir / "cur")
    (maildir / "new" / "1.ordinary").write_bytes(ORDINARY)
    send_the_four(bed, box)
    assert len(bed.settle(box, 5)) == 5

    first = bed.mailgate("scan", str(maildir), "--db", db, "--json")
    assert first.returncode == 0, first.stderr
    check_the_five(events(first.stdout))
    assert entries(db) == {"nobody@target.test": "hard_bounce"}
    assert [path.name for path in (maildir / "new").iterdir()] == ["1.ordinary"]
    assert len(list((maildir / "cur").iterdir())) == 4

    second = bed.mailgate("scan", str(maildir), "--db", db, "--json")
    assert second.returncode == 0
    assert events(second.stdout) == []
    assert entries(db) == {"nobody@target.test": "hard_bounce"}
    assert (maildir / "new" / "1.ordinary").read_bytes() == ORDINARY
    (maildir / "new" / "1.ordinary").unlink()


# --- 4: the spam button ----------------------------------------------------------------------------------------------


def report(recipient: str, number: int, *, header: str = "", kind: str = "abuse") -> bytes:
    """A feedback report as RFC 5965 B.2 has it, about a message that carries `header`."""
    return f"""From: <feedback@provider.test>
To: <complaints@sender.test>
Date: Sat, 21 Nov 2026 09:00:{number:02} +0000
Subject: FW: News of the week
Message-ID: <report.{number}@provider.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b{number}"

--b{number}
Content-Type: text/plain

This is an email abuse report.

--b{number}
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Rcpt-To: {recipient}
Arrival-Date: Fri, 20 Nov 2026 14:00:00 +0000
Source-IP: 192.0.2.1

--b{number}
Content-Type: text/rfc822-headers

From: News <news@sender.test>
To: {recipient}
Subject: News of the week
Message-ID: <news.{number}@sender.test>
{header}
--b{number}--
""".replace("\n", "\r\n").encode()


def reference(secret: str, recipient: str) -> str:
    """The header field that we sign."""
    signer = RefSigner(KeyRing.of(secret))
    name, value = signer.header(MessageRef(ref="week-47", recipient=recipient, stream="news"))
    return f"{name}: {value}\n".replace("\r\n", "\n")


def five_reports() -> list[bytes]:
    """With a recipient; redacted with our reference; with a forged one; not spam; the first one again."""
    named = report("<ann@target.test>", 1)
    redacted = report("redacted@provider.test", 2, header=reference(SECRET, "bob@target.test"))
    forged = report("redacted@provider.test", 3, header=reference(OTHER_SECRET, "victim@target.test"))
    not_spam = report("<cid@target.test>", 4, kind="not-spam")
    return [named, redacted, forged, not_spam, named]


def spam_button(bed: Bed, box: str, db: str, keys: Path) -> None:
    """Scenario 4 in one box with one store."""
    for mail in five_reports():
        bed.send("", [f"{box}@sender.test"], mail)
    bed.settle(box, 5)
    run = bed.mailgate("scan", str(bed.maildir(box)), "--db", db, "--key-file", str(keys), "--json")
    assert run.returncode == 0, run.stderr
    complaints = {e["event_id"]: e for e in events(run.stdout) if e["meta"]["feedback_type"] == "abuse"}
    assert len(complaints) == 3
    assert sorted(str(e["recipient"]) for e in complaints.values()) == ["None", "ann@target.test", "bob@target.test"]
    assert rows(db) == [("ann@target.test", "complaint", "*"), ("bob@target.test", "complaint", "*")]
    assert list((bed.maildir(box) / "new").iterdir()) == []


# --- 5: unsubscribing ------------------------------------------------------------------------------------------------


class Quiet(WSGIRequestHandler):
    """A handler that does not write a log."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(bed: Bed, app: Any, port: int = 8080) -> Iterator[str]:
    """A WSGI application served inside the namespace by the standard library; its base URL."""
    with bed.namespace.entered():
        server = make_server("127.0.0.10", port, app, handler_class=Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.10:{port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def fetch(url: str, data: bytes | None = None, **headers: str) -> int:
    """The status of one request; whoever calls it is inside the namespace."""
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def submit(bed: Bed, host: str, recipient: str, sender: str = "web@sender.test") -> str:
    """What Postfix says to the recipient when an application hands a message in."""
    with bed.namespace.entered(), smtplib.SMTP(host, 25, timeout=30) as connection:
        try:
            connection.sendmail(sender, [recipient], message(recipient))
        except smtplib.SMTPRecipientsRefused as refused:
            code, text = refused.recipients[recipient]
            return f"{code} {text.decode()}"
    return "250"


def snippet(language: str) -> str:
    """The one block of examples/operations.md in that language."""
    (text,) = [block.text for block in blocks(OPERATIONS) if block.language == language]
    return text


_SUBMISSION = {"myhostname": "mx.submission.test", "smtp_bind_address": "127.0.0.30"}


@contextmanager
def submitting(bed: Bed) -> Iterator[str]:
    """A submitting Postfix with the snippet of examples/operations.md as it stands; the path of its list."""
    folder = bed.folder / "lists"
    folder.mkdir(mode=0o777, exist_ok=True)
    folder.chmod(0o777)
    db = folder / "mail.db"
    empty(folder)
    SuppressionStore.open(str(db)).close()
    for file in folder.iterdir():
        file.chmod(0o666)
    lines = snippet("postfix-master")
    for ours, theirs in (
        ("/usr/bin/mailgate", str(bed.program())),
        ("/var/lib/mailgate/mail.db", str(db)),
        ("user=mailgate", "user=nobody"),
    ):
        lines = lines.replace(ours, theirs)
    instance = bed.postfix("submission", ["127.0.0.33:25"], _SUBMISSION, lines)
    try:
        yield str(db)
    finally:
        instance.stop()


@contextmanager
def submitting_to_a_daemon(bed: Bed, db: str) -> Iterator[None]:
    """The same with the service of the systemd unit in examples/operations.md, which serves all connections."""
    SuppressionStore.open(db).close()
    words = shlex.split(re.search(r"^ExecStart=/usr/bin/mailgate (.*)$", snippet("systemd"), re.MULTILINE)[1])  # type: ignore[index]
    address, port = words[-1].split(":")
    service = bed.begin(*[db if word == "/var/lib/mailgate/mail.db" else word for word in words])
    try:
        with bed.namespace.entered():
            wait_for_port(address, int(port))
        _, listeners, more = snippet("postfix-master").partition("127.0.0.31:25")
        lines = f"{listeners}{more}".replace("unix:private/suppress", f"inet:{words[-1]}")
        instance = bed.postfix("submission", ["127.0.0.33:25"], _SUBMISSION, lines)
        try:
            yield
        finally:
            instance.stop()
    finally:
        service.terminate()
        service.communicate(timeout=10)


def unsubscribing(bed: Bed, box: str, db: str, keys: Path) -> None:
    """Scenario 5; a submitting Postfix asks `db` on 127.0.0.31 for the stream news, on 127.0.0.32 for another."""
    links = UnsubscribeLinks(keys=KEYS, base_url="https://www.sender.test/u", mailto_address=f"{box}@sender.test")
    reader = Subscription(recipient="ok@target.test", stream="news")
    header = "".join(f"{name}: {value}\r\n" for name, value in links.headers(reader))
    bed.send(f"{box}@sender.test", [f"{box}@sender.test"], message(f"{box}@sender.test", headers=header))
    (received,) = bed.settle(box, 1)
    mail = Mail.read(received.read_bytes())
    (value,) = mail.headers.get_all("List-Unsubscribe")
    assert mail.headers.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    path = re.search(r"<https://www\.sender\.test(/\S+?)>", value)[1]  # type: ignore[index]
    received.unlink()

    def app(environ, start_response):  # type: ignore[no-untyped-def]
        with SuppressionStore.open(db) as store:
            return UnsubscribeApp(keys=KEYS, sink=store.apply)(environ, start_response)

    with served(bed, app) as site:
        for _ in range(5):
            assert fetch(site + path, **{"User-Agent": "Mozilla/5.0 scanner"}) == 200
        assert rows(db) == []
        tampered = path[:-1] + ("A" if path[-1] != "A" else "B")
        assert fetch(site + tampered, b"List-Unsubscribe=One-Click") == 404
        assert rows(db) == []
        assert fetch(site + path, b"List-Unsubscribe=One-Click") == 200
        assert fetch(site + path, b"List-Unsubscribe=One-Click") == 200
    assert rows(db) == [("ok@target.test", "unsubscribe", "news")]

    assert submit(bed, "127.0.0.31", "ok@target.test").startswith("5")
    assert submit(bed, "127.0.0.32", "ok@target.test") == "250"
    assert submit(bed, "127.0.0.31", "news@target.test") == "250"

    by_mail = re.search(r"<mailto:([^?>]+)(?:\?subject=([^>&]+))?", value)
    assert by_mail is not None
    request = message(by_mail[1], sender="ok@target.test")
    request = request.replace(b"News of the week", (by_mail[2] or "unsubscribe").encode())
    bed.send("ok@target.test", [by_mail[1]], request)
    bed.settle(box, 1)
    run = bed.mailgate("scan", str(bed.maildir(box)), "--db", db, "--key-file", str(keys), "--json")
    assert run.returncode == 0, run.stderr
    assert '"kind": "unsubscribe"' in run.stdout
    assert rows(db) == [("ok@target.test", "unsubscribe", "news")]
