"""Mails of any bytes: the reader of requests and the checker answer, and nobody is unsubscribed by accident."""

import os
import random
from pathlib import Path

from mailgate.records import ParseError
from mailgate.unsubscribe import check_unsubscribe_headers, parse_request
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


def mutated(message: bytes, chance: random.Random) -> bytes:
    changed = bytearray(message)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(3):
            case 0:
                changed[at:at] = chance.choice(PIECES)
            case 1:
                del changed[at : at + chance.randint(1, 40)]
            case _:
                changed[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(changed)


def test_seeded_mutations() -> None:
    chance = random.Random(8058)
    for _ in range(ROUNDS):
        try:
            check_unsubscribe_headers(mutated(GOOD, chance))
            found = parse_request(mutated(REQUEST, chance), signer=SIGNER)
        except ParseError:
            continue
        assert found is None or found.subscription == ANN, "a damaged token never names somebody else"


def test_every_cut() -> None:
    for end in range(len(REQUEST)):
        found = parse_request(REQUEST[:end], signer=SIGNER)
        assert found is None or found.subscription == ANN
