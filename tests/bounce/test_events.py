"""Events of a report: what the policy gets to see, what it must not act on, and ids that do not change."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from mailgate.bounce import BounceReport, MatchSettings, RecipientStatus, events, parse
from mailgate.bounce._autoreply import AutoReply
from mailgate.bounce._settings import BounceSettings
from mailgate.records import (
    EnhancedStatus,
    EventKind,
    KeyRing,
    MessageRef,
    Permanence,
    Reason,
    RefSigner,
)

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
SIGNER = RefSigner(KeyRing(secrets={0: b"a secret that is long enough 4711"}, signing_key_id=0))


def status(recipient: str | None = "user@example.com", **changes: Any) -> RecipientStatus:
    values: dict[str, Any] = {
        "action": "failed",
        "status": EnhancedStatus(5, 1, 1),
        "reason": Reason.MAILBOX_NOT_FOUND,
        "permanence": Permanence.PERMANENT,
        "diagnostic_code": "550 5.1.1 no",
        **changes,
    }
    return RecipientStatus(recipient=recipient, **values)


def report(*recipients: RecipientStatus, **changes: Any) -> BounceReport:
    values: dict[str, Any] = {"kind": "bounce", "form": "dsn", "message_id": "r1@mx.example.com", **changes}
    return BounceReport(recipients=recipients, **values)


def test_one_event_a_recipient() -> None:
    ref = MessageRef(ref="c42", recipient="user@example.com", tenant="acme", stream="news")
    whole = report(
        status(smtp_code=550, enhanced_status=EnhancedStatus(5, 1, 1), remote_mta="mx.example.com"),
        status("other@example.com", reason=Reason.MAILBOX_FULL, permanence=Permanence.EXPIRED, text="full"),
        ref=replace(ref, recipient=None),
        matched="return_path",
        original_message_id="m1@news.example",
        reporting_mta="mta.example.net",
    )
    first, second = events(whole, at=AT)
    assert (first.kind, first.recipient, first.source, first.at) == (EventKind.BOUNCED, "user@example.com", "dsn", AT)
    assert (first.ref, first.tenant, first.stream, first.matched) == ("c42", "acme", "news", "return_path")
    assert (first.message_id, first.smtp_code, first.enhanced_status) == (
        "m1@news.example",
        550,
        EnhancedStatus(5, 1, 1),
    )
    assert (first.reason, first.permanence, first.detail) == (
        Reason.MAILBOX_NOT_FOUND,
        Permanence.PERMANENT,
        "550 5.1.1 no",
    )
    assert first.meta_value("action") == "failed"
    assert first.meta_value("remote_mta") == "mx.example.com"
    assert first.meta_value("reporting_mta") == "mta.example.net"
    assert first.meta_value("suppress") is None
    assert (second.reason, second.permanence) == (Reason.MAILBOX_FULL, Permanence.EXPIRED)
    assert first.event_id != second.event_id


@pytest.mark.parametrize(
    ("permanence", "kind", "reason"),
    [
        (Permanence.PERMANENT, EventKind.BOUNCED, Reason.MAILBOX_NOT_FOUND),
        (Permanence.EXPIRED, EventKind.BOUNCED, Reason.MAILBOX_NOT_FOUND),
        (Permanence.TRANSIENT, EventKind.DEFERRED, Reason.MAILBOX_NOT_FOUND),
        (Permanence.DELIVERED, EventKind.DELIVERED, None),
        (None, EventKind.DEFERRED, Reason.MAILBOX_NOT_FOUND),
    ],
)
def test_kinds(permanence: Permanence | None, kind: EventKind, reason: Reason | None) -> None:
    (one,) = events(report(status(permanence=permanence)))
    assert (one.kind, one.permanence, one.reason) == (kind, permanence, reason)


def test_sources() -> None:
    assert events(report(status()))[0].source == "dsn"
    assert events(report(status(), form="text"))[0].source == "bounce"


@pytest.mark.parametrize(
    ("one", "ref", "why"),
    [
        (status(never_mailed=True, mailed_recipient="list@example.com"), None, "never_mailed"),
        (status(about_other_mail=True), None, "about_other_mail"),
        (status(other_address="nobody@example.com"), None, "other_address"),
        (status(reason=Reason.CHALLENGE), None, "challenge"),
        (status("nobody"), None, "no_address"),
        (status(None), None, "no_address"),
        (status(), MessageRef(ref="r", recipient="else@example.com"), "not_whom_we_mailed"),
        (status(), MessageRef(ref="r", recipient="USER@Example.com."), None),
        (status(original_recipient="else@example.com"), MessageRef(ref="r", recipient="else@example.com"), None),
        (status(), MessageRef(ref="r"), None),
        (status(), None, None),
    ],
)
def test_who_must_not_be_suppressed(one: RecipientStatus, ref: MessageRef | None, why: str | None) -> None:
    (event,) = events(report(one, ref=ref))
    assert event.meta_value("why") == why
    assert event.meta_value("suppress") == (None if why is None else "no")
    assert event.kind is EventKind.BOUNCED
    assert event.recipient == one.recipient


def test_an_alias_is_not_suppressed_for_some_of_its_members() -> None:
    members = [status("team@example.com", final_recipient=f"{name}@example.com") for name in ("ada", "bob")]
    assert [one.meta_value("why") for one in events(report(*members))] == ["alias", "alias"]
    assert events(report(members[0]))[0].meta_value("why") is None  # a forward to one mailbox: nobody gets it
    again = status("team@example.com", final_recipient="ADA@example.com")
    assert [one.meta_value("why") for one in events(report(members[0], again))] == [None, None]


def test_instants() -> None:
    attempt = "Sat, 21 Nov 2026 10:00:00 +0000"
    dated = report(status(last_attempt_text=attempt), date_text="Sat, 21 Nov 2026 11:00:00 +0000")
    assert events(dated)[0].at == datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert events(report(status(), date_text="Sat, 21 Nov 2026 11:00:00 +0000"))[0].at == datetime(
        2026, 11, 21, 11, 0, tzinfo=UTC
    )
    assert events(dated, at=AT)[0].at == AT
    assert events(report(status()), received_at=LATER)[0].at == LATER
    assert events(report(status()))[0].at is None
    from_the_future = report(status(), date_text="Sat, 21 Nov 2099 11:00:00 +0000")
    assert events(from_the_future, received_at=LATER)[0].at == LATER
    assert events(report(status(last_attempt_text="yesterday"), date_text="Sat, 21 Nov 2026 11:00:00 +0000"))[0].at == (
        datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
    )


DSN = """\
Return-Path: <>
{trace}From: MAILER-DAEMON@mta.example.net
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: <20261121.1@mta.example.net>
Date: Sat, 21 Nov 2026 11:00:00 +0000
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b

