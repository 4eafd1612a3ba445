"""A message split into parts: every trap, every limit, offsets, and what stays lazy."""

import pickle
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.records import Mail, MailLimits, ParseError, Part

NESTED = b"""\
From: a@example.org
Subject: =?utf-8?q?J=C3=B6rg?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

preamble
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe
--inner
Content-Type: text/html

<p>hi</p>
--inner--
inner epilogue
--outer
Content-Type: message/rfc822
Content-Disposition: attachment; filename="old.eml"

From: b@example.org
Content-Type: multipart/mixed; boundary=deep

--deep

deep text
--deep--
--outer--
epilogue
"""


def types(mail: Mail) -> list[str]:
    return [part.content_type for part in mail.walk()]


def multipart(body: bytes, boundary: str = "b", more: bytes = b"") -> bytes:
    return b"MIME-Version: 1.0\n%sContent-Type: multipart/mixed; boundary=%s\n\n%s" % (more, boundary.encode(), body)


# --- the plain case --------------------------------------------------------------------------------------------------


def test_a_message_and_its_parts() -> None:
    mail = Mail.read(NESTED)
    assert types(mail) == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "message/rfc822",
    ]  # fmt: skip
    plain, html = mail.parts[0].parts
    assert plain.text() == "Grüße"
    assert html.content() == b"<p>hi</p>"
    assert mail.headers.decoded("subject") == "Jörg"
    assert mail.defects == ()
    assert isinstance(mail, Part)
    assert [part.parts == () for part in mail.walk()] == [False, False, True, True, True]


def test_preamble_and_epilogue() -> None:
    mail = Mail.read(NESTED)
    assert mail.preamble == b"preamble"
    assert mail.epilogue == b"epilogue\n"
    assert mail.parts[0].preamble == b""
    assert mail.parts[0].epilogue == b"inner epilogue"
    assert mail.parts[1].preamble == mail.parts[1].epilogue == b""


def test_a_message_inside_is_entered_only_when_asked() -> None:
    part = Mail.read(NESTED).parts[1]
    assert (part.disposition, part.filename, part.parts) == ("attachment", "old.eml", ())
    inside = part.message()
    assert isinstance(inside, Mail)
    assert types(inside) == ["multipart/mixed", "text/plain"]
    assert inside.parts[0].text() == "deep text"
    assert inside.raw == part.content()


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (b"text/plain", "text/plain"),
        (b"TEXT/HTML; charset=x", "text/html"),
        (b" text / plain ", "text/plain"),
        (b"text/plain charset=utf-8", "text/plain"),
        (b"text/plain (a (nested) comment); charset=utf-8", "text/plain"),
        (b"(comment)text/x", "text/x"),
        (b"text", "text/plain"),
        (b"", "text/plain"),
        (b"a/b/c", "a/b"),
        (b"\xff\xfe", "text/plain"),
        (b"multipart; boundary=b", "multipart/mixed"),
        (b"=?utf-8?q?x?=", "text/plain"),
    ],
)
def test_content_types(content_type: bytes, expected: str) -> None:
    mail = Mail.read(b"Content-Type: " + content_type + b"\n\nbody")
    assert mail.content_type == expected
    broken = b"/" not in content_type and b"multipart" not in content_type
    assert ("bad_content_type" in mail.defects) == broken


def test_without_a_content_type_it_is_plain_text() -> None:
    mail = Mail.read(b"Subject: x\n\nbody")
    assert (mail.content_type, mail.text(), mail.param("charset"), mail.filename) == ("text/plain", "body", None, None)


def test_the_first_content_type_counts() -> None:
    mail = Mail.read(b"Content-Type: text/html\nContent-Type: text/plain\nContent-Types: a/b\n\nx")
    assert mail.content_type == "text/html"


def test_a_field_whose_name_only_begins_like_content_type_is_another() -> None:
    assert Mail.read(b"Content-Type-X: a/b\nContent-Type: c/d\n\nx").content_type == "c/d"
    assert Mail.read(b"Content-TypeX: a/b\n\nx").content_type == "text/plain"
    assert Mail.read(b"X: y\n Content-Type: a/b\n\nx").content_type == "text/plain"


