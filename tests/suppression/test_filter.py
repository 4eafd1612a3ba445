"""Recipient lists: what may be mailed leaves as it came, the rest is set aside with the reasons."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.suppression import (
    Checker,
    FilterReport,
    ImportRefused,
    SuppressionReason,
    SuppressionStore,
    Verdict,
    filter_list,
)
from tests.suppression.conftest import Backend

R = SuppressionReason


@pytest.fixture
def store(sqlite: Backend) -> SuppressionStore:
    made = sqlite.open()
    made.add("gone@example.com", R.HARD_BOUNCE)
    made.add("left@example.com", R.UNSUBSCRIBE, stream="news")
    made.add("left@example.com", R.COMPLAINT, stream="news")
    made.add("jörg@example.com", R.MANUAL)
    return made


def filtered(store: Checker, content: bytes, **options: object) -> tuple[bytes, bytes, FilterReport]:
    kept, blocked = io.BytesIO(), io.BytesIO()
    report = filter_list(store, io.BytesIO(content), kept, blocked, **options)  # type: ignore[arg-type]
    return kept.getvalue(), blocked.getvalue(), report


def test_lines(store: SuppressionStore) -> None:
    content = (
        b"ok@example.com\r\nGone@example.com\r\n\r\n# a remark\r\nleft@example.com\r\nnonsense\r\nlast@example.com"
    )
    kept, blocked, report = filtered(store, content)
    assert kept == b"ok@example.com\r\nlast@example.com"
    assert blocked.split(b"\r\n") == [
        b"Gone@example.com,hard_bounce,2026-01-01",
        b"left@example.com,unsubscribe complaint,2026-01-01",
        b"nonsense,unreadable,",
        b"",
    ]
    assert (report.rows, report.kept, report.blocked, report.unreadable) == (5, 2, 3, 1)
    assert dict(report.reasons) == {"hard_bounce": 1, "unsubscribe": 1, "complaint": 1, "unreadable": 1}


def test_a_csv_keeps_its_columns_quotes_and_line_ends(store: SuppressionStore) -> None:
    content = (
        b'Name;E-Mail;Note\r\n"Ann ""A""";ok@example.com;"x;y"\r\n'
        b'Bob;"GONE@example.com";"two\r\nlines"\r\nEve;;\r\nShort\r\n\r\nKim ; ok2@example.com ;\r\n'
    )
    kept, blocked, report = filtered(store, content)
    assert kept == b'Name;E-Mail;Note\r\n"Ann ""A""";ok@example.com;"x;y"\r\nKim ; ok2@example.com ;\r\n'
    assert blocked == (
        b"Name;E-Mail;Note;suppressed_by;suppressed_since\r\n"
        b'Bob;"GONE@example.com";"two\r\nlines";hard_bounce;2026-01-01\r\nEve;;;unreadable;\r\nShort;unreadable;\r\n'
    )
    assert (report.rows, report.kept) == (5, 2)


def test_the_stream_decides(store: SuppressionStore) -> None:
    content = b"left@example.com\n"
    assert filtered(store, content, stream="news")[0] == b""
    assert filtered(store, content, stream="receipts")[0] == content
    assert filtered(store, content, stream="news", tenant="another")[0] == content


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
def test_every_encoding_leaves_as_it_came(store: SuppressionStore, encoding: str) -> None:
    text = "email,name\r\nok@example.com,Zoë\r\njörg@example.com,Jörg\r\n"
    kept, blocked, report = filtered(store, text.encode(encoding))
    assert kept == "email,name\r\nok@example.com,Zoë\r\n".encode(encoding)
    assert "jörg@example.com,Jörg,manual,2026-01-01" in blocked.decode(encoding)
    assert (report.kept, report.blocked) == (1, 1)


def test_a_list_without_a_header(store: SuppressionStore) -> None:
    kept, _, report = filtered(store, b"Ann,ok@example.com\nBob,gone@example.com\n")
    assert (kept, report.rows) == (b"Ann,ok@example.com\n", 2)


@pytest.mark.parametrize(
    ("content", "column"),
    [
        (b"work,home\nok@example.com,gone@example.com\ngone@example.com,ok@example.com\n", "work"),
        (b"work,home\nok@example.com,gone@example.com\ngone@example.com,ok@example.com\n", "1"),
        (b"ok@example.com,gone@example.com\ngone@example.com,ok@example.com\n", "1"),
        (b"work\nok@example.com\ngone@example.com\n", "work"),
    ],
)
def test_the_column_can_be_named(store: SuppressionStore, content: bytes, column: str) -> None:
    kept, _, report = filtered(store, content, column=column)
    assert report.rows == 2
    assert [line for line in kept.splitlines() if not line.startswith(b"work")] == [
        line for line in content.splitlines() if line.startswith(b"ok@")
    ]


