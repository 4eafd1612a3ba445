"""The wrapping of a report: where its part lies, what is missing, what is claimed (RFC 5965 2 to 4)."""

import pytest

from mailgate.fbl import parse
from mailgate.records import Mail, ParseError
from tests.fbl.build import FIELDS, RETURNED, report, with_rcpt


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (report(), "as the RFC has it"),
        (report(kind="multipart/report"), "without report-type"),
        (report(kind="multipart/report; report-type=delivery-status"), "with another report-type"),
        (report(kind="multipart/mixed"), "multipart/mixed (Netease)"),
        (report(part_type="text/plain"), "report-type tells, the part became text"),
        (report(kind="multipart/mixed", part_type="application/octet-stream"), "the part became an attachment"),
        (
            report(fields="Dear customer,\n\n" + FIELDS, kind="multipart/mixed", part_type="text/plain"),
            "the part became text behind prose, and the message came back",
        ),
        (
            report(fields="\n" + FIELDS, returned=None, kind="multipart/mixed", part_type="text/plain"),
            "the part became text, and nothing came back",
        ),
        (report(fields="\ufeff" + FIELDS), "a byte order mark before the first field"),
        (report(part_type="Message/Feedback-Report; name=ATT1"), "upper case and a name"),
        (report(returned=None), "without a returned message"),
        (report(returned_type="message/rfc822"), "a whole message"),
        (report(returned_type="text/rfc822-header"), "the singular (arf-12)"),
        (report(returned_type="message/global"), "RFC 6532"),
        (report(returned_type="application/octet-stream"), "the returned message became an attachment"),
        (b"From x@y Fri Nov 20 11:00:00 2026\n" + report(), "an mbox line first"),
        (report().replace(b"\n--b--\n", b""), "the last boundary is cut off"),
    ],
)
def test_a_report_is_found_in_any_wrapping(message: bytes, why: str) -> None:
    found = parse(message)
    assert found is not None, why
    assert (found.form, found.feedback_type, found.user_agent, found.version) == ("arf", "abuse", "Test/1", "1")


@pytest.mark.parametrize("returned_type", ["message/rfc822", "text/rfc822-headers", "application/octet-stream"])
def test_the_returned_message_is_read_whatever_its_type(returned_type: str) -> None:
    found = parse(report(returned_type=returned_type))
    assert found is not None
    assert found.original_message_id == "1@news.example"


def test_a_mail_that_was_read_before_is_taken_as_it_is() -> None:
    assert parse(Mail.read(report())) == parse(report())


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"Subject: Feedback-Type: abuse\n\nFeedback-Type: abuse\nUser-Agent: x\nVersion: 1\n",
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHow do I read a Feedback-Type: abuse field?\n--b--\n",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nx\n--b--\n",
        report(
            fields="What does this mean?\n\n" + FIELDS, returned=None, kind="multipart/mixed", part_type="text/plain"
        ),
        report(fields="User-Agent: x\n", kind="multipart/mixed", part_type="text/plain"),
    ],
)
def test_mail_about_reports_is_no_report(message: bytes) -> None:
    assert parse(message) is None


def test_a_report_inside_a_returned_message_is_not_ours() -> None:
    inner = report().decode()
    outer = f"Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n{inner}\n--o--\n"
    assert parse(outer.encode()) is None


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (
            b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nx\n--b--\n",
            "no_feedback_report",
        ),
        (report(fields="", returned=None), "empty_feedback_report"),
        (report(fields="this is prose\n", returned=None), "empty_feedback_report"),
    ],
)
def test_a_claim_that_cannot_be_read_is_refused(message: bytes, error: str) -> None:
    with pytest.raises(ParseError) as raised:
        parse(message)
    assert raised.value.error == error


def test_a_report_without_its_part_but_with_the_message_is_read() -> None:
    head = b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nx\n--b\n"
    found = parse(head + b"Content-Type: text/rfc822-headers\n\n" + RETURNED.encode() + b"\n--b--\n")
    assert found is not None
    assert found.feedback_type is None
    assert found.original_message_id == "1@news.example"
    assert "missing_report_part" in found.defects


@pytest.mark.parametrize(
    ("fields", "defect"),
    [
        ("User-Agent: a\nVersion: 1\n", "missing_feedback_type"),
        ("Feedback-Type: abuse\nVersion: 1\n", "missing_user_agent"),
        ("Feedback-Type: abuse\nUser-Agent: a\n", "missing_version"),
        (FIELDS + "Version: 2\n", "repeated_version"),
        (FIELDS + "Arrival-Date: tomorrow\n", "bad_arrival_date"),
        (FIELDS + "Source-IP: x.x.x.x\n", "masked_source_ip"),
        (FIELDS + "Incidents: lots\n", "bad_incidents"),
        (FIELDS + "DKIM-Canonicalized-Body: A\n", "bad_dkim_canonicalized_body"),
    ],
)
def test_what_is_missing_or_odd_is_said(fields: str, defect: str) -> None:
    found = parse(report(fields))
    assert found is not None
    assert defect in found.defects
    clean = parse(report())
    assert clean is not None
    assert clean.defects == ()


