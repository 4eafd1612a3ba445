"""Content-Type and Content-Disposition taken apart (RFC 2045 5.1, RFC 2183 2, RFC 2231): lenient, in linear time."""

from __future__ import annotations

import re
from functools import lru_cache

from mailgate.records._mime_words import decode_text

_TYPE = re.compile(r"\s*([^\s/;=\"]+)\s*/\s*([^\s/;\"=]+)")
_PARAM = re.compile(
    r"""[;\s]*+([^\s=;"]+)\s*+=\s*+(?:"((?:[^"\\]++|\\.)*+)"[^;]*+|([^;]*+))""",
    re.DOTALL,
)
_SKIP = re.compile(r"[^;]*+;?")
_CONTINUED = re.compile(r"(.+?)\*(?:(\d{1,4})(\*)?)?")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")

# No real field has more; a folded field of 64 KiB could hold 20,000.
_MAX_PARAMS = 200


def without_comments(value: str) -> str:
    """`value` with comments (RFC 5322 3.2.2, nested too) turned into blanks; quoted strings stay."""
    if "(" not in value:
        return value
    out: list[str] = []
    depth, quoted, start, at = 0, False, 0, 0
    while at < len(value):
        char = value[at]
        if char == "\\":
            at += 1
        elif char == '"' and not depth:
            quoted = not quoted
        elif char == "(" and not quoted:
            if not depth:
                out.append(value[start:at])
            depth += 1
        elif char == ")" and depth:
            depth -= 1
            start = at + 1
        at += 1
    if depth:  # never closed: more likely a stray bracket than a comment
        return value
    out.append(value[start:])
    return " ".join(out)


@lru_cache(maxsize=512)
def _cached_type(value: str) -> tuple[str, str]:
    return _read_type(value)


def read_type(value: str) -> tuple[str, str]:
    """(`type/subtype` in lower case or "" when it is none, the text of the parameters)."""
    return _cached_type(value) if len(value) < 200 else _read_type(value)


def _read_type(value: str) -> tuple[str, str]:
    value = without_comments(value)
    found = _TYPE.match(value)
    if found is not None:
        return f"{found[1]}/{found[2]}".lower(), value[found.end() :]
    head, _, rest = value.partition(";")
    if head.strip().lower() == "multipart" and "boundary" in rest.lower():
        return "multipart/mixed", rest
    return "", rest


def read_params(text: str) -> dict[str, str]:
    """Parameters by lower-case name, RFC 2231 continuations joined and decoded; of two alike the first counts."""
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for name, value in _raw_params(text):
        continued = _CONTINUED.fullmatch(name)
        if continued is None:
            plain.setdefault(name, value)
        else:
            number, star = continued[2], continued[3]
            encoded = number is None or star is not None
            pieces.setdefault(continued[1], []).append((int(number or 0), encoded, value))
    for name, parts in pieces.items():
        plain[name] = _joined(parts)  # RFC 2231 5: the extended form is the better one
    return plain


def _raw_params(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text) and len(found) < _MAX_PARAMS:
        match = _PARAM.match(text, at)
        if match is None:
            skip = _SKIP.match(text, at)
            at = skip.end() if skip and skip.end() > at else len(text)
            continue
        at = match.end()
        name = match[1].lower()
        if match[2] is not None:
            found.append((name, _unquote(match[2])))
        else:
            found.append((name, match[3].strip().strip('"').strip()))
    return found


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) if "\\" in text else text


def _joined(parts: list[tuple[int, bool, str]]) -> str:
    parts.sort(key=lambda part: part[0])
    charset = ""
    data: list[bytes] = []
    for place, (_, encoded, value) in enumerate(parts):
        if encoded and place == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        piece = value.encode("utf-8", "surrogateescape")
        data.append(_PERCENT.sub(lambda hit: bytes((int(hit[1], 16),)), piece) if encoded else piece)
    return decode_text(b"".join(data), charset or None)
