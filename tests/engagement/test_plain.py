"""URLs in text/plain parts."""

from __future__ import annotations

import pytest

from mailgate.engagement import Place, RewritePolicy
from mailgate.engagement._encoding import View
from mailgate.engagement._plain import find_urls

POLICY = RewritePolicy()


def urls(text: str | bytes, charset: str | None = None, policy: RewritePolicy = POLICY) -> list[str]:
    view = View.of(text, charset)
    assert view is not None
    found = find_urls(view, "t.example/", policy)
    assert all(link.place is Place.TEXT for link in found)
    return [link.url for link in found if link.skipped is None]


ROWS = [
    ("see https://e.example/a now", ["https://e.example/a"], "in a sentence"),
    ("https://e.example/a.", ["https://e.example/a"], "a full stop"),
    ("https://e.example/a?!...", ["https://e.example/a"], "more of them"),
    ("(https://e.example/a)", ["https://e.example/a"], "in brackets"),
    ("(see https://e.example/a_(b)).", ["https://e.example/a_(b)"], "brackets that belong to it"),
    ("https://e.example/[x]", ["https://e.example/[x]"], "square ones"),
    ("<https://e.example/a>", ["https://e.example/a"], "in angle brackets"),
    ("<https://e.example/a.>", ["https://e.example/a"], "with a full stop inside"),
    ('"https://e.example/a"', ["https://e.example/a"], "in quotes"),
    ("'https://e.example/a'", ["https://e.example/a"], "in single quotes"),
    ("*https://e.example/a*", ["https://e.example/a"], "in asterisks"),
    ("HTTP://E.example/A", ["HTTP://E.example/A"], "upper case"),
    ("https://e.example/?a=1&b=2;c=3#d", ["https://e.example/?a=1&b=2;c=3#d"], "query and fragment"),
    ("https://e.example", ["https://e.example"], "a host alone"),
    ("https://e.example,https://f.example", ["https://e.example,https://f.example"], "a comma may belong to it"),
    ("xhttps://e.example ahttp://e", [], "a word that ends like a scheme"),
    ("git+https://e.example/a", [], "another scheme"),
    ("mailto:a@e.example ftp://e.example", [], "other schemes"),
    ("https:// http://", [], "no host"),
    ("> https://e.example/a\nhttps://f.example", ["https://f.example"], "a quoted line"),
    (">> > https://e.example/a", [], "quoted twice"),
    ("a > https://e.example/a", ["https://e.example/a"], "> within a line"),
    ("https://e.example/a\n-- \nhttps://f.example", ["https://e.example/a"], "below the signature line"),
    ("https://e.example/a\r\n-- \r\nhttps://f.example", ["https://e.example/a"], "the same with CRLF"),
    ("--\nhttps://f.example", [], "without its space"),
    ("--- \nhttps://f.example", ["https://f.example"], "a rule is none"),
    ("https://e.example/{{ x }}", [], "a placeholder"),
    ("https://e.example/<%= x %>", [], "a placeholder that begins with an angle bracket"),
    ("https://e.example/*|X|*?a", [], "one without spaces"),
    ("https://t.example/c/x", [], "our own"),
    ("https://e.example/\u3002", [], "what goes on beyond ASCII is left alone"),
    ("https://bücher.example/", [], "so is an IDN"),
    ("", [], "nothing"),
]


@pytest.mark.parametrize(("text", "expected", "why"), ROWS)
def test_rows(text: str, expected: list[str], why: str) -> None:
    assert urls(text) == expected, why


def test_bytes_in_any_charset() -> None:
    assert urls("日本 https://e.example/a 日本".encode("iso-2022-jp"), "iso-2022-jp") == ["https://e.example/a"]
    assert urls("ä https://e.example/a ä".encode("utf-16"), "utf-16") == ["https://e.example/a"]
    assert urls("日本https://e.example/a。".encode("shift_jis"), "shift_jis") == []


def test_options() -> None:
    assert urls("https://e.example/unsubscribe", policy=RewritePolicy(skip_unsubscribe=True)) == []
    assert urls("https://e.example/a", policy=RewritePolicy(skip_hosts=("e.example",))) == []
    view = View.of("https://e.example/a https://e.example/b", None)
    assert view is not None
    assert len(find_urls(view, "t.example/", RewritePolicy(max_links=1))) == 1


@pytest.mark.parametrize(
    "piece", ["http://", "https://e.example/", ")", "(", "https://e" + "(" * 50, ">", "\n>", ".", "-- "]
)
def test_long_texts(piece: str) -> None:
    text = "https://e.example/" + piece * (300_000 // len(piece))
    view = View.of(text, None)
    assert view is not None
    assert find_urls(view, "t.example/", POLICY)
