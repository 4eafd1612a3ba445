"""The engine that finds the first row of an ordered table which a reply satisfies.

A row is data: where it applies (reply class, codes, enhanced status, stage, remote host) and phrases of which one must
stand in the text. A phrase is plain words in the comparison form of `_reply_words`, with two extras: `...` stands for
up to six words, and `~` at the end of a word leaves its ending open (`blacklist~`). Nothing else is special, so no
phrase can backtrack: a gap costs at most six steps for each place where its first piece stands.

Speed comes from an index. Every phrase is filed under its rarest word; a reply only meets the phrases that are filed
under its own words, and the rows that ask for its code or status, in table order. Reading a table of a thousand phrases
then costs about as much as reading thirty.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mailgate.records._reasons import Reason
from mailgate.records._reply_words import ADDRESS_WORD, IP_WORD, words_of
from mailgate.records._status import EnhancedStatus

MAX_GAP_WORDS = 6
MAX_GAPS = 2
MAX_PHRASE_CHARACTERS = 200
_STEM_KEY = 4  # letters of a stem under which it is filed
_STAGES = ("connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data")
_ANY_CLASS = "45"
_EVERYWHERE = frozenset((ADDRESS_WORD, IP_WORD, "rejected", "your", "server", "host", "from", "email", "mail", "this"))
_STATUS_PATTERN = re.compile(r"([x245])\.(\d{1,3})\.(\*|\d{1,3}(?:-\d{1,3})?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRow:
    """One row: when all that it asks for is there, the reply means `reason`.

    name: shown as evidence, `text:mailbox-full`; unique in a table.
    phrases: one of them must stand in the text; () asks for no text. unless: none of these may.
    codes: reply codes; 0 is a text without one. classes: first digits, `"45"`; a text without any code satisfies only
    `"45"`.
    statuses: enhanced codes: `5.1.1`, `x.1.1` (any class), `x.7.*`, `x.7.606-649`.
    stages: what the reply answers, `rcpt`, `data`, …; () is any. hosts: suffixes of the remote host's name; () is any.
    sample: a reply that reaches the row, as a server sends it, with or without a code.

    Raises ValueError when a field cannot be read.
    """

    name: str
    reason: Reason
    phrases: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    codes: tuple[int, ...] = ()
    classes: str = _ANY_CLASS
    statuses: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    sample: str = ""

    def __post_init__(self) -> None:
        if not (self.phrases or self.codes or self.statuses):
            raise ValueError(f"row {self.name!r} asks for nothing: give phrases, codes or statuses")
        for phrase in (*self.phrases, *self.unless):
            _check_phrase(self.name, phrase)
        for pattern in self.statuses:
            if _STATUS_PATTERN.fullmatch(pattern) is None:
                raise ValueError(f"row {self.name!r}: not a status pattern: {pattern!r}")
        for stage in self.stages:
            if stage not in _STAGES:
                raise ValueError(f"row {self.name!r}: not a stage: {stage!r}; one of {', '.join(_STAGES)}")
        for code in self.codes:
            if code != 0 and not 200 <= code <= 599:
                raise ValueError(f"row {self.name!r}: not a reply code: {code!r}")
        if not set(self.classes) <= set("245"):
            raise ValueError(f"row {self.name!r}: classes are of 2, 4 and 5, not {self.classes!r}")

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "name": self.name,
            "reason": str(self.reason),
            "phrases": list(self.phrases),
            "unless": list(self.unless),
            "codes": list(self.codes),
            "classes": self.classes,
            "statuses": list(self.statuses),
            "stages": list(self.stages),
            "hosts": list(self.hosts),
            "sample": self.sample,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ReplyRow:
        """Read what `to_dict` wrote; fields that are missing take their defaults."""
        values: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in data.items()}
        return cls(**{**values, "reason": Reason(values["reason"])})


def row(
    name: str,
    reason: Reason,
    phrases: str = "",
    *,
    sample: str,
    unless: str = "",
    codes: tuple[int, ...] = (),
    classes: str = _ANY_CLASS,
    statuses: tuple[str, ...] = (),
    stages: tuple[str, ...] = (),
    hosts: tuple[str, ...] = (),
) -> ReplyRow:
    """A row with its phrases in one text, `;` between them: the form in which the tables are written."""
    return ReplyRow(
        name=name,
        reason=reason,
        phrases=_split(phrases),
        unless=_split(unless),
        codes=codes,
        classes=classes,
        statuses=statuses,
        stages=stages,
        hosts=hosts,
        sample=sample,
    )


def _split(phrases: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in phrases.split(";") if phrase.strip())


@dataclass(slots=True)
class Reading:
    """A reply prepared for a table: its words and what it answers."""

    words: str
    code: int | None
    status: EnhancedStatus | None
    stage: str
    host: str

    @property
    def reply_class(self) -> str | None:
        """The first digit of the reply code, else of the status, else None."""
        if self.code is not None:
            return str(self.code // 100)
        return None if self.status is None else str(self.status.status_class)


class _Filed:
    """The phrases filed under one word, with the numbers of their rows."""

    __slots__ = ("literals", "patterns")

    def __init__(self) -> None:
        self.literals: list[tuple[str, int]] = []
        self.patterns: list[tuple[Gapped, int]] = []

    def add(self, test: str | Gapped, number: int) -> None:
        if isinstance(test, str):
            self.literals.append((test, number))
        else:
            self.patterns.append((test, number))


class ReplyTable:
    """An ordered table, indexed once; `match` gives the first row that a reply satisfies."""

    def __init__(self, rows: Iterable[ReplyRow]) -> None:
        self.rows = tuple(rows)
        self._exact: dict[str, _Filed] = {}
        self._stems: dict[str, _Filed] = {}
        self._letters: list[tuple[str, int]] = []
        self._by_code: dict[int, list[int]] = {}
        self._by_subject: dict[int, list[int]] = {}
        self._statuses = [tuple(_compile_status(pattern) for pattern in row.statuses) for row in self.rows]
        self._unless = [tuple(compile_phrase(phrase) for phrase in row.unless) for row in self.rows]
        self._index()

    def match(self, reading: Reading) -> ReplyRow | None:
        """The first row that the reply satisfies, None when there is none."""
        words = reading.words
        for number in sorted(self._hits(reading)):
            if self._applies(number, reading) and not any_stands(self._unless[number], words):
                return self.rows[number]
        return None

    def _hits(self, reading: Reading) -> set[int]:
        """Numbers of the rows whose phrase stands in the text, and of those that ask for no text but may apply."""
        words = reading.words
        hits: set[int] = set()
        spoken = set(words.split())
        exact, stems = self._exact, self._stems
        filed_here = [exact[word] for word in spoken if word in exact]
        filed_here += [stems[stem] for stem in {word[:_STEM_KEY] for word in spoken} if stem in stems]
        for filed in filed_here:
            for literal, number in filed.literals:
                if literal in words:
                    hits.add(number)
            for pattern, number in filed.patterns:
                if number not in hits and pattern.stands_in(words):
                    hits.add(number)
        if not words.isascii():
            hits.update(number for literal, number in self._letters if literal in words)
        if reading.code is not None:
            hits.update(self._by_code.get(reading.code, ()))
        if reading.status is not None:
            hits.update(self._by_subject.get(reading.status.subject, ()))
        return hits

    def _applies(self, number: int, reading: Reading) -> bool:
        row = self.rows[number]
        if row.codes and (reading.code or 0) not in row.codes:
            return False
        if row.classes != _ANY_CLASS and (reading.reply_class or "-") not in row.classes:
            return False
        if row.stages and reading.stage not in row.stages:
            return False
        if row.statuses and not _has_status(self._statuses[number], reading.status):
            return False
        return not row.hosts or any(_is_under(reading.host, suffix) for suffix in row.hosts)

    def _index(self) -> None:
        counts = Counter(
            piece for row in self.rows for phrase in row.phrases for piece in set(_pieces(phrase)) if piece != "..."
        )
        for number, row in enumerate(self.rows):
            for phrase in row.phrases:
                self._file(number, phrase, counts)
            if row.phrases:
                continue
            if row.statuses:
                for subject in {pattern[1] for pattern in self._statuses[number]}:
                    self._by_subject.setdefault(subject, []).append(number)
            else:
                for code in row.codes:
                    self._by_code.setdefault(code, []).append(number)

    def _file(self, number: int, phrase: str, counts: Counter[str]) -> None:
        test = compile_phrase(phrase)
        if not phrase.isascii() and isinstance(test, str) and not test.startswith(" "):
            self._letters.append((test, number))
            return
        pieces = [piece for piece in _pieces(phrase) if piece != "..."]
        whole = [piece for piece in pieces if not piece.endswith("~")]
        if whole:
            key = min(whole, key=lambda piece: (piece in _EVERYWHERE, counts[piece], -len(piece)))
            self._exact.setdefault(key, _Filed()).add(test, number)
        else:
            key = max(pieces, key=len)[:-1][:_STEM_KEY]
            self._stems.setdefault(key, _Filed()).add(test, number)


class Gapped:
    """A phrase with a gap or an open word inside: its literals, and a pattern that is only built when all are there."""

    __slots__ = ("_literals", "_pattern", "_pieces")

    def __init__(self, pieces: tuple[str, ...]) -> None:
        self._pieces = pieces
        self._literals = tuple(f" {piece.removesuffix('~')}" for piece in pieces if piece != "...")
        self._pattern: re.Pattern[str] | None = None

    def stands_in(self, words: str) -> bool:
        """True when the phrase stands in the words."""
        for literal in self._literals:
            if literal not in words:
                return False
        if self._pattern is None:
            self._pattern = re.compile(self.pattern)
        return self._pattern.search(words) is not None

    @property
    def pattern(self) -> str:
        """The pattern as text."""
        return " " + "".join(map(_piece_pattern, self._pieces))


def _piece_pattern(piece: str) -> str:
    if piece == "...":
        return rf"(?:[^ ]+ ){{0,{MAX_GAP_WORDS}}}?"
    return f"{re.escape(piece[:-1])}[^ ]* " if piece.endswith("~") else f"{re.escape(piece)} "


def any_stands(tests: Iterable[str | Gapped], words: str) -> bool:
    """True when one of the compiled phrases stands in the words."""
    return any(test in words if isinstance(test, str) else test.stands_in(words) for test in tests)


@lru_cache(maxsize=8192)
def compile_phrase(phrase: str) -> str | Gapped:
    """A phrase as a literal to look for, or as more than one when it has a gap or an open word inside."""
    pieces = _pieces(phrase)
    if _is_unspaced(phrase):
        return words_of(phrase).strip()
    if "..." not in pieces and not any(piece.endswith("~") for piece in pieces[:-1]):
        joined = " ".join(pieces)
        return f" {joined[:-1]}" if joined.endswith("~") else f" {joined} "
    return Gapped(pieces)


@lru_cache(maxsize=64)
def table_of(rows: tuple[ReplyRow, ...]) -> ReplyTable:
    """The indexed table of a caller's rows; the last few are kept."""
    return ReplyTable(rows)


