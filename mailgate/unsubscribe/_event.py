"""An unsubscribe as the event that the policy reads."""

from __future__ import annotations

from datetime import datetime

from mailgate.records import Event, EventKind, event_id_of
from mailgate.unsubscribe._token import Subscription


def event_of(subscription: Subscription, *, recipient: str | None, at: datetime | None, method: str) -> Event:
    """The event of one request to leave.

    method: `one-click`, `page` or `mail`, kept in `meta`. The `event_id` is the same for repeated requests within a
    minute (a provider tries again, a person presses twice) and another one later: the links never change, and somebody
    who came back and leaves again must not be taken for a repetition.
    """
    minute = None if at is None else at.strftime("%Y-%m-%dT%H:%M%z")
    who = subscription.recipient if subscription.recipient is not None else subscription.recipient_id
    meta = {"method": method}
    if subscription.recipient_id is not None:
        meta["recipient_id"] = subscription.recipient_id
    return Event(
        kind=EventKind.UNSUBSCRIBED,
        recipient=recipient,
        source="unsubscribe",
        event_id=event_id_of("unsubscribe", subscription.tenant, subscription.stream, who, subscription.ref, minute),
        at=at,
        ref=subscription.ref,
        matched="token",
        tenant=subscription.tenant,
        stream=subscription.stream,
        meta=meta,
    )
