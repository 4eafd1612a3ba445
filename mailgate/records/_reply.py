"""One SMTP reply and what it means (RFC 5321 4.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from mailgate.records._errors import ParseError
from mailgate.records._reasons import Fault, Permanence, Reason
from mailgate.records._reply_rules import ReplyRow
from mailgate.records._status import EnhancedStatus

MAX_REPLY_BYTES = 64 * 1024
MAX_REPLY_LINES = 100

_LINE = re.compile(r"([2-5]\d\d)(?:[ -]|$)(.*)", re.DOTALL)
_LEADING_STATUS = re.compile(r"#?([245]\.\d{1,3}\.\d{1,3})(?=[\s:;,)-]|$)[\s:]*")


class Stage(StrEnum):
    """The command that a reply answers."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a reply says about the recipient.

    reason: None for an acceptance. permanence: of this attempt. fault: who has to act, None for an acceptance.
    evidence: the table row that decided (`enhanced:5.1.1`, `text:mailbox-full`, `code:550`), for people and for tests.
    """

    reason: Reason | None
    permanence: Permanence
    fault: Fault | None
    evidence: str

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "reason": None if self.reason is None else str(self.reason),
            "permanence": str(self.permanence),
            "fault": None if self.fault is None else str(self.fault),
            "evidence": self.evidence,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Meaning:
        """Read what `to_dict` wrote."""
        return cls(
            reason=None if data["reason"] is None else Reason(data["reason"]),
            permanence=Permanence(data["permanence"]),
            fault=None if data["fault"] is None else Fault(data["fault"]),
            evidence=data["evidence"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpReply:
    """A reply: three-digit code, enhanced status when one was given, the text of each line without code and status."""

    code: int
    enhanced_status: EnhancedStatus | None = None
    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All lines joined with one space."""
        return " ".join(self.lines)

    def __str__(self) -> str:
        status = "" if self.enhanced_status is None else f" {self.enhanced_status}"
        return f"{self.code}{status} {self.text}".rstrip()

    @classmethod
    def parse(cls, wire: bytes | str) -> SmtpReply:
        """Read one whole reply as a server sends it, one or many lines (RFC 5321 4.2.1; RFC 2034 4).

        At most 64 KiB and 100 lines are read. Raises ParseError (`not_a_reply`) when the first line has no reply code.
        """
        text = wire.decode("utf-8", "replace") if isinstance(wire, bytes) else wire
        raw = text[:MAX_REPLY_BYTES].splitlines()[:MAX_REPLY_LINES]
        first = _LINE.fullmatch(raw[0]) if raw else None
        if first is None:
            raise ParseError("not_a_reply", f"no SMTP reply code at the start: {text[:80]!r}")
        status: EnhancedStatus | None = None
        lines = []
        for line in raw:
            match = _LINE.fullmatch(line)
            content = line if match is None else match[2]
            leading = _LEADING_STATUS.match(content)
            if leading is not None:
                status = status or EnhancedStatus.parse(leading[1])
                content = content[leading.end() :]
            lines.append(content)
        return cls(code=int(first[1]), enhanced_status=status, lines=tuple(lines))

    def meaning(
        self,
        stage: Stage | str = Stage.RCPT,
        *,
        rules: tuple[ReplyRow, ...] = (),
        remote_host: str | None = None,
    ) -> Meaning:
        """What it says about the recipient, given the command it answers.

        rules: rows of your own, tried before ours. remote_host: the server's name, for the rows of single providers.
        Always an answer: what no row knows has the reason that its bare code stands for. A refusal before RCPT has a
        reason and a permanence for this message, and says nothing about the mailbox: whoever asks about the address
        must look at the stage too.

        >>> SmtpReply.parse("550 5.1.1 <user@example.com> no such user").meaning().reason.value
        'mailbox_not_found'
        >>> SmtpReply.parse("550 5.1.1 your IP is blocked by zen.spamhaus.org").meaning().reason.value
        'blocked'
        """
        return meaning_of(
            self.text,
            code=self.code,
            enhanced_status=self.enhanced_status,
            stage=stage,
            rules=rules,
            remote_host=remote_host,
        )

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "code": self.code,
            "enhanced_status": None if self.enhanced_status is None else str(self.enhanced_status),
            "lines": list(self.lines),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SmtpReply:
        """Read what `to_dict` wrote."""
        status = data["enhanced_status"]
        return cls(
            code=data["code"],
            enhanced_status=None if status is None else EnhancedStatus.parse(status),
            lines=tuple(data["lines"]),
        )


@cache
def _judging() -> tuple[Callable[..., ReplyRow | None], Callable[..., Permanence]]:
    """The tables are large, and most programs that import the records never judge a reply: they are loaded late."""
    from mailgate.records._reply_meaning import find_row, usual_permanence

    return find_row, usual_permanence


def meaning_of(
    text: str,
    *,
    code: int | None = None,
    enhanced_status: EnhancedStatus | None = None,
    stage: Stage | str = Stage.RCPT,
    rules: tuple[ReplyRow, ...] = (),
    remote_host: str | None = None,
) -> Meaning:
    """`SmtpReply.meaning` for a text that may have no reply code, as bounces have them ("retry timeout exceeded").

    code, enhanced_status: None when there is none; an enhanced status that only stands in the text is found there.
    Without a code and a status the permanence is what is usual for the reason, and a text that no row knows has the
    reason `unknown` and the evidence `none`.
    """
    if code is not None and 200 <= code < 400:
        accepted = code < 300
        return Meaning(
            reason=None if accepted else Reason.PROTOCOL_ERROR,
            permanence=Permanence.DELIVERED if accepted else Permanence.TRANSIENT,
            fault=None if accepted else Fault.SERVER,
            evidence=f"code:{code}",
        )
    if enhanced_status is None:
        enhanced_status = EnhancedStatus.find(text)
        if enhanced_status is not None and code is not None and enhanced_status.status_class != code // 100:
            enhanced_status = None
    find_row, usual_permanence = _judging()
    stage_word = str(stage if isinstance(stage, Stage) else Stage(stage))
    row = find_row(text, code=code, status=enhanced_status, stage=stage_word, rules=rules, remote_host=remote_host)
    reason = Reason.UNKNOWN if row is None else row.reason
    return Meaning(
        reason=reason,
        permanence=usual_permanence(reason, code, enhanced_status),
        fault=reason.fault,
        evidence="none" if row is None else row.name,
    )