def test_in_a_digest_parts_are_messages() -> None:
    mail = Mail.read(
        b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nFrom: x\n\ny\n--b\nContent-Type: a/b\n\n--b--\n"
    )
    assert types(mail) == ["multipart/digest", "message/rfc822", "a/b"]
    assert mail.parts[0].message().headers.get("from") == "x"


@pytest.mark.parametrize(
    ("field", "disposition", "filename"),
    [
        (b"attachment; filename=a.txt", "attachment", "a.txt"),
        (b"INLINE", "inline", None),
        (b"inline (shown); filename=\"a b.txt\"", "inline", "a b.txt"),
        (b"x-unknown; filename=a", "attachment", "a"),
        (b"filename=a.txt", "", None),
        (b"", "", None),
        (b"attachment; filename*=utf-8''J%C3%B6rg.txt; filename=J.txt", "attachment", "Jörg.txt"),
        (b"attachment; filename*0*=utf-8'de'J%C3%B6; filename*1=rg.txt", "attachment", "Jörg.txt"),
        (b"attachment; filename=\"=?utf-8?b?SsO2cmc=?=\"", "attachment", "Jörg"),
        (b"attachment; filename=\"J\xc3\xb6rg\"", "attachment", "Jörg"),
        (b"attachment; filename=\"../../etc/passwd\"", "attachment", "../../etc/passwd"),
    ],
)  # fmt: skip
def test_disposition_and_filename(field: bytes, disposition: str, filename: str | None) -> None:
    mail = Mail.read(b"Content-Disposition: " + field + b"\n\n")
    assert (mail.disposition, mail.filename) == (disposition, filename)


def test_the_name_of_content_type_is_a_filename_too() -> None:
    assert Mail.read(b'Content-Type: a/b; name="x y.pdf"\n\n').filename == "x y.pdf"
    assert Mail.read(b"Content-Type: a/b; name=x\nContent-Disposition: inline; filename=y\n\n").filename == "y"
    assert Mail.read(b'Content-Type: a/b; name="\xe9"\n\n').filename == "é"


# --- traps -----------------------------------------------------------------------------------------------------------

MIXED = b"MIME-Version: 1.0\nContent-Type: multipart/mixed"

