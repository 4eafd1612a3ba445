"""The engine: each option of a row changes the result, and no row can be made slow."""

from dataclasses import replace
from typing import Any

import pytest

from mailgate.bounce import Dialect, Likeness
from mailgate.bounce._dialects import DIALECTS
from mailgate.bounce._engine import MAX_RECIPIENTS_IN_TEXT, DialectTable, Source, read_text
from mailgate.records import Headers, Reason
from tests.support.growth import is_linear

HEADERS = Headers.parse(b"From: mailer-daemon@mx.example\nTo: bounce@sender.example\nSubject: failure notice\n")


def source(text: str, *, headers: Headers = HEADERS, likeness: Likeness = Likeness.SURE) -> Source:
    return Source(text, text.lower(), headers, headers.decoded("subject") or "", likeness)


def found(text: str, likeness: Likeness = Likeness.SURE, **row: Any) -> list[tuple[str, str]] | None:
    reading = read_text(source(text, likeness=likeness), DialectTable((Dialect(name="mine", **row),)))
    return None if reading is None else [(draft.address, draft.text) for draft in reading.drafts]


def names(text: str, **row: Any) -> list[str]:
    return [address for address, _ in found(text, **row) or []]


def test_anchors() -> None:
    text = "The robot says\nada@x.example"
    assert names(text, any_of=("no", "the robot")) == ["ada@x.example"]
    assert names(text, any_of=("no",)) == []
    assert names(text, all_of=("the robot", "says")) == ["ada@x.example"]
    assert names(text, all_of=("the robot", "no")) == []
    assert names(text, all_of=("the robot",), any_of=("no",)) == []


def test_header_anchors() -> None:
    assert names("ada@x.example", headers=(("subject", "failure"),)) == ["ada@x.example"]
    assert names("ada@x.example", headers=(("subject", "success"),)) == []
    assert names("ada@x.example", headers=(("x-none", ""),)) == []


def test_after_and_until() -> None:
    text = "one@x.example\nfailed:\ntwo@x.example\nadvice:\nthree@x.example"
    assert names(text, after=("failed:",)) == ["two@x.example", "three@x.example"]
    assert names(text, after=("failed:",), until=("advice:",)) == ["two@x.example"]
    assert names(text, until=("advice:",)) == ["one@x.example", "two@x.example"]
    assert names(text, after=("nowhere",)) == []


def test_shapes_are_chosen() -> None:
    text = "<ada@x.example>: 550\nbob@x.example"
    assert names(text, shapes=frozenset(("<>:+",))) == ["ada@x.example"]
    assert names(text, shapes=frozenset(("alone",))) == ["bob@x.example"]


def test_blank_before() -> None:
    text = "said\n<ada@x.example>:\nno\n\n<bob@x.example>:\nno"
    assert names(text, shapes=frozenset(("<>:",)), blank_before=True) == ["bob@x.example"]
    assert names(text, shapes=frozenset(("<>:",))) == ["ada@x.example", "bob@x.example"]


def test_a_wrapped_reply_is_no_recipient() -> None:
    text = "<ada@x.example>: host said: 550\n    <other@x.example>: rejected"
    assert found(text, shapes=frozenset(("<>:+",)), explains="after") == [
        ("ada@x.example", "host said: 550\n    <other@x.example>: rejected")
    ]
    assert len(names(text, shapes=frozenset(("<>:+",)), same_indent=False)) == 2


def test_labels_also_with_the_address_on_the_next_line() -> None:
    text = "Recipient: ada@x.example\nReason: full\nRecipient:\n   <bob@x.example>\nReason: gone"
    assert found(text, find=("labels",), labels=("recipient",), explains="after") == [
        ("ada@x.example", "Reason: full"),
        ("bob@x.example", "Reason: gone"),
    ]


def test_labels_of_tables() -> None:
    row = {"find": ("labels",), "labels": ("recipient",)}
    assert names("Recipient ....: ada@x.example", **row) == ["ada@x.example"]
    assert names("Recipient   ada@x.example", **row) == ["ada@x.example"]
    assert names("Recipient\tada@x.example", **row) == ["ada@x.example"]
    assert names("Recipient ada@x.example", **row) == []


def test_patterns() -> None:
    row = {"find": ("patterns",), "patterns": (r"robot to (?P<address>[^\s]{1,100})",)}
    assert names("robot to ada@x.example gave up", **row) == ["ada@x.example"]
    assert found("why\nrobot to ada@x.example", **row, explains="before") == [
        ("ada@x.example", "why\nrobot to ada@x.example")
    ]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("could not be delivered to ada@x.example.", ["ada@x.example"]),
        ("The mailbox ada@x.example is full", ["ada@x.example"]),
        ("ada@x.example does not exist", ["ada@x.example"]),
        ("Questions? Write to help@x.example", []),
        ("the user you wrote to, ada@x.example, is unknown", ["ada@x.example"]),
    ],
)
def test_sentences(text: str, addresses: list[str]) -> None:
    assert names(text, find=("sentences",)) == addresses


def test_commands_that_were_accepted_name_nobody() -> None:
    text = "RCPT TO:<ok@x.example>\n250 fine\nRCPT TO:<ada@x.example>\n550 unknown\n"
    assert names(text, find=("commands",)) == ["ada@x.example"]


def test_header_lists() -> None:
    headers = Headers.parse(b"X-Failed-Recipients: ada@x.example,\n bob@x.example,\n")
    row = Dialect(name="mine", find=("headers",), header_names=("x-failed-recipients",))
    reading = read_text(source("words", headers=headers), DialectTable((row,)))
    assert reading is not None
    assert [draft.address for draft in reading.drafts] == ["ada@x.example", "bob@x.example"]