@pytest.mark.parametrize(
    ("content", "column"),
    [
        (b"name,phone\nann,123\n", None),
        (b"a,b\nx@y.test,1\n", "c"),
        (b"a,b\nx@y.test,1\n", "3"),
        (b"a,b\nx@y.test,1\n", "0"),
    ],
)
def test_a_list_without_an_address_column_is_refused(
    store: SuppressionStore, content: bytes, column: str | None
) -> None:
    with pytest.raises(ImportRefused):
        filtered(store, content, column=column)


def test_two_columns_of_addresses_without_a_header_are_not_guessed_at(store: SuppressionStore) -> None:
    store.add("two@example.com")
    content = b"one@example.com,two@example.com\none@example.com,three@example.com\n"
    with pytest.raises(ImportRefused, match="columns 1, 2 all hold addresses"):
        filter_list(store, io.BytesIO(content), io.BytesIO())
    kept = io.BytesIO()
    filter_list(store, io.BytesIO(content), kept, column="2")
    assert kept.getvalue() == b"one@example.com,three@example.com\n"


def test_a_cell_with_two_addresses_is_never_kept(store: SuppressionStore) -> None:
    store.add("two@example.com")
    kept, blocked = io.BytesIO(), io.BytesIO()
    content = b'id,email\n1,"one@example.com,two@example.com"\n2,mailto:two@example.com\n3,one@example.com\n'
    report = filter_list(store, io.BytesIO(content), kept, blocked)
    assert (report.kept, report.unreadable) == (1, 2)
    assert kept.getvalue() == b"id,email\n3,one@example.com\n"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_list_is_an_empty_list(store: SuppressionStore, content: bytes) -> None:
    assert filtered(store, content)[2].rows == 0


def test_a_quote_that_is_never_closed_does_not_swallow_the_list(store: SuppressionStore) -> None:
    lines = [b"email,note", b'ok@example.com,"never closed'] + [b"u%d@example.com,x" % number for number in range(500)]
    kept, _, report = filtered(store, b"\n".join([*lines, b"gone@example.com,x", b""]))
    assert report.rows == 502
    assert kept.count(b"\n") == 502
    assert b"gone@" not in kept


def test_blocked_rows_can_be_dropped(store: SuppressionStore) -> None:
    kept = io.BytesIO()
    assert filter_list(store, io.BytesIO(b"gone@example.com\nok@example.com\n"), kept).blocked == 1
    assert kept.getvalue() == b"ok@example.com\n"


def test_a_front_filters_alike(store: SuppressionStore) -> None:
    content = b"email\n" + b"".join(b"u%d@example.com\ngone@example.com\n" % number for number in range(2_000))
    assert filtered(store.preload(), content) == filtered(store, content)


class Nobody:
    """A checker that blocks what begins with `b`."""

    def check_many(self, addresses, *, tenant="", stream=None):  # type: ignore[no-untyped-def]
        for address in addresses:
            yield Verdict(address.startswith("b"), (), address)


ADDRESSES = [b"a@x.test", b"b@x.test", b"email", b"x"]
PUNCTUATION = [b",", b";", b"\t", b'"', b'""', b"\n", b"\r\n", b"\r", b" ", b"#", b"'"]
BYTES = [b"\xff", b"\x00", b"\xe9", b"\xef\xbb\xbf", b"\xff\xfe"]
PIECES = st.sampled_from(ADDRESSES + PUNCTUATION + BYTES)


@given(st.lists(PIECES, max_size=40).map(b"".join))
def test_any_bytes_are_filtered_or_refused(content: bytes) -> None:
    try:
        kept, _, report = filtered(Nobody(), content)
    except ImportRefused:
        return
    assert report.rows == report.kept + report.blocked
    assert len(kept) <= len(content) + 4  # half a character of UTF-16 is replaced by a whole one
    if not report.blocked and b"#" not in content and b"\x00" not in content and b"\xff\xfe" not in content:
        assert kept.replace(b"\r", b"").replace(b"\n", b"") in content.replace(b"\r", b"").replace(b"\n", b"")


def test_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        path = tmp_path / "list.csv"
        with open(path, "wb") as file:
            file.write(b"email,name\n")
            file.writelines(b"u%d@example.com,somebody\n" % number for number in range(rows))
        tracemalloc.start()
        with open(path, "rb") as source, open(tmp_path / "kept", "wb") as kept:
            filter_list(Nobody(), source, kept)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(60_000) < peak(10_000) * 1.5
