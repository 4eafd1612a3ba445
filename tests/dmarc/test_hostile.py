"""Hostile and broken reports, numbered as they were collected; each with what must become of it."""

from __future__ import annotations

import base64
import gzip
import html
import io
import random
import re
import socket
import struct
import sys
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from mailgate.dmarc import (
    AggregateReport,
    Limits,
    Refusal,
    Rollup,
    Trust,
    ViewOptions,
    contributions,
    page,
    parse_all,
    read,
    to_csv,
    view,
)
from mailgate.dmarc._shape import MAX_CHARACTERS
from mailgate.records import MailgateError
from tests.support.dmarc_reports import DAY, FIRST_DAY, TAIL, head, mail, record, report, zipped

MIB = 1024 * 1024
ONLY_EXPAT = Limits(max_field_bytes=MAX_CHARACTERS - 1)


def one(data: bytes, **options: Any) -> AggregateReport:
    outcomes = parse_all(data, **options)
    assert len(outcomes) == 1
    assert isinstance(outcomes[0], AggregateReport), outcomes[0]
    return outcomes[0]


def refused(data: bytes, **options: Any) -> str:
    """The class of the one refusal; the rollup must refuse it alike."""
    outcomes = parse_all(data, **options)
    assert len(outcomes) == 1
    assert isinstance(outcomes[0], Refusal), outcomes[0]
    assert [type(found) for found in contributions(data, **options)] == [Refusal]
    return outcomes[0].error


def doctype(subset: str, body: str = "", root: str = "feedback") -> bytes:
    return f'<?xml version="1.0"?>\n<!DOCTYPE {root} {subset}>\n<feedback>{body}</feedback>'.encode()


def calls(work: Callable[[], object]) -> int:
    """How many calls, Python's and C's, some work takes: a measure of it that no busy machine changes."""
    counted = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- 1 to 8: what blows up -------------------------------------------------------------------------------------------

LAUGHS = "[" + '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
) + "]"  # fmt: skip
QUADRATIC = f'[<!ENTITY a "{"x" * 50_000}">]'
DEFAULTS = "[<!ATTLIST a " + " ".join(f'b{i} CDATA "{"x" * 1_000}"' for i in range(100)) + ">]"


@pytest.mark.parametrize(
    ("subset", "body"),
    [(LAUGHS, "&j;"), (QUADRATIC, "&a;" * 50_000), (DEFAULTS, "<a/>" * 100_000)],
    ids=["billion laughs", "quadratic", "attribute defaults"],
)
def test_case_1_entities_and_defaults_are_never_expanded(subset: str, body: str) -> None:
    data = doctype(subset, body)
    assert refused(data) == "dtd_forbidden"
    assert calls(lambda: parse_all(data)) < 1_000
    assert peak_bytes(lambda: parse_all(data)) < 4 * len(data) + MIB


@pytest.mark.parametrize(
    "data",
    [
        doctype('[<!ENTITY a SYSTEM "file:///etc/passwd">]', "&a;"),
        doctype('[<!ENTITY a SYSTEM "http://127.0.0.1:{port}/">]', "&a;"),
        doctype('SYSTEM "http://127.0.0.1:{port}/feedback.dtd"'),
        doctype('[<!ENTITY % p SYSTEM "http://127.0.0.1:{port}/"> %p;]'),
        doctype('[<!ENTITY org "harmless">]', "&org;"),
    ],
    ids=["file", "url", "external subset", "parameter entity", "harmless"],
)
def test_case_2_nothing_outside_is_asked_for(data: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        data = data.replace(b"{port}", str(server.getsockname()[1]).encode())
        assert refused(data) == "dtd_forbidden"
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("name", ["x", "record"])
def test_case_3_deep_nesting_is_refused(name: str) -> None:
    data = b"<feedback>" + f"<{name}>".encode() * 300_000 + f"</{name}>".encode() * 300_000 + b"</feedback>"
    assert refused(data) == "too_deep"


def test_depth_at_the_limit_is_read() -> None:
    def nested(depth: int) -> bytes:
        inner = "<x>" * (depth - 1) + "</x>" * (depth - 1)
        return report([record()]).replace(b"</feedback>", inner.encode() + b"</feedback>")

    assert one(nested(32)).messages == 1
    assert refused(nested(33)) == "too_deep"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (report(org_name="x" * 60 * MIB), "field_too_long"),
        (report().replace(b"<feedback>", b"<feedback><!--" + b"x" * 10 * MIB + b"-->"), "token_too_long"),
        (report().replace(b"<feedback>", b'<feedback a="' + b"x" * 10 * MIB + b'">'), "token_too_long"),
        (report([record(header_from="x" * 70_000)]), "field_too_long"),
    ],
    ids=["text", "comment", "attribute", "text in a record"],
)
def test_case_4_long_fields_and_tokens_are_refused(data: bytes, error: str) -> None:
    assert refused(data) == error


def test_a_field_at_the_limit_is_read() -> None:
    limits = Limits(max_field_bytes=100)
    assert one(report(report_id="x" * 100), limits=limits).report_id == "x" * 100
    assert refused(report(report_id="x" * 101), limits=limits) == "field_too_long"


