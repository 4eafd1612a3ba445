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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mailgate.records._reasons import Reason
from mailgate.records._reply_words import words_of
from mailgate.records._status import EnhancedStatus

MAX_GAP_WORDS = 6
MAX_GAPS = 2
MAX_PHRASE_CHARACTERS = 200
_STEM_KEY = 4  # letters of a stem under which it is filed
_STAGES = ("connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data")
_ANY_CLASS = "45"
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


@dataclass(frozen=True, slots=True)
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


class ReplyTable:
    """An ordered table, indexed once; `match` gives the first row that a reply satisfies."""

    def __init__(self, rows: Iterable[ReplyRow]) -> None:
        self.rows = tuple(rows)
        self._exact: dict[str, list[tuple[int, str | re.Pattern[str]]]] = {}
        self._stems: dict[str, list[tuple[int, str | re.Pattern[str]]]] = {}
        self._letters: list[tuple[int, str]] = []
        self._by_code: dict[int, list[int]] = {}
        self._by_subject: dict[int, list[int]] = {}
        self._statuses = [tuple(_compile_status(pattern) for pattern in row.statuses) for row in self.rows]
        self._unless = [tuple(compile_phrase(phrase) for phrase in row.unless) for row in self.rows]
        self._index()

    def match(self, reading: Reading) -> ReplyRow | None:
        """The first row that the reply satisfies, None when there is none."""
        found = self._candidates(reading)
        for number in sorted(found):
            tests = found[number]
            if self._applies(number, reading) and (tests is None or any(stands(test, reading.words) for test in tests)):
                return self.rows[number]
        return None

    def _candidates(self, reading: Reading) -> dict[int, list[str | re.Pattern[str]] | None]:
        """Row number to the phrases worth trying; None for a row that asks for no text."""
        found: dict[int, list[str | re.Pattern[str]] | None] = {}
        exact, stems = self._exact, self._stems
        for word in set(reading.words.split()):
            for number, test in exact.get(word, ()):
                found.setdefault(number, []).append(test)  # type: ignore[union-attr]
            for number, test in stems.get(word[:_STEM_KEY], ()):
                found.setdefault(number, []).append(test)  # type: ignore[union-attr]
        if not reading.words.isascii():
            for number, letters in self._letters:
                if letters in reading.words:
                    found.setdefault(number, []).append(letters)  # type: ignore[union-attr]
        if reading.code is not None:
            for number in self._by_code.get(reading.code, ()):
                found[number] = None
        if reading.status is not None:
            for number in self._by_subject.get(reading.status.subject, ()):
                found[number] = None
        return found

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
        if row.hosts and not any(_is_under(reading.host, suffix) for suffix in row.hosts):
            return False
        return not any(stands(test, reading.words) for test in self._unless[number])

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
            self._letters.append((number, test))
            return
        pieces = [piece for piece in _pieces(phrase) if piece != "..."]
        whole = [piece for piece in pieces if not piece.endswith("~")]
        if whole:
            key = min(whole, key=lambda piece: (counts[piece], -len(piece)))
            self._exact.setdefault(key, []).append((number, test))
        else:
            key = max(pieces, key=len)[:-1][:_STEM_KEY]
            self._stems.setdefault(key, []).append((number, test))


def stands(test: str | re.Pattern[str], words: str) -> bool:
    """True when a compiled phrase stands in the words."""
    return test in words if isinstance(test, str) else test.search(words) is not None


@lru_cache(maxsize=4096)
def compile_phrase(phrase: str) -> str | re.Pattern[str]:
    """A phrase as a literal to look for, or as a pattern when it has a gap or an open word inside."""
    pieces = _pieces(phrase)
    if _is_unspaced(phrase):
        return words_of(phrase).strip()
    if "..." not in pieces and not any(piece.endswith("~") for piece in pieces[:-1]):
        joined = " ".join(pieces)
        return f" {joined[:-1]}" if joined.endswith("~") else f" {joined} "
    parts = []
    for piece in pieces:
        if piece == "...":
            parts.append(rf"(?:[^ ]+ ){{0,{MAX_GAP_WORDS}}}?")
        elif piece.endswith("~"):
            parts.append(re.escape(piece[:-1]) + "[^ ]* ")
        else:
            parts.append(re.escape(piece) + " ")
    return re.compile(" " + "".join(parts))


@lru_cache(maxsize=64)
def table_of(rows: tuple[ReplyRow, ...]) -> ReplyTable:
    """The indexed table of a caller's rows; the last few are kept."""
    return ReplyTable(rows)


def _pieces(phrase: str) -> list[str]:
    """The words of a phrase in comparison form, `...` and the `~` of open words kept."""
    pieces: list[str] = []
    for word in phrase.split():
        if word == "...":
            pieces.append(word)
            continue
        is_open = word.endswith("~")
        found = words_of(word[:-1] if is_open else word).split()
        if is_open and found:
            found[-1] += "~"
        pieces.extend(found)
    return pieces


def _is_unspaced(phrase: str) -> bool:
    """Chinese, Japanese and Thai are written without spaces; such a phrase may stand inside a longer run of letters."""
    return any("\u0e00" <= character <= "\u0e7f" or character >= "\u3000" for character in phrase)


def _check_phrase(name: str, phrase: str) -> None:
    pieces = _pieces(phrase) if len(phrase) <= MAX_PHRASE_CHARACTERS else []
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
