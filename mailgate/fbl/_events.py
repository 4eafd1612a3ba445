"""A report as the events that the policy reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mailgate.fbl._report import FeedbackReport
from mailgate.records import Event, EventKind, MessageRef, event_id_of

# The types that a complaint can have (RFC 5965 7.3); an unknown word is kept and must not suppress anybody.
COMPLAINT_TYPES = frozenset(("abuse", "fraud", "virus", "other", "opt-out"))
_IDENTITY_HEADERS = ("message-id", "date", "from", "to", "subject")


def events(
    report: FeedbackReport,
    *,
    at: datetime | None = None,
    recipient_of: Callable[[MessageRef], str | None] | None = None,
) -> tuple[Event, ...]:
    """One `complained` event for each recipient; one without a recipient when nobody could be named.

    at: when the report was read; taken for a report without a date that can be read, or with one in the future.
    recipient_of: looks up whom a message of ours went to, for
    references that do not carry the recipient; asked only when `report.recipients` is empty.
    `meta` has `feedback_type` (the registry's word where there is one), `incidents`, `recipient_source`, `reporter` and
    `source_ip`; and `suppress` is `no` for a type that is no complaint.
    The `event_id` depends on what the report says and not on the trace fields it collected on its way.
    """
    found: tuple[str | None, ...] = report.recipients
    if not found and report.ref is not None and recipient_of is not None:
        found = (recipient_of(report.ref),)
    identity, when = report_id(report), report.date or at
    meta = _meta(report)
    return tuple(
        Event(
            kind=EventKind.COMPLAINED,
            recipient=recipient,
            source="arf",
            event_id=event_id_of("arf", identity, recipient),
            at=when if at is None or when is None else min(when, at),
            ref=None if report.ref is None else report.ref.ref or None,
            message_id=report.original_message_id,
            matched=report.matched,
            detail=_detail(report),
            tenant="" if report.ref is None else report.ref.tenant,
            stream=None if report.ref is None else report.ref.stream,
            meta=meta,
        )
        for recipient in found or (None,)
    )


def report_id(report: FeedbackReport) -> str:
    """32 hex digits, the same for every copy of one report, whatever was added to its header on the way.

    Made of the report part's fields and of what tells the returned message from others. Only when that says nothing
    (no Message-ID and no arrival date) the report's own Message-ID and date count too.
    """
    parts: list[str | None] = [report.form, report.feedback_type, report.original_message_id]
    for name, value in sorted((name.lower(), " ".join(value.split())) for name, value in report.fields):
        parts += (name, value)
    parts += [report.returned_header(name) for name in _IDENTITY_HEADERS]
    if report.form == "apple" or (report.original_message_id is None and report.arrival_date_text is None):
        parts += (report.message_id, report.date_text, *report.recipients)
    return event_id_of(*parts)


def _meta(report: FeedbackReport) -> dict[str, str]:
    meta = {
        "feedback_type": report.complaint_type or report.feedback_type,
        "incidents": None if report.incidents is None else str(report.incidents),
        "recipient_source": report.recipient_source,
        "reporter": report.reporter,
        "source_ip": report.source_ip,
    }
    if report.feedback_type is not None and report.complaint_type not in COMPLAINT_TYPES:
        meta["suppress"] = "no"
    return {name: value for name, value in meta.items() if value is not None}


def _detail(report: FeedbackReport) -> str:
    if report.fields:
        return "\n".join(f"{name}: {value}" for name, value in report.fields)
    return f"{report.form}: {report.subject or ''}".rstrip()
