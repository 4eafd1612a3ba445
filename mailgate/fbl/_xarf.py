"""X-ARF by mail: an abuse report of any kind, as YAML-like lines (version 0.1 and 0.2) or as JSON (3 and 4).

Versions 0.1 and 0.2 are multipart/mixed: prose, a text part of `Name: value` lines, the evidence. Version 3 is a
feedback report (`Feedback-Type: xarf`) whose third part is JSON, version 4 JSON as an attachment. Only what is about
mail can concern a recipient; a report about a login attack is read as well and names nobody.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from mailgate.fbl._draft import Draft
from mailgate.fbl._report import Fields
from mailgate.fbl._returned import find_returned
from mailgate.fbl._values import encodable, ip_address, message_id, number, written_addresses
from mailgate.records import Headers, Mail, Part

MAX_TEXT_CHARACTERS = 256 * 1024
MAX_LINES = 2_000
_MAX_EVIDENCE = 20

_LINE = re.compile(r"(?:- )?\"?'?([A-Za-z][A-Za-z0-9 _-]{0,40}?)\"?'?\s?:(?:[ \t]+(.*))?")
# report type -> word of RFC 5965 7.3
_TYPES = (
    ("opt-out", ("unsubscribe", "optout", "opt-out")),
    ("fraud", ("phish", "fraud", "scam", "spoof")),
    ("virus", ("virus", "malware", "malicious", "trojan", "botnet")),
    ("abuse", ("spam", "bulk", "complaint", "newsletter", "abuse")),
)


def read_xarf(mail: Mail, leaves: Sequence[Part]) -> Draft | None:
    """The draft of an X-ARF report without a feedback-report part; None when it is none."""
    announced = "x-xarf" in mail.headers or "x-arf" in mail.headers
    if len(leaves) < 2:
        return None
    found = _json_part(leaves)
    if found is not None:
        part, report = found
        draft = Draft(form="xarf")
        _read_json(draft, report)
    else:
        text = _text_part(leaves, announced)
        if text is None:
            return None
        part, pairs = text
        draft = Draft(form="xarf")
        _read_lines(draft, pairs)
    draft.returned = draft.returned or find_returned(leaves, part)
    return draft


def merge_xarf(draft: Draft, leaves: Sequence[Part]) -> None:
    """XARF 3 inside a feedback report: what the JSON says goes beside what the report part says."""
    found = _json_part(leaves)
    if found is None:
        return
    inner = Draft(form="xarf")
    _read_json(inner, found[1])
    for name, value in inner.values.items():
        if name == "feedback_type" or draft.values.get(name) in (None, ()):
            draft.values[name] = value
    draft.fields = (*draft.fields, *inner.fields)
    draft.derived += [name for name in inner.derived if name not in draft.derived]
    draft.returned = draft.returned or inner.returned


def _type_of(words: str) -> str:
    lowered = words.lower()
    for kind, marks in _TYPES:
        if any(mark in lowered for mark in marks):
            return kind
    return "other"


# --- versions 0.1 and 0.2 ---------------------------------------------------------------------------------------------


def _text_part(leaves: Sequence[Part], announced: bool) -> tuple[Part, Fields] | None:
    for part in leaves[1:3]:
        if not part.content_type.startswith("text/"):
            continue
        pairs = read_lines(part.text()[:MAX_TEXT_CHARACTERS])
        names = {name.lower() for name, _ in pairs}
        if "reported-from" in names and ("report-type" in names or (announced and "category" in names)):
            return part, pairs
    return None


def read_lines(text: str) -> Fields:
    """`Name: value` lines; `- item` and indented lines below a name are further values of it, comments are left out.

    >>> read_lines("---\\nCategory: abuse  # ours\\nSource: '192.0.2.1'\\nTag:\\n  - a\\n  - b\\n")
    (('Category', 'abuse'), ('Source', '192.0.2.1'), ('Tag', 'a'), ('Tag', 'b'))
    """
    pairs: list[tuple[str, str]] = []
    name = ""
    for line in text.splitlines()[:MAX_LINES]:
        stripped = line.strip()
        if not stripped or stripped[0] == "#" or stripped in ("---", "..."):
            continue
        if line[0] in " \t-" and name:
            pairs.append((name, _scalar(stripped.removeprefix("- "))))
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        name = match[1]
        if match[2]:
            pairs.append((name, _scalar(match[2])))
    return tuple(pairs)


def _scalar(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text.partition(" #")[0].rstrip()


def _read_lines(draft: Draft, pairs: Fields) -> None:
    said: dict[str, str] = {}
    for name, value in pairs:
        said.setdefault(name.lower(), value)
    draft.fields = pairs
    values = draft.values
    draft.derive("feedback_type", _type_of(f"{said.get('report-type', '')}"))
    values["user_agent"] = said.get("user-agent")
    values["version"] = said.get("version")
    values["arrival_date_text"] = said.get("date")
    values["source_ip"] = ip_address(said.get("source", ""))
    values["source_port"] = number(said.get("port", ""))
    values["incidents"] = number(said.get("occurrences", ""))
    values["reported_domain"] = (said["source"],) if "domain" in said.get("source-type", "") else ()
    values["reported_uri"] = (said["source"],) if said.get("source-type", "") in ("uri", "url") else ()
    values["original_envelope_id"] = said.get("report-id")
    values["original_mail_from"] = said.get("envelope-sender")


# --- versions 3 and 4 -------------------------------------------------------------------------------------------------


def _json_part(leaves: Sequence[Part]) -> tuple[Part, Mapping[str, Any]] | None:
    for part in leaves[1:]:
        if "json" not in part.content_type and not (part.filename or "").lower().endswith("xarf.json"):
            continue
        text = part.text()
        if len(text) > 64 * MAX_TEXT_CHARACTERS:
            continue
        try:
            report = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(report, dict) and ("xarf_version" in report or {"Report", "ReporterInfo"} <= report.keys()):
            return part, report
    return None


def _read_json(draft: Draft, report: Mapping[str, Any]) -> None:
    inner = _mapping(report.get("Report")) or report  # version 3 nests, version 4 does not
    draft.fields = tuple((encodable(k), encodable(str(v))) for k, v in inner.items() if isinstance(v, str | int))
    values = draft.values
    kind = f"{_text(inner, 'ReportType', 'type') or ''}"
    draft.derive("feedback_type", _type_of(kind))
    values["version"] = _text(report, "xarf_version", "Version")
    values["arrival_date_text"] = _text(inner, "Date", "timestamp")
    source = _text(inner, "SourceIp", "source_identifier") or ""
    values["source_ip"] = ip_address(source)
    values["source_port"] = number(_text(inner, "SourcePort", "source_port") or "")
    values["original_mail_from"] = _text(inner, "SmtpMailFromAddress", "smtp_from")
    values["original_rcpt_to"] = written_addresses(_text(inner, "SmtpRcptToAddress", "smtp_to") or "")
    values["original_message_id"] = message_id(_text(inner, "SmtpMessageId", "message_id"))
    values["reported_uri"] = tuple(uri for uri in (_text(inner, "SourceUrl", "Url", "url"),) if uri)
    values["original_envelope_id"] = _text(report, "report_id", "ReportID")
    draft.returned = _evidence(inner)


def _evidence(inner: Mapping[str, Any]) -> Headers | None:
    """The header of the first mail among the evidence."""
    listed = inner.get("Samples", inner.get("evidence"))
    for one in (listed if isinstance(listed, list) else [])[:_MAX_EVIDENCE]:
        item = _mapping(one)
        if (_text(item, "ContentType", "content_type") or "").partition(";")[0].strip().lower() != "message/rfc822":
            continue
        payload = (_text(item, "Payload", "payload") or "").encode("utf-8", "replace")
        if item.get("Base64Encoded", "content_type" in item):
            try:
                payload = base64.b64decode(b"".join(payload.split()), validate=True)
            except (binascii.Error, ValueError):
                continue
        headers = Headers.parse(payload)
        if len(headers):
            return headers
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(mapping: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = mapping.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return encodable(str(value))
    return None
