"""From a string to a `Mailbox` or to the first fault in it (RFC 5321 4.1.2, RFC 6531 3.3, IDNA 2008).

The model: one pattern recognises what nearly every address is, in time linear in its length (all its repetitions are
possessive). Whatever does not match walks the grammar character by character, from left to right, so that the fault
reported is the first one and has a position. Nothing is trimmed and no comment, folding or display name is known:
this is the form that goes between the angle brackets of RCPT TO.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from mailgate.records import map_domain
from mailgate.validator import _idna
from mailgate.validator._syntax_reasons import WORDS, SyntaxReason

MAX_LOCAL_OCTETS = 64  # RFC 5321 4.5.3.1.1
MAX_DOMAIN_OCTETS = 253  # RFC 1035 2.3.4: 255 octets on the wire, length octets counted
MAX_ADDRESS_OCTETS = 254  # RFC 5321 4.5.3.1.3: a path of 256 with its angle brackets

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"
_LABEL = r"[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*+"
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*+)@((?:{_LABEL}\.)++[A-Za-z](?:-*+[A-Za-z0-9]++)*+)", re.ASCII).fullmatch
_ATEXT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_`{|}~-")
_LDH = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")
# UTS 46 reads these as dots; any other character that normalises to one would forge a label boundary.
_DOTS = re.compile("[.\u3002\uff0e\uff61]")
_NEEDLESSLY_QUOTED = re.compile(
    r"[^\x00-\x20\x7f\"(),.:;<>@\[\\\]]++(?:\.[^\x00-\x20\x7f\"(),.:;<>@\[\\\]]++)*+"
).fullmatch
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII).fullmatch
_JOINERS_AND_SOFT_HYPHEN = "\u200c\u200d\u00ad"
# UTS 46 deletes these too; invisible letters inside a name are forgery or dirt, and we say so.
_INVISIBLE_LETTERS = "\u115f\u1160\u17b4\u17b5\u3164\uffa0"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxOptions:
    """What is let through beyond, or short of, the ordinary.

    allow_quoted_local, allow_address_literal: legal, hardly ever deliverable, off. allow_smtputf8: local parts that are
    not ASCII (RFC 6531). allow_dotless: single-label domains. max_local_octets: RFC 5321 says 64 and some hosts have
    given out longer ones; None lifts the limit.
    """

    allow_quoted_local: bool = False
    allow_address_literal: bool = False
    allow_smtputf8: bool = True
    allow_dotless: bool = False
    max_local_octets: int | None = MAX_LOCAL_OCTETS


DEFAULT_OPTIONS = SyntaxOptions()
ALL_FORMS = SyntaxOptions(allow_quoted_local=True, allow_address_literal=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A well-formed address (the Mailbox of RFC 5321 4.1.2).

    original: as written. local: NFC, case kept, needless quotes off. domain: lower-case A-labels, or a literal in
    brackets. domain_unicode: the same in U-labels. smtputf8: the local part is not ASCII, so that only hosts with
    SMTPUTF8 can take it. quoted: the local part cannot do without its quotes. literal: the domain is an IP address.
    """

    original: str
    local: str
    domain: str
    domain_unicode: str
    smtputf8: bool = False
    quoted: bool = False
    literal: bool = False

    @property
    def normalized(self) -> str:
        """The form to keep and to show: local part as it is, domain in U-labels."""
        return f"{self.local}@{self.domain_unicode}"

    @property
    def ascii_address(self) -> str | None:
        """The form for hosts without SMTPUTF8; None when the local part is not ASCII."""
        return None if self.smtputf8 else f"{self.local}@{self.domain}"

    @property
    def envelope(self) -> str:
        """The form that goes into RCPT TO: local part, A-labels."""
        return f"{self.local}@{self.domain}"

    def __str__(self) -> str:
        return self.normalized

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, the derived forms with it."""
        return {
            "original": self.original,
            "local": self.local,
            "domain": self.domain,
            "domain_unicode": self.domain_unicode,
            "smtputf8": self.smtputf8,
            "quoted": self.quoted,
            "literal": self.literal,
            "normalized": self.normalized,
            "ascii_address": self.ascii_address,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntaxFault:
    """Why a string is no address: the first fault, and its place.

    position: index of the character at fault in `original`, 0 is the first; for lengths, where it became too long.
    """

    original: str
    reason: SyntaxReason
    position: int

    @property
    def message(self) -> str:
        """The fault in plain words, with its place counted from 1."""
        return f"{WORDS[self.reason]} (at character {self.position + 1})"

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "original": self.original,
            "reason": str(self.reason),
            "position": self.position,
            "message": self.message,
        }


class _Fault(Exception):
    """Ends the walk at the first fault."""

    def __init__(self, reason: SyntaxReason, position: int) -> None:
        super().__init__(reason, position)
        self.reason = reason
        self.position = position


def check_syntax(text: str, options: SyntaxOptions = DEFAULT_OPTIONS) -> Mailbox | SyntaxFault:
    """The `Mailbox` that `text` is, or its first `SyntaxFault`; never an exception, whatever the string holds.

    >>> check_syntax("Jörg@BÜCHER.example").domain
    'xn--bcher-kva.example'
    >>> check_syntax("a..b@example.com").message
    'two dots in a row (at character 3)'
    """
    match = _PLAIN(text)
    if match is not None and len(text) <= MAX_ADDRESS_OCTETS:
        local, domain = match.groups()
        domain = domain.lower()
        # A domain of up to 63 octets has no label above 63; `xn--` asks for a closer look.
        if len(domain) <= _idna.MAX_LABEL_OCTETS and "xn--" not in domain and len(local) <= MAX_LOCAL_OCTETS:
            limit = options.max_local_octets
            if limit is None or len(local) <= limit:
                return Mailbox(original=text, local=local, domain=domain, domain_unicode=domain)
    try:
        return _walk(text, options)
    except _Fault as fault:
        return SyntaxFault(original=text, reason=fault.reason, position=fault.position)


def _walk(text: str, options: SyntaxOptions) -> Mailbox:
    if not text:
        raise _Fault(SyntaxReason.EMPTY, 0)
    if "@" not in text:
        raise _Fault(SyntaxReason.NO_AT_SIGN, len(text))
    at = _end_of_quoted(text) if text[0] == '"' else _end_of_dot_string(text)
    local, rest = text[:at], text[at + 1 :]
    if not rest:
        raise _Fault(SyntaxReason.EMPTY_DOMAIN, len(text))
    if rest[0] == "[":
        domain = domain_unicode = _literal(rest, at + 1)
    else:
        domain, domain_unicode = _domain(rest, at + 1, options)
    local, quoted = _normal_local(local)
    _check_lengths(text, at, local, domain, options)
    _check_options(text, at, options)
    return Mailbox(
        original=text,
        local=local,
        domain=domain,
        domain_unicode=domain_unicode,
        smtputf8=not local.isascii(),
        quoted=quoted,
        literal=rest[0] == "[",
    )


# --- the local part ---------------------------------------------------------------------------------------------------


def _end_of_dot_string(text: str) -> int:
    """The index of the `@` behind a Dot-string."""
    previous = "."
    for index, character in enumerate(text):
        if character == "@":
            if index == 0:
                raise _Fault(SyntaxReason.EMPTY_LOCAL, 0)
            if previous == ".":
                raise _Fault(SyntaxReason.TRAILING_DOT, index - 1)
            return index
        if character == "." and previous == ".":
            raise _Fault(SyntaxReason.LEADING_DOT if index == 0 else SyntaxReason.TWO_DOTS, index)
        if character not in _ATEXT and character != ".":
            _refuse_local_character(character, index)
        previous = character
    raise _Fault(SyntaxReason.NO_AT_SIGN, len(text))


_LOCAL_REASONS = {
    **dict.fromkeys(" \t\r\n\f\v\x1c\x1d\x1e\x1f\x85\xa0", SyntaxReason.WHITE_SPACE),
    **dict.fromkeys("()", SyntaxReason.COMMENT),
    **dict.fromkeys("<>", SyntaxReason.ANGLE_BRACKET),
    '"': SyntaxReason.MISPLACED_QUOTE,
    "\\": SyntaxReason.BACKSLASH,
}


def _refuse_local_character(character: str, index: int) -> None:
    """Raise unless the character is one that RFC 6531 3.3 lets into a local part and that can be read."""
    if character in _LOCAL_REASONS:
        raise _Fault(_LOCAL_REASONS[character], index)
    if character < " " or character == "\x7f":
        raise _Fault(SyntaxReason.CONTROL_CHARACTER, index)
    if character.isascii():
        raise _Fault(SyntaxReason.LOCAL_CHARACTER, index)
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp"):
        raise _Fault(SyntaxReason.WHITE_SPACE, index)
    if category[0] == "C" or (index == 0 and category[0] == "M"):
        raise _Fault(SyntaxReason.UNSAFE_CHARACTER, index)
    _refuse_unstable(character, index)


def _refuse_unstable(character: str, index: int) -> None:
    """NFC turns a few characters into ASCII (U+037E into a semicolon): normalising must not write new syntax."""
    normal = unicodedata.normalize("NFC", character)
    if normal != character and normal.isascii() and not _ATEXT.issuperset(normal):
        raise _Fault(SyntaxReason.UNSTABLE_CHARACTER, index)


def _end_of_quoted(text: str) -> int:
    """The index of the `@` behind a Quoted-string (RFC 5321 4.1.2)."""
    index = 1
    while index < len(text):
        character = text[index]
        if character == '"':
            break
        if character == "\\":
            index += 1
            character = text[index : index + 1]
            if not " " <= character <= "~":
                raise _Fault(SyntaxReason.BACKSLASH, index - 1)
        elif not " " <= character <= "~":
            _refuse_quoted_character(character, index)
        index += 1
    else:
        raise _Fault(SyntaxReason.QUOTE_NOT_CLOSED, 0)
    if text[index + 1 : index + 2] != "@":
        raise _Fault(SyntaxReason.TEXT_AFTER_QUOTE, index + 1)
    if index == 1:
        raise _Fault(SyntaxReason.EMPTY_QUOTES, 0)
    return index + 1


def _refuse_quoted_character(character: str, index: int) -> None:
    if character.isascii():
        space = character in _LOCAL_REASONS
        raise _Fault(SyntaxReason.WHITE_SPACE if space else SyntaxReason.CONTROL_CHARACTER, index)
    _refuse_local_character(character, index)


def _normal_local(local: str) -> tuple[str, bool]:
    """The local part in NFC without needless quotes and escapes, and whether it is still quoted."""
    if local[0] != '"':
        return unicodedata.normalize("NFC", local), False
    content = unicodedata.normalize("NFC", re.sub(r"\\(.)", r"\1", local[1:-1]))
    if _NEEDLESSLY_QUOTED(content):
        return content, False
    return '"' + re.sub(r'(["\\])', r"\\\1", content) + '"', True


# --- the domain -------------------------------------------------------------------------------------------------------


def _domain(text: str, offset: int, options: SyntaxOptions) -> tuple[str, str]:
    """A-labels and U-labels of a domain."""
    for index, character in enumerate(text):
        if character not in _LDH and character != ".":
            _refuse_domain_character(character, offset + index)
    written = _DOTS.split(text)
    mapped = written if text.isascii() else _DOTS.split(map_domain(text))
    if len(mapped) != len(written):
        raise _Fault(SyntaxReason.IDNA_DISALLOWED, offset)
    if len(written) > 1 and not mapped[-1]:
        raise _Fault(SyntaxReason.FINAL_DOT, offset + len(text) - 1)
    starts = _starts(written, offset)
    a_labels, u_labels = [], []
    for source, label, start in zip(written, mapped, starts, strict=True):
        a_label, u_label = _label(source, label, start)
        a_labels.append(a_label)
        u_labels.append(u_label)
    _check_bidi(u_labels, starts)
    _check_top(a_labels, starts, options)
    return ".".join(a_labels), ".".join(u_labels)


_DOMAIN_REASONS = {**_LOCAL_REASONS, "_": SyntaxReason.UNDERSCORE, "@": SyntaxReason.TWO_AT_SIGNS}


def _refuse_domain_character(character: str, position: int) -> None:
    if character.isascii() or character in "\x85\xa0":
        if character in _DOMAIN_REASONS and character not in '"\\':
            raise _Fault(_DOMAIN_REASONS[character], position)
        control = character < " " or character == "\x7f"
        raise _Fault(SyntaxReason.CONTROL_CHARACTER if control else SyntaxReason.DOMAIN_CHARACTER, position)
    category = unicodedata.category(character)
    if category in ("Zs", "Zl", "Zp"):
        raise _Fault(SyntaxReason.WHITE_SPACE, position)
    if category == "Cn" and _idna.derived_property(character) is _idna.Property.UNASSIGNED:
        raise _Fault(SyntaxReason.IDNA_UNASSIGNED, position)
    if (category[0] == "C" and character not in _JOINERS_AND_SOFT_HYPHEN) or character in _INVISIBLE_LETTERS:
        raise _Fault(SyntaxReason.IDNA_DISALLOWED, position)
    if not _DOTS.match(character) and "." in unicodedata.normalize("NFKC", character):
        raise _Fault(SyntaxReason.IDNA_DISALLOWED, position)


def _starts(labels: list[str], offset: int) -> list[int]:
    starts = []
    for label in labels:
        starts.append(offset)
        offset += len(label) + 1
    return starts


def _label(source: str, label: str, start: int) -> tuple[str, str]:
    """The A-label and the U-label of one label; `source` is what was written, `label` what UTS 46 maps it to."""
    if not label:
        raise _Fault(SyntaxReason.EMPTY_LABEL, start)
    if label.isascii():
        label = label.lower()
        _check_ldh(label, source, start)
        return label, _decoded(label, start) if label.startswith("xn--") else label
    if len(label) > _idna.MAX_LABEL_OCTETS:  # punycode never shortens; its cost grows with the square
        raise _Fault(SyntaxReason.LABEL_TOO_LONG, start)
    fault = _idna.u_label_fault(label)
    if fault is not None:
        raise _Fault(SyntaxReason(fault[0]), start + (fault[1] if len(source) == len(label) else 0))
    a_label = _idna.to_a_label(label)
    if len(a_label) > _idna.MAX_LABEL_OCTETS:
        raise _Fault(SyntaxReason.LABEL_TOO_LONG, start)
    return a_label, label


def _check_ldh(label: str, source: str, start: int) -> None:
    for index, character in enumerate(label):
        if character not in _LDH:  # what the mapping made of a compatibility character
            raise _Fault(SyntaxReason.DOMAIN_CHARACTER, start + (index if len(source) == len(label) else 0))
    if label[0] == "-" or label[-1] == "-":
        raise _Fault(SyntaxReason.HYPHEN, start + (0 if label[0] == "-" else len(source) - 1))
    if len(label) > _idna.MAX_LABEL_OCTETS:
        raise _Fault(SyntaxReason.LABEL_TOO_LONG, start + _idna.MAX_LABEL_OCTETS)
    # `--` in third place is reserved; a registry may still have sold it as plain ASCII (RFC 5890 2.3.1).
    if label[2:4] == "--" and not source.isascii() and not label.startswith("xn--"):
        raise _Fault(SyntaxReason.IDNA_HYPHENS, start)


def _decoded(label: str, start: int) -> str:
    u_label = _idna.from_a_label(label)
    if u_label is None or _idna.u_label_fault(u_label) is not None or map_domain(u_label) != u_label:
        raise _Fault(SyntaxReason.BAD_A_LABEL, start)
    return u_label


def _check_bidi(labels: list[str], starts: list[int]) -> None:
    if not _idna.is_bidi_domain(labels):
        return
    for label, start in zip(labels, starts, strict=True):
        if _idna.bidi_fault(label) is not None:
            raise _Fault(SyntaxReason.IDNA_BIDI, start)


def _check_top(labels: list[str], starts: list[int], options: SyntaxOptions) -> None:
    if labels[-1].isdigit():  # RFC 3696 2: so that nobody takes a name for an IPv4 address
        raise _Fault(SyntaxReason.NUMERIC_TLD, starts[-1])
    if len(labels) == 1 and not options.allow_dotless:  # RFC 7085
        raise _Fault(SyntaxReason.DOTLESS_DOMAIN, starts[0])


def _literal(text: str, offset: int) -> str:
    """An address literal (RFC 5321 4.1.3), in one spelling."""
    content = text[1:-1]
    if text[-1] != "]" or "]" in content or "\r" in content or "\n" in content:
        raise _Fault(SyntaxReason.LITERAL_NOT_CLOSED, offset)
    if content[:5].lower() == "ipv6:":
        try:
            if "%" in content:
                raise ValueError("a zone has no meaning elsewhere")
            return f"[IPv6:{ipaddress.IPv6Address(content[5:]).compressed}]"
        except ValueError:
            raise _Fault(SyntaxReason.BAD_LITERAL, offset + 1) from None
    octets = content.split(".")
    if len(octets) != 4 or not all(_DECIMAL(octet) and int(octet) < 256 for octet in octets):
        raise _Fault(SyntaxReason.BAD_LITERAL, offset + 1)
    return f"[{content}]"


# --- lengths and switches ---------------------------------------------------------------------------------------------


def _check_lengths(text: str, at: int, local: str, domain: str, options: SyntaxOptions) -> None:
    """In octets of UTF-8, as given and normalised (RFC 6531 3.3 counts octets, quotes included)."""
    longest = max(_octets(text[:at]), _octets(local))
    limit = options.max_local_octets
    if limit is not None and longest > limit:
        raise _Fault(SyntaxReason.LOCAL_TOO_LONG, _position_of_octet(text[:at], limit))
    if len(domain) > MAX_DOMAIN_OCTETS:
        raise _Fault(SyntaxReason.DOMAIN_TOO_LONG, min(at + 1 + MAX_DOMAIN_OCTETS, len(text) - 1))
    if max(_octets(text), longest + 1 + len(domain)) > MAX_ADDRESS_OCTETS:
        raise _Fault(SyntaxReason.ADDRESS_TOO_LONG, _position_of_octet(text, MAX_ADDRESS_OCTETS))


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8"))


def _position_of_octet(text: str, octet: int) -> int:
    """The index of the first character that does not fit into `octet` octets; the last one when all do."""
    used = 0
    for index, character in enumerate(text):
        used += len(character.encode("utf-8"))
        if used > octet:
            return index
    return max(len(text) - 1, 0)


def _check_options(text: str, at: int, options: SyntaxOptions) -> None:
    if text[0] == '"' and not options.allow_quoted_local:
        raise _Fault(SyntaxReason.QUOTED_LOCAL, 0)
    if text[at + 1] == "[" and not options.allow_address_literal:
        raise _Fault(SyntaxReason.ADDRESS_LITERAL, at + 1)
    if not options.allow_smtputf8 and not text[:at].isascii():
        raise _Fault(SyntaxReason.SMTPUTF8_LOCAL, 0)
