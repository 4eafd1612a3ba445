"""Transfer encodings, parameters, encoded-words and charsets, broken in every way mail breaks them."""

import base64
import binascii
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.records._mime_decode import decode_base64, decode_quoted_printable, decode_transfer, decode_uuencode
from mailgate.records._mime_params import read_params, read_type, without_comments
from mailgate.records._mime_words import decode_text, decode_words

BAD64 = "bad_base64"
LONG = base64.encodebytes(bytes(range(256)) * 3)


@pytest.mark.parametrize(
    ("data", "decoded", "defect", "why"),
    [
        (b"SGVsbG8=", b"Hello", None, "plain"),
        (b"SGVs\nbG8=\n", b"Hello", None, "lines"),
        (b"SGVs\r\nbG8=\r\n", b"Hello", None, "CRLF"),
        (b"SGVs\rbG8=\r", b"Hello", None, "CR"),
        (b"SGVsbG8 =\n =", b"Hello", None, "blanks around the padding"),
        (b"YWJj\x00\n", b"abc", None, "a NUL at the end"),
        (b"", b"", None, "nothing"),
        (b"\n=\n", b"", None, "only padding"),
        (b"SGVsbG8", b"Hello", BAD64, "padding missing"),
        (b"SGVsb", b"Hel", BAD64, "cut in the middle"),
        (b"SGVsbG8=\nSGVsbG8=\n", b"HelloHello", BAD64, "two blocks in a row"),
        (b"YQ==\nYWI=\nYWJj\n", b"aababc", BAD64, "each line padded"),
        (b"SGVsbG8=\n_____\nMailing list footer\n", b"Hello", BAD64, "a footer behind the padding"),
        (b"SGVsbG8=\n\nfooter\n", b"Hello", BAD64, "a footer of letters"),
        (LONG + b"-- \nlist information: x@y\n", bytes(range(256)) * 3, BAD64, "a footer without padding before it"),
        (LONG[:100] + b"!" + LONG[100:], bytes(range(256)) * 3, BAD64, "one damaged character"),
        (b"Hello world, this is text.\n", b"Hello world, this is text.\n", BAD64, "text that says base64"),
        (b"[Removed part]", b"[Removed part]", BAD64, "text in place of an attachment"),
        (b"\xff\xfe\xfd", b"\xff\xfe\xfd", BAD64, "bytes"),
    ],
)  # fmt: skip
def test_base64(data: bytes, decoded: bytes, defect: str | None, why: str) -> None:
    assert decode_base64(data) == (decoded, defect), why


@pytest.mark.parametrize(
    ("data", "decoded", "defect", "why"),
    [
        (b"J=C3=B6rg", "Jörg".encode(), None, "plain"),
        (b"J=c3=b6rg", "Jörg".encode(), None, "lower case"),
        (b"a=\nb=\r\nc", b"abc", None, "soft line breaks"),
        (b"a=\rb\rc=3D", b"ab\nc=", None, "CR alone"),
        (b"a=\r\r\nb\r\r\nc", b"ab\nc", None, "CR CR LF"),
        (b"a= \t\nb", b"ab", None, "blanks behind a soft line break"),
        (b"a=", b"a", None, "a soft line break at the end"),
        (b"a=ZZb", b"a=ZZb", "bad_quoted_printable", "an escape that is none"),
        (b"a=4", b"a=4", "bad_quoted_printable", "cut in the middle"),
        (b"a\xffb", b"a\xffb", None, "raw bytes"),
        (b"", b"", None, "nothing"),
    ],
)
def test_quoted_printable(data: bytes, decoded: bytes, defect: str | None, why: str) -> None:
    assert decode_quoted_printable(data) == (decoded, defect), why


UU = b"".join(
    [b"begin 644 x.bin\n", *(binascii.b2a_uu(bytes(range(n, n + 45))) for n in (0, 45, 90)), binascii.b2a_uu(b"end?")]
)


@pytest.mark.parametrize(
    ("data", "decoded", "defect", "why"),
    [
        (UU + b"`\nend\n", bytes(range(135)) + b"end?", None, "plain"),
        ((UU + b"`\nend\n").replace(b"\n", b"\r\n"), bytes(range(135)) + b"end?", None, "CRLF"),
        (b"words before\n" + UU + b"`\nend\nwords behind\n", bytes(range(135)) + b"end?", None, "words around"),
        (UU, bytes(range(135)) + b"end?", "bad_uuencode", "no end"),
        (UU.replace(b"\n", b"X\n")[: len(UU)], None, "bad_uuencode", "characters too many"),
        (b"begin 644 x\n", b"", "bad_uuencode", "nothing but a begin"),
        (b"begin 644\nM\xff\nend", b"", None, "no character of the alphabet"),
        (b"no begin line\n", b"no begin line\n", "bad_uuencode", "no begin"),
        (b"\r\n", b"\r\n", None, "an empty body"),
    ],
)
def test_uuencode(data: bytes, decoded: bytes | None, defect: str | None, why: str) -> None:
    found, odd = decode_uuencode(data)
    assert odd == defect, why
    if decoded is not None:
        assert found == decoded, why
    else:
        assert found.startswith(bytes(range(45)))


