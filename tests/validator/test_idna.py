"""IDNA 2008 from `unicodedata`, compared code point by code point with the tables that others ship."""

import random
import sys
import unicodedata
from functools import cache

import pytest

from mailgate.validator import Mailbox, check_syntax
from mailgate.validator import _idna as idna2008
from mailgate.validator._joining import DUAL_JOINING, LEFT_JOINING, RIGHT_JOINING
from tests.support import needs

EVERY_CODE_POINT = range(sys.maxunicode + 1)


@cache
def properties() -> dict[int, str]:
    """The derived property of every code point."""
    return {point: str(idna2008.derived_property.__wrapped__(chr(point))) for point in EVERY_CODE_POINT}


@pytest.mark.parametrize(
    ("character", "value", "section"),
    [
        ("a", "pvalid", "2.1"), ("A", "disallowed", "2.2"), ("ä", "pvalid", "2.1"), ("Ä", "disallowed", "2.2"),
        ("\u00df", "pvalid", "2.6"), ("\u03c2", "pvalid", "2.6"), ("\u0640", "disallowed", "2.6"),
        ("\u00b7", "contexto", "2.6"), ("\u0660", "contexto", "2.6"), ("\u200c", "contextj", "2.8"),
        ("\u20d0", "disallowed", "2.4"), ("\u1100", "disallowed", "2.9"), ("\uff41", "disallowed", "2.2"),
        ("☃", "disallowed", "2.1"), ("_", "disallowed", "2.5"), ("\u0378", "unassigned", "2.10"),
        ("\ufdd0", "disallowed", "2.3"), ("\U0001ffff", "disallowed", "2.3"), ("\ud800", "disallowed", "2.1"),
    ],
)  # fmt: skip
def test_derived_properties(character: str, value: str, section: str) -> None:
    assert str(idna2008.derived_property(character)) == value, f"RFC 5892 {section}"


def test_every_assigned_code_point_has_the_property_of_the_published_tables() -> None:
    tables = needs.module("idna.idnadata")
    listed: dict[int, str] = {}
    for name, ranges in tables.codepoint_classes.items():
        for packed in ranges:
            listed.update(dict.fromkeys(range(packed >> 32, packed & 0xFFFFFFFF), name.lower()))
    differing = []
    for point, value in properties().items():
        if value != "unassigned" and value != listed.get(point, "disallowed"):
            differing.append(hex(point))
    assert differing == []


def test_scripts_by_name_are_the_scripts_of_the_tables() -> None:
    scripts = needs.module("idna.idnadata").scripts

    def members(*names: str) -> set[int]:
        return {p for name in names for packed in scripts[name] for p in range(packed >> 32, packed & 0xFFFFFFFF)}

    wanted = {
        ("GREEK ",): members("Greek"),
        ("HEBREW ",): members("Hebrew"),
        idna2008._JAPANESE: members("Hiragana", "Katakana", "Han"),
    }
    for names, listed in wanted.items():
        for point, value in properties().items():
            if value == "pvalid":
                assert idna2008._in_script(chr(point), names) == (point in listed), hex(point)


