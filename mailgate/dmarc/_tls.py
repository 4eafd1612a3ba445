"""TLS reports (RFC 8460 4): how mail servers fared when they delivered to us over TLS."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from mailgate.dmarc._containers import Document
from mailgate.dmarc._encoding import as_utf8
from mailgate.dmarc._limits import Limits
from mailgate.records import ParseError

POLICY_TYPES = frozenset({"tlsa", "sts", "no-policy-found"})  # RFC 8460 4.2
_MARKS = ("policies", "organization-name", "report-id")
_MAX_SESSIONS = 999_999_999_999
_MAX_ITEMS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFailure:
    """One `failure-details` object (RFC 8460 4.4). result_type: as sent, `unspecified` when empty."""

    result_type: str
    failed_session_count: int
    sending_mta_ip: str | None = None
    receiving_ip: str | None = None
    receiving_mx_hostname: str | None = None
    receiving_mx_helo: str | None = None
    additional_information: str | None = None
    failure_reason_code: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TlsFailure:
        """Read what `to_dict` wrote."""
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPolicy:
    """One policy with its sessions (RFC 8460 4.2, 4.3).

    policy_type: as sent. policy_domain: lower case, None when absent (some leave it out with `no-policy-found`).
    """

    policy_type: str | None
    policy_domain: str | None
    success: int
    failure: int
    policy_string: tuple[str, ...] = ()
    mx_host: tuple[str, ...] = ()
    failure_details: tuple[TlsFailure, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "policy_type": self.policy_type,
            "policy_domain": self.policy_domain,
            "success": self.success,
            "failure": self.failure,
            "policy_string": list(self.policy_string),
            "mx_host": list(self.mx_host),
            "failure_details": [detail.to_dict() for detail in self.failure_details],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TlsPolicy:
        """Read what `to_dict` wrote."""
        return cls(
            **{
                **data,
                "policy_string": tuple(data["policy_string"]),
                "mx_host": tuple(data["mx_host"]),
                "failure_details": tuple(map(TlsFailure.from_dict, data["failure_details"])),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsReport:
    """One TLS report. begin, end: as sent (ISO 8601); `begin_seconds` and `end_seconds` are the same as numbers."""

    org_name: str | None
    report_id: str
    begin: str
    end: str
    begin_seconds: int
    end_seconds: int
    contact_info: str | None
    policies: tuple[TlsPolicy, ...]
    defects: tuple[str, ...] = ()

    @property
    def success(self) -> int:
        """Sessions that went over TLS as the policy asks."""
        return sum(policy.success for policy in self.policies)

    @property
    def failure(self) -> int:
        """Sessions that did not."""
        return sum(policy.failure for policy in self.policies)

    def summary(self) -> dict[str, Any]:
        """The report in one flat mapping of JSON values: a line of `mailgate dmarc --reports --json`."""
        result_types: Counter[str] = Counter()
        for policy in self.policies:
            for detail in policy.failure_details:
                result_types[detail.result_type] += detail.failed_session_count
        return {
            "kind": "tlsrpt",
            "org_name": self.org_name,
            "report_id": self.report_id,
            "begin": self.begin,
            "end": self.end,
            "contact_info": self.contact_info,
            "policies": [[p.policy_type, p.policy_domain, p.success, p.failure] for p in self.policies],
            "success": self.success,
            "failure": self.failure,
            "result_types": dict(result_types),
            "defects": list(self.defects),
        }

    def to_dict(self) -> dict[str, Any]:
        """The whole report as JSON values."""
        return {
            "org_name": self.org_name,
            "report_id": self.report_id,
            "begin": self.begin,
            "end": self.end,
            "begin_seconds": self.begin_seconds,
            "end_seconds": self.end_seconds,
            "contact_info": self.contact_info,
            "policies": [policy.to_dict() for policy in self.policies],
            "defects": list(self.defects),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TlsReport:
        """Read what `to_dict` wrote."""
        policies = tuple(map(TlsPolicy.from_dict, data["policies"]))
        return cls(**{**data, "policies": policies, "defects": tuple(data["defects"])})


def read_tls(document: Document, limits: Limits) -> TlsReport:
    """One JSON document as a TLS report.

    Raises ParseError: `not_a_report` (other JSON), `json_not_wellformed`, `too_large`, `too_deep`,
    `ambiguous_structure` (a name twice in one object), `missing_report_id`, `missing_org_name`, `missing_date_range`,
    `bad_date_range`.
    """
    defects: set[str] = set()
    root = _load(_text(document, limits, defects))
    report_id = _string(root.get("report-id"))
    if not report_id:
        raise ParseError("missing_report_id", "no report-id", field="report-id")
    org_name, contact = _string(root.get("organization-name")), _string(root.get("contact-info"))
    if not contact:
        defects.add("missing_contact_info")
    if not org_name:
        if not contact:
            raise ParseError(
                "missing_org_name", "neither organization-name nor contact-info", field="organization-name"
            )
        defects.add("missing_org_name")
    begin, end, begin_seconds, end_seconds = _period(root.get("date-range"), defects)
    return TlsReport(
        org_name=org_name,
        report_id=report_id,
        begin=begin,
        end=end,
        begin_seconds=begin_seconds,
        end_seconds=end_seconds,
        contact_info=contact,
        policies=tuple(_policy(item, defects) for item in _objects(root.get("policies"), "no_policies", defects)),
        defects=tuple(sorted(defects)),
    )


def _text(document: Document, limits: Limits, defects: set[str]) -> str:
    pieces, size = [], 0
    for piece in as_utf8(document.chunks, defects):
        pieces.append(piece)
        size += len(piece)
        if size > limits.max_json_bytes:
            raise ParseError("too_large", f"more than {limits.max_json_bytes} bytes of JSON", offset=size)
    content = b"".join(pieces)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        defects.add("invalid_bytes")
        return content.decode("utf-8", "replace")


def _load(text: str) -> dict[str, Any]:
    if not any(f'"{mark}"' in text for mark in _MARKS):
        raise ParseError("not_a_report", "JSON without a word of a TLS report", offset=0)
    try:
        root = json.loads(text.strip(" \t\r\n\0"), object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode("utf-8", "replace"))
        raise ParseError("json_not_wellformed", error.msg, offset=offset) from error
    except RecursionError as error:
        raise ParseError("too_deep", "JSON nested too deep") from error
    except ValueError as error:  # a number of more digits than Python turns into one
        raise ParseError("json_not_wellformed", "a number of thousands of digits") from error
    if not isinstance(root, dict):
        raise ParseError("not_a_report", "JSON, but no object", offset=0)
    return root


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        name = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise ParseError("ambiguous_structure", f"{name[:100]!r} twice in one object", field=name[:100])
    return made


def _no_constant(word: str) -> NoReturn:
    raise ParseError("json_not_wellformed", f"{word} is no JSON")


def _string(value: object) -> str | None:
    """A text without what no store takes: NULs and halves of surrogate pairs, which JSON can spell."""
    if not isinstance(value, str):
        return None
    return value.strip().replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8") or None


def _strings(value: object) -> tuple[str, ...]:
    """One string, or the strings of a list; reporters send both."""
    items = value if isinstance(value, list) else [value]
    return tuple(text for text in map(_string, items[:_MAX_ITEMS]) if text is not None)


def _objects(value: object, defect: str, defects: set[str]) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else []
    found = [item for item in items[:_MAX_ITEMS] if isinstance(item, dict)]
    if not found or len(found) != len(items):
        defects.add(defect)
    return found


def _count(value: object, defects: set[str]) -> int:
    """A JSON number without fraction or sign; anything else counts nothing, as in `_facet.message_count`."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_SESSIONS:
        return value
    defects.add("bad_count")
    return 0


