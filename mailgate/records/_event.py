"""What happened to one message and one recipient: the only thing that the rooms hand to the policy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from mailgate.records._reasons import Fault, Permanence, Reason
from mailgate.records._reply import SmtpReply, Stage
from mailgate.records._status import EnhancedStatus

MAX_DETAIL_CHARACTERS = 1_000


class EventKind(StrEnum):
    """What happened."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    OPENED = "opened"
    CLICKED = "clicked"
    REFUSED = "refused"
    AUTOREPLIED = "autoreplied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to one message for one recipient.

    recipient: the address the sender knows, as written; None when nobody could be named (a redacted complaint).
    at: when it happened, aware and in UTC; None when the report does not say (the store then takes its own clock).
    source: where it was read: `dsn` (a machine-readable report), `bounce` (a free-form one), `arf`, `tracking`,
    `unsubscribe`, `smtp` (a reply inside a session), `import`.
    event_id: the same report read twice gives the same id; see `event_id_of`.
    ref: our own message reference. message_id: of the message it is about, without angle brackets.
    matched: the proof that we sent the message (`verp`, `ref`, `batv`, `message_id`, `envelope_id`, …); None: no proof.
    detail: the evidence, raw text, cut to 1,000 characters.
    tenant, stream: whose mail and which kind; `""` and None when unknown.
    meta: further facts as (name, value) text pairs, sorted; a mapping is accepted. Complaints carry `feedback_type`
    and `incidents`; bounces may carry `action`, `remote_mta`.
    """

    kind: EventKind
    recipient: str | None
    source: str
    event_id: str
    at: datetime | None = None
    ref: str | None = None
    message_id: str | None = None
    matched: str | None = None
    permanence: Permanence | None = None
    reason: Reason | None = None
    smtp_code: int | None = None
    enhanced_status: EnhancedStatus | None = None
    detail: str = ""
    tenant: str = ""
    stream: str | None = None
    meta: tuple[tuple[str, str], ...] | Mapping[str, str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.meta, Mapping):
            object.__setattr__(self, "meta", tuple(sorted(self.meta.items())))
        if len(self.detail) > MAX_DETAIL_CHARACTERS:
            object.__setattr__(self, "detail", self.detail[:MAX_DETAIL_CHARACTERS])
        if self.at is not None:
            if self.at.tzinfo is None:
                raise ValueError(f"an instant needs a time zone: {self.at!r}")
            if self.at.tzinfo is not UTC:
                object.__setattr__(self, "at", self.at.astimezone(UTC))

    @property
    def fault(self) -> Fault | None:
        """Whose fault it is, by the reason."""
        return None if self.reason is None else self.reason.fault

    def meta_value(self, name: str) -> str | None:
        """The value of one `meta` entry, None when it is not there."""
        return dict(self.meta).get(name)

    @classmethod
    def from_reply(
        cls,
        reply: SmtpReply,
        recipient: str,
        *,
        at: datetime,
        stage: Stage = Stage.RCPT,
        message_id: str | None = None,
        ref: str | None = None,
        tenant: str = "",
        stream: str | None = None,
    ) -> Event:
        """The event of a reply met inside an SMTP session, for callers who send themselves.

        A 2yz reply is `delivered`, 4yz `deferred`, 5yz `bounced`. The session proves that the message was ours.
        """
        meaning = reply.meaning(stage)
        kind = {2: EventKind.DELIVERED, 4: EventKind.DEFERRED, 5: EventKind.BOUNCED}.get(
            reply.code // 100, EventKind.DEFERRED
        )
        return cls(
            kind=kind,
            recipient=recipient,
            source="smtp",
            event_id=event_id_of("smtp", recipient, at.isoformat(), message_id, ref, str(reply)),
            at=at,
            ref=ref,
            message_id=message_id,
            matched="session",
            permanence=meaning.permanence,
            reason=meaning.reason,
            smtp_code=reply.code,
            enhanced_status=reply.enhanced_status,
            detail=str(reply),
            tenant=tenant,
            stream=stream,
        )

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values; `at` is ISO 8601 in UTC."""
        return {
            "kind": str(self.kind),
            "recipient": self.recipient,
            "source": self.source,
            "event_id": self.event_id,
            "at": None if self.at is None else self.at.isoformat(),
            "ref": self.ref,
            "message_id": self.message_id,
            "matched": self.matched,
            "permanence": None if self.permanence is None else str(self.permanence),
            "reason": None if self.reason is None else str(self.reason),
            "smtp_code": self.smtp_code,
            "enhanced_status": None if self.enhanced_status is None else str(self.enhanced_status),
            "detail": self.detail,
            "tenant": self.tenant,
            "stream": self.stream,
            "meta": dict(self.meta),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Event:
        """Read what `to_dict` wrote; fields that are missing take their defaults."""
        at, permanence, reason, status = (data.get(k) for k in ("at", "permanence", "reason", "enhanced_status"))
        return cls(
            kind=EventKind(data["kind"]),
            recipient=data["recipient"],
            source=data["source"],
            event_id=data["event_id"],
            at=None if at is None else datetime.fromisoformat(at),
            ref=data.get("ref"),
            message_id=data.get("message_id"),
            matched=data.get("matched"),
            permanence=None if permanence is None else Permanence(permanence),
            reason=None if reason is None else Reason(reason),
            smtp_code=data.get("smtp_code"),
            enhanced_status=None if status is None else EnhancedStatus.parse(status),
            detail=data.get("detail", ""),
            tenant=data.get("tenant", ""),
            stream=data.get("stream"),
            meta=data.get("meta", {}),
        )


def event_id_of(*parts: str | bytes | None) -> str:
    """A stable id from the parts that make a report itself: 32 hex digits of SHA-256, length-prefixed.

    None and the empty text are different parts; the order counts.
    """
    digest = hashlib.sha256()
    for part in parts:
        if part is None:
            digest.update(b"-;")
            continue
        raw = part if isinstance(part, bytes) else _octets(part)
        digest.update(b"%d:" % len(raw))
        digest.update(raw)
    return digest.hexdigest()[:32]


def _octets(text: str) -> bytes:
    """UTF-8; bytes that a decoder smuggled through come back as they were, and lone surrogates (JSON) do no harm."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