TRAPS: list[tuple[str, bytes, list[str], list[bytes], list[str]]] = [
    # (what, message, content types, decoded leaves, defects)
    ("no final boundary", multipart(b"--b\n\none\n--b\n\ntwo\n"), ["multipart/mixed", "text/plain", "text/plain"],
     [b"one", b"two\n"], ["missing_close_delimiter"]),
    ("the same boundary inside itself", multipart(
        b"--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\ntext\n--b--\nrest"),
     ["multipart/mixed", "multipart/alternative", "text/plain"], [b"", b"text"], ["boundary_reused"]),
    ("the same boundary inside itself, without an end", multipart(
        b"--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"),
     ["multipart/mixed", "multipart/mixed", "multipart/mixed", "text/plain"], [b"", b"", b""],
     ["missing_close_delimiter", "boundary_reused"]),
    ("an inner multipart without its end", multipart(
        b"--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--b\n\ny\n--b--\n"),
     ["multipart/mixed", "multipart/mixed", "text/plain", "text/plain"], [b"x", b"y"], ["missing_close_delimiter"]),
    ("a boundary that begins like the outer one", multipart(
        b"--b\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n\nx\n--b1--\n--b\n\ny\n--b--\n"),
     ["multipart/mixed", "multipart/mixed", "text/plain", "text/plain"], [b"x", b"y"], []),
    ("an outer boundary that begins like the inner one", multipart(
        b"--bb\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n--bb\n\ny\n--bb--\n", "bb"),
     ["multipart/mixed", "multipart/mixed", "text/plain", "text/plain"], [b"x", b"y"], []),
    ("no boundary parameter", MIXED + b"\n\n--b\n\nx\n--b--\n",
     ["multipart/mixed"], [b"--b\n\nx\n--b--\n"], ["missing_boundary"]),
    ("no boundary parameter, and a body that shows it",
     MIXED + b"\n\n--b\nContent-type: a/b\n\nx\n--b--\n",
     ["multipart/mixed", "a/b"], [b"x"], ["missing_boundary", "boundary_guessed"]),
    ("an empty boundary parameter", MIXED + b"; boundary=\"\"\n\n-- \nx\n",
     ["multipart/mixed"], [b"-- \nx\n"], ["missing_boundary"]),
    ("a wrong boundary parameter", multipart(b"--c\nContent-Type: a/b\n\nx\n--c--\n"),
     ["multipart/mixed", "a/b"], [b"x"], ["boundary_not_found", "boundary_guessed"]),
    ("a boundary that is nowhere", multipart(b"just text\n"), ["multipart/mixed"], [b"just text\n"],
     ["boundary_not_found"]),
    ("no parts", multipart(b"--b--\n"), ["multipart/mixed"], [b"--b--\n"], ["empty_multipart"]),
    ("no body at all", multipart(b""), ["multipart/mixed"], [b""], []),
    ("a part without a header", multipart(b"--b\n\nx\n--b--"), ["multipart/mixed", "text/plain"], [b"x"], []),
    ("a part without header and empty line", multipart(b"--b\nHello Bob\nNote: x\n--b--"),
     ["multipart/mixed", "text/plain"], [b"Hello Bob\nNote: x"], ["missing_blank_line"]),
    ("a part of a header only", multipart(b"--b\nContent-Type: a/b\n--b--"), ["multipart/mixed", "a/b"], [b""], []),
    ("an empty part", multipart(b"--b\n--b\n\n--b--"), ["multipart/mixed", "text/plain", "text/plain"], [b"", b""], []),
    ("blanks behind delimiters", multipart(b"--b \t\n\nx\n--b-- \n"), ["multipart/mixed", "text/plain"], [b"x"], []),
    ("a delimiter with words behind it is none", multipart(b"--b\n\nx\n--bye\n--b--x\n-- b\n --b\ny--b\n--b--\n"),
     ["multipart/mixed", "text/plain"], [b"x\n--bye\n--b--x\n-- b\n --b\ny--b"], []),
    ("a quoted boundary with odd characters", multipart(b"--=_;: (\"x\")\n\ny\n--=_;: (\"x\")--\n",
     '"=_;: (\\"x\\")"'), ["multipart/mixed", "text/plain"], [b"y"], []),
    ("an unquoted boundary with odd characters", multipart(b"------=_Next:(1)=?x\n\ny\n------=_Next:(1)=?x--\n",
     "----=_Next:(1)=?x"), ["multipart/mixed", "text/plain"], [b"y"], ["boundary_not_found", "boundary_guessed"]),
    ("a boundary in the wrong quotes", multipart(b"--b1\n\ny\n--b1--\n", "'b1'"), ["multipart/mixed", "text/plain"],
     [b"y"], ["boundary_not_found", "boundary_guessed"]),
    ("a boundary of bytes", multipart(b"--\xc3\xa9\xff\n\ny\n--\xc3\xa9\xff--\n", "b").replace(
        b"boundary=b", b"boundary=\xc3\xa9\xff"), ["multipart/mixed", "text/plain"], [b"y"], ["eight_bit_header"]),
    ("a folded boundary", MIXED + b";\n\tboundary=\n \"b b\"\n\n--b b\n\ny\n--b b--\n",
     ["multipart/mixed", "text/plain"], [b"y"], []),
    ("a boundary folded in the middle", MIXED + b"; boundary=\"bb\n bb\"\n\n--bbbb\n\ny\n--bbbb--\n",
     ["multipart/mixed", "text/plain"], [b"y"], ["boundary_not_found", "boundary_guessed"]),
    ("a boundary in RFC 2231 pieces", MIXED + b"; boundary*1=c; boundary*0=b\n\n--bc\n\ny\n--bc--",
     ["multipart/mixed", "text/plain"], [b"y"], []),
    ("a continuation that lost its indentation",
     MIXED + b";\nboundary=b\n\n--b\n\ny\n--b--",
     ["multipart/mixed", "text/plain"], [b"y"], ["malformed_header_line"]),
    ("no MIME-Version", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\ny\n--b--",
     ["multipart/mixed", "text/plain"], [b"y"], ["missing_mime_version"]),
    ("blank before the colon", b"MIME-Version : 1.0\nContent-Type\t: multipart/mixed; boundary=b\n\n--b\n\ny\n--b--",
     ["multipart/mixed", "text/plain"], [b"y"], []),
    ("a byte order mark", b"\xef\xbb\xbfContent-Type: a/b\n\nx", ["a/b"], [b"x"], ["byte_order_mark"]),
    ("UTF-16, little end first", "Content-Type: a/b\n\nJörg".encode("utf-16"), ["a/b"], ["Jörg".encode()], ["utf16"]),
    ("UTF-16, big end first",
     b"\xfe\xff" + "Content-Type: a/b\r\n\r\nx".encode("utf-16-be"), ["a/b"], [b"x"], ["utf16"]),
    ("an mbox line", b"From x@y Jan 1 00:00:00\nContent-Type: a/b\n\nx", ["a/b"], [b"x"], ["mbox_from_line"]),
    ("a quoted mbox line", b">From x@y Jan 1 00:00:00\nContent-Type: a/b\n\nx", ["a/b"], [b"x"], ["mbox_from_line"]),
    ("an mbox line inside the header", b"A: b\n>From x@y Jan 1 00:00:00\nContent-Type: a/b\n\nx", ["a/b"],
     [b"x"], ["malformed_header_line"]),
    ("a line without a colon",
     b"A: b\nno colon here\nContent-Type: a/b\n\nx", ["a/b"], [b"x"], ["malformed_header_line"]),
    ("empty lines first", b"\n \nContent-Type: a/b\n\nx", ["a/b"], [b"x"], ["leading_blank_lines"]),
    ("empty lines and an mbox line first", b"\r\n>From x@y Jan 1 00:00:00\r\nContent-Type: a/b\r\n\r\nx",
     ["a/b"], [b"x"], ["leading_blank_lines", "mbox_from_line"]),
    ("empty lines and no header", b"\n\nJust text.", ["text/plain"], [b"\nJust text."], []),
    ("no empty line between header and body", b"Content-Type: a/b\nHello Bob,\nhow are you?\n\nBye: x", ["a/b"],
     [b"Hello Bob,\nhow are you?\n\nBye: x"], ["missing_blank_line"]),
    ("no empty line before the first delimiter", MIXED + b"; boundary=b\n--b\n\ny\n--b--",
     ["multipart/mixed", "text/plain"], [b"y"], ["missing_blank_line"]),
    ("a line of blanks between header and body", b"Content-Type: a/b\n \t\nHello Bob,\n\nbye", ["a/b"],
     [b"Hello Bob,\n\nbye"], ["missing_blank_line"]),
    ("a line of blanks within the header",
     b"Subject: x\n \nContent-Type: a/b\n\ny", ["a/b"], [b"y"], ["malformed_header_line"]),
    ("NUL bytes", b"Content-Type: a/b\nX: \0\n\n\0", ["a/b"], [b"\0"], ["nul_bytes"]),
    ("nothing", b"", ["text/plain"], [b""], []),
    ("no header at all", b"Hello world, this is a text\nof two lines\n", ["text/plain"],
     [b"Hello world, this is a text\nof two lines\n"], ["missing_blank_line"]),
    ("a header only", b"Content-Type: a/b", ["a/b"], [b""], []),
    ("two messages in one file",
     b"From a Thu Jan  1 00:00:00 1970\nContent-Type: a/b\n\nx\n\nFrom b Thu Jan  1 00:00:00 1970\nA: b\n\ny\n",
     ["a/b"],
     [b"x\n\nFrom b Thu Jan  1 00:00:00 1970\nA: b\n\ny\n"], ["mbox_from_line", "second_message"]),
    ("a second message behind a multipart",
     multipart(b"--b\n\nx\n--b--\n\nFrom b Thu Jan  1 00:00:00 1970\nA: b\n\ny\n"), ["multipart/mixed", "text/plain"],
     [b"x"], ["second_message"]),
    ("a multipart in base64", multipart(b"LS1iCgp4Ci0tYi0tCg==\n", more=b"Content-Transfer-Encoding: base64\n"),
     ["multipart/mixed", "text/plain"], [b"x"], ["encoded_multipart"]),
    ("a multipart in quoted-printable, its boundary too", multipart(
        b"=2D-=3D_b\n\nx=3Dy\n=2D-=3D_b--\n", "=_b", b"Content-Transfer-Encoding: quoted-printable\n"),
     ["multipart/mixed", "text/plain"], [b"x=y"], ["encoded_multipart"]),
    ("a multipart that says base64 and is not",
     multipart(b"--b\n\nx\n--b--\n", more=b"Content-Transfer-Encoding: base64\n"),
     ["multipart/mixed", "text/plain"], [b"x"], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "kinds", "leaves", "defects"), [row[1:] for row in TRAPS], ids=[r[0] for r in TRAPS]
)
def test_trap(message: bytes, kinds: list[str], leaves: list[bytes], defects: list[str]) -> None:
    mail = Mail.read(message)
    assert types(mail) == kinds
    assert [part.content() for part in mail.walk() if not part.parts] == leaves
    assert list(mail.defects) == defects
    assert mail.raw == message