def test_case_5_unknown_elements_are_passed_over() -> None:
    many = report().replace(b"</feedback>", b"<x>y</x>" * 200_000 + b"</feedback>")
    assert one(many).messages == 1
    inside = report().replace(b"</row>", b"</row>" + b"<x>y</x>" * 6_000)
    assert refused(inside) == "too_many_elements"


def bomb(how_many_bytes: int, *, as_zip: bool) -> bytes:
    """Zeros, packed: written in pieces, so that the test itself stays small."""
    buffer = io.BytesIO()
    piece = b"\0" * MIB
    if as_zip:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("r.xml", "w") as member:
            for _ in range(how_many_bytes // MIB):
                member.write(piece)
    else:
        with gzip.GzipFile(fileobj=buffer, mode="wb") as file:
            for _ in range(how_many_bytes // MIB):
                file.write(piece)
    return buffer.getvalue()


@pytest.mark.parametrize("as_zip", [False, True], ids=["gzip", "zip"])
def test_case_6_a_bomb_is_refused_at_its_first_excess(as_zip: bool) -> None:
    data = bomb(300 * MIB, as_zip=as_zip)
    assert refused(data) == "archive_too_large"
    assert peak_bytes(lambda: parse_all(data)) < 8 * MIB


def test_the_whole_input_has_one_budget() -> None:
    size = len(report(report_id="a"))
    limits = Limits(max_unpacked_bytes=2 * size - 1)
    assert refused(gzip.compress(report([record()] * 5)), limits=limits) == "archive_too_large"
    both = zipped({"a.xml": report(report_id="a"), "b.xml": report(report_id="b"), "c.xml": report(report_id="c")})
    assert [isinstance(outcome, Refusal) for outcome in parse_all(both, limits=limits)] == [False, True, True]


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(gzip.compress(report())),
        zipped({"a.zip": zipped({"a.xml": report()})}),
        gzip.compress(zipped({"a.xml": report()})),
        zipped({"a.xml.gz": gzip.compress(report())}),
    ],
    ids=["gz of gz", "zip of zip", "gz of zip", "zip of gz"],
)
def test_case_7_one_level_of_packing_only(data: bytes) -> None:
    assert refused(data) == "archive_nested"


def test_case_8_a_ratio_that_no_report_has_is_refused() -> None:
    data = report([record(count=5)]).replace(b"</feedback>", b"<x/>\n" * 2 * MIB + b"</feedback>")
    packed = gzip.compress(data)
    assert len(data) > 300 * len(packed)
    assert refused(packed) == "archive_too_large"
    assert one(packed, limits=Limits(max_ratio=2_000)).messages == 5


# --- 9 to 14: archives -----------------------------------------------------------------------------------------------


def test_case_9_gzip_that_is_cut_wrong_padded_or_in_members() -> None:
    data = report([record(count=7)])
    whole = gzip.compress(data)
    assert refused(whole[: len(whole) // 2]) == "archive_corrupt"
    assert refused(whole[:-8] + b"\0\0\0\0" + whole[-4:]) == "archive_corrupt"
    assert one(whole + b"\0" * 512).messages == 7
    assert one(gzip.compress(data[:700]) + gzip.compress(data[700:])).messages == 7


def test_case_10_content_decides_not_the_name() -> None:
    data = report([record(count=7)])
    assert one(mail(gzip.compress(data), filename="report.zip", content_type="application/zip")).messages == 7
    assert one(mail(data, filename="report.xml.gz", content_type="application/gzip")).messages == 7
    assert one(mail(zipped({"r": data}), filename="report.xml", content_type="text/xml")).messages == 7


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a\0b", "C:\\x", "\u202egnp.xml"])
def test_case_11_names_of_members_are_labels_only(name: str) -> None:
    data = zipped({name: report([record(count=7)])})
    assert one(data).messages == 7
    broken = parse_all(zipped({name: b"<feedback>"}))[0]
    assert isinstance(broken, Refusal)
    assert broken.error == "xml_not_wellformed"


def encrypted() -> bytes:
    data = bytearray(zipped({"r.xml": report()}))
    data[6] |= 1  # the flag in the local header
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # and in the directory
    return bytes(data)


def lying(offset: int, value: int) -> bytes:
    """A zip whose directory states another number (4 bytes at that offset of the entry)."""
    data = bytearray(zipped({"r.xml": report()}))
    struct.pack_into("<L", data, data.rindex(b"PK\x01\x02") + offset, value)
    return bytes(data)


def test_case_12_a_report_among_other_members_is_found() -> None:
    data = report([record(count=7)])
    members = {"folder/": b"", "__MACOSX/._r.xml": b"\0\5\x16\7rubbish", "README.txt": b"Hello!", "folder/r.xml": data}
    assert one(zipped(members)).messages == 7


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (zipped({f"{i}.txt": b"x" for i in range(10_000)}), "archive_too_large"),
        (zipped({f"{i}.txt": b"x" for i in range(101)}), "archive_too_large"),
        (encrypted(), "archive_corrupt"),
        (lying(24, 10), "archive_corrupt"),
        (lying(24, 2**31), "archive_corrupt"),
        (lying(16, 1), "archive_corrupt"),
        (lying(20, 2**31), "archive_corrupt"),
        (lying(42, 2**31), "archive_corrupt"),
        (zipped({"README.txt": b"Hello!"}), "archive_no_report"),
        (zipped({}), "archive_no_report"),
        (zipped({"r.xml": report()})[:-30], "archive_corrupt"),
        (zipped({"r.xml": report()}, compression=zipfile.ZIP_LZMA), "archive_corrupt"),
        (b"PK\x05\x06", "archive_corrupt"),
    ],
    ids=[
        "10,000 members", "101 members", "encrypted", "size too small", "size too large", "wrong CRC", "packed size",
        "offset", "no report", "empty", "cut", "LZMA", "end record only",
    ],
)  # fmt: skip
def test_case_12_archives_that_are_refused(data: bytes, error: str) -> None:
    assert refused(data) == error


