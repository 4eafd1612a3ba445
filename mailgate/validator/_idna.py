"""IDNA 2008 from `unicodedata`: the derived property, the contextual rules and the bidi rule, without big tables.

RFC 5892 defines the property of a code point as a formula over Unicode properties, so that nobody needs to ship a
table of 144,000 lines. Everything the formula asks for is in `unicodedata`, except Default_Ignorable_Code_Point (a
short list) and the joining types (`_joining`). Code points that this Python's Unicode does not know yet are refused
with a reason of their own: whether they exist is then DNS's business, not ours.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from functools import lru_cache

from mailgate.validator._joining import DUAL_JOINING, LEFT_JOINING, RIGHT_JOINING

MAX_LABEL_OCTETS = 63  # RFC 1035 2.3.4
_VIRAMA = 9  # canonical combining class
_ZWNJ, _ZWJ = "\u200c", "\u200d"


class Property(StrEnum):
    """What a code point may do in a label (RFC 5892 1)."""

    PVALID = "pvalid"
    CONTEXTJ = "contextj"
    CONTEXTO = "contexto"
    DISALLOWED = "disallowed"
    UNASSIGNED = "unassigned"


# RFC 5892 2.6.
_EXCEPTIONS = {
    **dict.fromkeys("ßς\u06fd\u06fe\u0f0b\u3007", Property.PVALID),
    **dict.fromkeys("·\u0375\u05f3\u05f4\u30fb", Property.CONTEXTO),
    **dict.fromkeys(map(chr, (*range(0x0660, 0x066A), *range(0x06F0, 0x06FA))), Property.CONTEXTO),
    **dict.fromkeys("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b", Property.DISALLOWED),
}
_LETTER_DIGITS = frozenset(("Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc"))  # RFC 5892 2.1
_MARKS = frozenset(("Mn", "Mc", "Me"))
# RFC 5892 2.4: combining marks for symbols, musical symbols, ancient Greek musical notation.
_IGNORABLE_BLOCKS = (range(0x20D0, 0x2100), range(0x1D100, 0x1D200), range(0x1D200, 0x1D250))
# RFC 5892 2.9: Hangul_Syllable_Type L, V or T.
_OLD_HANGUL_JAMO = (range(0x1100, 0x1200), range(0xA960, 0xA97D), range(0xD7B0, 0xD7FC))
# Default_Ignorable_Code_Point where the general category alone would let a code point pass.
_DEFAULT_IGNORABLE = (
    range(0x034F, 0x0350),
    range(0x115F, 0x1161),
    range(0x17B4, 0x17B6),
    range(0x180B, 0x1810),
    range(0x3164, 0x3165),
    range(0xFE00, 0xFE10),
    range(0xFFA0, 0xFFA1),
    range(0xE0000, 0xE1000),
)


@lru_cache(maxsize=4096)
def derived_property(character: str) -> Property:
    """The derived property value of one character (RFC 5892 3).

    >>> str(derived_property("ü")), str(derived_property("☃"))
    ('pvalid', 'disallowed')
    """
    if character in _EXCEPTIONS:
        return _EXCEPTIONS[character]
    point, category = ord(character), unicodedata.category(character)
    if category == "Cn":
        noncharacter = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
        return Property.DISALLOWED if noncharacter else Property.UNASSIGNED
    if character.isascii():
        return Property.PVALID if character in "-0123456789abcdefghijklmnopqrstuvwxyz" else Property.DISALLOWED
    if character in (_ZWNJ, _ZWJ):
        return Property.CONTEXTJ
    if _within(point, _OLD_HANGUL_JAMO) or _within(point, _IGNORABLE_BLOCKS) or _within(point, _DEFAULT_IGNORABLE):
        return Property.DISALLOWED
    if category not in _LETTER_DIGITS or _is_unstable(character):
        return Property.DISALLOWED
    return Property.PVALID


def _within(point: int, blocks: tuple[range, ...]) -> bool:
    return any(point in block for block in blocks)


def _is_unstable(character: str) -> bool:
    """RFC 5892 2.2: changed by case folding and compatibility normalisation."""
    folded = unicodedata.normalize("NFKC", character).casefold()
    return unicodedata.normalize("NFKC", folded) != character


def u_label_fault(label: str) -> tuple[str, int] | None:
    """The first reason why `label` is no U-label (RFC 5891 4.2), and its index in the label; None when it is one.

    The bidi rule is not looked at here: it depends on the other labels of the name (`bidi_fault`).
    """
    if unicodedata.normalize("NFC", label) != label:
        return "idna_not_normalised", 0
    if label[0] == "-" or label[-1] == "-":
        return "hyphen", 0 if label[0] == "-" else len(label) - 1
    if label[2:4] == "--":
        return "idna_hyphens", 2
    if unicodedata.category(label[0]) in _MARKS:
        return "idna_combining_mark", 0
    for index, character in enumerate(label):
        kind = derived_property(character)
        if kind is Property.UNASSIGNED:
            return "idna_unassigned", index
        if kind is Property.DISALLOWED:
            return "idna_disallowed", index
        if kind is not Property.PVALID and not _context_allows(label, index):
            return "idna_context", index
    return None


def _context_allows(label: str, index: int) -> bool:
    """RFC 5892 appendix A, rule by rule."""
    character = label[index]
    before = label[index - 1] if index else ""
    after = label[index + 1 : index + 2]
    if character in (_ZWNJ, _ZWJ):
        virama = bool(before) and unicodedata.combining(before) == _VIRAMA
        return virama or (character == _ZWNJ and _joins_over(label, index))
    if character == "·":
        return before == after == "l"
    if character == "\u0375":
        return _in_script(after, ("GREEK ",))
    if character in "\u05f3\u05f4":
        return _in_script(before, ("HEBREW ",))
    if character == "\u30fb":
        return any(_in_script(other, _JAPANESE) for other in label if other != character)
    arabic_indic, extended = ("\u0660", "\u0669"), ("\u06f0", "\u06f9")
    other = extended if arabic_indic[0] <= character <= arabic_indic[1] else arabic_indic
    return not any(other[0] <= digit <= other[1] for digit in label)


# Script property values by the names that Unicode gives the letters of these scripts; 々 and 〇 are Han too.
_JAPANESE = (
    "HIRAGANA ",
    "KATAKANA ",
    "CJK ",
    "IDEOGRAPHIC ITERATION",
    "IDEOGRAPHIC NUMBER ZERO",
    "HANGZHOU NUMERAL",
    "HENTAIGANA ",
    "OLD CHINESE ITERATION",
    "VIETNAMESE ALTERNATE READING",
)


def _in_script(character: str, names: tuple[str, ...]) -> bool:
    return bool(character) and unicodedata.name(character, "").startswith(names)


def _joins_over(label: str, index: int) -> bool:
    """RFC 5892 A.1: ZWNJ between a letter that joins to the left and one that joins to the right, marks aside."""
    left, right = index - 1, index + 1
    while left >= 0 and _is_transparent(label[left]):
        left -= 1
    while right < len(label) and _is_transparent(label[right]):
        right += 1
    return (
        left >= 0
        and right < len(label)
        and (ord(label[left]) in DUAL_JOINING or ord(label[left]) in LEFT_JOINING)
        and (ord(label[right]) in DUAL_JOINING or ord(label[right]) in RIGHT_JOINING)
    )


def _is_transparent(character: str) -> bool:
    return character not in (_ZWNJ, _ZWJ) and unicodedata.category(character) in ("Mn", "Me", "Cf")


_RTL = frozenset(("R", "AL", "AN"))
_RTL_BODY = frozenset(("R", "AL", "AN", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"))
_LTR_BODY = frozenset(("L", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"))


def is_bidi_domain(labels: list[str]) -> bool:
    """True when a label of the name holds a right-to-left character (RFC 5893 1.4)."""
    return any(unicodedata.bidirectional(c) in _RTL for label in labels if not label.isascii() for c in label)


def bidi_fault(label: str) -> int | None:
    """The index of the first character that breaks the bidi rule (RFC 5893 2); None when the label keeps it."""
    classes = [unicodedata.bidirectional(character) for character in label]
    if classes[0] not in ("L", "R", "AL"):
        return 0
    rtl = classes[0] != "L"
    body = _RTL_BODY if rtl else _LTR_BODY
    for index, kind in enumerate(classes):
        if kind not in body:
            return index
    if rtl and "EN" in classes and "AN" in classes:
        return max(classes.index("EN"), classes.index("AN"))
    end = len(classes) - 1
    while classes[end] == "NSM":
        end -= 1
    ends = ("R", "AL", "EN", "AN") if rtl else ("L", "EN")
    return None if classes[end] in ends else end


def to_a_label(label: str) -> str:
    """`xn--` and the punycode of a U-label (RFC 3492 6.3)."""
    return "xn--" + label.encode("punycode").decode("ascii")


def from_a_label(label: str) -> str | None:
    """The U-label of a lower-case A-label; None when it decodes to none, or to one that encodes differently."""
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
        if not decoded or decoded.isascii() or to_a_label(decoded) != label:
            return None
    except UnicodeError:
        return None
    return decoded
