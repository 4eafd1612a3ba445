"""What leaves the program: JSON Lines, text that is safe on a terminal, tables that fit one."""

from __future__ import annotations

import json
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mailgate.cli import _exit

_UNSAFE_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_MIN_COLUMN = 8
_GAP = "  "


def json_line(record: Mapping[str, Any]) -> str:
    """One JSON object on one line, ASCII only: no control or bidi character reaches a terminal."""
    return json.dumps(record, ensure_ascii=True, separators=(", ", ": "))


def shaped(said: Mapping[str, Any], shape: Mapping[str, Any], *, full: bool = False) -> dict[str, Any]:
    """`said` in the documented shape of a JSON line: exactly the keys of `shape`, in its order, its values where `said`
    is silent. full: with everything else that was said behind them.

    >>> shaped({"b": 1, "c": 2}, {"a": None, "b": None})
    {'a': None, 'b': 1}
    """
    record = {name: said.get(name, empty) for name, empty in shape.items()}
    return {**record, **said} if full else record


def printable(text: str) -> str:
    """`text` with every control, format, surrogate and line-separating character written as an escape.

    >>> printable("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(character) for character in text)


def _escape(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE_CATEGORIES:
        return character
    return character.encode("unicode_escape").decode("ascii")


def say(words: str) -> None:
    """Words for people, on stderr; what a name or a report put into them, a terminal does not obey."""
    print("\n".join(printable(line.expandtabs()) for line in words.split("\n")), file=sys.stderr)


def refuse_overwriting(command: str, written: Iterable[str | None], kept: Iterable[str | None]) -> None:
    """End the program before a file that it reads (or a database) is overwritten, or one is written twice."""
    others = [path for path in kept if path is not None and path != "-"]
    for path in written:
        if path is None or path == "-":
            continue
        if any(_same_file(path, other) for other in others):
            raise _exit.Exit(_exit.USAGE, f"{command}: {path} is used twice, and writing would destroy it")
        others.append(path)


def _same_file(one: str, two: str) -> bool:
    if not (os.path.exists(one) and os.path.exists(two)):
        return os.path.realpath(one) == os.path.realpath(two)
    return os.path.isfile(one) and os.path.samefile(one, two)  # /dev/null may be written as often as one likes


def terminal_width() -> int | None:
    """Columns of the terminal on stdout; None when stdout is a file or a pipe (then nothing is cut)."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else None


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, width: int | None = None) -> str:
    """Rows under headers, columns aligned, numbers to the right, the widest columns cut to fit `width`.

    Cells are made printable. width: in columns; None takes the terminal's, and cuts nothing when there is none.
    """
    width = terminal_width() if width is None else width
    body = [["" if cell is None else printable(str(cell)) for cell in row] for row in rows]
    numeric = [bool(body) and all(_is_number(row[i]) for row in body) for i in range(len(headers))]
    columns = _fit([max(map(_columns, column)) for column in zip(headers, *body, strict=True)], width)
    lines = [headers, ["-" * size for size in columns], *body]
    return "\n".join(
        _GAP.join(_cell(cell, size, right) for cell, size, right in zip(line, columns, numeric, strict=True)).rstrip()
        for line in lines
    )


def _fit(sizes: list[int], width: int | None) -> list[int]:
    if width is None:
        return sizes
    excess = sum(sizes) + len(_GAP) * (len(sizes) - 1) - width
    while excess > 0:
        widest = max(range(len(sizes)), key=sizes.__getitem__)
        second = max((size for i, size in enumerate(sizes) if i != widest), default=0)
        step = min(excess, max(1, sizes[widest] - second), sizes[widest] - _MIN_COLUMN)
        if step <= 0:
            break
        sizes[widest] -= step
        excess -= step
    return sizes


def _cell(text: str, size: int, right: bool) -> str:
    if _columns(text) > size:
        text = _cut(text, size - 1) + "…"
    padding = " " * (size - _columns(text))
    return padding + text if right else text + padding


def _cut(text: str, size: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += _character_columns(character)
        if used > size:
            return text[:index]
    return text


def _columns(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_character_columns, text))


def _character_columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_number(text: str) -> bool:
    return not text or text.replace(",", "").replace(".", "", 1).rstrip("%").isdigit()
