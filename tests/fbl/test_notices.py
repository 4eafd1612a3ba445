"""Complaints that are no feedback report: what gives them away, and what merely looks like them."""

import base64
import json

import pytest

from mailgate.fbl import FeedbackSettings, parse
from mailgate.fbl._xarf import read_lines
from mailgate.records import KeyRing, MessageRef, RefSigner

HOTMAIL = """From: {sender}
To: abuse@news.example
Subject: {subject}
MIME-Version: 1.0
Content-Type: {kind}; boundary=b

--b
Content-Type: message/rfc822

{extra}From: news@news.example
To: ann@hotmail.example
Subject: Sale
Message-ID: <1@news.example>

Hello
--b--
"""


def notice(
    sender: str = "staff@hotmail.com",
    subject: str = "complaint about message from 192.0.2.1",
    kind: str = "multipart/mixed",
    extra: str = "X-HmXmrOriginalRecipient: ann@hotmail.example\n",
) -> bytes:
    return HOTMAIL.format(sender=sender, subject=subject, kind=kind, extra=extra).encode()


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (notice(), "as Microsoft sent it"),
        (notice(sender="Staff <STAFF@hotmail.com>"), "brackets, name, case"),
        (notice(subject=" Complaint about message from x"), "white space and case"),
        (notice(extra=""), "known by sender and subject"),
        (notice(sender="fwd@relay.example", subject="Fwd: x"), "known by Microsoft's own field"),
        (notice(kind="multipart/report"), "another multipart"),
    ],
)
def test_microsofts_old_notices(message: bytes, why: str) -> None:
    found = parse(message)
    assert found is not None, why
    assert (found.form, found.feedback_type, found.reporter) == ("jmrp", "abuse", "Microsoft")
    assert found.recipients == ("ann@hotmail.example",)
    assert "feedback_type" in found.derived


@pytest.mark.parametrize(
    "message",
    [
        notice(sender="eve@example.com", extra=""),
        notice(subject="hello", extra=""),
        notice(extra="", sender="staff@hotmail.com.example"),
        notice(kind="text/plain"),
    ],
)
def test_forwarded_mail_is_no_complaint(message: bytes) -> None:
    assert parse(message) is None


def test_apple_needs_its_own_field() -> None:
    apple = b"From: Ann <ann@example.net>\nX-Apple-Unsubscribe: true\nAuto-Submitted: auto-replied\n\nApple Mail sent\n"
    found = parse(apple)
    assert found is not None
    assert (found.form, found.complaint_type, found.recipients) == ("apple", "opt-out", ("ann@example.net",))
    assert parse(apple.replace(b"true", b"false")) is None
    assert parse(apple.replace(b"X-Apple-Unsubscribe: true\n", b"")) is None
    nobody = parse(apple.replace(b"ann@example.net", b"redacted@example.net"))
    assert nobody is not None
    assert nobody.recipients == ()


def test_a_second_press_of_apples_button_is_another_report() -> None:
    from mailgate.fbl import events

    first = parse(b"From: a@b.example\nMessage-ID: <1@b.example>\nX-Apple-Unsubscribe: true\n\nx\n")
    second = parse(b"From: a@b.example\nMessage-ID: <2@b.example>\nX-Apple-Unsubscribe: true\n\nx\n")
    assert first is not None
    assert second is not None
    assert events(first)[0].event_id != events(second)[0].event_id


EXIM = """Subject: DMARC

A message claiming to be from you has failed the published DMARC
policy for your domain.

  Sender Domain: news.example
  Sender IP Address: 192.0.2.34
  Received Date: Fri, 20 Nov 2026 11:00:00 +0100
  SPF Alignment: {spf}
  DKIM Alignment: {dkim}
  DMARC Results: Reject
"""


@pytest.mark.parametrize(
    ("spf", "dkim", "expected"),
    [("no", "no", ("none",)), ("yes", "no", ("spf",)), ("yes", "yes", ("dkim", "spf")), ("no", "yes", ("dkim",))],
)
def test_exims_notice_without_a_copy_of_the_header(spf: str, dkim: str, expected: tuple[str, ...]) -> None:
    found = parse(EXIM.format(spf=spf, dkim=dkim).encode())
    assert found is not None
    assert found.auth_failure is not None
    assert found.auth_failure.identity_alignment == expected
    assert (found.form, found.feedback_type, found.source_ip) == ("text", "auth-failure", "192.0.2.34")
    assert (found.reported_domain, found.original_message_id) == (("news.example",), None)


