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

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from mailgate.bounce._addresses import MAX_LINE_CHARACTERS, find_addresses, is_system_address, read_address
from mailgate.bounce._lines import EVERY, LISTED, RecipientLine, alias_in, read_recipient_line
from mailgate.bounce._notice import Likeness
from mailgate.records import Headers, Reason

MAX_RECIPIENTS_IN_TEXT = 10_000
MAX_LINES_LOOKED_AT = 20_000
MAX_SHARED_CHARACTERS = 4_000  # of the notification, for a recipient whose cause may stand anywhere in it
MANY_RECIPIENTS = 20
MAX_SHARED_BY_MANY = 300  # so that ten thousand recipients do not have a long text judged ten thousand times
MAX_OWN_LINES = 200  # behind one recipient
MAX_CONTEXT_LINES = 8  # of a transcript or of what follows a hit
MAX_TEXT_CHARACTERS = 2_000  # of the lines kept for one recipient


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
            if method not in _METHODS:
                raise ValueError(f"a dialect finds recipients by one of {sorted(_METHODS)}, not {method!r}")
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


@dataclass(slots=True)
class Draft:
    """One recipient found in a text, and what was said about it."""

    address: str
    text: str = ""
    alias: str | None = None
    inferred: bool = False


@dataclass(slots=True)
class TextReading:
    """What the engine found: the row and its recipients in text order."""

    dialect: Dialect
    drafts: list[Draft]


class Source:
    """What the engine looks at: the words, and of the report's header what a row asks for."""

    __slots__ = ("_known", "_own", "headers", "likeness", "lower", "subject", "text")

    def __init__(self, text: str, lower: str, headers: Headers, subject: str, likeness: Likeness) -> None:
        self.text = text
        self.lower = lower
        self.headers = headers
        self.subject = subject
        self.likeness = likeness
        self._own: frozenset[str] | None = None
        self._known: tuple[str, ...] | None = None

    @property
    def own(self) -> frozenset[str]:
        """Lower-case addresses of the report's own header: its sender and those it was sent to."""
        if self._own is None:
            self._own = frozenset(address.lower() for address in self._addresses(_OWN_FIELDS))
        return self._own

    @property
    def known(self) -> tuple[str, ...]:
        """Addresses that a bare local part may stand for."""
        if self._known is None:
            self._known = tuple(self._addresses(("x-failed-recipients", "to")))
        return self._known

    def _addresses(self, names: tuple[str, ...]) -> Iterator[str]:
        for name in names:
            for value in self.headers.get_all(name):
                yield from find_addresses(value)


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
        found = _METHODS[method](dialect, source, lines)
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
        if not dialect.keep_own and _is_own(key, source):
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


