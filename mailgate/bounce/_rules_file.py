"""A user's own rows, from a TOML file: what a reply means, and how a notification names its recipients.

    [[reply]]
    name = "acme-filter"                      # shown as evidence, rule:acme-filter
    reason = "spam"                           # a word of mailgate.records.Reason
    phrases = ["refused by acme", "acme ... filter"]
    hosts = ["acme.example"]                  # also: unless, codes, classes, statuses, stages

    [[dialect]]
    name = "acme-notice"
    anchors = ["the acme mail robot could not deliver"]
    recipient = ["Recipient: {address}"]      # also: headers, after, until, action, hint, explains

A phrase is words in any case; `...` between two words stands for up to six others, `~` at the end of a word leaves its
ending open. In `recipient`, `{address}` is the address and `...` up to 60 characters of the same line. There are no
regular expressions in the file, so nothing in it can make reading slow.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mailgate.bounce._engine import Dialect
from mailgate.bounce._settings import BounceSettings
from mailgate.records import ParseError, Reason, ReplyRow

MAX_FILE_CHARACTERS = 1_000_000
MAX_ROWS = 2_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_REPLY_FIELDS = frozenset(
    ("name", "reason", "phrases", "unless", "codes", "classes", "statuses", "stages", "hosts", "sample")
)
_DIALECT_FIELDS = frozenset(
    ("name", "anchors", "any_of", "headers", "recipient", "after", "until", "action", "hint", "explains", "likeness")
)
_ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
_ADDRESS_PATTERN = r"(?P<address>[^\s<>()\"',;:]{1,64}@[^\s<>()\"',;:]{1,255})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rows of a file, in its order."""

    replies: tuple[ReplyRow, ...] = ()
    dialects: tuple[Dialect, ...] = ()

    def merged_into(self, settings: BounceSettings) -> BounceSettings:
        """Settings in which these rows stand before all others."""
        return replace(
            settings,
            rules=(*self.replies, *settings.rules),
            dialects=(*self.dialects, *settings.dialects),
        )


def read_rules(text: str | bytes) -> Rules:
    """The rows of a TOML file (at most 1,000,000 characters and 2,000 rows).

    Raises ParseError (`bad_rules`) with the line and the field at fault.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ParseError("bad_rules", "the file is not UTF-8", offset=error.start) from error
    if len(text) > MAX_FILE_CHARACTERS:
        raise ParseError("bad_rules", f"longer than {MAX_FILE_CHARACTERS:,} characters")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ParseError("bad_rules", f"not TOML: {error}") from error
    except RecursionError as error:
        raise ParseError("bad_rules", "nested too deeply") from error
    for name in data:
        if name not in ("reply", "dialect"):
            raise ParseError("bad_rules", f"line {_line_of(text, name)}: only [[reply]] and [[dialect]], not {name!r}")
    return Rules(
        replies=tuple(_rows(data, "reply", text, _reply)),
        dialects=tuple(_rows(data, "dialect", text, _dialect)),
    )


def _rows(data: Mapping[str, Any], table: str, text: str, build: Callable[[dict[str, Any]], Any]) -> list[Any]:
    rows = data.get(table, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ParseError("bad_rules", f"write [[{table}]] for each row", field=table)
    if len(rows) > MAX_ROWS:
        raise ParseError("bad_rules", f"more than {MAX_ROWS:,} rows", field=table)
    built = []
    names: set[str] = set()
    for number, row in enumerate(rows):
        try:
            one = build(row)
            if one.name in names:
                raise _Fault("name", f"{row['name']!r} is there twice")
        except _Fault as fault:
            line = _line_of_field(text, table, number, fault.field)
            where = f"{table}[{number}]" + (f".{fault.field}" if fault.field else "")
            raise ParseError("bad_rules", f"line {line}: {fault.message}", field=where) from fault
        names.add(one.name)
        built.append(one)
    return built


class _Fault(Exception):
    """What is wrong with one field of one row."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message


def _reply(row: dict[str, Any]) -> ReplyRow:
    _refuse_unknown(row, _REPLY_FIELDS)
    name = _name(row)
    values: dict[str, Any] = {"name": f"rule:{name}", "reason": _reason(row, "reason")}
    for field in ("phrases", "unless", "statuses", "stages", "hosts"):
        values[field] = tuple(text.lower() for text in _texts(row, field))
    values["codes"] = tuple(_numbers(row, "codes"))
    for field in ("classes", "sample"):
        if field in row:
            values[field] = _text(row, field)
    for field in ("phrases", "unless", "statuses", "stages", "codes", "classes"):
        _try(field, values)  # so that the fault names its field
    try:
        return ReplyRow(**values)
    except ValueError as error:
        raise _Fault("phrases", str(error).partition(": ")[2] or str(error)) from error


