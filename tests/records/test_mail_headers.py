"""Header fields, and the same in bodies: groups of a delivery status, fields of a feedback report."""

import pickle
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.records import Headers, Mail

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mail"


def fields(block: bytes) -> list[tuple[str, str]]:
    return list(Headers.parse(block).items())


def groups(block: bytes) -> list[list[tuple[str, str]]]:
    return [list(group.items()) for group in Headers.groups(block)]


# --- fields ----------------------------------------------------------------------------------------------------------


def test_names_compare_without_case_and_are_given_as_written() -> None:
    headers = Headers.parse(b"SUBJECT: a\nsubject: b\nX-Y: c\n")
    assert headers.get("Subject") == "a"
    assert headers.get_all("sUBJECT") == ["a", "b"]
    assert "x-y" in headers
    assert "x-z" not in headers
    assert headers.get("x-z") is None
    assert headers.get_all("x-z") == []
    assert list(headers.items()) == [("SUBJECT", "a"), ("subject", "b"), ("X-Y", "c")]
    assert len(headers) == 3


@pytest.mark.parametrize(
    ("block", "value", "why"),
    [
        (b"A: b", "b", "no line end"),
        (b"A:b\n", "b", "no blank"),
        (b"A :b\n", "b", "blank before the colon"),
        (b"A\t : b \t\n", "b", "outer blanks"),
        (b"A:\n", "", "empty"),
        (b"A:\n b\n", "b", "all of it folded"),
        (b"A: b\n\tc\n    d\n", "b c d", "one space for each fold"),
        (b"A: b \n c\n", "b c", "a blank before the fold"),
        (b"A: b\r\n c\r\n", "b c", "CRLF"),
        (b"A: b\r c\r", "b c", "CR"),
        (b"A: b\r\r\n c\r\r\n", "b c", "CR CR LF"),
        (b"A: b:c: d\n", "b:c: d", "colons"),
        (b"A: \xc3\xb6\n", "ö", "UTF-8"),
        (b"A: \xf6\n", "ö", "Latin-1"),
        (b"A: \xc3\xb6 \xe4\xb8\xad\n \xf0\x9f\x8d\xbf\n", "ö 中 🍿", "UTF-8, folded"),
        (b"A: \0\n", "\0", "NUL"),
        (b"A: =?utf-8?q?=C3=B6?=\n", "=?utf-8?q?=C3=B6?=", "encoded-words stay"),
        (b"A: \xa0x\xa0\n", "\xa0x\xa0", "only blanks and tabs are white space"),
    ],
)
def test_values(block: bytes, value: str, why: str) -> None:
    assert Headers.parse(block).get("a") == value, why
    assert Mail.read(block + b"\n\nx").headers.get("a") == value, why


def test_decoded_values() -> None:
    headers = Headers.parse(b"A: =?utf-8?q?J=C3=B6rg?=\n =?utf-8?b?IFg=?= <j@x>\nB: plain\n")
    assert headers.decoded("a") == "Jörg X <j@x>"
    assert headers.decoded("b") == "plain"
    assert headers.decoded("c") is None


@pytest.mark.parametrize(
    ("block", "expected", "why"),
    [
        (b"garbage\nA: b\n", [("A", "b")], "garbage before the first field"),
        (b"  indented\nA: b\n", [("A", "b")], "a continuation of nothing"),
        (b"A: b\nmore of it\nC: d\n", [("A", "b more of it"), ("C", "d")], "a continuation without indentation"),
        (b"A: 550-no\n550 5.1.1 user: unknown\n", [("A", "550-no 550 5.1.1 user: unknown")], "its colon is no name"),
        (b"A: see\nhttps://example.org/x\n", [("A", "see https://example.org/x")], "a URL is no field"),
        (b"A: b\n--boundary--\n", [("A", "b")], "a delimiter is no continuation"),
        (b"A: b\n>From x\nC: d\n", [("A", "b"), ("C", "d")], "nor is an mbox line"),
        (b": b\nA: c\n", [("A", "c")], "no name"),
        (b"\xe9: b\nA: c\n", [("A", "c")], "a name is ASCII"),
        (b"", [], "nothing"),
        (b"\n\n", [], "empty lines"),
        (b"prose only\n", [], "no field at all"),
    ],
)
def test_lines_that_are_no_field(block: bytes, expected: list[tuple[str, str]], why: str) -> None:
    assert fields(block) == expected, why


def test_headers_pickle() -> None:
    headers = Headers.parse(b"A: b\n", max_field_bytes=10)
    headers.get("a")
    again = pickle.loads(pickle.dumps(headers))
    assert list(again.items()) == [("A", "b")]


# --- groups ----------------------------------------------------------------------------------------------------------