def test_a_zip_with_as_many_members_as_allowed_is_read() -> None:
    members = {f"{i}.txt": b"x" for i in range(99)}
    assert one(zipped({**members, "r.xml": report()})).messages == 1


def test_case_13_two_reports_in_one_input_are_two() -> None:
    first, second = report([record(count=3)], report_id="a"), report([record(count=4)], report_id="b")
    archive = zipped({"a.xml": first, "b.xml": second})
    assert [outcome.messages for outcome in parse_all(archive)] == [3, 4]  # type: ignore[union-attr]
    message = EmailMessage()
    message.set_content("Two reports.")
    message.add_attachment(gzip.compress(first), maintype="application", subtype="gzip", filename="a.xml.gz")
    message.add_attachment(archive, maintype="application", subtype="zip", filename="b.zip")
    rollup = read(message.as_bytes())
    assert sorted(c.messages for c in rollup.contributions.values()) == [3, 4]


def test_case_14_an_empty_member_name_is_a_file() -> None:
    data = bytearray(zipped({"x": report([record(count=7)])}))
    entry = data.rindex(b"PK\x01\x02")
    struct.pack_into("<2H", data, 26, 0, 1)  # the name's one byte becomes part of the extra field
    struct.pack_into("<2H", data, entry + 28, 0, 1)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == [""]
    assert one(bytes(data)).messages == 7


# --- 15 to 21: text --------------------------------------------------------------------------------------------------


def test_case_15_a_byte_order_mark_and_blank_lines_are_read_and_named() -> None:
    assert "bom" in one(b"\xef\xbb\xbf" + report()).defects
    assert "leading_whitespace" in one(b"\n \r\n" + report()).defects
    both = one(b"\xef\xbb\xbf\n" + report())
    assert {"bom", "leading_whitespace"} <= set(both.defects)


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf" * 2, b"\r\n\xef\xbb\xbf", b"\xef\xbb\xbf \n\xef\xbb\xbf\n"])
def test_case_15_byte_order_marks_and_blanks_in_any_order(before: bytes) -> None:
    found = one(before + report([record(count=7)]))
    assert found.messages == 7
    assert "bom" in found.defects


def test_case_15_a_byte_order_mark_is_believed_before_the_declaration() -> None:
    data = report(org_name="Société").replace(b"UTF-8", b"windows-1252")
    found = one(b"\xef\xbb\xbf" + data)
    assert (found.org_name, found.defects) == ("Société", ("bom", "encoding_mismatch"))


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [True, False], ids=["mark", "no mark"])
@pytest.mark.parametrize("declared", ["UTF-16", "UTF-8"])
def test_case_16_utf_16(codec: str, mark: bool, declared: str) -> None:
    text = report([record(count=7)], org_name="Société").decode().replace('"UTF-8"', f'"{declared}"')
    data = (("\ufeff" if mark else "") + text).encode(codec)
    found = one(data)
    assert (found.org_name, found.messages) == ("Société", 7)
    assert "utf16" in found.defects
    assert one(gzip.compress(data)) == found


@pytest.mark.parametrize("declared", ["ISO-8859-1", "windows-1252", "iso-8859-15", "latin1"])
def test_case_17_declared_encodings_are_decoded(declared: str) -> None:
    text = report(org_name="Société").decode().replace('"UTF-8"', f'"{declared}"')
    found = one(text.encode(declared))
    assert found.org_name == "Société"
    assert found.defects == ()


def test_case_17_multi_byte_encodings() -> None:
    text = report(org_name="日本").decode().replace('"UTF-8"', '"Shift_JIS"')
    assert one(text.encode("shift_jis")).org_name == "日本"


