"""Everything that can be set about the policy, with the defaults that a postmaster would choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from mailgate.records import Reason
from mailgate.suppression._records import SuppressionReason

# The address is wrong: no waiting makes it right.
_NO_EXPIRY = (Reason.MAILBOX_NOT_FOUND, Reason.MAILBOX_MOVED, Reason.BAD_ADDRESS)
# A domain can be registered again, a mailbox can be enabled again: a fresh try every quarter costs one bounce.
_QUARTER = (Reason.DOMAIN_NOT_FOUND, Reason.DOMAIN_NOT_ACCEPTING, Reason.MAILBOX_DISABLED)
_COUNTED = (
    Reason.MAILBOX_FULL,
    Reason.RECIPIENT_RESTRICTED,
    Reason.GREYLISTED,
    Reason.CONNECTION_FAILED,
    Reason.DNS_ERROR,
    Reason.TLS_FAILED,
    Reason.LOOP,
    Reason.EXPIRED,
    Reason.SERVER_ERROR,
    Reason.STORAGE_FULL,
    Reason.LOCAL_DELIVERY_FAILED,
    Reason.PROTOCOL_ERROR,
    Reason.TOO_MANY_RECIPIENTS,
    Reason.TEMPORARY_FAILURE,
    Reason.UNKNOWN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """What events do to the list. Days are whole days of 86,400 s; None as a number of days means: never expires.

    suppress_now: (reason, days) that suppress at the first final failure. count: reasons of which `count_days` final
    failures on as many different UTC days within `count_window_days`, with no delivery between, suppress for
    `counted_expiry_days`. mirror: (reason, days) of somebody else's list that refused before us. A reason in none of
    the three is the sender's, the content's or nobody's fault and never suppresses.
    complaint_types: feedback types that are complaints (RFC 5965 7.3; `opt-out` comes from its drafts, and is still
    sent). Every other one, `not-spam` (RFC 6430) and `auth-failure` (RFC 6591) among them, suppresses nobody.
    require_match: with True a bounce or complaint without proof that we sent the message never suppresses at once.
    free_form_sources: event sources that anybody can forge with a text editor; without proof they only count.
    transactional_streams: streams that an unsubscribe from all streams does not stop (password resets, receipts).
    unknown_tenant: where an event goes that names no tenant; `*` in a house in which every mail has a tenant.
    default_expiry_days: (suppression reason, days) for entries that are added by hand or imported without an expiry.
    event_retention_days: how long an event id is remembered, so that a report read twice counts once.
    log_detail_days: how long the log keeps the entries around each change, with their evidence; None: for ever. Who
    changed what, when and why stays.
    """

    suppress_now: tuple[tuple[Reason, int | None], ...] = (
        *((reason, None) for reason in _NO_EXPIRY),
        *((reason, 90) for reason in _QUARTER),
    )
    count: tuple[Reason, ...] = _COUNTED
    count_days: int = 3
    count_window_days: int = 30
    counted_expiry_days: int = 30
    mirror: tuple[tuple[Reason, int | None], ...] = ((Reason.SUPPRESSED_UPSTREAM, 30),)
    complaint_types: tuple[str, ...] = ("abuse", "fraud", "virus", "other", "opt-out")
    require_match: bool = False
    free_form_sources: tuple[str, ...] = ("bounce",)
    transactional_streams: tuple[str, ...] = ("transactional",)
    unknown_tenant: str = ""
    default_expiry_days: tuple[tuple[SuppressionReason, int | None], ...] = (
        (SuppressionReason.INVALID, 30),
        (SuppressionReason.SOFT_BOUNCE, 30),
        (SuppressionReason.UPSTREAM, 30),
    )
    event_retention_days: int = 400
    log_detail_days: int | None = None

    def __post_init__(self) -> None:
        for name in ("count_days", "count_window_days", "counted_expiry_days", "event_retention_days"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f"{name} is a number of days of at least 1, not {value!r}")
        if self.log_detail_days is not None and self.log_detail_days < 0:
            raise ValueError(f"log_detail_days is a number of days or None, not {self.log_detail_days!r}")

    def days_for(self, reason: SuppressionReason) -> int | None:
        """Days that an entry without an expiry of its own stays; None: for ever."""
        return dict(self.default_expiry_days).get(reason)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PolicySettings:
        """Read what `to_dict` wrote; names that are missing take their defaults."""
        values: dict[str, Any] = dict(data)
        for name, kind in (("suppress_now", Reason), ("mirror", Reason), ("default_expiry_days", SuppressionReason)):
            if name in values:
                values[name] = tuple((kind(reason), days) for reason, days in values[name])
        if "count" in values:
            values["count"] = tuple(Reason(reason) for reason in values["count"])
        frozen: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
        return cls(**frozen)


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
