"""What a POST says: a bounded body, read as the two encodings of a form (RFC 8058 3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

MAX_BODY_BYTES = 4_096
_MAX_FIELDS = 50
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"\r\n]{1,100})"|([^\s;"]{1,100}))', re.IGNORECASE)
_NAME = re.compile(rb';[ \t]*name=(?:"([^"\r\n]*)"|([^\s;"]+))', re.IGNORECASE)


def read_form(environ: Mapping[str, Any]) -> dict[str, str] | None:
    """The fields of the request's body; of a repeated field the first.

    At most `MAX_BODY_BYTES` are read. None when there is more, when the length is not a number, or when the body
    cannot be read to the length it promised.
    """
    length = _length(environ)
    if length is None:
        return None
    try:
        body = environ["wsgi.input"].read(length) if length else b""
    except (OSError, EOFError, ValueError):
        return None
    if len(body) > MAX_BODY_BYTES:
        return None
    content_type = str(environ.get("CONTENT_TYPE") or "")
    pairs = _multipart(body, content_type) if _is_multipart(content_type) else _urlencoded(body)
    return dict(reversed(pairs))


def _length(environ: Mapping[str, Any]) -> int | None:
    """How many bytes to read; None when that is too many or no number."""
    text = str(environ.get("CONTENT_LENGTH") or "").strip()
    if not text:
        # PEP 3333 has no end of input without a length; servers that know better (chunked requests) say so.
        return MAX_BODY_BYTES + 1 if environ.get("wsgi.input_terminated") else 0
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) > MAX_BODY_BYTES:
        return None
    return int(text)


def _is_multipart(content_type: str) -> bool:
    return content_type.strip().lower().startswith("multipart/form-data")


def _urlencoded(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        return []


def _multipart(body: bytes, content_type: str) -> list[tuple[str, str]]:
    """RFC 7578 4, as far as short text fields go."""
    match = _BOUNDARY.search(content_type)
    if match is None:
        return []
    boundary = b"--" + (match[1] or match[2]).encode("latin-1", "replace")
    pairs: list[tuple[str, str]] = []
    for piece in body.split(boundary)[1 : _MAX_FIELDS + 1]:
        head, separator, content = piece.replace(b"\r\n", b"\n").partition(b"\n\n")
        name = _NAME.search(head)
        if separator and name is not None:
            pairs.append(((name[1] or name[2] or b"").decode("utf-8", "replace"), content.decode("utf-8", "replace")))
    return pairs