def wrapped(kind: str, *others: str) -> bytes:
    """Exim's text as the first part of a multipart."""
    head, _, text = EXIM.format(spf="no", dkim="no").partition("\n\n")
    parts = [f"Content-Type: text/plain\n\n{text}", *others]
    body = "".join(f"--b\n{part}\n" for part in parts)
    return f"{head}\nMIME-Version: 1.0\nContent-Type: {kind}; boundary=b\n\n{body}--b--\n".encode()


RETURNED_PART = "Content-Type: text/rfc822-headers\n\nFrom: news@news.example\nMessage-ID: <forged.1@bad.example>\n"


@pytest.mark.parametrize(
    "kind", ["multipart/report", "multipart/report; report-type=feedback-report", "multipart/mixed"]
)
@pytest.mark.parametrize(("others", "message_id"), [((), None), ((RETURNED_PART,), "forged.1@bad.example")])
def test_exims_notice_as_the_first_part_of_a_multipart(
    kind: str, others: tuple[str, ...], message_id: str | None
) -> None:
    found = parse(wrapped(kind, *others))
    assert found is not None
    assert (found.form, found.complaint_type, found.source_ip) == ("text", "auth-failure", "192.0.2.34")
    assert found.original_message_id == message_id


def test_exims_words_in_another_report_are_not_its_notice() -> None:
    assert parse(wrapped("multipart/report", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x")) is None
    found = parse(wrapped("multipart/report", "Content-Type: message/feedback-report\n\nFeedback-Type: abuse"))
    assert found is not None
    assert (found.form, found.feedback_type) == ("arf", "abuse")


def ses(complaint: object, mail: object = None, **outer: object) -> bytes:
    notice = {"notificationType": "Complaint", "complaint": complaint, "mail": mail, **outer}
    return b"Subject: AWS Notification Message\n\n" + json.dumps(notice).encode()


@pytest.mark.parametrize(
    "message",
    [
        b"Subject: x\n\n{}",
        b"Subject: x\n\n{complaint",
        b"Subject: x\n\n[1]",
        b"Subject: x\n\nYour complaint {is} important to us",
        ses("not an object"),
        ses({"complainedRecipients": []}, notificationType="Bounce"),
        b"Subject: x\n\n" + json.dumps({"Type": "Notification", "Message": "complaint"}).encode(),
        b"Subject: x\n\n{" + b'"complaint":{' * 20_000,
    ],
)
def test_other_json_is_no_complaint(message: bytes) -> None:
    assert parse(message) is None


@pytest.mark.parametrize(
    ("complaint", "mail"),
    [
        ({}, None),
        ({"complainedRecipients": "ann"}, []),
        ({"complainedRecipients": [1, None, {"emailAddress": 5}, {"emailAddress": " "}]}, {"headers": 5}),
        ({"complaintFeedbackType": 7, "timestamp": None}, {"headers": [{"name": "a b", "value": "c"}, 3]}),
        ({"userAgent": "\ud800", "x": "\udfff"}, {"commonHeaders": "no", "source": "\ud800"}),
    ],
)
def test_ses_json_of_any_shape_is_read_through(complaint: object, mail: object) -> None:
    from mailgate.fbl import events

    found = parse(ses(complaint, mail))
    assert found is not None
    assert found.recipients == ()
    assert len(events(found)) == 1
    json.dumps(found.to_dict(), ensure_ascii=False).encode()


def test_our_reference_tells_which_of_two_recipients_of_ses_complained() -> None:
    signer = RefSigner(KeyRing.of(b"complaints-test-0f1e2d3c4b5a6978"))
    name, value = signer.header(MessageRef(ref="w42", recipient="bob@example.net"))
    two = {"complainedRecipients": [{"emailAddress": "ann@example.net"}, {"emailAddress": "bob@example.net"}]}
    message = ses(two, {"headers": [{"name": name, "value": value.replace("\r\n", "")}]})
    plain, ours = parse(message), parse(message, settings=FeedbackSettings(refs=signer))
    assert plain is not None
    assert ours is not None
    assert plain.recipients == ()
    assert (ours.recipients, ours.recipient_source, ours.matched) == (("bob@example.net",), "ref", "ref")


def test_ses_says_when_it_never_sent_the_mail() -> None:
    listed = [{"emailAddress": "ann@example.net"}]
    found = parse(ses({"complainedRecipients": listed, "complaintSubType": "OnAccountSuppressionList"}))
    assert found is not None
    assert "not_sent_by_suppression_list" in found.defects


def test_ses_as_an_attachment_type_of_its_own() -> None:
    message = ses({"complainedRecipients": [{"emailAddress": "ann@example.net"}]})
    found = parse(message.replace(b"Subject:", b"Content-Type: application/json\nSubject:"))
    assert found is not None
    assert found.recipients == ("ann@example.net",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A: 1\nB: 'two'\n", (("A", "1"), ("B", "two"))),
        ('A: "x # y"\nB: x # y\n', (("A", "x # y"), ("B", "x"))),
        ("A:\n  - 1\n  - 2\nB: 3\n", (("A", "1"), ("A", "2"), ("B", "3"))),
        ("# comment\n---\nA: 1\n...\n", (("A", "1"),)),
        ("no colon here\nhttp://x.example/\n", ()),
        ("", ()),
    ],
)
def test_the_lines_of_an_old_xarf_report(text: str, expected: tuple[tuple[str, str], ...]) -> None:
    assert read_lines(text) == expected


def xarf(second: str, *, head: str = "X-XARF: PLAIN\n", kind: str = "text/plain") -> bytes:
    return (
        f"From: a@provider.example\n{head}Content-Type: multipart/mixed; boundary=b\n\n--b\n\nprose\n"
        f"--b\nContent-Type: {kind}\n\n{second}\n--b--\n"
    ).encode()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("spam", "abuse"),
        ("phishing", "fraud"),
        ("malware-attack", "virus"),
        ("unsubscribe", "opt-out"),
        ("login-attack", "other"),
    ],
)
def test_the_type_of_an_xarf_report(kind: str, expected: str) -> None:
    found = parse(xarf(f"Reported-From: a@b.example\nCategory: abuse\nReport-Type: {kind}\nSource: 192.0.2.1\n"))
    assert found is not None
    assert (found.form, found.feedback_type, found.source_ip) == ("xarf", expected, "192.0.2.1")
    assert "feedback_type" in found.derived