@pytest.mark.parametrize(
    ("encoding", "decoded", "defect"),
    [
        ("", b"YQ==", None), ("7bit", b"YQ==", None), ("8bit", b"YQ==", None), ("binary", b"YQ==", None),
        ("base64", b"a", None), ("quoted-printable", b"YQ=", "bad_quoted_printable"),
        ("x-uuencode", b"YQ==", "bad_uuencode"), ("uuencode", b"YQ==", "bad_uuencode"),
        ("x-uue", b"YQ==", "bad_uuencode"), ("rot13", b"YQ==", "unknown_transfer_encoding"),
    ],
)  # fmt: skip
def test_transfer_encodings(encoding: str, decoded: bytes, defect: str | None) -> None:
    assert decode_transfer(encoding, b"YQ==") == (decoded, defect)


@given(st.binary(max_size=2_000))
def test_what_is_encoded_is_decoded(data: bytes) -> None:
    assert decode_base64(base64.encodebytes(data)) == (data, None)
    assert decode_quoted_printable(quopri.encodestring(data)) == (data.replace(b"\r\n", b"\n"), None) or b"\r" in data
    lines = [data[at : at + 45] for at in range(0, len(data), 45)]
    uu = b"begin 644 x\n" + b"".join(map(binascii.b2a_uu, lines)) + b"`\nend\n"
    assert decode_uuencode(uu) == (data, None)


@given(st.binary(max_size=300), st.sampled_from(["base64", "quoted-printable", "uuencode"]))
def test_any_bytes_are_decoded_somehow(data: bytes, encoding: str) -> None:
    decoded, _ = decode_transfer(encoding, b"begin 644 x\n" + data if encoding == "uuencode" else data)
    assert len(decoded) <= max(len(data), 63 * data.count(b"\n") + 63 * data.count(b"\r") + 63)


# --- parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "params", "why"),
    [
        ("; a=b; c=d", {"a": "b", "c": "d"}, "plain"),
        (";A=b", {"a": "b"}, "names in lower case"),
        (' ; a = "b c" ; d=e', {"a": "b c", "d": "e"}, "quoted, blanks around"),
        (r';a="b\"c;d\\"', {"a": 'b"c;d\\'}, "quoted pairs"),
        (';a="b', {"a": "b"}, "a quote that is never closed"),
        (';a="b"junk; c=d', {"a": "b", "c": "d"}, "words behind the quote"),
        (";a=b c; d=e", {"a": "b c", "d": "e"}, "an unquoted value with blanks"),
        (";a=----=_x:y/?z; b=c", {"a": "----=_x:y/?z", "b": "c"}, "an unquoted value with special characters"),
        (";;; a=b;;", {"a": "b"}, "semicolons too many"),
        ("a=b", {"a": "b"}, "semicolon missing"),
        (";a; b=c", {"b": "c"}, "no equals sign"),
        (";a=; b=c", {"a": "", "b": "c"}, "no value"),
        (";a=1; a=2", {"a": "1"}, "the first counts"),
        (";=x; a=b", {"a": "b"}, "no name"),
        (";a*=utf-8''%C3%B6; a=o", {"a": "ö"}, "the extended form is better"),
        (";a*=iso-8859-1'de'%F6x", {"a": "öx"}, "charset and language"),
        (";a*=plain%20text", {"a": "plain text"}, "extended without charset"),
        (";a*0=b; a*1=c", {"a": "bc"}, "continuations"),
        (";a*1=c; a*0=b; a*2=d", {"a": "bcd"}, "out of order"),
        (";a*0*=utf-8''%C3; a*1*=%B6; a*2=%41", {"a": "ö%41"}, "only some extended, a character cut in two"),
        (";a*=x'y", {"a": "x'y"}, "one apostrophe"),
        (";a*0*=nonsense''%FF", {"a": "ÿ"}, "an unknown charset"),
        ("", {}, "nothing"),
    ],
)
def test_parameters(text: str, params: dict[str, str], why: str) -> None:
    assert read_params(text) == params, why


def test_parameters_have_a_limit() -> None:
    assert len(read_params("".join(f";a{n}=b" for n in range(1_000)))) == 200


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("a (b) c", "a   c"),
        ("a (b (c) d) e", "a   e"),
        ('"(a)" (b)', '"(a)"  '),
        (r"a (b \) c) d", "a   d"),
        ("a (b", "a (b"),
        ("a) b", "a) b"),
        ("(" * 10_000, "(" * 10_000),
        ("(" * 10_000 + ")" * 10_000, " "),
    ],
)
def test_comments(text: str, without: str) -> None:
    assert without_comments(text) == without


