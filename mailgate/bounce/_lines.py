r"""Lines that name a recipient, and the lines that belong to it.

Notifications for people write a recipient in a handful of shapes at the start of a line, whatever the program and the
language. A dialect row says which of them it accepts; this module says which one a line has.

    shape   a line like
    ------  ---------------------------------------------------------------
    alone   user@host     <user@host>     * user@host     "user@host"     'user@host',
    <>:     <user@host>:            the angle brackets, a colon, nothing more
    <>:+    <user@host>: host mx said: 550 …
    <>+     <user@host> reason in words
    :       user@host:  550 …       (nothing may follow)
    ...     <user@host>... User unknown
    (       user@host (reason)
    [       user@host [User unknown]
    ,       user@host, other@host           (all of them are taken)
    on      user@host on Thu, 29 Apr 2007 16:51:51 -0500
    -       user@host - reason
    text    user@host reason in words
    name    Display Name <user@host>        'Display Name' (user@host)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailgate.bounce._addresses import MAX_LINE_CHARACTERS, find_addresses, read_address

ALONE = frozenset(("alone", "name"))
LISTED = frozenset(("alone", "name", "<>:", "<>:+", "<>+", ":", "...", "(", "[", ",", "on", "-"))
EVERY = LISTED | {"text"}

_LEAD = re.compile(r"\s*+(?:[>*•·|]\s*+|[-–—#=.+]{1,80}+\s++){0,20}+(?:\d{1,3}[.)]\s++)?")
_TAIL = re.compile(r"[\s.,;:!)\]>}\"'*\-=_|]*+")
_ON = re.compile(r"on\s+(?:\w{2,9},?\s+\d|\d)", re.IGNORECASE)
_ALIAS = re.compile(
    r"\(?\s*(?:ultimately\s+)?(?:expanded|generated|redirected|forwarded)\s+(?:from|by)[:\s]+(.{3,400})", re.IGNORECASE
)
_NAME = re.compile(r"""["'“]?[^<>@:=()\[\]]{1,80}["'”]?\s*[<(\[]\s*(?:SMTP:|mailto:)?""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RecipientLine:
    """A line that begins with an address. rest: what follows it; indent: columns before the address or its bullet."""

    address: str
    shape: str
    rest: str
    indent: int
    others: tuple[str, ...] = ()


def read_recipient_line(line: str) -> RecipientLine | None:
    """The recipient that a line begins with; None when it does not begin with one."""
    if "@" not in line or len(line) > MAX_LINE_CHARACTERS:
        return None
    indent = len(line) - len(line.lstrip())
    lead = _LEAD.match(line)
    start = lead.end() if lead is not None else 0
    first = line[start : start + 1]
    if first in "<[":
        return _wrapped(line, start, indent, first)
    if first == '"' or first == "'":
        return _quoted(line, start, indent, first)
    end = start
    length = len(line)
    while end < length and line[end] not in ' \t<>()[],;:"\\|\u3000':
        end += 1
    token = line[start:end]
    if "@" not in token:
        return _named(line, start, indent)
    address = read_address(token)
    if address is None:
        return None
    dots = token.endswith("...")
    return _shaped(address, line[end:], indent, bracketed=False, dots=dots)


def _wrapped(line: str, start: int, indent: int, opening: str) -> RecipientLine | None:
    end = line.find(">" if opening == "<" else "]", start)
    inner = line[start + 1 : end if end != -1 else len(line)]
    if not inner or (" " in inner.strip() and '"' not in inner):
        return None
    address = read_address(inner)
    if address is None:
        return None
    return _shaped(address, line[end + 1 :] if end != -1 else "", indent, bracketed=True, dots=False)


def _quoted(line: str, start: int, indent: int, quote: str) -> RecipientLine | None:
    end = line.find(quote, start + 1)
    if end == -1:
        return None
    inner = line[start + 1 : end]
    if line[end + 1 : end + 2] == "@":  # a quoted local part
        found = find_addresses(line[start:])
        if not found:
            return None
        return _shaped(found[0], line[start + len(found[0]) :], indent, bracketed=False, dots=False)
    if "@" not in inner or " " in inner:
        return _named(line, start, indent)
    address = read_address(inner)
    return None if address is None else _shaped(address, line[end + 1 :], indent, bracketed=False, dots=False)


def _named(line: str, start: int, indent: int) -> RecipientLine | None:
    """Display Name <user@host>, and nothing but punctuation behind it."""
    match = _NAME.match(line, start)
    if match is None:
        return None
    rest = line[match.end() :]
    token = re.split(r"[\s<>()\[\]]", rest, maxsplit=1)[0]
    address = read_address(token) if "@" in token else None
    if address is None:
        return None
    tail = rest[len(token) :].lstrip(">)]} \t\"'")
    on = _ON.match(tail) is not None
    if tail.strip(" .,;:") and not on:
        return None
    return RecipientLine(address, "name", tail, indent)


def _shaped(address: str, tail: str, indent: int, *, bracketed: bool, dots: bool) -> RecipientLine:
    rest = tail.lstrip(" \t\"'>)]")
    if rest[:1] == "<" and rest[1 : len(address) + 1].lower() == address.lower():
        # activehunter: `>>> user@host <user@host>`
        rest = rest[len(address) + 1 :].lstrip("> \t")
    if dots or rest[:3] == "...":
        return RecipientLine(address, "...", rest.lstrip(". \t"), indent)
    if _TAIL.fullmatch(rest) is not None:
        shape = "alone" if rest[:1] != ":" else "<>:" if bracketed else ":"
        return RecipientLine(address, shape, "", indent)
    mark = rest[0]
    if mark == "(" and _ALIAS.match(rest) is not None:
        behind = rest.rfind(")")
        after = rest[behind + 1 :].lstrip() if behind != -1 else ""
        if after[:1] == ":" and after[1:].strip():
            return RecipientLine(address, "<>:+" if bracketed else ":", rest, indent)
        return RecipientLine(address, "alone", rest, indent)
    if mark == ":":
        reason = rest[1:].strip()
        return RecipientLine(address, "<>:+" if bracketed else ":", reason, indent)
    if mark in "([":
        return RecipientLine(address, mark, rest, indent)
    if mark in ",;":
        others = find_addresses(rest)
        if others and not _words_besides(rest, others):
            return RecipientLine(address, ",", "", indent, tuple(others))
        return RecipientLine(address, "text", rest[1:].strip(), indent)
    if mark in "-–—":
        return RecipientLine(address, "-", rest.lstrip("-–— \t"), indent)
    if _ON.match(rest) is not None:
        return RecipientLine(address, "on", rest, indent)
    return RecipientLine(address, "<>+" if bracketed else "text", rest, indent)


def _words_besides(text: str, addresses: list[str]) -> bool:
    for address in addresses:
        text = text.replace(address, "", 1)
    return any(character.isalnum() for character in text)


def alias_in(text: str) -> str | None:
    """The address in `(expanded from <x>)`, `(generated from x)`, `(ultimately generated from x)`; else None."""
    match = _ALIAS.search(text)
    if match is None:
        return None
    found = find_addresses(match[1])
    return found[0] if found else None
