"""What one aggregate report says, in the words of its schema, and what a file that is not one is refused for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# RFC 7489 7.2 (appendix C) and RFC 9990 3.1.1.12, 3.1.1.13; everything else is reported as `other`.
DKIM_WORDS = frozenset({"none", "pass", "fail", "policy", "neutral", "temperror", "permerror"})
SPF_WORDS = DKIM_WORDS | {"softfail"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPublished:
    """The policy that the reporter saw; None where it is absent, empty or not a legal word.

    domain: lower case, as sent otherwise. pct: 0 to 100; gone since RFC 9990, kept when sent. testing: `y` or `n`.
    discovery_method: `psl` or `treewalk`. Defaults are not filled in: an absent `adkim` is None, not `r`.
    """

    domain: str
    p: str | None = None
    sp: str | None = None
    np: str | None = None
    pct: int | None = None
    adkim: str | None = None
    aspf: str | None = None
    fo: str | None = None
    testing: str | None = None
    discovery_method: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, without `domain` (which the report names)."""
        return {
            "p": self.p,
            "sp": self.sp,
            "np": self.np,
            "pct": self.pct,
            "adkim": self.adkim,
            "aspf": self.aspf,
            "fo": self.fo,
            "testing": self.testing,
            "discovery_method": self.discovery_method,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, domain: str) -> PolicyPublished:
        """Read what `to_dict` wrote."""
        return cls(domain=domain, **{name: data.get(name) for name in cls.__slots__ if name != "domain"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimResult:
    """One DKIM signature as the receiver judged it (RFC 9990 3.1.1.12). result: as sent, lower case, "" when empty."""

    domain: str | None
    selector: str | None
    result: str
    human_result: str | None = None

    @property
    def word(self) -> str:
        """`result` when the schema knows it, else `other`."""
        return self.result if self.result in DKIM_WORDS else "other"

    def to_dict(self) -> dict[str, str | None]:
        """The record as JSON values."""
        return {
            "domain": self.domain,
            "selector": self.selector,
            "result": self.result,
            "human_result": self.human_result,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DkimResult:
        """Read what `to_dict` wrote."""
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfResult:
    """One SPF check (RFC 9990 3.1.1.13). scope: `mfrom` or `helo` as sent, None when absent."""

    domain: str | None
    scope: str | None
    result: str
    human_result: str | None = None

    @property
    def word(self) -> str:
        """`result` when the schema knows it, else `other`."""
        return self.result if self.result in SPF_WORDS else "other"

    def to_dict(self) -> dict[str, str | None]:
        """The record as JSON values."""
        return {"domain": self.domain, "scope": self.scope, "result": self.result, "human_result": self.human_result}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SpfResult:
        """Read what `to_dict` wrote."""
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideReason:
    """Why the reporter did not apply the policy (RFC 9990 3.1.6). type: lower case, `unspecified` when empty."""

    type: str
    comment: str | None = None

    def to_dict(self) -> dict[str, str | None]:
        """The record as JSON values."""
        return {"type": self.type, "comment": self.comment}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> OverrideReason:
        """Read what `to_dict` wrote."""
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One usable record: so many messages from one address with one outcome.

    source_ip: normal form (IPv6 as RFC 5952 4 writes it, an IPv4-mapped address as IPv4). count: 0 to 999,999,999,999.
    disposition: lower case, `unspecified` when absent. dkim, spf: the reporter's word about *alignment*, lower case,
    None when absent or empty. header_from: lower case; the policy domain when the record has none.
    dkim_results, spf_results: the raw checks, uninterpreted, in the reporter's order.
    """

    source_ip: str
    count: int
    disposition: str
    dkim: str | None
    spf: str | None
    reasons: tuple[OverrideReason, ...]
    header_from: str
    envelope_from: str | None
    envelope_to: str | None
    dkim_results: tuple[DkimResult, ...]
    spf_results: tuple[SpfResult, ...]

    @property
    def dkim_aligned(self) -> bool:
        """DKIM passed in alignment, by the reporter's word (RFC 9990 3.1.1.9)."""
        return self.dkim == "pass"

    @property
    def spf_aligned(self) -> bool:
        """SPF passed in alignment, by the reporter's word (RFC 9990 3.1.1.9)."""
        return self.spf == "pass"

    @property
    def dmarc_pass(self) -> bool:
        """Either of the two."""
        return self.dkim == "pass" or self.spf == "pass"

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "source_ip": self.source_ip,
            "count": self.count,
            "disposition": self.disposition,
            "dkim": self.dkim,
            "spf": self.spf,
            "reasons": [reason.to_dict() for reason in self.reasons],
            "header_from": self.header_from,
            "envelope_from": self.envelope_from,
            "envelope_to": self.envelope_to,
            "dkim_results": [result.to_dict() for result in self.dkim_results],
            "spf_results": [result.to_dict() for result in self.spf_results],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ReportRow:
        """Read what `to_dict` wrote."""
        return cls(
            **{
                **data,
                "reasons": tuple(map(OverrideReason.from_dict, data["reasons"])),
                "dkim_results": tuple(map(DkimResult.from_dict, data["dkim_results"])),
                "spf_results": tuple(map(SpfResult.from_dict, data["spf_results"])),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedRecord:
    """A record that cannot be counted, as evidence. number: its place, from 1; the texts cut to 100 characters."""

    number: int
    source_ip: str
    count: str

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {"number": self.number, "source_ip": self.source_ip, "count": self.count}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SkippedRecord:
        """Read what `to_dict` wrote."""
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class AggregateReport:
    """One aggregate report (RFC 7489 7.2, RFC 9990 3.1).

    org_name, report_id: trimmed, otherwise as sent; org_name None when empty (then `email` is not).
    begin, end: seconds since 1970 in UTC, end inclusive or not as the reporter likes it.
    errors: what the reporter found wrong with the policy record. rows: the usable records in their order.
    records: `record` elements, usable or not. skipped: the first 100 of those that are not.
    dkim_results: DKIM result elements of the usable records, also those above `Limits.max_results`, which the rows do
    not hold. defects: oddities read through, sorted.
    """

    org_name: str | None
    email: str | None
    report_id: str
    begin: int
    end: int
    policy_published: PolicyPublished
    rows: tuple[ReportRow, ...]
    records: int
    dkim_results: int
    skipped: tuple[SkippedRecord, ...] = ()
    extra_contact_info: str | None = None
    errors: tuple[str, ...] = ()
    generator: str | None = None
    version: str | None = None
    defects: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """The policy domain."""
        return self.policy_published.domain

    @property
    def messages(self) -> int:
        """Messages in all usable records."""
        return sum(row.count for row in self.rows)

    def summary(self) -> dict[str, Any]:
        """The report in one flat mapping of JSON values, rows added up: a line of `mailgate dmarc --reports --json`."""
        disposition: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        passed = dkim = spf = 0
        for row in self.rows:
            count = row.count
            disposition[row.disposition] += count
            for kind in dict.fromkeys(reason.type for reason in row.reasons):
                reasons[kind] += count
            passed += count * row.dmarc_pass
            dkim += count * row.dkim_aligned
            spf += count * row.spf_aligned
        return {
            "kind": "rua",
            "org_name": self.org_name,
            "email": self.email,
            "report_id": self.report_id,
            "begin": self.begin,
            "end": self.end,
            "domain": self.domain,
            "policy": self.policy_published.to_dict(),
            "records": self.records,
            "usable_records": len(self.rows),
            "messages": self.messages,
            "dmarc_pass": passed,
            "dkim_aligned": dkim,
            "spf_aligned": spf,
            "disposition": dict(disposition),
            "reasons": dict(reasons),
            "source_ips": len({row.source_ip for row in self.rows}),
            "dkim_results": self.dkim_results,
            "defects": list(self.defects),
        }

    def to_dict(self) -> dict[str, Any]:
        """The whole report as JSON values."""
        return {
            "org_name": self.org_name,
            "email": self.email,
            "extra_contact_info": self.extra_contact_info,
            "report_id": self.report_id,
            "begin": self.begin,
            "end": self.end,
            "errors": list(self.errors),
            "generator": self.generator,
            "version": self.version,
            "domain": self.domain,
            "policy_published": self.policy_published.to_dict(),
            "rows": [row.to_dict() for row in self.rows],
            "records": self.records,
            "skipped": [record.to_dict() for record in self.skipped],
            "dkim_results": self.dkim_results,
            "defects": list(self.defects),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AggregateReport:
        """Read what `to_dict` wrote."""
        fields = {name: value for name, value in data.items() if name != "domain"}
        return cls(
            **{
                **fields,
                "policy_published": PolicyPublished.from_dict(data["policy_published"], domain=data["domain"]),
                "rows": tuple(map(ReportRow.from_dict, data["rows"])),
                "skipped": tuple(map(SkippedRecord.from_dict, data["skipped"])),
                "errors": tuple(data["errors"]),
                "defects": tuple(data["defects"]),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A report that cannot be counted, and why; data, not an exception, so that one bad file stops nothing.

    error: the class (`archive_corrupt`, `archive_no_report`, `not_a_report`, `dtd_forbidden`, `xml_not_wellformed`,
    `missing_report_metadata`, …; the manual has them all). field: the element at fault, None when there is none.
    offset: byte offset in the innermost unpacked document (in the archive, for a fault of the archive).
    member: name of the zip member or attachment it came from, for people only. org_name: who sent it, when known.
    """

    error: str
    message: str
    field: str | None = None
    offset: int | None = None
    member: str | None = None
    org_name: str | None = None

    def __str__(self) -> str:
        where = f"{self.member}: " if self.member else ""
        place = (f", field {self.field}" if self.field else "") + (
            f", byte {self.offset}" if self.offset is not None else ""
        )
        return f"{where}{self.error}: {self.message}{place}"

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "error": self.error,
            "message": self.message,
            "field": self.field,
            "offset": self.offset,
            "member": self.member,
            "org_name": self.org_name,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Refusal:
        """Read what `to_dict` wrote."""
        return cls(**data)