@pytest.mark.parametrize(
    ("declared", "name", "defect"),
    [
        ("UTF-8", b"Soci\xe9t\xe9", "invalid_bytes"),
        ("US-ASCII", b"Soci\xe9t\xe9", "invalid_bytes"),
        ("x-unknown-9", "Société".encode(), "unknown_encoding"),
        ("rot13", "Société".encode(), "unknown_encoding"),
        ("idna", "Société".encode(), "unknown_encoding"),
        ("UTF-16", "Société".encode(), "encoding_mismatch"),
        ("UTF-32", "Société".encode(), "encoding_mismatch"),
        ("windows-1252", b"Soci\xe9t\xe9\x81", "invalid_bytes"),
    ],
)
def test_case_18_bytes_that_do_not_fit_their_declaration(declared: str, name: bytes, defect: str) -> None:
    data = report(org_name="@@").replace(b'"UTF-8"', f'"{declared}"'.encode()).replace(b"@@", name, 1)
    found = one(data)
    assert found.org_name in ("Société", "Soci\ufffdt\ufffd", "Société\ufffd")
    assert defect in found.defects
    assert found.messages == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<feedback>", b'<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">'),
        (b"<feedback>", b'<feedback xmlns="http://dmarc.org/dmarc-xml/0.1">'),
    ],
)
def test_case_19_namespaces(before: bytes, after: bytes) -> None:
    found = one(report([record(count=7)]).replace(before, after))
    assert found.messages == 7
    assert "namespace" in found.defects


def test_case_19_a_prefixed_namespace() -> None:
    plain = report([record(count=7)]).decode()
    prefixed = re.sub(r"<(/?)(?=[a-z])", r"<\1d:", plain).replace("<d:feedback>", '<d:feedback xmlns:d="urn:x">')
    found = one(prefixed.encode())
    assert (found.messages, found.rows) == (7, one(plain.encode()).rows)
    assert "namespace" in found.defects
    assert refused(prefixed.replace(' xmlns:d="urn:x"', "").encode()) == "xml_not_wellformed"


@pytest.mark.parametrize("cut", [b"</record>", b"<count>"], ids=["after a record", "in a record"])
def test_case_20_a_truncated_report_is_refused(cut: bytes) -> None:
    data = report([record(count=100), record(count=12)])
    shorter = data[: data.index(cut) + len(cut)]
    assert refused(shorter) == "xml_not_wellformed"
    assert refused(gzip.compress(shorter)) == "xml_not_wellformed"


@pytest.mark.parametrize("tail", [b"text", b"\0\0\0", b"<feedback></feedback>", b"<!-- a -->text", b"]]>", b"\xff\xfe"])
def test_case_21_what_stands_behind_the_root_is_left_and_named(tail: bytes) -> None:
    found = one(report([record(count=7)]) + tail)
    assert found.messages == 7
    assert "trailing_content" in found.defects


# --- 22 to 33: fields ------------------------------------------------------------------------------------------------


def without(element: str, data: bytes | None = None) -> bytes:
    """A report without its first such element."""
    text = (report() if data is None else data).decode()
    return re.sub(rf"<{element}>.*?</{element}>\s*", "", text, count=1, flags=re.DOTALL).encode()


@pytest.mark.parametrize(
    ("data", "error", "field"),
    [
        (without("report_metadata"), "missing_report_metadata", "report_metadata"),
        (without("policy_published"), "missing_policy_published", "policy_published"),
        (without("report_id"), "missing_report_id", "report_id"),
        (report(report_id=" "), "missing_report_id", "report_id"),
        (without("org_name", without("email")), "missing_org_name", "org_name"),
        (without("date_range"), "missing_date_range", "begin"),
        (without("end"), "missing_date_range", "end"),
        (without("domain"), "missing_policy_domain", "domain"),
        (report([]), "no_records", "record"),
        (b"<feedback/>", "missing_report_metadata", "report_metadata"),
        (b"<html/>", "not_a_report", None),
        (b"hello", "not_a_report", None),
        (b"", "not_a_report", None),
    ],
)
def test_case_22_what_cannot_be_counted_is_refused_by_name(data: bytes, error: str, field: str | None) -> None:
    outcome = parse_all(data)[0]
    assert isinstance(outcome, Refusal)
    assert outcome.error == error
    if field is not None:
        assert outcome.field == field
        assert outcome.offset is not None
        assert data[outcome.offset :].startswith(b"<")


def test_a_refusal_says_who_sent_it_and_where_the_fault_lies() -> None:
    data = report(begin=FIRST_DAY, end=FIRST_DAY - 1)
    outcome = parse_all(data)[0]
    assert isinstance(outcome, Refusal)
    assert (outcome.error, outcome.field, outcome.org_name) == ("bad_date_range", "end", "google.com")
    assert outcome.offset is not None
    assert data[outcome.offset :].startswith(b"<end>")


@pytest.mark.parametrize("element", ["policy_published", "report_metadata"])
def test_case_23_two_of_what_there_must_be_one(element: str) -> None:
    data = report()
    start, end = data.index(f"<{element}>".encode()), data.index(f"</{element}>".encode()) + len(element) + 3
    outcome = parse_all(data[:end] + data[start:end] + data[end:])[0]
    assert isinstance(outcome, Refusal)
    assert (outcome.error, outcome.field, outcome.offset) == ("ambiguous_structure", element, end)


@pytest.mark.parametrize(
    ("element", "other"), [("report_id", "2"), ("domain", "example.net"), ("begin", "1"), ("org_name", "evil.example")]
)
def test_two_identities_in_one_report_are_refused(element: str, other: str) -> None:
    data = report().replace(f"<{element}>".encode(), f"<{element}>{other}</{element}><{element}>".encode(), 1)
    assert refused(data) == "ambiguous_structure"


