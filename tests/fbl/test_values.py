"""Values of fields, each form with its reason."""

import pytest

from mailgate.fbl._dates import parse_date
from mailgate.fbl._values import (
    addresses,
    encodable,
    ip_address,
    message_id,
    number,
    unbracketed,
    word,
    written_address,
    written_addresses,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann@example.com", ("ann@example.com",)),
        ("Ann <ann@example.com>", ("ann@example.com",)),
        ('"Doe, Ann" <ann@example.com>, <bob@example.com>', ("ann@example.com", "bob@example.com")),
        ("ann@example.com (Ann, at work), bob@example.com", ("ann@example.com", "bob@example.com")),
        ("name@like.address <ann@example.com>", ("ann@example.com",)),
        ("Friends: ann@example.com, bob@example.com;", ("ann@example.com", "bob@example.com")),
        ("undisclosed-recipients:;", ()),
        ("<Undisclosed Recipients>", ()),
        ("ann@example.com; bob@example.com", ("ann@example.com", "bob@example.com")),
        ('"a b"@example.com', ('"a b"@example.com',)),
        ("Ann Doe ann@example.com", ("ann@example.com",)),
        ("", ()),
        ("<", ()),
        ('"unclosed <ann@example.com>', ()),
        ("(unclosed ann@example.com", ()),
        ("<ann@example.com", ("ann@example.com",)),
    ],
)
def test_address_lists(text: str, expected: tuple[str, ...]) -> None:
    assert addresses(text) == expected


def test_no_more_than_a_thousand_addresses_are_taken() -> None:
    assert len(addresses("a@b.example," * 5_000)) == 1_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<ann@example.com>", "ann@example.com"),
        ("<>", ""),
        ("", ""),
        ("rfc822; ann@example.com", "ann@example.com"),
        ("RFC822;<ann@example.com>", "ann@example.com"),
        ("Ann Doe <ann@example.com>", "ann@example.com"),
        ("ann@example.com (Ann)", "ann@example.com"),
        ("<ann@example.com> via 192.0.2.1", "ann@example.com"),
        ("redacted", "redacted"),
        ("< redacted >", "redacted"),
    ],
)
def test_one_address_as_written(text: str, expected: str) -> None:
    assert written_address(text) == expected


def test_a_field_that_holds_a_list() -> None:
    assert written_addresses("<a@x.example>, b@x.example") == ("a@x.example", "b@x.example")
    assert written_addresses('"a,b"@x.example') == ('"a,b"@x.example',)
    assert written_addresses("a@x.example; <b@x.example>") == ("a@x.example", "b@x.example")
    assert written_addresses("rfc822; a@x.example") == ("a@x.example",)
    assert written_addresses("<>") == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("[192.0.2.1]", "192.0.2.1"),
        ("192.0.2.40 ([192.0.2.40])", "192.0.2.40"),
        ("148.163.85.135 (mail.example.org)", "148.163.85.135"),
        ("192.0.2.1:25", "192.0.2.1"),
        ("2001:db8::25", "2001:db8::25"),
        ("[IPv6:2001:db8::25]", "2001:db8::25"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("mail-198.51.100.4.isp.example (192.0.2.1)", "192.0.2.1"),
        ("198.51.100.4.isp.example [192.0.2.1]", "192.0.2.1"),
        ("198.51.100.4-static.isp.example", None),
        ("client 192.0.2.1.", "192.0.2.1"),
        ("x.x.x.x", None),
        ("192.0.2.x", None),
        ("256.1.1.1", None),
        ("1.2.3.4.5", None),
        ("", None),
        ("12:30", None),
    ],
)
def test_ip_addresses(text: str, expected: str | None) -> None:
    assert ip_address(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a@b>", "a@b"),
        ("a@b", "a@b"),
        (" <a b@c> ", "a b@c"),
        ("<a@b> (added by postmaster@c)", "a@b"),
        ("000.abc", "000.abc"),
        ("<>", None),
        ("", None),
        (None, None),
    ],
)
def test_message_ids(text: str | None, expected: str | None) -> None:
    assert message_id(text) == expected


def test_small_values() -> None:
    assert (number("4294967295"), number("-1"), number("")) == (4294967295, None, None)
    assert (word(""), word("(only a comment)"), word("ABUSE")) == ("", "", "abuse")
    assert unbracketed(" <mailto:a@b> ") == "mailto:a@b"
    assert encodable("a\ud800b\N{SNOWMAN}") == "a?b\N{SNOWMAN}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu, 8 Mar 2005 17:40:36 EDT", "2005-03-08T21:40:36"),
        ("Thu, 29 Apr 2013 23:45:50 PST", "2013-04-30T07:45:50"),
        ("Thu, 9 Apr 2006 23:34:45 JST", "2006-04-09T14:34:45"),
        ("Wed, 14 Apr 2010 12:15:31 -0700 (PDT)", "2010-04-14T19:15:31"),
        ("Tue,  5 Oct 2021 17:37:02 +1300 (NZDT)", "2021-10-05T04:37:02"),
        ("8 Oct 2011 20:15:58 +0000 (GMT)", "2011-10-08T20:15:58"),
        ("Thu, 08 Mar 05 14:00 EST", "2005-03-08T19:00:00"),
        ("20-Nov-2026 10:00:00 +0100", "2026-11-20T09:00:00"),
        ("Fri Nov 20 10:00:00 2026", "2026-11-20T10:00:00"),
        ("Fri Nov 20 10:00:00 EST 2026", "2026-11-20T15:00:00"),
        ("Nov 20, 2026 10:00:00 +0100", "2026-11-20T09:00:00"),
        ("Fri, 20 Nov 2026 10:00:00 PM +0000", "2026-11-20T22:00:00"),
        ("2026-11-20T10:00:00.000Z", "2026-11-20T10:00:00"),
        ("2026-11-20 10:00:00 +0230", "2026-11-20T07:30:00"),
        ("Fri, 31 Dec 2016 23:59:60 +0000", "2016-12-31T23:59:59"),
        ("Fri, 20 Nov 2026 10:00:00 XYZ", "2026-11-20T10:00:00"),
        ("Fri Nov 20 2026 10:00:00 GMT+0100 (CET)", "2026-11-20T09:00:00"),
        ("Friday, November 20, 2026 1:00:00 PM", "2026-11-20T13:00:00"),
        ("Fri, 20 Nov 2026 10:00:00 GMT+01:00", "2026-11-20T09:00:00"),
        ('"Fri, 20 Nov 2026 10:00:00 +0000"', "2026-11-20T10:00:00"),
        ("<2026-11-20T10:00:00Z>", "2026-11-20T10:00:00"),
        ("2026/11/20 10:00:00", "2026-11-20T10:00:00"),
        ("1795168800", "2026-11-20T10:00:00"),
        ("1795168800.25", "2026-11-20T10:00:00"),
        ("20261120", None),
        ("31 Feb 2026 10:00:00 +0000", None),
        ("20 Foo 2026 10:00:00 +0000", None),
        ("1 Jan 0001 00:00:00 +1400", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("1" * 300, None),
    ],
)
def test_dates(text: str | None, expected: str | None) -> None:
    found = parse_date(text)
    assert (None if found is None else found.isoformat()) == (None if expected is None else f"{expected}+00:00")