@pytest.mark.parametrize("message", [row[1] for row in TRAPS if "UTF-16" not in row[0]], ids=[
    row[0] for row in TRAPS if "UTF-16" not in row[0]])  # fmt: skip
@pytest.mark.parametrize("line_end", [b"\r\n", b"\r", b"\r\r\n"], ids=["CRLF", "CR", "CRCRLF"])
def test_every_kind_of_line_end_gives_the_same_reading(message: bytes, line_end: bytes) -> None:
    with_lf = Mail.read(message.replace(b"\r\n", b"\n"))
    other = Mail.read(message.replace(b"\r\n", b"\n").replace(b"\n", line_end))
    assert types(other) == types(with_lf)
    for ours, theirs in zip(other.walk(), with_lf.walk(), strict=True):
        assert list(ours.headers.items()) == list(theirs.headers.items())
        if not ours.parts:
            assert ours.content().replace(line_end, b"\n") == theirs.content()
    lasting = [d for d in other.defects if d not in ("mixed_line_ends", "second_message")]
    assert lasting == [d for d in with_lf.defects if d != "second_message"]


@given(st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b"\r\r\n"]), min_size=32, max_size=32))
def test_mixed_line_ends_give_the_same_reading(ends: list[bytes]) -> None:
    lines = NESTED.split(b"\n")
    mixed, end = b"", b""
    for number, line in enumerate(lines):
        # After a bare CR an empty line that ends in LF would make a CRLF of the two.
        end = end if end == b"\r" and not line else ends[number % 32]
        mixed += line + end
    mail = Mail.read(mixed)
    assert types(mail) == types(Mail.read(NESTED))
    assert mail.parts[0].parts[0].text() == "Grüße"
    assert mail.parts[1].message().parts[0].text() == "deep text"
    assert mail.headers.get("from") == "a@example.org"


