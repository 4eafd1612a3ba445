"""Events and look-ups that many tests need, in as few words as possible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from mailgate.records import Event, EventKind, Permanence, Reason
from mailgate.suppression import Suppression, SuppressionStore

DAY_ONE = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
_numbers = count(1)


def bounce(
    recipient: str | None = "user@example.com",
    reason: Reason = Reason.MAILBOX_NOT_FOUND,
    *,
    day: float = 0,
    permanence: Permanence | None = Permanence.PERMANENT,
    source: str = "dsn",
    **options: Any,
) -> Event:
    """A final failure on the given day."""
    options.setdefault("event_id", f"event-{next(_numbers)}")
    options.setdefault("at", DAY_ONE + timedelta(days=day))
    return Event(
        kind=EventKind.BOUNCED, recipient=recipient, reason=reason, permanence=permanence, source=source, **options
    )


def event(kind: EventKind, recipient: str | None = "user@example.com", *, day: float = 0, **options: Any) -> Event:
    """Any other event on the given day."""
    options.setdefault("event_id", f"event-{next(_numbers)}")
    options.setdefault("source", "test")
    return Event(kind=kind, recipient=recipient, at=DAY_ONE + timedelta(days=day), **options)


def entries(store: SuppressionStore) -> list[Suppression]:
    """The whole list, expired entries included."""
    return list(store.list(expired=True))


def table(store: SuppressionStore) -> list[tuple[str, ...]]:
    """The whole list as (key, tenant, stream, reason)."""
    return [(entry.key, entry.tenant, entry.stream, str(entry.reason)) for entry in entries(store)]
