"""The sums of one domain over its reports: each axis that a view shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mailgate.dmarc._days import days_of, spread
from mailgate.dmarc._facet import Outcome
from mailgate.dmarc._report import PolicyPublished
from mailgate.dmarc._seal import Entry
from mailgate.dmarc._sources import SourceClass, classify

_DISPOSITIONS = ("none", "quarantine", "reject")

Counts = list[int]  # messages, passed, DKIM aligned, SPF aligned


@dataclass(slots=True)
class SourceSums:
    """What one address sent. first, last: days on which it was seen."""

    first: date
    last: date
    messages: int = 0
    passed: int = 0
    classes: Counter[SourceClass] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """Sums of one domain."""

    messages: int = 0
    passed: int = 0
    dkim: int = 0
    spf: int = 0
    both: int = 0
    reports: int = 0
    disposition: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(_DISPOSITIONS, 0)))
    reasons: Counter[str] = field(default_factory=Counter)
    classes: Counter[SourceClass] = field(default_factory=Counter)
    by_day: dict[date, Counts] = field(default_factory=dict)
    by_org: dict[str, Counts] = field(default_factory=dict)
    by_header_from: dict[str, Counts] = field(default_factory=dict)
    by_selector: dict[str, Counter[str]] = field(default_factory=dict)
    by_spf_domain: dict[str, Counter[str]] = field(default_factory=dict)
    sources: dict[str, SourceSums] = field(default_factory=dict)
    policies: dict[PolicyPublished, tuple[date, date]] = field(default_factory=dict)


def tally_of(entries: list[Entry]) -> Tally:
    """All entries of one domain added up."""
    tally = Tally()
    for entry in entries:
        _add(tally, entry)
    return tally


def _add(tally: Tally, entry: Entry) -> None:
    days = days_of(entry.begin, entry.end)
    first, last = days[0][0], days[-1][0]
    tally.reports += entry.reports
    seen = tally.policies.get(entry.policy)
    tally.policies[entry.policy] = (min(first, seen[0]), max(last, seen[1])) if seen else (first, last)
    for org, *counts in entry.orgs:
        _plus(tally.by_org, org, counts)
    by_outcome: Counter[tuple[bool, bool]] = Counter()
    for cell in entry.cells:
        outcome, messages = cell.outcome, cell.messages
        by_outcome[outcome.dkim_aligned, outcome.spf_aligned] += messages
        kind = classify(outcome)
        _add_outcome(tally, outcome, messages, kind)
        passed = outcome.dmarc_pass
        for ip, count in cell.sources:
            source = tally.sources.get(ip)
            if source is None:
                source = tally.sources[ip] = SourceSums(first, last)
            elif first < source.first or last > source.last:
                source.first, source.last = min(first, source.first), max(last, source.last)
            source.messages += count
            source.classes[kind] += count
            if passed:
                source.passed += count
    weights = [seconds for _, seconds in days]
    for (dkim, spf), messages in sorted(by_outcome.items()):
        for (day, _), share in zip(days, spread(messages, weights), strict=True):
            _plus(tally.by_day, day, _counts(share, dkim, spf))
    if not by_outcome:
        _plus(tally.by_day, first, [0, 0, 0, 0])


def _add_outcome(tally: Tally, outcome: Outcome, messages: int, kind: SourceClass) -> None:
    dkim, spf = outcome.dkim_aligned, outcome.spf_aligned
    tally.messages += messages
    tally.passed += messages * outcome.dmarc_pass
    tally.dkim += messages * dkim
    tally.spf += messages * spf
    tally.both += messages * (dkim and spf)
    tally.disposition[outcome.disposition] += messages
    tally.classes[kind] += messages
    for reason in outcome.reasons:
        tally.reasons[reason] += messages
    _plus(tally.by_header_from, outcome.header_from, _counts(messages, dkim, spf))
    for name, word in {(f"{domain}/{selector}", word) for domain, selector, word in outcome.dkim if domain}:
        tally.by_selector.setdefault(name, Counter())[word] += messages
    for domain, word in set(outcome.spf):
        if domain:
            tally.by_spf_domain.setdefault(domain, Counter())[word] += messages


def _counts(messages: int, dkim: bool, spf: bool) -> Counts:
    return [messages, messages * (dkim or spf), messages * dkim, messages * spf]


def _plus(sums: dict[Any, Counts], key: Any, counts: Counts) -> None:
    before = sums.get(key)
    sums[key] = list(counts) if before is None else [a + b for a, b in zip(before, counts, strict=True)]