def _period(value: object, defects: set[str]) -> tuple[str, str, int, int]:
    texts = [_string(value.get(name)) if isinstance(value, dict) else None for name in _RANGE]
    begin, end = texts
    if begin is None or end is None:
        raise ParseError("missing_date_range", "no start-datetime and end-datetime", field="date-range")
    begin_seconds, end_seconds = (_seconds(text, defects) for text in (begin, end))
    if begin_seconds > end_seconds:
        raise ParseError("bad_date_range", f"ends ({end}) before it begins ({begin})", field="date-range")
    return begin, end, begin_seconds, end_seconds


_RANGE = ("start-datetime", "end-datetime")
_WRITTEN_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt]| {1,2})(\d\d:\d\d):(\d\d)(\.\d{1,9})? ?([+-]\d\d:?\d\d)? ?(Z|UTC|GMT)?",
    re.ASCII | re.IGNORECASE,
)


def _seconds(text: str, defects: set[str]) -> int:
    try:
        instant = datetime.fromisoformat(_iso(text))
        if instant.tzinfo is None:
            defects.add("missing_time_zone")
            instant = instant.replace(tzinfo=UTC)
        seconds = int(instant.timestamp())
    except (ValueError, OverflowError) as error:
        raise ParseError("bad_date_range", f"not an RFC 3339 time: {text[:40]!r}", field="date-range") from error
    if seconds < 0:
        raise ParseError("bad_date_range", f"before 1970: {text[:40]!r}", field="date-range")
    return seconds


