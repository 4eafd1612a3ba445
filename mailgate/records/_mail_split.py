"""Where a message's headers end and where its parts lie: offsets into one buffer, nothing copied (RFC 2046 5.1).

The model. A message is one buffer of bytes. An entity is three offsets in it: header start, body start, body end. A
multipart is split by looking for its own delimiter lines between its body's start and end, and each part found is the
range of the next search. So a delimiter of an outer multipart always ends the inner ones, a boundary that is used
twice cannot make a loop, and the work is one search of the range for each level: linear in size times depth, and
depth is limited. Nothing here recurses.

Line ends. LF, CRLF and CR all end a line, in any mixture, and CR CR LF is one end (a CRLF that was converted twice).
Most mail has one kind throughout; `LineEnds` tells which so that the common kinds are found by plain searches.
"""

from __future__ import annotations

import re
from enum import Enum

# As many lines that are no field may stand between two fields; as many when the second is one that mail headers have.
MAX_STRAY_LINES = 3
MAX_STRAYS = 1_000  # in one header; the body begins at the next one
MAX_LOST_LINES = 8  # QUIRK: Exchange takes the indentation off whole returned headers; its Received have five lines

_EOL = re.compile(rb"\r\r?\n|\n|\r")
_EMPTY_LINE = re.compile(rb"(?>\r\r?\n|\n|\r)(?>\r\r?\n|\n|\r)")
_DELIMITER_TAIL = re.compile(rb"[ \t]*+(?:\r\r?\n|\n|\r|\Z)")

# In a block with LF line ends: a field (a URL is none); a line that is neither a field nor the continuation of one.
_FIELD = re.compile(rb"[!-9;-~]++[ \t]*+:(?!//)")
_STRAY = re.compile(rb"\n(?![ \t]++[^\n]|[!-9;-~]++[ \t]*+:(?!//)|\Z)")
_SURE_FIELD = re.compile(rb"[A-Za-z][!-9;-~]*+[ \t]*+:(?!//)")
_KNOWN_FIELD = re.compile(
    rb"(?:accept-|arc-|authentication-|cc:|content-|date:|delivered-to:|dkim-|from:|in-reply-to:|list-|message-id:|"
    rb"mime-version:|received|references:|reply-to:|return-path:|sender:|subject:|thread-|to:|x-)",
    re.IGNORECASE,
)
_MBOX_LINES = re.compile(rb"(?:>?From [^\r\n]*+(?:\r\r?\n|\n|\r))++")
_SECOND_MESSAGE = re.compile(rb"From [^\r\n]{1,400}?\d\d:\d\d[^\r\n]{0,60}\r?\n[!-9;-~]++:")
_LEADING_BLANKS = re.compile(rb"(?:[ \t]*+(?:\r\r?\n|\n|\r))++(?=[!-9;-~]++[ \t]*+:|>?From )")
_GUESS = re.compile(rb"(?:\A|(?<=[\r\n]))--([^\r\n]{1,200}+)(?:\r\r?\n|\n|\r)(?=[Cc][Oo][Nn][Tt][Ee][Nn][Tt]-)")

# Lines that begin like the delimiter and are none: after so many the search is left to a regular expression, because
# only hostile mail has them by the million.
_PATIENCE = 100


class LineEnds(Enum):
    """The kind of line end that a buffer has throughout."""

    LF = "lf"
    CRLF = "crlf"
    MIXED = "mixed"


def line_ends(buffer: bytes, start: int, end: int) -> LineEnds:
    """The kind of line end between two offsets."""
    if buffer.find(b"\r", start, end) < 0:
        return LineEnds.LF
    pairs = buffer.count(b"\r\n", start, end)
    if pairs == buffer.count(b"\r", start, end) == buffer.count(b"\n", start, end):
        return LineEnds.CRLF
    return LineEnds.MIXED


def with_lf(block: bytes, ends: LineEnds) -> bytes:
    """A header block with LF line ends."""
    if ends is LineEnds.LF:
        return block
    if ends is LineEnds.CRLF:
        return block.replace(b"\r\n", b"\n")
    return _EOL.sub(b"\n", block)


def skip_envelope(buffer: bytes, start: int, end: int, defects: list[str]) -> int:
    """Where the header really starts: behind empty lines and an mbox `From ` line."""
    if buffer[start : start + 1] in (b"\r", b"\n", b" ", b"\t"):
        blanks = _LEADING_BLANKS.match(buffer, start, end)
        if blanks is not None:
            defects.append("leading_blank_lines")
            start = blanks.end()
    if buffer[start : start + 1] in (b"F", b">"):
        lines = _MBOX_LINES.match(buffer, start, end)
        if lines is not None:
            defects.append("mbox_from_line")
            start = lines.end()
    return start