I could not deliver it.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mta.example.net

Final-Recipient: rfc822; one@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

Final-Recipient: rfc822; two@example.com
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 mailbox full

--b
Content-Type: text/rfc822-headers

Message-ID: <m1@news.example>
{ref}
--b--
"""


def read(trace: str = "", to: str = "bounces@news.example", ref: str = "", **match: Any) -> BounceReport:
    raw = DSN.format(trace=trace, to=to, ref=ref).encode()
    found = parse(raw, settings=BounceSettings(match=MatchSettings(**match)))
    assert found is not None
    return found


def test_another_delivery_of_the_same_report_gives_the_same_ids() -> None:
    plain = [event.event_id for event in events(read())]
    trace = "Received: from a by b; Sat, 21 Nov 2026 12:00:00 +0000\nX-Original-To: x@news.example\n"
    again = [event.event_id for event in events(read(trace, to="other@news.example"), at=AT)]
    assert plain == again
    assert len(set(plain)) == 2
    other = replace(read(), message_id="another@mta.example.net")
    assert not set(plain) & {event.event_id for event in events(other)}


def test_the_same_recipient_twice_in_one_report_gives_two_ids() -> None:
    ids = {event.event_id for event in events(report(status(), status(), status()))}
    assert len(ids) == 3


def test_a_delay_and_a_failure_are_two_events() -> None:
    delayed = report(status(action="delayed", permanence=Permanence.TRANSIENT), message_id=None, arrival_date_text="x")
    failed = report(status(), message_id=None, arrival_date_text="x")
    assert events(delayed)[0].event_id != events(failed)[0].event_id


def test_proofs_reach_the_events() -> None:
    ref = MessageRef(ref="c42", recipient="one@example.com", tenant="acme", stream="news")
    name, value = SIGNER.header(ref)
    field = f"{name}: {value}".replace("\r\n", "\n")
    first, second = events(read(ref=field, ref_signer=SIGNER))
    assert (first.matched, first.ref, first.tenant, first.stream) == ("ref", "c42", "acme", "news")
    assert first.meta_value("suppress") is None
    assert second.meta_value("suppress") == "no"  # the message went to one@example.com
    assert events(read(ref=field))[0].matched is None


def reply(**changes: Any) -> AutoReply:
    return AutoReply(evidence="Auto-Submitted: auto-replied", sender="user@example.com", **changes)


def test_automatic_replies() -> None:
    away = report(kind="autoreply", form="text", autoreply=reply(), evidence="Auto-Submitted: auto-replied")
    (one,) = events(away, at=AT)
    assert (one.kind, one.recipient, one.reason, one.source) == (
        EventKind.AUTOREPLIED,
        "user@example.com",
        None,
        "bounce",
    )
    assert one.meta_value("suppress") == "no"
    assert one.meta_value("gone") is None
    gone = report(
        kind="autoreply",
        form="text",
        autoreply=reply(gone=True, gone_evidence="no longer in use", new_address="new@example.org"),
    )
    (one,) = events(gone)
    assert (one.reason, one.meta_value("gone"), one.meta_value("new_address")) == (
        Reason.MAILBOX_DISABLED,
        "yes",
        "new@example.org",
    )
    assert one.meta_value("suppress") == "no"
    proved = replace(gone, ref=MessageRef(ref="c42", recipient="mailed@example.com"), matched="return_path")
    assert events(proved)[0].recipient == "mailed@example.com"
    nobody = report(kind="autoreply", form="text")
    assert events(nobody)[0].recipient is None
