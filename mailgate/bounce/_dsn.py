r"""From the fields of a delivery status part to recipients (RFC 3464 2.2, 2.3; RFC 6533 3).

Which address is the recipient? Original-Recipient is what the sender used, so it comes first; Final-Recipient may be a
forward target, a file, a pipe or an internal name. When neither is an address, the notification's words are asked, then
the returned message; that is `_parse`'s business, because it needs more than the fields.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mailgate.bounce._addresses import (
    decode_utf8_escapes,
    decode_words,
    decode_xtext,
    is_address,
    read_address,
    split_type,
)
from mailgate.bounce._fields import Group, StatusFields, read_status_fields
from mailgate.bounce._found import Found
from mailgate.records import EnhancedStatus

# RFC 3464 2.3.3, then what is written instead: old gateways, Postfix's verification reports, Exchange, PowerMTA.
ACTIONS: dict[str, str] = {
    "failed": "failed", "delayed": "delayed", "delivered": "delivered", "relayed": "relayed", "expanded": "expanded",
    "failure": "failed", "fail": "failed", "error": "failed", "expired": "failed", "undeliverable": "failed",
    "undelivered": "failed", "bounced": "failed", "rejected": "failed", "returned": "failed",
    "failed-permanent": "failed", "delay": "delayed", "deferred": "delayed", "transient": "delayed",
    "warning": "delayed", "queued": "delayed", "deliverable": "delivered", "delivery": "delivered",
    "success": "delivered", "successful": "delivered", "ok": "delivered", "relay": "relayed", "expand": "expanded",
}  # fmt: skip
_BY_CLASS = {2: "delivered", 4: "delayed", 5: "failed"}
_VERIFICATION = frozenset(("deliverable", "undeliverable"))

MAX_STATUS_CHARACTERS = 200  # the code stands in front; what follows is a comment

_DIAGNOSTIC_TYPE = re.compile(r"\s*([A-Za-z][A-Za-z0-9.-]{0,30})\s*;\s*", re.ASCII)
# What nine of ten recipient fields look like; nothing in it needs decoding.
_PLAIN_RECIPIENT = re.compile(
    r"(rfc822|utf-8)[ \t]*;[ \t]*([\w.!#$%&'*/?^{|}~=-]+@(?:[\w-]+\.)+[\w-]*\w)[ \t]*", re.ASCII | re.I
)
_SPACED_LOCAL = re.compile(r"[\w.+=-]{1,64}(?: [\w.+=-]{1,64}){1,3}@[\w.-]{1,255}")
_WORD = re.compile(r"[A-Za-z-]{2,30}", re.ASCII)
_FIELD_IN_TEXT = re.compile(
    r"^[ \t>]{0,20}(?:Reporting-MTA|Original-Envelope-Id|Final-Recipient|Original-Recipient|Action|Arrival-Date"
    r"|Received-From-MTA)[ \t]{0,4}:",
    re.IGNORECASE | re.MULTILINE,
)


def fields_in_text(text: str, lower: str) -> StatusFields | None:
    """Delivery status fields written into a text (WorkMail's "Technical report", forwarded reports); None without
    any."""
    if "final-recipient" not in lower and "original-recipient" not in lower:
        return None
    start = _FIELD_IN_TEXT.search(text)
    if start is None:
        return None
    fields = read_status_fields(text[start.start() :])
    return fields if fields.recipients else None


def is_verification(fields: StatusFields) -> bool:
    """True for Postfix's answer to `sendmail -bv`: it is about an address, no message was sent."""
    words = [group.get("action") for group in fields.recipients]
    return bool(words) and all(word is not None and word.strip().lower() in _VERIFICATION for word in words)


def recipients_of(fields: StatusFields) -> list[Found]:
    """One `Found` per recipient group, in order; the address is missing where the group has none."""
    return [_read_group(group) for group in fields.recipients]


def _read_group(group: Group) -> Found:
    found = Found(fields=tuple(group.items))
    first = group.first
    value = first.get("final-recipient")
    if value:
        found.final_recipient_type, found.final_recipient = _recipient(value)
    value = first.get("original-recipient")
    if value:
        found.original_recipient_type, written = _recipient(value)
        found.original_recipient = decode_xtext(written)
    value = first.get("x-actual-recipient")
    if value:
        found.actual_recipient = read_address(_recipient(value)[1])
    _choose_recipient(found)
    _read_outcome(found, first)
    value = first.get("remote-mta")
    if value:
        found.remote_mta_type, found.remote_mta = split_type(value)
    found.last_attempt_text = first.get("last-attempt-date")
    found.will_retry_until_text = first.get("will-retry-until")
    found.final_log_id = first.get("final-log-id")
    return found


def _recipient(value: str) -> tuple[str | None, str]:
    """Type and address of a recipient field, decoded and without its wrapping; text that is no address stays as it
    is."""
    plain = _PLAIN_RECIPIENT.fullmatch(value)
    if plain is not None:
        return plain[1].lower(), plain[2]
    kind, written = split_type(value)
    if "\\x{" in written:
        written = decode_utf8_escapes(written)
    if is_address(written):
        return kind, written
    if " " in written and _SPACED_LOCAL.fullmatch(written) is not None:
        # QUIRK: nullmailer takes the quotes off a quoted local part (RFC 5321 4.1.2).
        local, _, domain = written.rpartition("@")
        return kind, f'"{local}"@{domain}'
    return kind, read_address(written) or (decode_words(written) if "=?" in written else written)


def _choose_recipient(found: Found) -> None:
    if found.original_recipient is not None:
        address = read_address(found.original_recipient)
        if address is not None:
            found.recipient = address
            return
    if found.final_recipient is not None:
        found.recipient = read_address(found.final_recipient)
    if found.recipient is None and found.actual_recipient is not None:
        found.recipient = found.actual_recipient
        found.inferred.append("recipient")


def _read_outcome(found: Found, first: dict[str, str]) -> None:
    value = first.get("status")
    if value:
        found.status_text = value
        found.status = _status(value)
    value = first.get("diagnostic-code")
    if value:
        found.diagnostic_type, found.diagnostic_code = split_diagnostic(value)
    found.action = read_action(first.get("action"))
    if found.action is None and found.status is not None:
        found.action = _BY_CLASS[found.status.status_class]
        found.inferred.append("action")


@lru_cache(maxsize=256)
def _status(value: str) -> EnhancedStatus | None:
    return EnhancedStatus.find(value[:MAX_STATUS_CHARACTERS])


def split_diagnostic(value: str) -> tuple[str | None, str]:
    """Type, lower case, and text of a Diagnostic-Code; the first `;` counts only behind a word that can be a type.

    >>> split_diagnostic("smtp; 550 5.1.1 unknown")
    ('smtp', '550 5.1.1 unknown')
    >>> split_diagnostic("5.1.2 - Bad host; see log")
    (None, '5.1.2 - Bad host; see log')
    """
    match = _DIAGNOSTIC_TYPE.match(value)
    if match is None:
        return None, value.strip()
    return match[1].lower(), value[match.end() :].strip()


def read_action(value: str | None) -> str | None:
    """The RFC 3464 word for what stands in an Action field, comments off; None for a word that nobody knows."""
    match = None if value is None else _WORD.search(value)
    return None if match is None else ACTIONS.get(match[0].lower())