def _iso(text: str) -> str:
    """The time as Python reads it: RFC 3339 allows small letters and a leap second, Go writes `+0000 UTC`."""
    match = _WRITTEN_TIME.fullmatch(text)
    if match is None:
        return text
    day, hour_and_minute, second, fraction, offset, zone = match.groups()
    second = "59" if second == "60" else second
    return f"{day}T{hour_and_minute}:{second}{fraction or ''}{offset or ('+00:00' if zone else '')}"


def _policy(item: dict[str, Any], defects: set[str]) -> TlsPolicy:
    policy = item.get("policy")
    policy = policy if isinstance(policy, dict) else {}
    summary = item.get("summary")
    summary = summary if isinstance(summary, dict) else {}
    policy_type, domain = _string(policy.get("policy-type")), _string(policy.get("policy-domain"))
    if policy_type not in POLICY_TYPES:
        defects.add("bad_policy_type")
    if domain is None:
        defects.add("missing_policy_domain")
    if "mx-host-pattern" in policy:
        defects.add("mx_host_pattern")
    if isinstance(policy.get("mx-host"), str):
        defects.add("mx_host_not_a_list")
    details = item.get("failure-details")
    return TlsPolicy(
        policy_type=policy_type,
        policy_domain=None if domain is None else domain.lower(),
        success=_count(summary.get("total-successful-session-count"), defects),
        failure=_count(summary.get("total-failure-session-count"), defects),
        policy_string=_strings(policy.get("policy-string")),
        mx_host=_strings(policy.get("mx-host")) or _strings(policy.get("mx-host-pattern")),
        failure_details=tuple(
            _failure(detail, defects)
            for detail in (_objects(details, "bad_failure_details", defects) if details else ())
        ),
    )


def _failure(detail: dict[str, Any], defects: set[str]) -> TlsFailure:
    sending = _string(detail.get("sending-mta-ip"))
    if sending is None:  # Microsoft leaves it out with sts-policy-fetch-error
        defects.add("missing_sending_mta_ip")
    if "additional-info-uri" in detail:
        defects.add("additional_info_uri")
    return TlsFailure(
        result_type=_string(detail.get("result-type")) or "unspecified",
        failed_session_count=_count(detail.get("failed-session-count"), defects),
        sending_mta_ip=sending,
        receiving_ip=_string(detail.get("receiving-ip")),
        receiving_mx_hostname=_string(detail.get("receiving-mx-hostname")),
        receiving_mx_helo=_string(detail.get("receiving-mx-helo")),
        additional_information=_string(detail.get("additional-information"))
        or _string(detail.get("additional-info-uri")),
        failure_reason_code=_string(detail.get("failure-reason-code")),
    )