def test_case_24_optional_parts() -> None:
    assert one(without("p")).policy_published.p is None
    assert one(without("auth_results")).rows[0].dkim_results == ()
    bare = one(without("policy_evaluated"))
    assert (bare.rows[0].dmarc_pass, bare.rows[0].disposition, bare.messages) == (False, "unspecified", 1)
    assert "missing_alignment_result" in bare.defects
    reason = one(report().replace(b"</policy_evaluated>", b"<reason/></policy_evaluated>"))
    assert [r.type for r in reason.rows[0].reasons] == ["unspecified"]


def test_case_25_a_row_without_an_address_is_skipped() -> None:
    some = one(report([record(source_ip="", count=5), record(count=6), record(count=7)]))
    assert (some.records, len(some.rows), some.messages) == (3, 2, 13)
    assert [(skipped.number, skipped.count) for skipped in some.skipped] == [(1, "5")]
    none = one(report([record(source_ip="", count=5)]))
    assert (none.records, none.rows, none.messages) == (1, (), 0)
    assert "bad_record" in none.defects


@pytest.mark.parametrize("count", ["-5", "1e3", "1,000", "3.0", "", "+3", "0x10", "NaN"])
def test_case_26_counts_that_are_no_numbers(count: str) -> None:
    found = one(report([record(count=count), record(count=6)]))
    assert (found.records, found.messages) == (2, 6)
    assert "bad_record" in found.defects


@pytest.mark.parametrize("count", ["1_000", "\u0661\u0662", "9" * 30, "9" * 13, "\uff11", "²"])
def test_case_27_counts_that_python_takes_and_we_do_not(count: str) -> None:
    assert one(report([record(count=count), record(count=6)])).messages == 6


def test_counts_of_twelve_digits_are_taken() -> None:
    assert one(report([record(count="9" * 12), record(count=" 007 ")])).messages == 999_999_999_999 + 7


def test_case_28_a_count_of_nought_is_kept() -> None:
    found = one(report([record(count=0)]))
    assert (len(found.rows), found.messages) == (1, 0)
    domain = view(read(report([record(count=0)])))["domains"]["example.com"]
    assert (domain["messages"], domain["rate"]) == (0, None)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" 192.0.2.1\n", "192.0.2.1"),
        ("[2001:db8::1]", None),
        ("192.0.02.1", None),
        ("192.0.2.01", None),
        ("mail.example.com", None),
        ("fe80::1%eth0", None),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("::192.0.2.1", "::c000:201"),
        ("192.0.2.1/32", None),
        ("0x7f.1", None),
        ("127.1", None),
        ("1.2.3.4.5", None),
        ("192.0.2.1\x00", None),
        ("١٩٢.0.2.1", None),
    ],
)
def test_case_29_addresses(text: str, address: str | None) -> None:
    if "\0" in text:
        return  # no XML holds it; case 21 and the fuzz look at NULs
    for limits in (Limits(), ONLY_EXPAT):
        found = one(report([record(source_ip=text)]), limits=limits)
        assert [row.source_ip for row in found.rows] == ([] if address is None else [address])


def test_case_30_periods() -> None:
    def period(begin: object, end: object) -> bytes:
        return head(begin=begin, end=end).encode() + record().encode() + TAIL.encode()  # type: ignore[arg-type]

    assert refused(period(FIRST_DAY, FIRST_DAY - 1)) == "bad_date_range"
    assert refused(period(-5, FIRST_DAY)) == "bad_date_range"
    assert refused(period(FIRST_DAY * 1_000, FIRST_DAY * 1_000 + DAY)) == "bad_date_range"
    assert refused(period("2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z")) == "bad_date_range"
    assert "long_period" in one(period(FIRST_DAY, FIRST_DAY + 3_650 * DAY)).defects
    assert "long_period" not in one(period(FIRST_DAY, FIRST_DAY + 25 * 3_600)).defects
    cut = one(period(f"{FIRST_DAY}.75", f"{FIRST_DAY + DAY}.0"))
    assert (cut.begin, cut.end) == (FIRST_DAY, FIRST_DAY + DAY)
    assert "fractional_timestamp" in cut.defects


def test_case_30_a_report_of_the_year_2100_is_kept_apart_when_the_day_is_known() -> None:
    begin = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
    rollup = read(report([record(count=9)], begin=begin))
    rollup.update(read(report([record(count=4)])))
    shown = view(rollup, ViewOptions(at=date(2025, 1, 3)))
    assert shown["domains"]["example.com"]["messages"] == 4
    assert shown["future"] == {"example.com": {"reports": 1, "messages": 9}}


def test_case_31_words_in_any_letter_case() -> None:
    found = one(report([record(dkim="PASS", spf="Fail", disposition="NONE")]))
    row = found.rows[0]
    assert (row.dkim, row.spf, row.disposition, row.dkim_aligned, row.spf_aligned) == (
        "pass",
        "fail",
        "none",
        True,
        False,
    )


