"""Unsubscribing by mail: whose wish is believed, and whose is not."""

import json
from datetime import UTC, datetime

import pytest

from mailgate.records import Headers, KeyRing
from mailgate.unsubscribe import (
    Subscription,
    UnsubscribeLinks,
    UnsubscribeRequest,
    UnsubscribeSigner,
    events,
    find_subscription,
    parse_request,
)
from tests.unsubscribe.wsgi import ANN, KEYS, SIGNER, TOKEN

SHORT_ANN = Subscription(recipient="ann@example.net", tenant="shop", stream="news")
CARRIED = SIGNER.short_token(SHORT_ANN, max_characters=64)
BOUND = SIGNER.short_token(SHORT_ANN, max_characters=40)
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def mail(
    subject: str = "", to: str = "leave@news.example", sender: str = "Ann <ann@example.net>", more: str = ""
) -> bytes:
    return (
        f"From: {sender}\nTo: {to}\nSubject: {subject}\n{more}Date: Fri, 20 Nov 2026 11:00:00 +0100\n\nplease\n"
    ).encode()


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (mail(f"unsubscribe {TOKEN}"), "as the mailto URI says"),
        (mail(TOKEN), "the token alone"),
        (mail(f"Re: unsubscribe {TOKEN} (sent from my phone)"), "with more around it"),
        (mail(f"unsubscribe%20{TOKEN}"), "a client that does not decode"),
        (mail(f"unsubscribe\n {TOKEN}"), "folded"),
        (mail(f"unsubscribe {TOKEN[:30]}\n {TOKEN[30:]}"), "folded in the middle of the token"),
        (mail(f"=?utf-8?q?unsubscribe_{TOKEN.replace('_', '=5F')}?="), "an encoded-word"),
        (mail(f"unsubscribe {TOKEN}", sender="Eve <eve@example.org>"), "from another address of hers"),
    ],
)
def test_the_token_in_the_subject(message: bytes, why: str) -> None:
    found = parse_request(message, signer=SIGNER)
    assert found is not None, why
    assert (found.subscription, found.found) == (ANN, "subject")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (mail(to=f"leave+{CARRIED}@news.example"), "in To"),
        (mail(to=f"Leave <LEAVE+{str(CARRIED).upper()}@NEWS.example>"), "upper case and a name"),
        (mail(to=f"leave+{BOUND}@news.example"), "bound to the sender"),
        (mail(to=f"leave+{CARRIED}@news.example", sender="eve@example.org"), "carried: the sender does not matter"),
        (mail(more=f"Delivered-To: leave+{CARRIED}@news.example\n"), "in Delivered-To"),
        (mail(more=f"X-Original-To: leave+{BOUND}@news.example\n"), "in X-Original-To"),
        (mail(to=f"a@b.example, c+d@e.example, leave+{CARRIED}@news.example"), "among others"),
    ],
)
def test_the_token_in_the_address(message: bytes, why: str) -> None:
    found = parse_request(message, signer=SIGNER)
    assert found is not None, why
    assert (found.subscription, found.found) == (SHORT_ANN, "address")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (mail("unsubscribe"), "no token: anybody can write anybody's name"),
        (mail("STOP", more="X-Apple-Unsubscribe: true\n"), "a button, no token"),
        (mail(f"unsubscribe {TOKEN[:-1]}"), "cut"),
        (mail(f"unsubscribe {TOKEN[:-1]}A"), "changed"),
        (mail(f"unsubscribe {UnsubscribeSigner(keys=KeyRing.of(b'another-house-91827364')).token(ANN)}"), "not ours"),
        (mail(to=f"leave+{BOUND}@news.example", sender="eve@example.org"), "bound to somebody else"),
        (mail(to=f"leave+{BOUND}@news.example", sender="ann@example.net, eve@example.org"), "two senders"),
        (mail(to="leave+ann=example.net@news.example"), "a plus part of another kind"),
        (b"", "nothing"),
        (b"\xff\xfe\0" * 100, "rubbish"),
    ],
)
def test_nobody_is_unsubscribed_without_a_token_of_ours(message: bytes, why: str) -> None:
    assert parse_request(message, signer=SIGNER) is None, why