def test_a_message_of_cr_alone_inside_one_of_lf() -> None:
    inside = b"From: x\rContent-Type: multipart/mixed; boundary=c\r\r--c\r\ry\r--c--\r"
    mail = Mail.read(multipart(b"--b\nContent-Type: message/rfc822\n\n" + inside + b"\n--b--\n"))
    assert mail.parts[0].message().parts[0].content() == b"y"


# --- transfer encodings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", [b"base64", b"Base64 ", b'"base64"', b"base64 (of course)", b"base64;"])
@pytest.mark.parametrize("kind", [b"text/plain", b"message/delivery-status", b"message/rfc822", b"message/global"])
def test_base64_is_decoded_wherever_it_occurs(encoding: bytes, kind: bytes) -> None:
    message = b"Content-Type: %s\nContent-Transfer-Encoding: %s\n\nQTogYgoKeAo=\n" % (kind, encoding)
    mail = Mail.read(message)
    assert mail.content() == b"A: b\n\nx\n"
    assert mail.raw_body == b"QTogYgoKeAo=\n"
    assert mail.message().headers.get("a") == "b"
    assert mail.message().content() == b"x\n"


def test_what_is_found_while_decoding_comes_to_the_defects() -> None:
    mail = Mail.read(b"Content-Transfer-Encoding: base64\n\nThis is no base64 at all.\n")
    assert mail.defects == ()
    assert mail.content() == b"This is no base64 at all.\n"
    assert mail.content() is mail.content()
    assert mail.defects == ("bad_base64",)