HOSTILE_TEXTS = ("=HYPERLINK(&quot;http://x&quot;)", "&lt;script&gt;alert(1)&lt;/script&gt;", "a\nb", "a&#8238;b")


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_case_32_hostile_text_is_kept_raw_and_escaped_where_it_is_written(text: str) -> None:
    raw = html.unescape(text)
    data = report([record(header_from=text)], org_name=text, report_id=text)
    found = one(data)
    assert (found.org_name, found.report_id) == (raw, raw)
    shown = view(read(data))
    written = page(shown)
    assert "<script>" not in written
    assert "\u202e" not in written
    assert not any(cell.startswith("=") for line in to_csv(shown).splitlines() for cell in line.split(","))


def test_case_33_many_distinct_names_stay_bounded() -> None:
    def many(names: int) -> bytes:
        return report([record(header_from=f"n{i}.example.com", source_ip="192.0.2.1") for i in range(names)])

    limits = Limits(max_cells=1_000, max_facets=500)
    rollup = read(gzip.compress(many(2_000)), limits=limits)
    (contribution,) = rollup.contributions.values()
    assert contribution.messages == 2_000
    assert sum(len(cell.sources) for cell in contribution.cells) <= 1_001
    assert len(contribution.cells) <= 502
    assert "cells_capped" in contribution.defects
    assert view(rollup)["domains"]["example.com"]["messages"] == 2_000


def test_many_distinct_sources_stay_bounded() -> None:
    records = [record(source_ip=f"192.0.{i // 256}.{i % 256}", count=2) for i in range(2_000)]
    (contribution,) = read(report(records), limits=Limits(max_cells=100)).contributions.values()
    assert contribution.messages == 4_000
    (cell,) = contribution.cells
    assert len(cell.sources) == 101
    assert dict(cell.sources)["other"] == 3_800


# --- 34 to 39: identity and trust ------------------------------------------------------------------------------------


def test_case_34_the_same_report_again_counts_once() -> None:
    data = report([record(count=7)])
    rollup = Rollup()
    for again in (data, gzip.compress(data), zipped({"x": data}), mail(gzip.compress(data)), b"\n" + data, data):
        rollup.update(read(again))
    shown = view(rollup)
    assert (shown["reports"], shown["domains"]["example.com"]["messages"]) == (1, 7)
    assert (shown["duplicates_ignored"], shown["conflicts"]) == (4, 0)


def test_case_35_another_domain_period_or_organisation_is_another_report() -> None:
    rollup = Rollup()
    rollup.update(read(report([record(count=1)])))
    rollup.update(read(report([record(count=1)], domain="example.net")))
    rollup.update(read(report([record(count=1)], begin=FIRST_DAY + DAY)))
    rollup.update(read(report([record(count=1)], end=FIRST_DAY + 5)))
    rollup.update(read(report([record(count=1)], org_name="yahoo.example")))
    assert view(rollup)["reports"] == 5


def test_case_36_of_two_contents_the_larger_is_kept_in_any_order() -> None:
    small, large = read(report([record(count=5)])), read(report([record(count=5), record(source_ip="192.0.2.9")]))
    for rollup in (small.merge(large), large.merge(small), large.merge(small).merge(small)):
        shown = view(rollup)
        assert (shown["conflicts"], shown["domains"]["example.com"]["messages"]) == (1, 6)


def test_case_37_foreign_domains_are_kept_apart() -> None:
    rollup = read(report([record(count=5)])).merge(read(report([record(count=8)], domain="evil.example")))
    rollup = rollup.merge(read(report([record(count=2)], domain="sub.example.com")))
    shown = view(rollup, ViewOptions(domains=["Example.COM."]))
    assert sorted(shown["domains"]) == ["example.com", "sub.example.com"]
    assert shown["foreign"] == {"evil.example": {"reports": 1, "messages": 8}}


def results(words: str) -> str:
    return f"Authentication-Results: mx.example.com; {words}\r\n"


def test_case_38_trust_comes_from_our_own_server_only() -> None:
    packed = gzip.compress(report([record(count=5)]))

    def trust(headers: str) -> Trust:
        (found,) = contributions(mail(packed, headers=headers), authserv_ids=["mx.example.com"])
        assert not isinstance(found, Refusal)
        return found.trust

    assert trust(results("dmarc=pass header.from=google.com")) is Trust.PASS
    assert trust(results("dmarc=fail header.from=google.com")) is Trust.FAIL
    assert trust("") is Trust.UNKNOWN
    assert trust("Authentication-Results: evil.example; dmarc=pass\r\n") is Trust.UNKNOWN
    untrusted = read(mail(packed), authserv_ids=["mx.example.com"])
    shown = view(untrusted, ViewOptions(require_trust=True))
    assert shown["domains"] == {}
    assert shown["untrusted"] == {"example.com": {"reports": 1, "messages": 5}}


def test_case_38_a_forged_copy_does_not_replace_a_trusted_report() -> None:
    genuine = read(report([record(count=5)]), trust=Trust.PASS)
    forged = read(report([record(count=500)]), trust=Trust.FAIL)
    for rollup in (genuine.merge(forged), forged.merge(genuine)):
        assert view(rollup)["domains"]["example.com"]["messages"] == 5


def test_case_39_an_organisation_that_claims_everything_is_marked() -> None:
    rollup = Rollup()
    for number, org in enumerate(("a.example", "b.example", "c.example")):
        rollup.update(read(report([record(count=10)], org_name=org, report_id=str(number))))
    rollup.update(read(report([record(count=10**9)], org_name="liar.example")))
    domain = view(rollup)["domains"]["example.com"]
    assert domain["outliers"] == ["liar.example"]
    assert domain["by_org"]["a.example"][0] == 10


