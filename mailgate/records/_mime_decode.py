"""Transfer encodings undone as far as they can be (RFC 2045 6): base64, quoted-printable, uuencode.

Every function here takes any bytes, never raises, takes linear time and says in one word what was odd about them.
What the wild does: text that calls itself base64, a mailing list's footer behind the padding, two base64 blocks in a
row, a body cut in the middle, soft line breaks with blanks behind the equals sign.
"""

from __future__ import annotations

import binascii
import re

_BASE64_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_ALLOWED = _BASE64_ALPHABET + b"\r\n="
_FOREIGN = bytes(set(range(256)) - set(_BASE64_ALPHABET))
_BLANKS = b" \t\r\n\x0b\x0c\x00"

# One stray character in twenty is still damaged base64; English prose has one blank in six.
_STRAY_SHARE = 20

# Encoders that pad every line exist; 25 MiB of padding is no mail.
_MAX_BLOCKS = 100_000

_STRAY = re.compile(rb"[^A-Za-z0-9+/=\r\n]")
_PADDING = re.compile(rb"=[=\s]*")
_SOFT_BREAK = re.compile(rb"=[ \t]++(?=\r?\n|\Z)")
_BARE_CR = re.compile(rb"\r(?!\n)")
_LINE_END = re.compile(rb"\r\r?\n|\r")
_BAD_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|\r?\n|\r|\Z)")
_UU_BEGIN = re.compile(rb"^begin[ \t]+[0-7]{3,4}(?:[ \t][^\r\n]*)?\r?$", re.MULTILINE)

IDENTITY = frozenset({"", "7bit", "8bit", "binary"})
_UUENCODE = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})


def decode_transfer(encoding: str, data: bytes) -> tuple[bytes, str | None]:
    """The bytes behind `data`, and the defect found on the way (None when there was none).

    encoding: the lower-case value of Content-Transfer-Encoding. An unknown one leaves the bytes alone.
    """
    if encoding in IDENTITY:
        return data, None
    if encoding == "base64":
        return decode_base64(data)
    if encoding == "quoted-printable":
        return decode_quoted_printable(data)
    if encoding in _UUENCODE:
        return decode_uuencode(data)
    return data, "unknown_transfer_encoding"


def decode_base64(data: bytes) -> tuple[bytes, str | None]:
    """Base64 (RFC 2045 6.8), several padded blocks in a row included; text that is no base64 comes back as it is."""
    padding = data.find(b"=")
    if (padding < 0 or not data[padding:].strip(b"=\r\n")) and not data.translate(None, _ALLOWED):
        try:
            return binascii.a2b_base64(data), None
        except binascii.Error:
            return _base64_block(data), "bad_base64"
    first, end, _ = _until_padding(data, 0)
    inked = first.strip(_BLANKS)
    strays = inked.translate(None, _ALLOWED)
    if strays:
        inked, end = _until_footer(inked), len(data)
        if len(inked.translate(None, _ALLOWED)) * _STRAY_SHARE > len(inked) or not inked:
            return data, "bad_base64"
    decoded = [_base64_block(inked)]
    odd = bool(strays) or len(inked.translate(None, b"\r\n")) % 4 == 1
    for _ in range(_MAX_BLOCKS):
        if end == len(data):
            break
        block, end, padded = _until_padding(data, end)
        if block.strip(_BLANKS):
            odd = True
            # Behind the padding only what is base64 through and through is more of it; the rest is a footer.
            if block.translate(None, _ALLOWED) or (not padded and len(block.translate(None, _FOREIGN)) % 4):
                break
            decoded.append(_base64_block(block))
    return b"".join(decoded), "bad_base64" if odd else None


def _until_padding(data: bytes, start: int) -> tuple[bytes, int, bool]:
    """The bytes from `start` to the next padding, where what follows begins, and whether there was padding."""
    found = _PADDING.search(data, start)
    if found is None:
        return data[start:], len(data), False
    return data[start : found.start()], found.end(), True


def _until_footer(data: bytes) -> bytes:
    """Base64 without the prose that a mailing list put behind it; a damaged line in its middle is no prose."""
    found = _STRAY.search(data)
    if found is None:
        return data
    line = data.rfind(b"\n", 0, found.start()) + 1
    tail = data[line:]
    return data[:line] if len(tail.translate(None, _ALLOWED)) * _STRAY_SHARE > len(tail) else data


def _base64_block(data: bytes) -> bytes:
    clean = data.translate(None, _FOREIGN)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def decode_quoted_printable(data: bytes) -> tuple[bytes, str | None]:
    """Quoted-printable (RFC 2045 6.7); an escape that is none stays as written."""
    if b"\r" in data and _BARE_CR.search(data):
        # binascii skips from a soft break to the next LF, which in CR-only text is the end of everything.
        data = _LINE_END.sub(b"\n", data)
    if b"= " in data or b"=\t" in data:
        data = _SOFT_BREAK.sub(b"=", data)
    defect = "bad_quoted_printable" if _BAD_ESCAPE.search(data) else None
    return binascii.a2b_qp(data), defect


def decode_uuencode(data: bytes) -> tuple[bytes, str | None]:
    """The first `begin` … `end` block; without a `begin` line the body comes back as it is."""
    begin = _UU_BEGIN.search(data)
    if begin is None:
        return data, "bad_uuencode" if data.strip(_BLANKS) else None
    decoded: list[bytes] = []
    for line in data[begin.end() :].lstrip(b"\r\n").splitlines():
        if line.strip() == b"end":
            return b"".join(decoded), None
        decoded.append(_uu_line(line))
    return b"".join(decoded), "bad_uuencode"


def _uu_line(line: bytes) -> bytes:
    if not line:
        return b""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Encoders that add characters to the end of the line: the first character says how many count.
        wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
    try:
        return binascii.a2b_uu(line[:wanted])
    except binascii.Error:
        return b""
