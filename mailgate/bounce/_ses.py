"""Amazon SES notices sent by SNS: JSON in a text part instead of a delivery status part.

Shapes: the notice itself, or an SNS envelope whose `Message` holds it as text; `notificationType` in feedback notices,
`eventType` in event publishing. Complaints are no bounces and give nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mailgate.bounce._addresses import read_address, split_type
from mailgate.bounce._dsn import read_action, split_diagnostic
from mailgate.bounce._found import Found
from mailgate.bounce._text import Notification, clean_message_id, printable
from mailgate.records import EnhancedStatus, Reason

MAX_JSON_CHARACTERS = 256 * 1024  # SNS allows 256 KiB
MAX_RECIPIENTS = 1_000
MAX_VALUE_CHARACTERS = 20_000

_SUBTYPES = {
    "suppressed": Reason.SUPPRESSED_UPSTREAM,
    "onaccountsuppressionlist": Reason.SUPPRESSED_UPSTREAM,
    "mailboxfull": Reason.MAILBOX_FULL,
    "messagetoolarge": Reason.TOO_LARGE,
    "contentrejected": Reason.CONTENT_REJECTED,
    "attachmentrejected": Reason.CONTENT_REJECTED,
}


@dataclass(slots=True)
class SesNotice:
    """What a notice says."""

    found: list[Found] = field(default_factory=list)
    reporting_mta: str | None = None
    arrival_date_text: str | None = None
    message_id: str | None = None
    envelope_id: str | None = None


def read_ses(note: Notification) -> SesNotice | None:
    """The notice in a text; None when there is none or when it is about something else."""
    text = note.words
    if "notificationType" not in text and "eventType" not in text:
        return None
    start = text.find("{")
    data = _load(text[start : start + MAX_JSON_CHARACTERS]) if start != -1 else None
    if data is not None and isinstance(data.get("Message"), str):
        data = _load(data["Message"])
    if data is None:
        return None
    kind = str(data.get("notificationType") or data.get("eventType") or "").lower()
    if kind == "bounce":
        found = _bounced(_mapping(data.get("bounce")))
    elif kind == "delivery":
        found = _delivered(_mapping(data.get("delivery")))
    elif kind == "deliverydelay":
        found = _delayed(_mapping(data.get("deliveryDelay")))
    else:
        return None
    return _notice(found, data) if found else None


def _notice(found: list[Found], data: Mapping[str, Any]) -> SesNotice:
    mail = _mapping(data.get("mail"))
    notice = SesNotice(
        found, envelope_id=_string(mail.get("messageId")), arrival_date_text=_string(mail.get("timestamp"))
    )
    part = _mapping(data.get("bounce")) or _mapping(data.get("delivery")) or _mapping(data.get("deliveryDelay"))
    mta = _string(part.get("reportingMTA"))
    notice.reporting_mta = None if mta is None else split_type(mta)[1]
    headers = _mapping(mail.get("commonHeaders"))
    notice.message_id = clean_message_id(_string(headers.get("messageId")))
    return notice


def _bounced(bounce: Mapping[str, Any]) -> list[Found]:
    result = []
    subtype = str(bounce.get("bounceSubType") or "").lower()
    kind = str(bounce.get("bounceType") or "").lower()
    for one in _mappings(bounce.get("bouncedRecipients")):
        found = _found(one.get("emailAddress"), one)
        if found is None:
            continue
        found.action = read_action(_string(one.get("action"))) or (
            "delayed" if kind == "transient" and not one else "failed"
        )
        found.hint = _SUBTYPES.get(subtype)
        if "action" not in one:
            found.inferred.append("action")
        result.append(found)
    return result


def _delivered(delivery: Mapping[str, Any]) -> list[Found]:
    recipients = delivery.get("recipients")
    result = []
    for address in recipients[:MAX_RECIPIENTS] if isinstance(recipients, list) else ():
        found = _found(address, {"diagnosticCode": delivery.get("smtpResponse")})
        if found is not None:
            found.action = "delivered"
            found.inferred.append("action")
            result.append(found)
    return result


def _delayed(delay: Mapping[str, Any]) -> list[Found]:
    result = []
    for one in _mappings(delay.get("delayedRecipients")):
        found = _found(one.get("emailAddress"), one)
        if found is not None:
            found.action = "delayed"
            found.inferred.append("action")
            result.append(found)
    return result


def _found(address: Any, one: Mapping[str, Any]) -> Found | None:
    recipient = read_address(printable(address)) if isinstance(address, str) else None
    if recipient is None:
        return None
    found = Found(recipient=recipient, final_recipient=recipient, dialect="amazon-ses")
    found.status_text = _string(one.get("status"))
    diagnostic = _string(one.get("diagnosticCode"))
    if diagnostic is not None:
        found.diagnostic_type, found.diagnostic_code = split_diagnostic(diagnostic)
    found.status = EnhancedStatus.find(found.status_text or "") or EnhancedStatus.find(found.diagnostic_code or "")
    return found


def _load(text: str) -> Mapping[str, Any] | None:
    import json  # of use to these notices alone

    # Mail wraps long lines; JSON has no line ends inside its strings, so every one of them is the mail's.
    for candidate in (text.replace("\r", "").replace("\n", ""), text):
        try:
            value, _ = json.JSONDecoder(strict=False).raw_decode(candidate)
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) else None
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value[:MAX_RECIPIENTS] if isinstance(one, dict)] if isinstance(value, list) else []


def _string(value: Any) -> str | None:
    return printable(value[:MAX_VALUE_CHARACTERS]) if isinstance(value, str) else None
