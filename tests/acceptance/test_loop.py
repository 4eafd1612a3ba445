"""Scenarios 2 and 3: real servers refuse, real DSNs come back, the cron job suppresses whom it should."""

from __future__ import annotations

import json
import smtplib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailgate.records import Event, SmtpReply
from mailgate.suppression import SuppressionStore
from tests.acceptance.bed import Bed, message

ORDINARY = b"From: ana@example.net\nTo: loop@sender.test\nSubject: lunch?\nMessage-ID: <1@example.net>\n\nAt noon?\n"


def entries(db: str) -> dict[str, str]:
    with SuppressionStore.open(db, create=False) as store:
        return {entry.key: str(entry.reason) for entry in store.list()}


def events(output: str) -> list[dict[str, object]]:
    return [event for line in output.splitlines() for event in json.loads(line)["events"]]


def send_the_four(bed: Bed, box: str) -> None:
    """To nobody@, policy@ and busy@ alone, and one message to ok@, nobody@ and policy@."""
    for recipients in (["nobody@target.test"], ["policy@target.test"], ["busy@target.test"]):
        bed.send(f"{box}@sender.test", recipients, message(recipients[0]))
    together = ["ok@target.test", "nobody@target.test", "policy@target.test"]
    bed.send(f"{box}@sender.test", together, message("all@target.test"))


def test_the_bounce_cron_job(bed: Bed, tmp_path: Path) -> None:
    box = bed.maildir("loop")
    (box / "new" / "1.ordinary").write_bytes(ORDINARY)
    send_the_four(bed, "loop")
    assert len(bed.settle("loop", 5)) == 5
    db = str(tmp_path / "mail.db")

    first = bed.mailgate("scan", str(box), "--db", db, "--json")
    assert first.returncode == 0, first.stderr
    found = events(first.stdout)
    assert sorted((e["recipient"], e["kind"], e["permanence"], e["reason"]) for e in found) == [
        ("busy@target.test", "bounced", "expired", found_reason(found, "busy@target.test")),
        ("nobody@target.test", "bounced", "permanent", "mailbox_not_found"),
        ("nobody@target.test", "bounced", "permanent", "mailbox_not_found"),
        ("policy@target.test", "bounced", "permanent", found_reason(found, "policy@target.test")),
        ("policy@target.test", "bounced", "permanent", found_reason(found, "policy@target.test")),
    ]
    assert {Event.from_dict(e).fault for e in found if e["recipient"] == "policy@target.test"} == {"sender"}
    assert entries(db) == {"nobody@target.test": "hard_bounce"}
    assert [path.name for path in (box / "new").iterdir()] == ["1.ordinary"]
    assert len(list((box / "cur").iterdir())) == 4

    second = bed.mailgate("scan", str(box), "--db", db, "--json")
    assert second.returncode == 0
    assert events(second.stdout) == []
    assert entries(db) == {"nobody@target.test": "hard_bounce"}
    assert (box / "new" / "1.ordinary").read_bytes() == ORDINARY


def found_reason(found: list[dict[str, object]], recipient: str) -> object:
    (reason,) = {event["reason"] for event in found if event["recipient"] == recipient}
    return reason


def test_exim_returns_what_the_same_server_refused_and_the_entry_is_the_same(bed: Bed, tmp_path: Path) -> None:
    box = bed.maildir("exim")
    bed.exim.send("exim@sender.test", "nobody@target.test", message("nobody@target.test").decode())
    bed.settle("exim", 1)
    db = str(tmp_path / "mail.db")
    run = bed.mailgate("scan", str(box), "--db", db, "--json")
    assert run.returncode == 0, run.stderr
    assert entries(db) == {"nobody@target.test": "hard_bounce"}


def test_a_mailbox_over_its_real_quota_counts_and_does_not_suppress(bed: Bed, tmp_path: Path) -> None:
    box = bed.maildir("plain")
    bed.send("plain@sender.test", ["user@dove.test"], message("user@dove.test", lines=200))
    bed.settle("plain", 1)
    db = str(tmp_path / "mail.db")
    run = bed.mailgate("scan", str(box), "--db", db, "--json")
    (event,) = events(run.stdout)
    assert (event["recipient"], event["reason"]) == ("user@dove.test", "mailbox_full")
    assert entries(db) == {}


@pytest.mark.parametrize("recipient", ["nobody@target.test", "policy@target.test", "full@target.test"])
def test_a_refusal_in_the_session_and_a_bounce_of_it_lead_to_the_same_entry(
    bed: Bed, tmp_path: Path, recipient: str
) -> None:
    with bed.namespace.entered(), smtplib.SMTP("127.0.0.20", 25, timeout=30) as connection:
        connection.ehlo("mx.sending.test")
        connection.mail("reply@sender.test")
        code, text = connection.rcpt(recipient)
    reply = SmtpReply.parse(b"\r\n".join(b"%d-%s" % (code, line) for line in text.splitlines()).replace(b"-", b" ", 1))
    by_session = str(tmp_path / "session.db")
    with SuppressionStore.open(by_session) as store:
        store.apply(Event.from_reply(reply, recipient, at=datetime.now(UTC)))

    box = bed.maildir("reply")
    bed.send("reply@sender.test", [recipient], message(recipient))
    bed.settle("reply", 1)
    by_bounce = str(tmp_path / "bounce.db")
    run = bed.mailgate("scan", str(box), "--db", by_bounce, "--json")
    (event,) = events(run.stdout)
    assert event["reason"] == str(reply.meaning().reason)
    assert entries(by_bounce) == entries(by_session)
    assert ("nobody@target.test" in entries(by_bounce)) == (recipient == "nobody@target.test")


def test_the_database_is_whole(bed: Bed, tmp_path: Path) -> None:
    box = bed.maildir("loop")
    send_the_four(bed, "loop")
    bed.settle("loop", 4)
    db = tmp_path / "mail.db"
    assert bed.mailgate("scan", str(box), "--db", str(db)).returncode == 0
    connection = sqlite3.connect(db)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
