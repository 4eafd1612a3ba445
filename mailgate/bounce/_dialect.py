"""A row: how one family of notifications is known, and where it names its recipients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mailgate.bounce._lines import EVERY, LISTED
from mailgate.bounce._notice import Likeness
from mailgate.records import Reason

METHOD_NAMES = ("lines", "labels", "patterns", "sentences", "commands", "headers", "subject")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One family of notifications.

    all_of, any_of: lower-case literals that the text must hold; headers: (field name, lower-case literal) pairs that
    the report's header must hold, `""` for mere presence.
    after: recipients stand behind the earliest of these (lower case), else anywhere; until: they stop before these.
    find: methods in order until one finds somebody: `lines`, `labels`, `patterns`, `sentences`, `commands`, `headers`.
    shapes: accepted by `lines`. blank_before: only lines behind an empty one (QSBMF). same_indent: later recipients
    must be indented as the first, so that a wrapped reply beginning with an address is not one.
    labels: lower-case words before a colon. patterns: regular expressions with a group `address`, one line at a time.
    header_names: fields that list failed recipients, for `headers`.
    aliases: an entry that is no address is known by its `(generated from x)` or `(expanded from x)`.
    local_part: a bare local part is accepted; its domain is looked for elsewhere.
    likeness: how much the message must look like the mail system's own (see `_notice`).
    keep_own: the report's own addresses may be the failed recipient (the position is certain).
    action: the RFC 3464 word that the family's words mean; None: the text's own words decide.
    explains: where the cause stands: `after` the recipient, `before` it, or anywhere (`all`: also before the list or
    behind it; the whole notification belongs to a single recipient, and to each of several without own words).
    hint: the reason that the family's words mean, for texts without a reply.
    """

    name: str
    all_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    after: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    find: tuple[str, ...] = ("lines",)
    shapes: frozenset[str] = LISTED
    blank_before: bool = False
    same_indent: bool = True
    labels: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    header_names: tuple[str, ...] = ()
    aliases: bool = False
    local_part: bool = False
    likeness: Likeness = Likeness.NOTICE
    keep_own: bool = True
    action: str | None = None
    explains: str = "all"
    hint: Reason | None = None

    def __post_init__(self) -> None:
        for method in self.find:
            if method not in METHOD_NAMES:
                raise ValueError(f"a dialect finds recipients by one of {', '.join(METHOD_NAMES)}; not {method!r}")
        if self.explains not in ("after", "before", "all"):
            raise ValueError(f"the cause stands after, before, or all over; not {self.explains!r}")
        if unknown := self.shapes - EVERY - {"local"}:
            raise ValueError(f"no such shapes of a line: {sorted(unknown)}")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Dialect:
        """A row out of a rules file: lists instead of tuples, headers as a table of name and literal."""
        values: dict[str, Any] = {}
        known = {one.name for one in fields(cls)}
        for name, value in data.items():
            if name not in known:
                raise ValueError(f"a dialect has no {name!r}")
            if name == "headers":
                value = tuple((key, text.lower()) for key, text in dict(value).items())
            elif name == "shapes":
                value = frozenset(value)
            elif name == "hint":
                value = Reason(value)
            elif name == "likeness":
                value = Likeness[str(value).upper()]
            elif name in ("all_of", "any_of", "after", "until", "labels"):
                value = tuple(text.lower() for text in value)
            elif isinstance(value, list):
                value = tuple(value)
            values[name] = value
        return cls(**values)