STATUS = b"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a@x\nAction: failed\n\nFinal-Recipient: rfc822; b@x\n"
GROUPS = [
    [("Reporting-MTA", "dns; mx")],
    [("Final-Recipient", "rfc822; a@x"), ("Action", "failed")],
    [("Final-Recipient", "rfc822; b@x")],
]


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (STATUS, "as it should be"),
        (STATUS.rstrip(), "no line end at the end"),
        (b"\n\n" + STATUS + b"\n\n", "empty lines around"),
        (STATUS.replace(b"\n\n", b"\n\n\n\n"), "several empty lines"),
        (STATUS.replace(b"\n\n", b"\n \t\n"), "lines of blanks"),
        (STATUS.replace(b"\n", b"\r\n"), "CRLF"),
        (STATUS.replace(b"\n", b"\r"), "CR"),
        (STATUS.replace(b"\n", b"\r\r\n"), "CR CR LF"),
        (STATUS.replace(b":", b" :"), "blank before the colon"),
        (b"".join(b"    " + line + b"\n" for line in STATUS.splitlines()), "indented"),
        (
            b"".join(b"\t" + line + b"\n" if line else b"\n" for line in STATUS.splitlines()),
            "indented, empty lines not",
        ),
        (b"".join(b"> " + line + b"\n" for line in STATUS.splitlines()), "quoted"),
        (b"".join(b"> " + line + b"\n" if line else b">\n" for line in STATUS.splitlines()), "quoted by hand"),
        (b" " + STATUS, "only the first line indented"),
    ],
)
def test_groups_of_a_delivery_status(block: bytes, why: str) -> None:
    assert groups(block) == GROUPS, why


def test_parse_reads_the_first_group() -> None:
    assert fields(STATUS) == GROUPS[0]
    assert fields(b"\r\n\r\n" + STATUS) == GROUPS[0]


def test_folds_of_indented_groups_stay_folds() -> None:
    assert groups(b"  A: b\n    c\n  D: e\n") == [[("A", "b c"), ("D", "e")]]


def test_groups_come_one_by_one() -> None:
    many = Headers.groups(b"A: b\n\n" * 100_000)
    tracemalloc.start()
    assert [next(many).get("a") for _ in range(10)] == ["b"] * 10
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def test_a_real_status_whose_continuations_lost_their_indentation() -> None:
    mail = Mail.read((FIXTURES / "rhost-messagelabs-01.eml").read_bytes())
    status = next(part for part in mail.walk() if part.content_type == "message/delivery-status")
    diagnostic = list(Headers.groups(status.content()))[1].get("diagnostic-code")
    assert diagnostic is not None
    assert diagnostic.endswith("550 relay through this server without authentication.")


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "cut"), [(99, False), (100, False), (101, True)])
def test_the_limit_of_a_field(size: int, cut: bool) -> None:
    block = b"A: " + b"x" * (size - 3)
    headers = Headers.parse(block + b"\nB: c\n", max_field_bytes=100)
    assert headers.get("a") == "x" * (min(size, 100) - 3)
    assert headers.get("b") == "c"
    assert headers.cut is cut


@pytest.mark.parametrize("fold", [b"", b"\n "])
def test_five_megabytes_of_diagnostic_code_are_cut(fold: bytes) -> None:
    block = (
        b"Status: 5.1.1\nDiagnostic-Code: smtp; 550" + (fold + b"no such user here") * 300_000 + b"\nAction: failed\n"
    )
    tracemalloc.start()
    headers = next(Headers.groups(block))
    value = headers.get("diagnostic-code")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert value is not None
    assert 60_000 < len(value) <= 64 * 1024
    assert (headers.get("status"), headers.get("action"), headers.cut) == ("5.1.1", "failed", True)
    assert peak < 3 * len(block)


@pytest.mark.parametrize(("count", "cut"), [(9_999, False), (10_000, False), (10_001, True), (500_000, True)])
def test_the_limit_of_fields(count: int, cut: bool) -> None:
    headers = Headers.parse(b"A:\n" * count)
    assert len(headers) == min(count, 10_000)
    assert headers.cut is cut


def test_a_block_of_stray_lines_is_not_read_for_ever() -> None:
    headers = Headers.parse(b"A: b\n" + b"x\n" * 1_000_000 + b"C: d\n")
    assert headers.get("a") == "b"
    assert len(headers) <= 2


# --- properties ------------------------------------------------------------------------------------------------------

NAMES = st.from_regex(rb"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True)
VALUES = st.from_regex(rb"[!-9;-~]{1,20}( [!-9;-~]{1,20}){0,5}", fullmatch=True).filter(lambda v: b"=?" not in v)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=20), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.booleans())
def test_what_is_written_is_read(pairs: list[tuple[bytes, bytes]], line_end: bytes, fold: bool) -> None:
    gap = line_end + b"\t" if fold else b" "
    block = b"".join(name + b": " + value.replace(b" ", gap) + line_end for name, value in pairs)
    expected = [(name.decode(), value.decode()) for name, value in pairs]
    assert list(Mail.read(block + line_end + b"body").headers.items()) == expected
    if pairs:
        assert fields(block) == expected


@given(st.binary(max_size=300))
def test_any_bytes_give_fields(block: bytes) -> None:
    for group in Headers.groups(block):
        for name, value in group.items():
            assert name.isascii()
            assert "\n" not in value
            assert group.get(name) is not None
