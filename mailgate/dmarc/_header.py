"""Whose report it is, for what and when: the fields without which nothing can be counted, each refused by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mailgate.dmarc._fields import HeaderFields
from mailgate.dmarc._report import PolicyPublished
from mailgate.records import ParseError

LONG_PERIOD_SECONDS = 25 * 3600  # one day and an hour of slack, for a change of summer time

# Up to eleven digits: twelve and more are milliseconds. A fraction (NetEase) is cut off.
_TIMESTAMP = re.compile(r"(\d{1,11})(\.\d{0,9})?", re.ASCII)
_POLICY_WORD = re.compile(r"none|quarantine|reject")
_LEGAL = {
    "p": _POLICY_WORD,
    "sp": _POLICY_WORD,
    "np": _POLICY_WORD,
    "pct": re.compile(r"0*(100|\d{1,2})", re.ASCII),
    "adkim": re.compile(r"[rs]"),
    "aspf": re.compile(r"[rs]"),
    "fo": re.compile(r"[01ds](:[01ds]){0,3}"),
    "testing": re.compile(r"[yn]"),
    "discovery_method": re.compile(r"psl|treewalk"),
}


class HeaderError(ParseError):
    """A header that cannot be counted; org_name: who sent it, when it says so. place: (element, how many of it come
    before), the place of the fault.
    """

    def __init__(self, error: ParseError, org_name: str | None, place: tuple[str, int], offset: int | None) -> None:
        super().__init__(error.error, error.message, field=error.field, offset=offset)
        self.org_name = org_name
        self.place = place


# Where a fault lies when its element is missing: in the element that should hold it.
_PLACES = {
    "missing_report_metadata": "feedback",
    "missing_policy_published": "feedback",
    "missing_report_id": "report_metadata",
    "missing_org_name": "report_metadata",
    "missing_date_range": "report_metadata",
    "missing_policy_domain": "policy_published",
    "no_records": "feedback",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Everything of an aggregate report but its records; the fields are those of `AggregateReport`."""

    org_name: str | None
    email: str | None
    report_id: str
    begin: int
    end: int
    policy_published: PolicyPublished
    extra_contact_info: str | None
    errors: tuple[str, ...]
    generator: str | None
    version: str | None


def judge_header(fields: HeaderFields, records: int, defects: set[str]) -> Header:
    """The header, oddities added to `defects`.

    Raises HeaderError, the first of: `missing_report_metadata`, `missing_policy_published`, `ambiguous_structure`,
    `missing_report_id`, `missing_org_name`, `missing_date_range`, `bad_date_range`, `missing_policy_domain`,
    `no_records`. RFC 9990 3.1.1.2 asks for one metadata, one policy and at least one record.
    """
    try:
        return _judge(fields, records, defects)
    except ParseError as error:
        place = _PLACES.get(error.error) or error.field or "feedback"
        before = 1 if error.error == "ambiguous_structure" else 0
        raise HeaderError(error, _first(fields.org_names), (place, before), None) from error


def _judge(fields: HeaderFields, records: int, defects: set[str]) -> Header:
    if not fields.report_metadata:
        raise ParseError("missing_report_metadata", "no report_metadata", field="report_metadata")
    if not fields.policy_published:
        raise ParseError("missing_policy_published", "no policy_published", field="policy_published")
    for name, how_many in (("report_metadata", fields.report_metadata), ("policy_published", fields.policy_published)):
        if how_many > 1:
            raise ParseError("ambiguous_structure", f"{how_many} times {name}", field=name)
    report_id = _one(fields.report_ids, "report_id")
    org_name, email = _one(fields.org_names, "org_name"), _first(fields.emails)
    begin_text, end_text = _one(fields.begins, "begin"), _one(fields.ends, "end")
    domain = _one(fields.domains, "domain")
    if not report_id:
        raise ParseError("missing_report_id", "no report_id", field="report_id")
    if not org_name:
        if not email:
            raise ParseError("missing_org_name", "neither org_name nor email", field="org_name")
        defects.add("missing_org_name")
    begin, end = _period(begin_text, end_text, defects)
    if not domain:
        raise ParseError("missing_policy_domain", "no domain in policy_published", field="domain")
    if not records:
        raise ParseError("no_records", "not one record; RFC 9990 3.1.1.2 asks for one at least", field="record")
    if fields.namespaced:
        defects.add("namespace")
    if fields.data_range_alias:
        defects.add("data_range_alias")
    return Header(
        org_name=org_name,
        email=email,
        report_id=report_id,
        begin=begin,
        end=end,
        policy_published=_policy(fields.policy, domain, defects),
        extra_contact_info=_first(fields.extra_contact_info),
        errors=tuple(filter(None, fields.errors)),
        generator=_first(fields.generator),
        version=_first(fields.version),
    )


def _first(values: tuple[str, ...]) -> str | None:
    return next(filter(None, values), None)


def _one(values: tuple[str, ...], field: str) -> str | None:
    """The one value there is; two different ones would make two reports of one."""
    if len(set(values)) > 1:
        raise ParseError("ambiguous_structure", f"{len(values)} times {field}, not alike", field=field)
    return _first(values)


def _period(begin_text: str | None, end_text: str | None, defects: set[str]) -> tuple[int, int]:
    for name, text in (("begin", begin_text), ("end", end_text)):
        if not text:
            raise ParseError("missing_date_range", f"no {name} in date_range", field=name)
    begin, end = (_timestamp(name, text or "", defects) for name, text in (("begin", begin_text), ("end", end_text)))
    if begin > end:
        raise ParseError("bad_date_range", f"ends ({end}) before it begins ({begin})", field="end")
    if end - begin > LONG_PERIOD_SECONDS:
        defects.add("long_period")
    return begin, end


def _timestamp(name: str, text: str, defects: set[str]) -> int:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ParseError("bad_date_range", f"{name} is not a number of seconds: {text[:40]!r}", field=name)
    if match[2]:
        defects.add("fractional_timestamp")
    return int(match[1])


def _policy(elements: tuple[tuple[str, str], ...], domain: str, defects: set[str]) -> PolicyPublished:
    found, odd = _policy_words(elements)
    defects.update(odd)
    return PolicyPublished(domain=domain.lower(), **found)


@lru_cache(maxsize=256)
def _policy_words(elements: tuple[tuple[str, str], ...]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Fields of `PolicyPublished`, and what was odd; a domain's policy is the same in a thousand reports."""
    found: dict[str, Any] = {}
    defects: set[str] = set()
    for name, text in elements:
        if name in found:
            continue
        word = text.lower()
        found[name] = word if _LEGAL[name].fullmatch(word) else None
        if found[name] is None:
            defects.add("bad_policy_value" if word else "empty_policy_value")
    if found.get("pct") is not None:
        found["pct"] = int(found["pct"])
    return found, tuple(defects)
