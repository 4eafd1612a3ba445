"""Cutting whole replies out of what a server sends (RFC 5321 4.2.1), within limits."""

from __future__ import annotations

from mailgate.records import ParseError, SmtpReply

MAX_LINE_BYTES = 2_048  # RFC 5321 4.5.3.1.5 says 512; what stands behind 2 KiB of a line is dropped
MAX_LINES = 100
MAX_BYTES = 65_536


class ReplyReader:
    """Takes bytes in any portions, gives whole replies.

    Lines end with LF or CRLF. A reply of more than 100 lines or 64 KiB, a line that begins with no code, and a code
    that changes within a reply are ParseError (`not_a_reply`, `too_large`); the reader is of no use after that.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def pending(self) -> bool:
        """True when bytes have come that no reply was asked for yet, or a part of one."""
        return bool(self._buffer or self._lines)

    def discard(self) -> None:
        """Forget what has come (RFC 3207 6: nothing that came in the clear counts behind STARTTLS)."""
        self._buffer.clear()
        self._lines.clear()
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take what the server sent. Raises ParseError (`too_large`) when it never ends a line."""
        self._buffer += data
        if len(self._buffer) > MAX_BYTES:
            raise ParseError("too_large", f"more than {MAX_BYTES} bytes without a whole reply")

    def next_reply(self) -> SmtpReply | None:
        """The next whole reply; None when more bytes are needed."""
        while True:
            end = self._buffer.find(b"\n")
            if end < 0:
                return None
            line = bytes(self._buffer[:end]).rstrip(b"\r")
            del self._buffer[: end + 1]
            self._take(line)
            if line[3:4] != b"-":
                reply = SmtpReply.parse(b"\r\n".join(self._lines))
                self._lines.clear()
                self._size = 0
                return reply

    def _take(self, line: bytes) -> None:
        self._size += len(line)
        if not (len(line) >= 3 and line[:3].isdigit() and line[3:4] in (b"", b" ", b"-") and line[:1] in b"2345"):
            raise ParseError("not_a_reply", f"no SMTP reply code at the start of a line: {line[:80]!r}")
        if self._lines and line[:3] != self._lines[0][:3]:
            raise ParseError("not_a_reply", f"two codes in one reply: {self._lines[0][:40]!r}, {line[:40]!r}")
        self._lines.append(line[:MAX_LINE_BYTES])
        if len(self._lines) > MAX_LINES or self._size > MAX_BYTES:
            raise ParseError("too_large", f"a reply of more than {MAX_LINES} lines or {MAX_BYTES} bytes")
