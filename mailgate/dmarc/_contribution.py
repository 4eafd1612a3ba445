"""What one report adds to a rollup: its identity, and messages by outcome and source.

Two contributions with the same key are two copies of one report; `order` says which of them counts. It is a total
order over everything that a contribution holds, so keeping the greatest of any set does not depend on who came first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from mailgate.dmarc._containers import Document
from mailgate.dmarc._facet import Facet, Outcome, domain_key
from mailgate.dmarc._limits import Limits
from mailgate.dmarc._reader import read_feedback
from mailgate.dmarc._report import PolicyPublished
from mailgate.dmarc._tls import TlsReport

OTHER = "other"
_DISPOSITIONS = ("none", "quarantine", "reject", "pass")
_MAX_TEXT = 1_000
_MAX_OPENED = 1_024  # facets that are kept beside their cells; the cells themselves have limits of their own


# Trust, messages, records, digest, hash of the defects: the texts are hexadecimal, so that every database sorts them
# as Python does, whatever its collation.
Order: TypeAlias = tuple[int, int, int, str, str]


class Trust(StrEnum):
    """What our own server said about the mail that brought the report (RFC 9990 3.5.2 asks for an aligned pass)."""

    PASS = "pass"  # noqa: S105 - a word of RFC 8601, no password
    UNKNOWN = "unknown"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        """Higher is better."""
        return {"pass": 2, "unknown": 1, "fail": 0}[self]


def canonical(value: Any) -> str:
    """The one JSON text of a value: keys sorted, no white space, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Messages with one outcome, by source address (`other` above the limits); in no particular order."""

    outcome: Outcome
    sources: tuple[tuple[str, int], ...]

    @property
    def messages(self) -> int:
        """All of them."""
        return sum(count for _, count in self.sources)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, sources sorted."""
        return {**self.outcome.to_dict(), "sources": dict(sorted(self.sources))}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Cell:
        """Read what `to_dict` wrote."""
        sources = tuple((str(source), _natural(count)) for source, count in data["sources"].items())
        return cls(outcome=Outcome.from_dict(data), sources=sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One aggregate report in a rollup.

    org: the reporter's org_name, else the domain of its email. domain: policy domain as A-labels.
    messages, records: of the usable records. policy: as published. cells: see `Cell`.
    """

    org: str
    report_id: str
    domain: str
    begin: int
    end: int
    messages: int
    records: int
    policy: PolicyPublished
    cells: tuple[Cell, ...]
    trust: Trust = Trust.UNKNOWN
    defects: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The report's identity, as 32 hexadecimal digits: org, report_id, domain, begin and end.

        Less than these five loses reports in the wild: some reporters use an id again each day.
        """
        return _key("rua", self.org, self.report_id, self.domain, self.begin, self.end)

    @property
    def weight(self) -> tuple[int, int]:
        """(messages, records)."""
        return self.messages, self.records

    @property
    def digest(self) -> str:
        """SHA-256 over policy and cells in canonical form: the same for the same rows in any order or container."""
        cells = sorted(canonical(cell.to_dict()) for cell in self.cells)
        return _sha256(canonical([self.policy.to_dict(), cells]))

    def order(self) -> Order:
        """Which of two copies counts: better trust, then more messages, more records, then digest and the rest."""
        return self.trust.rank, self.messages, self.records, self.digest, _key(*self.defects)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, cells sorted."""
        return {
            "org": self.org,
            "report_id": self.report_id,
            "domain": self.domain,
            "begin": self.begin,
            "end": self.end,
            "weight": list(self.weight),
            "digest": self.digest,
            "trust": str(self.trust),
            "policy": self.policy.to_dict(),
            "cells": sorted((cell.to_dict() for cell in self.cells), key=canonical),
            "defects": list(self.defects),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Contribution:
        """Read what `to_dict` wrote; weight and digest are worked out anew. KeyError, TypeError, ValueError else."""
        cells = tuple(map(Cell.from_dict, data["cells"]))
        domain = str(data["domain"])
        return cls(
            org=str(data["org"]),
            report_id=str(data["report_id"]),
            domain=domain,
            begin=_natural(data["begin"]),
            end=_natural(data["end"]),
            messages=sum(cell.messages for cell in cells),
            records=_natural(data["weight"][1]),
            policy=PolicyPublished.from_dict(data["policy"], domain=domain),
            cells=cells,
            trust=Trust(data["trust"]),
            defects=tuple(map(str, data["defects"])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsContribution:
    """One TLS report in a rollup.

    policies: (policy type, policy domain, successful sessions, failed sessions, ((result type, failed sessions), …)).
    """

    org: str
    report_id: str
    begin: int
    end: int
    policies: tuple[tuple[str, str, int, int, tuple[tuple[str, int], ...]], ...]
    trust: Trust = Trust.UNKNOWN
    defects: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The report's identity, as 32 hexadecimal digits: org, report_id, begin and end (it may have many domains)."""
        return _key("tlsrpt", self.org, self.report_id, self.begin, self.end)

    @property
    def weight(self) -> tuple[int, int]:
        """(sessions, policies)."""
        return sum(policy[2] + policy[3] for policy in self.policies), len(self.policies)

    @property
    def digest(self) -> str:
        """SHA-256 over the policies in canonical form."""
        return _sha256(canonical(sorted(map(canonical, self.policies))))

    def order(self) -> Order:
        """Which of two copies counts; see `Contribution.order`."""
        return self.trust.rank, *self.weight, self.digest, _key(*self.defects)

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "org": self.org,
            "report_id": self.report_id,
            "begin": self.begin,
            "end": self.end,
            "weight": list(self.weight),
            "digest": self.digest,
            "trust": str(self.trust),
            "policies": sorted(([*policy[:4], dict(policy[4])] for policy in self.policies), key=canonical),
            "defects": list(self.defects),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TlsContribution:
        """Read what `to_dict` wrote. KeyError, TypeError, ValueError else."""
        return cls(
            org=str(data["org"]),
            report_id=str(data["report_id"]),
            begin=_natural(data["begin"]),
            end=_natural(data["end"]),
            policies=tuple(
                (str(kind), str(domain), _natural(success), _natural(failure), _counts(results))
                for kind, domain, success, failure, results in data["policies"]
            ),
            trust=Trust(data["trust"]),
            defects=tuple(map(str, data["defects"])),
        )


class CellSink:
    """Adds records up by outcome and source, within `Limits.max_facets` and `Limits.max_cells`."""

    def __init__(self, limits: Limits) -> None:
        self._max_facets = limits.max_facets
        self._cells: dict[Outcome, dict[str, int]] = {}
        self._records = 0
        self._defects: set[str] = set()
        self.add: Callable[[Facet, str, int], None] = self._adder(limits.max_cells)

    def _adder(self, max_cells: int) -> Callable[[Facet, str, int], None]:
        """`add` as a closure: it runs for each record."""
        opened: dict[Facet, dict[str, int]] = {}
        sources_of = opened.get
        cells = 0

        def add(facet: Facet, source_ip: str, count: int) -> None:
            nonlocal cells
            sources = sources_of(facet)
            if sources is None:
                if len(opened) >= _MAX_OPENED:
                    opened.clear()
                sources = opened[facet] = self._open(facet)
            self._records += 1
            before = sources.get(source_ip)
            if before is None:
                cells += 1
                if cells > max_cells:
                    self._defects.add("cells_capped")
                    source_ip = OTHER
                before = sources.get(source_ip, 0)
            sources[source_ip] = before + count

        return add

    def _open(self, facet: Facet) -> dict[str, int]:
        self._defects.update(facet.defects)
        outcome = facet.outcome
        if outcome not in self._cells and len(self._cells) >= self._max_facets:
            self._defects.add("cells_capped")
            disposition = outcome.disposition if outcome.disposition in _DISPOSITIONS else OTHER
            outcome = Outcome(OTHER, disposition, outcome.dkim_aligned, outcome.spf_aligned, (), False, (), ())
        return self._cells.setdefault(outcome, {})

    def skip(self, number: int, source_text: str, count_text: str) -> None:
        """A record that cannot be counted."""
        self._defects.add("bad_record")

    @property
    def records(self) -> int:
        """Usable ones so far."""
        return self._records

    @property
    def defects(self) -> set[str]:
        """Of the records."""
        return self._defects

    def cells(self, domain: str) -> tuple[Cell, ...]:
        """What was added up; `domain` where records name no header_from."""
        cells: dict[Outcome, dict[str, int]] = {}
        for outcome, sources in self._cells.items():
            named = outcome if outcome.header_from else outcome._replace(header_from=domain)
            if named not in cells:
                cells[named] = sources
            else:
                merged = cells[named] = dict(cells[named])
                for source, count in sources.items():
                    merged[source] = merged.get(source, 0) + count
        return tuple(Cell(outcome=outcome, sources=tuple(sources.items())) for outcome, sources in cells.items())


def contribution_of(document: Document, limits: Limits, trust: Trust) -> Contribution:
    """One XML document as a contribution, no row objects made; raises ParseError."""
    header, sink, defects = read_feedback(document, limits, lambda: CellSink(limits))
    domain = domain_key(header.policy_published.domain)
    cells = sink.cells(domain)
    return Contribution(
        org=org_key(header.org_name, header.email),
        report_id=header.report_id[:_MAX_TEXT],
        domain=domain,
        begin=header.begin,
        end=header.end,
        messages=sum(cell.messages for cell in cells),
        records=sink.records,
        policy=header.policy_published,
        cells=cells,
        trust=trust,
        defects=tuple(sorted(defects | sink.defects)),
    )


def tls_contribution(report: TlsReport, trust: Trust) -> TlsContribution:
    """A TLS report as a contribution."""
    return TlsContribution(
        org=org_key(report.org_name, report.contact_info),
        report_id=report.report_id[:_MAX_TEXT],
        begin=report.begin_seconds,
        end=report.end_seconds,
        policies=tuple(
            (
                (policy.policy_type or "")[:_MAX_TEXT].lower(),
                domain_key(policy.policy_domain),
                policy.success,
                policy.failure,
                _added_up((detail.result_type, detail.failed_session_count) for detail in policy.failure_details),
            )
            for policy in report.policies
        ),
        trust=trust,
        defects=report.defects,
    )


def org_key(org_name: str | None, email: str | None) -> str:
    """Who reported: the name, else the domain of the address."""
    return (org_name or (email or "").rpartition("@")[2].lower())[:_MAX_TEXT]


def _added_up(pairs: Any) -> tuple[tuple[str, int], ...]:
    sums: dict[str, int] = {}
    for name, count in pairs:
        sums[name[:_MAX_TEXT]] = sums.get(name[:_MAX_TEXT], 0) + count
    return tuple(sorted(sums.items()))


def _counts(data: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((str(name), _natural(count)) for name, count in data.items()))


def _natural(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"a number of 0 or more is needed, not {value!r}")
    return value


def _key(*parts: object) -> str:
    return hashlib.blake2b(canonical(parts).encode(), digest_size=16).hexdigest()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
