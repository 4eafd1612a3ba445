"""The fields of a feedback report, read by one table (RFC 5965 3, RFC 6591 3.2, RFC 6692, RFC 9477 3.3, RFC 9991).

A field that may stand once and stands twice gives its first value that can be read, and a defect. Fields that no row
names are kept as they are in `FeedbackReport.fields`.
"""

from __future__ import annotations

import base64
import binascii
import codecs
from collections.abc import Callable
from typing import Any

from mailgate.fbl._dates import parse_date
from mailgate.fbl._draft import Draft
from mailgate.fbl._report import AuthFailure, Fields
from mailgate.fbl._values import ip_address, message_id, number, unbracketed, word, written_address, written_addresses
from mailgate.records import Headers

MAX_FIELD_BYTES = 1024 * 1024  # a canonicalized body is one field
MAX_FIELDS = 5_000
MAX_GROUPS = 20

# The three that RFC 5965 3.1 requires.
REQUIRED = ("feedback-type", "user-agent", "version")


def _text(value: str) -> str | None:
    return value or None


# field name in lower case -> (attribute, reader); the reader's None is "could not be read".
_ONCE: dict[str, tuple[str, Callable[[str], Any]]] = {
    "feedback-type": ("feedback_type", lambda value: word(value) or None),
    "user-agent": ("user_agent", _text),
    "version": ("version", _text),
    "original-mail-from": ("original_mail_from", written_address),
    "arrival-date": ("arrival_date_text", _text),
    "received-date": ("received_date", _text),
    "source-ip": ("source_ip", ip_address),
    "source-port": ("source_port", number),
    "incidents": ("incidents", number),
    "original-envelope-id": ("original_envelope_id", _text),
    "reporting-mta": ("reporting_mta", lambda value: value.partition(";")[2].strip() or _text(value)),
    "original-message-id": ("original_message_id", message_id),
    "message-id": ("message_id", message_id),
    "cfbl-feedback-id": ("cfbl_feedback_id", _text),
}
_REPEATED: dict[str, tuple[str, Callable[[str], tuple[str, ...]]]] = {
    "original-rcpt-to": ("original_rcpt_to", written_addresses),
    "removal-recipient": ("removal_recipient", written_addresses),
    "reported-domain": ("reported_domain", lambda value: (value,) if value else ()),
    "reported-uri": ("reported_uri", lambda value: (unbracketed(value),) if value else ()),
    "authentication-results": ("authentication_results", lambda value: (value,)),
}
_AUTH: dict[str, tuple[str, Callable[[str], Any]]] = {
    "auth-failure": ("auth_failure", lambda value: word(value) or None),
    "delivery-result": ("delivery_result", lambda value: word(value) or None),
    "identity-alignment": (
        "identity_alignment",
        lambda value: tuple(value.partition("(")[0].lower().replace(",", " ").split()),
    ),
    "dkim-domain": ("dkim_domain", _text),
    "dkim-identity": ("dkim_identity", _text),
    "dkim-selector": ("dkim_selector", _text),
    "dkim-selector-dns": ("dkim_selector_dns", _text),
    "dkim-adsp-dns": ("dkim_adsp_dns", _text),
    "dkim-canonicalized-header": ("dkim_canonicalized_header", lambda value: _decoded(value)),
    "dkim-canonicalized-body": ("dkim_canonicalized_body", lambda value: _decoded(value)),
    "spf-dns": ("spf_dns", lambda value: (value,) if value else ()),
}
_KNOWN = frozenset((*_ONCE, *_REPEATED, *_AUTH))


def read_block(content: bytes) -> Fields:
    """The fields of a report part, names and values as written, unfolded; at most 5,000.

    QUIRK: blank lines between the fields; groups behind the first are read when all their fields are known ones.
    """
    pairs: list[tuple[str, str]] = []
    content = content.removeprefix(codecs.BOM_UTF8)
    for index, group in enumerate(Headers.groups(content, max_field_bytes=MAX_FIELD_BYTES)):
        items = list(group.items())
        if not pairs or all(name.lower() in _KNOWN for name, _ in items):
            pairs += items
        if index + 1 >= MAX_GROUPS or len(pairs) >= MAX_FIELDS:
            break
    return tuple(pairs[:MAX_FIELDS])


def is_feedback(pairs: Fields) -> bool:
    """True when the fields can only be those of a feedback report, whatever type the part claims to have."""
    names = {name.lower() for name, _ in pairs}
    return "feedback-type" in names and ("version" in names or "user-agent" in names)


def read_values(draft: Draft, pairs: Fields) -> None:
    """Fill the draft from the fields of its report part."""
    values, seen = draft.values, set()
    auth: dict[str, Any] = {}
    draft.fields = pairs
    for name, value in pairs:
        key = name.lower()
        row = _ONCE.get(key)
        if row is not None:
            if key in seen:
                draft.note(f"repeated_{key.replace('-', '_')}")
            if values.get(row[0]) is None:
                values[row[0]] = row[1](value)
            seen.add(key)
        elif key in _REPEATED:
            attribute, many = _REPEATED[key]
            values[attribute] = values.get(attribute, ()) + many(value)
        elif key in _AUTH:
            attribute, reader = _AUTH[key]
            auth[attribute] = (
                auth.get(attribute, ()) + reader(value) if key == "spf-dns" else auth.get(attribute) or reader(value)
            )
    _finish(draft, seen, auth)


def _finish(draft: Draft, seen: set[str], auth: dict[str, Any]) -> None:
    values = draft.values
    for name in REQUIRED:
        if name not in seen:
            draft.note(f"missing_{name.replace('-', '_')}")
    received = values.pop("received_date", None)
    # Received-Date is the name of the drafts; Yahoo, AOL and Comcast still write it.
    if values.get("arrival_date_text") is None:
        values["arrival_date_text"] = received
    if values["arrival_date_text"] is not None and parse_date(values["arrival_date_text"]) is None:
        draft.note("bad_arrival_date")
    if "source-ip" in seen and values["source_ip"] is None:
        draft.note("masked_source_ip")
    if "incidents" in seen and values["incidents"] is None:
        draft.note("bad_incidents")
    # QUIRK: DMARC failure reports give the Message-ID of the reported mail as Message-ID.
    own = values.pop("message_id", None)
    if values.get("original_message_id") is None:
        values["original_message_id"] = own
    if auth or values.get("feedback_type") == "auth-failure":
        values["auth_failure"] = AuthFailure(**{name: value for name, value in auth.items() if value is not None})
        if "feedback-type" not in seen:
            draft.derive("feedback_type", "auth-failure")
    for name in ("dkim_canonicalized_header", "dkim_canonicalized_body"):
        if name in auth and auth[name] is None:
            draft.note(f"bad_{name}")


def _decoded(value: str) -> bytes | None:
    """Base64 in which folds may stand anywhere and everything outside the alphabet is skipped (RFC 6591 2.3)."""
    try:
        return base64.b64decode(value.encode("ascii", "ignore"))
    except (binascii.Error, ValueError):
        return None