@given(st.text(max_size=200))
def test_any_text_has_a_type_and_parameters(text: str) -> None:
    kind, rest = read_type(text)
    assert kind == "" or kind.count("/") == 1
    assert all(isinstance(value, str) for value in read_params(rest).values())


# --- encoded-words and charsets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "decoded", "why"),
    [
        ("plain", "plain", "no word"),
        ("=?utf-8?q?J=C3=B6rg_X?=", "Jörg X", "Q"),
        ("=?UTF-8?B?SsO2cmc=?=", "Jörg", "B"),
        ("=?utf-8?b?SsO2cmc?=", "Jörg", "B without padding"),
        ("a =?utf-8?q?b?= c", "a b c", "words around"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab", "blanks between two words vanish"),
        ("=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b", "but not around text"),
        ("=?utf-8?b?w7Y=?=x=?utf-8?q?y?=z", "öxyz", "no blanks around"),
        ("=?utf-8?b?ww==?= =?utf-8?b?tg==?=", "ö", "a character cut between two words"),
        ("=?utf-8?q?=C3?= =?utf-8?b?tg==?=", "ö", "even in two encodings"),
        ("=?iso-8859-1?q?=F6?= =?utf-8?q?=C3=B6?=", "öö", "two charsets"),
        ("=?utf-8*de?q?=C3=B6?=", "ö", "a language"),
        ("=?us-ascii?q?a b?=", "a b", "a blank inside"),
        ("=?nonsense?q?=F6?=", "ö", "an unknown charset"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?=", "an unknown encoding"),
        ("=?utf-8?q?a", "=?utf-8?q?a", "never closed"),
        ("=?utf-8?q??=", "", "empty"),
        ("=?utf-8?q?a=0D=0ABcc:_x?=", "a Bcc: x", "line ends become blanks"),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本", "ISO-2022-JP"),
    ],
)
def test_encoded_words(text: str, decoded: str, why: str) -> None:
    assert decode_words(text) == decoded, why


@pytest.mark.parametrize(
    ("data", "charset", "text", "why"),
    [
        (b"plain", None, "plain", "no charset"),
        ("ö".encode(), None, "ö", "UTF-8 by itself"),
        (b"\xf6", None, "ö", "else Latin-1"),
        (b"\xef\xbb\xbf\xc3\xb6", "utf-8", "ö", "a byte order mark"),
        ("ö".encode("utf-16"), "utf-16", "ö", "UTF-16"),
        ("日本".encode("cp932"), "Shift_JIS", "日本", "a superset that is meant"),
        ("①".encode("cp932"), "shift_jis", "①", "and its extensions"),
        ("日本語です".encode("euc_jp"), "iso-2022-jp", "日本語です", "Japanese under another name"),
        (b"\x1b$B-!F|K\\\x1b(B", "iso-2022-jp", "\N{REPLACEMENT CHARACTER}日本", "one character unknown"),
        ("öäü".encode() * 10 + b"\xff", "utf-8", "öäü" * 10 + "\N{REPLACEMENT CHARACTER}", "one byte broken"),
        ("öäü".encode() * 10 + b"\xc3", "utf-8", "öäü" * 10 + "\N{REPLACEMENT CHARACTER}", "cut in a character"),
        ("한국어".encode("cp949"), "ks_c_5601-1987", "한국어", "what Microsoft calls it"),
        (b"\xd0\xd2", "koi8-r", "пр", "one byte a character"),
        (b"abc", "idna", "abc", "a codec that is no charset"),
        (b"abc", "punycode", "abc", "another"),
        (b"abc", "rot13", "abc", "another"),
        (b"abc", "x" * 5_000, "abc", "a name of any length"),
        (b"abc", "\0", "abc", "a name of any kind"),
    ],
)
def test_charsets(data: bytes, charset: str | None, text: str, why: str) -> None:
    assert decode_text(data, charset) == text, why


CHARSETS = st.sampled_from(
    [
        "utf-8",
        "us-ascii",
        "iso-8859-1",
        "windows-1252",
        "iso-2022-jp",
        "gb2312",
        "big5",
        "utf-7",
        "utf-16",
        "hz",
        "x",
        "",
    ]
)


@given(st.binary(max_size=200), CHARSETS | st.text(max_size=20))
def test_any_bytes_are_text_in_any_charset(data: bytes, charset: str) -> None:
    assert isinstance(decode_text(data, charset), str)


@given(st.text(max_size=300))
def test_any_text_decodes(text: str) -> None:
    assert isinstance(decode_words(text.replace("a", "=?utf-8?q?").replace("b", "?=")), str)
