"""Scenarios 2 and 3: real servers refuse, real DSNs come back, the cron job suppresses whom it should."""

from __future__ import annotations

import smtplib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailgate.records import Event, SmtpReply
from mailgate.suppression import SuppressionStore
from tests.acceptance.bed import Bed, message
from tests.acceptance.scenarios import bounce_cron_job, entries, events, send_the_four


def test_the_bounce_cron_job(bed: Bed, tmp_path: Path) -> None:
    bounce_cron_job(bed, "loop", str(tmp_path / "mail.db"))


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