def test_the_subject() -> None:
    headers = Headers.parse(b"Subject: Undeliverable: ada@x.example\n")
    row = Dialect(name="mine", find=("subject",))
    reading = read_text(source("words", headers=headers), DialectTable((row,)))
    assert reading is not None
    assert reading.drafts[0].address == "ada@x.example"


def test_methods_are_tried_in_order_until_one_finds_somebody() -> None:
    assert names("to ada@x.example failed", find=("lines", "sentences")) == ["ada@x.example"]


def test_local_parts_are_completed() -> None:
    text = "failed:\nada\n\nRCPT TO:<ada@full.example>"
    assert names(text, after=("failed:",), local_part=True) == ["ada@full.example"]
    assert names("failed:\nada\n", after=("failed:",), local_part=True) == ["ada@mx.example"]
    assert names("ada\n", local_part=True) == []
    assert names("failed:\nada\n", after=("failed:",)) == []


def test_aliases_of_hidden_entries() -> None:
    text = "failed:\n  pipe to |/bin/x\n    generated by ada@x.example\n  bob@x.example\n    (generated from team@x)\n"
    assert names(text, after=("failed:",), aliases=True) == ["ada@x.example", "bob@x.example"]
    assert names(text, after=("failed:",)) == ["bob@x.example"]


def test_own_addresses() -> None:
    text = "bounce@sender.example\npostmaster@x.example\nada@x.example"
    assert names(text, keep_own=False) == ["ada@x.example"]
    assert len(names(text)) == 3


def test_likeness() -> None:
    assert found("ada@x.example", likeness=Likeness.NOTICE) is not None
    assert found("ada@x.example", likeness=Likeness.NONE) is None
    reading = read_text(
        source("ada@x.example", likeness=Likeness.NONE), DialectTable((Dialect(name="mine", likeness=Likeness.NONE),))
    )
    assert reading is not None


def test_the_cause_may_stand_anywhere() -> None:
    assert found("The mailbox is gone.\n\nada@x.example\n") == [
        ("ada@x.example", "The mailbox is gone.\n\nada@x.example")
    ]
    assert found("The mailbox is gone.\n\nada@x.example\n", explains="after") == [("ada@x.example", "")]


def test_the_first_row_that_finds_somebody_wins() -> None:
    rows = (Dialect(name="nobody", after=("nowhere",)), Dialect(name="first"), Dialect(name="second"))
    reading = read_text(source("ada@x.example"), DialectTable(rows))
    assert reading is not None
    assert reading.dialect.name == "first"


def test_one_recipient_is_reported_once_with_all_its_words() -> None:
    assert found("ada@x.example: full\nADA@x.example: gone", explains="after") == [("ada@x.example", "full\ngone")]


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_recipients_are_counted(extra: int) -> None:
    text = "".join(f"ada{number}@x.example\n" for number in range(MAX_RECIPIENTS_IN_TEXT + extra))
    assert len(names(text)) == min(MAX_RECIPIENTS_IN_TEXT, MAX_RECIPIENTS_IN_TEXT + extra)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"find": ("magic",)}, "finds recipients by one of"),
        ({"shapes": frozenset(("round",))}, "no such shapes"),
        ({"explains": "never"}, "the cause stands"),
    ],
)
def test_a_row_that_cannot_work_is_refused(row: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Dialect(name="mine", **row)


def test_rows_out_of_a_file() -> None:
    row = Dialect.from_dict(
        {
            "name": "mine",
            "any_of": ["The Robot"],
            "headers": {"Subject": "Failure"},
            "shapes": ["alone"],
            "hint": "mailbox_full",
            "likeness": "none",
            "find": ["lines"],
        }
    )
    assert row == Dialect(
        name="mine",
        any_of=("the robot",),
        headers=(("Subject", "failure"),),
        shapes=frozenset(("alone",)),
        hint=Reason.MAILBOX_FULL,
        likeness=Likeness.NONE,
    )
    with pytest.raises(ValueError, match="no 'colour'"):
        Dialect.from_dict({"name": "mine", "colour": "red"})


PIECES = (
    "a", "@", "a@", "a@b ", "<", "<a@", ">", "(", "[SMTP:", '"', "\\", " ", "\t", ".", "-", "a.", "=", "a@b.c,",
    "(generated from ", "generated by ", "RCPT TO:<", "rcpt to", "550 ", "5.1.1 ", ": ", "to ", "user ", "a@b...",
    "delivery failed 1 attempts: ", "dda:SMTP=", "##rfc822;", "error delivering your mail to <", "\n", "a@b\n", "> ",
)  # fmt: skip


def anchored(row: Dialect) -> str:
    """A text that holds every anchor of a row, so that all of it is tried."""
    return "\n".join((*row.all_of, *row.any_of[:3], *row.after[:1])) + " "


@pytest.mark.parametrize("row", DIALECTS, ids=lambda row: row.name)
def test_no_text_makes_a_row_slow(row: Dialect) -> None:
    table = DialectTable((replace(row, headers=(), likeness=Likeness.NONE),))
    start = anchored(row)
    for piece in PIECES:
        # One long line, then many lines of the greatest length that is still looked at.
        line = (piece * (3_900 // len(piece)))[:3_900] + "\n"

        def read(size: int, piece: str = piece, line: str = line) -> None:
            text = start + piece * (size // len(piece) // 2) + "\n" + line * (size // len(line) // 2)
            read_text(source(text), table)

        assert is_linear(read, 4_000), f"slow on {piece!r}"
