"""Reports made of parts, for tests that vary one of them."""

from __future__ import annotations

FIELDS = "Feedback-Type: abuse\nUser-Agent: Test/1\nVersion: 1\n"
RETURNED = "From: news@news.example\nTo: ann@example.net\nSubject: Sale\nMessage-ID: <1@news.example>\n"


def report(
    fields: str = FIELDS,
    returned: str | None = RETURNED,
    *,
    head: str = "From: fbl@provider.example\nDate: Fri, 20 Nov 2026 11:00:00 +0000\nMessage-ID: <r@provider.example>\n",
    kind: str = "multipart/report; report-type=feedback-report",
    part_type: str = "message/feedback-report",
    returned_type: str = "text/rfc822-headers",
) -> bytes:
    """A whole feedback report."""
    parts = ["Content-Type: text/plain\n\nA report.\n", f"Content-Type: {part_type}\n\n{fields}\n"]
    if returned is not None:
        parts.append(f"Content-Type: {returned_type}\n\n{returned}\n")
    body = "".join(f"--b\n{part}\n" for part in parts)
    return f"{head}MIME-Version: 1.0\nContent-Type: {kind}; boundary=b\n\n{body}--b--\n".encode(
        "utf-8", "surrogateescape"
    )


def with_rcpt(*addresses: str, extra: str = "") -> str:
    """The three required fields and Original-Rcpt-To."""
    return FIELDS + "".join(f"Original-Rcpt-To: {address}\n" for address in addresses) + extra