def _try(field: str, values: dict[str, Any]) -> None:
    if field not in values or not values[field]:
        return
    try:
        ReplyRow(**{"name": values["name"], "reason": values["reason"], "codes": (550,), field: values[field]})
    except ValueError as error:
        raise _Fault(field, str(error).partition(": ")[2] or str(error)) from error


def _dialect(row: dict[str, Any]) -> Dialect:
    _refuse_unknown(row, _DIALECT_FIELDS)
    values: dict[str, Any] = {
        "name": _name(row),
        "all_of": list(_texts(row, "anchors")),
        "any_of": list(_texts(row, "any_of")),
        "after": list(_texts(row, "after")),
        "until": list(_texts(row, "until")),
        "explains": _text(row, "explains") if "explains" in row else "all",
    }
    if not (values["all_of"] or values["any_of"] or "headers" in row):
        raise _Fault("anchors", "a dialect is known by anchors, any_of or headers")
    templates = _texts(row, "recipient")
    if templates:
        values |= {"find": ["patterns"], "patterns": [_template(text) for text in templates]}
    if "headers" in row:
        headers = row["headers"]
        if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
            raise _Fault("headers", "a table of field names and words")
        values["headers"] = headers
    if "action" in row:
        values["action"] = _text(row, "action")
        if values["action"] not in _ACTIONS:
            raise _Fault("action", f"one of {', '.join(_ACTIONS)}, not {values['action']!r}")
    if "hint" in row:
        values["hint"] = str(_reason(row, "hint"))
    if "likeness" in row:
        values["likeness"] = _text(row, "likeness")
    try:
        return Dialect.from_dict(values)
    except KeyError as error:
        raise _Fault("likeness", f"none, notice or sure, not {row['likeness']!r}") from error
    except ValueError as error:
        raise _Fault("explains", str(error)) from error


def _template(text: str) -> str:
    """A phrase with `{address}` in it as a pattern of bounded repeats."""
    if text.count("{address}") != 1 or len(text) > 300 or text.count("...") > 2:
        raise _Fault("recipient", f"{{address}} once, at most two gaps, at most 300 characters: {text!r}")
    parts = []
    for piece in re.split(r"(\{address\}|\.\.\.|\s+)", text):
        if piece == "{address}":
            parts.append(_ADDRESS_PATTERN)
        elif piece == "...":
            parts.append(r"[^\n]{0,60}?")
        elif piece.isspace():
            parts.append(r"\s{1,20}")
        else:
            parts.append(re.escape(piece))
    return "".join(parts)


def _refuse_unknown(row: dict[str, Any], known: frozenset[str]) -> None:
    for field in row:
        if field not in known:
            raise _Fault(field, f"no such field; there are {', '.join(sorted(known))}")


def _name(row: dict[str, Any]) -> str:
    name = _text(row, "name")
    if not _NAME.fullmatch(name):
        raise _Fault("name", f"1 to 64 letters, digits, dots and hyphens, not {name!r}")
    return name


def _reason(row: dict[str, Any], field: str) -> Reason:
    word = _text(row, field)
    try:
        return Reason(word)
    except ValueError as error:
        raise _Fault(field, f"{word!r} is no reason; one of {', '.join(Reason)}") from error


def _text(row: dict[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value.strip():
        raise _Fault(field, "a text is needed" if field in row else f"{field} is missing")
    return value


def _texts(row: dict[str, Any], field: str) -> tuple[str, ...]:
    value = row.get(field, [])
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        raise _Fault(field, "a list of texts is needed")
    return tuple(value)


def _numbers(row: dict[str, Any], field: str) -> tuple[int, ...]:
    value = row.get(field, [])
    if not isinstance(value, list) or not all(isinstance(n, int) and not isinstance(n, bool) for n in value):
        raise _Fault(field, "a list of numbers is needed")
    return tuple(value)


def _line_of(text: str, name: str) -> int:
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(rf"\s*\[{{0,2}}\s*[\"']?{re.escape(name)}\b", line):
            return number
    return 1


def _line_of_field(text: str, table: str, number: int, field: str) -> int:
    """Where the field of the n-th row of a table stands; the row's first line when it is not found."""
    header = re.compile(rf"\s*\[\[\s*[\"']?{table}[\"']?\s*\]\]")
    start = found = 0
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if header.match(line):
            found += 1
            if found == number + 1:
                start = at
                break
    for at in range(start + 1, len(lines)):
        if lines[at].lstrip().startswith("[["):
            break
        if re.match(rf"\s*[\"']?{re.escape(field)}[\"']?\s*=", lines[at]) or f"[{table}.{field}]" in lines[at]:
            return at + 1
    return start + 1
