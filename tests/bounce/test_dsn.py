"""What the fields of a status part say about each recipient."""

import pytest

from mailgate.bounce import parse
from mailgate.bounce._dsn import read_action, split_diagnostic
from tests.bounce.cases import MESSAGE_FIELDS, RECIPIENT_FIELDS, dsn


def only(status: str, **options: str):  # type: ignore[no-untyped-def]
    report = parse(dsn(MESSAGE_FIELDS + "\n" + status, **options))
    assert report is not None
    (one,) = report.recipients
    return one


@pytest.mark.parametrize(
    ("original", "final", "recipient"),
    [
        ("rfc822;ada@x.example", "rfc822; other@y.example", "ada@x.example"),
        ("rfc822;ada+2Bnews@x.example", "rfc822; other@y.example", "ada+news@x.example"),
        ("rfc822;ada", "rfc822; ada@x.example", "ada@x.example"),
        ("", "rfc822; ada@x.example", "ada@x.example"),
        ("", "RFC822;<ada@x.example>", "ada@x.example"),
        ("", "ada@x.example", "ada@x.example"),
        ("", "rfc822; Ada Lovelace <ada@x.example>", "ada@x.example"),
        ("", "LOCAL; ada@x.example", "ada@x.example"),
        ("", "x400; /C=US;dda:SMTP=ada@x.example;", "ada@x.example"),
        ("", "utf-8; \\x{6A}\\x{F6}rg@x.example", "jörg@x.example"),
        ("", "utf-8; jörg@bücher.example", "jörg@bücher.example"),
        ("", "rfc822; =?utf-8?Q?ada=40x=2Eexample?=", "ada@x.example"),
        ("", "rfc822; @relay.example:ada@x.example", "ada@x.example"),
        ("", 'rfc822; "ada b"@x.example', '"ada b"@x.example'),
        ("", "rfc822; ada b@x.example", '"ada b"@x.example'),
        ("utf-8;ada@x.example", "", "ada@x.example"),
    ],
)
def test_the_recipient(original: str, final: str, recipient: str) -> None:
    fields = f"Original-Recipient: {original}\n" if original else ""
    fields += f"Final-Recipient: {final}\n" if final else ""
    one = only(fields + "Action: failed\nStatus: 5.1.1\n")
    assert one.recipient == recipient
    assert "recipient" not in one.inferred


def test_both_recipients_are_given_as_written() -> None:
    one = only(
        "Original-Recipient: rfc822;ada+2Bx@x.example\nFinal-Recipient: LOCAL; |/usr/bin/x\nAction: failed\n"
        "Status: 5.3.0\n"
    )
    assert (one.original_recipient, one.original_recipient_type) == ("ada+x@x.example", "rfc822")
    assert (one.final_recipient, one.final_recipient_type) == ("|/usr/bin/x", "local")
    assert ("Original-Recipient", "rfc822;ada+2Bx@x.example") in one.fields


@pytest.mark.parametrize("final", ["rfc822; |/usr/bin/x", "system;ada", "x-unix; /dev/null", "rfc822; @x.example"])
def test_without_an_address_the_words_are_asked(final: str) -> None:
    one = only(
        f"Final-Recipient: {final}\nAction: failed\nStatus: 5.3.0\n",
        text="Your message could not be delivered to:\n\n<ada@x.example>: command failed\n",
    )
    assert one.recipient == "ada@x.example"
    assert "recipient" in one.inferred


def test_without_words_the_returned_message_is_asked() -> None:
    one = only("Final-Recipient: rfc822; |/usr/bin/x\nAction: failed\nStatus: 5.3.0\n", text="Sorry.")
    assert one.recipient == "ada@target.example"
    assert "recipient" in one.inferred


def test_a_name_alone_is_kept_when_nobody_knows_more() -> None:
    report = parse(dsn("Final-Recipient: unknown; nair_s\nAction: failed\n", text="x", returned="Subject: x\n"))
    assert report is not None
    assert report.recipients[0].recipient == "nair_s"
    assert "recipient_is_no_address" in report.defects


def test_nobody_is_an_honest_answer() -> None:
    report = parse(dsn("Final-Recipient: x; a b c\nAction: failed\n", text="x", returned="Subject: x\n"))
    assert report is not None
    assert report.recipients[0].recipient is None
    assert "no_recipient" in report.defects


def test_where_sendmail_tried_it_is_not_who_was_written_to() -> None:
    one = only(RECIPIENT_FIELDS + "X-Actual-Recipient: rfc822; inner@host.example\n")
    assert (one.recipient, one.actual_recipient) == ("ada@target.example", "inner@host.example")


