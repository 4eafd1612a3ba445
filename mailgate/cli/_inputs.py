"""The messages behind the paths on a command line: files, directories, Maildirs, mboxes, `-` for stdin.

`sources` only finds them (so that worker processes can read for themselves); `read` gets the bytes of one.
"""

from __future__ import annotations

import io
import mmap
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailgate.cli import _exit

MAX_BYTES = 25 * 1024 * 1024

# RFC 4155: a message starts at a line "From sender date" after an empty line. Every known writer has the time of day
# in it; what follows differs (year, zone, "remote from host").
_MBOX_LINE = re.compile(rb"From [^\r\n]{1,400}?\d\d:\d\d[^\r\n]{0,60}\r?\n")
_PREFIX_BYTES = 1_024
_MAX_LINE_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where one message lies. name: for people. start, length: its place in the file (length None: to the end)."""

    name: str
    path: str | None = None
    start: int = 0
    length: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One message: its bytes, or why there are none."""

    name: str
    data: bytes | None = None
    error: str | None = None


def messages(paths: Iterable[str], *, max_bytes: int = MAX_BYTES) -> Iterator[Input]:
    """Every message behind `paths`, in their order; within a directory by name."""
    for source in sources(paths):
        yield read(source, max_bytes=max_bytes)


def sources(paths: Iterable[str], *, split_mboxes: bool = True) -> Iterator[Source]:
    """Every message behind `paths`, not yet read. What cannot be looked at is a `Source` with an error."""
    for path in paths:
        if path == "-":
            yield Source(name="-")
        elif os.path.isdir(path):
            yield from _directory(path, split_mboxes)
        else:
            yield from _file(path, split_mboxes)


def read(source: Source, *, max_bytes: int = MAX_BYTES) -> Input:
    """The bytes of one message; at most one byte more than `max_bytes`, so that a reader sees that it is too large."""
    if source.error is not None:
        return Input(name=source.name, error=source.error)
    wanted = max_bytes + 1 if source.length is None else min(source.length, max_bytes + 1)
    if source.path is None:
        return Input(name=source.name, data=sys.stdin.buffer.read(wanted))
    try:
        with open(source.path, "rb") as file:
            if source.start:  # a pipe, which cannot seek, begins where it begins
                file.seek(source.start)
            return Input(name=source.name, data=file.read(wanted))
    except OSError as error:
        return Input(name=source.name, error=_words(error))


def or_stdin(path: str | None, command: str) -> str:
    """`path`, or `-` for a pipe when none is given. Ends the program where it would wait for somebody to type."""
    if path is None and sys.stdin.isatty():
        raise _exit.Exit(_exit.USAGE, f"{command}: a file is needed, or - to type it; try: {command} --help")
    return "-" if path is None else path


def words_or_lines(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(where it stands, for words about it; the word), for each word, with the lines of stdin in the place of `-`.

    What is no UTF-8 becomes lone surrogates, which every reader refuses in its own words.
    """
    for word in words:
        if word != "-":
            yield "", word
            continue
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
        for number, line in enumerate(sys.stdin, 1):
            if line.strip():
                yield f"line {number}: ", line.strip()[:_MAX_LINE_CHARACTERS]


def is_maildir(path: str) -> bool:
    """True for a directory with `new` and `cur` in it."""
    return os.path.isdir(os.path.join(path, "new")) and os.path.isdir(os.path.join(path, "cur"))


def _directory(path: str, split_mboxes: bool) -> Iterator[Source]:
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        yield Source(name=path, error=_words(error))
        return
    if is_maildir(path):
        for folder in ("cur", "new"):
            yield from _folder(os.path.join(path, folder))
        names = [name for name in names if name.startswith(".") and is_maildir(os.path.join(path, name))]
    for name in names:
        inner = os.path.join(path, name)
        if os.path.isdir(inner) and not os.path.islink(inner):
            yield from _directory(inner, split_mboxes)
        elif os.path.isfile(inner):
            yield from _file(inner, split_mboxes)


def _folder(path: str) -> Iterator[Source]:
    """The messages of `new` or `cur`."""
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        yield Source(name=path, error=_words(error))
        return
    for name in names:
        inner = os.path.join(path, name)
        if os.path.exists(inner) and not os.path.isfile(inner):  # a pipe would be waited for
            yield Source(name=inner, error="is no file")
        else:
            yield from _file(inner, False)


def _file(path: str, split_mboxes: bool) -> Iterator[Source]:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            # A pipe or a terminal: one message, read to its end.
            yield Source(name=path, path=path)
            return
        starts = _mbox_starts(path, status.st_size) if split_mboxes else []
    except OSError as error:
        yield Source(name=path, error=_words(error))
        return
    if len(starts) < 2:
        yield Source(name=path, path=path)
        return
    ends = [*starts[1:], status.st_size]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        yield Source(name=f"{path}#{number}", path=path, start=start, length=end - start)


def _mbox_starts(path: str, size: int) -> list[int]:
    """Offsets of the messages of an mbox; [] when the file does not begin like one."""
    if size == 0:
        return []
    with open(path, "rb") as file:
        if not _MBOX_LINE.match(file.read(_PREFIX_BYTES)):
            return []
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            starts = [0]
            at = content.find(b"\nFrom ")
            while at != -1:
                if _is_empty_line_before(content, at) and _MBOX_LINE.match(content[at + 1 : at + 1 + _PREFIX_BYTES]):
                    starts.append(at + 1)
                at = content.find(b"\nFrom ", at + 1)
            return starts


def _is_empty_line_before(content: mmap.mmap, newline: int) -> bool:
    before = content[max(0, newline - 2) : newline]
    return before.endswith(b"\n") or before == b"\n\r"


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
