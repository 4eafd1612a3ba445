"""Edits of decoded bodies, made in the encoded bytes."""

from __future__ import annotations

import base64
import quopri
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.engagement._edit import Edit, inverse, splice
from mailgate.engagement._transfer import (
    Base64Body,
    IdentityBody,
    QuotedPrintableBody,
    quoted_printable,
    read_body,
)

bodies = st.lists(
    st.sampled_from(
        [b"a", b"=", b" ", b"\t", b"\n", b"\xe4", b"word ", b"x" * 90, b'<a href="https://e.example/">', b"."]
    ),
    max_size=30,
).map(b"".join)
# What is put in is never empty: nothing is ever taken out.
new_texts = st.sampled_from([b"x", b"https://t.example/c/" + b"A" * 180, b'<img src="x">', b"\xff=", b" "])


def edit(data: bytes, start: int, end: int, new: bytes) -> Edit[bytes]:
    return Edit(start, end, data[start:end], new)


@st.composite
def edited(draw: st.DrawFn) -> tuple[bytes, list[Edit[bytes]]]:
    body = draw(bodies)
    points = sorted(draw(st.lists(st.integers(0, len(body)), max_size=6)))
    pairs = list(zip(points[::2], points[1::2], strict=False))
    # Two edits never touch: between two links there is always a tag. None ends in a line end: links end in quotes.
    pairs = [pair for n, pair in enumerate(pairs) if n == 0 or pair[0] > pairs[n - 1][1]]
    return body, [edit(body, start, end, draw(new_texts)) for start, end in pairs]


@settings(max_examples=400)
@given(case=edited(), eol=st.sampled_from([b"\n", b"\r\n"]))
def test_quoted_printable(case: tuple[bytes, list[Edit[bytes]]], eol: bytes) -> None:
    data, edits = case
    # Bodies are made with LF; the edits are moved to where they belong with CRLF.
    shift = [data[:at].count(b"\n") * (len(eol) - 1) for at in range(len(data) + 1)]
    data = data.replace(b"\n", eol)
    edits = [edit(data, start + shift[start], end + shift[end], new) for start, end, _, new in edits]
    raw = quoted_printable(data, eol)
    body = QuotedPrintableBody(raw)
    assert body.decoded == data == quopri.decodestring(raw)
    raw_edits = body.encode(edits, eol)
    new = splice(raw, raw_edits)
    assert quopri.decodestring(new) == splice(data, edits)
    assert max(map(len, new.split(eol))) <= 76
    assert splice(new, inverse(raw_edits)) == raw


@settings(max_examples=400)
@given(
    case=edited(),
    eol=st.sampled_from([b"\n", b"\r\n"]),
    length=st.sampled_from([0, 4, 60, 72, 76]),
    tail=st.sampled_from([b"", b"\n", b"\r\n\r\n"]),
)
def test_base64(case: tuple[bytes, list[Edit[bytes]]], eol: bytes, length: int, tail: bytes) -> None:
    data, edits = case
    text = base64.b64encode(data)
    lines = [text[at : at + length] for at in range(0, len(text), length)] if length else [text]
    raw = eol.join(lines) + tail
    body = Base64Body(raw)
    assert body.decoded == data
    if not edits:
        return
    raw_edits = body.encode(edits, eol)
    new = splice(raw, raw_edits)
    assert base64.b64decode(new) == splice(data, edits)
    assert new.endswith(tail)
    assert max(map(len, new.split(eol))) <= max(76, max(map(len, raw.split(eol))))
    assert splice(new, inverse(raw_edits)) == raw
    same = edits[0].start // 3 * 4
    assert new.translate(None, b"\r\n")[:same] == raw.translate(None, b"\r\n")[:same]


@pytest.mark.parametrize(
    ("raw", "decoded", "why"),
    [
        (b"a=3Db=3db", b"a=b=b", "hexadecimal digits in both cases"),
        (b"a=\nb=\r\nc", b"abc", "soft line breaks"),
        (b"a= \t\nb", b"ab", "a soft line break with white space behind it"),
        (b"a \t\r\nb", b"a\r\nb", "white space at the end of a line is lost"),
        (b"a=20\nb", b"a \nb", "unless it is encoded"),
        (b"a=zz=", b"a=zz=", "what is no escape stays"),
        (b"a==3D", b"a==", "an equals sign before an escape"),
        (b"", b"", "nothing"),
    ],
)
def test_reading_quoted_printable(raw: bytes, decoded: bytes, why: str) -> None:
    assert QuotedPrintableBody(raw).decoded == decoded, why