# --- 40 to 43: mails, and everything cut, flipped or doubled ---------------------------------------------------------


def attachments() -> Iterator[tuple[str, bytes]]:
    data = report([record(count=7)])
    packed = gzip.compress(data)
    yield "octet-stream", mail(packed, content_type="application/octet-stream")
    yield "text/plain named .gz", mail(packed, content_type="text/plain")
    yield "x-gzip", mail(packed, content_type="application/x-gzip")
    yield "8bit XML", mail(data, content_type="text/xml", filename="r.xml", encoding="8bit")
    yield "7bit XML", mail(data, content_type="text/xml", filename="r.xml", encoding="7bit")
    quoted = EmailMessage()
    quoted.set_content("See below.")
    quoted.add_attachment(data.decode(), subtype="xml", cte="quoted-printable", filename="r.xml")
    yield "quoted-printable", quoted.as_bytes()
    yield "ContentType:", mail(packed).replace(b"Content-Type: application/gzip", b"ContentType: application/gzip")
    forwarded = EmailMessage()
    forwarded.set_content("FYI")
    inner = EmailMessage()
    inner["Subject"] = "Report domain: example.com"
    inner.set_content("A report.")
    inner.add_attachment(packed, maintype="application", subtype="gzip", filename="r.xml.gz")
    forwarded.add_attachment(inner)
    yield "forwarded", forwarded.as_bytes()
    single = EmailMessage()
    single["Subject"] = "Report domain: example.com"
    single.set_content(zipped({"r.xml": data}), maintype="application", subtype="zip", filename="r.zip")
    yield "single-part zip", single.as_bytes()
    alternative = EmailMessage()
    alternative.set_content("text")
    alternative.add_alternative(packed, maintype="application", subtype="gzip")
    yield "multipart/alternative", alternative.as_bytes()
    page_too = EmailMessage()
    page_too.set_content("text")
    page_too.add_alternative("<html><body><p>Not a report<br></body></html>", subtype="html")
    page_too.add_attachment(packed, maintype="application", subtype="gzip", filename="r.xml.gz")
    yield "beside HTML", page_too.as_bytes()


@pytest.mark.parametrize(
    ("name", "data"), list(attachments()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_case_40_attachments_however_encoded(name: str, data: bytes) -> None:
    assert one(data).messages == 7


def forwarded_as_file(content_type: str) -> bytes:
    """A report mail attached to another one as a file of that type."""
    inner = mail(report([record(count=7)]))
    message = EmailMessage()
    message.set_content("See the report.")
    kind, _, subtype = content_type.partition("/")
    message.add_attachment(inner, maintype=kind, subtype=subtype, filename="report.eml")
    return message.as_bytes()


@pytest.mark.parametrize("content_type", ["application/octet-stream", "text/plain", "application/x-eml"])
def test_case_40_a_mail_attached_as_a_file_of_any_type(content_type: str) -> None:
    data = forwarded_as_file(content_type)
    assert one(data).messages == 7
    (found,) = contributions(data, trust=Trust.PASS)
    assert not isinstance(found, Refusal)
    assert found.trust is Trust.UNKNOWN, "our server knows nothing of the inner mail's sender"


@pytest.mark.parametrize(
    "field", ["", "ContentTransferEncoding: base64\r\n", "Content-Transfer-Encoding: x-base64\r\n"]
)
@pytest.mark.parametrize("packed", [bytes, gzip.compress, lambda data: zipped({"a.xml": data})], ids=["", "gz", "zip"])
def test_case_40_base64_that_no_header_tells_of(field: str, packed: Callable[[bytes], bytes]) -> None:
    text = base64.encodebytes(packed(report([record(count=7)])))
    head_of_part = f"Content-Type: application/octet-stream\r\n{field}\r\n".encode()
    whole = b"Subject: x\r\nMIME-Version: 1.0\r\n"
    assert one(whole + head_of_part + text).messages == 7
    parts = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + head_of_part + text + b"\r\n--b--\r\n"
    assert one(whole + parts).messages == 7
    assert one(text.rstrip(b"=\n") + b"\n\n-- \nA signature").messages == 7
    assert refused(base64.encodebytes(packed(report())[:100])[:-9]) != "not_a_report"


def test_empty_parts_and_prose_that_looks_like_fields_are_no_mails() -> None:
    message = EmailMessage()
    message.set_content("Note: nothing to see\n\nContent-Type: of no interest\n")
    message.add_attachment(b"", maintype="application", subtype="octet-stream", filename="a.eml")
    assert refused(message.as_bytes()) == "not_a_report"
    message.add_attachment(report([record(count=7)]), maintype="text", subtype="xml", filename="r.xml")
    assert one(message.as_bytes()).messages == 7


BESIDE = (
    "<html><body><p>Not a report<br></body></html>",
    "<!doctype html><html><body><br></html>",
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN"><html><body><br></html>',
    '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x" "y"><svg/>',
    "<3 from all of us",
    "<p>Hello<br>",
    "{ hello }",
    '{"a": 1}',
    "<?xml version='1.0'?>",
    "<html lang=en><p>Your feedback matters",
    "<https://example.com/feedback> tells us what you think",
    "<!-- feedback -- form --><p>x",
)


@pytest.mark.parametrize("text", BESIDE)
def test_markup_that_is_no_report_is_passed_over(text: str) -> None:
    data = report([record(count=7)])
    assert one(zipped({"a.html": text.encode(), "r.xml": data})).messages == 7
    message = EmailMessage()
    message.set_content("Hello")
    message.add_alternative(text, subtype="html")
    assert refused(message.as_bytes()) == "not_a_report"
    message.add_attachment(gzip.compress(data), maintype="application", subtype="gzip", filename="r.xml.gz")
    assert one(message.as_bytes()).messages == 7


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"<?xml version='1.0'?>", "xml_not_wellformed"),
        (b"<?xml version='1.0'?><feed", "xml_not_wellformed"),
        (b"<feedback", "xml_not_wellformed"),
        (b"<!-- a -- b --><r:feedback>", "xml_not_wellformed"),
        (b"<!DOCTYPE lolz [<!ENTITY a 'b'>]><lolz>&a;</lolz>", "dtd_forbidden"),
        (b"<!DOCTYPE html><html></html>", "not_a_report"),
        (b"<!doctype html><html></html>", "not_a_report"),
        (b"<3", "not_a_report"),
    ],
)
def test_markup_by_itself_is_told_what_is_wrong_with_it(data: bytes, error: str) -> None:
    assert refused(data) == error
    assert refused(gzip.compress(data)) == error


