"""Any bytes whatever give a report, None or ParseError, in linear time and little memory."""

import contextlib
import json
import os
import random
import tracemalloc
from collections.abc import Callable

import pytest

from mailgate.bounce import BounceReport, BounceSettings, MatchSettings, events, parse
from mailgate.records import ParseError
from tests.bounce.cases import CASES, MESSAGE_FIELDS, RECIPIENT_FIELDS, dsn, notice
from tests.support.growth import is_linear
from tests.support.mutations import mutated

MESSAGES = [case.message for case in CASES]
SMALL = [message for message in MESSAGES if len(message) < 6_000]
ROUNDS = int(os.environ.get("MAILGATE_FUZZ", "20000"))
SETTINGS = BounceSettings(match=MatchSettings(verp_domains=("sender.test", "sender.example")))

DICTIONARY = (
    b"\n\n", b"\r\n", b"\r", b"\0", b"--b", b"--", b"<", b">", b"@", b'"', b"(", b"=?utf-8?q?", b"?=", b"\xff",
    b"\xfe\xff", b"Content-Type: message/delivery-status\n", b"Content-Type: message/rfc822\n\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n",
    b"Final-Recipient: rfc822; ", b"Original-Recipient: ", b"Action: ", b"Status: ", b"Diagnostic-Code: smtp; 550 ",
    b"\n\nFinal-Recipient: a@b\n", b"utf-8; \\x{D800}", b"+2B+3D+22", b"(expanded from <", b"(generated from a@b)",
    b"Hi. This is the qmail-send program at x.\n\n<a@b>:\n", b"----- Transcript of session follows -----\n",
    b">>> RCPT To:<a@b>\n<<< 550 no\n", b'{"notificationType":"Bounce","bounce":{"bouncedRecipients":[', b"[[[[",
    b'"\\ud800"', b"Original message follows.", b"Arrival-Date: Fri, 99 Nov 99999 99:99:99 +9999\n",
    b"Auto-Submitted: auto-replied\n", b"charset=utf-7;", b"X-Failed-Recipients: ", b"Return-Path: <>\n", b"5.1.1 ",
)  # fmt: skip


def check(message: bytes) -> None:
    """The promise: a value or ParseError; what comes out can be written down, read back and made into events."""
    try:
        found = parse(message, settings=SETTINGS)
    except ParseError:
        return
    if found is None:
        return
    assert BounceReport.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    # It can be put into a database and onto a terminal: text without lone surrogates.
    json.dumps(found.to_dict(), ensure_ascii=False).encode("utf-8")
    for event in events(found):
        json.dumps(event.to_dict(), ensure_ascii=False).encode("utf-8")
        assert len(event.event_id) == 32


def test_every_fixture_cut_at_every_byte() -> None:
    for message in SMALL[::8]:
        for end in range(0, len(message), 3):
            check(message[:end])


def test_seeded_mutations() -> None:
    for message in mutated(SMALL, DICTIONARY, seed=3464, rounds=ROUNDS):
        check(message)


def test_random_bytes() -> None:
    chance = random.Random(3463)
    for _ in range(1_000):
        check(chance.randbytes(chance.randrange(3_000)))
        check(dsn(chance.randbytes(300).decode("latin-1"), text=chance.randbytes(300).decode("latin-1")))
        check(notice(chance.randbytes(600).decode("latin-1")))


def read(message: bytes) -> None:
    with contextlib.suppress(ParseError):
        report = parse(message, settings=SETTINGS)
        if report is not None:
            events(report)


GROUP = (
    "Final-Recipient: rfc822; ada{n}@target.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no\n\n"
)


def nested(levels: int) -> bytes:
    lines = [f"Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n".encode() for number in range(levels)]
    return b"From: mailer-daemon@x\nSubject: Undelivered\n" + b"".join(lines) + b"Content-Type: text/plain\n\nhi\n"


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda n: dsn(MESSAGE_FIELDS + "\n" + "".join(GROUP.format(n=i) for i in range(n))), 500),
        (
            lambda n: dsn(MESSAGE_FIELDS + "\n" + GROUP.format(n=1).strip() + "\n 550-5.1.1 user unknown here" * n),
            5_000,
        ),
        (lambda n: dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, returned="X: y\n", text="x\n" * n), 30_000),
        (lambda n: dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, returned="Delivered-To: a@b\n" * n), 2_000),
        (lambda n: dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, returned="Received: for <a@b>\n" * n), 5_000),
        (lambda n: dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS + "x" * n), 100_000),
        (lambda n: dsn(("Action: failed\n" * n) + RECIPIENT_FIELDS), 5_000),
        (lambda n: dsn("Final-Recipient: a@b\n" * n), 500),
        (lambda n: dsn("Final-Recipient: rfc822; " + "<" * n + "\nAction: failed\n"), 50_000),
        (lambda n: dsn("Original-Recipient: rfc822; " + "+2B" * n + "@b\nAction: failed\n"), 20_000),
        (lambda n: dsn("Final-Recipient: |x\nAction: failed\n", text="<a@b>: x\n" * n), 3_000),
        (lambda n: notice("Your mail was not delivered to:\n\n" + "a@b.example\n" * n), 2_000),
        (lambda n: notice("Your mail was not delivered to:\n\n" + "a@b.example, " * n), 10_000),
        (lambda n: notice("".join(f"mail to a{i}@b.example failed\n" for i in range(n))), 300),
        (lambda n: notice("x\n" + "Subject: x\n\n" * n), 10_000),
        (lambda n: notice("x\n" + "> " * n + "\nFinal-Recipient: a@b\n"), 50_000),
        (lambda n: notice("<p>" * n, head="Content-Type: text/html\n"), 40_000),
        (lambda n: notice('{"notificationType":' + "[" * n), 20_000),
        (lambda n: notice("=?utf-8?Q?=41?= " * n, subject="=?utf-8?Q?=41?= " * n), 2_000),
        (
            lambda n: dsn(
                MESSAGE_FIELDS + "\n" + GROUP.format(n=1) * n,
                text="".join(f"<m{i}@b.example> (expanded from <ada1@target.example>): no\n\n" for i in range(n)),
            ),
            200,
        ),
        (nested, 500),
    ],
)
def test_the_time_grows_with_the_input_and_no_faster(make: Callable[[int], bytes], size: int) -> None:
    assert is_linear(lambda count: read(make(count)), size // 4)


def test_a_returned_message_of_20_megabytes_is_not_copied() -> None:
    body = ("y" * 76 + "\n") * (20_000_000 // 77)
    message = dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, returned="Message-ID: <1@x>\n\n" + body)
    tracemalloc.start()
    try:
        report = parse(message)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report is not None
    assert report.original_message_id == "1@x"
    assert peak < len(message) / 4


def test_ten_thousand_groups_are_all_read() -> None:
    report = parse(dsn(MESSAGE_FIELDS + "\n" + "".join(GROUP.format(n=i) for i in range(10_000))))
    assert report is not None
    assert len(report.recipients) == 10_000
    assert report.recipients[-1].recipient == "ada9999@target.example"


def test_multiparts_nested_without_end_are_refused() -> None:
    with pytest.raises(ParseError):
        parse(nested(2_000))
