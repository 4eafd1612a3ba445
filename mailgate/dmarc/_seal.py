"""Old contributions as plain sums and the set of their keys, for states that grow for years.

Sums keep everything that a view shows, but which organisation saw which source: per domain, day, policy and trust,
the cells of all reports in one, and what each organisation counted. A report whose period is spread over several days
stays by itself, because sums of rounded shares are not the rounded shares of sums.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mailgate.dmarc._contribution import Cell, Contribution, TlsContribution, Trust, canonical
from mailgate.dmarc._days import DAY_SECONDS, is_long
from mailgate.dmarc._facet import Outcome
from mailgate.dmarc._report import PolicyPublished
from mailgate.records import MailgateError


class SealConflict(MailgateError):
    """Two states have sealed the same report in different sums: adding them up would count it twice.

    reports: how many reports are in both. Merge before sealing, or seal in one place only.
    """

    def __init__(self, reports: int) -> None:
        super().__init__(reports)
        self.reports = reports

    def __str__(self) -> str:
        return f"{self.reports} reports are sealed in both states; merge states before sealing them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Reports of one domain, period, policy and trust, as a view takes them in: one contribution, or many as a sum.

    orgs: (organisation, messages, passed, DKIM aligned, SPF aligned) of each. defects: (name, reports that have it).
    known_orgs: False when cells are sums over organisations.
    """

    domain: str
    begin: int
    end: int
    trust: Trust
    policy: PolicyPublished
    cells: tuple[Cell, ...]
    orgs: tuple[tuple[str, int, int, int, int], ...]
    reports: int
    defects: tuple[tuple[str, int], ...]
    known_orgs: bool

    @classmethod
    def of(cls, contribution: Contribution) -> Entry:
        """One contribution."""
        counts = [0, 0, 0, 0]
        for cell in contribution.cells:
            messages, outcome = cell.messages, cell.outcome
            counts[0] += messages
            counts[1] += messages * outcome.dmarc_pass
            counts[2] += messages * outcome.dkim_aligned
            counts[3] += messages * outcome.spf_aligned
        return cls(
            domain=contribution.domain,
            begin=contribution.begin,
            end=contribution.end,
            trust=contribution.trust,
            policy=contribution.policy,
            cells=contribution.cells,
            orgs=((contribution.org, counts[0], counts[1], counts[2], counts[3]),),
            reports=1,
            defects=tuple((name, 1) for name in contribution.defects),
            known_orgs=True,
        )

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {
            "domain": self.domain,
            "begin": self.begin,
            "end": self.end,
            "trust": str(self.trust),
            "policy": self.policy.to_dict(),
            "cells": sorted((cell.to_dict() for cell in self.cells), key=canonical),
            "orgs": {org: counts for org, *counts in self.orgs},
            "reports": self.reports,
            "defects": dict(self.defects),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Entry:
        """Read what `to_dict` wrote."""
        domain = str(data["domain"])
        return cls(
            domain=domain,
            begin=int(data["begin"]),
            end=int(data["end"]),
            trust=Trust(data["trust"]),
            policy=PolicyPublished.from_dict(data["policy"], domain=domain),
            cells=tuple(map(Cell.from_dict, data["cells"])),
            orgs=tuple(
                (str(org), int(messages), int(passed), int(dkim), int(spf))
                for org, (messages, passed, dkim, spf) in data["orgs"].items()
            ),
            reports=int(data["reports"]),
            defects=tuple((str(name), int(count)) for name, count in data["defects"].items()),
            known_orgs=False,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One act of sealing. identity: hash of the rest. keys: of the sealed reports, aggregate and TLS.

    tls: contributions without report ids. duplicates, conflicts: how many there were among the sealed ones.
    """

    identity: str
    keys: frozenset[str]
    entries: tuple[Entry, ...]
    tls: tuple[TlsContribution, ...]
    duplicates: int
    conflicts: int

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values."""
        return _seal_dict(self.keys, self.entries, self.tls, self.duplicates, self.conflicts)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Seal:
        """Read what `to_dict` wrote."""
        return _with_identity(
            frozenset(map(str, data["keys"])),
            tuple(map(Entry.from_dict, data["entries"])),
            tuple(map(TlsContribution.from_dict, data["tls"])),
            int(data["duplicates"]),
            int(data["conflicts"]),
        )


def make_seal(
    contributions: Iterable[Contribution], tls: Iterable[TlsContribution], *, duplicates: int, conflicts: int
) -> Seal:
    """All of them as one seal."""
    groups: dict[object, list[Entry]] = {}
    keys = set()
    for contribution in contributions:
        keys.add(contribution.key)
        entry = Entry.of(contribution)
        group: object = contribution.key
        if not is_long(entry.begin, entry.end):
            group = (entry.domain, entry.begin // DAY_SECONDS, entry.trust, entry.policy)
        groups.setdefault(group, []).append(entry)
    reports = list(tls)
    keys.update(report.key for report in reports)
    nameless = tuple(
        TlsContribution(
            org=report.org,
            report_id="",
            begin=report.begin,
            end=report.end,
            policies=report.policies,
            trust=report.trust,
            defects=report.defects,
        )
        for report in reports
    )
    entries = tuple(_sum(group) for group in groups.values())
    return _with_identity(frozenset(keys), entries, nameless, duplicates, conflicts)


def _with_identity(
    keys: frozenset[str], entries: tuple[Entry, ...], tls: tuple[TlsContribution, ...], duplicates: int, conflicts: int
) -> Seal:
    text = canonical(_seal_dict(keys, entries, tls, duplicates, conflicts))
    return Seal(
        identity=hashlib.sha256(text.encode()).hexdigest()[:32],
        keys=keys,
        entries=entries,
        tls=tls,
        duplicates=duplicates,
        conflicts=conflicts,
    )


def _seal_dict(
    keys: frozenset[str], entries: tuple[Entry, ...], tls: tuple[TlsContribution, ...], duplicates: int, conflicts: int
) -> dict[str, Any]:
    return {
        "keys": sorted(keys),
        "entries": sorted((entry.to_dict() for entry in entries), key=canonical),
        "tls": sorted((report.to_dict() for report in tls), key=canonical),
        "duplicates": duplicates,
        "conflicts": conflicts,
    }


def _sum(entries: list[Entry]) -> Entry:
    """Entries of one group as one."""
    cells: dict[Outcome, Counter[str]] = {}
    orgs: dict[str, list[int]] = {}
    defects: Counter[str] = Counter()
    for entry in entries:
        for cell in entry.cells:
            sources = cells.setdefault(cell.outcome, Counter())
            for source, count in cell.sources:
                sources[source] += count
        for org, *counts in entry.orgs:
            orgs[org] = [a + b for a, b in zip(orgs.get(org, [0, 0, 0, 0]), counts, strict=True)]
        defects.update(dict(entry.defects))
    first = entries[0]
    day_start = first.begin - first.begin % DAY_SECONDS
    whole_day = (day_start, day_start + DAY_SECONDS - 1)
    begin, end = (first.begin, first.end) if is_long(first.begin, first.end) else whole_day
    return Entry(
        domain=first.domain,
        begin=begin,
        end=end,
        trust=first.trust,
        policy=first.policy,
        cells=tuple(Cell(outcome=outcome, sources=tuple(sources.items())) for outcome, sources in cells.items()),
        orgs=tuple((org, counts[0], counts[1], counts[2], counts[3]) for org, counts in orgs.items()),
        reports=sum(entry.reports for entry in entries),
        defects=tuple(defects.items()),
        known_orgs=False,
    )