def test_case_41_nested_multiparts_are_refused() -> None:
    parts = [f"Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n" for i in range(2_000)]
    assert refused(("MIME-Version: 1.0\r\n" + "".join(parts)).encode()) == "too_deep"


def test_mails_inside_mails_are_refused_below_the_limit() -> None:
    message = EmailMessage()
    message.set_content("x")
    for _ in range(30):
        outer = EmailMessage()
        outer.set_content("x")
        outer.add_attachment(message)
        message = outer
    assert refused(message.as_bytes()) == "too_deep"


GOOD = report([record(count=7), record(source_ip="2001:db8::1", reason=("local_policy", "arc=pass"))])


@pytest.mark.parametrize(
    "data",
    [GOOD, gzip.compress(GOOD, mtime=0), zipped({"r.xml": GOOD}), mail(gzip.compress(GOOD, mtime=0))],
    ids=["xml", "gzip", "zip", "mail"],
)
def test_case_42_every_prefix_is_an_outcome(data: bytes) -> None:
    """A cut report is refused; only white space, a closing delimiter and the like may be missing."""
    complete = [end for end in range(len(data)) if any(not isinstance(o, Refusal) for o in parse_all(data[:end]))]
    assert all(end > len(data) - 40 for end in complete)


@pytest.mark.parametrize("seed", range(8))
def test_case_42_flipped_bytes_are_an_outcome(seed: int) -> None:
    rng = random.Random(seed)
    for source in (GOOD, gzip.compress(GOOD, mtime=0), zipped({"r.xml": GOOD}), mail(GOOD, encoding="8bit")):
        for _ in range(100):
            data = bytearray(source)
            for _ in range(rng.randint(1, 8)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            try:
                shapes, expat = parse_all(bytes(data)), parse_all(bytes(data), limits=ONLY_EXPAT)
            except MailgateError as error:
                pytest.fail(f"raised {error!r}")
            assert shapes == expat


def distinct(records: int, salt: str) -> bytes:
    """A report in which no two records are alike."""
    many = [
        record(source_ip=f"192.0.{i % 250}.{i // 250}", header_from=f"{salt}{i}.example.com") for i in range(records)
    ]
    return report(many)


def repeated(records: int, salt: str) -> bytes:
    """A report in which all records are alike but for the address."""
    many = [record(source_ip=f"192.0.{i % 250}.{i // 250}", header_from=salt) for i in range(records)]
    return report(many)


def commented(records: int, salt: str) -> bytes:
    """A report that has no shapes."""
    return report([record(header_from=f"{salt}{i}.example.com<!-- x -->") for i in range(records)])


@pytest.mark.parametrize("make", [distinct, repeated, commented])
@pytest.mark.parametrize("reader", [parse_all, read])
def test_case_43_twice_the_input_is_under_three_times_the_work(
    make: Callable[[int, str], bytes], reader: Callable[[bytes], object]
) -> None:
    name = reader.__name__.replace("_", "")  # nothing that another run has left in a cache
    small, large = make(300, f"small{name}"), make(600, f"large{name}")
    assert calls(lambda: reader(large)) < 3 * calls(lambda: reader(small))


def test_a_report_is_not_read_beyond_its_doctype() -> None:
    data = doctype("[" + "<!ENTITY a 'x'>" * 100_000 + "]")
    outcome = parse_all(data)[0]
    assert isinstance(outcome, Refusal)
    assert outcome.error == "dtd_forbidden"
    assert outcome.offset is not None
    assert outcome.offset <= data.index(b"[")