def test_an_unknown_transfer_encoding_leaves_the_bytes_alone() -> None:
    mail = Mail.read(b"Content-Transfer-Encoding: x-rot13\n\nuryyb\n")
    assert mail.content() == b"uryyb\n"
    assert mail.defects == ("unknown_transfer_encoding",)


def test_a_message_that_says_quoted_printable_and_is_not() -> None:
    inside = b'From: x\nContent-Type: multipart/mixed; boundary="=_c"\n\n--=_c\n\na=3Db\n--=_c--\n'
    outer = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n"
    mail = Mail.read(outer + inside)
    assert mail.content() == inside
    assert mail.defects == ("bad_quoted_printable",)
    encoded = Mail.read(outer + inside.replace(b"=", b"=3D"))
    assert encoded.content() == inside
    assert encoded.message().parts[0].content() == b"a=3Db"


@pytest.mark.parametrize(
    ("charset", "data", "text"),
    [
        (b"utf-8", "Jörg".encode(), "Jörg"),
        (b"\"UTF-8\"", "Jörg".encode(), "Jörg"),
        (b"iso-8859-1", b"J\xf6rg", "Jörg"),
        (b"us-ascii", "Jörg".encode(), "Jörg"),
        (b"us-ascii", b"J\xf6rg", "Jörg"),
        (b"utf-8", b"J\xf6rg", "Jörg"),
        (b"unknown-8bit", "Jörg".encode(), "Jörg"),
        (b"x\0y", "Jörg".encode(), "Jörg"),
        (b"base64", b"SGk=", "SGk="),
        (b"iso-2022-jp", b"\x1b$BF|K\\\x1b(B", "日本"),
        (b"gb2312", "“中文”".encode("gb18030"), "“中文”"),
        (b"", b"plain", "plain"),
    ],
)  # fmt: skip
def test_text_in_any_charset(charset: bytes, data: bytes, text: str) -> None:
    assert Mail.read(b"Content-Type: text/plain; charset=" + charset + b"\n\n" + data).text() == text


# --- offsets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_offsets_say_where_a_part_lies_in_raw(line_end: bytes) -> None:
    raw = NESTED.replace(b"\n", line_end)
    mail = Mail.read(raw)
    for part in mail.walk():
        assert part.header_start is not None
        assert part.body_start is not None
        assert part.body_end is not None
        assert raw[part.body_start : part.body_end] == part.raw_body
        assert raw[part.header_start : part.body_start] == part.raw_header
        assert part.raw_header.endswith(line_end * 2)
    assert raw.startswith(mail.raw_header)


def test_a_part_can_be_replaced_byte_exactly() -> None:
    html = Mail.read(NESTED).parts[0].parts[1]
    raw = NESTED[: html.body_start] + b"<p>other</p>" + NESTED[html.body_end :]
    again = Mail.read(raw)
    assert again.parts[0].parts[1].content() == b"<p>other</p>"
    assert types(again) == types(Mail.read(NESTED))
    assert len(raw) == len(NESTED) + 3


def test_offsets_behind_a_byte_order_mark_and_an_mbox_line_count_them() -> None:
    raw = b"\xef\xbb\xbfFrom x 10:10\nA: b\n\nx"
    mail = Mail.read(raw)
    assert (mail.header_start, mail.body_start, mail.body_end) == (16, 22, 23)


def test_offsets_of_a_message_inside_are_its_own() -> None:
    inside = Mail.read(NESTED).parts[1].message()
    leaf = inside.parts[0]
    assert inside.header_start == 0
    assert inside.raw[leaf.body_start : leaf.body_end] == b"deep text"


