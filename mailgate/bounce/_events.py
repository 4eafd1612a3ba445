"""What a report means for the suppression policy, as events: one for each recipient.

Decisions. A recipient that must not be suppressed by this report still gives its event, so that nothing is lost from
the history, with `suppress=no` and the cause in `meta`; the policy does nothing with it. That is: a forward target that
was never mailed (`never_mailed`), a recipient in a postmaster's copy of somebody else's mail (`about_other_mail`), a
reply that names another address of the domain (`other_address`), a recipient that is no address, one that our own
reference contradicts (`not_whom_we_mailed`), an alias of which several members failed (`alias`: others may live), a
challenge, an automatic reply.

The id of an event is made of what the report says and not of how it came: another delivery of the same report, with
other trace fields, a rewritten To or another folding, gives the same id. A report without a Message-ID of its own is
known by what it says about the recipient, its date and its reporting host.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from mailgate.bounce._report import BounceReport, RecipientStatus
from mailgate.records import Event, EventKind, ParseError, Permanence, Reason, address_key, event_id_of

_KINDS = {
    Permanence.DELIVERED: EventKind.DELIVERED,
    Permanence.TRANSIENT: EventKind.DEFERRED,
    Permanence.PERMANENT: EventKind.BOUNCED,
    Permanence.EXPIRED: EventKind.BOUNCED,
    None: EventKind.DEFERRED,
}


def events(
    report: BounceReport, *, at: datetime | None = None, received_at: datetime | None = None
) -> tuple[Event, ...]:
    """One event for each recipient of the report, in its order; for an automatic reply one for whom it came from.

    at: the instant to write into every event. None takes the recipient's Last-Attempt-Date, else the report's Date,
    else `received_at`, else None (the store then takes its own clock). A date that lies after `received_at` is not
    believed and `received_at` is taken.
    """
    if report.kind == "autoreply":
        return (_autoreplied(report, at, received_at),)
    aliases = _aliases(report)
    seen: Counter[tuple[str | None, str | None]] = Counter()
    told = []
    for one in report.recipients:
        who = (one.recipient, one.final_recipient)
        told.append(_of_recipient(report, one, seen[who], aliases, at, received_at))
        seen[who] += 1
    return tuple(told)


def _of_recipient(
    report: BounceReport,
    one: RecipientStatus,
    number: int,
    aliases: frozenset[str],
    at: datetime | None,
    received_at: datetime | None,
) -> Event:
    """number: how many groups before this one were about the same recipient."""
    kind = _KINDS[one.permanence]
    refused = _why_not_to_suppress(report, one, aliases)
    meta = {
        "action": one.action,
        "remote_mta": one.remote_mta,
        "reporting_mta": report.reporting_mta,
        "status": None if one.status is None else str(one.status),
        "final_recipient": one.final_recipient if one.final_recipient != one.recipient else None,
        "block_list": one.block_list,
        "retry_after_seconds": None if one.retry_after_seconds is None else str(one.retry_after_seconds),
        "mailed_recipient": one.mailed_recipient,
        "other_address": one.other_address,
        "suppress": None if refused is None else "no",
        "why": refused,
    }
    return Event(
        kind=kind,
        recipient=one.recipient,
        source="dsn" if report.form == "dsn" else "bounce",
        event_id=_event_id(report, one, number),
        at=_instant(at, received_at, one.last_attempt_date, report.date),
        ref=None if report.ref is None else report.ref.ref,
        message_id=report.original_message_id,
        matched=report.matched,
        permanence=one.permanence,
        reason=None if kind is EventKind.DELIVERED else one.reason,
        smtp_code=one.smtp_code,
        enhanced_status=one.enhanced_status,
        detail=one.diagnostic_code or one.text or one.evidence,
        tenant="" if report.ref is None else report.ref.tenant,
        stream=None if report.ref is None else report.ref.stream,
        meta={name: value for name, value in meta.items() if value is not None},
    )


def _why_not_to_suppress(report: BounceReport, one: RecipientStatus, aliases: frozenset[str]) -> str | None:
    if one.never_mailed:
        return "never_mailed"
    if one.about_other_mail:
        return "about_other_mail"
    if one.other_address is not None:
        return "other_address"
    if one.reason is Reason.CHALLENGE:
        return "challenge"
    key = _key(one.recipient)
    if key is None:
        return "no_address"
    if key in aliases:
        return "alias"
    named = None if report.ref is None else _key(report.ref.recipient)
    if named is not None and named not in (key, _key(one.original_recipient)):
        return "not_whom_we_mailed"
    return None


def _aliases(report: BounceReport) -> frozenset[str]:
    """Addresses that were written to and of which the report tells of several mailboxes (Postfix, Exim, Sendmail)."""
    if len(report.recipients) < 2:
        return frozenset()
    finals: dict[str, set[str]] = {}
    for one in report.recipients:
        key, final = _key(one.recipient), _key(one.final_recipient)
        if key is not None and final is not None:
            finals.setdefault(key, set()).add(final)
    return frozenset(key for key, several in finals.items() if len(several) > 1)


def _autoreplied(report: BounceReport, at: datetime | None, received_at: datetime | None) -> Event:
    """The mailbox lives, or it says itself that nobody reads it: told, and never suppressed for it."""
    reply = report.autoreply
    sender = None if reply is None else reply.sender
    recipient = sender if report.ref is None or report.ref.recipient is None else report.ref.recipient
    gone = reply is not None and reply.gone
    meta = {
        "suppress": "no",
        "why": "autoreply",
        "gone": "yes" if gone else None,
        "gone_evidence": None if reply is None else reply.gone_evidence,
        "new_address": None if reply is None else reply.new_address,
        "challenge": "yes" if reply is not None and reply.challenge else None,
    }
    return Event(
        kind=EventKind.AUTOREPLIED,
        recipient=recipient,
        source="bounce",
        event_id=event_id_of("autoreply", report.message_id, report.date_text, sender, report.subject),
        at=_instant(at, received_at, report.date),
        ref=None if report.ref is None else report.ref.ref,
        message_id=report.original_message_id,
        matched=report.matched,
        reason=Reason.MAILBOX_DISABLED if gone else None,
        detail=report.evidence,
        tenant="" if report.ref is None else report.ref.tenant,
        stream=None if report.ref is None else report.ref.stream,
        meta={name: value for name, value in meta.items() if value is not None},
    )


def _event_id(report: BounceReport, one: RecipientStatus, number: int) -> str:
    known_as = report.message_id or report.original_envelope_id or report.arrival_date_text or report.date_text
    return event_id_of(
        "bounce",
        known_as,
        report.original_message_id,
        report.reporting_mta,
        one.recipient,
        one.final_recipient,
        one.action,
        None if one.status is None else str(one.status),
        one.diagnostic_code,
        str(number) if number else None,
    )


def _instant(at: datetime | None, received_at: datetime | None, *said: datetime | None) -> datetime | None:
    if at is not None:
        return at
    first = next((instant for instant in said if instant is not None), None)
    if first is None or (received_at is not None and first > received_at):
        return received_at
    return first


def _key(address: str | None) -> str | None:
    if address is None:
        return None
    try:
        return address_key(address)
    except ParseError:
        return None
