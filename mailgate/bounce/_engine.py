r"""One engine for every free-form notification: dialects are rows, read in order, first reading wins.

The model. A row says by literal anchors whether a text is its own, where in it the recipients stand (`after`, `until`),
how a line names one (`shapes`, see `_lines`; `labels`; `patterns`), and what the words mean (`action`, `hint`). The
engine cuts the text into lines, finds the recipients, and gives each the lines that belong to it: what follows its line
up to the next recipient, else what all of them share.

Invariants. Only text before the returned copy is searched. A row that finds nobody gives way to the next. Regular
expressions run only after a row's literal anchors matched, one line at a time, on lines of at most
`MAX_LINE_CHARACTERS`; patterns have possessive or bounded repeats, so that no line costs more than a few passes.

What is ugly and why it stays: `find` names methods of this module, because a few families cannot be said as shapes
(transcripts, header lists); each method is small and used by several rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailgate.bounce._dialect import Dialect
from mailgate.bounce._methods import MAX_RECIPIENTS_IN_TEXT, METHODS
from mailgate.bounce._notice import Likeness
from mailgate.bounce._source import MAX_TEXT_CHARACTERS, Draft, Source, is_own
from mailgate.records import Headers

__all__ = [
    "MAX_RECIPIENTS_IN_TEXT",
    "MAX_SHARED_CHARACTERS",
    "MAX_TEXT_CHARACTERS",
    "Dialect",
    "DialectTable",
    "Draft",
    "Source",
    "TextReading",
    "read_text",
]

MAX_LINES_LOOKED_AT = 20_000
MAX_SHARED_CHARACTERS = 4_000  # of the notification, for a recipient whose cause may stand anywhere in it
MANY_RECIPIENTS = 20
MAX_SHARED_BY_MANY = 300  # so that ten thousand recipients do not have a long text judged ten thousand times


@dataclass(slots=True)
class TextReading:
    """What the engine found: the row and its recipients in text order."""

    dialect: Dialect
    drafts: list[Draft]


class DialectTable:
    """Rows in their order, sorted once by what a message must look like, each with the literals to look for first."""

    __slots__ = ("_by_likeness",)

    def __init__(self, rows: tuple[Dialect, ...]) -> None:
        self._by_likeness = {
            likeness: tuple(
                # One of these literals must be in the text: nearly all rows end there.
                (row.all_of[:1] or row.any_of or row.after or ("",), row)
                for row in rows
                if likeness >= row.likeness
            )
            for likeness in Likeness
        }

    def rows(self, likeness: Likeness) -> tuple[tuple[tuple[str, ...], Dialect], ...]:
        """(literals, row) of every row for such a message."""
        return self._by_likeness[likeness]

    def speaks_for(self, headers: Headers, likeness: Likeness) -> bool:
        """Whether any row can be about a message with this header; it spares ordinary mail the rest."""
        return likeness > Likeness.NONE or any(_headers_fit(row, headers) for _, row in self._by_likeness[likeness])


def read_text(source: Source, table: DialectTable) -> TextReading | None:
    """The first row that finds a recipient; None when none does."""
    lower = source.lower
    for literals, dialect in table.rows(source.likeness):
        for literal in literals:
            if literal in lower:
                break
        else:
            continue
        if not _fits(dialect, source):
            continue
        reading = _read(dialect, source)
        if reading is not None:
            return reading
    return None


def _headers_fit(dialect: Dialect, headers: Headers) -> bool:
    for name, literal in dialect.headers:
        value = headers.decoded(name.lower())
        if value is None or literal not in value.lower():
            return False
    return True


def _fits(dialect: Dialect, source: Source) -> bool:
    lower = source.lower
    for literal in dialect.all_of:
        if literal not in lower:
            return False
    if dialect.any_of and dialect.all_of:
        for literal in dialect.any_of:
            if literal in lower:
                break
        else:
            return False
    return not dialect.headers or _headers_fit(dialect, source.headers)


def _read(dialect: Dialect, source: Source) -> TextReading | None:
    start, end = _window(dialect, source.lower)
    if start < 0:
        return None
    lines = source.text[start:end].split("\n", MAX_LINES_LOOKED_AT)[:MAX_LINES_LOOKED_AT]
    for method in dialect.find:
        found = METHODS[method](dialect, source, lines)
        drafts = _merged(found, dialect, source)
        if drafts:
            _explain(dialect, source, drafts)
            return TextReading(dialect, drafts)
    return None


def _window(dialect: Dialect, lower: str) -> tuple[int, int]:
    start = 0
    if dialect.after:
        hits = [(at, len(literal)) for literal in dialect.after if (at := lower.find(literal)) != -1]
        if not hits:
            return -1, -1
        at, length = min(hits)
        start = at + length
    end = len(lower)
    for literal in dialect.until:
        at = lower.find(literal, start, end)
        if at != -1:
            end = lower.rfind("\n", start, at) + 1 or at
    return start, end


def _merged(found: Iterable[Draft], dialect: Dialect, source: Source) -> list[Draft]:
    """One draft per address, in order; the mail system's own addresses are nobody's failure (rule 43)."""
    by_key: dict[str, Draft] = {}
    for draft in found:
        key = draft.address.lower()
        if not dialect.keep_own and is_own(key, source):
            continue
        if key in by_key:
            first = by_key[key]
            if draft.text and draft.text not in first.text:
                first.text = f"{first.text}\n{draft.text}".strip()[:MAX_TEXT_CHARACTERS]
            continue
        by_key[key] = draft
        if len(by_key) >= MAX_RECIPIENTS_IN_TEXT:
            break
    return list(by_key.values())


def _explain(dialect: Dialect, source: Source, drafts: list[Draft]) -> None:
    """Add what all recipients share to those that it concerns."""
    if dialect.explains != "all":
        return
    if len(drafts) == 1:
        draft = drafts[0]
        others = source.text[:MAX_SHARED_CHARACTERS]
        if draft.text:
            others = others.replace(draft.text, "", 1)
        draft.text = f"{draft.text}\n{others.strip()}".strip()
        return
    wordless = [draft for draft in drafts if not draft.text]
    if not wordless:
        return
    # Lines with an address are about that one; what is left is about all.
    lines = [line for line in source.text[: 4 * MAX_SHARED_CHARACTERS].split("\n") if "@" not in line and line.strip()]
    shared = "\n".join(lines)[: MAX_SHARED_CHARACTERS if len(drafts) < MANY_RECIPIENTS else MAX_SHARED_BY_MANY]
    for draft in wordless:
        draft.text = shared
