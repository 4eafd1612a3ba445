"""The first look at a header: where it ends, its Content-Type, and what is odd about it."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from mailgate.records._mail_headers import MAX_MENDED_BYTES
from mailgate.records._mail_split import field_value, header_end_by_lines, mended
from mailgate.records._mime_params import read_type


class Look(NamedTuple):
    """What a header block says at first sight."""

    block: bytes  # the fields; stray lines mended
    body_line: int  # the number of lines after which the body begins within the block; -1: behind it
    content_type: str  # "" when there is none
    param_text: str
    defects: tuple[str, ...]


def look(block: bytes, whole: bool, max_field_bytes: int) -> Look:
    """The look at a header block with LF line ends that reaches to the first empty line.

    whole: it is a message's, not a part's.
    """
    if not block:
        return _NO_HEADER
    defects: list[str] = []
    body_line = -1
    at, body_at, strays = header_end_by_lines(block, whole_message=whole)
    if at < len(block):
        defects.append("missing_blank_line")
        body_line = block.count(b"\n", 0, body_at)
        block = block[:at]
    if strays:
        defects.append("malformed_header_line")
        block = mended(block) if len(block) <= MAX_MENDED_BYTES else block
    if not block.isascii():
        defects.append("eight_bit_header")
    lowered = block.lower()
    value = field_value(block, lowered, b"content-type")
    if value is None:
        return Look(block, body_line, "", "", tuple(defects))
    content_type, param_text = read_type(value[:max_field_bytes])
    if not content_type:
        defects.append("bad_content_type")
        content_type = "text/plain"
    elif whole and content_type.startswith("multipart/") and b"mime-version" not in lowered:
        defects.append("missing_mime_version")
    return Look(block, body_line, content_type, param_text, tuple(defects))


# Parts have few headers that are all alike ("Content-Type: text/plain; charset=us-ascii"): one look is enough.
STOCK_HEADER_BYTES = 256
look_again = lru_cache(maxsize=1024)(look)
_NO_HEADER = Look(b"", -1, "", "", ())
