"""Whom to believe: what our own server wrote about the mail that brought a report (RFC 8601, RFC 9990 3.5.2)."""

from __future__ import annotations

import gzip

import pytest

from mailgate.dmarc import Refusal, Trust, contributions, trust_of
from mailgate.records import Mail
from tests.support.dmarc_reports import mail, report

OURS = ("mx.example.com",)


def message(*results: str, author: str = "Reports <noreply@mail.google.com>") -> Mail:
    fields = "".join(f"Authentication-Results: {words}\r\n" for words in results)
    return Mail.read(f"{fields}From: {author}\r\nSubject: x\r\n\r\nx".encode())


@pytest.mark.parametrize(
    ("results", "trust"),
    [
        (("mx.example.com; dmarc=pass (p=reject) header.from=google.com",), Trust.PASS),
        (("mx.example.com 1; dmarc=pass",), Trust.PASS),
        (("MX.Example.COM.; DMARC=Pass",), Trust.PASS),
        (("mx.example.com (our border; dmarc=fail) ; dmarc=pass",), Trust.PASS),
        (("mx.example.com;\r\n\tspf=pass smtp.mailfrom=x.example;\r\n\tdmarc=pass",), Trust.PASS),
        (("mx.example.com; dmarc/1 = pass",), Trust.PASS),
        (("mx.example.com; dmarc=fail",), Trust.FAIL),
        (("mx.example.com; dmarc=pass", "mx.example.com; dmarc=fail"), Trust.FAIL),
        (("mx.example.com; spf=pass", "mx.example.com; dmarc=pass"), Trust.PASS),
        (("mx.example.com; none",), Trust.UNKNOWN),
        (("mx.example.com",), Trust.UNKNOWN),
        (("",), Trust.UNKNOWN),
        ((), Trust.UNKNOWN),
        (("evil.example; dmarc=pass",), Trust.UNKNOWN),
        (("mx.example.com.evil.example; dmarc=pass",), Trust.UNKNOWN),
        (("evil.example; x=mx.example.com; dmarc=pass",), Trust.UNKNOWN),
        (("evil.example (mx.example.com); dmarc=pass",), Trust.UNKNOWN),
        (('mx.example.com; spf=fail reason="; dmarc=pass"',), Trust.UNKNOWN),
        (("mx.example.com; spf=fail (; dmarc=pass)",), Trust.UNKNOWN),
        (("mx.example.com; dmarc=none", "mx.example.com; dkim=pass header.d=google.com"), Trust.PASS),
        (("mx.example.com; dkim=pass header.d=mail.google.com",), Trust.PASS),
        (("mx.example.com; dkim=pass header.i=@google.com",), Trust.PASS),
        (("mx.example.com; spf=pass smtp.mailfrom=bounce@mail.google.com",), Trust.PASS),
        (("mx.example.com; dkim=pass header.d=evil.example",), Trust.UNKNOWN),
        (("mx.example.com; dkim=pass header.d=oogle.com",), Trust.UNKNOWN),
        (("mx.example.com; dkim=pass header.d=com",), Trust.UNKNOWN),
        (("mx.example.com; dkim=fail header.d=google.com",), Trust.UNKNOWN),
        (("mx.example.com; dmarc=temperror",), Trust.UNKNOWN),
        (("mx.example.com; " + "(" * 5_000 + "dmarc=pass",), Trust.UNKNOWN),
    ],
)
def test_what_our_server_says(results: tuple[str, ...], trust: Trust) -> None:
    assert trust_of(message(*results), authserv_ids=OURS) is trust


def test_any_of_our_servers_counts() -> None:
    found = message("mx2.example.com; dmarc=pass")
    assert trust_of(found, authserv_ids=("mx.example.com", "mx2.example.com")) is Trust.PASS
    assert trust_of(found, authserv_ids=()) is Trust.UNKNOWN


@pytest.mark.parametrize("author", ["", "no address", "a@b@mail.google.com", "<>", "x" * 10_000])
def test_odd_authors_do_no_harm(author: str) -> None:
    assert (
        trust_of(message("mx.example.com; dkim=pass header.d=x.example", author=author), authserv_ids=OURS)
        is Trust.UNKNOWN
    )


def trust_in(data: bytes) -> Trust:
    (found,) = contributions(data, authserv_ids=OURS)
    assert not isinstance(found, Refusal)
    return found.trust


def test_a_report_inside_a_forwarded_mail_is_not_vouched_for() -> None:
    inner = mail(gzip.compress(report()))
    outer = (
        b"Authentication-Results: mx.example.com; dmarc=pass\r\nFrom: colleague@example.com\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: message/rfc822\r\n\r\n" + inner
    )
    assert trust_in(outer) is Trust.UNKNOWN
    assert trust_in(b"Authentication-Results: mx.example.com; dmarc=pass\r\n" + inner) is Trust.PASS


def test_a_file_is_vouched_for_by_nobody_unless_the_caller_does() -> None:
    assert trust_in(report()) is Trust.UNKNOWN
    (found,) = contributions(report(), trust=Trust.PASS)
    assert not isinstance(found, Refusal)
    assert found.trust is Trust.PASS
