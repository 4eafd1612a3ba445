"""Field blocks of a delivery status part (RFC 3464 2.1): from text to groups, however it was cut.

The RFC's grammar is one per-message group and one group per recipient, with blank lines between. What is sent also has
blank lines inside groups, none between them, fields of one kind in the group of the other, garbage before the first
field, spaces before the colon, folded lines without their indent. So a block is only a hint; the names of the fields
decide which group they belong to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_FIELD_CHARACTERS = 64 * 1024  # a diagnostic of real use is under 4 KiB; the rest is cut and reported as a defect
MAX_FIELDS_PER_GROUP = 200
MAX_GROUPS = 20_000

_NAME = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60}+)[ \t]*:", re.ASCII)
_BLANK_LINES = re.compile(r"\n[ \t]*+\n[ \t\n]*+")
# One field with its folds, when nothing about it is odd: no unindented line is taken for a fold here.
_FIELD = re.compile(
    r"^([A-Za-z][A-Za-z0-9-]{1,60}+)[ \t]*+:(?!//)([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.ASCII | re.MULTILINE
)
# RFC 3464 2.2; the second line is of Postfix and of gateways.
PER_MESSAGE = frozenset(
    ("original-envelope-id", "reporting-mta", "dsn-gateway", "received-from-mta", "arrival-date",
     "x-postfix-queue-id", "x-postfix-sender", "x-display-name-of-sender")
)  # fmt: skip
# RFC 3464 2.3.
PER_RECIPIENT = frozenset(
    ("original-recipient", "final-recipient", "action", "status", "remote-mta", "diagnostic-code",
     "last-attempt-date", "final-log-id", "will-retry-until", "x-actual-recipient", "localized-diagnostic")
)  # fmt: skip
_RECIPIENT_NAMES = frozenset(("final-recipient", "original-recipient"))
# One of these seen again starts the next recipient when the blank line between two groups is missing.
_STARTS_AGAIN = frozenset(("final-recipient", "original-recipient", "action"))
_KNOWN = PER_MESSAGE | PER_RECIPIENT


@dataclass(slots=True)
class Group:
    """Fields by lower-case name, first value of each, unfolded; `items` has all of them as written, in order."""

    first: dict[str, str] = field(default_factory=dict)
    items: list[tuple[str, str]] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """The first value of a field by its lower-case name."""
        return self.first.get(name)

    def add(self, name: str, value: str) -> None:
        """Append one field."""
        self.first.setdefault(name.lower(), value)
        if len(self.items) < MAX_FIELDS_PER_GROUP:
            self.items.append((name, value))

    def merge(self, other: Group) -> None:
        """Append the fields of another group."""
        for name, value in other.items:
            self.add(name, value)


@dataclass(slots=True)
class StatusFields:
    """A whole delivery status part: the per-message group, the recipient groups, what was odd."""

    message: Group = field(default_factory=Group)
    recipients: list[Group] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    def note(self, defect: str) -> None:
        """Record an oddity once."""
        if defect not in self.defects:
            self.defects.append(defect)


def read_status_fields(text: str) -> StatusFields:
    """All groups of a delivery status part; an empty result when there is no field in it."""
    result = StatusFields()
    for block in _blocks(text, result):
        _place(block, result)
    result.recipients = [group for group in result.recipients if group.items]
    return result


def lines_of(text: str) -> list[str]:
    """The lines of a text, whichever of CRLF, LF and CR ends them; no other character ends a line (RFC 5322 2.1)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def _blocks(text: str, result: StatusFields) -> list[Group]:
    """Fields between blank lines, unfolded with one space each (RFC 5322 2.2.3)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    blocks: list[Group] = []
    for piece in _BLANK_LINES.split(text):
        if not piece or piece.isspace():
            continue
        if len(blocks) >= MAX_GROUPS:
            result.note("too_many_groups")
            break
        fields = _FIELD.findall(piece)
        # Every line must be in a field; else the block is read line by line.
        if sum([value.count("\n") for _, value in fields], len(fields) - 1) == piece.count("\n", 0, len(piece) - 1):
            group = _plain_group(fields, result)
        else:
            group = _odd_group(piece, result)
        if group.items:
            blocks.append(group)
    return blocks


def _plain_group(fields: list[tuple[str, str]], result: StatusFields) -> Group:
    items = []
    first: dict[str, str] = {}
    for name, value in fields:
        if len(value) > MAX_FIELD_CHARACTERS:
            value = _cut(value, result)
        if "\n" in value:
            value = " ".join([line for line in [line.strip() for line in value.split("\n")] if line])
        else:
            value = value.strip()
        items.append((name, value))
        first.setdefault(name.lower(), value)
    return Group(first, items[:MAX_FIELDS_PER_GROUP])


def _cut(value: str, result: StatusFields) -> str:
    """As much of a folded value as a field may hold; the folds do not count."""
    lines: list[str] = []
    size = 0
    for line in value.split("\n"):
        line = line.strip()
        size += len(line)
        if size > MAX_FIELD_CHARACTERS:
            result.note("field_too_long")
            if not lines:
                lines.append(line[:MAX_FIELD_CHARACTERS])
            break
        lines.append(line)
    return "\n".join(lines)


def _odd_group(text: str, result: StatusFields) -> Group:
    """A block with lines that are no fields: garbage before the first, folds without their indent behind it."""
    current: list[tuple[str, list[str]]] = []
    values: list[str] | None = None
    size = 0
    for line in text.split("\n"):
        stripped = line.strip()
        if not stripped:
            continue
        if values is None or line[0] not in " \t":
            match = _NAME.match(stripped)
            if match is not None and (values is None or _is_field(match[1], current[-1][0])):
                value = stripped[match.end() :].lstrip()
                size = len(value)
                if size > MAX_FIELD_CHARACTERS:
                    result.note("field_too_long")
                    value = value[:MAX_FIELD_CHARACTERS]
                values = [value]
                current.append((match[1], values))
                continue
            if values is None:
                result.note("line_outside_field")
                continue
            # QUIRK: folded lines that lost their indent (Exim's multi-line replies through some gateways).
            result.note("fold_without_indent")
        size += len(stripped)
        if size <= MAX_FIELD_CHARACTERS:
            values.append(stripped)
        else:
            result.note("field_too_long")
    return _group(current)


def _group(fields: list[tuple[str, list[str]]]) -> Group:
    items = [
        (name, values[0] if len(values) == 1 else " ".join([value for value in values if value]))
        for name, values in fields
    ]
    first: dict[str, str] = {}
    for name, value in items:
        first.setdefault(name.lower(), value)
    return Group(first, items[:MAX_FIELDS_PER_GROUP])


def _is_field(name: str, open_field: str) -> bool:
    """Whether an unindented `name:` is a new field: inside a diagnostic only a name that we know is one."""
    lower = name.lower()
    if lower in _KNOWN or lower[:2] == "x-":
        return True
    return open_field.lower() != "diagnostic-code"


def _place(block: Group, result: StatusFields) -> None:
    """Give the fields of one block to the message and to its recipients."""
    keys = block.first.keys()
    if keys.isdisjoint(PER_RECIPIENT):
        # Extensions alone after the first recipient belong to it; everything else here is about the message.
        if result.recipients and keys.isdisjoint(PER_MESSAGE):
            result.recipients[-1].merge(block)
        else:
            result.message.merge(block)
        return
    if keys.isdisjoint(PER_MESSAGE) and not _repeats(block):
        _append(block, result)
        return
    current = Group()
    groups = [current]
    for name, value in block.items:
        lower = name.lower()
        if lower in PER_MESSAGE:
            result.message.add(name, value)
            continue
        if lower in _STARTS_AGAIN and lower in current.first:
            current = Group()
            groups.append(current)
            result.note("no_blank_line_between_groups")
        current.add(name, value)
    if not keys.isdisjoint(PER_MESSAGE):
        result.note("message_and_recipient_fields_mixed")
    for group in groups:
        _append(group, result)


def _repeats(block: Group) -> bool:
    """Whether a field that starts a recipient stands in the block twice."""
    if len(block.first) == len(block.items):
        return False
    names = [name for name, _ in block.items if name.lower() in _STARTS_AGAIN]
    return len(names) != len({name.lower() for name in names})


def _append(group: Group, result: StatusFields) -> None:
    """A group of its own, or the missing half of the one before it."""
    before = result.recipients[-1] if result.recipients else None
    if before is not None and (before.first.keys() & group.first.keys()).isdisjoint(PER_RECIPIENT):
        # QUIRK: a blank line inside a group (rule 6: Boxbe puts Action first, others split after Final-Recipient).
        before_named = bool(before.first.keys() & _RECIPIENT_NAMES)
        group_named = bool(group.first.keys() & _RECIPIENT_NAMES)
        if before_named != group_named:
            result.note("blank_line_inside_group")
            before.merge(group)
            return
    result.recipients.append(group)
