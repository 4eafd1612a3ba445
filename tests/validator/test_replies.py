"""Cutting replies out of bytes: any portions, limits at their edges, never anything but a ParseError."""

import os
import random

import pytest

from mailgate.records import ParseError, SmtpReply
from mailgate.validator._replies import MAX_BYTES, MAX_LINES, ReplyReader

STREAM = (
    b"220 mx ESMTP\r\n250-mx\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n250 2.1.0 Ok\n550-5.1.1 no\r\n550 such user\r\n221\r\n"
)
EXPECTED = [(220, 1), (250, 3), (250, 1), (550, 2), (221, 1)]


def read(stream: bytes, size: int) -> list[SmtpReply]:
    reader, found = ReplyReader(), []
    for start in range(0, len(stream), size):
        reader.feed(stream[start : start + size])
        while (reply := reader.next_reply()) is not None:
            found.append(reply)
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
def test_any_portions_give_the_same_replies(size: int) -> None:
    assert [(reply.code, len(reply.lines)) for reply in read(STREAM, size)] == EXPECTED


def test_what_is_left_over_is_seen() -> None:
    reader = ReplyReader()
    reader.feed(b"220 mx\r\n250-")
    assert reader.next_reply() is not None
    assert reader.pending
    assert reader.next_reply() is None
    reader.discard()
    assert not reader.pending


@pytest.mark.parametrize(
    "wire",
    [
        *(b"HTTP/1.1 400 Bad Request\r\n", b"\r\n", b"22\r\n", b"2200 x\r\n", b"abc\r\n", b"120 x\r\n", b"620 x\r\n"),
        *(b"250+x\r\n", "٢٥٠ x\r\n".encode(), b"250-a\r\n550 b\r\n", b"250-a\r\nb\r\n", b"\x00\x01\x02\n"),
    ],
)
def test_what_is_no_reply(wire: bytes) -> None:
    with pytest.raises(ParseError) as caught:
        read(wire, 1000)
    assert caught.value.error == "not_a_reply"


@pytest.mark.parametrize(("lines", "good"), [(MAX_LINES - 1, True), (MAX_LINES, True), (MAX_LINES + 1, False)])
def test_lines_at_the_limit(lines: int, good: bool) -> None:
    wire = b"250-x\r\n" * (lines - 1) + b"250 x\r\n"
    if good:
        assert len(read(wire, 4096)[0].lines) == lines
    else:
        with pytest.raises(ParseError):
            read(wire, 4096)


def test_a_long_line_is_cut_and_an_endless_one_is_too_large() -> None:
    (reply,) = read(b"550 " + b"x" * 10_000 + b"\r\n", 4096)
    assert len(reply.text) == 2_044
    with pytest.raises(ParseError) as caught:
        read(b"550 " + b"x" * MAX_BYTES, 4096)
    assert caught.value.error == "too_large"
    with pytest.raises(ParseError):
        read((b"550-" + b"x" * 2_000 + b"\r\n") * 40, 4096)


def test_mutated_streams_raise_nothing_else() -> None:
    rng = random.Random(5321)
    for _ in range(int(os.environ.get("MAILGATE_FUZZ", "20000"))):
        stream = bytearray(STREAM)
        for _ in range(rng.randint(1, 6)):
            where = rng.randrange(len(stream))
            stream[where : where + rng.randint(0, 3)] = rng.choice(
                [b"", b"\r", b"\n", b"-", b"\x00", b"2", b"\xff", b"5"]
            )
        try:
            read(bytes(stream), rng.randint(1, 40))
        except ParseError as error:
            assert error.error in ("not_a_reply", "too_large")  # noqa: PT017 - any other exception fails the test
