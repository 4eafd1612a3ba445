"""Scenario 4: the spam button. Three complaints, two of them attributed, exactly those two people are left alone."""

from __future__ import annotations

import json
from pathlib import Path

from mailgate.records import KeyRing, MessageRef, RefSigner
from mailgate.suppression import SuppressionStore
from tests.acceptance.bed import Bed, message

SECRET = "5d0b7f0c2f6e4a1c9b8d7e6f5a4b3c2d"
OTHER_SECRET = "00f1e2d3c4b5a69788796a5b4c3d2e1f"


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
    signer = RefSigner(KeyRing.of(secret))
    name, value = signer.header(MessageRef(ref="week-47", recipient=recipient, stream="news"))
    return f"{name}: {value}\n".replace("\r\n", "\n")


def test_the_spam_button(bed: Bed, tmp_path: Path) -> None:
    named = report("<ann@target.test>", 1)
    redacted = report("redacted@provider.test", 2, header=reference(SECRET, "bob@target.test"))
    forged = report("redacted@provider.test", 3, header=reference(OTHER_SECRET, "victim@target.test"))
    not_spam = report("<cid@target.test>", 4, kind="not-spam")
    for mail in (named, redacted, forged, not_spam, named):
        bed.send("", ["complaints@sender.test"], mail)
    bed.settle("complaints", 5)
    keys = tmp_path / "keys"
    keys.write_text(f"0 {SECRET}\n")
    keys.chmod(0o600)
    db = str(tmp_path / "mail.db")

    run = bed.mailgate("scan", str(bed.maildir("complaints")), "--db", db, "--key-file", str(keys), "--json")
    assert run.returncode == 0, run.stderr
    events = [event for line in run.stdout.splitlines() for event in json.loads(line)["events"]]
    complaints = {e["event_id"]: e for e in events if e["meta"]["feedback_type"] == "abuse"}
    assert len(complaints) == 3
    assert sorted(str(e["recipient"]) for e in complaints.values()) == ["None", "ann@target.test", "bob@target.test"]
    with SuppressionStore.open(db, create=False) as store:
        assert [(entry.key, str(entry.reason), entry.stream) for entry in store.list()] == [
            ("ann@target.test", "complaint", "*"),
            ("bob@target.test", "complaint", "*"),
        ]
    assert list((bed.maildir("complaints") / "new").iterdir()) == []


def test_an_ordinary_mail_to_the_complaints_box_stays(bed: Bed, tmp_path: Path) -> None:
    bed.send("ana@example.net", ["complaints@sender.test"], message("complaints@sender.test", sender="ana@example.net"))
    bed.settle("complaints", 1)
    run = bed.mailgate("scan", str(bed.maildir("complaints")), "--db", str(tmp_path / "mail.db"), "--json")
    assert run.returncode == 0, run.stderr
    (left,) = (bed.maildir("complaints") / "new").iterdir()
    left.unlink()