def test_of_a_field_that_may_stand_once_the_first_counts() -> None:
    found = parse(report(FIELDS + "Feedback-Type: fraud\nSource-IP: 192.0.2.1\nSource-IP: 192.0.2.2\n"))
    assert found is not None
    assert (found.feedback_type, found.source_ip) == ("abuse", "192.0.2.1")


@pytest.mark.parametrize("unreadable", ["", "x.x.x.x", "unknown"])
def test_a_field_that_cannot_be_read_hides_no_second_one(unreadable: str) -> None:
    found = parse(report(f"{FIELDS}Source-IP: {unreadable}\nSource-IP: 192.0.2.2\n"))
    assert found is not None
    assert (found.source_ip, found.defects) == ("192.0.2.2", ("repeated_source_ip",))


def test_repeatable_fields_keep_their_order_and_unknown_fields_are_kept() -> None:
    extra = "Reported-Domain: b.example\nReported-Domain: a.example\nX-New: 1\nx-new: 2\n"
    found = parse(report(FIELDS + extra))
    assert found is not None
    assert found.reported_domain == ("b.example", "a.example")
    assert found.fields[-2:] == (("X-New", "1"), ("x-new", "2"))
    assert found.field("X-NEW") == "1"
    assert found.field("nothing") is None


def test_arrival_date_goes_before_received_date() -> None:
    both = "Received-Date: Fri, 20 Nov 2026 01:00:00 +0000\nArrival-Date: Fri, 20 Nov 2026 02:00:00 +0000\n"
    found = parse(report(FIELDS + both))
    assert found is not None
    assert found.arrival_date is not None
    assert found.arrival_date.hour == 2


def test_an_authentication_report_without_its_type_is_known_by_its_fields() -> None:
    found = parse(report("User-Agent: a\nVersion: 1\nAuth-Failure: spf\n"))
    assert found is not None
    assert found.feedback_type == "auth-failure"
    assert "feedback_type" in found.derived


def test_the_message_id_of_the_returned_message_goes_before_that_of_the_report() -> None:
    found = parse(report(FIELDS + "Message-ID: <other@x.example>\n"))
    assert found is not None
    assert found.original_message_id == "1@news.example"
    alone = parse(report(FIELDS + "Original-Message-ID: <other@x.example>\n", returned="From: a@b.example\n"))
    assert alone is not None
    assert alone.original_message_id == "other@x.example"
    assert "original_message_id" not in alone.derived


def test_sparse_reports_are_filled_only_for_those_who_send_them() -> None:
    returned = (
        "Received: from a ([192.0.2.7]) by b; Fri, 20 Nov 2026 10:00:00 +0000\nReturn-Path: <s@news.example>\n"
        + RETURNED
    )
    plain = parse(report(returned=returned))
    assert plain is not None
    assert (plain.source_ip, plain.arrival_date, plain.original_mail_from) == (None, None, None)
    sparse = parse(report(FIELDS.replace("Test/1", "JMRP/1.0"), returned))
    assert sparse is not None
    assert (sparse.source_ip, sparse.original_mail_from) == ("192.0.2.7", "s@news.example")
    assert sparse.arrival_date_text == "Fri, 20 Nov 2026 10:00:00 +0000"
    assert {"source_ip", "arrival_date", "original_mail_from"} <= set(sparse.derived)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Received: from x ([10.1.1.1]) by y; d\nReceived: from z ([192.0.2.8]) by x; d\n", "192.0.2.8"),
        ("Received: from x ([192.168.1.1]) by y; d\n", None),
        (
            "Received-SPF: Pass (y: domain of s) client-ip=192.0.2.9; helo=h\nReceived: from x ([192.0.2.8]) by y\n",
            "192.0.2.9",
        ),
        ("Received: from x (2001:db8::9) by y; d\n", "2001:db8::9"),
        ("Received: from x ([192.000.002.008]) by y; d\n", "192.000.002.008"),
        ("Received: from x ([010.0.0.08]) by y; d\n", None),
        ("Received: from x by 192.0.2.55 with SMTP; d\n", None),
    ],
)
def test_the_source_ip_of_a_sparse_report_is_that_of_the_border(header: str, expected: str | None) -> None:
    found = parse(report(FIELDS.replace("Test/1", "JMRP/1.0"), header + RETURNED))
    assert found is not None
    assert found.source_ip == expected


def test_incidents_are_carried_to_the_event() -> None:
    from mailgate.fbl import events

    found = parse(report(with_rcpt("ann@example.net", extra="Incidents: 7\n")))
    assert found is not None
    (event,) = events(found)
    assert event.meta_value("incidents") == "7"
