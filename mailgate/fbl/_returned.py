"""The returned message of a report: where it lies and what of its header is used (RFC 5965 2, rule d)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from mailgate.fbl._dates import parse_date
from mailgate.fbl._draft import Draft
from mailgate.fbl._report import Fields
from mailgate.fbl._values import ip_address, message_id, written_address
from mailgate.records import Headers, ParseError, Part

REPORT_TYPES = frozenset(("message/feedback-report", "text/feedback-report", "application/feedback-report"))
# QUIRK: the singular (set-of-emails arf-12), message/* for header-only parts, Zoho's text/rfc822.
RETURNED_TYPES = frozenset(
    (
        "message/rfc822",
        "message/global",
        "text/rfc822-headers",
        "text/rfc822-header",
        "message/rfc822-headers",
        "message/rfc822-header",
        "message/global-headers",
        "text/rfc822",
        "message/partial",
    )
)
_GENERIC_TYPES = frozenset(("text/plain", "application/octet-stream", "message/external-body", "text/x-rfc822-headers"))
_SENDER_IP = re.compile(r"sender IP is ([0-9A-Fa-f:.]{2,45})", re.IGNORECASE)
_CLIENT_IP = re.compile(r"client-ip=\"?\[?([0-9A-Fa-f:.]{2,45})", re.IGNORECASE)
_MAILFROM = re.compile(r"smtp\.mailfrom=([^\s;\"<>]{1,320})", re.IGNORECASE)
_INTERNAL = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16"))
) + tuple(map(ipaddress.ip_network, ("::1/128", "fe80::/10", "fc00::/7")))
_MAX_RECEIVED = 20


def find_returned(leaves: Sequence[Part], report: Part | None) -> Headers | None:
    """The header of the returned message: the part of such a type behind the report part, else before it.

    When no part has such a type, the last part behind the report part that begins like a message header.
    """
    at = next((index for index, part in enumerate(leaves) if part is report), -1)
    ordered = (*leaves[at + 1 :], *leaves[: max(at, 0)])
    for part in ordered:
        if part.content_type in RETURNED_TYPES:
            return _header(part)
    if report is None:
        return None
    for part in leaves[at + 1 :]:
        if part.content_type in _GENERIC_TYPES:
            header = _header(part)
            if header is not None and ("from" in header or "received" in header) and "subject" in header:
                return header
    return None


def _header(part: Part) -> Headers | None:
    try:
        headers = part.message().headers
    except ParseError:
        return None
    return headers if len(headers) else None


def keep(headers: Headers, names: Sequence[str]) -> Fields:
    """The named fields, in the order of `names`, as written."""
    kept = []
    for name in names:
        value = headers.get(name)
        if value is not None:
            kept.append((name, value))
    return tuple(kept)


def take_message_id(draft: Draft) -> None:
    """The Message-ID of the returned message goes before what the report part says about it."""
    if draft.returned is None:
        return
    own = message_id(draft.returned.get("message-id"))
    if own is not None and draft.values.get("original_message_id") != own:
        draft.derive("original_message_id", own)
    feedback_id = draft.returned.get("cfbl-feedback-id")
    if feedback_id and draft.values.get("cfbl_feedback_id") is None:
        draft.derive("cfbl_feedback_id", feedback_id)


def fill_sparse(draft: Draft) -> None:
    """Source IP, arrival date and envelope sender out of the returned header, where the report part has none."""
    headers, values = draft.returned, draft.values
    if headers is None:
        return
    if values.get("source_ip") is None and (found := _source_ip(headers)) is not None:
        draft.derive("source_ip", found)
    if values.get("arrival_date_text") is None and (date := _arrival(headers)) is not None:
        draft.derive("arrival_date_text", date)
        draft.derived[-1] = "arrival_date"
    if values.get("original_mail_from") is None and (sender := _mail_from(headers)) is not None:
        draft.derive("original_mail_from", sender)


def _source_ip(headers: Headers) -> str | None:
    """What the reporter's own border said, topmost first; an address inside a house is not the source."""
    for name, pattern in (("authentication-results", _SENDER_IP), ("received-spf", _CLIENT_IP)):
        for value in headers.get_all(name)[:_MAX_RECEIVED]:
            match = pattern.search(value)
            found = None if match is None else ip_address(match[1])
            if found is not None:
                return found
    for value in headers.get_all("received")[:_MAX_RECEIVED]:
        found = ip_address(value.partition(" by ")[0])
        if found is not None and not _is_internal(found):
            return found
    return None


def _is_internal(text: str) -> bool:
    # QUIRK: octets with leading zeros; `ipaddress` refuses them.
    plain = text if ":" in text else ".".join(str(int(octet)) for octet in text.split("."))
    address = ipaddress.ip_address(plain)
    return any(address.version == network.version and address in network for network in _INTERNAL)


def _arrival(headers: Headers) -> str | None:
    for value in headers.get_all("received")[:1]:
        date = value.rpartition(";")[2].strip()
        if parse_date(date) is not None:
            return date
    return None


def _mail_from(headers: Headers) -> str | None:
    path = headers.get("return-path")
    if path is not None:
        return written_address(path)
    for value in headers.get_all("authentication-results")[:_MAX_RECEIVED]:
        match = _MAILFROM.search(value)
        if match is not None:
            return match[1]
    return None