def test_parts_out_of_a_decoded_container_have_no_offsets() -> None:
    mail = Mail.read(multipart(b"LS1iCgp4Ci0tYi0tCg==\n", more=b"Content-Transfer-Encoding: base64\n"))
    assert mail.body_start is not None
    part = mail.parts[0]
    assert (part.header_start, part.body_start, part.body_end) == (None, None, None)
    assert (mail.preamble, mail.epilogue) == (b"", b"")
    utf16 = Mail.read("A: b\n\nx".encode("utf-16"))
    assert (utf16.header_start, utf16.body_start, utf16.body_end) == (None, None, None)


# --- limits ----------------------------------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    """`depth` multiparts inside one another."""
    opening = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    return b"MIME-Version: 1.0\n" + opening + b"\nx\n"


def forwarded(depth: int) -> bytes:
    """`depth` messages inside one another."""
    return b"Content-Type: message/rfc822\n\n" * depth + b"A: b\n\nx"


@pytest.mark.parametrize(("more", "error"), [(-1, None), (0, None), (1, "too_large")])
def test_the_limit_of_size(more: int, error: str | None) -> None:
    check(b"A: b\n\n" + b"x" * (94 + more), MailLimits(max_bytes=100), error)


@pytest.mark.parametrize(("depth", "error"), [(4, None), (5, None), (6, "too_deep")])
def test_the_limit_of_depth(depth: int, error: str | None) -> None:
    check(nested(depth), MailLimits(max_depth=5), error)


@pytest.mark.parametrize(
    ("count", "error"), [(9, None), (10, None), (11, "too_many_parts"), (10_000, "too_many_parts")]
)
def test_the_limit_of_parts(count: int, error: str | None) -> None:
    check(multipart(b"--b\n\nx\n" * count), MailLimits(max_parts=10), error)
    inner = b"--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\n--c\n\n--c--\n"
    if count < 100:
        check(multipart(inner * (count // 3) + b"--b\n\n" * (count % 3)), MailLimits(max_parts=10), error)


def check(message: bytes, limits: MailLimits, error: str | None) -> None:
    if error is None:
        assert Mail.read(message, limits=limits).raw == message
    else:
        with pytest.raises(ParseError) as caught:
            Mail.read(message, limits=limits)
        assert caught.value.error == error


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"x" * (25 * 1024 * 1024 + 1), "too_large"),
        (nested(51), "too_deep"),
        (nested(2_000), "too_deep"),
        (multipart(b"--b\n\n" * 1_001), "too_many_parts"),
    ],
    ids=["bytes", "depth 51", "depth 2000", "parts"],
)
def test_the_default_limits(message: bytes, error: str) -> None:
    check(message, MailLimits(), error)


def test_at_the_default_limits_a_message_is_read() -> None:
    assert len(list(Mail.read(nested(50)).walk())) == 51
    assert len(Mail.read(multipart(b"--b\n\n" * 1_000)).parts) == 1_000


def test_depth_counts_through_messages_inside() -> None:
    mail = Mail.read(forwarded(4), limits=MailLimits(max_depth=3))
    for _ in range(3):
        mail = mail.message()
    assert mail.content_type == "message/rfc822"
    with pytest.raises(ParseError, match="too_deep"):
        mail.message()


def test_depth_counts_multiparts_and_messages_together() -> None:
    message = multipart(b"--b\nContent-Type: message/rfc822\n\n" + nested(2) + b"\n--b--\n")
    inside = Mail.read(message, limits=MailLimits(max_depth=4)).parts[0].message()
    assert len(list(inside.walk())) == 3
    part = Mail.read(message, limits=MailLimits(max_depth=3)).parts[0]
    with pytest.raises(ParseError, match="too_deep"):
        part.message()


@pytest.mark.parametrize(("size", "cut"), [(63, False), (64, False), (65, True), (1_000_000, True)])
def test_a_long_header_field_is_cut_and_the_others_are_read(size: int, cut: bool) -> None:
    field = b"X-Long: " + b"x" * (size - 8)
    mail = Mail.read(b"A: b\n" + field + b"\nC: d\n\nbody", limits=MailLimits(max_header_field_bytes=64))
    assert mail.headers.get("x-long") == "x" * (min(size, 64) - 8)
    assert (mail.headers.get("a"), mail.headers.get("c"), mail.content()) == ("b", "d", b"body")
    assert ("header_field_cut" in mail.defects) == cut


