"""What one message says: facts as they were written, and beside them what follows from them.

Nothing here decides anything. A fact (`action`, `status`, `diagnostic_code`, `final_recipient`) is never overwritten by
a conclusion (`reason`, `permanence`, `enhanced_status`, `recipient`); both are given, and `inferred` names the facts
that do not stand in the message literally.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from mailgate.bounce._addresses import decode_words
from mailgate.bounce._autoreply import AutoReply
from mailgate.bounce._dates import parse_date
from mailgate.records import EnhancedStatus, Fault, MessageRef, Permanence, Reason

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientStatus:
    """What became of the message for one recipient (RFC 3464 2.3).

    recipient: the address the sender knows: Original-Recipient when it is an address, else Final-Recipient, else what
    the text says, else the one address the returned message went to; None when nobody is named.
    original_recipient, final_recipient: as the report has them, decoded (xtext, `\\x{…}`), without their type, whether
    or not they are addresses. actual_recipient: X-Actual-Recipient, where Sendmail tried it in the end.
    mailed_recipient: the address that the sender wrote to, when it is another one than `recipient`: an alias or a list
    that was expanded, a mailbox that forwards. Then `never_mailed` is True, and only this address may be suppressed.
    action: the RFC word (failed, delayed, delivered, relayed, expanded), None when the report has none that we know.
    status: the Status field; in a free-form report the code that the text gives. status_text: the field whole.
    diagnostic_code: unfolded, without its type; None in a free-form report, whose words are in `text`.
    smtp_code, enhanced_status, smtp_command: what decided. Never invented; None when the report has none.
    evidence: the row that decided and the line it read.
    dialect: the row that found the recipient in a text; None in a machine-readable report.
    text: the lines of the notification about this recipient, at most 2,000 characters; "" when the fields say enough.
    other_address: the reply names another address of the same domain; such a record must not suppress anybody.
    never_mailed: `recipient` is a forward target that the sender did not write to.
    about_other_mail: a copy for the postmaster about somebody else's mail.
    inferred: names of the attributes above that are concluded and not written.
    fields: all fields of the recipient's group as written.
    """

    recipient: str | None
    original_recipient: str | None = None
    original_recipient_type: str | None = None
    final_recipient: str | None = None
    final_recipient_type: str | None = None
    actual_recipient: str | None = None
    mailed_recipient: str | None = None
    action: str | None = None
    status: EnhancedStatus | None = None
    status_text: str | None = None
    smtp_code: int | None = None
    enhanced_status: EnhancedStatus | None = None
    smtp_command: str | None = None
    reason: Reason = Reason.UNKNOWN
    permanence: Permanence | None = None
    diagnostic_code: str | None = None
    diagnostic_type: str | None = None
    remote_mta: str | None = None
    remote_mta_type: str | None = None
    last_attempt_text: str | None = None
    will_retry_until_text: str | None = None
    final_log_id: str | None = None
    retry_after_seconds: int | None = None
    block_list: str | None = None
    evidence: str = ""
    dialect: str | None = None
    text: str = ""
    other_address: str | None = None
    never_mailed: bool = False
    about_other_mail: bool = False
    inferred: tuple[str, ...] = ()
    fields: Fields = ()

    @property
    def fault(self) -> Fault:
        """Who has to act, by the reason."""
        return self.reason.fault

    @property
    def last_attempt_date(self) -> datetime | None:
        """Last-Attempt-Date in UTC; None when absent or unreadable."""
        return parse_date(self.last_attempt_text)

    @property
    def will_retry_until(self) -> datetime | None:
        """Will-Retry-Until in UTC; None when absent or unreadable."""
        return parse_date(self.will_retry_until_text)

    @property
    def extensions(self) -> Fields:
        """The X- fields of the group as written."""
        return tuple(field for field in self.fields if field[0][:2] in ("X-", "x-"))

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values; the documented keys first."""
        return {
            "recipient": self.recipient,
            "original_recipient": self.original_recipient,
            "final_recipient": self.final_recipient,
            "action": self.action,
            "status": _text(self.status),
            "smtp_code": self.smtp_code,
            "enhanced_status": _text(self.enhanced_status),
            "reason": str(self.reason),
            "fault": str(self.fault),
            "permanence": _text(self.permanence),
            "diagnostic_code": self.diagnostic_code,
            "remote_mta": self.remote_mta,
            "evidence": self.evidence,
            "original_recipient_type": self.original_recipient_type,
            "final_recipient_type": self.final_recipient_type,
            "actual_recipient": self.actual_recipient,
            "mailed_recipient": self.mailed_recipient,
            "status_text": self.status_text,
            "smtp_command": self.smtp_command,
            "diagnostic_type": self.diagnostic_type,
            "remote_mta_type": self.remote_mta_type,
            "last_attempt_date": _instant(self.last_attempt_date),
            "will_retry_until": _instant(self.will_retry_until),
            "final_log_id": self.final_log_id,
            "retry_after_seconds": self.retry_after_seconds,
            "block_list": self.block_list,
            "dialect": self.dialect,
            "text": self.text,
            "other_address": self.other_address,
            "never_mailed": self.never_mailed,
            "about_other_mail": self.about_other_mail,
            "inferred": list(self.inferred),
            "fields": [list(field) for field in self.fields],
            "last_attempt_text": self.last_attempt_text,
            "will_retry_until_text": self.will_retry_until_text,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RecipientStatus:
        """Read what `to_dict` wrote; keys that are missing take their defaults."""
        values = {name: data[name] for name in _RECIPIENT_NAMES if name in data}
        for name in ("status", "enhanced_status"):
            if values.get(name) is not None:
                values[name] = EnhancedStatus.parse(values[name])
        values["reason"] = Reason(values.get("reason", Reason.UNKNOWN))
        if values.get("permanence") is not None:
            values["permanence"] = Permanence(values["permanence"])
        values["inferred"] = tuple(values.get("inferred", ()))
        values["fields"] = _pairs(values.get("fields", ()))
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceReport:
    """One message about delivery, or one automatic reply.

    kind: `bounce` (every report about delivery: failures, delays, successes) or `autoreply`.
    form: `dsn` (a machine-readable per-recipient group was read) or `text`.
    recipients: one `RecipientStatus` per recipient group, in message order; () for an autoreply.
    reporting_mta, received_from_mta, dsn_gateway: without their types (those are in `fields`).
    original_message_id: Message-ID of the returned message, else what the report says it is about; no angle brackets.
    returned_headers: the fields of the returned message that were asked for (`BounceSettings.keep_headers`).
    ref: our own reference, when it was found and its signature is ours. matched: the proof that we sent the message,
    match_evidence the field and value that it was read from.
    autoreply: what an automatic reply says; None for a report about delivery.
    evidence: why the message counts as what it is. dialect: the row that read it, None for a machine-readable report.
    defects: oddities that were read through, one word each.
    message_id, subject_text, sender_text, date_text: of the report itself, as written.
    fields: the per-message fields as written (RFC 3464 2.2).
    """

    kind: str
    form: str
    recipients: tuple[RecipientStatus, ...] = ()
    defects: tuple[str, ...] = ()
    reporting_mta: str | None = None
    dsn_gateway: str | None = None
    received_from_mta: str | None = None
    arrival_date_text: str | None = None
    original_envelope_id: str | None = None
    original_message_id: str | None = None
    returned_headers: Fields = ()
    ref: MessageRef | None = None
    matched: str | None = None
    match_evidence: str | None = None
    evidence: str = ""
    dialect: str | None = None
    message_id: str | None = None
    subject_text: str | None = None
    sender_text: str | None = None
    date_text: str | None = None
    autoreply: AutoReply | None = None
    fields: Fields = ()

    @property
    def arrival_date(self) -> datetime | None:
        """Arrival-Date of the message that the report is about, in UTC; None when absent or unreadable."""
        return parse_date(self.arrival_date_text)

    @property
    def subject(self) -> str | None:
        """Subject of the report itself, encoded-words decoded."""
        return None if self.subject_text is None else decode_words(self.subject_text)

    @property
    def sender(self) -> str | None:
        """From of the report itself, encoded-words decoded."""
        return None if self.sender_text is None else decode_words(self.sender_text)

    @property
    def date(self) -> datetime | None:
        """Date of the report itself, in UTC; None when absent or unreadable."""
        return parse_date(self.date_text)

    @property
    def extensions(self) -> Fields:
        """The X- fields of the per-message group as written."""
        return tuple(field for field in self.fields if field[0][:2] in ("X-", "x-"))

    def returned_header(self, name: str) -> str | None:
        """The first kept field of that name of the returned message, None when there is none."""
        wanted = name.lower()
        return next((value for key, value in self.returned_headers if key.lower() == wanted), None)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values; the documented keys first. `ref` is the reference alone, `message_ref` all of
        it."""
        return {
            "kind": self.kind,
            "form": self.form,
            "defects": list(self.defects),
            "recipients": [recipient.to_dict() for recipient in self.recipients],
            "reporting_mta": self.reporting_mta,
            "arrival_date": _instant(self.arrival_date),
            "original_message_id": self.original_message_id,
            "ref": None if self.ref is None else self.ref.ref,
            "matched": self.matched,
            "autoreply": None if self.autoreply is None else self.autoreply.to_dict(),
            "message_ref": None if self.ref is None else _ref_to_dict(self.ref),
            "match_evidence": self.match_evidence,
            "evidence": self.evidence,
            "dialect": self.dialect,
            "dsn_gateway": self.dsn_gateway,
            "received_from_mta": self.received_from_mta,
            "original_envelope_id": self.original_envelope_id,
            "returned_headers": [list(field) for field in self.returned_headers],
            "message_id": self.message_id,
            "subject": self.subject,
            "sender": self.sender,
            "date": _instant(self.date),
            "fields": [list(field) for field in self.fields],
            "arrival_date_text": self.arrival_date_text,
            "date_text": self.date_text,
            "subject_text": self.subject_text,
            "sender_text": self.sender_text,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BounceReport:
        """Read what `to_dict` wrote; keys that are missing take their defaults."""
        values = {name: data[name] for name in _REPORT_NAMES if name in data}
        ref = data.get("message_ref")
        values["ref"] = None if ref is None else MessageRef(**ref)
        values["recipients"] = tuple(RecipientStatus.from_dict(one) for one in data.get("recipients", ()))
        autoreply = data.get("autoreply")
        values["autoreply"] = None if autoreply is None else AutoReply.from_dict(autoreply)
        values["defects"] = tuple(data.get("defects", ()))
        values["returned_headers"] = _pairs(data.get("returned_headers", ()))
        values["fields"] = _pairs(data.get("fields", ()))
        return cls(**values)


_RECIPIENT_NAMES = tuple(field.name for field in fields(RecipientStatus))
_REPORT_NAMES = tuple(field.name for field in fields(BounceReport))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _pairs(items: Any) -> Fields:
    return tuple((str(name), str(value)) for name, value in items)


def _ref_to_dict(ref: MessageRef) -> dict[str, Any]:
    return {"ref": ref.ref, "recipient": ref.recipient, "tenant": ref.tenant, "stream": ref.stream}