def test_a_reported_domain_and_uri_of_xarf() -> None:
    base = "Reported-From: a@b.example\nCategory: fraud\nReport-Type: phishing\n"
    domain = parse(xarf(f"{base}Source-Type: domain\nSource: shop.example\n"))
    uri = parse(xarf(f"{base}Source-Type: uri\nSource: http://shop.example/\n"))
    assert domain is not None
    assert uri is not None
    assert (domain.reported_domain, uri.reported_uri) == (("shop.example",), ("http://shop.example/",))


@pytest.mark.parametrize(
    "message",
    [
        xarf("Hello: world\n"),
        xarf("Reported-From: a@b.example\n", head=""),
        xarf('{"a": 1}', kind="application/json"),
        xarf("[" * 50_000, kind="application/json"),
        xarf('{"xarf_version": ', kind="application/json"),
    ],
)
def test_other_attachments_are_no_xarf(message: bytes) -> None:
    assert parse(message) is None


def test_xarf_json_with_odd_values_is_read_through() -> None:
    report = {
        "xarf_version": 4,
        "type": None,
        "source_identifier": ["x"],
        "evidence": [5, {"content_type": "message/rfc822", "payload": "!!!"}, {"content_type": "image/png"}],
    }
    found = parse(xarf(json.dumps(report), kind="application/json"))
    assert found is not None
    assert (found.version, found.feedback_type, found.original_message_id) == ("4", "other", None)


def test_the_evidence_of_xarf_3_is_the_returned_message() -> None:
    payload = base64.b64encode(b"Message-ID: <1@news.example>\n").decode()
    report = {
        "Version": "3",
        "ReporterInfo": {},
        "Report": {
            "ReportType": "Spam",
            "Samples": [{"ContentType": "message/rfc822", "Base64Encoded": True, "Payload": payload}],
        },
    }
    found = parse(xarf(json.dumps(report), kind="application/json"))
    assert found is not None
    assert (found.form, found.original_message_id) == ("xarf", "1@news.example")
