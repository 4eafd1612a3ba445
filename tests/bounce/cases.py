"""The fixtures with what they must give, and small messages built around one odd thing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "fixtures" / "bounce"


@dataclass(frozen=True)
class Case:
    """One fixture. kind None: no bounce and no autoreply that would matter to this test."""

    file: str
    expected: dict[str, Any]

    @property
    def message(self) -> bytes:
        return (FOLDER / self.file).read_bytes()


CASES = [
    Case(one["file"], one)
    for one in map(json.loads, (FOLDER / "expected.jsonl").read_text(encoding="utf-8").splitlines())
]
BOUNCES = [case for case in CASES if case.expected["kind"] == "bounce"]
OTHERS = [case for case in CASES if case.expected["kind"] != "bounce"]


def dsn(
    status: str,
    *,
    text: str = "Your mail was not delivered.",
    returned: str = "Message-ID: <orig@sender.example>\nTo: ada@target.example\n",
    head: str = "",
    status_type: str = "message/delivery-status",
    encoding: str = "",
    subject: str = "Undelivered Mail",
) -> bytes:
    """A report of three parts (RFC 6522 3) around the fields of a status part."""
    return (
        "Return-Path: <>\nFrom: Mail System <mailer-daemon@mx.example>\nTo: <bounce@sender.example>\n"
        f"Subject: {subject}\nMessage-ID: <report@mx.example>\n{head}MIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        f"--b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
        f"--b\nContent-Type: {status_type}\n{encoding}\n{status}\n"
        f"--b\nContent-Type: message/rfc822\n\n{returned}\n\nbody\n--b--\n"
    ).encode("utf-8", "surrogateescape")


def notice(
    text: str, *, subject: str = "failure notice", sender: str = "mailer-daemon@mx.example", head: str = ""
) -> bytes:
    """A notification in plain text."""
    return (
        f"Return-Path: <>\nFrom: {sender}\nTo: <bounce@sender.example>\nSubject: {subject}\n"
        f"Message-ID: <report@mx.example>\n{head}\n{text}"
    ).encode("utf-8", "surrogateescape")


MESSAGE_FIELDS = "Reporting-MTA: dns; mx.example\nArrival-Date: Sat, 21 Nov 2026 00:01:19 +0000 (UTC)\n"
RECIPIENT_FIELDS = "Final-Recipient: rfc822; ada@target.example\nAction: failed\nStatus: 5.1.1\n"
