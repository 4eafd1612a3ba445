"""Real replies, cut, doubled, mixed and sprinkled with odd bytes: always a meaning, never an error, nothing unbounded.

MAILGATE_FUZZ=<n> runs n inputs; 20,000 otherwise.
"""

import os
import random
from pathlib import Path

from mailgate.records import Fault, ParseError, Reason, SmtpReply, Stage, find_reply, meaning_of
from mailgate.records._reply_words import MAX_TEXT_CHARACTERS, words_of

FIXTURES = Path(__file__).parents[2] / "fixtures"
INPUTS = int(os.environ.get("MAILGATE_FUZZ", "20000"))
ODD = [
    "\x00",
    "\r",
    "\n",
    "\t",
    "<",
    ">",
    "@",
    ".",
    "..",
    "550",
    "550-",
    "5.1.1",
    "[",
    "]",
    "é",
    "用户",
    "\udcff",
    "~",
    "x" * 300,
]


def seeds() -> list[str]:
    known = [line.split("\t")[2] for line in (FIXTURES / "replies" / "known.tsv").read_text("utf-8").splitlines()[1:]]
    words = [
        line.split("\t")[0] for line in (FIXTURES / "bounce_meaning" / "words.tsv").read_text("utf-8").splitlines()[1:]
    ]
    return [text.replace("\\n", "\r\n") for text in known] + words


def mutated(chance: random.Random, texts: list[str]) -> str:
    text = chance.choice(texts)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(text) + 1)
        match chance.randrange(6):
            case 0:
                text = text[:at]
            case 1:
                text = text[at:]
            case 2:
                text = text[:at] + chance.choice(ODD) + text[at:]
            case 3:
                text = text[:at] + chance.choice(texts) + text[at:]
            case 4:
                text = text[:at] + text[at : at + 20] * chance.randrange(1, 8) + text[at:]
            case _:
                text = text.swapcase()
    return text


def test_mutated_replies() -> None:
    chance = random.Random(20261121)
    texts = seeds()
    reasons = set()
    for _ in range(INPUTS):
        text = mutated(chance, texts)
        try:
            meaning = SmtpReply.parse(text).meaning(chance.choice(list(Stage)))
        except ParseError:
            meaning = meaning_of(text)
        assert isinstance(meaning.reason, Reason | None)
        assert meaning.fault is None or isinstance(meaning.fault, Fault)
        reasons.add(meaning.reason)
        found = find_reply(text, recipient=chance.choice([None, "user@example.com"]))
        assert found.code is None or 200 <= found.code <= 599
        assert len(words_of(text)) <= 8 * MAX_TEXT_CHARACTERS
    assert len(reasons) > 30
