"""From one event to what it does to the list: the whole policy, pure.

The model: an address is dead (suppress now), ailing (count), refused by somebody else's list (mirror), unwilling
(complaint, unsubscribe), alive (lift) or none of our business. The reason decides, by the rows of `PolicySettings`;
then two guards can only weaken the result: a failure that is not permanent counts instead of suppressing, and so does
one that anybody could have forged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mailgate.records import Event, EventKind, Permanence, Reason
from mailgate.suppression._records import EVERY, SuppressionReason
from mailgate.suppression._settings import PolicySettings

DEFAULT_SETTINGS = PolicySettings()


class Action(StrEnum):
    """What an event asks for."""

    SUPPRESS = "suppress"
    COUNT = "count"
    MIRROR = "mirror"
    LIFT = "lift"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one event asks for, and why.

    reason, stream, expiry_days: of the entry to write (for COUNT: of the entry that enough of them make); expiry_days
    None: no expiry. For LIFT and NONE they are None.
    """

    action: Action
    why: str
    reason: SuppressionReason | None = None
    stream: str | None = None
    expiry_days: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "action": str(self.action),
            "why": self.why,
            "reason": None if self.reason is None else str(self.reason),
            "stream": self.stream,
            "expiry_days": self.expiry_days,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Decision:
        """Read what `to_dict` wrote."""
        return cls(**{**data, "action": Action(data["action"]), "reason": _reason(data["reason"])})


def suppress_for(event: Event, settings: PolicySettings = DEFAULT_SETTINGS) -> Decision:
    """What `event` does to the list, by `settings` alone; no store, no clock.

    A `bounced` event is a final failure; a `deferred` one is not and does nothing. An event without a recipient, and
    one whose `meta` says `suppress=no` (a forwarded address that was never mailed, a copy for the postmaster, a reply
    that names another address), does nothing.

    >>> from mailgate.records import Event, EventKind, Permanence, Reason
    >>> suppress_for(Event(kind=EventKind.BOUNCED, recipient="a@b.example", source="dsn", event_id="1",
    ...     permanence=Permanence.PERMANENT, reason=Reason.MAILBOX_NOT_FOUND)).action
    <Action.SUPPRESS: 'suppress'>
    """
    if event.recipient is None:
        return _nothing("no recipient could be named")
    if event.meta_value("suppress") == "no":
        return _nothing("the reader says that this recipient must not be suppressed by it")
    if event.kind is EventKind.BOUNCED:
        return _for_bounce(event, settings)
    if event.kind is EventKind.COMPLAINED:
        return _for_complaint(event, settings)
    if event.kind is EventKind.UNSUBSCRIBED:
        return _decision(Action.SUPPRESS, SuppressionReason.UNSUBSCRIBE, event.stream or EVERY, None, "unsubscribed")
    if event.kind is EventKind.DELIVERED:
        return Decision(action=Action.LIFT, why="delivered")
    return _nothing(f"{event.kind} says nothing final about the address")


def _for_bounce(event: Event, settings: PolicySettings) -> Decision:
    reason = event.reason or Reason.UNKNOWN
    for action, entry, rows in (
        (Action.SUPPRESS, SuppressionReason.HARD_BOUNCE, dict(settings.suppress_now)),
        (Action.MIRROR, SuppressionReason.UPSTREAM, dict(settings.mirror)),
    ):
        if reason in rows:
            weaker = _why_it_only_counts(event, settings)
            if weaker is None:
                return _decision(action, entry, EVERY, rows[reason], f"{reason}: a final failure")
            return _count(settings, f"{reason}: {weaker}")
    if reason in settings.count:
        return _count(settings, f"{reason}: a final failure that may pass")
    return _nothing(f"{reason}: not the recipient's fault ({reason.fault})")


def _why_it_only_counts(event: Event, settings: PolicySettings) -> str | None:
    if event.permanence is not Permanence.PERMANENT:
        return f"the mail is dead, the address may live ({event.permanence or 'permanence unknown'})"
    if event.matched is None and event.source in settings.free_form_sources:
        return "a free-form bounce without proof that we sent the message"
    if event.matched is None and settings.require_match:
        return "a bounce without proof that we sent the message"
    return None


def _for_complaint(event: Event, settings: PolicySettings) -> Decision:
    kind = (event.meta_value("feedback_type") or "abuse").strip().lower()
    if kind not in settings.complaint_types:
        return _nothing(f"{kind} is no complaint about the mail")
    if event.matched is None and settings.require_match:
        return _nothing("a complaint without proof that we sent the message")
    return _decision(Action.SUPPRESS, SuppressionReason.COMPLAINT, EVERY, None, f"complaint: {kind}")


def _count(settings: PolicySettings, why: str) -> Decision:
    return _decision(Action.COUNT, SuppressionReason.SOFT_BOUNCE, EVERY, settings.counted_expiry_days, why)


def _decision(action: Action, reason: SuppressionReason, stream: str, days: int | None, why: str) -> Decision:
    return Decision(action=action, why=why, reason=reason, stream=stream, expiry_days=days)


def _nothing(why: str) -> Decision:
    return Decision(action=Action.NONE, why=why)


def _reason(word: str | None) -> SuppressionReason | None:
    return None if word is None else SuppressionReason(word)