@pytest.mark.parametrize(("strays", "fields"), [(999, 1_001), (1_000, 1_001), (1_001, 1_001), (50_000, 1_001)])
def test_a_header_of_stray_lines_ends_somewhere(strays: int, fields: int) -> None:
    mail = Mail.read(b"A: b\n" + b"stray\nC: d\n" * strays + b"\nbody")
    assert len(mail.headers) == min(strays, fields - 1) + 1
    assert ("missing_blank_line" in mail.defects) == (strays > 1_000)
    assert "malformed_header_line" in mail.defects


def test_limits_round_trip() -> None:
    limits = MailLimits(max_depth=3)
    assert MailLimits.from_dict(limits.to_dict()) == limits
    assert pickle.loads(pickle.dumps(limits)) == limits


# --- what a Mail is --------------------------------------------------------------------------------------------------


def test_reading_a_mail_gives_the_same_mail() -> None:
    mail = Mail.read(NESTED)
    assert Mail.read(mail) is mail
    assert Mail.read(mail, limits=MailLimits(max_bytes=1)) is mail


@pytest.mark.parametrize("wrong", ["text", None, 1, ["bytes"]])
def test_what_is_not_bytes_is_refused(wrong: object) -> None:
    with pytest.raises(TypeError, match="a message is bytes"):
        Mail.read(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_kinds_of_bytes_are_read(kind: type[bytearray] | type[memoryview]) -> None:
    assert Mail.read(kind(b"A: b\n\nx")).content() == b"x"  # type: ignore[arg-type]


def test_a_mail_pickles() -> None:
    mail = Mail.read(b"\xef\xbb\xbf" + NESTED, limits=MailLimits(max_depth=7))
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(mail, protocol))
        assert (again.raw, types(again), again.defects) == (mail.raw, types(mail), mail.defects)
    inside = pickle.loads(pickle.dumps(mail.parts[1].message()))
    assert inside.parts[0].text() == "deep text"
    part = pickle.loads(pickle.dumps(mail.parts[0].parts[0]))
    assert part.text() == "Grüße"


def test_a_pickled_message_inside_keeps_its_depth() -> None:
    mail = Mail.read(forwarded(3), limits=MailLimits(max_depth=2)).message().message()
    with pytest.raises(ParseError, match="too_deep"):
        pickle.loads(pickle.dumps(mail)).message()


def test_a_multipart_holds_no_message() -> None:
    with pytest.raises(TypeError, match="multipart/mixed"):
        Mail.read(NESTED).message()


@pytest.mark.parametrize(
    "kind",
    [b"text/rfc822-headers", b"message/rfc822-headers", b"message/global-headers", b"text/rfc822", b"text/plain"],
)
def test_returned_headers_are_a_message(kind: bytes) -> None:
    part = Mail.read(
        b"Content-Type: " + kind + b"\n\n\nFrom: x\nMessage-ID: <1@x>\nContent-Type: multipart/mixed; boundary=q\n"
    )
    inside = part.message()
    assert inside.headers.get("message-id") == "<1@x>"
    assert inside.parts == ()
    assert inside.defects[:1] == ("leading_blank_lines",)
    assert "boundary_not_found" not in inside.defects


def test_a_large_returned_message_is_not_copied() -> None:
    attachment = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0NTY3\n" * 60_000
    returned = (
        b"From: a\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nhi\n--c\n\n" + attachment
    )
    message = multipart(b"--b\n\nfailed\n--b\nContent-Type: message/rfc822\n\n" + returned + b"\n--c--\n--b--\n")
    tracemalloc.start()
    mail = Mail.read(message)
    inside = mail.parts[1].message()
    assert (inside.headers.get("from"), len(inside.parts)) == ("a", 2)
    assert mail.parts[0].text() == "failed"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000 < len(message)


def test_repr_is_short() -> None:
    mail = Mail.read(NESTED)
    assert repr(mail) == f"<Mail multipart/mixed {len(mail.raw_body)} bytes>"
    assert repr(mail.parts[1]) == f"<Part message/rfc822 {len(mail.parts[1].raw_body)} bytes>"
    assert repr(mail.headers) == "<Headers 4 fields>"
