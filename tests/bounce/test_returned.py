"""The returned message's header, and whom it names."""

import pytest

from mailgate.bounce._returned import (
    MAX_HEADER_CHARACTERS,
    addressed_to,
    headers_in,
    is_returned_bounce,
    mailed_to,
    only_recipient,
    returned_headers,
)
from mailgate.bounce._text import Notification
from mailgate.records import Headers, Mail
from tests.bounce.cases import FOLDER, MESSAGE_FIELDS, RECIPIENT_FIELDS, dsn


def headers(text: str) -> Headers:
    return Headers.parse(text.encode())


def of(message: bytes) -> Headers | None:
    mail = Mail.read(message)
    return returned_headers(mail, Notification(mail))


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_of_a_part(ending: bytes) -> None:
    message = dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, returned="Subject: a\n b\nMessage-ID: <1@x>\n")
    found = of(message.replace(b"\n", ending))
    assert found is not None
    assert (found.get("subject"), found.get("message-id")) == ("a b", "<1@x>")


def test_of_an_encoded_part() -> None:
    import base64

    message = dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS).replace(
        b"Content-Type: message/rfc822\n\nMessage-ID: <orig@sender.example>\nTo: ada@target.example\n",
        b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(b"Message-ID: <1@x>\n\nhi\n"),
    )
    found = of(message)
    assert found is not None
    assert found.get("message-id") == "<1@x>"


def test_of_a_header_behind_the_boundary() -> None:
    found = of((FOLDER / "sisimai" / "lhost-x1-01.eml").read_bytes())
    assert found is not None
    assert "Message-ID" in found


def test_a_removed_message_has_no_header() -> None:
    assert of(dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, returned="Message removed")) is None


@pytest.mark.parametrize(
    "text",
    [
        "--- Below this line is a copy.\n\nFrom: a@x\nTo: b@x\nMessage-ID: <1@x>\n\nbody",
        "> Original message:\n> From: a@x\n> To: b@x\n> Message-ID: <1@x>\n>\n> body",
        "Original mail as follows:\n\n   From a@x Thu\n   From: a@x\n   To: b@x\n   Message-ID: <1@x>\n\n   body",
    ],
)
def test_in_a_text(text: str) -> None:
    found = headers_in(text)
    assert found is not None
    assert found.get("message-id") == "<1@x>"


@pytest.mark.parametrize("text", ["", "no header: here", "a: b\n" * 3, "x" * (MAX_HEADER_CHARACTERS + 1)])
def test_no_header_in_a_text(text: str) -> None:
    found = headers_in(text)
    assert found is None or "message-id" not in found


@pytest.mark.parametrize(
    ("returned", "near", "recipient"),
    [
        ("X-Envelope-To: ada@x\nTo: bob@x\n", "", "ada@x"),
        ("Received: from a by b\n for <ada@x>; today\nTo: bob@x\n", "", "ada@x"),
        ("To: ada@x\n", "", "ada@x"),
        ("To: Ada <ada@x>, ADA@x\n", "", "ada@x"),
        ("To: ada@x.example, bob@y.example\n", "host y.example is gone", "bob@y.example"),
        ("To: ada@x.example, bob@y.example\n", "", None),
        ("Subject: x\n", "", None),
    ],
)
def test_the_one_recipient(returned: str, near: str, recipient: str | None) -> None:
    assert only_recipient(headers(returned), near) == recipient


@pytest.mark.parametrize(
    ("returned", "mailed"),
    [
        ("Delivered-To: fwd@y\nTo: fwd@y\nReturn-Path: <b@s>\n", "fwd@y"),
        ("X-Forwarded-For: 192.0.2.1\nDelivered-To: fwd@y\nTo: fwd@y\n", "fwd@y"),
        ("Delivered-To: ada@x\nTo: fwd@y\n", None),
        ("Delivered-To: fwd@y\nTo: ada@x\n", None),
        ("Delivered-To: list@s\nTo: list@s\nReturn-Path: <list-bounces@s>\n", None),
        ("To: fwd@y\n", None),
    ],
)
def test_whom_the_sender_wrote_to(returned: str, mailed: str | None) -> None:
    assert mailed_to(headers(returned), "ada@x") == mailed


def test_addressed_to() -> None:
    assert addressed_to(headers("To: A <A@x>\nCc: b@x, c@x\nTo: d@x\n")) == {"a@x", "b@x", "c@x", "d@x"}


@pytest.mark.parametrize(
    ("path", "bounce"), [("<>", True), ("<MAILER-DAEMON>", True), ("<MAILER-DAEMON@x>", True), ("<a@x>", False)]
)
def test_a_bounce_that_came_back(path: str, bounce: bool) -> None:
    assert is_returned_bounce(headers(f"Return-Path: {path}\n")) is bounce
    assert not is_returned_bounce(None)
    assert not is_returned_bounce(headers("Subject: x\n"))
