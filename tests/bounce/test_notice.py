"""How much a message looks like the mail system's own."""

import pytest

from mailgate.bounce import Likeness
from mailgate.bounce._notice import is_from_mail_system, is_postmaster_copy, likeness
from mailgate.records import Headers


def of(header: str, words: str = "hello") -> Likeness:
    headers = Headers.parse(header.encode())
    return likeness(headers, headers.decoded("subject") or "", words)


@pytest.mark.parametrize(
    ("header", "words", "expected"),
    [
        ("From: Mail Delivery System <x@y>\nSubject: Undelivered Mail\n", "hello", Likeness.SURE),
        ("From: MAILER-DAEMON@y\nSubject: hello\n", "could not be delivered", Likeness.SURE),
        ("From: MAILER-DAEMON@y\nSubject: hello\n", "hello", Likeness.NOTICE),
        ("From: bob@y\nSubject: Undelivered Mail\n", "hello", Likeness.NOTICE),
        ("From: bob@y\nSubject: Undelivered Mail\n", "no such user", Likeness.SURE),
        ("From: bob@y\nSubject: Re: Undelivered Mail\n", "no such user", Likeness.NONE),
        ("From: bob@y\nSubject: AW: failure notice\n", "no such user", Likeness.NONE),
        ("Return-Path: <>\nFrom: bob@y\nSubject: hello\n", "hello", Likeness.NOTICE),
        ("Return-Path: <>\nFrom: bob@y\nSubject: failure notice\n", "hello", Likeness.SURE),
        ("From: no-reply@y\nSubject: hello\n", "hello", Likeness.NOTICE),
        # Who has a return path is somebody, unless he says that he is a program.
        ("Return-Path: <bob@y>\nFrom: bob@y\nSubject: Undelivered Mail\n", "no such user", Likeness.NOTICE),
        ("Return-Path: <>\nFrom: bob@y\nSubject: Undelivered Mail\n", "no such user", Likeness.SURE),
        (
            "Return-Path: <ndr@y>\nAuto-Submitted: auto-generated\nFrom: it@y\nSubject: Undelivered Mail\n",
            "no such user",
            Likeness.SURE,
        ),
        # Newsletters write about bounces too, and can be unsubscribed from.
        ("From: a@y\nSubject: Delivery failed?\nList-Unsubscribe: <x:y>\n", "no such user", Likeness.NONE),
        ("From: MAILER-DAEMON@y\nSubject: hello\nList-Unsubscribe: <x:y>\n", "no such user", Likeness.SURE),
        ("From: bob@y\nSubject: hello\n", "Hi. This is the qmail-send program", Likeness.SURE),
        ("From: bob@y\nSubject: hello\n", "> Hi. This is the qmail-send program", Likeness.NONE),
        ("From: bob@y\nSubject: hello\n", "could not be delivered", Likeness.NONE),
        ("From: =?utf-8?Q?Mail_Delivery_System?= <x@y>\nSubject: =?utf-8?B?6YCA5L+h?=\n", "hello", Likeness.SURE),
    ],
)
def test_likeness(header: str, words: str, expected: Likeness) -> None:
    assert of(header, words) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Return-Path: <>\nFrom: bob@y\n", True),
        ("Return-Path: <MAILER-DAEMON@x>\nFrom: bob@y\n", True),
        ("Return-Path: <bob@y>\nFrom: bob@y\n", False),
        ("From: <>\n", True),
        ("Subject: x\n", True),
        ("From: post_master@vtext.example\n", True),
    ],
)
def test_senders(header: str, expected: bool) -> None:
    assert is_from_mail_system(Headers.parse(header.encode())) is expected


def test_the_path_can_be_left_out() -> None:
    assert not is_from_mail_system(Headers.parse(b"Return-Path: <>\nFrom: bob@y\n"), by_path=False)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Subject: Postmaster Copy: Undelivered Mail\n", True),
        ("Subject: Undelivered Mail\nReturn-Path: <double-bounce@x>\n", True),
        ("Subject: Undelivered Mail\nReturn-Path: <>\n", False),
    ],
)
def test_postmaster_copies(header: str, expected: bool) -> None:
    headers = Headers.parse(header.encode())
    assert is_postmaster_copy(headers, headers.get("subject") or "") is expected