@lru_cache(maxsize=8192)
def _pieces(phrase: str) -> tuple[str, ...]:
    """The words of a phrase in comparison form, `...` and the `~` of open words kept."""
    words = phrase.split()
    if (
        phrase.isascii()
        and phrase == phrase.lower()
        and all(w.removesuffix("~").isalnum() or w == "..." for w in words)
    ):
        return tuple(words)
    pieces: list[str] = []
    for word in words:
        if word == "...":
            pieces.append(word)
            continue
        is_open = word.endswith("~")
        found = words_of(word[:-1] if is_open else word).split()
        if is_open and found:
            found[-1] += "~"
        pieces.extend(found)
    return tuple(pieces)


def _is_unspaced(phrase: str) -> bool:
    """Chinese, Japanese and Thai are written without spaces; such a phrase may stand inside a longer run of letters."""
    return not phrase.isascii() and any(
        "\u0e00" <= character <= "\u0e7f" or character >= "\u3000" for character in phrase
    )


def _check_phrase(name: str, phrase: str) -> None:
    pieces = _pieces(phrase) if len(phrase) <= MAX_PHRASE_CHARACTERS else ()
    if not any(piece != "..." for piece in pieces):
        raise ValueError(
            f"row {name!r}: a phrase needs words and at most {MAX_PHRASE_CHARACTERS} characters: {phrase!r}"
        )
    if pieces.count("...") > MAX_GAPS or pieces[0] == "..." or pieces[-1] == "...":
        raise ValueError(f"row {name!r}: at most {MAX_GAPS} gaps, each between words: {phrase!r}")
    if all(piece == "..." or (piece.endswith("~") and len(piece) <= _STEM_KEY) for piece in pieces):
        raise ValueError(f"row {name!r}: a word left open needs {_STEM_KEY} letters when it stands alone: {phrase!r}")


def _compile_status(pattern: str) -> tuple[int | None, int, int, int]:
    match = _STATUS_PATTERN.fullmatch(pattern)
    assert match is not None  # noqa: S101 - ReplyRow made sure of it
    low, _, high = match[3].partition("-")
    bounds = (0, 999) if low == "*" else (int(low), int(high or low))
    return (None if match[1] == "x" else int(match[1]), int(match[2]), *bounds)


def _has_status(patterns: Sequence[tuple[int | None, int, int, int]], status: EnhancedStatus | None) -> bool:
    return status is not None and any(
        subject == status.subject and low <= status.detail <= high and (klass is None or klass == status.status_class)
        for klass, subject, low, high in patterns
    )


def _is_under(host: str, suffix: str) -> bool:
    return host == suffix or host.endswith("." + suffix)