def _by_lines(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    drafts: list[Draft] = []
    indent = base = -1
    previous_blank = True
    named = False  # whether the entry at hand has given an address
    own: list[str] = []

    def finish() -> None:
        if drafts and own:
            draft = drafts[-1]
            draft.text = "\n".join(own).strip()[:MAX_TEXT_CHARACTERS]
            draft.alias = draft.alias or alias_in(" ".join(line.strip() for line in own[:3]))
        own.clear()

    for line in lines:
        found = None
        if "@" in line or dialect.local_part:
            found = _recipient(dialect, source, line, indent, previous_blank)
        previous_blank = not line or line.isspace()
        if found is None:
            alias = alias_in(line) if dialect.aliases and "@" in line else None
            if alias is not None and not named:
                # Exim, Sendmail: a pipe, a file or a hidden address, and below it where it came from.
                finish()
                drafts.append(Draft(alias))
                named = True
            elif not previous_blank:
                width = len(line) - len(line.lstrip())
                base = width if base < 0 else base
                named = named and width > base
            if drafts and len(own) < MAX_OWN_LINES:
                own.append(line)
            continue
        finish()
        named = True
        base = found.indent
        if indent < 0 and dialect.same_indent:
            indent = found.indent
        drafts.append(Draft(found.address))
        drafts.extend(Draft(address) for address in found.others)
        if found.rest:
            own.append(found.rest)
        if len(drafts) > MAX_RECIPIENTS_IN_TEXT:
            break
    finish()
    return drafts


def _recipient(dialect: Dialect, source: Source, line: str, indent: int, previous_blank: bool) -> RecipientLine | None:
    if "@" not in line:
        if not dialect.local_part or not line.strip():
            return None
        return _local(dialect, source, line, indent)
    if dialect.blank_before and not previous_blank:
        return None
    if indent >= 0 and len(line) - len(line.lstrip()) != indent:
        return None
    found = read_recipient_line(line)
    if found is None or found.shape not in dialect.shapes:
        return None
    if not dialect.keep_own and not found.others and _is_own(found.address, source):
        return None
    return found


def _is_own(address: str, source: Source) -> bool:
    key = address.lower()
    return key in source.own or is_system_address(key)


_GAP = re.compile(r"\s{2,}|\t")
_LOCAL_PART = re.compile(r"\w[\w.+=-]{0,63}")


def _local(dialect: Dialect, source: Source, line: str, indent: int) -> RecipientLine | None:
    """A bare local part alone on its line: the full address must stand elsewhere, or the report's own domain is
    taken."""
    word = line.strip()
    if " " in word or "\t" in word:
        if "  " not in word and "\t" not in word:
            return None
        word = _GAP.split(word, maxsplit=1)[0]
    word = word.strip("<>*\"'")
    own_indent = len(line) - len(line.lstrip())
    if len(word) > 64 or _LOCAL_PART.fullmatch(word) is None or (indent >= 0 and own_indent != indent):
        return None
    address = _completed(word, source, dialect.after)
    return None if address is None else RecipientLine(address, "local", "", own_indent)


def _completed(local: str, source: Source, after: tuple[str, ...]) -> str | None:
    lowered = local.lower() + "@"
    for address in (*source.known, *find_addresses(source.text[:MAX_LINE_CHARACTERS])):
        if address.lower().startswith(lowered):
            return address
    if not after:
        return None
    sender = read_address(source.headers.get("from") or "")
    return None if sender is None else f"{local}@{sender.rpartition('@')[2]}"


def _by_labels(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """`Recipient: user@host`, also with the address on the next line; what follows belongs to it."""
    drafts: list[Draft] = []
    waiting = False
    for line in lines:
        stripped = line.strip(" \t*->|\u3000")
        label, colon, value = _label(stripped)
        if colon and label in dialect.labels:
            found = find_addresses(value)
            waiting = not found and not value.strip()
            drafts.extend(Draft(address) for address in found)
        elif waiting and stripped:
            recipient = read_recipient_line(line)
            if recipient is not None:
                drafts.append(Draft(recipient.address, recipient.rest))
            waiting = False
        elif drafts and stripped and len(drafts[-1].text) < MAX_TEXT_CHARACTERS:
            drafts[-1].text = f"{drafts[-1].text}\n{stripped}".strip()
    return drafts


def _label(line: str) -> tuple[str, str, str]:
    for mark in (":", "："):
        label, colon, value = line.partition(mark)
        if colon:
            return label.strip().lower(), colon, value
    return "", "", ""


def _by_patterns(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """A row's own expressions, one line at a time; a hit has the lines up to the next hit, or since the one before."""
    hits: list[tuple[int, str]] = []
    for number, line in enumerate(lines):
        if len(line) > MAX_LINE_CHARACTERS:
            continue
        for pattern in dialect.patterns:
            match = compiled(pattern).search(line)
            address = None if match is None else read_address(match["address"])
            if address is not None:
                hits.append((number, address))
                break
    drafts = []
    for index, (number, address) in enumerate(hits):
        if dialect.explains == "before":
            first, last = hits[index - 1][0] + 1 if index else 0, number + 1
        else:
            first, last = number, hits[index + 1][0] if index + 1 < len(hits) else len(lines)
        drafts.append(Draft(address, _context(lines[first:last], before=dialect.explains == "before")))
    return drafts


def _context(lines: list[str], *, before: bool) -> str:
    said = [line for line in lines if line.strip()]
    return "\n".join(said[-MAX_CONTEXT_LINES:] if before else said[:MAX_CONTEXT_LINES])[:MAX_TEXT_CHARACTERS]


# Words before an address that make it the one that failed, and words of failure that must be near.
_TO = re.compile(
    r"(?:\bto|\bfor|\brecipients?|\baddress(?:es)?|\buser|\bmailbox|\baccount|\bmail|\bid|\battempts?|\bhost|\bfull|\bquota"
    r"|\bunknown|\bsize|\bwith|\bintended|\bis|\bà|\ban|\ba|\bpara|\bvoor|\btil|\btill|\bdestinatario|\bdestinataire"
    r"|\bempfänger|至|到|宛|адрес\w{0,5}|\b(?:user|person|recipient|address|account|contact)\b[^@]{0,50},)(?:\(s\))?[\s:<(\['\"*=-]{0,12}$",
    re.IGNORECASE,
)
# Words behind an address that say something about it.
_SAID = re.compile(
    r"[\s>\"')\]]{1,4}(?:is|was|are|has|does|did|could|can|cannot|will|no|not|unknown|wurde|ist|existiert|n'est|n'a"
    r"|no es|não)\b",
    re.IGNORECASE,
)
FAILURE_WORDS: tuple[str, ...] = (
    "deliver", "undeliver", "fail", "reject", "refus", "unknown", "bounce", "not found", "exist", "invalid", "is full",
    "mailbox full", "quota", "disabled", "no such", "unable", "error", "returned", "not accept", "unreachable",
    "could not", "couldn't", "cannot", "can't", "exceeds", "not sent", "wrong", "no longer", "not valid",
    "not a valid", "rcpt", "blocked", "trouble", "zugestellt", "unzustellbar", "nicht", "remis", "échou", "impossible",
    "entreg", "consegn", "recapit", "bezorg", "levere", "dostarcz", "достав", "退", "失敗", "エラー", "できません",
    "送信",
)  # fmt: skip


def _by_sentences(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """`could not be delivered to user@host`: the words before the address say that it failed."""
    drafts: list[Draft] = []
    before = ""
    for number, line in enumerate(lines[:500]):
        line = line[:MAX_LINE_CHARACTERS]
        if "@" in line:
            position = 0
            for address in find_addresses(line):
                position = line.find(address, position)
                lead = f"{before} {line[:position]}"[-120:]
                window = f"{before} {line}".lower()
                named = _TO.search(lead) is not None or _SAID.match(line, position + len(address)) is not None
                if named and any(word in window for word in FAILURE_WORDS):
                    context = "\n".join(text for text in lines[max(0, number - 1) : number + 6] if text.strip())
                    drafts.append(Draft(address, context[:MAX_TEXT_CHARACTERS]))
                position += len(address)
        before = line.strip()[-200:]
    return drafts


_COMMAND = re.compile(r"rcpt\s{0,3}to\s{0,3}:?\s{0,3}<?\s{0,3}([^\s<>]{3,320})", re.IGNORECASE)


def _by_commands(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """`RCPT TO:<user@host>` of a session transcript, followed by a refusal (4yz or 5yz) or by nothing."""
    drafts: list[Draft] = []
    for number, line in enumerate(lines):
        match = _COMMAND.search(line[:MAX_LINE_CHARACTERS]) if "@" in line else None
        address = None if match is None else read_address(match[1])
        if address is None:
            continue
        replies = [text for text in lines[number : number + 6] if text.strip()]
        following = next((text for text in replies[1:] if re.search(r"\b[245]\d\d[ -]", text)), "")
        if re.search(r"\b2\d\d[ -]", following):
            continue
        drafts.append(Draft(address, "\n".join(replies)[:MAX_TEXT_CHARACTERS]))
    return drafts


def _by_headers(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """A header field that lists the failed recipients (X-Failed-Recipients)."""
    drafts: list[Draft] = []
    for name in dialect.header_names:
        for value in source.headers.get_all(name.lower()):
            for item in value.replace(";", ",").split(","):
                address = read_address(item)
                if address is not None:
                    drafts.append(Draft(address, text_about(source, address)))
        if drafts:
            break
    return drafts


def _by_subject(dialect: Dialect, source: Source, lines: list[str]) -> list[Draft]:
    """`Undeliverable: user@host`, `Your message to user@host could not be delivered` in the subject."""
    subject = source.subject
    if not any(word in subject.lower() for word in FAILURE_WORDS):
        return []
    return [Draft(address, text_about(source, address)) for address in find_addresses(subject)]


def text_about(source: Source, address: str) -> str:
    """The lines of the notification that belong to one address: from the line that names it to the next empty one."""
    at = source.lower.find(address.lower())
    if at == -1:
        return ""
    start = source.text.rfind("\n", 0, at) + 1
    end = source.text.find("\n\n", at)
    return source.text[start : end if end != -1 else None][:MAX_TEXT_CHARACTERS].strip()


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """A dialect's pattern, compiled once."""
    return re.compile(pattern, re.IGNORECASE)


_OWN_FIELDS = ("to", "delivered-to", "return-path", "envelope-to", "from")
_METHODS = {
    "lines": _by_lines,
    "labels": _by_labels,
    "patterns": _by_patterns,
    "sentences": _by_sentences,
    "commands": _by_commands,
    "headers": _by_headers,
    "subject": _by_subject,
}
