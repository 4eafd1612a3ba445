"""The words of a notification, and what follows them."""

import pytest

from mailgate.bounce._text import (
    MAX_NOTIFICATION_CHARACTERS,
    SEPARATORS,
    Notification,
    clean_message_id,
    html_to_text,
    looks_like_header,
    lower,
    message_id_in,
    split_returned,
    split_status,
    unquoted,
)
from mailgate.records import Mail
from tests.bounce.cases import MESSAGE_FIELDS, RECIPIENT_FIELDS, dsn, notice
from tests.support.growth import is_linear


@pytest.mark.parametrize("separator", SEPARATORS)
def test_the_words_end_at_every_separator(separator: str) -> None:
    text = f"ada@x.example failed\n\n--- {separator} ---\nTo: bob@x.example\n"
    words, rest = split_returned(text)
    assert words == "ada@x.example failed\n\n"
    assert "bob@x.example" in rest


def test_a_separator_in_the_first_line_is_a_sentence() -> None:
    text = "This is a copy of the rules.\nada@x.example failed\n"
    assert split_returned(text) == (text, "")


def test_a_header_without_introduction_ends_the_words() -> None:
    text = "ada@x failed\n\nMessage-ID:<1@x>\nDate:Fri, 12 Dec 2014\nFrom: bob@x\nTo:<ada@x>\n"
    assert split_returned(text)[0] == "ada@x failed\n\n"
    indented = text.replace("\n", "\n  ")
    assert split_returned(indented)[1] == ""


def test_the_first_of_several_separators_counts() -> None:
    words, _ = split_returned("a\nOriginal message follows.\nb\n--- Below this line is a copy\nc")
    assert words == "a\n"


def test_lower_keeps_the_length() -> None:
    assert len(lower("İstanbul")) == len("İstanbul")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x\nMessage-ID: <1@x>\n", "1@x"),
        ("x\n> Message-Id: <1@x>\n", "1@x"),
        ("x\n  Message-id:\n   <1@x>\n", "1@x"),
        ("x\nMessage-ID: 1.2.3\n", "1.2.3"),
        ("the message identifier", None),
    ],
)
def test_message_ids_in_texts(text: str, found: str | None) -> None:
    assert message_id_in(text) == found


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("<1@x>", "1@x"),
        (" <1@x> (comment)", "1@x"),
        ("<1@x", "1@x"),
        ("1@x", "1@x"),
        ("<no at>", "no"),
        ("<>", None),
        ("", None),
        (None, None),
    ],
)
def test_message_ids_are_cleaned(value: str | None, clean: str | None) -> None:
    assert clean_message_id(value) == clean


def test_html_becomes_lines() -> None:
    source = (
        "<html><style>p {x: y}</style><p>not delivered to</p><ul><li>&lt;ada@x&gt;<br>full</ul>"
        "<script>a@b</script><div class=x>end"
    )
    lines = [line for line in html_to_text(source).split("\n") if line]
    assert lines == ["not delivered to", "<ada@x>", "full", "end"]


@pytest.mark.parametrize("piece", ["<", "<p", "&", "&lt;", "<style>", "<script ", "<!--", "<p><"])
def test_html_of_any_kind_takes_linear_time(piece: str) -> None:
    assert is_linear(lambda count: html_to_text(piece * count), 10_000)


def test_quote_marks_come_off() -> None:
    assert unquoted("> a\n> b\n>\n> c\n") == "a\nb\n\nc\n"
    assert unquoted("a > b\nc\nd\ne\n") == "a > b\nc\nd\ne\n"


def test_looks_like_header() -> None:
    assert looks_like_header("From: a\nTo: b\n")
    assert looks_like_header("From x Fri\nReceived: a\n b\nDate: c\n")
    assert not looks_like_header("Dear From: a\nTo: b\n")


def test_a_wrong_boundary_leaves_the_returned_message_behind_the_fields() -> None:
    fields = MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS
    text = fields + "\n--other\nContent-Type: text/rfc822-headers\n\nMessage-ID: <1@x>\n"
    assert split_status(text) == (fields + "\n", text[len(fields) + 1 :])
    assert split_status(fields + "\nReceived: by x\nMessage-ID: <1@x>\n")[1].startswith("Received")
    assert split_status(fields) == (fields, "")


def test_parts_are_sorted_by_their_use() -> None:
    note = Notification(Mail.read(dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS, text="the words")))
    assert note.words.strip() == "the words"
    assert note.status is not None
    assert note.returned is not None
    assert note.returned.content_type == "message/rfc822"


@pytest.mark.parametrize(
    "kind",
    [
        "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "text/rfc822-header",
        "text/rfc822", "message/global-headers",
    ],
)  # fmt: skip
def test_returned_messages_of_every_type(kind: str) -> None:
    message = dsn(MESSAGE_FIELDS + "\n" + RECIPIENT_FIELDS).replace(b"message/rfc822", kind.encode())
    note = Notification(Mail.read(message))
    assert note.returned is not None
    assert note.returned.content_type == kind


def test_html_is_read_when_there_is_nothing_else() -> None:
    message = notice("<p>failed: ada@x.example</p>", head="Content-Type: text/html\n")
    assert Notification(Mail.read(message)).words == "\nfailed: ada@x.example\n"


def test_only_so_much_is_looked_at() -> None:
    note = Notification(Mail.read(notice("a" * (MAX_NOTIFICATION_CHARACTERS + 1))))
    assert len(note.words) == MAX_NOTIFICATION_CHARACTERS
