"""Amazon SES notices in JSON."""

import json
from typing import Any

import pytest

from mailgate.bounce import parse
from tests.bounce.cases import notice

MAIL = {
    "timestamp": "2026-11-21T00:00:00.000Z",
    "messageId": "0101-ses",
    "commonHeaders": {"messageId": "<orig@sender.example>"},
}
BOUNCE = {
    "notificationType": "Bounce",
    "mail": MAIL,
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "reportingMTA": "dsn; a8-50.smtp-out.amazonses.com",
        "bouncedRecipients": [
            {
                "emailAddress": "ada@target.example",
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 user unknown",
            }
        ],
    },
}


def read(text: str) -> Any:
    return parse(notice(text, sender="no-reply@sns.amazonaws.com", subject="AWS Notification Message"))


def changed(**values: Any) -> dict[str, Any]:
    return {**BOUNCE, "bounce": {**BOUNCE["bounce"], **values}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(BOUNCE) + "\n\n--\nIf you wish to stop receiving notifications\n",
        json.dumps({**BOUNCE, "notificationType": None, "eventType": "Bounce"}),
        json.dumps({"Type": "Notification", "Message": json.dumps(BOUNCE)}),
        json.dumps(BOUNCE)[:300] + "\n" + json.dumps(BOUNCE)[300:],
        json.dumps(BOUNCE, indent=2),
    ],
)
def test_a_bounce(text: str) -> None:
    report = read(text)
    (one,) = report.recipients
    assert (one.recipient, one.action, str(one.status), one.smtp_code) == ("ada@target.example", "failed", "5.1.1", 550)
    assert (report.dialect, report.form) == ("amazon-ses", "text")
    assert report.original_message_id == "orig@sender.example"
    assert report.original_envelope_id == "0101-ses"
    assert report.reporting_mta == "a8-50.smtp-out.amazonses.com"
    assert report.arrival_date.isoformat() == "2026-11-21T00:00:00+00:00"


def test_a_suppressed_address() -> None:
    one = {"emailAddress": "ada@target.example"}
    (found,) = read(json.dumps(changed(bounceSubType="OnAccountSuppressionList", bouncedRecipients=[one]))).recipients
    assert str(found.reason) == "suppressed_upstream"
    assert "action" in found.inferred


def test_a_delivery_and_a_delay() -> None:
    delivery = {"recipients": ["ada@target.example"], "smtpResponse": "250 2.6.0 ok", "reportingMTA": "a.example"}
    (one,) = read(json.dumps({"notificationType": "Delivery", "mail": MAIL, "delivery": delivery})).recipients
    assert (one.action, str(one.permanence)) == ("delivered", "delivered")
    delay = {"delayedRecipients": [{"emailAddress": "ada@target.example", "status": "4.4.1"}]}
    (one,) = read(json.dumps({"eventType": "DeliveryDelay", "mail": MAIL, "deliveryDelay": delay})).recipients
    assert (one.action, str(one.permanence)) == ("delayed", "transient")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"notificationType": "Complaint", "mail": MAIL, "complaint": {}}),
        json.dumps(changed(bouncedRecipients="x")),
        json.dumps(changed(bouncedRecipients=[{"emailAddress": 7}, "x", {}])),
        '{"notificationType": "Bounce"',
        '{"notificationType": ' + "[" * 20_000,
        '{"notificationType": "Bounce", "bounce": []}',
        '"notificationType"',
    ],
)
def test_what_is_no_notice_of_a_bounce(text: str) -> None:
    assert read(text) is None