@pytest.mark.parametrize(
    ("raw", "old", "new", "expected", "why"),
    [
        (b'<a href=3D"http://e">x</a>', b"http://e", b"U", b'<a href=3D"U">x</a>', "in the middle of a line"),
        (
            b'<a href=3D"=\nhttp=\n://e=\n">x</a>',
            b"http://e",
            b"U",
            b'<a href=3D"=\nU=\n">x</a>',
            "soft breaks around a value stay",
        ),
        (b"http://e", b"http://e", b"U" * 80, b"U" * 75 + b"=\n" + b"U" * 5, "a long value is broken"),
        (b"x" * 70 + b"http://e", b"http://e", b"UUUUUUU", b"x" * 70 + b"UUUUU=\nUU", "at the end of its line"),
        (
            b"http://e" + b"x" * 68,
            b"http://e",
            b"U" * 10,
            b"U" * 10 + b"=\n" + b"x" * 68,
            "the rest moves to a line of its own",
        ),
        (
            b"http://e" + b"x" * 66 + b"=\ny",
            b"http://e",
            b"U" * 9,
            b"U" * 9 + b"x" * 66 + b"=\ny",
            "when 76 do not suffice",
        ),
        (b"http=3A//e", b"http://e", b"a=b", b"a=3Db", "escapes in both"),
        (b"<a href=http://e>", b"http://e", b"U", b"<a href=3DU>", "an equals sign that nobody escaped"),
        (b"x" * 74 + b"=http://e", b"http://e", b"U", b"x" * 74 + b"=\n=3DU", "the same at the end of a line"),
        (b"x" * 80 + b"=http://e", b"http://e", b"U", b"x" * 80 + b"=\n=3DU", "the same in a line that is too long"),
        (b"x" * 80 + b"http://e", b"http://e", b"U", b"x" * 80 + b"=\nU", "a line that is too long"),
        (b"x" * 76 + b"\ny", b"\ny", b"U", b"x" * 75 + b"=\nxU", "a line that is full to its last place"),
        (b"x" * 73 + b"=3D\ny", b"\ny", b"U", b"x" * 73 + b"=\n=3DU", "the same with an escape at its end"),
    ],
)
def test_writing_quoted_printable(raw: bytes, old: bytes, new: bytes, expected: bytes, why: str) -> None:
    body = QuotedPrintableBody(raw)
    start = body.decoded.index(old)
    assert splice(raw, body.encode([edit(body.decoded, start, start + len(old), new)], b"\n")) == expected, why


def test_two_edits_on_one_line() -> None:
    raw = b"aaaa http://1 bbbb http://2 cccc"
    body = QuotedPrintableBody(raw)
    edits = [edit(raw, 5, 13, b"U" * 60), edit(raw, 19, 27, b"V" * 60)]
    new = splice(raw, body.encode(edits, b"\n"))
    assert quopri.decodestring(new) == splice(raw, edits)
    assert max(map(len, new.split(b"\n"))) <= 76


@pytest.mark.parametrize("raw", [b"QUJD?", b"QUJD\n-- \nlist footer_", b"Q", b"=QUJD", b"QUI=QUJD"])
def test_base64_that_cannot_be_written_back(raw: bytes) -> None:
    assert read_body(raw, "base64") is None


@pytest.mark.parametrize(
    ("raw", "decoded"), [(b"QUJD", b"ABC"), (b"QUI=\r\n", b"AB"), (b"QUI", b"AB"), (b"QU\nJD \n", b"ABC"), (b"", b"")]
)
def test_base64_that_can(raw: bytes, decoded: bytes) -> None:
    body = read_body(raw, "base64")
    assert body is not None
    assert body.decoded == decoded


def test_which_encodings_are_read() -> None:
    assert isinstance(read_body(b"x", "7bit"), IdentityBody)
    assert isinstance(read_body(b"x", "8bits"), IdentityBody)
    assert isinstance(read_body(b"x", "binary"), IdentityBody)
    assert isinstance(read_body(b"x", "quoted-printable"), QuotedPrintableBody)
    assert read_body(b"x", "x-uuencode") is None


@pytest.mark.parametrize(("size", "long"), [(997, False), (998, False), (999, True)])
def test_lines_that_become_too_long(size: int, long: bool) -> None:
    for before, after in ((b"", b""), (b"x\n", b"\ny"), (b"x" * 2_000 + b"\n", b"\n" + b"x" * 2_000)):
        body = IdentityBody(before + b"U" + after)
        change = edit(body.raw, len(before), len(before) + 1, b"V" * size)
        assert body.makes_long_lines([change]) is long


def test_a_body_written_in_quoted_printable() -> None:
    rng = random.Random(3)
    for _ in range(300):
        data = b"".join(rng.choice([b"a", b" ", b"=", b"\n", b"\xe4", b"\t", b"x" * 80, b"."]) for _ in range(20))
        raw = quoted_printable(data, b"\n")
        assert quopri.decodestring(raw) == data
        assert max(map(len, raw.split(b"\n"))) <= 76
        assert all(not line.endswith((b" ", b"\t")) for line in raw.split(b"\n"))
        assert raw.isascii()
