"""What is recorded of one request for a pixel or a link."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from mailgate.engagement._text import MAX_TEXT_CHARACTERS
from mailgate.records import Event, EventKind

SOURCE = "tracking"


class EventType(StrEnum):
    """What was asked for."""

    OPEN = "open"
    CLICK = "click"


class Actor(StrEnum):
    """Who asked, as far as the request tells. A single click with a browser's headers may still be a machine's."""

    HUMAN = "human"
    MACHINE = "machine"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How sure the label is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class TrackingEvent(NamedTuple):
    """One request for a pixel or a link, or a correction of one.

    A named tuple and not a dataclass: one is made for every request, and this takes a fraction of the time.

    id: unique. type: open or click. at: aware, UTC. issued: when the token was made, seconds since the epoch.
    message_id, recipient_id, stream, tenant, link_index, link_count, url, trap, key_id: as in the token.
    method: GET or HEAD. actor: with `actor_reason` (the one word that decided), `confidence` and all `signals`.
    client: the mail service or proxy behind it (`gmail_proxy`, `apple_mpp`, `outlook`, …), "" when unknown.
    agent_class: browser, mail_client, proxy, scanner, bot, library, none, other. user_agent: only when it is kept.
    ip_prefix: the address cut to its network, "" when none is kept. tid: the same for the same token.
    counted: False for a token from the future or past its age limit. first: the first time that the recorder (the
    process, or the store) sees this token. amends: the id of the event whose label this one replaces, "" for an event
    of its own.
    """

    id: str
    type: EventType
    at: datetime
    issued: int
    message_id: str
    recipient_id: str
    stream: str
    tenant: str
    link_index: int | None
    link_count: int | None
    url: str
    trap: bool
    method: str
    actor: Actor
    actor_reason: str
    confidence: Confidence
    signals: tuple[str, ...]
    client: str
    agent_class: str
    user_agent: str
    ip_prefix: str
    tid: str
    counted: bool
    first: bool
    amends: str
    key_id: int

    @property
    def issued_at(self) -> datetime:
        """`issued` as an instant."""
        return datetime.fromtimestamp(self.issued, UTC)

    @property
    def age_seconds(self) -> float:
        """Time between the making of the token and the request."""
        return self.at.timestamp() - self.issued

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values; `at` is ISO 8601 in UTC."""
        data = self._asdict()
        data["type"] = self.type.value
        data["at"] = self.at.isoformat()
        data["actor"] = self.actor.value
        data["confidence"] = self.confidence.value
        data["signals"] = list(self.signals)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrackingEvent:
        """Read what `to_dict` wrote. Raises ValueError or KeyError when it is something else."""
        values = {name: data[name] for name in cls._fields}
        values["type"] = EventType(data["type"])
        values["at"] = datetime.fromisoformat(data["at"]).astimezone(UTC)
        values["actor"] = Actor(data["actor"])
        values["confidence"] = Confidence(data["confidence"])
        values["signals"] = tuple(data["signals"])
        return cls(**values)

    def to_event(self, recipient: str | None = None) -> Event:
        """The record that the other rooms understand.

        recipient: the address behind `recipient_id`, when the caller knows it.
        """
        meta = {
            "actor": self.actor.value,
            "actor_reason": self.actor_reason,
            "recipient_id": self.recipient_id,
            "signals": ",".join(self.signals),
            "tid": self.tid,
            "amends": self.amends,
            "link_index": "" if self.link_index is None else str(self.link_index),
        }
        return Event(
            kind=EventKind.OPENED if self.type is EventType.OPEN else EventKind.CLICKED,
            recipient=recipient,
            source=SOURCE,
            event_id=self.id,
            at=self.at,
            ref=self.message_id or None,
            message_id=self.message_id if "@" in self.message_id else None,
            matched="token",
            detail=self.url[:MAX_TEXT_CHARACTERS],
            tenant=self.tenant,
            stream=self.stream or None,
            meta={name: value for name, value in meta.items() if value},
        )
