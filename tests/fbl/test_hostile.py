"""Any bytes whatever give a report, None or ParseError, in linear time."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from mailgate.fbl import FeedbackReport, FeedbackSettings, events, parse
from mailgate.fbl._values import addresses, ip_address, written_addresses
from mailgate.fbl._xarf import read_lines
from mailgate.records import ParseError
from tests.fbl.build import FIELDS, RETURNED, report, with_rcpt
from tests.support.growth import is_linear
from tests.support.mutations import mutated

FIXTURES = Path(__file__).parents[2] / "fixtures" / "fbl"
MESSAGES = [path.read_bytes() for path in sorted(FIXTURES.rglob("*.eml"))]
ROUNDS = int(os.environ.get("MAILGATE_FUZZ", "20000"))
SETTINGS = FeedbackSettings(verp_domains=("news.example",), recipient_headers=("X-To",), sparse_user_agents=("",))

DICTIONARY = (
    *(
        b"\n\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"--b",
        b"--",
        b"<",
        b">",
        b"@",
        b'"',
        b"(",
        b"=?utf-8?q?",
        b"?=",
        b"\xff",
        b"\xfe\xff",
    ),
    *(
        b"Content-Type: message/feedback-report\n",
        b"Content-Type: message/rfc822\n\n",
        b"Feedback-Type: ",
        b"Version: 1\n",
    ),
    *(b"Content-Transfer-Encoding: base64\n", b"Original-Rcpt-To: ", b"Source-IP: ", b"Incidents: 99999999999\n"),
    *(b"Arrival-Date: Fri, 99 Nov 99999 99:99:99 +9999\n", b"X-Apple-Unsubscribe: true\n", b"{", b'"complaint"', b"[["),
    *(b'"\\ud800"', b"+2AA-", b"charset=utf-7;", b"A message claiming to be from you has failed the published DMARC"),
)


def check(message: bytes) -> None:
    """The promise: a value or ParseError; what comes out can be written down, read back and made into events."""
    try:
        found = parse(message, settings=SETTINGS)
    except ParseError:
        return
    if found is None:
        return
    wire = json.dumps(found.to_dict())
    assert FeedbackReport.from_dict(json.loads(wire)) == found
    for event in events(found):
        json.dumps(event.to_dict(), ensure_ascii=False)
        assert len(event.event_id) == 32
    # A report can be put into a database and onto a terminal: text without lone surrogates.
    json.dumps({**found.to_dict(), "auth_failure": None}, ensure_ascii=False).encode("utf-8")


def test_every_report_cut_at_every_byte() -> None:
    for message in MESSAGES[::4]:
        for end in range(0, len(message), 3):
            check(message[:end])


def test_seeded_mutations() -> None:
    for message in mutated(MESSAGES, DICTIONARY, seed=5965, rounds=ROUNDS):
        check(message)


def test_random_bytes() -> None:
    chance = random.Random(6591)
    for _ in range(500):
        check(chance.randbytes(chance.randrange(3_000)))
        check(report(chance.randbytes(300).decode("latin-1"), chance.randbytes(300).decode("latin-1")))


@pytest.mark.parametrize("count", [1, 2])
def test_limits_of_the_report_part(count: int) -> None:
    found = parse(report(FIELDS + "X: y\n" * (4_996 + count)))
    assert found is not None
    assert len(found.fields) == min(4_999 + count, 5_000)


def test_a_body_field_of_a_megabyte_is_read_whole() -> None:
    import base64

    body = b"x" * 600_000
    found = parse(report(FIELDS + f"DKIM-Canonicalized-Body: {base64.b64encode(body).decode()}\n"))
    assert found is not None
    assert found.auth_failure is not None
    assert found.auth_failure.dkim_canonicalized_body == body


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda n: report(FIELDS + "Original-Rcpt-To: a@b.example\n" * n), 1_500),
        (lambda n: report(with_rcpt("a@b.example," * n)), 4_000),
        (lambda n: report(FIELDS + "Original-Rcpt-To: " + '"' * n + "\n"), 20_000),
        (lambda n: report(FIELDS + "Original-Rcpt-To: " + "<" * n + "\n"), 20_000),
        (lambda n: report(FIELDS + "Original-Rcpt-To: " + "(" * n + "@,@\n"), 20_000),
        (lambda n: report(FIELDS + "Source-IP: " + ":1" * n + "\n"), 20_000),
        (lambda n: report(FIELDS + "Arrival-Date: " + "1 " * n + "\n"), 20_000),
        (lambda n: report(FIELDS, RETURNED + "To: " + '\\"' * n + "@\n"), 20_000),
        (lambda n: report(FIELDS, RETURNED + "Received: from x ([10.0.0.1]) by y\n" * n), 3_000),
        (lambda n: report(FIELDS + "\n" + "Version: 1\n\n" * n), 10_000),
        (lambda n: b"Subject: x\n\n{" + b'"complaint":[' * n, 20_000),
        (lambda n: b"Subject: x\n\n{ complaint" + b"!\n " * n, 50_000),
        (
            lambda n: (
                b"\nA message claiming to be from you has failed the published DMARC policy for your domain.\n  A"
                + b"a: " * n
            ),
            20_000,
        ),
        (lambda n: b"\nA message claiming to be from you has failed the published DMARC" + b" \n" * n, 50_000),
        (lambda n: b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b\n\n" + b"Reported-From: a\n" * n, 20_000),
        (lambda n: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nfeedback-type: x\n" * n, 400),
    ],
)
def test_work_grows_with_the_input_and_not_faster(make: Callable[[int], bytes], size: int) -> None:
    assert is_linear(lambda count: check(make(count)), size // 8)


def read_small(text: str) -> None:
    addresses(text)
    written_addresses(text)
    ip_address(text)
    read_lines(text)


@pytest.mark.parametrize("piece", ["@", '"\\', "a@b ", "<@>", "((((", "a: - "])
def test_the_small_readers_grow_with_their_input(piece: str) -> None:
    assert is_linear(lambda count: read_small(piece * count), 1_000)
