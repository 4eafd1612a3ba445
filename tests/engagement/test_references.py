"""Character references in attribute values."""

from __future__ import annotations

import html
import random

import pytest

from mailgate.engagement._references import decode_attribute
from tests.support import needs

ROWS = [
    ("plain", "plain", "nothing to decode"),
    ("?a=1&amp;b=2", "?a=1&b=2", "the usual one"),
    ("?a=1&ampb=2", "?a=1&ampb=2", "a letter follows"),
    ("?a=1&amp=2", "?a=1&amp=2", "an equals sign follows"),
    ("?a=1&amp", "?a=1&", "the end follows"),
    ("?a=1&amp#x", "?a=1&#x", "something else follows"),
    ("?a=1&amp&amp;", "?a=1&&", "another reference follows"),
    ("&copy=2&reg=3&lt=4", "&copy=2&reg=3&lt=4", "legacy names before ="),
    ("&copy2&reg_&lt", "&copy2®_<", "legacy names before a digit, an underscore, the end"),
    ("&notit;&not;&not", "&notit;¬¬", "a name that begins with a known one"),
    ("&notin;&NotEqualTilde;&fjlig;", "∉≂̸fj", "names that give two characters"),
    ("&timestamp=3&times;&times", "&timestamp=3××", "times"),
    ("&nbsp;&nbsp", "\xa0\xa0", "no-break space"),
    ("&unknown;&x;&;", "&unknown;&x;&;", "no such name"),
    ("&AMP;&aMP;", "&&aMP;", "case counts"),
    ("&hellip&hellip;", "&hellip…", "a name that needs its semicolon"),
    ("&#97;&#97&#x61;&#X61&#x6A", "aaaaj", "numbers"),
    ("&#97=&#97b", "a=ab", "numbers need no semicolon, whatever follows"),
    ("&#x61g;", "ag;", "a digit that is none ends the number"),
    ("&#;&#x;&#xg;&#", "&#;&#x;&#xg;&#", "numbers without digits"),
    ("&#0;&#00;&#x0;", "\ufffd\ufffd\ufffd", "zero"),
    ("&#0000097;&#x00000061;", "aa", "leading zeros"),
    ("&#xD800;&#x110000;&#9999999999;&#xFFFFFFFFFFFFFFFFF;", "\ufffd\ufffd\ufffd\ufffd", "out of range"),
    ("&#x80;&#150;&#x9f;", "€–Ÿ", "what Windows meant"),
    ("&#x81;&#x8d;", "\x81\x8d", "what it left undefined"),
    ("&#x1F600;", "😀", "beyond the basic plane"),
    ("&#9;&#10;&#13;", "\t\n\r", "control characters come out as they are"),
    ("&amp;amp;", "&amp;", "once, not twice"),
    ("&amp;lt;&#38;lt;", "&lt;&lt;", "once, not twice"),
    ("&", "&", "alone"),
    ("&&&amp;", "&&&", "several"),
    ("&" + "a" * 100 + ";", "&" + "a" * 100 + ";", "longer than any name"),
]


@pytest.mark.parametrize(("value", "expected", "why"), ROWS)
def test_rows(value: str, expected: str, why: str) -> None:
    assert decode_attribute(value) == expected


def test_every_named_reference_with_its_semicolon() -> None:
    from html.entities import html5

    for name, text in html5.items():
        if name.endswith(";"):
            assert decode_attribute(f"x&{name}=") == f"x{text}="
        else:
            assert decode_attribute(f"x&{name}") == f"x{text}"
            assert decode_attribute(f"x&{name}=") == f"x&{name}="
            assert decode_attribute(f"x&{name}.") == f"x{text}."


def test_html_unescape_would_be_wrong() -> None:
    """The reason for this module: were it right one day, the module could go."""
    assert html.unescape("?a=1&copy=2") != decode_attribute("?a=1&copy=2") == "?a=1&copy=2"


def test_against_html5lib() -> None:
    html5lib = needs.module("html5lib")
    rng = random.Random(7)
    pieces = [
        "&",
        "#",
        "x",
        "amp",
        "copy",
        "not",
        "notin",
        "lt",
        ";",
        "=",
        "a",
        "Z",
        "0",
        "9",
        "150",
        "x80",
        "10FFFF",
        " ",
        "é",
    ]
    for _ in range(3_000):
        value = "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 12)))
        document = html5lib.parse(f'<a href="{value}">', namespaceHTMLElements=False)
        expected = document.find(".//a").get("href")
        assert decode_attribute(value) == expected, value