def test_joining_types_are_those_of_the_tables() -> None:
    types = needs.module("idna.idnadata").joining_types
    own = {"D": DUAL_JOINING, "R": RIGHT_JOINING, "L": LEFT_JOINING}
    for name, points in own.items():
        listed = {p for packed in types[name] for p in range(packed >> 32, packed & 0xFFFFFFFF)}
        assert {p for p in listed ^ set(points) if unicodedata.category(chr(p)) != "Cn"} == set()


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("l·l", None), ("l·", ("idna_context", 1)), ("·l", ("idna_context", 0)), ("a·b", ("idna_context", 1)),
        ("\u0375α", None), ("\u0375a", ("idna_context", 0)), ("α\u0375", ("idna_context", 1)),
        ("א\u05f3", None), ("\u05f3", ("idna_context", 0)), ("א\u05f4", None), ("a\u05f4", ("idna_context", 1)),
        ("\u30fbあ", None), ("ア\u30fb", None), ("中\u30fb", None), ("\u30fb", ("idna_context", 0)),
        ("a\u30fb", ("idna_context", 1)),
        ("\u0628\u0660", None), ("\u0628\u0660\u06f0", ("idna_context", 1)), ("\u0628\u06f0", None),
        ("\u0628\u06f0\u0660", ("idna_context", 1)),
        # ZWNJ and ZWJ after a virama; ZWNJ between letters that join over it (Persian), marks in between or not.
        ("\u0915\u094d\u200d\u0937", None), ("\u0915\u094d\u200c\u0937", None),
        ("\u0915\u200d\u0937", ("idna_context", 1)),
        ("\u0646\u0627\u0645\u0647\u200c\u0627\u06cc", None), ("\u0646\u064e\u200c\u064e\u0627", None),
        ("\u0627\u200c\u0646", ("idna_context", 1)), ("a\u200cb", ("idna_context", 1)),
        ("\u200cab", ("idna_context", 0)),
        ("ab\u200c", ("idna_context", 2)),
        ("ab--ü", ("idna_hyphens", 2)), ("-ü", ("hyphen", 0)), ("ü-", ("hyphen", 1)),
        ("\u0903ü", ("idna_combining_mark", 0)), ("u\u0308", ("idna_not_normalised", 0)),
    ],
)  # fmt: skip
def test_rules_for_labels(label: str, fault: tuple[str, int] | None) -> None:
    assert idna2008.u_label_fault(label) == fault


@pytest.mark.parametrize(
    ("label", "fault", "rule"),
    [
        ("abc", None, 1), ("אבג", None, 1), ("ابج", None, 1), ("1א", 0, 1), ("-א", 0, 1), ("\u0661", 0, 1),
        ("אa", 1, 2), ("א1", None, 3), ("א\u0661", None, 3), ("א-", 1, 3), ("א\u05b0", None, 3), ("א-\u05b0", 1, 3),
        ("א1\u0661", 2, 4), ("א\u06611", 2, 4),
        ("aא", 1, 5), ("a\u0661", 1, 5), ("a-", 1, 6), ("a1", None, 6), ("a\u0301", None, 6),
    ],
)  # fmt: skip
def test_the_bidi_rule(label: str, fault: int | None, rule: int) -> None:
    assert idna2008.bidi_fault(label) == fault, f"RFC 5893 2, condition {rule}"


def test_the_bidi_rule_holds_for_every_label_of_a_bidi_domain() -> None:
    """RFC 5893 2: an ASCII label that begins with a digit is fine, unless another label runs from right to left."""
    assert isinstance(check_syntax("a@1und1.example"), Mailbox)
    assert isinstance(check_syntax("a@1und1.ישראל"), Mailbox) is False
    assert isinstance(check_syntax("a@und1.ישראל"), Mailbox)


def test_a_labels_come_back() -> None:
    for label in ("bücher", "例え", "ελλάδα", "ß"):
        assert idna2008.from_a_label(idna2008.to_a_label(label)) == label
    for a_label in ("xn--", "xn--a-", "xn--999999999", "xn--ü", "xn--abc-"):
        assert idna2008.from_a_label(a_label) is None


def test_random_domains_are_judged_as_the_idna_package_judges_them() -> None:
    """Letters of many scripts, one script a label: the package's own alphabet does not know the bidi rule of a name."""
    package = needs.module("idna")
    rng = random.Random(5890)
    scripts = (
        "abcxyz019-",
        "äöüßéñ",
        "αβγςΐ",
        "абвёй",
        "אבגד",
        "ابتثي",
        "कखगमि्",
        "กขคิ",
        "あいアイー・",
        "漢字例",
        "가나다",
        "l·l",
    )
    for _ in range(3000):
        label = "".join(rng.choice(rng.choice((*scripts[:3], rng.choice(scripts)))) for _ in range(rng.randint(1, 8)))
        if unicodedata.normalize("NFC", label) != label or label.isascii():
            continue
        try:
            expected: str | None = package.alabel(label).decode()
        except package.IDNAError:
            expected = None
        ours = check_syntax(f"a@{label}.com")
        bidi = any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in label)
        if isinstance(ours, Mailbox):
            assert ours.domain == f"{expected}.com", label
        elif expected is not None:
            assert bidi, (label, ours)
