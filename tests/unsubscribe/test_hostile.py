"""Mails of any bytes: the reader of requests and the checker answer, and nobody is unsubscribed by accident."""

import os
from pathlib import Path

from mailgate.records import ParseError
from mailgate.unsubscribe import check_unsubscribe_headers, parse_request
from tests.support.mutations import mutated
from tests.unsubscribe.wsgi import ANN, SIGNER, TOKEN

GOOD = (Path(__file__).parents[2] / "fixtures" / "unsubscribe" / "good.eml").read_bytes()
REQUEST = f"From: Ann <ann@example.net>\nTo: leave@news.example\nSubject: unsubscribe {TOKEN}\n\nplease\n".encode()
ROUNDS = int(os.environ.get("MAILGATE_FUZZ", "20000"))
PIECES = (
    b"\n",
    b"\n\n",
    b"\r",
    b"\0",
    b"<",
    b">",
    b",",
    b"=?utf-8?q?",
    b"?=",
    b";",
    b"h=",
    b"+",
    b"@",
    b"\xff",
    TOKEN.encode(),
)


def test_seeded_mutations() -> None:
    for mail in mutated([GOOD, REQUEST], PIECES, seed=8058, rounds=ROUNDS):
        try:
            check_unsubscribe_headers(mail)
            found = parse_request(mail, signer=SIGNER)
        except ParseError:
            continue
        assert found is None or found.subscription == ANN, "a damaged token never names somebody else"


def test_every_cut() -> None:
    for end in range(len(REQUEST)):
        found = parse_request(REQUEST[:end], signer=SIGNER)
        assert found is None or found.subscription == ANN