def second_message(buffer: bytes, start: int, end: int) -> bool:
    """Whether an mbox line with a header behind it follows: two messages in one file."""
    at = buffer.find(b"\nFrom ", start, end)
    for _ in range(_PATIENCE):
        if at < 0:
            return False
        if buffer[max(at - 1, start) : at] in (b"\n", b"\r") and _SECOND_MESSAGE.match(buffer, at + 1, end):
            return True
        at = buffer.find(b"\nFrom ", at + 1, end)
    return False


def header_end(buffer: bytes, start: int, end: int, ends: LineEnds) -> tuple[int, int]:
    """(end of the header block, start of the body) by the empty line; both `end` when there is no empty line."""
    if start < end and buffer[start] in b"\n\r":
        eol = _EOL.match(buffer, start, end)
        return start, eol.end() if eol else start
    if ends is LineEnds.LF:
        at = buffer.find(b"\n\n", start, end)
        return (at + 1, at + 2) if at >= 0 else (end, end)
    if ends is LineEnds.CRLF:
        at = buffer.find(b"\r\n\r\n", start, end)
        return (at + 2, at + 4) if at >= 0 else (end, end)
    gap = _EMPTY_LINE.search(buffer, start, end)
    if gap is None:
        return end, end
    eol = _EOL.match(buffer, gap.start())
    return eol.end() if eol else gap.end(), gap.end()


def header_end_by_lines(block: bytes, *, whole_message: bool) -> tuple[int, int, bool]:
    """Where the header ends and the body begins within `block` by its lines, and whether `mended` has work to do.

    `block` has LF line ends and reaches to the first empty line. A line that is no field ends the header when no field
    follows: then the empty line is missing and the body begins right there. It belongs to the header when fields
    follow within a few lines, or when the line before it is unfinished. A line of blanks ends the header, unless
    fields follow.
    """
    at, strays = 0, False
    if _FIELD.match(block):
        found = _STRAY.search(block)
        if found is None:
            return len(block), len(block), False
        at = found.end()
    for _ in range(MAX_STRAYS):
        if at >= len(block):
            break
        strays = True
        line_end = block.find(b"\n", at)
        if line_end >= 0 and not block[at:line_end].strip(b" \t"):
            at, blank = _behind_blanks(block, line_end + 1), at
            if not _field_follows(block, at, whole_message):
                return blank, line_end + 1, _STRAY.search(block, 0, blank) is not None
            at -= 1
        elif not (_unfinished_before(block, at) or _field_after(block, at, whole_message or at > 0)):
            return at, at, _STRAY.search(block, 0, at) is not None
        found = _STRAY.search(block, at)
        at = found.end() if found else len(block)
    return at, at, strays


def _field_after(block: bytes, at: int, any_field: bool) -> bool:
    """Whether a field follows within a few lines of the stray line at `at`."""
    for passed in range(1, MAX_LOST_LINES + 1):
        if block.startswith(b"--", at):
            return False
        at = block.find(b"\n", at) + 1
        if at <= 0 or at >= len(block):
            return False
        if _field_follows(block, at, any_field) and (passed <= MAX_STRAY_LINES or _KNOWN_FIELD.match(block, at)):
            return True
    return False


def _behind_blanks(block: bytes, at: int) -> int:
    """The first line at or behind `at` that does not begin with a blank."""
    while block[at : at + 1] in (b" ", b"\t"):
        at = block.find(b"\n", at) + 1 or len(block)
    return at


def _field_follows(block: bytes, at: int, any_field: bool) -> bool:
    """Whether a field starts at `at`; in a part's header only Content- fields are sure to be no text."""
    return bool(_SURE_FIELD.match(block, at)) and (any_field or block[at : at + 8].lower() == b"content-")


def _unfinished_before(block: bytes, at: int) -> bool:
    """QUIRK: continuations that lost their indentation, `Content-Type: multipart/mixed;` above `boundary="x"`."""
    if at == 0 or block.startswith(b"--", at):
        return False
    line = block[block.rfind(b"\n", 0, at - 1) + 1 : at - 1].rstrip(b" \t")
    return line.endswith((b";", b",")) or line.rfind(b"<") > line.rfind(b">")


def mended(block: bytes) -> bytes:
    """A header block whose stray lines are continuations of the field before them; lines of blanks, delimiters, mbox
    lines, and whatever stands before the first field, are left out."""
    lines: list[bytes] = []
    for line in block.split(b"\n"):
        if _FIELD.match(line):
            lines.append(line)
        elif lines and line.strip(b" \t") and not line.startswith((b"--", b">From ", b"From ")):
            lines.append(line if line[:1] in (b" ", b"\t") else b" " + line)
    return b"\n".join(lines)


