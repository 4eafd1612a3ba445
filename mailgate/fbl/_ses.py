"""A complaint that Amazon SES sends by mail as JSON, bare or inside the wrapping of SNS."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from mailgate.fbl._draft import Draft
from mailgate.fbl._redacted import is_redacted
from mailgate.fbl._values import encodable, message_id, word
from mailgate.records import Headers, Mail, Part

MAX_JSON_CHARACTERS = 1024 * 1024
_MAX_RECIPIENTS = 1_000

_DECODER = json.JSONDecoder()
# QUIRK: a line over 998 characters is broken by a relay as "!" and a line end, in the middle of a word.
_BROKEN_LINE = re.compile(r"!?\r?\n ?")


def read_ses(mail: Mail, leaves: Sequence[Part]) -> Draft | None:
    """The draft of a complaint notice; None for everything else, bounce and delivery notices included."""
    if len(leaves) != 1 or leaves[0].content_type not in ("text/plain", "application/json"):
        return None
    text = leaves[0].text()
    start = text.find("{", 0, 200)
    if start < 0 or "omplain" not in text:
        return None
    notice = _notice(text[start : start + MAX_JSON_CHARACTERS])
    if notice is None or not isinstance(notice.get("complaint"), dict):
        return None
    return _draft(notice["complaint"], _mapping(notice.get("mail")))


def _notice(text: str) -> dict[str, Any] | None:
    """The SES object: as it stands, or as the text in `Message` of an SNS notification."""
    outer = _object(text)
    if outer is not None and "complaint" not in outer and isinstance(outer.get("Message"), str):
        outer = _object(outer["Message"])
    kind = None if outer is None else outer.get("notificationType", outer.get("eventType"))
    return outer if kind == "Complaint" else None


def _object(text: str) -> dict[str, Any] | None:
    for candidate in (text, _BROKEN_LINE.sub("", text)):
        try:
            value, _ = _DECODER.raw_decode(candidate)
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, dict) else None
    return None


def _draft(complaint: dict[str, Any], mail: dict[str, Any]) -> Draft:
    draft = Draft(form="ses", reporter="Amazon SES")
    draft.fields = tuple((encodable(k), encodable(v)) for k, v in complaint.items() if isinstance(v, str))
    values = draft.values
    kind = _text(complaint, "complaintFeedbackType")
    if kind:
        values["feedback_type"] = word(kind)
    else:
        draft.derive("feedback_type", "abuse")
    values["user_agent"] = _text(complaint, "userAgent")
    values["arrival_date_text"] = _text(complaint, "arrivalDate")
    values["date_text"] = _text(complaint, "timestamp")
    values["original_mail_from"] = _text(mail, "source")
    values["original_envelope_id"] = _text(mail, "messageId")
    values["original_rcpt_to"] = _complained(complaint)
    draft.returned = _headers(mail)
    values["original_message_id"] = _message_id(mail)
    plain = tuple(address for address in values["original_rcpt_to"] if not is_redacted(address))
    # SES names everybody who may have complained; with more than one it does not know who did.
    values["recipients"] = plain if len(plain) == 1 else ()
    values["recipient_source"] = "complained-recipients" if len(plain) == 1 else None
    if len(plain) > 1:
        draft.note("ambiguous_recipient")
    if _text(complaint, "complaintSubType"):
        draft.note("not_sent_by_suppression_list")
    return draft


def _complained(complaint: dict[str, Any]) -> tuple[str, ...]:
    listed = complaint.get("complainedRecipients")
    found = [
        _mapping(one).get("emailAddress") for one in (listed if isinstance(listed, list) else [])[:_MAX_RECIPIENTS]
    ]
    return tuple(address.strip() for address in found if isinstance(address, str) and address.strip())


def _headers(mail: dict[str, Any]) -> Headers | None:
    """The original header as SES repeats it; one line a field."""
    listed = mail.get("headers")
    lines = []
    for one in (listed if isinstance(listed, list) else [])[:_MAX_RECIPIENTS]:
        name, value = _text(_mapping(one), "name"), _text(_mapping(one), "value")
        if name and value and not re.search(r"[\s:]", name):
            lines.append(f"{name}: {' '.join(value.split())}\n")
    return Headers.parse("".join(lines).encode("utf-8")) if lines else None


def _message_id(mail: dict[str, Any]) -> str | None:
    common = _text(_mapping(mail.get("commonHeaders")), "messageId")
    # SES puts its own id into the Message-ID field of what it sends.
    return message_id(common) or _text(mail, "messageId")


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(mapping: dict[str, Any], name: str) -> str | None:
    value = mapping.get(name)
    return encodable(value) if isinstance(value, str) else None