def test_what_the_links_write_is_read() -> None:
    links = UnsubscribeLinks(keys=KEYS, base_url="https://news.example/u", mailto_address="leave@news.example")
    uri = links.mailto(ANN)
    assert uri is not None
    address, _, subject = uri.removeprefix("mailto:").partition("?subject=")
    whole = parse_request(mail(subject.replace("%20", " "), to=address), signer=SIGNER)
    assert whole is not None
    assert whole.subscription == ANN
    no_subject = parse_request(mail("", to=address), signer=SIGNER)
    assert no_subject is not None
    assert no_subject.subscription == SHORT_ANN


def test_the_event_of_a_request() -> None:
    request = parse_request(mail(TOKEN), signer=SIGNER)
    assert request is not None
    (event,) = events(request, at=NOW)
    assert (str(event.kind), event.recipient, event.stream, event.matched) == (
        "unsubscribed",
        "ann@example.net",
        "news",
        "token",
    )
    assert event.at == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert event.meta_value("method") == "mail"
    again = parse_request(b"Received: from x by y; d\n" + mail(TOKEN), signer=SIGNER)
    assert again is not None
    assert events(again, at=NOW)[0].event_id == event.event_id


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Fri, 20 Nov 2099 11:00:00 +0000", NOW),
        ("never", NOW),
        ("Fri, 20 Nov 2026 11:00:00 -0000", NOW),
        ("Fri, 99 Nov 2026 11:00:00 +0000", NOW),
        ("x" * 300, NOW),
    ],
)
def test_a_date_that_cannot_be_is_the_time_of_reading(date: str, expected: datetime) -> None:
    message = mail(TOKEN).replace(b"Fri, 20 Nov 2026 11:00:00 +0100", date.encode())
    request = parse_request(message, signer=SIGNER)
    assert request is not None
    assert events(request, at=NOW)[0].at == expected


def test_a_request_survives_a_wire() -> None:
    for message in (mail(TOKEN), mail(TOKEN).replace(b"Date:", b"X-Date:")):
        request = parse_request(message, signer=SIGNER)
        assert request is not None
        assert UnsubscribeRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request


@pytest.mark.parametrize(
    "value",
    [
        f"<https://news.example/u/{TOKEN}>",
        f"<https://news.example/u/{TOKEN}>,\n <mailto:leave@news.example>",
        f"<mailto:leave@news.example?subject=unsubscribe%20{TOKEN}>",
        f"<https://news.example/u/{TOKEN}/?x=y>",
    ],
)
def test_our_own_header_in_a_returned_mail_says_who_it_was(value: str) -> None:
    assert find_subscription(Headers.parse(f"List-Unsubscribe: {value}\n".encode()), SIGNER) == ANN


@pytest.mark.parametrize("value", ["", "<https://news.example/u/x>", f"<https://news.example/u/{TOKEN[:-1]}>"])
def test_other_headers_say_nothing(value: str) -> None:
    assert find_subscription(Headers.parse(f"List-Unsubscribe: {value}\n".encode()), SIGNER) is None
    assert find_subscription(Headers.parse(b"Subject: x\n"), SIGNER) is None


def test_hostile_mail_is_read_through() -> None:
    for text in ("a" * 100_000, "A" * 60 + " ", "+@" * 20_000, "<" * 50_000, f"{TOKEN[:-1]} " * 500):
        assert parse_request(mail(text * 3), signer=SIGNER) is None
        assert parse_request(mail(to=text), signer=SIGNER) is None
        assert find_subscription(Headers.parse(f"List-Unsubscribe: {text}\n".encode()), SIGNER) is None