def needs_mending(block: bytes) -> bool:
    """Whether a block of fields holds lines that are none."""
    return not _FIELD.match(block) or _STRAY.search(block) is not None


def offset_of_line(buffer: bytes, start: int, lines: int) -> int:
    """The offset of the line that comes `lines` line ends after `start`."""
    for _ in range(lines):
        eol = _EOL.search(buffer, start)
        if eol is None:
            return len(buffer)
        start = eol.end()
    return start


def field_value(block: bytes, lowered: bytes, name: bytes) -> str | None:
    """The first field `name` of a header block with LF line ends, unfolded, as Latin-1; cheaper than an index."""
    at = 0 if lowered.startswith(name) else lowered.find(b"\n" + name) + 1
    if at == 0 and not lowered.startswith(name):
        return None
    while True:
        colon = at + len(name)
        while lowered[colon : colon + 1] in (b" ", b"\t"):
            colon += 1
        if lowered[colon : colon + 1] == b":":
            break
        at = lowered.find(b"\n" + name, at) + 1
        if at == 0:
            return None
    end = block.find(b"\n", colon)
    while end >= 0 and block[end + 1 : end + 2] in (b" ", b"\t"):
        end = block.find(b"\n", end + 1)
    value = block[colon + 1 : end if end >= 0 else len(block)]
    if b"\n" in value:
        value = b" ".join([line.strip(b" \t\r") for line in value.split(b"\n")])
    return value.decode("latin-1").strip(" \t\r")


class Delimiters:
    """What a search for delimiter lines found: the ranges between them and what lies around."""

    __slots__ = ("closed", "epilogue_start", "preamble_end", "ranges")

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []
        self.preamble_end = -1  # -1: no delimiter line at all
        self.epilogue_start = -1
        self.closed = False


def delimiters(buffer: bytes, start: int, end: int, boundary: bytes, *, most: int) -> Delimiters:
    """The parts between the delimiter lines of `boundary` (RFC 2046 5.1.1), at most `most` + 1 of them.

    The line end before a delimiter belongs to the delimiter. Without a close delimiter the last part ends at `end`.
    """
    found = Delimiters()
    needle = b"--" + boundary
    length = len(needle)
    part_start = -1
    at, patience = start, _PATIENCE
    strict: re.Pattern[bytes] | None = None
    while len(found.ranges) <= most:
        if strict is None:
            at = buffer.find(needle, at, end)
        else:
            hit = strict.search(buffer, at, end)
            at = hit.start() if hit else -1
        if at < 0:
            break
        after = at + length
        close = buffer.startswith(b"--", after, end)
        tail = _DELIMITER_TAIL.match(buffer, after + 2 if close else after, end)
        if tail is None or (at != start and buffer[at - 1] not in b"\r\n"):
            at, patience = after, patience - 1
            if not patience:
                strict = _strict(re.escape(needle))
            continue
        line_end = _before_line_end(buffer, at, part_start if part_start >= 0 else start)
        if part_start >= 0:
            found.ranges.append((part_start, line_end))
        else:
            found.preamble_end = line_end
        part_start = at = tail.end()
        if close:
            found.closed = True
            found.epilogue_start = part_start
            return found
    # A message cut in the middle of its close delimiter ends in what looks like one more delimiter without a line end.
    cut = part_start == end and buffer[end - 1] not in b"\r\n"
    if part_start >= 0 and not cut and len(found.ranges) <= most:
        found.ranges.append((part_start, end))
    return found


def _strict(needle: bytes) -> re.Pattern[bytes]:
    return re.compile(needle + rb"(?<=[\r\n]" + needle + rb")(?:--)?[ \t]*+(?:[\r\n]|\Z)")


def _before_line_end(buffer: bytes, at: int, floor: int) -> int:
    """`at` without the line end before it, never below `floor`."""
    if at > floor and buffer[at - 1] == 10:
        at -= 1
        if at > floor and buffer[at - 1] == 13:
            at -= 1
            if at > floor and buffer[at - 1] == 13:
                at -= 1
    elif at > floor and buffer[at - 1] == 13:
        at -= 1
    return at


def guess_boundary(buffer: bytes, start: int, end: int) -> bytes | None:
    """The boundary that a multipart forgot to name: its first line that looks like a delimiter before `Content-`."""
    found = _GUESS.search(buffer, start, end)
    if found is None:
        return None
    guess = found[1].rstrip(b" \t")
    return guess[:-2] if guess.endswith(b"--") else guess