@pytest.mark.parametrize(
    ("written", "action"),
    [
        ("failed", "failed"), ("Failed", "failed"), ("failed (permanent)", "failed"), (" failure", "failed"),
        ("error", "failed"), ("expired", "failed"), ("delayed", "delayed"), ("deferred", "delayed"),
        ("delivered", "delivered"), ("relayed (to non-DSN mailer)", "relayed"), ("expanded", "expanded"),
        ("deliverable", "delivered"), ("teleported", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_actions(written: str | None, action: str | None) -> None:
    assert read_action(written) == action


@pytest.mark.parametrize(
    ("status", "action"), [("5.1.1", "failed"), ("4.2.2", "delayed"), ("2.0.0", "delivered"), ("none", "failed")]
)
def test_an_unknown_action_goes_by_the_class_of_the_status(status: str, action: str) -> None:
    one = only(f"Final-Recipient: rfc822; ada@x.example\nAction: teleported\nStatus: {status}\n")
    assert one.action == action
    assert "action" in one.inferred


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("5.1.1", "5.1.1"), ("5.1.1 (550 no such user)", "5.1.1"), ("5.001.001", "5.1.1"), ("550", None),
        ("5.1.1.1", None), ("", None), ("#5.1.1", "5.1.1"),
    ],
)  # fmt: skip
def test_statuses(written: str, status: str | None) -> None:
    one = only(f"Final-Recipient: rfc822; ada@x.example\nAction: failed\nStatus: {written}\n")
    assert (None if one.status is None else str(one.status)) == status
    assert one.status_text == (written or None)


@pytest.mark.parametrize(
    ("written", "kind", "text"),
    [
        ("smtp; 550 5.1.1 no", "smtp", "550 5.1.1 no"),
        ("SMTP;550 no", "smtp", "550 no"),
        ("X-Postfix; unknown user: \"ada\"", "x-postfix", 'unknown user: "ada"'),
        ("5.1.2 - Bad host; see log", None, "5.1.2 - Bad host; see log"),
        ("550 no; really", None, "550 no; really"),
        ("", None, ""),
    ],
)  # fmt: skip
def test_diagnostics(written: str, kind: str | None, text: str) -> None:
    assert split_diagnostic(written) == (kind, text)


def test_everything_else_in_a_group() -> None:
    one = only(
        RECIPIENT_FIELDS
        + "Remote-MTA: dns; mx.target.example\nLast-Attempt-Date: Sat, 21 Nov 2026 01:00:00 +0100\n"
        + "Will-Retry-Until: Sun, 22 Nov 2026 00:00:00 +0000\nFinal-Log-ID: log-7\nX-Note: hello\n"
    )
    assert (one.remote_mta, one.remote_mta_type) == ("mx.target.example", "dns")
    assert one.last_attempt_date is not None
    assert one.last_attempt_date.isoformat() == "2026-11-21T00:00:00+00:00"
    assert one.will_retry_until is not None
    assert one.final_log_id == "log-7"
    assert one.extensions == (("X-Note", "hello"),)


def test_everything_in_the_message_group() -> None:
    report = parse(
        dsn(
            "Original-Envelope-Id: QQ314159\nReporting-MTA: dns; mx.example\nDSN-Gateway: dns; gw.example\n"
            "Received-From-MTA: dns; app.sender.example\nArrival-Date: Sat, 21 Nov 2026 00:01:19 +0000 (UTC)\n"
            "X-Queue: 4711\n\n" + RECIPIENT_FIELDS
        )
    )
    assert report is not None
    assert report.original_envelope_id == "QQ314159"
    assert report.reporting_mta == "mx.example"
    assert report.dsn_gateway == "gw.example"
    assert report.received_from_mta == "app.sender.example"
    assert report.arrival_date is not None
    assert report.arrival_date.isoformat() == "2026-11-21T00:01:19+00:00"
    assert report.extensions == (("X-Queue", "4711"),)
    assert report.returned_header("message-id") == "<orig@sender.example>"
    assert report.returned_header("list-id") is None


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("message/delivery-status", ""),
        ("message/global-delivery-status", ""),
        ("Message/Delivery-Status; name=x", ""),
        ("text/plain", ""),
        ("application/x-unknown", ""),
    ],
)
def test_the_part_may_be_called_something_else(kind: str, encoding: str) -> None:
    if kind.startswith("application"):
        report = parse(dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, status_type=kind))
        assert report is not None
        assert report.dialect == "returned-message"
        return
    one = only(RECIPIENT_FIELDS, status_type=kind, encoding=encoding)
    assert (one.recipient, str(one.status)) == ("ada@target.example", "5.1.1")


def test_encoded_status_parts() -> None:
    import base64
    import quopri

    fields = (MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS).encode()
    for name, encoded in (("base64", base64.encodebytes(fields)), ("quoted-printable", quopri.encodestring(fields))):
        report = parse(dsn(encoded.decode(), encoding=f"Content-Transfer-Encoding: {name}\n"))
        assert report is not None
        assert report.recipients[0].recipient == "ada@target.example"


def test_verification_of_an_address_is_no_report_about_mail() -> None:
    assert parse(dsn("Final-Recipient: rfc822; a@b.example\nAction: deliverable\nStatus: 2.0.0\n")) is None
    assert parse(dsn("Final-Recipient: rfc822; a@b.example\nAction: undeliverable\nStatus: 5.1.1\n")) is None
